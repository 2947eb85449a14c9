// Writes inputs for the fuzzers to begin with, FOLDER/SUBJECT/NUMBER: parts of the recorded log,
// and what it lacks, byte by byte.
//
//   fuzz_seeds FOLDER

#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/column_value.h"
#include "binlog/gtid_set.h"
#include "binlog/table_map.h"
#include "tests/binlog/event_bytes.h"
#include "tests/binlog/fixture_log.h"
#include "tests/binlog/json_bytes.h"
#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSeedBytesMax = 8 << 10;

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Write(const std::string& subject, const Octets& bytes) {
    if (bytes.size() > kSeedBytesMax) return;
    std::filesystem::create_directories(folder_ / subject);
    std::ofstream file(folder_ / subject / std::to_string(counts_[subject]++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::filesystem::path folder_;
  std::map<std::string, int> counts_;
};

void Append(Octets& to, const Octets& bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

EventBytes BodyOf(const Octets& bytes) { return EventBytes().Text(AsText(bytes)); }

// What rows_fuzz.cc reads; `choice`: its upper bits.
Octets MapAndRows(const Octets& map, const Octets& rows, std::size_t choice = 0) {
  const std::size_t first = map.size() | choice;
  Octets input = {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(first >> 8)};
  Append(input, map);
  Append(input, rows);
  return input;
}

Octets GtidInput(std::uint8_t type_index, const Octets& body) {
  Octets input = {type_index};
  Append(input, body);
  return input;
}

// An event as a stream without checksums has it; they end where they ended in no file.
Octets Unchecked(const LoggedEvent& event) {
  const auto type = static_cast<EventType>(event.type);
  EventBytes body = BodyOf(event.body);
  if (type == EventType::kFormatDescription) {
    Octets bytes = event.body;
    bytes.back() = 0;  // The checksum algorithm; room for the checksum stays.
    body = BodyOf(bytes).Little(0, 4);
  }
  return MakeEvent(type, body, 0);
}

// The stored documents of a WRITE_ROWS event whose columns are all present.
void WriteDocuments(const TableMap& map, const Octets& body, Seeds& seeds) {
  ByteCursor cursor(body);
  cursor.Skip(8);
  cursor.Skip(cursor.U16() - 2u);
  const std::size_t bitmap_bytes = (map.columns.size() + 7) / 8;
  cursor.Skip(cursor.PackedInteger() == map.columns.size() ? bitmap_bytes : 0);
  while (cursor.ok() && !cursor.AtEnd()) {
    const Bytes nulls = cursor.Take(bitmap_bytes);
    for (std::size_t i = 0; cursor.ok() && i < map.columns.size(); ++i) {
      if ((nulls[i / 8] >> (i % 8) & 1) != 0) continue;
      const auto size = SizeOf(map.columns[i]).value();
      const Bytes value = cursor.Take(size.prefix == 0 ? size.fixed : cursor.Little(size.prefix));
      if (map.columns[i].type == ColumnType::kJson) {
        seeds.Write("json", {value.begin(), value.end()});
      }
    }
  }
}

void WriteRecordedLog(Seeds& seeds) {
  Octets format, transaction, map_body;
  for (const LoggedEvent& event : ReadEvents(ReadFixture("values.binlog.gz"))) {
    Append(transaction, Unchecked(event));
    switch (static_cast<EventType>(event.type)) {
      case EventType::kFormatDescription:
        format = Unchecked(event);
        continue;
      case EventType::kPreviousGtids:
        seeds.Write("gtid_set", event.body);
        continue;
      case EventType::kGtid:
        seeds.Write("gtid_event", GtidInput(0, event.body));
        transaction = format;
        Append(transaction, Unchecked(event));
        continue;
      case EventType::kQuery:
        seeds.Write("query", event.body);
        break;
      case EventType::kTableMap:
        seeds.Write("table_map", event.body);
        map_body = event.body;
        continue;
      case EventType::kWriteRows:
        seeds.Write("rows", MapAndRows(map_body, event.body));
        WriteDocuments(TableMap::Parse(map_body).value(), event.body, seeds);
        continue;
      default:
        break;
    }
    seeds.Write("event", transaction);
  }
}

constexpr std::string_view kUuidBytes(
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xff", 16);

Octets TaggedGtid(std::uint64_t number) {
  EventBytes body;
  body.Serialized(1).Serialized(60).Serialized(11).Serialized(0).Serialized(0).Serialized(1);
  for (const char byte : kUuidBytes) body.Serialized(static_cast<std::uint8_t>(byte));
  body.Serialized(2).Serialized(number << 1).Serialized(3).Serialized(4).Text("blue");
  body.Serialized(6).Serialized(1000).Serialized(7).Serialized(999);
  return body.bytes();
}

Octets UntaggedGtid(std::uint64_t number) {
  EventBytes body;
  body.Little(0, 1).Text(kUuidBytes).Little(number, 8).Little(2, 1).Little(1, 8).Little(2, 8);
  body.Little(1'700'000'000'000'002 | 1ull << 55, 7).Little(1'700'000'000'000'001, 7);
  return body.bytes();
}

void WriteGtids(Seeds& seeds) {
  seeds.Write("gtid_event", GtidInput(0, UntaggedGtid(5)));
  seeds.Write("gtid_event", GtidInput(1, UntaggedGtid(0)));
  seeds.Write("gtid_event", GtidInput(2, TaggedGtid(300)));
  constexpr const char* kSets[] = {
      "", "aaaaaaaa-0000-0000-0000-000000000001:1-5:7",
      "aaaaaaaa-0000-0000-0000-000000000001:1-5:blue:1-3:9223372036854775806",
      "aaaaaaaa-0000-0000-0000-000000000001:1,bbbbbbbb-0000-0000-0000-000000000002:1-2:4-5:7-8"};
  for (const char* const text : kSets) {
    const std::string encoded = GtidSet::Parse(text).value().Encode();
    seeds.Write("gtid_set", {encoded.begin(), encoded.end()});
  }
}

// Flags and SQL mode, and the schemas s and other as those that the statement changes.
constexpr std::string_view kStatus = "\0\0\0\0\0\1\0\0\0\0\0\0\0\0\x0C\2s\0other\0"sv;
// One of each status variable in front of the schemas, of which there are too many to name.
constexpr std::string_view kAllStatus =
    "\0abcd\1abcdefgh\2\3std\0\6\3std\3\1\0\1\0\4abcdef\5\3UTC\7ab\x08zz\x09zzzzzzzz\x0Azzzz\x0B"
    "\4root\1h\x0C\xFE\x0Dmic"sv;

Octets QueryBody(std::string_view text, std::string_view status = kStatus,
                 std::string_view extra = {}) {
  EventBytes body;
  body.Little(0, 8).Little(1, 1).Little(0, 2).Little(status.size(), 2).Text(extra).Text(status);
  return body.Text("s").Little(0, 1).Text(text).bytes();
}

Octets LoadBody() {
  return QueryBody("LOAD DATA INFILE 'f' INTO TABLE t", kStatus, "1234567890123");
}

void WriteQueries(Seeds& seeds) {
  for (const char* const text :
       {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT `a`", "ROLLBACK TO `a`", "XA START X'61',X'',1",
        "XA END X'61',X'',1", "XA COMMIT X'61',X'',1", "XA ROLLBACK X'61',X'',1", "DROP TABLE t"}) {
    seeds.Write("query", QueryBody(text));
  }
  seeds.Write("query", QueryBody("INSERT INTO t VALUES (1)", kAllStatus));
  seeds.Write("query", QueryBody("INSERT INTO t VALUES (1)", ""));
  seeds.Write("query", LoadBody());
}

void WriteDocuments(Seeds& seeds) {
  const Octets double_of_one = {11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F};
  const Octets inner = JsonArray({JsonInt16(-1), JsonString("\"\n")});
  seeds.Write("json", JsonObject({{"a", JsonInt16(1)},
                                  {"bb", JsonArray({JsonOpaque(252, {1, 2, 3}), {4, 1}, inner})},
                                  {"ccc", JsonObject({{"d", double_of_one}})},
                                  {"dddd", JsonOpaque(246, {2, 1, 0x81, 5})},
                                  {"eeee", JsonOpaque(12, {0, 0, 0, 0, 0, 0, 0, 0})}}));
  seeds.Write("json", JsonArray({{9, 1, 2, 3, 4, 5, 6, 7, 0x88},
                                 {10, 1, 2, 3, 4, 5, 6, 7, 0x88},
                                 {7, 1, 2, 3, 0x84},
                                 {8, 1, 2, 3, 0x84},
                                 JsonOpaque(253, {'x'}),
                                 JsonOpaque(10, {0, 0, 0, 0, 0, 0, 0, 0}),
                                 JsonOpaque(11, {0, 0, 0, 0, 0, 0, 0, 0})}));
}

// Table s.t of two columns, seq INT and v VARCHAR(100).
Octets MapOfT() {
  TableMapBytes map;
  map.Column(kLongType).Column(kVarcharType, {100, 0}).Nullable({2});
  map.Optional(1, {0}).Optional(2, {0xFC, 255, 0});
  return map.Optional(4, TableMapBytes::Texts({"seq", "v"})).bytes();
}

Octets RowsOfT(bool has_extra) {
  EventBytes body;
  body.Little(7, 6).Little(1, 2);
  if (has_extra) body.Little(2, 2);
  body.Little(2, 1).Little(3, 1);
  body.Little(0, 1).Little(1, 4).Little(5, 1).Text("value");
  return body.Little(2, 1).Little(2, 4).bytes();
}

// An update of the second column, as it was left out and as it is.
Octets UpdateOfT() {
  EventBytes body;
  body.Little(7, 6).Little(1, 2).Little(2, 2).Little(2, 1).Little(1, 1).Little(3, 1);
  body.Little(0, 1).Little(1, 4).Little(0, 1).Little(1, 4).Little(3, 1).Text("new");
  return body.Little(0, 1).Little(2, 4).Little(2, 1).Little(2, 4).bytes();
}

// A row whose second column was given no value.
Octets MinimalRowOfT() {
  EventBytes body;
  body.Little(7, 6).Little(1, 2).Little(2, 2).Little(2, 1).Little(1, 1).Little(0, 1).Little(1, 4);
  return body.bytes();
}

// A stream of events that end where they would in a file, after a FORMAT_DESCRIPTION.
class Stream {
 public:
  static Stream OfPayload() { return Stream(0); }
  Stream() {
    EventBytes format;
    format.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
    Add(EventType::kFormatDescription, format.Text(std::string(42, '\x01')).Little(0, 5).bytes());
  }
  Stream& Add(EventType type, const Octets& body, std::uint16_t flags = 0) {
    end_ += static_cast<std::uint32_t>(kEventHeaderBytes + body.size());
    Append(bytes_, MakeEvent(type, BodyOf(body), end_, flags));
    return *this;
  }
  Stream& Query(std::string_view text) { return Add(EventType::kQuery, QueryBody(text)); }
  Stream& Begin(std::string_view text = "BEGIN") {
    return Add(EventType::kGtid, UntaggedGtid(++number_)).Query(text);
  }
  Stream& Insert() {
    return Add(EventType::kTableMap, MapOfT()).Add(EventType::kWriteRows, RowsOfT(true));
  }
  Stream& Commit() { return Add(EventType::kXid, Octets(8, 1)); }
  Stream& Update() {
    return Add(EventType::kTableMap, MapOfT()).Add(EventType::kUpdateRows, UpdateOfT());
  }
  Stream& Prepare(bool is_one_phase) {
    const std::uint8_t one_phase = is_one_phase ? 1 : 0;
    return Query("XA END X'61',X'',1").Add(EventType::kXaPrepare, {one_phase, 0, 0, 0, 0});
  }
  // A GTID and the events of `payload`.
  Stream& Payload(const Stream& payload, bool is_packed);
  [[nodiscard]] const Octets& bytes() const { return bytes_; }

 private:
  explicit Stream(std::uint32_t begin) : end_(begin) {}

  Octets bytes_;
  std::uint32_t end_ = 4;
  std::uint64_t number_ = 0;
};

Octets PayloadBody(const Octets& events, bool is_packed, bool declares_size = true) {
  Octets payload = events;
  if (is_packed) {
    payload.resize(ZSTD_compressBound(events.size()));
    payload.resize(ZSTD_compress(payload.data(), payload.size(), events.data(), events.size(), 3));
  }
  EventBytes body;
  body.Little(2, 1).Little(is_packed ? 1 : 3, 1);
  is_packed ? body.Little(0, 1) : body.Little(0xFFFC, 2).Little(0, 1);
  // Another order of the fields than the server's, and one of a later version.
  body.Little(0, 0).Little(9, 1).Little(2, 1).Text("zz");
  body.Little(1, 1).Little(3, 1).Little(0xFC, 1).Little(payload.size(), 2);
  if (declares_size) body.Little(3, 1).Little(3, 1).Little(0xFC, 1).Little(events.size(), 2);
  return body.Little(0, 1).Text(AsText(payload)).bytes();
}

Stream& Stream::Payload(const Stream& payload, bool is_packed) {
  Add(EventType::kGtid, UntaggedGtid(++number_));
  return Add(EventType::kTransactionPayload, PayloadBody(payload.bytes(), is_packed));
}

void WritePayloads(Seeds& seeds) {
  const Octets events =
      Stream::OfPayload().Query("BEGIN").Insert().Insert().Update().Commit().bytes();
  for (const std::uint8_t form : Octets{1, 2, 4, 5, 200}) {
    Octets input = {form};
    Append(input, events);
    seeds.Write("payload", input);
  }
  for (const bool is_packed : {false, true}) {
    for (const bool declares_size : {false, true}) {
      Octets input = {0};
      Append(input, PayloadBody(events, is_packed, declares_size));
      seeds.Write("payload", input);
    }
  }
  // Compressed two hundred times: what it unpacks to is bounded by nothing but the reader.
  Octets input = {0};
  const Octets zeros(60'000);
  Append(input, PayloadBody(MakeEvent(EventType::kRowsQuery, BodyOf(zeros), 0), true));
  seeds.Write("payload", input);
}

void WriteStreams(Seeds& seeds) {
  const auto write = [&](const Stream& stream) { seeds.Write("event", stream.bytes()); };
  for (const bool is_packed : {false, true}) {
    const Stream committed = Stream::OfPayload().Query("BEGIN").Insert().Update().Commit();
    write(Stream().Payload(committed, is_packed).Begin().Insert().Commit());
    const Stream prepared =
        Stream::OfPayload().Query("XA START X'61',X'',1").Insert().Update().Prepare(false);
    write(Stream()
              .Payload(prepared, is_packed)
              .Begin()
              .Insert()
              .Commit()
              .Begin("XA COMMIT X'61',X'',1"));
    const Stream one_phase =
        Stream::OfPayload().Query("XA START X'61',X'',1").Insert().Prepare(true);
    write(Stream().Payload(one_phase, is_packed));
  }
  write(Stream()
            .Begin("XA START X'61',X'',1")
            .Insert()
            .Prepare(false)
            .Begin("XA START X'61',X'',1")
            .Prepare(false)
            .Begin("XA ROLLBACK X'61',X'',1")
            .Begin("XA COMMIT X'61',X'',1"));
  write(Stream().Begin().Update().Update().Commit());
  write(Stream()
            .Begin()
            .Add(EventType::kTableMap, MapOfT())
            .Add(EventType::kWriteRows, MinimalRowOfT())
            .Add(EventType::kTableMap, MapOfT())
            .Add(EventType::kPartialUpdateRows, UpdateOfT())
            .Commit());
  write(Stream()
            .Begin()
            .Add(EventType::kRand, Octets(16, 1))
            .Query("INSERT INTO t VALUES (RAND())")
            .Add(EventType::kBeginLoadQuery, {1, 0, 0, 0, 'x'})
            .Add(EventType::kExecuteLoadQuery, LoadBody())
            .Query("COMMIT")
            .Begin("ALTER TABLE t ADD COLUMN c INT"));
  // By file, GTIDs count from the first list of them on; the second of these was read before.
  const std::string before =
      GtidSet::Parse("01020304-0506-0708-090a-0b0c0d0e0fff:2").value().Encode();
  write(Stream()
            .Add(EventType::kPreviousGtids, {before.begin(), before.end()})
            .Begin()
            .Insert()
            .Commit()
            .Begin()
            .Insert()
            .Commit());
  write(Stream().Begin().Insert().Insert().Commit().Begin().Insert().Commit());
  write(Stream()
            .Add(EventType::kGtidTagged, TaggedGtid(3))
            .Query("BEGIN")
            .Add(EventType::kTableMap, MapOfT())
            .Add(EventType::kWriteRowsV1, RowsOfT(false))
            .Query("COMMIT"));
  write(
      Stream().Begin().Insert().Query("SAVEPOINT `a`").Insert().Query("ROLLBACK TO `a`").Commit());
  write(Stream().Begin().Insert().Query("ROLLBACK").Begin("DROP TABLE t"));
  write(Stream()
            .Begin("XA START X'61',X'',1")
            .Insert()
            .Query("XA END X'61',X'',1")
            .Add(EventType::kXaPrepare, {1, 0, 0, 0, 0})
            .Begin("XA COMMIT X'61',X'',1"));
  write(Stream()
            .Add(EventType::kAnonymousGtid, UntaggedGtid(0))
            .Add(EventType::kIntvar, Octets(9, 1))
            .Query("BEGIN")
            .Add(EventType::kRowsQuery, {1, 'x'})
            .Add(EventType::kTableMap, MapOfT())
            .Add(EventType::kUpdateRows, RowsOfT(true))
            .Add(EventType::kDeleteRows, RowsOfT(true))
            .Commit()
            .Add(EventType::kHeartbeat, {'b'})
            .Add(EventType::kStop, {})
            .Add(EventType::kRotate, EventBytes().Little(4, 8).Text("binlog.000002").bytes()));
  write(Stream()
            .Begin()
            .Insert()
            .Add(EventType::kIgnorable, {1}, EventHeader::kIgnorable)
            .Add(EventType::kIncident, {1, 0, 1, 'x'})
            .Begin());
}

void WriteTables(Seeds& seeds) {
  seeds.Write("rows", MapAndRows(MapOfT(), RowsOfT(true)));
  seeds.Write("rows", MapAndRows(MapOfT(), RowsOfT(false), 0x4000));
  seeds.Write("rows", MapAndRows(MapOfT(), UpdateOfT(), 0x8000));
  seeds.Write("rows", MapAndRows(MapOfT(), MinimalRowOfT(), 0x2000));
  TableMapBytes map;
  map.Column(kTinyType).Column(kStringType, {247, 1}).Column(kStringType, {248, 1});
  map.Column(kDecimalType, {10, 2}).Column(kBitType, {1, 1}).Column(kVectorType, {4});
  map.Column(kArrayType, {kVarcharType, 1, 2, 3}).Column(kGeometryType, {4});
  map.Optional(1, {0x40}).Optional(3, {255}).Optional(10, {8});
  map.Optional(5, {2, 1, 'a', 1, 'b'}).Optional(6, {1, 1, 'c'});
  seeds.Write("table_map", map.bytes());
}

}  // namespace
}  // namespace outboxd::binlog

int main(int count, char** arguments) {
  using namespace outboxd::binlog;
  if (count != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 64;
  }
  Seeds seeds(arguments[1]);
  WriteRecordedLog(seeds);
  WriteGtids(seeds);
  WriteQueries(seeds);
  WriteDocuments(seeds);
  WritePayloads(seeds);
  WriteStreams(seeds);
  WriteTables(seeds);
  return 0;
}
