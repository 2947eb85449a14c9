#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/checkpoint/relay_lock.h"
#include "daemon/error.h"

namespace outboxd {

// The event at which a relay holds, as `status` and `skip` show it.
struct HeldEvent {
  std::string position;  // As in the header outboxd.position.
  std::string id;        // The event's id; empty where it could not be found.
  std::string table;     // "schema.table"
  std::string topic;     // Empty where the mapping failed.
  std::string reason;
  std::string hint = {};       // What to do about it; empty: nothing is known.
  std::uint64_t since_us = 0;  // Wall clock.

  friend bool operator==(const HeldEvent&, const HeldEvent&) = default;
};

// What is recorded of an event that an operator let pass unpublished.
struct SkippedEvent {
  HeldEvent held;
  // As they would have been published; bytes. None: null, or the mapping failed.
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

// One relay's folder on disk: who may use it, and what else than the checkpoint stands there:
//   lock            flock(2)ed by the relay that runs; holds its process id
//   held            JSON: the event the relay holds at; absent while it does not hold
//   skip            JSON: the one event an operator allows to pass; removed once passed
//   skipped.jsonl   one JSON line for each event that was passed, with its content; it grows only
//                   by what operators let pass, and outboxd never shortens it
//   passed          JSON: the positions of the last of them
// Files are replaced atomically and synced; skipped.jsonl is appended to and synced. kState: the
// folder fails.
class StateDirectory final : public RelayLock {
 public:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}
  ~StateDirectory() override;
  StateDirectory(StateDirectory&&) noexcept;
  StateDirectory& operator=(StateDirectory&&) noexcept;

  [[nodiscard]] const std::string& path() const { return path_; }
  // By this object.
  [[nodiscard]] bool is_locked() const { return lock_descriptor_ >= 0; }

  // Creates the folder where it is missing (mode 0700) and takes the lock until destruction.
  // The message of kOtherActive names the other's process id.
  [[nodiscard]] Result<void> Lock() override;
  // Whether this user could make files there, without making any. kState.
  [[nodiscard]] Result<void> CheckUsable() const;
  // Whether another process holds the lock: its process id, or 0 where it cannot be told.
  [[nodiscard]] Result<std::optional<int>> LockHolder() const;

  [[nodiscard]] Result<void> WriteHeld(const HeldEvent& held);
  [[nodiscard]] Result<std::optional<HeldEvent>> ReadHeld() const;
  [[nodiscard]] Result<void> ClearHeld();

  // The operator's side of `skip`, and the relay's.
  [[nodiscard]] Result<void> RequestSkip(std::string_view position);
  [[nodiscard]] Result<std::optional<std::string>> ReadSkipRequest() const;
  // Appends to skipped.jsonl and `passed`, synced, and only then removes the request.
  [[nodiscard]] Result<void> RecordSkipped(const SkippedEvent& event);
  // The positions of events that were let pass, the last kPassedMax, oldest first: one that is read
  // again, because of a restart or of a message before it, passes again.
  static constexpr std::size_t kPassedMax = 1000;
  [[nodiscard]] Result<std::vector<std::string>> ReadPassed() const;
  // The relay begins elsewhere: there they are other events.
  [[nodiscard]] Result<void> ForgetPassed();

 private:
  Result<void> AddPassed(const std::string& position);

  std::string path_;
  int lock_descriptor_ = -1;
};

}  // namespace outboxd
