#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/mysql_server.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/config/config.h"
#include "tests/binlog/server/server_fixture.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {

// An event table on the server of the environment, a session there, and a relay's configuration for
// it with an empty place for its state.
class EventTableTest : public testing::Test {
 protected:
  void SetUp() override {
    const binlog::ConnectionOptions options = binlog::ServerOptions();
    auto connection = binlog::MysqlConnection::Connect(options);
    ASSERT_TRUE(connection) << connection.error().ToText();
    session_ = std::make_unique<binlog::MysqlConnection>(std::move(*connection));
    Run("DROP DATABASE IF EXISTS daemon_test");
    Run("CREATE DATABASE daemon_test");
    Run("USE daemon_test");
    Run("CREATE TABLE outbox (id VARCHAR(64) PRIMARY KEY, aggregatetype VARCHAR(64) NOT NULL,"
        " aggregateid VARCHAR(64), type VARCHAR(64), payload TEXT)");
    config_.relay.name = "shop";
    config_.relay.state_directory = config_.relay.spill_directory = directory_ / "state";
    config_.mysql.socket = options.socket;
    config_.mysql.user = options.log_in.user;
    config_.mysql.password_file = options.log_in.password.file;
    config_.outboxes.emplace_back().tables = {"daemon_test.outbox"};
    config_.sink.family = FindSinkFamily("stdout");
    config_.delivery.start.kind = StartChoice::Kind::kNow;
  }

  std::vector<binlog::ResultRow> Run(std::string_view sql) {
    auto rows = session_->Query(sql);
    EXPECT_TRUE(rows) << sql << "\n" << (rows ? "" : rows.error().ToText());
    return rows ? std::move(*rows) : std::vector<binlog::ResultRow>();
  }
  std::string Value(std::string_view sql) {
    const auto rows = Run(sql);
    return rows.empty() ? "" : rows[0].at(0).value_or("");
  }
  // An event, in a transaction of its own.
  void Insert(const std::string& id) {
    Run(fmt::format("INSERT INTO outbox VALUES ('{}', 'order', 'k', 'Created', '{{}}')", id));
  }
  // All transactions of the server, as of now.
  std::string Executed() { return OneLine(Value("SELECT @@global.gtid_executed")); }
  static std::string OneLine(std::string text) {
    std::erase(text, '\n');
    return text;
  }
  // Name and end of the file that the server writes to.
  std::pair<std::string, std::uint64_t> EndOfLog() {
    const auto rows = Run("SHOW BINARY LOG STATUS");
    if (rows.empty()) return {};
    return {rows[0].at(0).value_or(""), std::stoull(rows[0].at(1).value_or("0"))};
  }
  // An account of its own, without any privilege; the relay uses it from now on.
  void UseNewAccount() {
    std::string password = Password();
    Run("DROP USER IF EXISTS relay@localhost");
    Run(fmt::format("CREATE USER relay@localhost IDENTIFIED BY '{}'", password));
    config_.mysql.user = "relay";
  }
  bool HasCheckpoint() const { return std::filesystem::exists(directory_ / "state/checkpoint"); }
  // The one that has to be there.
  Checkpoint Stored() const {
    auto stored = CheckpointFile(config_.relay.state_directory, "shop").Load();
    EXPECT_TRUE(stored) << (stored ? "" : stored.error().ToText());
    EXPECT_TRUE(!stored || *stored) << "there is no checkpoint";
    return stored && *stored ? std::move(**stored) : Checkpoint();
  }
  std::string StoredGtids() const { return Stored().position.gtids.ToText(); }

  TemporaryDirectory directory_;
  Config config_;
  std::unique_ptr<binlog::MysqlConnection> session_;

 private:
  std::string Password() const {
    std::ifstream file(config_.mysql.password_file);
    std::string password;
    std::getline(file, password);
    return password;
  }
};

}  // namespace outboxd
