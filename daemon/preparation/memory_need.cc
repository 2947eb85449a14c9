#include "daemon/preparation/memory_need.h"

#include <fmt/format.h>

#include <algorithm>

namespace outboxd {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

// The program with its libraries, 8 MB of a transaction, the journal, and the allocators' slack.
constexpr std::uint64_t kOwnBytes = 64 * kMebibyte;
// A program that asks a cloud for a token: an interpreter with its libraries.
constexpr std::uint64_t kProgramBytes = 128 * kMebibyte;
// Of an event: as the client library joins its packets, and as it is kept or made into a message.
constexpr std::uint64_t kCopies = 2;

}  // namespace

std::uint64_t MemoryNeed(const Config& config, std::uint64_t event_bytes) {
  const int programs = (config.mysql.password_command.empty() ? 0 : 1) +
                       (config.sink.family->RunsProgram(config.sink.settings) ? 1 : 0);
  const std::uint64_t program_bytes = static_cast<std::uint64_t>(programs) * kProgramBytes;
  return kOwnBytes + program_bytes + config.delivery.in_flight_bytes_max + kCopies * event_bytes;
}

std::uint64_t EventBytesMax(const Config& config, std::optional<std::uint64_t> limit) {
  if (!limit) return config.mysql.event_bytes_max;
  const std::uint64_t without_event = MemoryNeed(config, 0);
  const std::uint64_t left = *limit > without_event ? *limit - without_event : 0;
  return std::clamp(left / kCopies, kMebibyte, config.mysql.event_bytes_max);
}

Finding CheckMemory(const Config& config, std::uint64_t max_allowed_packet) {
  const std::uint64_t need = (MemoryNeed(config, max_allowed_packet) + kMebibyte - 1) / kMebibyte;
  return {
      Finding::Level::kOk,
      "memory",
      fmt::format("at most {0} MiB, with rows of up to {1} MiB (max_allowed_packet); a limit for"
                  " its unit: MemoryMax={0}M",
                  need, max_allowed_packet / kMebibyte),
      {},
      ExitCode::kOk};
}

}  // namespace outboxd
