#include "binlog/gtid.h"

#include <algorithm>

namespace outboxd::binlog {
namespace {

// Bytes of a UUID before which its text has a dash.
constexpr bool HasDashBefore(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

constexpr std::size_t kUuidTextLength = 36;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsTagStart(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

}  // namespace

std::string ToText(const Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kUuidTextLength, '-');
  char* at = text.data();
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (HasDashBefore(i)) ++at;
    *at++ = kDigits[uuid[i] >> 4];
    *at++ = kDigits[uuid[i] & 0x0F];
  }
  return text;
}

Result<Uuid> ParseUuid(std::string_view text) {
  const auto malformed = [text] {
    return Fail(ErrorKind::kUnsuitable, "'{}' is not a UUID", text.substr(0, 2 * kUuidTextLength));
  };
  if (text.size() != kUuidTextLength) return malformed();
  Uuid uuid{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (HasDashBefore(i) && text[at++] != '-') return malformed();
    const int high = HexDigit(text[at++]);
    const int low = HexDigit(text[at++]);
    if (high < 0 || low < 0) return malformed();
    uuid[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return uuid;
}

bool IsGtidTag(std::string_view tag) {
  if (tag.empty() || tag.size() > kGtidTagLengthMax || !IsTagStart(tag.front())) return false;
  return std::ranges::all_of(tag, [](char c) { return IsTagStart(c) || (c >= '0' && c <= '9'); });
}

std::string ToText(const Gtid& gtid) {
  if (gtid.origin.tag.empty()) return fmt::format("{}:{}", ToText(gtid.origin.uuid), gtid.number);
  return fmt::format("{}:{}:{}", ToText(gtid.origin.uuid), gtid.origin.tag, gtid.number);
}

}  // namespace outboxd::binlog
