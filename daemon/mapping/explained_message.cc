#include "daemon/mapping/explained_message.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "base/escaped.h"
#include "daemon/mapping/mapping_parts.h"

namespace outboxd {

std::vector<ExplainedPart> ExplainMessage(const MappingParts& parts,
                                          const sinks::Message& message) {
  const auto text_of = [](const std::optional<Expression>& expression) {
    return expression ? expression->text() : std::string();
  };
  const auto shown = [](const std::optional<std::string_view>& value) {
    return value ? Escaped(*value) : std::string("NULL");
  };
  std::vector<ExplainedPart> explained;
  for (const Condition& condition : parts.where) {
    explained.push_back({"where", condition.text(), "holds"});
  }
  std::string topic = text_of(parts.topic);
  if (parts.topic_route) topic += ", by topic-regex";
  explained.push_back({"topic", std::move(topic), Escaped(message.topic)});
  explained.push_back({"key", parts.key ? parts.key->text() : "none", shown(message.key)});
  explained.push_back({"partition", text_of(parts.partition),
                       message.partition ? std::to_string(*message.partition) : "by key"});
  explained.push_back(
      {"timestamp", text_of(parts.timestamp),
       message.timestamp ? fmt::format("{} ms", message.timestamp->count()) : "of sending"});
  auto named = parts.headers.begin();
  for (std::size_t i = 0; i < message.headers.size(); ++i) {
    const sinks::Header& header = message.headers[i];
    std::string setting = text_of(parts.header_object);
    const auto found = std::find_if(
        named, parts.headers.end(),
        [&](const NamedExpression& candidate) { return candidate.name == header.name; });
    if (i == 0) {
      setting = parts.id->text();
    } else if (header.name.starts_with(kReservedHeaderPrefix)) {
      setting = "outboxd's own";
    } else if (found != parts.headers.end()) {
      setting = found->value.text();
      named = found + 1;
    }
    explained.push_back(
        {fmt::format("header {}", Escaped(header.name)), std::move(setting), shown(header.value)});
  }
  std::string value = text_of(parts.payload);
  for (const NamedExpression& member : parts.members) {
    if (&member == &parts.members.front()) value = "members";
    value += fmt::format("{}{}:{}", &member == &parts.members.front() ? " " : ", ",
                         member.value.text(), member.name);
  }
  explained.push_back({"value", std::move(value), shown(message.value)});
  return explained;
}

}  // namespace outboxd
