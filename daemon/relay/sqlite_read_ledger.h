#pragma once

#include <memory>
#include <string>

#include "daemon/relay/read_ledger.h"

struct sqlite3;       // From <sqlite3.h>, which stays in the .cc file.
struct sqlite3_stmt;  // The same.

namespace outboxd {

// In memory up to a bound, then in an unlinked file.
class SqliteReadLedger final : public ReadLedger {
 public:
  // `directory`: of the file; empty: all is kept in memory. Nothing is opened before something is
  // entered.
  explicit SqliteReadLedger(std::string directory);
  ~SqliteReadLedger() override;
  SqliteReadLedger(const SqliteReadLedger&) = delete;
  SqliteReadLedger& operator=(const SqliteReadLedger&) = delete;

  [[nodiscard]] binlog::Result<void> Clear() override;
  [[nodiscard]] bool has_failed() const override { return has_failed_; }
  [[nodiscard]] binlog::Result<void> AddArrival(std::size_t table, std::string_view place) override;
  [[nodiscard]] binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                               std::string_view image) override;
  [[nodiscard]] binlog::Result<bool> LeavesOut(std::size_t table, std::string_view place) override;
  [[nodiscard]] binlog::Result<void> ForgetUpTo(std::size_t table, std::string_view place) override;
  [[nodiscard]] binlog::Result<void> ForgetTable(std::size_t table) override;
  [[nodiscard]] binlog::Result<void> BeginImages(std::size_t table,
                                                 const std::optional<std::string>& after,
                                                 const std::optional<std::string>& up_to) override;
  [[nodiscard]] binlog::Result<std::optional<Image>> NextImage() override;
  void EndImages() override;

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
