#pragma once

#include <optional>

#include "binlog/mysql_server.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// The error of a relay that has neither checkpoint nor choice; it lists the choices.
[[nodiscard]] Error NoStartError();

// Whether the relay begins by publishing the rows that are in the event tables.
[[nodiscard]] bool BeginsWithTables(const StartChoice& start,
                                    const std::optional<Checkpoint>& checkpoint);

// Where a relay without checkpoint begins, as `delivery.start` (or `position set`) says. kNoStart:
// nothing was chosen.
[[nodiscard]] Result<Progress> ResolveStart(const StartChoice& start,
                                            const binlog::ServerFacts& facts,
                                            binlog::MysqlServer& server);

}  // namespace outboxd
