#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/event_source.h"
#include "binlog/gtid.h"
#include "binlog/table_source.h"
#include "tests/binlog/event_bytes.h"
#include "tests/daemon/outbox_table.h"

namespace outboxd {

// A transaction of FakeSource's log. Its rows are those of shop.outbox with the given ids.
struct LoggedTransaction {
  enum class Kind { kCommit, kXaPrepare, kXaCommit, kXaRollback, kDdl };

  // One that inserts a row for each id.
  LoggedTransaction(std::initializer_list<std::string> inserted) : ids(inserted) {}

  static LoggedTransaction Update(std::string id) {
    LoggedTransaction made{std::move(id)};
    made.change = binlog::EventType::kUpdateRows;
    return made;
  }
  static LoggedTransaction Delete(std::string id) {
    LoggedTransaction made{std::move(id)};
    made.change = binlog::EventType::kDeleteRows;
    return made;
  }
  // One that changes the row's id.
  static LoggedTransaction Move(std::string id, std::string new_id) {
    LoggedTransaction made = Update(std::move(id));
    made.moved_to = std::move(new_id);
    return made;
  }
  // One that changes schema shop in statement format.
  static LoggedTransaction Statement(std::string text) {
    LoggedTransaction made{};
    made.text = std::move(text);
    return made;
  }
  static LoggedTransaction Ddl(std::string text) {
    LoggedTransaction made = Statement(std::move(text));
    made.kind = Kind::kDdl;
    return made;
  }
  // XA of the name 'x': its PREPARE, with a row for each id, or its decision.
  static LoggedTransaction Xa(Kind kind, std::initializer_list<std::string> ids = {}) {
    LoggedTransaction made(ids);
    made.kind = kind;
    return made;
  }
  // The log does not have the column aggregateid of its rows (binlog_row_image = MINIMAL).
  LoggedTransaction& LeaveOutKeys() {
    has_keys = false;
    return *this;
  }
  // What its rows hold: as they were inserted or deleted, or before an update and behind it.
  LoggedTransaction& WithPayload(std::string one) {
    payload = std::move(one);
    return *this;
  }
  LoggedTransaction& WithPayloads(std::string before, std::string after) {
    payload_before = std::move(before);
    return WithPayload(std::move(after));
  }
  LoggedTransaction& PadTo(std::size_t bytes) {
    padding_bytes = bytes;
    return *this;
  }

  Kind kind = Kind::kCommit;
  std::vector<std::string> ids;
  binlog::EventType change = binlog::EventType::kWriteRows;
  std::optional<std::string> moved_to;
  std::string payload_before = "before", payload = "p";
  bool has_keys = true;
  std::string text;               // Of the statement or DDL.
  std::size_t padding_bytes = 0;  // Of an event within it that nobody needs.
};

// A server whose whole log is a list of transactions, the first of them its GTID 1, in one file.
// Those that are added show in an open stream.
class FakeSource final : public binlog::EventSource {
 public:
  static constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";
  static constexpr std::uint64_t kFirstOffset = 4;

  binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                              const binlog::KnownHistory& known) override {
    ++opened;
    known_history = known;
    if (open_error) return std::unexpected(*open_error);
    opened_from = from.gtids.Minus(lost).ToText();
    events_.clear();
    end_ = static_cast<std::uint32_t>(first_offset);
    AddRotate(by_gtid ? kFirstOffset : std::max(from.offset, first_offset), "binlog.000001");
    AddFormatDescription(!by_gtid && from.offset > first_offset);
    if (!by_gtid) AddPreviousGtids();
    added_ = 0;
    AddNew(from);
    if (ends_file) AddRotate(kFirstOffset, "binlog.000002");
    return binlog::StreamIdentity{.server_uuid = server_uuid,
                                  .by_gtid = by_gtid,
                                  .has_checksums = false,
                                  .lost = std::exchange(lost, {}),
                                  .unseen = std::exchange(unseen, {})};
  }
  binlog::Result<binlog::Bytes> Next() override {
    if (fails_after == 0) {
      fails_after = -1;
      return Fail(next_error, "injected");
    }
    if (fails_after > 0) --fails_after;
    if (events_.empty() && !ends_file) AddNew({});
    if (events_.empty()) {
      current_ = MakeEvent(EventType::kHeartbeat, EventBytes().Text("binlog.000001"), end_);
      return binlog::Bytes(current_);
    }
    current_ = std::move(events_.front());
    events_.pop_front();
    return binlog::Bytes(current_);
  }
  void Interrupt() override { interrupted = true; }
  void Close() override { ++closed; }

  // Of the stream that is open.
  [[nodiscard]] binlog::LogEnd EndOfLog() {
    AddNew({});
    return {"binlog.000001", end_};
  }
  [[nodiscard]] bool AtEnd() const { return events_.empty(); }

  std::vector<LoggedTransaction> transactions;
  bool by_gtid = true;  // False: by file and offset; other:1-5 are GTIDs before the file.
  std::uint64_t first_offset = kFirstOffset;  // Of the transactions, by file.
  bool ends_file = false;                     // Whether another file comes behind the transactions.
  std::optional<binlog::Error> open_error;
  binlog::ErrorKind next_error = binlog::ErrorKind::kDisconnected;
  int fails_after = -1;  // Events until Next() fails once; negative: it does not.
  int opened = 0;
  int closed = 0;
  bool interrupted = false;
  std::string opened_from;
  binlog::KnownHistory known_history;
  std::string server_uuid{kUuid};
  binlog::GtidSet lost, unseen;  // What the next Open() tells.

