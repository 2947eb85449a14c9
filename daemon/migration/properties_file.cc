#include "daemon/migration/properties_file.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "base/escaped.h"

namespace outboxd {
namespace {

Result<Properties> ParseJson(std::string_view text) {
  const auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    return Fail(ExitCode::kConfiguration, "begins with a brace, but is no JSON object");
  }
  const bool is_wrapped = document.contains("config") && document["config"].is_object();
  Properties properties;
  for (const auto& [key, value] : (is_wrapped ? document["config"] : document).items()) {
    if (value.is_structured()) {
      return Fail(ExitCode::kConfiguration, "option '{}' is no text, number or boolean",
                  Escaped(key));
    }
    if (value.is_null()) continue;
    properties[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  if (is_wrapped && document.contains("name") && document["name"].is_string()) {
    properties["name"] = document["name"].get<std::string>();
  }
  return properties;
}

}  // namespace

Result<Properties> ParseConnectorOptions(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n\f");
  if (begin != std::string_view::npos && text[begin] == '{') return ParseJson(text);
  return ParseJavaProperties(text);
}

}  // namespace outboxd
