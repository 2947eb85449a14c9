#pragma once

#include <string_view>

namespace outboxd::binlog {

// The files of a server's log have one name, and numbers that count from 1 on: binlog.000001. A
// number can have more than six digits later.

// Of two files of one log: whether `file` is older. False: they are of different logs.
[[nodiscard]] bool IsBefore(std::string_view file, std::string_view other);

// Whether its number says that there was one before it.
[[nodiscard]] bool HasFilesBefore(std::string_view file);

}  // namespace outboxd::binlog
