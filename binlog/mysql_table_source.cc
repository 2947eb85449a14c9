#include "binlog/mysql_table_source.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <span>
#include <utility>

#include "binlog/compact_json.h"
#include "binlog/mysql_chunk_statement.h"
#include "binlog/mysql_log.h"
#include "binlog/mysql_server.h"
#include "binlog/mysql_tables.h"
#include "binlog/result_row.h"

namespace outboxd::binlog {
namespace {

// What one statement asks weights of, at most.
constexpr std::size_t kAskedWeightsMax = 500;
constexpr std::size_t kAskedBytesMax = 256 * 1024;

// What IndexStatement() selects and IndexColumnOf() takes.
constexpr std::size_t kIndexValues = 11;

// Columns of indexes; `parts`: what servers before 8.0 do not know.
std::string IndexStatement(const MysqlConnection& connection, const TableFacts& table,
                           std::string_view parts) {
  return fmt::format(
      "SELECT s.index_name, s.column_name, s.collation, s.sub_part, s.non_unique, s.index_type,"
      " c.column_type, c.collation_name, c.is_nullable, {} FROM information_schema.statistics s"
      " LEFT JOIN information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name"
      " = s.table_name AND c.column_name = s.column_name WHERE s.table_schema = {} AND s.table_name"
      " = {} ORDER BY s.index_name, s.seq_in_index",
      parts, connection.Quote(table.schema_name), connection.Quote(table.table_name));
}

IndexColumn IndexColumnOf(const ResultRow& row) {
  const bool is_expression = row[10].has_value();
  IndexColumn part;
  part.index = TextOf(row[0]);
  part.column = {.name = is_expression ? "" : TextOf(row[1]),
                 .type = TextOf(row[6]),
                 .collation = TextOf(row[7]),
                 .is_descending = TextOf(row[2]) == "D"};
  part.has_prefix = row[3].has_value();
  part.is_unique = TextOf(row[4]) == "0";
  part.is_tree = TextOf(row[5]) == "BTREE";
  part.is_nullable = TextOf(row[8]) != "NO";
  part.is_visible = TextOf(row[9]) == "YES";
  const bool is_text =
      !part.column.type.starts_with("enum") && !part.column.type.starts_with("set");
  if (!is_text) part.column.collation.clear();
  return part;
}

// A name as the log has it, "X'61',X'',1", of a row of XA RECOVER CONVERT XID.
std::optional<std::string> XidOf(const ResultRow& row) {
  if (row.size() < 4) return std::nullopt;
  std::string digits = TextOf(row[3]);
  if (digits.starts_with("0x")) digits.erase(0, 2);
  std::ranges::transform(digits, digits.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const std::size_t global = 2 * NumberOf(TextOf(row[1]));
  const std::size_t branch = 2 * NumberOf(TextOf(row[2]));
  if (digits.size() != global + branch) return std::nullopt;
  return fmt::format("X'{}',X'{}',{}", digits.substr(0, global), digits.substr(global),
                     TextOf(row[0]));
}

// Takes the rows of a statement of MysqlChunkStatement into a chunk.
class ChunkBuilder {
 public:
  ChunkBuilder(const ChunkRequest& request,
               const std::map<std::string, std::string, std::less<>>& spaces)
      : request_(request), spaces_(spaces) {
    terms_ = request.columns.size();
    for (const KeyColumn& column : request.table.key.columns) {
      terms_ += orders_.emplace_back(column).takes_weights() ? 2U : 1U;
    }
    for (const std::string& name : request.columns) {
      const ColumnFacts* const facts = FindColumn(request.table.facts.columns, name);
      is_compacted_.push_back(request.json == JsonStyle::kMysql && facts != nullptr &&
                              facts->type == "json");
    }
  }

  // False: the chunk becomes too large, or the row is not what was asked for.
  bool Take(std::span<const ColumnValue> row) {
    if (row.size() < terms_) {
      error_ = {ErrorKind::kUnsuitable, fmt::format("a row of {} values", row.size())};
      return false;
    }
    ChunkRow taken;
    const std::size_t columns = request_.columns.size();
    for (std::size_t i = 0; i < columns; ++i) {
      auto& value = taken.values.emplace_back(row[i]);
      if (is_compacted_[i] && value) value = CompactJson(*value);
      chunk_.bytes += value ? value->size() : 0;
    }
    if (!orders_.empty()) {
      auto placed = Place(row.subspan(columns), taken);
      if (!placed) error_ = std::move(placed).error();
      if (error_) return false;
    }
    chunk_.rows.push_back(std::move(taken));
    is_too_large_ = chunk_.bytes > request_.bytes_max && chunk_.rows.size() > 1;
    return !is_too_large_;
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] bool is_too_large() const { return is_too_large_; }

  Chunk Finish() {
    chunk_.is_last = orders_.empty() || chunk_.rows.size() < request_.rows_max;
    return std::move(chunk_);
  }

 private:
  // `terms`: the values of the key, then weights.
  Result<void> Place(std::span<const ColumnValue> terms, ChunkRow& taken) const {
    std::span<const ColumnValue> weights = terms.subspan(orders_.size());
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      if (!terms[i]) return Fail(ErrorKind::kUnsuitable, "the key has NULL");
      taken.key.emplace_back(*terms[i]);
      if (!orders_[i].takes_weights()) {
        auto appended = orders_[i].Append(*terms[i], taken.place);
        if (!appended) return std::unexpected(appended.error().As(ErrorKind::kUnsuitable));
        continue;
      }
      if (!weights.front()) return Fail(ErrorKind::kUnsuitable, "the key has no weights");
      const auto space = spaces_.find(request_.table.key.columns[i].collation);
      orders_[i].AppendWeights(*weights.front(), space == spaces_.end() ? "" : space->second,
                               taken.place);
      weights = weights.subspan(1);
    }
    return {};
  }

  const ChunkRequest& request_;
  const std::map<std::string, std::string, std::less<>>& spaces_;
  std::size_t terms_ = 0;  // What the statement selects.
  std::vector<KeyColumnOrder> orders_;
  std::vector<bool> is_compacted_;
  Chunk chunk_;
  std::optional<Error> error_;
  bool is_too_large_ = false;
};

}  // namespace

MysqlTableSource::MysqlTableSource(MysqlTableSourceOptions options)
    : options_(std::move(options)) {}

MysqlTableSource::~MysqlTableSource() { Close(); }

Result<void> MysqlTableSource::Open(const StreamIdentity& stream) {
  Close();
  if (stream.host >= options_.hosts.size()) {
    return Fail(ErrorKind::kUnsuitable, "there is no host {}", stream.host);
  }
  host_ = stream.host;
  server_uuid_ = stream.server_uuid;
  return Connect();
}

void MysqlTableSource::Close() {
  interrupter_.Clear();
  server_.reset();
  is_open_ = false;
}

void MysqlTableSource::Interrupt() { interrupter_.Request(); }

Result<void> MysqlTableSource::Connect() {
  ConnectionOptions options = options_.hosts[host_];
  options.interrupter = &interrupter_;
  auto connected = MysqlServer::Connect(options);
  if (!connected) return Failed(connected.error());
  server_ = std::make_unique<MysqlServer>(std::move(*connected));
  is_open_ = true;
  if (auto prepared = PrepareSession(*server_); !prepared) {
    auto failed = Failed(prepared.error());
    Close();
    return failed;
  }
  return {};
}

Result<void> MysqlTableSource::PrepareSession(MysqlServer& server) {
  MysqlConnection& connection = server.connection();
  auto row = connection.QueryRow("SELECT @@server_uuid, VERSION()", 2);
  if (!row) return std::unexpected(row.error());
  const std::string found = TextOf((*row)[0]);
  if (found != server_uuid_) {
    return Fail(ErrorKind::kDisconnected,
                "mysql at {}: another server answers there now, {} instead of {}",
                AddressText(options_.hosts[host_]), found, server_uuid_);
  }
  has_for_share_ = NumberOf(TextOf((*row)[1])) >= 8;
  auto isolation = connection.Query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  if (!isolation) return std::unexpected(isolation.error());
  // Nothing global may cut a read short. A DATE that is none is compared like others.
  auto set = connection.Query(fmt::format(
      "SET SESSION innodb_lock_wait_timeout = {0}, SESSION lock_wait_timeout = {0}, SESSION"
      " sql_mode = 'ALLOW_INVALID_DATES', SESSION sql_select_limit = 18446744073709551615, SESSION"
      " sql_big_selects = 1, SESSION max_execution_time = 0",
      std::max<std::chrono::seconds::rep>(options_.lock_wait_timeout.count(), 1)));
  if (!set) return std::unexpected(set.error());
  // Unknown before 8.0.30.
  auto shown =
      connection.Query("SET SESSION show_gipk_in_create_table_and_information_schema = ON");
  if (!shown && MayPass(shown.error().kind)) return std::unexpected(shown.error());
  return {};
}

// The server to ask; with a new connection where a chunk was broken off.
Result<MysqlServer*> MysqlTableSource::Server() {
  if (interrupter_.requested()) return Failed({ErrorKind::kInterrupted, "interrupted"});
  if (!is_open_) return Fail(ErrorKind::kDisconnected, "the table source is not open");
  if (!server_) {
    if (auto connected = Connect(); !connected) return std::unexpected(connected.error());
  }
  return server_.get();
}

// What breaks off because of Interrupt() is that, whatever the library calls it.
std::unexpected<Error> MysqlTableSource::Failed(const Error& error) {
  const unsigned code = server_ ? server_->connection().LastErrorCode() : 0;
  const bool is_refusal = error.kind == ErrorKind::kUnsuitable ||
                          error.kind == ErrorKind::kUndecodable || error.kind == ErrorKind::kDenied;
  const bool stays_open = is_refusal && (code < CR_MIN_ERROR || code > CR_MAX_ERROR);
  const bool is_interrupted = interrupter_.Take();
  if (!stays_open || is_interrupted) Close();
  if (is_interrupted) return Fail(ErrorKind::kInterrupted, "interrupted");
  return std::unexpected(error);
}

std::unexpected<Error> MysqlTableSource::FailedToRead(const Error& error,
                                                      const TableToRead& table) {
  const unsigned code = server_ ? server_->connection().LastErrorCode() : 0;
  const std::string name = fmt::format("{}.{}", table.facts.schema_name, table.facts.table_name);
  if (code == ER_LOCK_WAIT_TIMEOUT || code == ER_LOCK_DEADLOCK) {
    return Failed({ErrorKind::kDisconnected,
                   fmt::format("table {}: a transaction that is not finished holds a lock; waiting"
                               " for it ({})",
                               name, error.message)});
  }
  return Failed(Fail(error, "table {}", name).error());
}

std::string_view MysqlTableSource::LockWords(bool waits_for_commits) const {
  if (!waits_for_commits) return "";
  return has_for_share_ ? " FOR SHARE" : " LOCK IN SHARE MODE";
}

Result<std::vector<TableToRead>> MysqlTableSource::Describe(std::string_view schema_pattern,
                                                            std::string_view table_pattern) {
  auto server = Server();
  if (!server) return std::unexpected(server.error());
  auto all = DescribeTables((*server)->connection(), schema_pattern, table_pattern);
  if (!all) return Failed(all.error());
  std::vector<TableToRead> tables;
  for (TableFacts& facts : *all) {
    auto key = ReadKey(**server, facts);
    if (!key) return Failed(key.error());
    tables.push_back({.facts = std::move(facts), .key = std::move(*key)});
  }
  return tables;
}

Result<TableKey> MysqlTableSource::ReadKey(MysqlServer& server, const TableFacts& table) {
  MysqlConnection& connection = server.connection();
  auto rows = connection.Query(IndexStatement(connection, table, "s.is_visible, s.expression"),
                               kIndexValues);
  if (!rows && rows.error().kind == ErrorKind::kUnsuitable) {
    rows = connection.Query(IndexStatement(connection, table, "'YES', NULL"), kIndexValues);
  }
  if (!rows) return std::unexpected(rows.error());
  std::vector<IndexColumn> parts;
  for (const ResultRow& row : *rows) parts.push_back(IndexColumnOf(row));
  return ChooseKey(parts);
}

Result<std::optional<std::set<std::string>>> MysqlTableSource::PreparedXa() {
  auto server = Server();
  if (!server) return std::unexpected(server.error());
  auto rows = (*server)->connection().Query("XA RECOVER CONVERT XID");
  if (!rows) {
    // Since 8.0 it takes XA_RECOVER_ADMIN.
    const bool is_refused =
        rows.error().kind == ErrorKind::kUnsuitable || rows.error().kind == ErrorKind::kDenied;
    if (is_refused) return std::optional<std::set<std::string>>();
    return Failed(rows.error());
  }
  std::set<std::string> names;
  for (const ResultRow& row : *rows) {
    auto name = XidOf(row);
    if (!name) return Fail(ErrorKind::kUnsuitable, "XA RECOVER shows a transaction without a name");
    names.insert(std::move(*name));
  }
  return names;
}

Result<LogEnd> MysqlTableSource::EndOfLog() {
  auto server = Server();
  if (!server) return std::unexpected(server.error());
  auto end = AskForLogEnd((*server)->connection());
  if (!end) return Failed(end.error());
  return end;
}

Result<std::optional<KeyValues>> MysqlTableSource::HighestKey(const TableToRead& table,
                                                              bool waits_for_commits) {
  auto server = Server();
  if (!server) return std::unexpected(server.error());
  MysqlConnection& connection = (*server)->connection();
  const MysqlChunkStatement statement(table, connection);
  auto rows = connection.Query(statement.HighestKey(LockWords(waits_for_commits)),
                               table.key.columns.size());
  if (!rows) return FailedToRead(rows.error(), table);
  if (rows->empty()) return std::optional<KeyValues>();
  KeyValues key;
  for (const auto& value : rows->front()) key.push_back(TextOf(value));
  return key;
}

// Takes the weights of a blank in each collation of the key that pads.
Result<void> MysqlTableSource::LearnSpaces(MysqlServer& server, const TableKey& key) {
  for (const KeyColumn& column : key.columns) {
    if (!KeyColumnOrder(column).takes_weights() || spaces_.contains(column.collation)) continue;
    MysqlConnection& connection = server.connection();
    auto weights = connection.QueryValue("SELECT " + WeightTerm(column, " ", connection));
    if (!weights) return std::unexpected(weights.error());
    spaces_.emplace(column.collation, TextOf(*weights));
  }
  return {};
}

// One for each value of each key: none where it takes none.
Result<MysqlTableSource::Weights> MysqlTableSource::AskForWeights(
    MysqlServer& server, const TableKey& key, const std::vector<KeyValues>& keys) {
  Weights weights(keys.size() * key.columns.size());
  std::string terms;
  std::vector<std::size_t> asked;  // Indexes in `weights`.
  const auto ask = [&]() -> Result<void> {
    if (asked.empty()) return {};
    auto row = server.connection().QueryRow("SELECT " + terms, asked.size());
    if (!row) return std::unexpected(row.error());
    for (std::size_t i = 0; i < asked.size(); ++i) {
      auto& answer = (*row)[i];
      if (!answer) return Fail(ErrorKind::kUndecodable, "the server tells no weights of a key");
      weights[asked[i]] = std::move(answer);
    }
    terms.clear();
    asked.clear();
    return {};
  };
  for (std::size_t column = 0; column < key.columns.size(); ++column) {
    const KeyColumnOrder order(key.columns[column]);
    if (!order.takes_weights()) continue;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string_view value = order.Trim(keys[i].at(column));
      if (!order.TakesWeights(value)) continue;
      if (!asked.empty()) terms += ", ";
      terms += WeightTerm(key.columns[column], value, server.connection());
      asked.push_back(i * key.columns.size() + column);
      if (asked.size() < kAskedWeightsMax && terms.size() < kAskedBytesMax) continue;
      if (auto answered = ask(); !answered) return std::unexpected(answered.error());
    }
  }
  if (auto answered = ask(); !answered) return std::unexpected(answered.error());
  return weights;
}

