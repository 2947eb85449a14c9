#include "base/java_properties.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/utf8.h"

namespace outboxd {
namespace {

constexpr std::string_view kBlanks = " \t\f";

std::string_view WithoutLeadingBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// Takes the first line off `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos) {
    text = {};
  } else {
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return line;
}

bool EndsInEscape(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return count % 2 == 1;
}

std::optional<std::uint32_t> FourHexDigits(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : text.substr(0, 4)) {
    const std::size_t digit =
        std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (digit == std::string_view::npos) return std::nullopt;
    number = 16 * number + static_cast<std::uint32_t>(digit);
  }
  return number;
}

// Takes one character, escaped or not, off `text`.
void TakeCharacter(std::string_view& text, std::string& out) {
  if (text.front() != '\\' || text.size() == 1) {
    out += text.front();
    text.remove_prefix(1);
    return;
  }
  const char escaped = text[1];
  text.remove_prefix(2);
  const auto code_point = escaped == 'u' ? FourHexDigits(text) : std::nullopt;
  if (code_point) {
    char utf8[kUtf8Max];
    out.append(utf8, WriteUtf8(*code_point, utf8));
    text.remove_prefix(4);
    return;
  }
  constexpr std::string_view kNames = "tnrf";
  constexpr std::string_view kMeanings = "\t\n\r\f";
  const std::size_t known = kNames.find(escaped);
  out += known == std::string_view::npos ? escaped : kMeanings[known];
}

void TakeEntry(std::string_view line, JavaProperties& properties) {
  std::string key;
  while (!line.empty() && !std::string_view("=: \t\f").contains(line.front())) {
    TakeCharacter(line, key);
  }
  line = WithoutLeadingBlanks(line);
  if (!line.empty() && (line.front() == '=' || line.front() == ':')) {
    line = WithoutLeadingBlanks(line.substr(1));
  }
  std::string value;
  while (!line.empty()) TakeCharacter(line, value);
  properties.insert_or_assign(std::move(key), std::move(value));
}

}  // namespace

JavaProperties ParseJavaProperties(std::string_view text) {
  JavaProperties properties;
  while (!text.empty()) {
    std::string line(WithoutLeadingBlanks(TakeLine(text)));
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    while (EndsInEscape(line) && !text.empty()) {
      line.pop_back();
      line += WithoutLeadingBlanks(TakeLine(text));
    }
    TakeEntry(line, properties);
  }
  return properties;
}

}  // namespace outboxd
