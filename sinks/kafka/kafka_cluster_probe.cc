#include "sinks/kafka/kafka_cluster_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sinks/kafka/kafka_advice.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/kafka/kafka_topics.h"

namespace outboxd::sinks {
namespace {

using std::chrono::milliseconds;

// Asks the cluster itself.
class ClusterQuestions final : public KafkaClusterProbe::Questions {
 public:
  ClusterQuestions(KafkaProbe probe, milliseconds timeout)
      : probe_(std::move(probe)), timeout_(timeout) {}

  Result<KafkaClusterFacts> Cluster() override { return probe_.Cluster(timeout_); }
  Result<std::vector<std::string>> Topics() override { return probe_.Topics(timeout_); }
  Result<std::optional<KafkaTopicFacts>> Topic(const std::string& name) override {
    return probe_.Topic(name, timeout_);
  }

 private:
  KafkaProbe probe_;
  const milliseconds timeout_;
};

Finding Ok(std::string subject, std::string found) {
  return {Finding::Level::kOk, std::move(subject), std::move(found)};
}

Finding ProblemOf(std::string subject, const Error& error) {
  return {Finding::Level::kProblem, std::move(subject), error.message, error.hint, error.kind};
}

Finding LookAtBroker(const KafkaBroker& broker) {
  return {Finding::Level::kWarning, "kafka",
          fmt::format("broker {} at {} does not answer from here", broker.id, broker.address),
          "start it, or mend its advertised.listeners"};
}

}  // namespace

Result<std::unique_ptr<SinkProbe>> KafkaClusterProbe::Connect(KafkaSinkOptions options,
                                                              milliseconds timeout) {
  auto probe = KafkaProbe::Connect(options.properties, options.log, timeout);
  if (!probe) return std::unexpected(probe.error());
  return std::make_unique<KafkaClusterProbe>(
      std::move(options), std::make_unique<ClusterQuestions>(*std::move(probe), timeout));
}

SinkFacts KafkaClusterProbe::Look(std::span<const TopicUse> topics) {
  auto cluster = questions_->Cluster();
  if (!cluster) return {.identity = {}, .findings = {ProblemOf("kafka", cluster.error())}};
  const std::size_t broker_count = cluster->brokers.size();
  SinkFacts facts{
      .identity = cluster->cluster_id,
      .findings = {Ok("kafka", fmt::format("cluster {}, {} broker{}", cluster->cluster_id,
                                           broker_count, broker_count == 1 ? "" : "s"))}};
  for (const KafkaBroker& broker : cluster->brokers) {
    if (!broker.answers) facts.findings.push_back(LookAtBroker(broker));
  }
  if (auto plain = AdviceOnSecurity(options_.properties))
    facts.findings.push_back(*std::move(plain));
  for (const TopicUse& use : topics) {
    if (use.depends_on_row) {
      facts.findings.push_back(Ok("topics", fmt::format("{}: known when a row comes", use.topic)));
    } else {
      std::ranges::move(LookAtTopic(use, broker_count), std::back_inserter(facts.findings));
    }
  }
  return facts;
}

std::vector<Finding> KafkaClusterProbe::LookAtTopic(const TopicUse& use, std::size_t broker_count) {
  const std::string subject = "topic " + use.topic;
  const auto facts = questions_->Topic(use.topic);
  if (!facts) return {ProblemOf(subject, facts.error())};
  if (!*facts && options_.create_topics) return {Ok(subject, "will be created")};
  if (!*facts) {
    return {{Finding::Level::kProblem, subject, "does not exist, and topics.create is no",
             CreateTopicCommand(BootstrapServers(options_.properties), use.topic,
                                options_.topic_partitions, options_.topic_replication,
                                static_cast<int>(broker_count))}};
  }
  std::vector<Finding> findings =
      AdviceOnTopic(options_.properties, use.topic, **facts, broker_count);
  if (use.is_for_dead_letters && (*facts)->cleanup_policy.contains("compact")) {
    findings.push_back(
        {Finding::Level::kWarning, subject,
         "is compacted, so that of the dead letters of one key only the last one stays",
         AlterTopicCommand(options_.properties, use.topic, "cleanup.policy=delete")});
  }
  if (findings.empty()) {
    findings.push_back(
        Ok(subject,
           fmt::format("{} partitions, {} replicas, min.insync.replicas {}, max.message.bytes {}",
                       (*facts)->partition_count, (*facts)->replica_count,
                       (*facts)->min_insync_replicas.value_or(0),
                       (*facts)->message_bytes_max.value_or(0))));
  }
  return findings;
}

Result<std::vector<std::string>> KafkaClusterProbe::Topics() {
  auto topics = questions_->Topics();
  if (topics) {
    std::erase_if(*topics, [](const std::string& topic) { return topic.starts_with("__"); });
  }
  return topics;
}

// Kafka deletes a message once its own time is longer ago than the topic's retention.ms, and with
// message.timestamp.before.max.ms it does not take it at all.
Result<std::optional<AgeLimit>> KafkaClusterProbe::FindAgeLimit(const std::string& topic) {
  constexpr std::string_view kBefore = "message.timestamp.before.max.ms";
  const auto found = questions_->Topic(topic);
  if (!found) return std::unexpected(found.error());
  if (!*found) return Fail(ErrorKind::kRejected, "topic {} does not exist yet", topic);
  const KafkaTopicFacts& facts = **found;
  if (!facts.configuration_error.empty()) {
    return Fail(ErrorKind::kDenied, "topic {}: {}", topic, facts.configuration_error);
  }
  if (facts.has_append_time) return std::nullopt;
  std::optional<AgeLimit> limit;
  // Without "delete" among its policies a topic keeps the last message of each key, however old.
  const bool deletes = facts.cleanup_policy.contains("delete");
  if (deletes && facts.retention_ms && *facts.retention_ms >= 0) {
    limit = {.age = milliseconds(*facts.retention_ms),
             .is_refused = false,
             .setting = fmt::format("retention.ms = {}", *facts.retention_ms),
             .remedy = AlterTopicCommand(options_.properties, topic, "retention.ms=-1")};
  }
  if (facts.age_taken_ms_max && (!limit || *facts.age_taken_ms_max <= limit->age.count())) {
    limit = {.age = milliseconds(*facts.age_taken_ms_max),
             .is_refused = true,
             .setting = fmt::format("{} = {}", kBefore, *facts.age_taken_ms_max),
             .remedy = AlterTopicCommand(options_.properties, topic,
                                         fmt::format("{}=9223372036854775807", kBefore))};
  }
  return limit;
}

}  // namespace outboxd::sinks
