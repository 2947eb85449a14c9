#include "sinks/kafka/kafka_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/comma_list.h"
#include "base/trimmed.h"

namespace outboxd::sinks {
namespace {

bool IsLoopback(std::string_view server) {
  server = Trimmed(server);
  return server.starts_with("127.") || server.starts_with("localhost") ||
         server.starts_with("[::1]");
}

// No one command does it: the tool wants a list of partitions.
std::string Reassign(std::size_t replicas) {
  return fmt::format("kafka-reassign-partitions.sh with {} replicas for each of its partitions",
                     replicas);
}

}  // namespace

std::string AlterTopicCommand(const KafkaProperties& properties, std::string_view topic,
                              std::string_view setting) {
  return fmt::format(
      "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {}"
      " --add-config {}",
      BootstrapServers(properties), topic, setting);
}

std::vector<Finding> AdviceOnTopic(const KafkaProperties& properties, const std::string& topic,
                                   const KafkaTopicFacts& facts, std::size_t broker_count) {
  std::vector<Finding> findings;
  const auto warn = [&](std::string found, std::string remedy) {
    findings.push_back(
        {Finding::Level::kWarning, "topic " + topic, std::move(found), std::move(remedy)});
  };
  const auto alter = [&](std::string_view setting) {
    return AlterTopicCommand(properties, topic, setting);
  };
  const std::uint64_t sent = MessageBytesMax(properties);
  const auto taken = static_cast<std::uint64_t>(facts.message_bytes_max.value_or(0));
  if (taken > 0 && taken < sent) {
    warn(fmt::format("max.message.bytes is {}, and message.max.bytes of the relay lets {} through:"
                     " it would hold at a message between them",
                     taken, sent),
         alter(fmt::format("max.message.bytes={}", sent)));
  }
  if (facts.elects_unclean) {
    warn(
        "unclean.leader.election.enable is true: after a failure a broker may lead that lacks"
        " acknowledged messages, which are lost then",
        alter("unclean.leader.election.enable=false"));
  }
  if (broker_count < 2) return findings;
  if (facts.replica_count < 2) {
    warn(fmt::format("has one replica, and there are {} brokers: while its broker is away nothing"
                     " is delivered, and with its disk acknowledged messages are gone",
                     broker_count),
         Reassign(std::min(broker_count, std::size_t{3})));
    return findings;
  }
  const std::int64_t in_sync = facts.min_insync_replicas.value_or(0);
  if (in_sync == 1) {
    warn(fmt::format("min.insync.replicas is 1, of {} replicas: a message is acknowledged when one"
                     " broker has it, and may be lost with that one",
                     facts.replica_count),
         facts.replica_count > 2 ? alter("min.insync.replicas=2")
                                 : Reassign(3) + ", and min.insync.replicas=2");
  } else if (in_sync >= facts.replica_count) {
    warn(fmt::format("min.insync.replicas is {}, of {} replicas: while one broker is away nothing"
                     " is delivered",
                     in_sync, facts.replica_count),
         facts.replica_count > 2
             ? alter(fmt::format("min.insync.replicas={}", facts.replica_count - 1))
             : Reassign(3));
  }
  return findings;
}

std::optional<Finding> AdviceOnSecurity(const KafkaProperties& properties) {
  std::string protocol = "plaintext";
  for (const auto& [name, value] : properties) {
    if (name == "security.protocol") protocol = value;
  }
  std::ranges::transform(protocol, protocol.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (protocol != "plaintext" && protocol != "sasl_plaintext") return std::nullopt;
  if (std::ranges::all_of(SplitAtCommas(BootstrapServers(properties)), IsLoopback)) return {};
  const bool has_password = protocol == "sasl_plaintext";
  return Finding{Finding::Level::kWarning, "security.protocol",
                 fmt::format("{}: events{} cross the network so that others can read them",
                             protocol, has_password ? " and the password" : ""),
                 fmt::format("in [kafka]: security.protocol = {}, and ssl.ca.location; the brokers"
                             " need a listener for it",
                             has_password ? "SASL_SSL" : "SSL")};
}

}  // namespace outboxd::sinks
