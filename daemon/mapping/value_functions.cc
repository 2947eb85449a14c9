#include "daemon/mapping/value_functions.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ranges>

#include "base/base64.h"
#include "base/hex.h"
#include "base/java_properties.h"
#include "base/utf8.h"
#include "binlog/any_case.h"
#include "daemon/mapping/json_expansion.h"
#include "daemon/mapping/json_reader.h"
#include "daemon/mapping/json_writer.h"

namespace outboxd {
namespace {

using binlog::ValueKind;

constexpr std::size_t kUuidBytes = 16;

Result<ValueKind> AppendUuid(std::string_view low, std::string_view mid, std::string_view high,
                             std::string_view rest, std::string& text) {
  for (const std::string_view part : {low, mid, high, rest.substr(0, 2)}) {
    AppendHex(part, text);
    text += '-';
  }
  AppendHex(rest.substr(2), text);
  return ValueKind::kText;
}

Result<std::string_view> UuidBytes(const MappedValue& value) {
  if (value.text.size() == kUuidBytes) return value.text;
  return Fail(ExitCode::kUndecodable, "a UUID has 16 bytes, this has {}", value.text.size());
}

// MySQL's BIN_TO_UUID(x).
Result<ValueKind> Uuid(const MappedValue& value, std::string& text) {
  const auto bytes = UuidBytes(value);
  if (!bytes) return std::unexpected(bytes.error());
  return AppendUuid(bytes->substr(0, 4), bytes->substr(4, 2), bytes->substr(6, 2), bytes->substr(8),
                    text);
}

// MySQL's BIN_TO_UUID(x, 1).
Result<ValueKind> UuidSwapped(const MappedValue& value, std::string& text) {
  const auto bytes = UuidBytes(value);
  if (!bytes) return std::unexpected(bytes.error());
  return AppendUuid(bytes->substr(4, 4), bytes->substr(2, 2), bytes->substr(0, 2), bytes->substr(8),
                    text);
}

Result<ValueKind> ToBase64(const MappedValue& value, std::string& text) {
  AppendBase64(value.text, text);
  return ValueKind::kText;
}

// With line breaks and blanks, as MySQL's FROM_BASE64().
Result<ValueKind> Unbase64(const MappedValue& value, std::string& text) {
  struct Context {
    EVP_ENCODE_CTX* decoder = EVP_ENCODE_CTX_new();
    ~Context() { EVP_ENCODE_CTX_free(decoder); }
  } context;
  EVP_DecodeInit(context.decoder);
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.text.data());
  text.resize(value.text.size() + 3);
  auto* out = reinterpret_cast<unsigned char*>(text.data());
  int size = 0;
  int last = 0;
  const bool is_right = EVP_DecodeUpdate(context.decoder, out, &size, bytes,
                                         static_cast<int>(value.text.size())) >= 0 &&
                        EVP_DecodeFinal(context.decoder, out + size, &last) == 1;
  if (!is_right) return Fail(ExitCode::kUndecodable, "is not Base64");
  text.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return ValueKind::kBytes;
}

Result<ValueKind> Hex(const MappedValue& value, std::string& text) {
  AppendHex(value.text, text, kUpperHexDigits);
  return ValueKind::kText;
}

Result<ValueKind> Lower(const MappedValue& value, std::string& text) {
  std::ranges::transform(value.text, std::back_inserter(text), binlog::LowerCase);
  return ValueKind::kText;
}

Result<ValueKind> Upper(const MappedValue& value, std::string& text) {
  std::ranges::transform(value.text, std::back_inserter(text), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return ValueKind::kText;
}

Result<ValueKind> Json(const MappedValue& value, std::string& text) {
  if (auto checked = CheckJson(value.text); !checked) return std::unexpected(checked.error());
  text += value.text;
  return ValueKind::kJson;
}

Result<ValueKind> String(const MappedValue& value, std::string& text) {
  if (value.kind == ValueKind::kBytes && !IsUtf8(value.text)) {
    return Fail(ExitCode::kUndecodable, "is not UTF-8");
  }
  text += value.text;
  return ValueKind::kText;
}

// The JSON of a value that is no JSON to its producer: numbers as they are, all else as a string.
Result<ValueKind> Quote(const MappedValue& value, std::string& text) {
  const bool is_json = value.kind == ValueKind::kJson;
  AppendJson(MappedValue{value.text, is_json ? ValueKind::kText : value.kind}, text);
  return ValueKind::kText;
}

// Debezium expands text only.
template <JsonExpansionRule kRule>
Result<ValueKind> Expand(const MappedValue& value, std::string& text) {
  if (value.kind == ValueKind::kNumber || value.kind == ValueKind::kBytes) {
    AppendJson(value, text);
  } else {
    thread_local JsonExpander expander;  // What it keeps serves the next row.
    expander.Append(value.text, kRule, text);
  }
  return ValueKind::kJson;
}

// A DATETIME or TIMESTAMP as RFC 3339 words it, in UTC.
Result<ValueKind> Iso8601(const MappedValue& value, std::string& text) {
  constexpr std::size_t kDateBytes = 10, kTimeBytes = 19;
  const bool is_time = value.text.size() >= kTimeBytes && value.text[kDateBytes] == ' ';
  if (!is_time) return Fail(ExitCode::kUndecodable, "is no date with time");
  text += value.text.substr(0, kDateBytes);
  text += 'T';
  text += value.text.substr(kDateBytes + 1);
  text += 'Z';
  return ValueKind::kText;
}

// The text of a Java .properties file as a JSON object of texts.
Result<ValueKind> OfProperties(const MappedValue& value, std::string& text) {
  text += '{';
  std::string_view comma;
  for (const auto& [name, entry] : ParseJavaProperties(value.text)) {
    text += comma;
    AppendJsonString(name, text);
    text += ':';
    AppendJsonString(entry, text);
    comma = ",";
  }
  text += '}';
  return ValueKind::kJson;
}

constexpr auto kFunctions = std::to_array<ValueFunction>({
    {"uuid", Uuid},
    {"uuid-swapped", UuidSwapped},
    {"base64", ToBase64},
    {"unbase64", Unbase64},
    {"hex", Hex},
    {"lower", Lower},
    {"upper", Upper},
    {"json", Json},
    {"string", String},
    {"quote", Quote, true},
    {"expand", Expand<JsonExpansionRule{}>, true},
    {"expand-nulls", Expand<JsonExpansionRule{.keeps_nulls = true}>, true},
    {"expand-arrays", Expand<JsonExpansionRule{.keeps_empty_arrays = true}>, true},
    {"expand-all", Expand<JsonExpansionRule{.keeps_nulls = true, .keeps_empty_arrays = true}>,
     true},
    {"iso8601", Iso8601},
    {"properties", OfProperties},
});

}  // namespace

const ValueFunction* FindValueFunction(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &ValueFunction::name);
  return found == kFunctions.end() ? nullptr : found;
}

std::string ValueFunctionNames() {
  return fmt::format("{}",
                     fmt::join(kFunctions | std::views::transform(&ValueFunction::name), ", "));
}

}  // namespace outboxd
