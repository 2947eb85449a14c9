#include "base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace outboxd {

const char* break_off_prefix = "";

void BreakOff(std::string_view expression, std::string_view why, std::string_view file,
              int line) noexcept {
  const auto width = [](std::string_view text) { return static_cast<int>(text.size()); };
  // Without memory of the heap, which may be what is broken.
  std::fprintf(
      stderr,
      "%soutboxd: broken invariant: %.*s: %.*s (%.*s:%d); this is a fault of outboxd, please"
      " report it\n",
      break_off_prefix, width(expression), expression.data(), width(why), why.data(), width(file),
      file.data(), line);
  std::abort();
}

}  // namespace outboxd
