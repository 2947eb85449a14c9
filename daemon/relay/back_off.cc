#include "daemon/relay/back_off.h"

#include <algorithm>

namespace outboxd {

std::chrono::milliseconds BackOff::Next() {
  constexpr int kDoublingsMax = 20;
  const auto full = std::min(max_, first_ * (1 << std::min(failures_, kDoublingsMax)));
  ++failures_;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> shortening(0, full.count() / 2);
  return full - std::chrono::milliseconds(shortening(random_));
}

}  // namespace outboxd
