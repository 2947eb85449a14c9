#pragma once

#include <string_view>

#include "binlog/error.h"

namespace outboxd::binlog {

// What an error of MySQL's client library or of the server (binlog/server_errors.h) means here.
// `code` and `text`: as the library tells them, mysql_errno() and mysql_error(). kUnknown: a number
// of a server that is not known; the client library's are losses of the connection unless known
// otherwise.
[[nodiscard]] Error MakeMysqlError(unsigned code, std::string_view text);

}  // namespace outboxd::binlog
