#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/simulation.h"

namespace outboxd::sim {

struct SeedsRun {
  std::uint64_t count = 0;
  std::string failure;  // Seed, trace and how to replay it; empty: no seed failed.
};

// Runs seeds from 1 on until one fails: so many as `seconds` allow, or OUTBOXD_SIM_SEEDS=count of
// them. OUTBOXD_SIM_SEED=n runs that one and prints its trace.
[[nodiscard]] SeedsRun RunSeeds(const Scenario& scenario, double seconds,
                                const Simulation::MakeInterposer& make_interposer = nullptr);

}  // namespace outboxd::sim
