#include "binlog/log_file_name.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace outboxd::binlog {

bool IsBefore(std::string_view file, std::string_view other) {
  if (file.substr(0, file.rfind('.')) != other.substr(0, other.rfind('.'))) return false;
  return std::pair(file.size(), file) < std::pair(other.size(), other);
}

bool HasFilesBefore(std::string_view file) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::uint64_t number = 0;
  const char* const end = file.data() + file.size();
  const auto parsed = std::from_chars(file.data() + dot + 1, end, number);
  return parsed.ec == std::errc() && parsed.ptr == end && number > 1;
}

}  // namespace outboxd::binlog
