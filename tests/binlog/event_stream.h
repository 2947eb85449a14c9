#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/transaction_reader.h"
#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {

inline constexpr std::uint64_t kOutboxId = 70;
inline constexpr std::uint64_t kForeignId = 71;

// The bodies of the events that tests feed; see EventBytes.

inline EventBytes GtidBody(std::uint64_t number) {
  EventBytes body;
  return body.Little(0, 1).Text(std::string(16, '\x11')).Little(number, 8);
}

// The status variable that lists the schemas a statement may have changed.
inline std::string UpdatedSchemas(std::initializer_list<std::string_view> names) {
  EventBytes variable;
  variable.Little(12, 1).Little(names.size(), 1);
  for (const std::string_view name : names) variable.Text(name).Little(0, 1);
  return std::string(AsText(variable.bytes()));
}

inline EventBytes QueryBody(std::string_view text, std::string_view status = "") {
  EventBytes body;
  body.Little(0, 8).Little(0, 1).Little(0, 2).Little(status.size(), 2).Text(status);
  return body.Little(0, 1).Text(text);
}

// Of a table with one column, INT NOT NULL.
inline EventBytes TableMapBody(std::uint64_t id, std::string_view schema, std::string_view table) {
  EventBytes body;
  body.Little(id, 6).Little(1, 2).Little(schema.size(), 1).Text(schema).Little(0, 1);
  body.Little(table.size(), 1).Text(table).Little(0, 1);
  return body.Little(1, 1).Little(3, 1).Little(0, 1).Little(0, 1);
}

inline constexpr std::uint16_t kStatementEndFlag = 1;

inline EventBytes RowsBody(std::uint64_t id, std::uint16_t flags = kStatementEndFlag) {
  EventBytes body;
  body.Little(id, 6).Little(flags, 2).Little(2, 2).Little(1, 1).Little(1, 1);
  return body.Little(0, 1).Little(42, 4);
}

inline EventBytes FormatDescriptionBody(bool has_checksums = false) {
  EventBytes body;
  body.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
  return body.Text(std::string(42, '\x01')).Little(has_checksums ? 1 : 0, 1);
}

inline EventBytes RotateBody(std::string_view file, std::uint64_t offset) {
  return EventBytes().Little(offset, 8).Text(file);
}

inline EventBytes XaPrepareBody(bool is_one_phase) {
  EventBytes body;
  body.Little(is_one_phase ? 1 : 0, 1).Little(1, 4).Little(1, 4).Little(0, 4);
  return body.Text("a");
}

// Feeds a stream to a reader that watches shop.outbox.
class EventStreamTest : public ::testing::Test {
 protected:
  using Outcome = TransactionReader::Outcome;

  explicit EventStreamTest(bool takes_updates = false, bool takes_all_changes = false,
                           const TransactionBufferOptions& buffer = {::testing::TempDir()})
      : filter_({{.schema_pattern = "shop",
                  .table_pattern = "outbox",
                  .columns = {"id"},
                  .declared_columns = {},
                  .takes_updates = takes_updates,
                  .takes_all_changes = takes_all_changes}}),
        reader_(filter_, buffer) {
    Open({});
    Rotate("binlog.000001", 4);
    FormatDescription();
  }

  void Open(const Position& from, bool by_gtid = true) {
    reader_.Reset({.server_uuid = {}, .by_gtid = by_gtid, .has_checksums = has_checksums_}, from);
    end_ = from.offset;
  }
  Result<Outcome> Feed(EventType type, const EventBytes& body, std::uint16_t flags = 0) {
    const std::size_t tail = has_checksums_ ? kChecksumBytes : 0;
    end_ += kEventHeaderBytes + body.bytes().size() + tail;
    return Send(MakeEvent(type, body, static_cast<std::uint32_t>(end_), flags));
  }
  // An event that stands in no file.
  Result<Outcome> FeedArtificial(EventType type, const EventBytes& body) {
    return Send(MakeEvent(type, body, 0, EventHeader::kArtificial));
  }
  std::optional<ErrorKind> ErrorOf(const Result<Outcome>& outcome) {
    return outcome ? std::nullopt : std::optional(outcome.error().kind);
  }

  void Rotate(std::string_view file, std::uint64_t offset) {
    ASSERT_TRUE(FeedArtificial(EventType::kRotate, RotateBody(file, offset)));
    end_ = offset;
  }
  // Of a file whose events have checksums or not; it always has room for one itself.
  void FormatDescription(bool has_checksums = false) {
    EventBytes body = FormatDescriptionBody(has_checksums);
    if (!has_checksums) body.Little(0, 4);
    has_checksums_ = has_checksums;
    ASSERT_EQ(Feed(EventType::kFormatDescription, body), Outcome::kNothing);
  }
  void NextFile(std::string_view file) {
    Rotate(file, 4);
    FormatDescription(has_checksums_);
  }

  void Gtid(std::uint64_t number) {
    ASSERT_EQ(Feed(EventType::kGtid, GtidBody(number)), Outcome::kNothing);
  }
  Result<Outcome> Query(std::string_view text, std::string_view status = "") {
    return Feed(EventType::kQuery, QueryBody(text, status));
  }
  void Begin(std::uint64_t number) {
    Gtid(number);
    ASSERT_EQ(Query("BEGIN"), Outcome::kNothing);
  }
  void TableMap(std::uint64_t id, std::string_view schema, std::string_view table) {
    ASSERT_EQ(Feed(EventType::kTableMap, TableMapBody(id, schema, table)), Outcome::kNothing);
  }
  Result<Outcome> Rows(EventType type, std::uint64_t id, std::uint16_t flags = kStatementEndFlag) {
    return Feed(type, RowsBody(id, flags));
  }
  void Insert() {
    TableMap(kOutboxId, "shop", "outbox");
    ASSERT_EQ(Rows(EventType::kWriteRows, kOutboxId), Outcome::kNothing);
  }
  Result<Outcome> Xid() { return Feed(EventType::kXid, EventBytes().Little(1, 8)); }
  // A transaction with one row of the event table.
  void Transact(std::uint64_t number) {
    Begin(number);
    Insert();
    ASSERT_EQ(Xid(), Outcome::kTransaction);
  }

  [[nodiscard]] const Transaction& transaction() const { return reader_.transaction(); }
  [[nodiscard]] std::string gtids() const {
    const std::string text = reader_.position().gtids.ToText();
    constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111:";
    return text.starts_with(kUuid) ? text.substr(kUuid.size()) : text;
  }
  int KeptRowsEvents(EventType type = EventType::kWriteRows) {
    int count = 0;
    reader_.rows().Rewind();
    for (auto record = reader_.rows().Next(); record && *record; record = reader_.rows().Next()) {
      if ((*record)->type == type) ++count;
    }
    return count;
  }

  TableFilter filter_;
  TransactionReader reader_;
  bool has_checksums_ = false;
  std::uint64_t end_ = 4;

 private:
  Result<Outcome> Send(const std::vector<std::uint8_t>& event) {
    return reader_.Feed(has_checksums_ ? WithChecksum(event) : event);
  }
};

}  // namespace outboxd::binlog
