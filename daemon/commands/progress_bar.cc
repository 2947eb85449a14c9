#include "daemon/commands/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/time_text.h"
#include "daemon/commands/terminal.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kInterval{200};
// What is done sooner needs no bar.
constexpr std::chrono::milliseconds kFirst{500};

}  // namespace

ProgressBar::ProgressBar(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      is_shown_(total > 0 && IsTerminal(STDERR_FILENO)),
      next_(begun_ + kFirst) {}

void ProgressBar::Show(std::uint64_t done) {
  if (!is_shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  std::string left;
  if (done > 0 && done < total_) {
    const double share = static_cast<double>(done) / static_cast<double>(total_);
    const double elapsed = std::chrono::duration<double>(now - begun_).count();
    const auto seconds = static_cast<std::int64_t>(elapsed / share - elapsed);
    left = fmt::format(", about {} left", DurationText(std::chrono::seconds(seconds)));
  }
  fmt::print(stderr, "\r\x1b[K{} {}{}", BarText(done, total_), what_, left);
  std::fflush(stderr);
  is_drawn_ = true;
}

void ProgressBar::Clear() {
  if (!std::exchange(is_drawn_, false)) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace outboxd
