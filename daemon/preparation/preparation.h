#pragma once

#include <optional>
#include <vector>

#include "binlog/character_sets.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/relay/delivery_tracker.h"

namespace outboxd {

// What a relay needs to know of its server before it begins.
struct Preparation {
  Progress progress;
  binlog::CharacterSets character_sets;
  EventTables tables;             // Their mappings know the tables' column types.
  std::vector<Finding> warnings;  // Of what readiness.h looks at, for the log.
};

// Connects to MySQL, ends at the first problem that readiness.h finds, and takes the place to begin
// from the checkpoint, else from delivery.start. kUnreachable: try again later.
[[nodiscard]] Result<Preparation> Prepare(const Config& config,
                                          const std::optional<Checkpoint>& checkpoint);

}  // namespace outboxd
