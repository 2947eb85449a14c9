#include "daemon/mapping/topic_template.h"

#include "daemon/service/log.h"

namespace outboxd {

namespace {

void AppendLiteral(TopicTemplate& topic, std::string_view text) {
  if (text.empty()) return;
  if (topic.parts.empty() || topic.parts.back().is_column) topic.parts.push_back({false, ""});
  topic.parts.back().text += text;
}

// Takes "{column}" off `rest`.
Result<void> TakeColumn(std::string_view& rest, TopicTemplate& topic) {
  const std::size_t end = rest.find_first_of("{}", 1);
  if (end == std::string_view::npos || rest[end] == '{') {
    return Fail(ExitCode::kConfiguration,
                "'{}' lacks a '}}' HINT: {{column}}, or '{{{{' for a brace", Escaped(rest));
  }
  const std::string_view column = rest.substr(1, end - 1);
  if (column.empty() || column.find_first_of(" \t") != std::string_view::npos) {
    return Fail(ExitCode::kConfiguration, "'{}' names no column", Escaped(rest.substr(0, end + 1)));
  }
  topic.parts.push_back({true, std::string(column)});
  rest.remove_prefix(end + 1);
  return {};
}

}  // namespace

Result<TopicTemplate> ParseTopicTemplate(std::string_view text) {
  TopicTemplate topic;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t brace = rest.find_first_of("{}");
    AppendLiteral(topic, rest.substr(0, brace));
    if (brace == std::string_view::npos) break;
    rest.remove_prefix(brace);
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      AppendLiteral(topic, rest.substr(0, 1));
      rest.remove_prefix(2);
    } else if (rest.front() == '}') {
      return Fail(ExitCode::kConfiguration, "'{}' has no '{{' before it HINT: '}}}}' for a brace",
                  Escaped(rest));
    } else if (auto taken = TakeColumn(rest, topic); !taken) {
      return std::unexpected(taken.error());
    }
  }
  if (topic.parts.empty()) return Fail(ExitCode::kConfiguration, "is empty");
  return topic;
}

}  // namespace outboxd
