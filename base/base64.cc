#include "base/base64.h"

#include <cstdint>

namespace outboxd {

char* WriteBase64(std::string_view bytes, char* to) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte_at = [bytes](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[i]);
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byte_at(i) << 16 | byte_at(i + 1) << 8 | byte_at(i + 2);
    *to++ = kDigits[group >> 18];
    *to++ = kDigits[group >> 12 & 63];
    *to++ = kDigits[group >> 6 & 63];
    *to++ = kDigits[group & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return to;
  const std::uint32_t group = byte_at(i) << 16 | (rest == 2 ? byte_at(i + 1) << 8 : 0);
  *to++ = kDigits[group >> 18];
  *to++ = kDigits[group >> 12 & 63];
  *to++ = rest == 2 ? kDigits[group >> 6 & 63] : '=';
  *to++ = '=';
  return to;
}

void AppendBase64(std::string_view bytes, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + Base64Size(bytes.size()));
  WriteBase64(bytes, out.data() + begin);
}

std::string Base64(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, text);
  return text;
}

}  // namespace outboxd
