#include "daemon/relay/event_position.h"

#include <array>
#include <charconv>

namespace outboxd {

void EventPosition::Begin(const binlog::Transaction& transaction) {
  text_ = transaction.gtid ? ToText(*transaction.gtid)
                           : fmt::format("{}:{}", transaction.file, transaction.begin_offset);
  text_ += ':';
  prefix_bytes_ = text_.size();
  row_ = 0;
}

std::string_view EventPosition::NextRow() {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ++row_).ptr;
  text_.resize(prefix_bytes_);
  text_.append(digits.data(), end);
  return text_;
}

std::string_view EventPosition::TableRow(std::string_view schema, std::string_view table,
                                         std::string_view key) {
  text_ = fmt::format("table:{}.{}:{}", schema, table, key);
  return text_;
}

}  // namespace outboxd
