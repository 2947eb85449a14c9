#include "daemon/commands/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace outboxd {
namespace {

std::string_view VariableOf(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

bool IsTerminal(int descriptor) { return ::isatty(descriptor) != 0; }

bool TakesColours(int descriptor) {
  return IsTerminal(descriptor) && VariableOf("NO_COLOR").empty() && VariableOf("TERM") != "dumb";
}

std::string Coloured(std::string_view text, Colour colour, bool takes_colours) {
  if (!takes_colours || colour == Colour::kNone) return std::string(text);
  static constexpr std::string_view kCodes[] = {"", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  return fmt::format("{}{}\x1b[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

std::string BarText(std::uint64_t done, std::uint64_t total) {
  constexpr std::size_t kWidth = 24;
  const double share =
      total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(share * kWidth);
  return fmt::format("[{}{}] {:3} %", std::string(filled, '#'), std::string(kWidth - filled, '.'),
                     static_cast<int>(100 * share));
}

}  // namespace outboxd
