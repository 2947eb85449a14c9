#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/checkpoint/state_directory.h"
#include "daemon/error.h"

namespace outboxd {

struct DeadLetterCount {
  std::uint64_t count = 0;
  HeldEvent last;
};

// By position, when each dead letter was sent to its own topic after all; microseconds since the
// epoch.
using ReplayedEvents = std::map<std::string, std::uint64_t, std::less<>>;

// What one relay's state directory tells of its dead letters; they themselves stand in their topic:
//   dead-letters     JSON: how many were sent, and the last one
//   replayed.jsonl   one JSON line for each that was sent to its own topic after all; it grows only
//                    by what operators replay, and outboxd never shortens it
// kState: the folder fails.
class DeadLetterLog {
 public:
  explicit DeadLetterLog(std::string directory) : directory_(std::move(directory)) {}

  // The relay's side: one more was acknowledged. One that is sent again right behind itself, as
  // after a crash, counts once.
  [[nodiscard]] Result<void> Count(const HeldEvent& event);
  // None: there was no dead letter yet.
  [[nodiscard]] Result<std::optional<DeadLetterCount>> Counted() const;

  // The operator's side: the event at `position` is in its own topic since `now_us`.
  [[nodiscard]] Result<void> RecordReplayed(std::string_view position, std::string_view id,
                                            std::string_view topic, std::uint64_t now_us);
  [[nodiscard]] Result<ReplayedEvents> Replayed() const;

 private:
  std::string directory_;
};

}  // namespace outboxd
