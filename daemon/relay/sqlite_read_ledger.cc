#include "daemon/relay/sqlite_read_ledger.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>

namespace outboxd {
namespace {

// What of it is in memory; negative: in KiB.
constexpr const char* kSettings =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
    " PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;";
// A transaction that never ends: pages go to the file only where they find no room in memory.
constexpr const char* kSchema =
    "BEGIN; CREATE TABLE places (in_table INTEGER, place BLOB, has_arrived INTEGER, image BLOB,"
    " PRIMARY KEY (in_table, place)) WITHOUT ROWID;";

constexpr const char* kAddArrival =
    "INSERT INTO places VALUES (?1, ?2, 1, NULL)"
    " ON CONFLICT DO UPDATE SET has_arrived = 1";
constexpr const char* kKeepImage =
    "INSERT INTO places VALUES (?1, ?2, 0, ?3) ON CONFLICT DO NOTHING";
constexpr const char* kLeavesOut = "SELECT 1 FROM places WHERE in_table = ?1 AND place = ?2";
constexpr const char* kForgetUpTo = "DELETE FROM places WHERE in_table = ?1 AND place <= ?2";
constexpr const char* kForgetTable = "DELETE FROM places WHERE in_table = ?1";
// A number sorts before any bytes, so that it stands for no bound below.
constexpr const char* kImages =
    "SELECT place, image FROM places WHERE in_table = ?1 AND place > ?2 AND"
    " (?3 IS NULL OR place <= ?3) AND image IS NOT NULL ORDER BY place";

void Bind(sqlite3_stmt* statement, int index, std::string_view bytes) {
  // A null pointer would be NULL, not no bytes.
  sqlite3_bind_blob64(statement, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
}

std::string_view BytesOf(sqlite3_stmt* statement, int column) {
  const void* bytes = sqlite3_column_blob(statement, column);
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

}  // namespace

void SqliteReadLedger::DatabaseCloser::operator()(sqlite3* database) const {
  sqlite3_close(database);
}
void SqliteReadLedger::StatementCloser::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteReadLedger::SqliteReadLedger(std::string directory) : directory_(std::move(directory)) {}
SqliteReadLedger::~SqliteReadLedger() = default;

std::unexpected<binlog::Error> SqliteReadLedger::Failure() {
  has_failed_ = true;
  return Fail(binlog::ErrorKind::kSpill, "what the initial read keeps in {}: {}",
              directory_.empty() ? "memory" : directory_,
              database_ ? sqlite3_errmsg(database_.get()) : "it cannot be opened");
}

binlog::Result<void> SqliteReadLedger::Clear() {
  CloseDatabase();
  has_failed_ = false;
  return {};
}

void SqliteReadLedger::CloseDatabase() {
  for (Statement* statement :
       {&add_arrival_, &keep_image_, &leaves_out_, &forget_up_to_, &forget_table_, &images_}) {
    statement->reset();
  }
  database_.reset();
}

binlog::Result<void> SqliteReadLedger::Open() {
  if (database_) return {};
  std::string path = ":memory:";
  if (!directory_.empty()) {
    path = directory_ + "/initial-read-XXXXXX";
    const int descriptor = ::mkstemp(path.data());
    if (descriptor < 0) return Failure();
    ::close(descriptor);
  }
  sqlite3* opened = nullptr;
  const int outcome =
      sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  database_.reset(opened);
  binlog::Result<void> ready = {};
  if (outcome != SQLITE_OK) ready = Failure();
  if (ready) ready = Execute(kSettings);
  if (ready) ready = Execute(kSchema);
  // Opened by now; it vanishes with the process.
  if (!directory_.empty()) ::unlink(path.c_str());
  const std::pair<Statement*, const char*> statements[] = {
      {&add_arrival_, kAddArrival},  {&keep_image_, kKeepImage},     {&leaves_out_, kLeavesOut},
      {&forget_up_to_, kForgetUpTo}, {&forget_table_, kForgetTable}, {&images_, kImages}};
  for (const auto& [statement, sql] : statements) {
    if (!ready) break;
    auto prepared = Prepare(sql);
    if (prepared) {
      *statement = std::move(*prepared);
    } else {
      ready = std::unexpected(prepared.error());
    }
  }
  if (!ready) CloseDatabase();
  return ready;
}

binlog::Result<void> SqliteReadLedger::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Failure();
}

binlog::Result<SqliteReadLedger::Statement> SqliteReadLedger::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    return Failure();
  }
  return Statement(statement);
}

