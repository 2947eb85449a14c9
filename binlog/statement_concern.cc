#include "binlog/statement_concern.h"

#include <string_view>

#include "binlog/ddl.h"

namespace outboxd::binlog {
namespace {

// Written by the server itself when a session ends; a temporary table is no event table.
bool DropsTemporaryTable(std::string_view statement) {
  return statement.starts_with("DROP /*!40005 TEMPORARY */ TABLE ") ||
         statement.starts_with("DROP TEMPORARY TABLE ");
}

// A table made and filled by one statement; its rows follow as rows events.
bool StartsTransaction(std::string_view statement) {
  return statement.starts_with("CREATE TABLE ") && statement.ends_with("START TRANSACTION");
}

}  // namespace

bool MayHaveChanged(const Query& statement, const TableFilter& filter) {
  if (DropsTemporaryTable(statement.text) || StartsTransaction(statement.text)) return false;
  ChangedSchemas schemas(statement.status_variables);
  bool concerns = schemas.may_be_any();
  for (auto name = schemas.Next(); !name.empty() && !concerns; name = schemas.Next()) {
    concerns = filter.MatchesSchema(name);
  }
  return concerns;
}

bool MayConcern(const Query& ddl, const TableFilter& filter) {
  const bool has_effect =
      TableFilter::IsAboutTables(ddl.text) || EffectOf(ddl.text) != DdlEffect::kNone;
  if (!has_effect) return false;
  ChangedSchemas schemas(ddl.status_variables);
  const bool drops_schema = DropsSchema(ddl.text);
  bool concerns = schemas.may_be_any() && (drops_schema || filter.MayBeNamed(ddl.text));
  for (auto name = schemas.Next(); !name.empty() && !concerns; name = schemas.Next()) {
    concerns = drops_schema ? filter.MatchesSchema(name) : filter.MayBeNamed(name, ddl.text);
  }
  return concerns;
}

}  // namespace outboxd::binlog
