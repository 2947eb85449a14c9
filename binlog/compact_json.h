#pragma once

#include <string>
#include <string_view>

namespace outboxd::binlog {

// MySQL's own text of a document without the blanks that it has behind ',' and ':'.
[[nodiscard]] std::string CompactJson(std::string_view text);

}  // namespace outboxd::binlog
