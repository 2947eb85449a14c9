#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "tests/sim/simulation.h"

namespace outboxd::sim {

struct SeedsRun {
  std::uint64_t count = 0;
  std::string failure;  // Seed, trace and how to replay it; empty: no seed failed.
};

// Both count. What has to be found by a seed is bounded by seeds, however slow the machine.
struct SeedsBound {
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
  double seconds = std::numeric_limits<double>::infinity();
};

// Runs seeds from 1 on until one fails: so many as `bound` allows, or OUTBOXD_SIM_SEEDS=count of
// them. OUTBOXD_SIM_SEED=n runs that one and prints its trace.
[[nodiscard]] SeedsRun RunSeeds(const Scenario& scenario, const SeedsBound& bound,
                                const Simulation::MakeInterposer& make_interposer = nullptr);

}  // namespace outboxd::sim
