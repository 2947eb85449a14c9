#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/checkpoint_file.h"
#include "daemon/commands/commands.h"
#include "daemon/exit_code_of.h"
#include "daemon/readiness.h"
#include "daemon/sink_setup.h"
#include "daemon/source_setup.h"

namespace outboxd {
namespace {

using Findings = std::vector<Finding>;

void Append(Findings& findings, Findings more) {
  std::ranges::move(more, std::back_inserter(findings));
}

// Splits an error's hint off as the remedy.
Finding ProblemOf(std::string subject, const std::string& message, ExitCode exit_code) {
  constexpr std::string_view kHint = " HINT: ";
  const std::size_t hint = message.find(kHint);
  return {Finding::Level::kProblem, std::move(subject), message.substr(0, hint),
          hint == std::string::npos ? std::string() : message.substr(hint + kHint.size()),
          exit_code};
}

Findings CheckState(const Config& config) {
  Findings findings;
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto checkpoint = store.Load();
  if (!checkpoint) {
    findings.push_back(
        ProblemOf("checkpoint", checkpoint.error().message, checkpoint.error().exit_code));
  } else if (*checkpoint) {
    findings.push_back({Finding::Level::kOk, "checkpoint", store.path(), {}, ExitCode::kOk});
  } else if (config.delivery.start.kind == StartChoice::Kind::kNone) {
    findings.push_back({Finding::Level::kProblem, "checkpoint", "none yet, and no start is chosen",
                        "in [delivery]: start = table, earliest, now, gtid:SET or"
                        " file:NAME:OFFSET",
                        ExitCode::kNoStart});
  } else {
    findings.push_back(
        {Finding::Level::kOk, "checkpoint", "none yet; delivery.start counts", {}, ExitCode::kOk});
  }
  return findings;
}

Findings CheckSource(const Config& config) {
  Findings findings;
  auto tables = CompileEventTables(config);
  if (!tables) {
    findings.push_back(ProblemOf("mapping", tables.error().message, tables.error().exit_code));
    return findings;
  }
  auto server = ConnectToServer(config.mysql);
  if (!server) {
    findings.push_back(ProblemOf("mysql", server.error().message, ExitCodeOf(server.error().kind)));
    return findings;
  }
  auto facts = server->Facts();
  if (!facts) {
    findings.push_back(ProblemOf("mysql", facts.error().message, ExitCodeOf(facts.error().kind)));
    return findings;
  }
  Append(findings, CheckServerSettings(*facts));
  auto privileges = CheckPrivileges(*server, *tables);
  if (privileges) Append(findings, std::move(*privileges));
  auto described = DescribeEventTables(*server, *tables);
  if (!described) {
    findings.push_back(
        ProblemOf("event tables", described.error().message, ExitCodeOf(described.error().kind)));
    return findings;
  }
  Append(findings, CheckEventTables(*tables, *described, facts->binlog_row_metadata == "FULL"));
  return findings;
}

Findings CheckSink(const Config& config) {
  Findings findings;
  auto sink = MakeSink(config);
  if (!sink) {
    findings.push_back(ProblemOf("kafka", sink.error().message, sink.error().exit_code));
    return findings;
  }
  auto cluster = (*sink)->Open(std::chrono::seconds(10));
  if (!cluster) {
    findings.push_back(
        ProblemOf("kafka", cluster.error().message, ExitCodeOf(cluster.error().kind)));
  } else if (!cluster->empty()) {
    findings.push_back({Finding::Level::kOk, "kafka", "cluster " + *cluster, {}, ExitCode::kOk});
  }
  (*sink)->Close();
  return findings;
}

void Print(const Findings& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.subject.size());
  const bool colours = ::isatty(STDOUT_FILENO) != 0;
  for (const Finding& finding : findings) {
    static constexpr const char* kWords[] = {"ok     ", "warning", "PROBLEM"};
    static constexpr const char* kColours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
    const auto level = static_cast<std::size_t>(finding.level);
    fmt::print("{}{}{}  {:<{}}  {}\n", colours ? kColours[level] : "", kWords[level],
               colours ? "\x1b[0m" : "", finding.subject, width, finding.found);
    if (!finding.remedy.empty()) {
      fmt::print("         {:<{}}  -> {}\n", "", width, finding.remedy);
    }
  }
}

}  // namespace

Result<void> CheckCommand(const Config& config) {
  Findings findings = CheckState(config);
  Append(findings, CheckSource(config));
  Append(findings, CheckSink(config));
  Print(findings);
  const auto problems = std::ranges::count(findings, Finding::Level::kProblem, &Finding::level);
  if (problems == 0) {
    fmt::print("\nrelay {} is ready to run\n", config.relay.name);
    return {};
  }
  return Fail(FirstProblem(findings)->exit_code, "{} problem{} to mend before relay {} can run",
              problems, problems == 1 ? "" : "s", config.relay.name);
}

}  // namespace outboxd
