#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/action_log.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// What another process can know of a relay: what it says of itself, where it runs, and what stands
// in its state directory. No server is asked.
struct RelayView {
  std::string relay, directory;  // Its name, and its state directory.
  std::optional<int> process;    // None: it does not run, or is parked.
  // Its answer to /status (daemon/status/status_json.h); null: it gave none, and `silence` says
  // why, where it runs.
  nlohmann::json told;
  std::string silence;
  std::optional<StoredStatus> stored;  // What it wrote last.
  std::optional<Checkpoint> checkpoint;
  std::optional<Error> checkpoint_error;  // It cannot be read.
  std::optional<HeldEvent> held;
  std::optional<DeadLetterCount> dead;
  ReplayedEvents replayed;
  std::vector<Alarm> alarms;
  std::optional<ActionLog::Summary> actions;
};

// kState: the state directory fails.
[[nodiscard]] Result<RelayView> LookAtRelay(const Config& config);

enum class Verdict {
  kHealthy,   // Messages flow, or would if there were events, and nobody is needed.
  kDegraded,  // It runs, but messages do not flow, or something waits for a person.
  kDown,      // It does not run, or has ended and waits.
};

[[nodiscard]] Verdict Judge(const RelayView& view);

// As `outboxd status` prints it: lines with their line feeds. `now_us`: wall clock.
[[nodiscard]] std::string RelayViewText(const RelayView& view, std::uint64_t now_us,
                                        bool takes_colours);
// As one JSON object, with its line feed. What is not there is null.
[[nodiscard]] std::string RelayViewJson(const RelayView& view);

}  // namespace outboxd
