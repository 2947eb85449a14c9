// Reads a real server's binary log of transactions of every kind, in the order of the sessions of
// fixtures/generate_transactions.py.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "tests/binlog/fixture_log.h"

namespace outboxd::binlog {
namespace {

const std::vector<std::string> kExpected = {
    "1,2",
    "3,4",
    "",
    "5,6",
    "7",
    " statement:INSERT INTO notes VALUES (1)",
    " statement:INSERT INTO notes VALUES (2)",
    "3",
    // XA.
    "20",
    " held",
    " held",
    " prepared",
    "23",
    " rolled back",
    " committed",
    "21 committed",
    // Compressed.
    "30,31",
    " held",
    "32 committed",
    // Statements.
    " statement:INSERT INTO outbox (id) VALUES (40)",
    " statement:INSERT INTO app.orders VALUES (41)",
    " statement:SELECT `shop`.`publish`(42)",
    "",
    // Not inserts.
    " updates:1",
    " deletes:1",
    " updates:1",
    " updates:1",
    " ddl:ALTER TABLE outbox ADD j JSON",
    "50",
    " updates:1",
    "60,61,62,63",
    // A table made and filled by one statement, then DDL.
    "2,3,4,5,6,7,20,21,23,30,31,32,40,41,42,50",
    "",
    " ddl:TRUNCATE TABLE outbox",
    " ddl:RENAME TABLE outbox TO app.was_outbox",
};

class ServerTransactionsTest : public testing::Test {
 protected:
  // Ids of the rows, then what else there is to tell.
  std::string Tell() {
    const Transaction& transaction = reader_.transaction();
    std::string text;
    rows_.Begin(reader_.rows());
    auto row = rows_.Next();
    for (; row && *row != nullptr; row = rows_.Next()) {
      text += text.empty() ? "" : ",";
      text += (*row)->values[0].value_or("NULL");
    }
    EXPECT_TRUE(row) << row.error().message;
    static constexpr const char* kSteps[] = {"", " held", " prepared", " committed",
                                             " rolled back"};
    text += kSteps[static_cast<std::size_t>(transaction.xa)];
    if (transaction.xa_is_unknown) text += " unknown";
    if (transaction.updates > 0) text += fmt::format(" updates:{}", transaction.updates);
    if (transaction.deletes > 0) text += fmt::format(" deletes:{}", transaction.deletes);
    if (transaction.statements > 0) text += " statement:" + transaction.statement;
    if (!transaction.ddl.empty()) text += " ddl:" + transaction.ddl;
    return text;
  }
  // All transactions of the log.
  std::vector<std::string> Read(const std::string& log) {
    reader_.Reset({.server_uuid = {}, .by_gtid = false, .has_checksums = false}, {});
    std::vector<std::string> told;
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(log.data()), log.size());
    for (std::size_t at = 4; at < bytes.size();) {
      const auto size = static_cast<std::size_t>(LoadLittle<4>(&bytes[at + 9]));
      const auto outcome = reader_.Feed(bytes.subspan(at, size));
      EXPECT_TRUE(outcome) << outcome.error().message;
      if (!outcome) break;
      at += size;
      if (*outcome != TransactionReader::Outcome::kTransaction) continue;
      EXPECT_EQ(reader_.transaction().end_offset, at);
      told.push_back(Tell());
    }
    return told;
  }

  const TableFilter filter_{{{.schema_pattern = "shop",
                              .table_pattern = "*",
                              .columns = {"id"},
                              .declared_columns = {}}}};
  const CharacterSets character_sets_;
  TransactionReader reader_{filter_, {.spill_directory = testing::TempDir()}};
  RowReader rows_{filter_, character_sets_};
};

TEST_F(ServerTransactionsTest, AreWhatTheSessionsDid) {
  EXPECT_EQ(Read(ReadFixture("transactions.binlog.gz")), kExpected);
}

}  // namespace
}  // namespace outboxd::binlog
