#include "tests/sim/simulated_ledger.h"

namespace outboxd::sim {

using binlog::Result;

Result<void> SimulatedLedger::Begin(const char* call) {
  if (!has_failed_ && faults_.Strike(faults_.rates().ledger)) {
    faults_.Note("ledger: {} fails", call);
    has_failed_ = true;
  }
  if (has_failed_) return Fail(binlog::ErrorKind::kSpill, "injected");
  return {};
}

Result<void> SimulatedLedger::Clear() {
  has_failed_ = false;
  return inner_.Clear();
}

Result<void> SimulatedLedger::AddArrival(std::size_t table, std::string_view place) {
  if (auto begun = Begin("AddArrival"); !begun) return begun;
  return inner_.AddArrival(table, place);
}

Result<void> SimulatedLedger::KeepImage(std::size_t table, std::string_view place,
                                        std::string_view image) {
  if (auto begun = Begin("KeepImage"); !begun) return begun;
  return inner_.KeepImage(table, place, image);
}

Result<bool> SimulatedLedger::LeavesOut(std::size_t table, std::string_view place) {
  if (auto begun = Begin("LeavesOut"); !begun) return std::unexpected(begun.error());
  return inner_.LeavesOut(table, place);
}

Result<void> SimulatedLedger::ForgetUpTo(std::size_t table, std::string_view place) {
  if (auto begun = Begin("ForgetUpTo"); !begun) return begun;
  return inner_.ForgetUpTo(table, place);
}

Result<void> SimulatedLedger::ForgetTable(std::size_t table) {
  if (auto begun = Begin("ForgetTable"); !begun) return begun;
  return inner_.ForgetTable(table);
}

Result<void> SimulatedLedger::BeginImages(std::size_t table,
                                          const std::optional<std::string>& after,
                                          const std::optional<std::string>& up_to) {
  if (auto begun = Begin("BeginImages"); !begun) return begun;
  return inner_.BeginImages(table, after, up_to);
}

Result<std::optional<ReadLedger::Image>> SimulatedLedger::NextImage() {
  if (auto begun = Begin("NextImage"); !begun) return std::unexpected(begun.error());
  return inner_.NextImage();
}

}  // namespace outboxd::sim
