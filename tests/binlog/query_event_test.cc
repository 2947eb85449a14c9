#include "binlog/query_event.h"

#include <gtest/gtest.h>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

EventBytes QueryBody(std::string_view text, std::string_view status = "") {
  EventBytes body;
  body.Little(9, 4).Little(0, 4).Little(4, 1).Little(0, 2).Little(status.size(), 2);
  body.Text(status).Text("shop").Little(0, 1).Text(text);
  return body;
}

QueryKind KindOf(std::string_view text) {
  const auto body = QueryBody(text);
  const auto query = ParseQuery(body.bytes());
  return query ? query->kind : QueryKind::kOther;
}

TEST(QueryEventTest, KnowsTheStatementsThatBoundTransactions) {
  EXPECT_EQ(KindOf("BEGIN"), QueryKind::kBegin);
  EXPECT_EQ(KindOf("COMMIT"), QueryKind::kCommit);
  EXPECT_EQ(KindOf("ROLLBACK"), QueryKind::kRollback);
  EXPECT_EQ(KindOf("XA START X'61',X'',1"), QueryKind::kXaStart);
  EXPECT_EQ(KindOf("XA END X'61',X'',1"), QueryKind::kXaEnd);
  EXPECT_EQ(KindOf("XA COMMIT X'61',X'',1"), QueryKind::kXaCommit);
  EXPECT_EQ(KindOf("XA ROLLBACK X'61',X'',1"), QueryKind::kXaRollback);
  EXPECT_EQ(KindOf("CREATE TABLE t (id INT)"), QueryKind::kOther);
}

TEST(QueryEventTest, NamesTheSavepoint) {
  const auto set = QueryBody("SAVEPOINT `a b`");
  EXPECT_EQ(ParseQuery(set.bytes())->savepoint, "`a b`");
  const auto back = QueryBody("ROLLBACK TO `a b`");
  EXPECT_EQ(ParseQuery(back.bytes())->kind, QueryKind::kRollbackToSavepoint);
  EXPECT_EQ(ParseQuery(back.bytes())->savepoint, "`a b`");
}

TEST(QueryEventTest, SkipsStatusVariablesItDoesNotKnow) {
  const auto body = QueryBody("BEGIN", std::string_view("\xF0\x00\x01\x02", 4));
  EXPECT_EQ(ParseQuery(body.bytes())->kind, QueryKind::kBegin);
}

TEST(QueryEventTest, RejectsAnEventThatEndsBeforeItsText) {
  const auto body = QueryBody("");
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseQuery(Bytes(body.bytes()).first(size))) << size;
  }
}

}  // namespace
}  // namespace outboxd::binlog
