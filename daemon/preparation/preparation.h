#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/interrupter.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

// What a relay needs to know of its server before it begins.
struct Preparation {
  std::vector<std::string> hosts;  // Of mysql.host, without those that must not be read from.
  Progress progress;
  binlog::CharacterSets character_sets;
  EventTables tables;             // Their mappings know the tables' column types.
  std::vector<Finding> warnings;  // Of what readiness.h looks at, for the log.
  // Of an initial read.
  std::uint64_t read_rows_estimate = 0;  // 0: unknown.
  std::chrono::seconds log_kept{0};      // As the server is set; 0: for ever.
};

// Connects to MySQL, ends at the first problem that readiness.h finds, and takes the place to begin
// from the checkpoint, else from delivery.start. Of several hosts the first one without a problem
// counts; one with a problem that readiness.h finds is then left out, for later nothing looks for
// such problems again. kUnreachable: at least one host may answer otherwise later, so try again.
// Every other error: each host has one.
// `interrupter`: breaks it off, which is kUnreachable then; null: nothing does.
[[nodiscard]] Result<Preparation> Prepare(const Config& config,
                                          const std::optional<Checkpoint>& checkpoint,
                                          binlog::Interrupter* interrupter = nullptr);

}  // namespace outboxd
