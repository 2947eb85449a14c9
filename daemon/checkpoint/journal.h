#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/gtid_set.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/error.h"

namespace outboxd {

// The journal's line about one transaction, or about a part of one, as its events are sent:
//   GTID [ <space> PREPARED ] <tab> COMMIT_US <tab> EVENTS { <tab> TABLE <tab> ID } <line feed>
// PREPARED is the GTID of the XA PREPARE that it decides. TABLE is empty where it is that of the
// event before. Of tabs, line feeds and backslashes the first letter stands behind a backslash.
// Where EVENTS is more than what follows, the ids of the rest were not kept. One thread.
class JournalLine {
 public:
  // What the ids of one transaction may take, about; those behind it are only counted.
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

  void Clear();
  void Add(std::string_view schema_name, std::string_view table_name, std::string_view id);
  [[nodiscard]] bool empty() const { return events_ == 0; }
  [[nodiscard]] std::string Text(const binlog::Gtid& gtid, std::uint64_t commit_us,
                                 const std::optional<binlog::Gtid>& prepared = {}) const;

 private:
  std::string text_;
  std::string schema_name_, table_name_;  // Of the event added last.
  std::uint64_t events_ = 0;
};

struct PublishedEvent {
  std::string gtid;
  std::string table;  // "schema.table"
  std::string id;
  std::uint64_t commit_us = 0;  // 0: not told.

  friend auto operator<=>(const PublishedEvent&, const PublishedEvent&) = default;
};

// Of some transactions what a journal knows.
struct JournalFindings {
  std::vector<PublishedEvent> events;  // In the order in which they were published, each once.
  std::uint64_t without_id = 0;        // So many more, whose ids were not kept.
  binlog::GtidSet decided;             // The XA PREPAREs that the transactions decide.
  // Events of the oldest of them may have been published before the journal begins.
  bool is_cut = false;
};

// Which events were published lately, kept beside the checkpoint for the day on which a failover
// loses transactions: `journal` and, once that is full, `journal.old` in the state directory. Lines
// reach the disk when the system likes: after a crash of the machine the last ones may be missing,
// torn or garbage, and are passed over then.
class Journal {
 public:
  // `bytes_max`: of both files together. `files` is borrowed and outlives the journal.
  Journal(std::string directory, std::uint64_t bytes_max, FileSystem& files = SystemFiles());
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Adds whole lines. Any thread. kState.
  [[nodiscard]] Result<void> Append(std::string_view lines);

  // What is known of the transactions `gtids`: from the files, and from `unwritten`, lines that
  // will be appended or have been just now. Any thread. kState.
  [[nodiscard]] Result<JournalFindings> Find(const binlog::GtidSet& gtids,
                                             std::string_view unwritten) const;

 private:
  Result<void> Open();
  Result<void> StartNewFile();
  void Close();

  // Constant after construction.
  const std::string directory_;
  const std::string path_, old_path_;
  const std::uint64_t file_bytes_max_;
  FileSystem& files_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  int descriptor_ = -1;
  std::uint64_t file_bytes_ = 0;
};

// Adds whole lines and logs where that fails: the journal is for the report about a failover, and
// the deliveries are as good without it. Null: none is kept.
void AppendOrTell(Journal* journal, std::string_view lines);

}  // namespace outboxd