binlog::Result<void> SqliteReadLedger::Run(sqlite3_stmt* statement) {
  const bool is_done = sqlite3_step(statement) == SQLITE_DONE;
  binlog::Result<void> outcome = {};
  if (!is_done) outcome = Failure();
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return outcome;
}

binlog::Result<void> SqliteReadLedger::AddArrival(std::size_t table, std::string_view place) {
  if (auto opened = Open(); !opened) return opened;
  sqlite3_bind_int64(add_arrival_.get(), 1, static_cast<sqlite3_int64>(table));
  Bind(add_arrival_.get(), 2, place);
  return Run(add_arrival_.get());
}

binlog::Result<void> SqliteReadLedger::KeepImage(std::size_t table, std::string_view place,
                                                 std::string_view image) {
  if (auto opened = Open(); !opened) return opened;
  sqlite3_bind_int64(keep_image_.get(), 1, static_cast<sqlite3_int64>(table));
  Bind(keep_image_.get(), 2, place);
  Bind(keep_image_.get(), 3, image);
  return Run(keep_image_.get());
}

binlog::Result<bool> SqliteReadLedger::LeavesOut(std::size_t table, std::string_view place) {
  if (!database_) return false;
  sqlite3_stmt* const statement = leaves_out_.get();
  sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(table));
  Bind(statement, 2, place);
  const int outcome = sqlite3_step(statement);
  binlog::Result<bool> found = outcome == SQLITE_ROW;
  if (outcome != SQLITE_ROW && outcome != SQLITE_DONE) found = Failure();
  sqlite3_reset(statement);
  return found;
}

binlog::Result<void> SqliteReadLedger::ForgetUpTo(std::size_t table, std::string_view place) {
  if (!database_) return {};
  sqlite3_bind_int64(forget_up_to_.get(), 1, static_cast<sqlite3_int64>(table));
  Bind(forget_up_to_.get(), 2, place);
  return Run(forget_up_to_.get());
}

binlog::Result<void> SqliteReadLedger::ForgetTable(std::size_t table) {
  if (!database_) return {};
  sqlite3_bind_int64(forget_table_.get(), 1, static_cast<sqlite3_int64>(table));
  return Run(forget_table_.get());
}

binlog::Result<void> SqliteReadLedger::BeginImages(std::size_t table,
                                                   const std::optional<std::string>& after,
                                                   const std::optional<std::string>& up_to) {
  EndImages();
  if (!database_) return {};
  sqlite3_stmt* const statement = images_.get();
  sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(table));
  if (after) {
    sqlite3_bind_blob64(statement, 2, after->data(), after->size(), SQLITE_TRANSIENT);
  } else {
    sqlite3_bind_int64(statement, 2, 0);
  }
  if (up_to) sqlite3_bind_blob64(statement, 3, up_to->data(), up_to->size(), SQLITE_TRANSIENT);
  return {};
}

binlog::Result<std::optional<ReadLedger::Image>> SqliteReadLedger::NextImage() {
  if (!database_) return std::nullopt;
  const int outcome = sqlite3_step(images_.get());
  if (outcome == SQLITE_ROW) return Image{BytesOf(images_.get(), 0), BytesOf(images_.get(), 1)};
  EndImages();
  if (outcome != SQLITE_DONE) return Failure();
  return std::nullopt;
}

void SqliteReadLedger::EndImages() {
  if (!images_) return;
  sqlite3_reset(images_.get());
  sqlite3_clear_bindings(images_.get());
}

}  // namespace outboxd
