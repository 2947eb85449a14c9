#include "daemon/mapping/json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/escaped.h"
#include "base/trimmed.h"

namespace outboxd {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kBlanks = " \t\r\n";

std::unexpected<Error> NotJson(simdjson::error_code error) {
  return Fail(ExitCode::kUndecodable, "is not JSON ({})", simdjson::error_message(error));
}

// The place is not in the document, which may be as good as another.
bool IsAbsent(simdjson::error_code error) {
  return error == simdjson::NO_SUCH_FIELD || error == simdjson::INDEX_OUT_OF_BOUNDS ||
         error == simdjson::INCORRECT_TYPE || error == simdjson::INVALID_JSON_POINTER;
}

// One step of a path, taken off the front of `text`: a member's name, or an index.
Result<std::string> TakeStep(std::string_view& text) {
  constexpr std::string_view kEnd = " .[]|(){}'\"`,=<>!";
  const std::string_view whole = text;
  const auto wrong = [whole] {
    return Fail(ExitCode::kConfiguration, "'{}' is no step of a JSON path", Escaped(whole))
        .Hint(".member, .\"a member\" or [0]");
  };
  std::string step;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    step = text.substr(1, end - 1);
    if (step.empty() || step.find_first_not_of("0123456789") != std::string::npos) return wrong();
    text.remove_prefix(end + 1);
    return step;
  }
  text.remove_prefix(1);
  if (!text.starts_with('"')) {
    step = text.substr(0, std::min(text.find_first_of(kEnd), text.find("->")));
    if (step.empty() || step == "*") return wrong();
    text.remove_prefix(step.size());
    return step;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    if (text.front() == '\\') text.remove_prefix(1);
    if (text.empty()) break;
    step += text.front();
    text.remove_prefix(1);
  }
  if (text.empty()) return wrong();
  text.remove_prefix(1);
  return step;
}

template <typename Value>
Result<JsonPart> PartOf(Value& value) {
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return NotJson(error);
  std::string_view text;
  switch (type) {
    case ondemand::json_type::null:
      return JsonPart{};
    case ondemand::json_type::string:
      if (const auto error = value.get_string().get(text)) return NotJson(error);
      return JsonPart{JsonPart::Kind::kString, text};
    case ondemand::json_type::object:
    case ondemand::json_type::array:
      if (const auto error = simdjson::to_json_string(value).get(text)) return NotJson(error);
      return JsonPart{JsonPart::Kind::kOther, Trimmed(text, kBlanks)};
    case ondemand::json_type::number:
    case ondemand::json_type::boolean:
      return JsonPart{JsonPart::Kind::kOther, Trimmed(value.raw_json_token(), kBlanks)};
  }
  return NotJson(simdjson::INCORRECT_TYPE);  // For which newer versions of the library have a type.
}

}  // namespace

Result<JsonPath> JsonPath::Take(std::string_view& text) {
  const std::string_view whole = text;
  if (!text.starts_with('$')) {
    return Fail(ExitCode::kConfiguration, "'{}' is no JSON path", Escaped(text))
        .Hint("it begins with $");
  }
  text.remove_prefix(1);
  JsonPath path;
  while (text.starts_with('.') || text.starts_with('[')) {
    auto step = TakeStep(text);
    if (!step) return std::unexpected(step.error());
    path.pointer_ += '/';
    for (const char c : *step) {
      if (c == '~') {
        path.pointer_ += "~0";
      } else if (c == '/') {
        path.pointer_ += "~1";
      } else {
        path.pointer_ += c;
      }
    }
  }
  path.text_ = whole.substr(0, whole.size() - text.size());
  return path;
}

class JsonReader::Impl {
 public:
  Result<std::optional<JsonPart>> Find(std::string_view json, const JsonPath& path) {
    if (const auto error = Open(json)) return NotJson(error);
    if (path.pointer().empty()) {
      auto part = PartOf(document_);
      if (!part) return std::unexpected(part.error());
      return *part;
    }
    ondemand::value value;
    const auto error = document_.at_pointer(path.pointer()).get(value);
    if (IsAbsent(error)) return Absent(json);
    if (error) return NotJson(error);
    auto part = PartOf(value);
    if (!part) return std::unexpected(part.error());
    return *part;
  }

  Result<void> Elements(std::string_view json, std::vector<JsonPart>& elements) {
    elements.clear();
    if (const auto error = Open(json)) return NotJson(error);
    ondemand::array array;
    if (document_.get_array().get(array)) {
      return Fail(ExitCode::kUndecodable, "is no JSON array");
    }
    for (auto element : array) {
      ondemand::value value;
      if (const auto error = element.get(value)) return NotJson(error);
      auto part = PartOf(value);
      if (!part) return std::unexpected(part.error());
      elements.push_back(*part);
    }
    return AtEnd();
  }

  Result<void> Members(std::string_view json, std::vector<Member>& members) {
    members.clear();
    if (const auto error = Open(json)) return NotJson(error);
    ondemand::object object;
    if (document_.get_object().get(object)) {
      return Fail(ExitCode::kUndecodable, "is no JSON object");
    }
    for (auto field : object) {
      std::string_view name;
      ondemand::value value;
      if (const auto error = field.unescaped_key().get(name)) return NotJson(error);
      if (const auto error = field.value().get(value)) return NotJson(error);
      auto part = PartOf(value);
      if (!part) return std::unexpected(part.error());
      members.push_back({name, *part});
    }
    return AtEnd();
  }

 private:
  // The parser reads a little beyond the end of what it parses.
  simdjson::error_code Open(std::string_view json) {
    buffer_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    buffer_.assign(json);
    return parser_.iterate(buffer_.data(), json.size(), buffer_.capacity()).get(document_);
  }

  // The parser does not look at a document that is no object and no array.
  static Result<std::optional<JsonPart>> Absent(std::string_view json) {
    const std::size_t begin = json.find_first_not_of(kBlanks);
    const bool is_looked_at =
        begin != std::string_view::npos && (json[begin] == '{' || json[begin] == '[');
    if (is_looked_at) return std::nullopt;
    if (auto checked = CheckJson(json); !checked) return std::unexpected(checked.error());
    return std::nullopt;
  }

  Result<void> AtEnd() {
    const char* place = nullptr;
    if (document_.current_location().get(place) == simdjson::OUT_OF_BOUNDS) return {};
    return Fail(ExitCode::kUndecodable, "is not JSON (something stands behind it)");
  }

  std::string buffer_;
  ondemand::parser parser_;
  ondemand::document document_;
};

JsonReader::JsonReader() : impl_(std::make_unique<Impl>()) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

Result<std::optional<JsonPart>> JsonReader::Find(std::string_view json, const JsonPath& path) {
  return impl_->Find(json, path);
}
Result<void> JsonReader::Elements(std::string_view json, std::vector<JsonPart>& elements) {
  return impl_->Elements(json, elements);
}
Result<void> JsonReader::Members(std::string_view json, std::vector<Member>& members) {
  return impl_->Members(json, members);
}
Result<void> CheckJson(std::string_view json) {
  // simdjson would refuse integers that no machine type holds, which are JSON as well.
  if (nlohmann::json::accept(json)) return {};
  return Fail(ExitCode::kUndecodable, "is not JSON");
}

}  // namespace outboxd
