#pragma once

#include "binlog/query_event.h"
#include "binlog/table_filter.h"

namespace outboxd::binlog {

// Whether a statement that stands in the log as its text may concern the tables of a filter. In
// doubt it does: what it did to their rows is not in the log, and somebody has to be told.

// Of a change in statement format. The server lists the schemas of everything that the statement
// may have changed, by triggers and functions too; the text shows the outermost table at best.
[[nodiscard]] bool MayHaveChanged(const Query& statement, const TableFilter& filter);

// Of a statement in a group of its own, DDL and others: whether it has an effect on tables, and
// names one of these or drops a schema of theirs.
[[nodiscard]] bool MayConcern(const Query& ddl, const TableFilter& filter);

}  // namespace outboxd::binlog
