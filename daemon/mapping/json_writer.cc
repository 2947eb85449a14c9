#include "daemon/mapping/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/base64.h"
#include "base/utf8.h"

namespace outboxd {

using binlog::ValueKind;

namespace {

constexpr unsigned char kFourBytes = 0xF0;  // The first byte of a character of four, or none.
constexpr std::uint32_t kBeyondBasicPlane = 0x10000;

}  // namespace

void AppendJsonString(std::string_view text, std::string& json) {
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < kFourBytes && c != '"' && c != '\\';
  };
  const auto escape = [&json](std::uint32_t unit) {
    fmt::format_to(std::back_inserter(json), "\\u{:04X}", unit);
  };
  json += '"';
  while (true) {
    const auto end = std::ranges::find_if_not(text, is_plain);
    json.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (text.empty()) break;
    constexpr std::string_view kShort = "\"\"\\\\\bb\ff\nn\rr\tt";
    const std::size_t found = kShort.find(text.front());
    const auto character = FirstUtf8Character(text);
    if (found != std::string_view::npos && found % 2 == 0) {
      json += '\\';
      json += kShort[found + 1];
    } else if (!character || character->code_point < kBeyondBasicPlane) {
      escape(static_cast<unsigned char>(text.front()));
    } else {
      const std::uint32_t rest = character->code_point - kBeyondBasicPlane;
      escape(0xD800 + (rest >> 10));
      escape(0xDC00 + (rest & 0x3FF));
    }
    text.remove_prefix(character ? character->bytes : 1);
  }
  json += '"';
}

void AppendJson(const OptionalValue& value, std::string& json) {
  if (!value) {
    json += "null";
  } else if (value->kind == ValueKind::kText) {
    AppendJsonString(value->text, json);
  } else if (value->kind == ValueKind::kBytes) {
    json += '"';
    AppendBase64(value->text, json);
    json += '"';
  } else {
    // The zeros that fill a number up are none of JSON.
    std::string_view text = value->text;
    while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
      text.remove_prefix(1);
    }
    json += text;
  }
}

}  // namespace outboxd
