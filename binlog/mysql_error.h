#pragma once

#include <string_view>

#include "binlog/error.h"

namespace outboxd::binlog {

// What an error of MySQL's client library or of the server means here. `code` and `text`: as the
// library tells them, mysql_errno() and mysql_error().
[[nodiscard]] Error MakeMysqlError(unsigned code, std::string_view text);

}  // namespace outboxd::binlog
