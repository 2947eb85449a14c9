#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/log_place.h"
#include "daemon/preparation/message_age.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/start_position.h"
#include "daemon/process/opening.h"
#include "daemon/relay/sink_owner.h"
#include "sinks/kafka_probe.h"

namespace outboxd {
namespace {

using Findings = std::vector<Finding>;

constexpr std::chrono::milliseconds kKafkaTimeout{10'000};

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

Findings CheckState(const Config& config, const CheckpointFile& store,
                    const Result<std::optional<Checkpoint>>& checkpoint) {
  Findings findings;
  if (auto usable = StateDirectory(config.relay.state_directory).CheckUsable(); !usable) {
    findings.push_back(
        ProblemOf("state directory", usable.error().message, usable.error().exit_code));
  }
  if (!checkpoint) {
    findings.push_back(
        ProblemOf("checkpoint", checkpoint.error().message, checkpoint.error().exit_code));
  } else if (*checkpoint) {
    const auto same = CheckTables(**checkpoint, config);
    findings.push_back(
        same ? Finding{Finding::Level::kOk, "checkpoint", store.path(), {}, ExitCode::kOk}
             : ProblemOf("checkpoint", same.error().message, same.error().exit_code));
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
    if (!start) return ProblemOf("start", start.error().message, start.error().exit_code);
    progress = std::move(*start);
  }
  const auto good = CheckLogPlace(config.mysql, progress);
  if (!good) return ProblemOf("binary log", good.error().message, ExitCodeOf(good.error().kind));
  return {Finding::Level::kOk, "binary log",
          checkpoint ? "can be read behind the checkpoint" : "can be read from the start on",
          {},
          ExitCode::kOk};
}

// `checkpoint`: what the relay would go on from.
Findings CheckSource(const Config& config, const std::optional<Checkpoint>& checkpoint) {
  const bool begins_with_tables = BeginsWithTables(config.delivery.start, checkpoint);
  Findings findings;
  auto tables = CompileEventTables(config);
  if (!tables) {
    findings.push_back(ProblemOf("mapping", tables.error().message, tables.error().exit_code));
    return findings;
  }
  auto asked = AskServer(config.mysql);
  if (!asked) {
    findings.push_back(ProblemOf("mysql", asked.error().message, ExitCodeOf(asked.error().kind)));
    return findings;
  }
  const binlog::ServerFacts& facts = asked->facts;
  binlog::MysqlServer& server = asked->server;
  Append(findings, CheckServerSettings(facts));
  auto missing = FindMissingPrivileges(server, *tables);
  if (missing) {
    Append(findings, CheckPrivileges(*missing));
  } else {
    findings.push_back(
        ProblemOf("privileges", missing.error().message, ExitCodeOf(missing.error().kind)));
  }
  auto group_privilege = server.MissingGroupPrivilege();
  if (group_privilege) Append(findings, CheckGroup(*group_privilege));
  auto described = DescribeEventTables(server, *tables);
  if (!described) {
    findings.push_back(
        ProblemOf("event tables", described.error().message, ExitCodeOf(described.error().kind)));
    return findings;
  }
  Append(findings, CheckEventTables(*tables, *described, facts.binlog_row_metadata));
  Append(findings, CheckIdentity(*tables, *described, facts.version));
  Append(findings, CheckLogFilters(facts, *tables, *described));
  if (begins_with_tables) {
    auto for_read = FactsForTableRead(server, *described);
    if (!for_read) {
      findings.push_back(
          ProblemOf("event tables", for_read.error().message, ExitCodeOf(for_read.error().kind)));
      return findings;
    }
    Append(findings, CheckTableRead(*for_read, facts, config.delivery));
    Append(findings, LookAtMessageAges(config, *tables, *described, server));
  }
  // What is wrong with the server would be told once more.
  const bool has_start = checkpoint || config.delivery.start.kind != StartChoice::Kind::kNone;
  if (has_start && FirstProblem(findings) == nullptr) {
    findings.push_back(CheckLog(config, checkpoint, facts, server));
  }
  return findings;
}

// `brokers`: how many the cluster has.
Finding CheckTopic(sinks::KafkaProbe& probe, const Config& config, const std::string& topic,
                   std::size_t brokers) {
  const std::string subject = "topic " + topic;
  const bool is_for_dead_letters = topic == config.delivery.dead_letter_topic;
  auto facts = probe.Topic(topic, kKafkaTimeout);
  if (!facts) {
    return ProblemOf(subject, facts.error().message, ExitCodeOf(facts.error().kind));
  }
  if (!*facts) {
    if (config.topics.create) {
      return {Finding::Level::kOk, subject, "will be created", {}, ExitCode::kOk};
    }
    return {Finding::Level::kProblem, subject, "does not exist, and topics.create is no",
            fmt::format("kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {}"
                        " --replication-factor {}",
                        sinks::BootstrapServers(config.kafka), topic, config.topics.partitions,
                        std::min<std::size_t>(static_cast<std::size_t>(config.topics.replication),
                                              brokers)),
            ExitCode::kConfiguration};
  }
  if (is_for_dead_letters && (*facts)->cleanup_policy.contains("compact")) {
    return {Finding::Level::kWarning, subject,
            "is compacted, so that of the dead letters of one key only the last one stays",
            fmt::format("kafka-configs.sh --bootstrap-server {} --alter --entity-type topics "
                        "--entity-name {} --add-config cleanup.policy=delete",
                        sinks::BootstrapServers(config.kafka), topic),
            ExitCode::kOk};
  }
  return {Finding::Level::kOk,
          subject,
          fmt::format("{} partitions, {} replicas, min.insync.replicas {}, max.message.bytes {}",
                      (*facts)->partition_count, (*facts)->replica_count,
                      (*facts)->min_insync_replicas.value_or(0),
                      (*facts)->message_bytes_max.value_or(0)),
          {},
          ExitCode::kOk};
}

// A topic that depends on the row is known only when the row comes.
bool DependsOnRow(const std::string& topic) { return topic.find('{') != std::string::npos; }

// Whether it is the cluster that the checkpoint is for.
void CheckIdentity(const std::optional<Checkpoint>& checkpoint, const std::string& cluster_id,
                   Findings& findings) {
  if (!checkpoint || checkpoint->sink.empty() || checkpoint->sink == cluster_id) return;
  const Error error = OtherClusterError(checkpoint->sink, cluster_id);
  findings.push_back(ProblemOf("kafka", error.message, error.exit_code));
}

Findings CheckSink(const Config& config, const std::optional<Checkpoint>& checkpoint) {
  Findings findings;
  // Also finds the properties that are refused.
  if (auto sink = MakeSink(config); !sink) {
    findings.push_back(ProblemOf("kafka", sink.error().message, sink.error().exit_code));
    return findings;
  }
  if (config.sink.type == SinkConfig::Type::kStdout) {
    findings.push_back({Finding::Level::kOk, "sink", "standard output", {}, ExitCode::kOk});
    return findings;
  }
  const sinks::KafkaSinkOptions options = KafkaSinkOptionsOf(config);
  auto probe = sinks::KafkaProbe::Connect(options.properties, options.log, kKafkaTimeout);
  if (!probe) {
    findings.push_back(ProblemOf("kafka", probe.error().message, ExitCodeOf(probe.error().kind)));
    return findings;
  }
  auto cluster = probe->Cluster(kKafkaTimeout);
  if (!cluster) {
    findings.push_back(
        ProblemOf("kafka", cluster.error().message, ExitCodeOf(cluster.error().kind)));
    return findings;
  }
  findings.push_back({Finding::Level::kOk,
                      "kafka",
                      fmt::format("cluster {}, {} broker{}", cluster->cluster_id,
                                  cluster->brokers.size(), cluster->brokers.size() == 1 ? "" : "s"),
                      {},
                      ExitCode::kOk});
  CheckIdentity(checkpoint, cluster->cluster_id, findings);
  for (const sinks::KafkaBroker& broker : cluster->brokers) {
    if (broker.answers) continue;
    findings.push_back(
        {Finding::Level::kWarning, "kafka",
         fmt::format("broker {} at {} does not answer from here", broker.id, broker.address),
         "start it, or mend its advertised.listeners", ExitCode::kOk});
  }
  for (const OutboxConfig& outbox : config.outboxes) {
    if (DependsOnRow(outbox.topic)) {
      findings.push_back({Finding::Level::kOk,
                          "topics",
                          fmt::format("{}: known when a row comes", outbox.topic),
                          {},
                          ExitCode::kOk});
    } else {
      findings.push_back(CheckTopic(*probe, config, outbox.topic, cluster->brokers.size()));
    }
  }
  if (!config.delivery.dead_letter_topic.empty()) {
    findings.push_back(
        CheckTopic(*probe, config, config.delivery.dead_letter_topic, cluster->brokers.size()));
  }
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
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  const auto checkpoint = store.Load();
  Findings findings = CheckState(config, store, checkpoint);
  const std::optional<Checkpoint> known = checkpoint ? *checkpoint : std::nullopt;
  Append(findings, CheckSource(config, known));
  Append(findings, CheckSink(config, known));
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
