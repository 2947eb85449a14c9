#include "tests/sim/simulation_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>

namespace outboxd::sim {
namespace {

constexpr std::size_t kTraceLinesMax = 400;

// In memory where the system has such a file system.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    const bool has_shm = ::access("/dev/shm", W_OK) == 0;
    path_ = (has_shm ? std::string("/dev/shm/") : ::testing::TempDir()) + "outboxd-sim-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint64_t NumberFrom(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

std::string TestName() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("{}.{}", test->test_suite_name(), test->name());
}

// Runs the seed once more, this time with its trace.
std::string Trace(const Scenario& scenario, std::uint64_t seed, const std::string& scratch,
                  const Simulation::MakeInterposer& make_interposer) {
  Simulation simulation(scenario, seed, true, scratch, make_interposer);
  const auto violation = simulation.Run();
  const auto& trace = simulation.trace();
  const std::size_t skipped = trace.size() - std::min(trace.size(), kTraceLinesMax);
  std::string text = fmt::format(
      "seed {}: {}\nreplay: OUTBOXD_SIM_SEED={} sim_test "
      "--gtest_filter={}\n",
      seed, violation.value_or("all guarantees held"), seed, TestName());
  if (skipped > 0) text += fmt::format("  ({} lines before these)\n", skipped);
  for (std::size_t i = skipped; i < trace.size(); ++i) text += "  " + trace[i] + "\n";
  return text;
}

}  // namespace

SeedsRun RunSeeds(const Scenario& scenario, const SeedsBound& bound,
                  const Simulation::MakeInterposer& make_interposer) {
  using Clock = std::chrono::steady_clock;
  const ScratchDirectory scratch;
  if (const std::uint64_t seed = NumberFrom("OUTBOXD_SIM_SEED"); seed != 0) {
    std::cout << Trace(scenario, seed, scratch.path(), make_interposer);
    const auto violation = Simulation(scenario, seed, false, scratch.path(), make_interposer).Run();
    return {1, violation.value_or("")};
  }
  const std::uint64_t wanted = NumberFrom("OUTBOXD_SIM_SEEDS");
  const std::uint64_t last = wanted == 0 ? bound.count : wanted;
  const auto begin = Clock::now();
  const auto elapsed = [begin] { return std::chrono::duration<double>(Clock::now() - begin); };
  SeedsRun run;
  while (run.count < last && (wanted != 0 || elapsed().count() < bound.seconds)) {
    const std::uint64_t seed = ++run.count;
    const auto violation = Simulation(scenario, seed, false, scratch.path(), make_interposer).Run();
    if (!violation) continue;
    run.failure = Trace(scenario, seed, scratch.path(), make_interposer);
    break;
  }
  std::cout << fmt::format("{} seeds, {:.0f} a second\n", run.count,
                           static_cast<double>(run.count) / elapsed().count());
  return run;
}

}  // namespace outboxd::sim
