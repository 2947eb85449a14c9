#include "daemon/preparation/trial.h"

#include <chrono>

#include "daemon/exit_code_of.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

Result<void> TrySource(const Config& config, binlog::Interrupter& interrupter) {
  const auto tables = CompileEventTables(config);
  if (!tables) return std::unexpected(tables.error());
  auto asked = AskServer(config.mysql, &interrupter);
  if (!asked) return std::unexpected(AsDaemonError(asked.error()));
  const auto missing = FindMissingPrivileges(asked->server, *tables);
  if (!missing) return std::unexpected(AsDaemonError(missing.error()));
  const auto findings = CheckPrivileges(*missing);
  const Finding* problem = FirstProblem(findings);
  if (problem == nullptr) return {};
  return std::unexpected(ErrorOf(*problem));
}

Result<void> TrySink(const Config& config) {
  constexpr std::chrono::seconds kTimeout{10};
  const auto probe = config.sink.family->MakeProbe(SinkRequestOf(config), kTimeout);
  if (!probe) return std::unexpected(AsDaemonError(probe.error()));
  return {};
}

}  // namespace outboxd
