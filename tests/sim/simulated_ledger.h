#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/sim/faults.h"

namespace outboxd::sim {

// The ledger of one process, in memory, that fails now and then as on a directory that is full.
class SimulatedLedger final : public ReadLedger {
 public:
  explicit SimulatedLedger(Faults& faults) : faults_(faults) {}

  binlog::Result<void> Clear() override;
  [[nodiscard]] bool has_failed() const override { return has_failed_ || inner_.has_failed(); }
  binlog::Result<void> AddArrival(std::size_t table, std::string_view place) override;
  binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                 std::string_view image) override;
  binlog::Result<bool> LeavesOut(std::size_t table, std::string_view place) override;
  binlog::Result<void> ForgetUpTo(std::size_t table, std::string_view place) override;
  binlog::Result<void> ForgetTable(std::size_t table) override;
  binlog::Result<void> BeginImages(std::size_t table, const std::optional<std::string>& after,
                                   const std::optional<std::string>& up_to) override;
  binlog::Result<std::optional<Image>> NextImage() override;
  void EndImages() override { inner_.EndImages(); }

 private:
  // What every call meets first.
  [[nodiscard]] binlog::Result<void> Begin(const char* call);

  Faults& faults_;
  SqliteReadLedger inner_{""};
  bool has_failed_ = false;
};

}  // namespace outboxd::sim
