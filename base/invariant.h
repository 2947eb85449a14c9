#pragma once

#include <cstddef>
#include <string_view>

namespace outboxd {

// Prints "outboxd: broken invariant: EXPRESSION: WHY (FILE:LINE); ..." to standard error and
// aborts. For OUTBOXD_INVARIANT only.
[[noreturn]] void BreakOff(std::string_view expression, std::string_view why, std::string_view file,
                           int line) noexcept;

// What BreakOff() prints first: a priority of the journal, where that reads standard error. A
// constant text, set before other threads start.
extern const char* break_off_prefix;

// __FILE__ is a path of the machine that compiles, and no such path may stand in the program: of
// this object only what comes behind the project's folder is kept.
template <std::size_t kBytes>
class SourceFile {
 public:
  explicit consteval SourceFile(const char (&file)[kBytes]) {
    for (std::size_t i = kBegin; i < kBytes; ++i) name_[i - kBegin] = file[i];
  }
  [[nodiscard]] constexpr std::string_view name() const {
    return {name_, kBytes - kBegin - 1};  // Without the NUL.
  }

 private:
  static constexpr std::size_t kBegin =
      std::string_view(__FILE__).size() - std::string_view("base/invariant.h").size();
  char name_[kBytes - kBegin] = {};
};

}  // namespace outboxd

// What the code itself keeps true, looked at in every build: where it does not hold, outboxd has a
// fault, and the process ends at once. The service manager starts it again, from the checkpoint.
// `why`: what it follows from, as a part of a sentence. Never for what comes from outside, such as
// bytes of a peer, a configuration or a file: that is an error (base/error.h). Any thread.
#define OUTBOXD_INVARIANT(expression, why) \
  (static_cast<bool>(expression)           \
       ? static_cast<void>(0)              \
       : ::outboxd::BreakOff(#expression, why, ::outboxd::SourceFile(__FILE__).name(), __LINE__))