 private:
  using EventBytes = binlog::EventBytes;
  using EventType = binlog::EventType;
  using Kind = LoggedTransaction::Kind;

  // The transactions that are not in the stream yet; those that `from` covers only take their room.
  void AddNew(const binlog::Position& from) {
    const binlog::GtidSet skipped = from.gtids.Minus(lost);
    while (added_ < transactions.size()) {
      const std::size_t events = events_.size();
      const std::uint32_t begin = end_;
      const std::uint64_t number = ++added_;
      AddGroup(number, transactions[number - 1]);
      const binlog::Gtid gtid{{binlog::ParseUuid(kUuid).value(), ""}, number};
      if (by_gtid && skipped.Contains(gtid)) events_.resize(events);
      // A dump from the middle of a file has only the format in front.
      if (!by_gtid && begin < from.offset) events_.erase(events_.begin() + 2, events_.end());
    }
  }
  void AddRotate(std::uint64_t offset, std::string_view file) {
    events_.push_back(MakeEvent(EventType::kRotate, EventBytes().Little(offset, 8).Text(file), 0,
                                binlog::EventHeader::kArtificial));
  }
  // 22222222-2222-2222-2222-222222222222:1-5
  void AddPreviousGtids() {
    EventBytes body;
    body.Little(1, 8).Text(std::string(16, '\x22')).Little(1, 8).Little(1, 8).Little(6, 8);
    Add(EventType::kPreviousGtids, body);
  }
  void Add(EventType type, const EventBytes& body, std::uint16_t flags = 0) {
    end_ += static_cast<std::uint32_t>(binlog::kEventHeaderBytes + body.bytes().size());
    events_.push_back(MakeEvent(type, body, end_, flags));
  }
  // That of a dump from the middle of a file has no place in it.
  void AddFormatDescription(bool is_in_front_of_middle) {
    EventBytes body;
    body.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
    Add(EventType::kFormatDescription, body.Text(std::string(42, '\x01')).Little(0, 5));
    if (is_in_front_of_middle) {
      events_.back() = MakeEvent(EventType::kFormatDescription, body, 0);
    }
  }
  void AddQuery(std::string_view text, const EventBytes& status_variables = {}) {
    EventBytes body;
    body.Little(0, 11).Little(status_variables.bytes().size(), 2);
    for (const std::uint8_t byte : status_variables.bytes()) body.Little(byte, 1);
    Add(EventType::kQuery, body.Little(0, 1).Text(text));
  }
  // A statement that may have changed tables of schema shop.
  void AddStatement(std::string_view text) {
    AddQuery(text, EventBytes().Little(12, 1).Little(1, 1).Text("shop").Little(0, 1));
  }
  void AddGroup(std::uint64_t number, const LoggedTransaction& transaction) {
    EventBytes gtid;
    Add(EventType::kGtid, gtid.Little(0, 1).Text(std::string(16, '\x11')).Little(number, 8));
    switch (transaction.kind) {
      case Kind::kDdl:
        AddStatement(transaction.text);
        break;
      case Kind::kXaCommit:
        AddQuery("XA COMMIT X'78',X'',1");
        break;
      case Kind::kXaRollback:
        AddQuery("XA ROLLBACK X'78',X'',1");
        break;
      case Kind::kXaPrepare:
        AddQuery("XA START X'78',X'',1");
        AddChanges(transaction);
        AddQuery("XA END X'78',X'',1");
        Add(EventType::kXaPrepare, EventBytes().Little(0, 1));
        break;
      case Kind::kCommit:
        AddQuery("BEGIN");
        AddChanges(transaction);
        Add(EventType::kXid, EventBytes().Little(1, 8));
        break;
    }
  }
  void AddChanges(const LoggedTransaction& transaction) {
    if (transaction.padding_bytes > 0) {
      Add(EventType::kRowsQuery, EventBytes().Text(std::string(transaction.padding_bytes, 'x')));
    }
    if (!transaction.text.empty()) AddStatement(transaction.text);
    for (const std::string& id : transaction.ids) {
      AddTableMap();
      AddRow(transaction, id);
    }
  }
  void AddTableMap() { Add(EventType::kTableMap, OutboxTableMap()); }
  void AddRow(const LoggedTransaction& transaction, const std::string& id) {
    const std::uint64_t columns = transaction.has_keys ? 0x0f : 0x0b;
    const auto key = transaction.has_keys ? std::optional<std::string_view>("k") : std::nullopt;
    EventBytes row = OutboxRowsHead(columns);
    if (transaction.change == EventType::kUpdateRows) {
      row.Little(columns, 1);
      AppendOutboxImage(row, id, "order", key, transaction.payload_before);
    }
    AppendOutboxImage(row, transaction.moved_to.value_or(id), "order", key, transaction.payload);
    Add(transaction.change, row);
  }

  std::uint64_t added_ = 0;  // Of the transactions, to the open stream.
  std::deque<std::vector<std::uint8_t>> events_;
  std::vector<std::uint8_t> current_;
  std::uint32_t end_ = 4;
};

}  // namespace outboxd