Result<std::vector<KeyPlace>> MysqlTableSource::PlacesOf(const TableKey& key,
                                                         const std::vector<KeyValues>& keys) {
  const std::vector<KeyColumnOrder> orders(key.columns.begin(), key.columns.end());
  const bool asks = std::ranges::any_of(orders, &KeyColumnOrder::takes_weights);
  Weights weights;
  if (asks) {
    auto server = Server();
    if (!server) return std::unexpected(server.error());
    if (auto learned = LearnSpaces(**server, key); !learned) return Failed(learned.error());
    auto asked = AskForWeights(**server, key, keys);
    if (!asked) return Failed(asked.error());
    weights = std::move(*asked);
  }
  std::vector<KeyPlace> places(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t column = 0; column < orders.size(); ++column) {
      const KeyColumnOrder& order = orders[column];
      if (asks && weights[i * orders.size() + column]) {
        order.AppendWeights(*weights[i * orders.size() + column],
                            spaces_.find(key.columns[column].collation)->second, places[i]);
        continue;
      }
      auto appended = order.Append(keys[i].at(column), places[i]);
      if (!appended) {
        return Fail(appended.error(), "column '{}'", key.columns[column].name);
      }
    }
  }
  return places;
}

Result<std::optional<Chunk>> MysqlTableSource::Read(const ChunkRequest& request) {
  auto server = Server();
  if (!server) return std::unexpected(server.error());
  if (auto learned = LearnSpaces(**server, request.table.key); !learned) {
    return FailedToRead(learned.error(), request.table);
  }
  MysqlConnection& connection = (*server)->connection();
  const MysqlChunkStatement statement(request.table, connection);
  ChunkBuilder builder(request, spaces_);
  auto read =
      connection.VisitRows(statement.Rows(request, LockWords(request.waits_for_commits)),
                           [&](std::span<const ColumnValue> row) { return builder.Take(row); });
  if (!read) return FailedToRead(read.error(), request.table);
  if (*read) return builder.Finish();
  // Broken off: this connection is of no more use.
  interrupter_.Clear();
  server_.reset();
  if (builder.error()) return FailedToRead(*builder.error(), request.table);
  return std::optional<Chunk>();
}

}  // namespace outboxd::binlog
