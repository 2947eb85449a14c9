#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/error.h"

namespace outboxd {

// What a person did to a relay by a command.
struct Action {
  std::uint64_t at_us = 0;  // Wall clock, microseconds since the epoch.
  std::string by;           // PersonName() of daemon/service/person.h.
  std::string what;         // "skip", "replay", "acknowledge", "position set".
  std::string of;           // The event's position, the alarm's, or the former place.
  std::string text;         // For people: the alarm's text, the new place; may be empty.
};

// `actions.jsonl` in a relay's state directory: one JSON line for each action, mode 0600. It grows
// by what people do only, and outboxd never shortens it. kState: the folder fails.
class ActionLog {
 public:
  explicit ActionLog(std::string directory) : directory_(std::move(directory)) {}

  // Synced. Called before the action itself, so that none is without its record.
  [[nodiscard]] Result<void> Record(const Action& action);

  struct Summary {
    std::uint64_t count = 0;
    Action last;
  };
  // None: nobody did anything yet. A line that is none of these is passed over.
  [[nodiscard]] Result<std::optional<Summary>> Recorded() const;

 private:
  std::string directory_;
};

}  // namespace outboxd
