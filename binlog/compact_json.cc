#include "binlog/compact_json.h"

#include <cstddef>

namespace outboxd::binlog {

std::string CompactJson(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      compact += c;
      compact += text[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || c != ' ') compact += c;
  }
  return compact;
}

}  // namespace outboxd::binlog
