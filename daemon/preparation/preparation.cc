#include "daemon/preparation/preparation.h"

#include <algorithm>
#include <expected>
#include <iterator>
#include <utility>

#include "daemon/checkpoint/progress.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_check.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/start_position.h"

namespace outboxd {
namespace {

// Why a host is not the one to begin with.
struct Refusal {
  Error error;
  bool is_problem = false;  // That readiness.h finds.
};
template <typename T>
using Prepared = std::expected<T, Refusal>;

// What was broken off is no verdict: another try may find the host well.
ExitCode ExitCodeAtHost(binlog::ErrorKind kind) {
  return kind == binlog::ErrorKind::kInterrupted ? ExitCode::kUnreachable : ExitCodeOf(kind);
}

std::unexpected<Refusal> Pass(const binlog::Error& error) {
  return std::unexpected(Refusal{error.As(ExitCodeAtHost(error.kind))});
}

// Without a problem the warnings are kept.
Prepared<void> EndAtFirstProblem(const binlog::Result<std::vector<Finding>>& findings,
                                 std::vector<Finding>& warnings) {
  if (!findings) return Pass(findings.error());
  const Finding* problem = FirstProblem(*findings);
  if (problem == nullptr) {
    std::ranges::copy_if(*findings, std::back_inserter(warnings), [](const Finding& finding) {
      return finding.level == Finding::Level::kWarning;
    });
    return {};
  }
  return std::unexpected(Refusal{ErrorOf(*problem), true});
}

// Those that are there before the read begins, so that one that is gone later is missed.
void NameTables(const std::vector<DescribedTable>& described, InitialRead& read) {
  if (!read.tables.empty()) return;
  for (const DescribedTable& table : described) {
    read.tables.push_back(
        {.schema_name = table.facts.schema_name, .table_name = table.facts.table_name});
  }
}

// `tables` are taken where nothing is wrong with the host.
Prepared<Preparation> PrepareAt(const binlog::ConnectionOptions& host, const Config& config,
                                const std::optional<Checkpoint>& checkpoint, EventTables& tables) {
  auto server = binlog::MysqlServer::Connect(host);
  if (!server) return Pass(server.error());
  auto facts = server->Facts();
  if (!facts) return Pass(facts.error());
  std::vector<Finding> warnings;
  Prepared<void> good;
  const auto checked =
      CheckSource(config, tables, BeginsWithTables(config.delivery.start, checkpoint), *server,
                  *facts, [&](const SourceAnswer& answer) {
                    good = EndAtFirstProblem(answer.findings, warnings);
                    return good.has_value();
                  });
  if (!good) return std::unexpected(good.error());

  Preparation preparation{.hosts = {},
                          .progress = {},
                          .character_sets = {},
                          .tables = {},
                          .warnings = std::move(warnings),
                          .read_rows_estimate = checked->read_rows_estimate,
                          .log_kept = facts->log_expiry};
  auto collations = server->Collations();
  if (!collations) return Pass(collations.error());
  for (const auto& [id, name] : *collations) preparation.character_sets.Add(id, name);
  if (checkpoint) {
    preparation.progress = MakeProgress(*checkpoint);
  } else {
    auto progress = ResolveStart(config.delivery.start, *facts, *server);
    if (!progress) return std::unexpected(Refusal{progress.error()});
    preparation.progress = std::move(*progress);
  }
  if (preparation.progress.read) NameTables(checked->tables, *preparation.progress.read);
  preparation.tables = std::move(tables);
  return preparation;
}

// One of several hosts, in its error. That it could not be connected to says so by itself.
void NameHost(const binlog::ConnectionOptions& host, Error& error) {
  const std::string name = fmt::format("mysql at {}: ", binlog::AddressText(host));
  if (!error.message.starts_with(name)) error.message = name + error.message;
}

// The one that a later try may do without, else one that an operator can mend at the host, else the
// first; with what is wrong with the other hosts.
Error Together(const std::vector<Error>& errors) {
  const auto chosen = std::ranges::max_element(errors, {}, [](const Error& error) {
    if (error.kind == ExitCode::kUnreachable) return 2;
    return error.kind == ExitCode::kDenied ? 1 : 0;
  });
  std::string others;
  for (auto error = errors.begin(); error != errors.end(); ++error) {
    if (error == chosen) continue;
    others += fmt::format("{}; ", error->message);
  }
  return {chosen->kind, others + chosen->message, chosen->hint};
}

// Leaves the hosts with a problem out, those of `refusals`, in their order.
void LeaveHostsOut(const Config& config, const std::vector<Refusal>& refusals,
                   Preparation& preparation) {
  preparation.hosts = config.mysql.hosts;
  for (std::size_t i = refusals.size(); i-- > 0;) {
    if (!refusals[i].is_problem) continue;
    preparation.hosts.erase(preparation.hosts.begin() + static_cast<std::ptrdiff_t>(i));
    preparation.warnings.push_back(
        {Finding::Level::kWarning, "mysql.host",
         "a host is left out until the next start: " + refusals[i].error.message,
         refusals[i].error.hint, ExitCode::kOk});
  }
}

}  // namespace

Result<Preparation> Prepare(const Config& config, const std::optional<Checkpoint>& checkpoint,
                            binlog::Interrupter* interrupter) {
  auto tables = CompileEventTables(config);
  if (!tables) return std::unexpected(tables.error());
  std::vector<binlog::ConnectionOptions> hosts = ConnectionOptionsOf(config.mysql);
  std::vector<Refusal> refusals;
  for (binlog::ConnectionOptions& host : hosts) {
    host.interrupter = interrupter;
    auto prepared = PrepareAt(host, config, checkpoint, *tables);
    if (prepared) {
      LeaveHostsOut(config, refusals, *prepared);
      return std::move(*prepared);
    }
    if (hosts.size() > 1) NameHost(host, prepared.error().error);
    refusals.push_back(std::move(prepared.error()));
    if (interrupter != nullptr && interrupter->requested()) break;
  }
  std::vector<Error> errors;
  for (const Refusal& refusal : refusals) errors.push_back(refusal.error);
  return std::unexpected(Together(errors));
}

}  // namespace outboxd
