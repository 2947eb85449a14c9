#include "daemon/migration/kafka_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace outboxd {
namespace {

// By the same name, and with the same meaning, in librdkafka.
constexpr std::string_view kSame[] = {"batch.size",
                                      "client.id",
                                      "client.dns.lookup",
                                      "compression.type",
                                      "linger.ms",
                                      "metadata.max.age.ms",
                                      "sasl.mechanism",
                                      "security.protocol",
                                      "socket.connection.setup.timeout.ms",
                                      "retry.backoff.ms",
                                      "reconnect.backoff.ms",
                                      "reconnect.backoff.max.ms",
                                      "request.timeout.ms",
                                      "sasl.kerberos.service.name"};

void AddBrokers(TakenOptions& options, ConfigDraft& draft) {
  const std::string history =
      options.Take("schema.history.internal.kafka.bootstrap.servers",
                   options.Take("database.history.kafka.bootstrap.servers"));
  const std::string servers = options.TakeShared("bootstrap.servers", history);
  const std::string own = options.Take("producer.override.bootstrap.servers", servers);
  if (own.empty()) {
    draft.Comment("bootstrap.servers = HOST:9092");
    draft.NoteMissing(
        "kafka.bootstrap.servers has to be set: it stands in the properties of the Connect "
        "worker, which can be given as a further file");
  } else {
    draft.Set("bootstrap.servers", own);
    if (own == history && !options.worker().contains("bootstrap.servers")) {
      draft.Note(
          "kafka.bootstrap.servers was taken from the schema history's; see that messages go to "
          "the same cluster");
    }
  }
}

// `option`: its whole name; `name`: as producers know it.
void AddProducerOption(std::string_view option, std::string_view name, std::string_view value,
                       ConfigDraft& draft) {
  if (std::ranges::find(kSame, name) != std::end(kSame)) {
    draft.Set(name, value);
  } else if (name == "max.request.size") {
    draft.Set("message.max.bytes", value);
  } else if (name.starts_with("ssl.") || name.starts_with("sasl.")) {
    draft.Note(
        fmt::format("{} is not carried over: librdkafka has PEM files (ssl.ca.location, "
                    "ssl.certificate.location, ssl.key.location), sasl.username and "
                    "sasl.password-file instead",
                    option));
  } else {
    draft.Note(
        fmt::format("{} is not carried over: outboxd chooses what order and safety need, and the "
                    "rest is named otherwise in librdkafka",
                    option));
  }
}

// `options`: those whose names begin with `prefix`.
void AddProducer(const Properties& options, std::string_view prefix, ConfigDraft& draft) {
  for (const auto& [option, value] : options) {
    AddProducerOption(option, std::string_view(option).substr(prefix.size()), value, draft);
  }
}

void AddTopics(TakenOptions& options, ConfigDraft& draft) {
  const auto partitions = options.Find("topic.creation.default.partitions");
  const auto replication = options.Find("topic.creation.default.replication.factor");
  if (!partitions && !replication) return;
  draft.Begin("topics");
  draft.Set("create", "yes");
  if (partitions.value_or("-1") != "-1") draft.Set("partitions", *partitions);
  if (replication.value_or("-1") != "-1") draft.Set("replication", *replication);
  if (partitions.value_or("-1") == "-1" || replication.value_or("-1") == "-1") {
    draft.Note(
        "topic.creation.default: the broker's defaults are not known here; see "
        "topics.partitions and topics.replication");
  }
}

}  // namespace

void AddKafkaConfig(TakenOptions& options, ConfigDraft& draft) {
  constexpr std::string_view kOfConnector = "producer.override.";
  constexpr std::string_view kOfWorker = "producer.";
  draft.Begin("kafka");
  AddBrokers(options, draft);
  AddProducer(options.TakeAll(options.connector(), kOfConnector), kOfConnector, draft);
  AddProducer(options.TakeAll(options.worker(), kOfWorker), kOfWorker, draft);
  AddTopics(options, draft);
}

}  // namespace outboxd
