#pragma once

#include <cstddef>

#include "tests/sim/faults.h"
#include "tests/sim/row_change_draw.h"

namespace outboxd::sim {

// The origin of GTIDs that come from elsewhere.
inline constexpr const char* kForeignServerUuid = "33333333-3333-3333-3333-333333333333";
inline constexpr std::size_t kLargeEventBytes = 400;

// What may happen in the seeds of one family. Each seed takes a part of it.
struct Scenario {
  FaultRates rates = {};
  bool reads_by_gtid = true, reads_by_file = true;
  bool switches_to_gtid = false;  // gtid_mode goes to ON on the way.
  bool fails_over = false;        // Some seeds lose transactions, in some the new server lags.
  bool purges = false;            // What the durable checkpoint has passed.
  bool purges_unread = false;     // And what it has not.
  bool has_xa = false;
  bool hides_prepared_xa = false;  // The account may not ask XA RECOVER.
  bool has_torn_files = false;
  bool is_compressed = false;
  bool has_statements = false;
  bool has_large_events = false;
  bool has_bad_events = false;
  bool has_dead_letters = false;  // In some seeds bad events become dead letters.
  bool stops = false;
  bool renews_producer = false;  // Now and then a new one is asked for.
  bool repeats_nothing = false;  // Nor is anything repeated, for nothing is that would be a reason.
  bool spills = false;
  bool keeps_checkpoints = false;  // The sink does, and nothing may come twice.
  bool reads_tables = false;       // The relay begins with a read of the event table.
  // What happens to rows of the event table, besides inserts.
  RowChangeDraw::Kinds row_changes = {};
  bool has_table_ddl = false;       // TRUNCATE and ALTER of the event table.
  bool has_partial_images = false;  // In some transactions.

  // Whether rows of the event table have keys, and are committed in stages.
  [[nodiscard]] bool has_keys() const {
    return reads_tables || has_table_ddl || row_changes != RowChangeDraw::Kinds{};
  }

  bool checks_lag = true;  // Those that look for another fault do not.
  std::size_t transactions_max = 12;
};

}  // namespace outboxd::sim
