#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/error.h"
#include "binlog/table_source.h"

struct sqlite3;       // From <sqlite3.h>, which stays in the .cc file.
struct sqlite3_stmt;  // The same.

namespace outboxd {

// What the log has shown, since the initial read began, of rows that chunks still to be read (or
// read again) may meet: the places at which a row has arrived since, and the images of rows as they
// were when the read began, where they have changed or gone since. In memory up to a bound, then in
// an unlinked file.
//
// A table is known by a number of the caller's. Reader thread only. After kSpill, the one error,
// only Clear() helps.
class ReadLedger {
 public:
  // `directory`: of the file; empty: all is kept in memory.
  explicit ReadLedger(std::string directory);
  ~ReadLedger();
  ReadLedger(const ReadLedger&) = delete;
  ReadLedger& operator=(const ReadLedger&) = delete;

  // Forgets everything, a failure as well.
  [[nodiscard]] binlog::Result<void> Clear();
  // Whether there was a kSpill since.
  [[nodiscard]] bool has_failed() const { return has_failed_; }

  // A row came to this place: whatever a chunk meets there now, the stream brings or has brought.
  [[nodiscard]] binlog::Result<void> AddArrival(std::size_t table, std::string_view place);
  // The row at this place is no more what it was when the read began. Keeps only the first image of
  // a place, and none where a row has arrived.
  [[nodiscard]] binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                               std::string_view image);

  // Whether a chunk's row at this place is to be left out.
  [[nodiscard]] binlog::Result<bool> LeavesOut(std::size_t table, std::string_view place);

  // Forgets the places of the table up to this one.
  [[nodiscard]] binlog::Result<void> ForgetUpTo(std::size_t table, std::string_view place);
  [[nodiscard]] binlog::Result<void> ForgetTable(std::size_t table);

  struct Image {
    std::string_view place, bytes;  // Valid until the next call.
  };
  // Goes through the images behind `after` up to `up_to`, in order of places; none: without bound.
  // Nothing is added or forgotten meanwhile.
  [[nodiscard]] binlog::Result<void> BeginImages(std::size_t table,
                                                 const std::optional<std::string>& after,
                                                 const std::optional<std::string>& up_to);
  [[nodiscard]] binlog::Result<std::optional<Image>> NextImage();
  void EndImages();

 private:
  struct DatabaseCloser {
    void operator()(sqlite3* database) const;
  };
  struct StatementCloser {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

  [[nodiscard]] binlog::Result<void> Open();
  [[nodiscard]] binlog::Result<void> Execute(const char* sql);
  [[nodiscard]] binlog::Result<Statement> Prepare(const char* sql);
  // Runs a statement that returns no row.
  [[nodiscard]] binlog::Result<void> Run(sqlite3_stmt* statement);
  [[nodiscard]] std::unexpected<binlog::Error> Failure();
  void CloseDatabase();

  // Constant after construction.
  const std::string directory_;

  bool has_failed_ = false;
  std::unique_ptr<sqlite3, DatabaseCloser> database_;  // Null: empty, not opened yet.
  Statement add_arrival_, keep_image_, leaves_out_, forget_up_to_, forget_table_, images_;
};

}  // namespace outboxd
