#include "daemon/preparation/preparation.h"

#include <algorithm>
#include <iterator>

#include "daemon/exit_code_of.h"
#include "daemon/preparation/message_age.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/start_position.h"
#include "daemon/relay/acknowledger.h"

namespace outboxd {
namespace {

std::unexpected<Error> Pass(const binlog::Error& error) {
  return Fail(ExitCodeOf(error.kind), "{}", error.message);
}

// Without one the warnings are kept.
Result<void> EndAtFirstProblem(const std::vector<Finding>& findings,
                               std::vector<Finding>& warnings) {
  const Finding* problem = FirstProblem(findings);
  if (problem == nullptr) {
    std::ranges::copy_if(findings, std::back_inserter(warnings), [](const Finding& finding) {
      return finding.level == Finding::Level::kWarning;
    });
    return {};
  }
  return Fail(problem->exit_code, "{}: {} HINT: {}", problem->subject, problem->found,
              problem->remedy);
}

// Those that are there before the read begins, so that one that is gone later is missed.
void NameTables(const std::vector<DescribedTable>& described, InitialRead& read) {
  if (!read.tables.empty()) return;
  for (const DescribedTable& table : described) {
    read.tables.push_back({.schema_name = table.facts.schema_name,
                           .table_name = table.facts.table_name});
  }
}

}  // namespace

Result<Preparation> Prepare(const Config& config, const std::optional<Checkpoint>& checkpoint,
                            binlog::Interrupter* interrupter) {
  auto tables = CompileEventTables(config);
  if (!tables) return std::unexpected(tables.error());
  auto server = ConnectToServer(config.mysql, interrupter);
  if (!server) return Pass(server.error());
  auto facts = server->Facts();
  if (!facts) return Pass(facts.error());
  std::vector<Finding> warnings;
  if (auto good = EndAtFirstProblem(CheckServerSettings(*facts), warnings); !good) {
    return std::unexpected(good.error());
  }
  auto missing = FindMissingPrivileges(*server, *tables);
  if (!missing) return Pass(missing.error());
  if (auto good = EndAtFirstProblem(CheckPrivileges(*missing), warnings); !good) {
    return std::unexpected(good.error());
  }
  auto group_privilege = server->MissingGroupPrivilege();
  if (!group_privilege) return Pass(group_privilege.error());
  if (auto good = EndAtFirstProblem(CheckGroup(*group_privilege), warnings); !good) {
    return std::unexpected(good.error());
  }
  auto described = DescribeEventTables(*server, *tables);
  if (!described) return Pass(described.error());
  auto event_tables = CheckEventTables(*tables, *described, facts->binlog_row_metadata);
  if (auto good = EndAtFirstProblem(event_tables, warnings); !good)
    return std::unexpected(good.error());
  auto log_filters = CheckLogFilters(*facts, *tables, *described);
  if (auto good = EndAtFirstProblem(log_filters, warnings); !good)
    return std::unexpected(good.error());
  std::uint64_t read_rows_estimate = 0;
  if (BeginsWithTables(config.delivery.start, checkpoint)) {
    auto for_read = FactsForTableRead(*server, *described);
    if (!for_read) return Pass(for_read.error());
    read_rows_estimate = for_read->rows;
    auto read = CheckTableRead(*for_read, *facts, config.delivery);
    if (auto good = EndAtFirstProblem(read, warnings); !good) return std::unexpected(good.error());
    auto ages = LookAtMessageAges(config, *tables, *described, *server);
    if (auto good = EndAtFirstProblem(ages, warnings); !good) return std::unexpected(good.error());
  }

  Preparation preparation{.progress = {},
                          .character_sets = {},
                          .tables = std::move(*tables),
                          .warnings = std::move(warnings),
                          .read_rows_estimate = read_rows_estimate,
                          .log_kept = std::chrono::seconds(facts->binlog_expire_seconds)};
  auto collations = server->Collations();
  if (!collations) return Pass(collations.error());
  for (const auto& [id, name] : *collations) preparation.character_sets.Add(id, name);
  if (checkpoint) {
    preparation.progress = MakeProgress(*checkpoint);
  } else {
    auto progress = ResolveStart(config.delivery.start, *facts, *server);
    if (!progress) return std::unexpected(progress.error());
    preparation.progress = std::move(*progress);
  }
  if (preparation.progress.read) NameTables(*described, *preparation.progress.read);
  return preparation;
}

}  // namespace outboxd
