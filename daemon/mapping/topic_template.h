#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// A topic's name made of text and columns: "outbox.event.{aggregatetype}". "{{" and "}}" stand for
// braces. Constant after construction.
struct TopicTemplate {
  struct Part {
    bool is_column;
    std::string text;  // What stands there, or the column's name.
  };
  std::vector<Part> parts;  // Never empty.
};

// kConfiguration: the part that is wrong.
[[nodiscard]] Result<TopicTemplate> ParseTopicTemplate(std::string_view text);

}  // namespace outboxd
