#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint_store.h"
#include "sinks/message.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"
#include "tests/sim/read_checker.h"
#include "tests/sim/simulated_source.h"

namespace outboxd::sim {

// Holds what the relay does against what really happened; a broken guarantee is thrown as a
// Violation.
class HistoryChecker {
 public:
  HistoryChecker(History& history, const Source& source, Faults& faults)
      : history_(history), source_(source), faults_(faults) {}

  // A process begins with a read of the event table, as of `position`. One that began before went
  // on from there.
  void BeginRead(const binlog::Position& position);
  // Null: the relay does not begin with a read.
  [[nodiscard]] const ReadChecker* read() const { return read_ ? &*read_ : nullptr; }
  // From now on an event may come more than once.
  void AllowRepeats() {
    if (read_) read_->AllowRepeats();
  }

  // No event may come more than once, whatever happens.
  void ForbidRepeats() { forbids_repeats_ = true; }

  // Whether it says that a read has begun that is not at its end.
  [[nodiscard]] static bool ReadIsUnderWay(const Checkpoint& checkpoint);
  // The key up to which it says that the event table is read; none: none of it is.
  [[nodiscard]] static std::optional<std::uint64_t> ReadUpTo(const Checkpoint& checkpoint);
  // By which road the relay brings the message.
  [[nodiscard]] static Road RoadOf(const sinks::Message& message);
  // The event that the relay hands over: a committed one, as it was inserted.
  [[nodiscard]] std::size_t OnPublish(const sinks::Message& message);
  // The broker has it: first occurrences by the stream come in the order of commits.
  void OnAppend(std::size_t event, Road road = Road::kStream);
  // The broker has its dead letter.
  void OnAppendDead(std::size_t event);
  // The relay was told that the broker has it, or its dead letter.
  void OnAcknowledge(std::size_t event);

  // A checkpoint is to be stored: it covers nothing that is still to be delivered, and lies between
  // two transactions.
  void OnStore(const Checkpoint& checkpoint);
  void OnStored();
  // What was found survives a crash from now on.
  void OnSettled();
  // The sink keeps it from now on.
  void OnKept(const Checkpoint& checkpoint) const { Check(checkpoint); }
  // What a process finds at its start: the one stored last or one tried later.
  void OnLoad(const std::optional<Checkpoint>& checkpoint);

  // The position that no crash can take back.
  [[nodiscard]] const std::optional<Checkpoint>& durable() const { return durable_; }
  // Whether a stream from `position` would not bring this transaction again.
  [[nodiscard]] bool Covers(const binlog::Position& position, std::size_t transaction) const;
  // What is left to do; empty: all is delivered and the checkpoint covers it.
  [[nodiscard]] std::string Missing() const;

 private:
  [[nodiscard]] bool ResumesByGtid(const binlog::Position& position) const;
  [[nodiscard]] std::string NameOf(std::size_t transaction) const;
  // Nothing of it has to be delivered any more.
  [[nodiscard]] bool IsDone(const Transaction& transaction) const;
  // Whether the read begins at `position`: where it began first, or there with decisions behind it
  // about what was prepared before it.
  [[nodiscard]] bool IsBeginOfRead(const binlog::Position& position) const;
  void Check(const Checkpoint& checkpoint) const;
  void CheckRead(const Checkpoint& checkpoint) const;
  void CheckPart(const Checkpoint& checkpoint) const;

  History& history_;
  const Source& source_;
  Faults& faults_;

  bool forbids_repeats_ = false;
  std::optional<ReadChecker> read_;
  binlog::Position read_position_;
  bool read_is_published_ = false;  // Something of it was.
  std::array<std::uint64_t, kPartitions> last_order_{};
  std::optional<Checkpoint> durable_;
  std::optional<Checkpoint> current_;  // Stored or found last: a crash can still take it back.
  std::vector<Checkpoint> tried_;      // Since the durable one.
};

}  // namespace outboxd::sim
