#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "daemon/commands/commands.h"
#include "daemon/commands/relay_view.h"
#include "daemon/commands/terminal.h"
#include "daemon/service/clock.h"

namespace outboxd {
namespace {

constexpr std::chrono::seconds kWatchInterval{1};

// Over what stood there before, so that nothing flickers.
std::string Redrawn(std::string_view text) {
  std::string drawn = "\x1b[H";
  for (const char c : text) {
    if (c == '\n') drawn += "\x1b[K";
    drawn += c;
  }
  return drawn + "\x1b[J";
}

std::string TextOf(const RelayView& view, bool is_json) {
  if (is_json) return RelayViewJson(view);
  return RelayViewText(view, SystemClock().WallMicroseconds(), TakesColours(STDOUT_FILENO));
}

// What is wrong was printed.
Result<void> EndFor(const RelayView& view) {
  if (view.checkpoint_error) return std::unexpected(*view.checkpoint_error);
  switch (Judge(view)) {
    case Verdict::kHealthy:
      return {};
    case Verdict::kDegraded:
      return std::unexpected(Error{ExitCode::kNotReady, ""});
    case Verdict::kDown:
      return std::unexpected(Error{ExitCode::kNotRunning, ""});
  }
  return {};
}

// Until a signal ends the process, or the reader of what is printed is gone.
Result<void> Watch(const Config& config, bool is_json) {
  const bool redraws = !is_json && IsTerminal(STDOUT_FILENO);
  if (redraws) fmt::print("\x1b[2J");
  while (true) {
    const auto view = LookAtRelay(config);
    const std::string text = view ? TextOf(*view, is_json) : view.error().ToText() + "\n";
    fmt::print("{}", redraws ? Redrawn(text) : text);
    if (!redraws && !is_json) fmt::print("\n");
    if (std::fflush(stdout) != 0) return {};
    std::this_thread::sleep_for(kWatchInterval);
  }
}

}  // namespace

Result<void> StatusCommand(const Config& config, const CommandLine& line) {
  if (line.watch) return Watch(config, line.json);
  const auto view = LookAtRelay(config);
  if (!view) return std::unexpected(view.error());
  fmt::print("{}", TextOf(*view, line.json));
  return EndFor(*view);
}

}  // namespace outboxd
