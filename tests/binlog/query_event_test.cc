#include "binlog/query_event.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(QueryEventTest, GivesTheXidAsItIsWritten) {
  for (const std::string verb : {"START", "END", "COMMIT", "ROLLBACK"}) {
    const auto body = QueryBody("XA " + verb + " X'6100',X'62',7");
    EXPECT_EQ(ParseQuery(body.bytes())->xid, "X'6100',X'62',7") << verb;
  }
  const auto other = QueryBody("XA RECOVER");
  EXPECT_TRUE(ParseQuery(other.bytes())->xid.empty());
}

TEST(QueryEventTest, TakesTextOfAnyCharacterSetAsItStands) {
  const std::string_view text("INSERT \xE9 \x81\\ \0 /* BEGIN */", 25);
  const auto body = QueryBody(text);
  const auto query = ParseQuery(body.bytes());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->text, text);
  EXPECT_EQ(query->kind, QueryKind::kOther);
}

TEST(QueryEventTest, AStatementThatOnlyBeginsLikeABoundaryIsNone) {
  for (const char* text :
       {"BEGINNING", "COMMIT WORK", "ROLLBACK WORK", "/* c */ BEGIN", "XA", ""}) {
    EXPECT_EQ(KindOf(text), QueryKind::kOther) << text;
  }
}

EventBytes LoadBody(std::string_view text, std::string_view status) {
  EventBytes body;
  body.Little(9, 4).Little(0, 4).Little(4, 1).Little(0, 2).Little(status.size(), 2);
  body.Little(1, 4).Little(10, 4).Little(20, 4).Little(0, 1);
  return body.Text(status).Text("shop").Little(0, 1).Text(text);
}

TEST(QueryEventTest, ReadsTheStatementOfAnExecuteLoadQuery) {
  const auto body = LoadBody("LOAD DATA INFILE 'x'", std::string_view("\x0C\1shop\0", 7));
  const auto query = ParseExecuteLoadQuery(body.bytes());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->kind, QueryKind::kOther);
  EXPECT_EQ(query->text, "LOAD DATA INFILE 'x'");
  EXPECT_EQ(ChangedSchemas(query->status_variables).Next(), "shop");
}

TEST(QueryEventTest, RejectsAnExecuteLoadQueryThatEndsBeforeItsText) {
  const auto body = LoadBody("", "");
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseExecuteLoadQuery(Bytes(body.bytes()).first(size))) << size;
  }
}

TEST(QueryEventTest, RejectsAnEventThatEndsBeforeItsText) {
  const auto body = QueryBody("");
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseQuery(Bytes(body.bytes()).first(size))) << size;
  }
}

// The schemas that a statement with these status variables may have changed; "any" where the server
// does not tell.
std::vector<std::string> SchemasOf(std::string_view status) {
  ChangedSchemas schemas(
      Bytes(reinterpret_cast<const std::uint8_t*>(status.data()), status.size()));
  std::vector<std::string> names;
  for (auto name = schemas.Next(); !name.empty(); name = schemas.Next()) names.emplace_back(name);
  if (schemas.may_be_any()) names.emplace_back("any");
  return names;
}

using Names = std::vector<std::string>;

TEST(ChangedSchemasTest, NamesThemAll) {
  EXPECT_EQ(SchemasOf({"\x0C\1shop\0", 7}), Names({"shop"}));
  EXPECT_EQ(SchemasOf({"\x0C\3a\0bb\0ccc\0", 11}), Names({"a", "bb", "ccc"}));
}

TEST(ChangedSchemasTest, TooManyToNameMayBeAny) {
  EXPECT_EQ(SchemasOf("\x0C\xFE"), Names({"any"}));
}

TEST(ChangedSchemasTest, NotToldMayBeAny) {
  EXPECT_EQ(SchemasOf(""), Names({"any"}));
  EXPECT_EQ(SchemasOf({"\0\1\2\3\4", 5}), Names({"any"}));
  EXPECT_EQ(SchemasOf({"\xF0\1\x0C\1shop\0", 9}), Names({"any"})) << "behind an unknown code";
  EXPECT_EQ(SchemasOf("\x0C"), Names({"any"})) << "cut off";
}

// 9.7 writes code 21, which means another thing to Percona, and 128 is one of theirs.
TEST(ChangedSchemasTest, CodesBehindThemDoNotMatter) {
  EXPECT_EQ(SchemasOf({"\x0C\1shop\0\x15\1\x80\1", 11}), Names({"shop"}));
}

TEST(ChangedSchemasTest, StandBehindEveryOtherVariable) {
  const std::string every(
      "\0\1\2\3\4"                // Flags.
      "\1\1\2\3\4\5\6\7\x08"      // SQL mode.
      "\2\3std\0"                 // Catalog with zero.
      "\6\3std"                   // Catalog.
      "\3\1\0\1\0"                // Auto-increment.
      "\4\x21\0\x21\0\x08\0"      // Character set.
      "\5\6SYSTEM"                // Time zone.
      "\7\1\0"                    // Locale.
      "\x08\xFF\0"                // The schema's character set.
      "\x09\1\2\3\4\5\6\7\x08"    // Tables of a multi-table update.
      "\x0A\1\2\3\4"              // Of servers before 5.7.
      "\x0B\4root\x09localhost",  // Invoker.
      5 + 9 + 6 + 5 + 5 + 7 + 8 + 3 + 3 + 9 + 5 + 16);
  EXPECT_EQ(SchemasOf(every + std::string("\x0C\1shop\0", 7)), Names({"shop"}));
  for (std::size_t size = 0; size < every.size(); ++size) {
    EXPECT_EQ(SchemasOf(every.substr(0, size)), Names({"any"})) << size;
  }
}

TEST(ChangedSchemasTest, AListThatIsCutOffMayBeAny) {
  EXPECT_EQ(SchemasOf({"\x0C\3a\0b", 5}), Names({"any"}));
  EXPECT_EQ(SchemasOf({"\x0C\3a\0", 4}), Names({"any"}));
  EXPECT_EQ(SchemasOf({"\x0C\2\0other\0", 9}), Names({"any"})) << "the server could not tell one";
}

}  // namespace
}  // namespace outboxd::binlog
