#include "daemon/preparation/sink_readiness.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "daemon/checkpoint/other_receiver.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/sink_setup.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kTimeout{10'000};

Finding::Level LevelOf(sinks::Finding::Level level) {
  switch (level) {
    case sinks::Finding::Level::kOk:
      return Finding::Level::kOk;
    case sinks::Finding::Level::kWarning:
      return Finding::Level::kWarning;
    case sinks::Finding::Level::kProblem:
      return Finding::Level::kProblem;
  }
  std::unreachable();
}

Finding FindingOf(sinks::Finding found) {
  const bool is_problem = found.level == sinks::Finding::Level::kProblem;
  return {LevelOf(found.level), std::move(found.subject), std::move(found.found),
          std::move(found.remedy), is_problem ? ExitCodeOf(found.kind) : ExitCode::kOk};
}

// A topic that depends on the row is known only when the row comes.
bool DependsOnRow(const std::string& topic) { return topic.find('{') != std::string::npos; }

std::vector<sinks::TopicUse> TopicsOf(const Config& config) {
  std::vector<sinks::TopicUse> topics;
  for (const OutboxConfig& outbox : config.outboxes) {
    topics.push_back({.topic = outbox.topic, .depends_on_row = DependsOnRow(outbox.topic)});
  }
  const std::string& dead_letter_topic = config.delivery.dead_letter_topic;
  if (!dead_letter_topic.empty()) {
    topics.push_back({.topic = dead_letter_topic, .is_for_dead_letters = true});
  }
  return topics;
}

// Whoever may insert a row decides then what topics there are.
std::vector<Finding> CheckTopicChoice(const Config& config) {
  const bool is_chosen_by_row = std::ranges::any_of(
      config.outboxes, [](const OutboxConfig& outbox) { return DependsOnRow(outbox.topic); });
  const bool creates = std::ranges::any_of(config.sink.settings, [](const sinks::Setting& setting) {
    return setting.section == "topics" && setting.key == "create" &&
           (setting.value == "yes" || setting.value == "true" || setting.value == "on");
  });
  if (!is_chosen_by_row || !creates || !config.topics.allow.empty()) return {};
  return {{Finding::Level::kWarning, "topics.allow",
           "is not set, topics are named by the rows, and topics.create is yes: a wrong row makes a"
           " topic of any name",
           "in [topics]: allow = PATTERN, such as outbox.event.*", ExitCode::kOk}};
}

}  // namespace

std::vector<Finding> CheckSinkBy(sinks::SinkProbe& probe, const Config& config,
                                 const std::optional<Checkpoint>& checkpoint) {
  const sinks::SinkFamily& family = *config.sink.family;
  sinks::SinkFacts facts = probe.Look(TopicsOf(config));
  std::vector<Finding> findings = CheckTopicChoice(config);
  for (sinks::Finding& found : facts.findings) findings.push_back(FindingOf(std::move(found)));
  const bool is_other = checkpoint && !checkpoint->sink.empty() && facts.identity &&
                        checkpoint->sink != *facts.identity;
  if (is_other) {
    const Error error = OtherReceiverError(family.words(), checkpoint->sink, *facts.identity);
    findings.push_back(ProblemOf(std::string(family.name()), error));
  }
  return findings;
}

std::vector<Finding> CheckSink(const Config& config, const std::optional<Checkpoint>& checkpoint) {
  const sinks::SinkFamily& family = *config.sink.family;
  const std::string subject(family.name());
  // Also finds the settings that are refused.
  if (auto sink = MakeSink(config); !sink) return {ProblemOf(subject, sink.error())};
  auto probe = family.MakeProbe(SinkRequestOf(config), kTimeout);
  if (!probe) {
    return {ProblemOf(subject, AsDaemonError(probe.error()))};
  }
  return CheckSinkBy(**probe, config, checkpoint);
}

}  // namespace outboxd
