#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "binlog/mysql_server.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// What will stop a relay that runs well today: a certificate of the server that ends, a way to log
// in that the next version of MySQL does not have. At most two statements; what the server does
// not tell is left out. No findings: nothing in sight.
[[nodiscard]] std::vector<Finding> LookAhead(binlog::MysqlServer& server, std::uint64_t now_us);

// The same of what the server said: of Ssl_server_not_after, as "Nov  8 12:00:00 2036 GMT"; and of
// SHOW CREATE USER, of which nothing is repeated.
[[nodiscard]] std::vector<Finding> CheckCertificateEnd(std::string_view not_after,
                                                       std::uint64_t now_us);
[[nodiscard]] std::vector<Finding> CheckLogInMethod(std::string_view create_user,
                                                    std::string_view account);

}  // namespace outboxd
