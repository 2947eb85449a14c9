#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json_line.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/terminal.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/certificates.h"
#include "daemon/preparation/log_kept.h"
#include "daemon/preparation/log_place.h"
#include "daemon/preparation/memory_need.h"
#include "daemon/preparation/other_hosts.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/secret_files.h"
#include "daemon/preparation/server_outlook.h"
#include "daemon/preparation/sink_readiness.h"
#include "daemon/preparation/source_check.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/spill_room.h"
#include "daemon/preparation/start_position.h"
#include "daemon/process/opening.h"
#include "daemon/service/clock.h"

namespace outboxd {
namespace {

using Findings = std::vector<Finding>;

void Append(Findings& findings, Findings more) {
  std::ranges::move(more, std::back_inserter(findings));
}

Findings CheckState(const Config& config, const CheckpointFile& store,
                    const Result<std::optional<Checkpoint>>& checkpoint) {
  Findings findings;
  if (auto usable = StateDirectory(config.relay.state_directory).CheckUsable(); !usable) {
    findings.push_back(ProblemOf("state directory", usable.error()));
  }
  Append(findings, CheckSpillRoom(config));
  Append(findings, CheckSecretFiles(config));
  Append(findings, CheckCertificateFiles(config, SystemClock().WallMicroseconds()));
  if (!checkpoint) {
    findings.push_back(ProblemOf("checkpoint", checkpoint.error()));
  } else if (*checkpoint) {
    const auto same = CheckTables(**checkpoint, config);
    findings.push_back(
        same ? Finding{Finding::Level::kOk, "checkpoint", store.path(), {}, ExitCode::kOk}
             : ProblemOf("checkpoint", same.error()));
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

// Whether the log still holds what the relay would read next.
Finding CheckLog(const Config& config, const std::optional<Checkpoint>& checkpoint,
                 const binlog::ServerFacts& facts, binlog::MysqlServer& server) {
  Progress progress;
  if (checkpoint) {
    progress = MakeProgress(*checkpoint);
  } else {
    auto start = ResolveStart(config.delivery.start, facts, server);
    if (!start) return ProblemOf("start", start.error());
    progress = std::move(*start);
  }
  const auto good = CheckLogPlace(config.mysql, progress);
  if (!good) return ProblemOf("binary log", AsDaemonError(good.error()));
  return {Finding::Level::kOk,
          "binary log",
          checkpoint ? "can be read behind the checkpoint" : "can be read from the start on",
          {},
          ExitCode::kOk};
}

// `checkpoint`: what the relay would go on from.
Findings CheckServer(const Config& config, const std::optional<Checkpoint>& checkpoint) {
  Findings findings;
  auto tables = CompileEventTables(config);
  if (!tables) {
    findings.push_back(ProblemOf("mapping", tables.error()));
    return findings;
  }
  auto asked = AskServer(config.mysql);
  if (!asked) {
    findings.push_back(ProblemOf("mysql", AsDaemonError(asked.error())));
    return findings;
  }
  auto& [server, facts, options] = *asked;
  const auto checked =
      CheckSource(config, *tables, BeginsWithTables(config.delivery.start, checkpoint), server,
                  facts, [&](SourceAnswer answer) {
                    if (answer.findings) {
                      Append(findings, *std::move(answer.findings));
                    } else {
                      findings.push_back(ProblemOf(std::string(answer.subject),
                                                   AsDaemonError(answer.findings.error())));
                    }
                    return true;
                  });
  if (checked) Append(findings, CheckIdentity(*tables, checked->tables, facts.version));
  if (facts.max_allowed_packet != 0) {
    findings.push_back(CheckMemory(config, facts.max_allowed_packet));
  }
  if (facts.log_bin) {
    // Where the account may not ask, its privileges were told.
    const auto keeping = AskForLogKeeping(server, options);
    if (keeping) findings.push_back(CheckLogKept(*keeping));
  }
  Append(findings, LookAhead(server, SystemClock().WallMicroseconds()));
  Append(findings, CheckEachHost(config, *tables));
  // What is wrong with the server would be told once more.
  const bool has_start = checkpoint || config.delivery.start.kind != StartChoice::Kind::kNone;
  if (has_start && FirstProblem(findings) == nullptr) {
    findings.push_back(CheckLog(config, checkpoint, facts, server));
  }
  return findings;
}

constexpr std::array<std::string_view, 3> kWords = {"ok", "warning", "PROBLEM"};

void Print(const Findings& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.subject.size());
  const bool takes_colours = TakesColours(STDOUT_FILENO);
  for (const Finding& finding : findings) {
    static constexpr Colour kColours[] = {Colour::kGreen, Colour::kYellow, Colour::kRed};
    const auto level = static_cast<std::size_t>(finding.level);
    const std::string word = fmt::format("{:<7}", kWords[level]);
    fmt::print("{}  {:<{}}  {}\n", Coloured(word, kColours[level], takes_colours), finding.subject,
               width, finding.found);
    if (!finding.remedy.empty()) {
      fmt::print("         {:<{}}  -> {}\n", "", width, finding.remedy);
    }
  }
}

void PrintJson(const Config& config, const Findings& findings) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Finding& finding : findings) {
    const auto level = static_cast<std::size_t>(finding.level);
    static constexpr std::array<const char*, 3> kLevels = {"ok", "warning", "problem"};
    list.push_back({{"level", kLevels[level]},
                    {"subject", finding.subject},
                    {"found", finding.found},
                    {"remedy", finding.remedy.empty() ? Json() : Json(finding.remedy)},
                    {"code", static_cast<int>(finding.exit_code)}});
  }
  const Finding* const problem = FirstProblem(findings);
  fmt::print("{}", JsonLine(Json{{"relay", config.relay.name},
                                 {"ready", problem == nullptr},
                                 {"findings", std::move(list)}}));
}

}  // namespace

Result<void> CheckCommand(const Config& config, const CommandLine& line) {
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  const auto checkpoint = store.Load();
  Findings findings = CheckState(config, store, checkpoint);
  const std::optional<Checkpoint> known = checkpoint ? *checkpoint : std::nullopt;
  Append(findings, CheckServer(config, known));
  Append(findings, CheckSink(config, known));
  if (line.json) {
    PrintJson(config, findings);
    const Finding* const problem = FirstProblem(findings);
    return problem == nullptr ? Result<void>() : std::unexpected(Error{problem->exit_code, ""});
  }
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
