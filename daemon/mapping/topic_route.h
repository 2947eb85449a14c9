#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/error.h"

namespace outboxd {

// Debezium's way from a column's text to a topic: where the regular expression fits the whole text,
// its first match is replaced; otherwise the text is the topic. Regular expressions are those of
// PCRE2, which are Java's but for rarities; the replacement is Java's: $1, ${name}, \ takes what
// follows literally. Reader thread only.
class TopicRoute {
 public:
  // kConfiguration: the expression does not compile, or the replacement names no group of it.
  [[nodiscard]] static Result<TopicRoute> Compile(std::string_view regex,
                                                  std::string_view replacement);
  TopicRoute(TopicRoute&&) noexcept;
  TopicRoute& operator=(TopicRoute&&) noexcept;
  ~TopicRoute();

  // Replaces `topic`. kUndecodable: the text is not UTF-8, or matching it takes too many steps.
  [[nodiscard]] Result<void> Apply(std::string& topic);

 private:
  class Impl;
  explicit TopicRoute(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace outboxd
