#pragma once

#include "binlog/mysql_server.h"
#include "daemon/config.h"
#include "daemon/delivery_tracker.h"
#include "daemon/error.h"

namespace outboxd {

// Where a relay without checkpoint begins, as `delivery.start` (or `position set`) says. kNoStart:
// nothing was chosen; the message lists the choices.
[[nodiscard]] Result<Progress> ResolveStart(const StartChoice& start,
                                            const binlog::ServerFacts& facts,
                                            binlog::MysqlServer& server);

}  // namespace outboxd
