#include "sinks/kafka/kafka_client.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <vector>

#include "base/nearest_word.h"
#include "sinks/kafka/kafka_token.h"

namespace outboxd::sinks {
namespace {

using Origin = ResolvedProperty::Origin;

constexpr std::size_t kErrorTextBytesMax = 512;
constexpr std::chrono::milliseconds kErrorLookInterval{100};
constexpr int kLogLevelWarning = 4;
constexpr int kLogLevelDebug = 7;

using ErrorText = std::array<char, kErrorTextBytesMax>;

std::string_view View(const ErrorText& text) { return text.data(); }

void ForwardLogLine(const rd_kafka_t* client, int level, const char* facility,
                    const char* text) noexcept {
  if (client == nullptr) return;
  // At every start it calls a setting experimental that the operator has not chosen.
  const bool is_about_gapless = std::string_view(facility) == "CONFWARN" &&
                                std::string_view(text).contains("enable.gapless.guarantee");
  if (is_about_gapless) return;
  // The sink reports each fatal error with what it means here: the producer is replaced.
  if (std::string_view(facility) == "FATAL") level = kLogLevelDebug;
  const auto* host = static_cast<const ClientHost*>(rd_kafka_opaque(client));
  if (host == nullptr || !host->log) return;
  host->log(level, fmt::format("{}: {}", facility, text));
}

// `pairs`: names and values in turn, `count` of both together.
void TakeNames(const char** pairs, std::size_t count, std::vector<std::string>& names) {
  for (std::size_t i = 0; i + 1 < count; i += 2) names.emplace_back(pairs[i]);
  rd_kafka_conf_dump_free(pairs, count);
}

// What librdkafka lists, and the aliases people know from Java, which it does not list.
std::vector<std::string> KnownNames() {
  std::vector<std::string> names{"bootstrap.servers", "compression.type", "linger.ms",
                                 "sasl.mechanism", std::string(kTokenCommand)};
  for (const std::string_view name : KafkaSecretFileProperties()) names.emplace_back(name);
  std::size_t count = 0;
  const ConfigurationHandle global(rd_kafka_conf_new());
  const char** pairs = rd_kafka_conf_dump(global.get(), &count);
  TakeNames(pairs, count, names);
  const KafkaHandle<rd_kafka_topic_conf_t, rd_kafka_topic_conf_destroy> topic(
      rd_kafka_topic_conf_new());
  pairs = rd_kafka_topic_conf_dump(topic.get(), &count);
  TakeNames(pairs, count, names);
  return names;
}

// "did you mean ...?"; empty: nothing that librdkafka knows is near.
std::string HintForName(std::string_view name) {
  const std::vector<std::string> names = KnownNames();
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto nearest = NearestWord(name, views);
  return nearest ? fmt::format("did you mean {}?", *nearest) : std::string();
}

Result<void> Set(rd_kafka_conf_t* configuration, const ResolvedProperty& property) {
  ErrorText text{};
  switch (rd_kafka_conf_set(configuration, property.name.c_str(), property.value.c_str(),
                            text.data(), text.size())) {
    case RD_KAFKA_CONF_OK:
      return {};
    case RD_KAFKA_CONF_UNKNOWN:
      if (property.origin == Origin::kOptional) return {};
      return Fail(ErrorKind::kConfiguration, "kafka property {} is unknown to librdkafka {}",
                  property.name, rd_kafka_version_str())
          .Hint("{}", HintForName(property.name));
    case RD_KAFKA_CONF_INVALID:
      break;
  }
  // librdkafka's text may quote the value.
  if (property.origin == Origin::kSecret) {
    return Fail(ErrorKind::kConfiguration, "kafka property {}: the file's content is not accepted",
                property.name);
  }
  return Fail(ErrorKind::kConfiguration, "kafka property {}: {}", property.name, View(text));
}

std::size_t ConfiguredNumber(const rd_kafka_conf_t* configuration, const char* name) {
  ErrorText text{};
  std::size_t size = text.size();
  if (rd_kafka_conf_get(configuration, name, text.data(), &size) != RD_KAFKA_CONF_OK) {
    return std::numeric_limits<std::size_t>::max();
  }
  return std::strtoull(text.data(), nullptr, 10);
}

Result<void> Limit(rd_kafka_conf_t* configuration, const char* name,
                   std::optional<std::size_t> limit) {
  if (!limit || *limit >= ConfiguredNumber(configuration, name)) return {};
  return Set(configuration, {name, std::to_string(*limit), Origin::kOutboxd});
}

bool IsDenied(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return true;
    default:
      return false;
  }
}

struct Collected {
  std::optional<Error> error;
  std::string last_text;
};

// Takes the events that are there; waits up to `timeout` for the first.
void CollectErrors(rd_kafka_queue_t* events, int timeout_ms, const SinkLog& log,
                   Collected& collected) {
  constexpr int kEventsMax = 100;
  for (int i = 0; i < kEventsMax && !collected.error; ++i) {
    const EventHandle event(rd_kafka_queue_poll(events, i == 0 ? timeout_ms : 0));
    if (!event) return;
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_ERROR) continue;
    std::string text;
    collected.error = JudgeErrorEvent(event.get(), text);
    if (log) log(kLogLevelWarning, text);
    if (SaysWhy(event.get()) || collected.last_text.empty()) collected.last_text = std::move(text);
  }
}

// Of which no token is asked for yet.
Result<ClientHandle> CreateClient(ConfigurationHandle configuration, ClientHost& host,
                                  rd_kafka_type_t type) {
  rd_kafka_conf_set_events(configuration.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  rd_kafka_conf_set_log_cb(configuration.get(), ForwardLogLine);
  rd_kafka_conf_set_opaque(configuration.get(), &host);
  KafkaConnections::Watch(configuration.get());
  ErrorText text{};
  ClientHandle client(rd_kafka_new(type, configuration.get(), text.data(), text.size()));
  if (!client) {
    return Fail(ErrorKind::kConfiguration, "librdkafka does not accept the kafka properties: {}",
                View(text));
  }
  static_cast<void>(configuration.release());  // The client owns it now.
  return client;
}

}  // namespace

Result<ConfigurationHandle> BuildConfiguration(const KafkaProperties& properties,
                                               const BatchLimits& limits) {
  const auto resolved = ResolveKafkaProperties(properties);
  if (!resolved) return std::unexpected(resolved.error());
  ConfigurationHandle configuration(rd_kafka_conf_new());
  for (const ResolvedProperty& property : *resolved) {
    if (const auto set = Set(configuration.get(), property); !set) {
      return std::unexpected(set.error());
    }
  }
  if (!FindKafkaProperty(properties, kTokenCommand).empty()) {
    TakeTokensFromProgram(configuration.get());
  }
  if (const auto set = Limit(configuration.get(), "batch.size", limits.bytes_max); !set) {
    return std::unexpected(set.error());
  }
  if (const auto set = Limit(configuration.get(), "batch.num.messages", limits.messages_max);
      !set) {
    return std::unexpected(set.error());
  }
  return configuration;
}

Result<ClientHandle> NewClient(ConfigurationHandle configuration, ClientHost& host,
                               rd_kafka_type_t type) {
  auto client = CreateClient(std::move(configuration), host, type);
  if (client) ServeTokens(client->get());
  return client;
}

Result<void> ValidateKafkaProperties(const KafkaProperties& properties) {
  auto configuration = BuildConfiguration(properties, {});
  if (!configuration) return std::unexpected(configuration.error());
  // Without brokers a client connects to nothing, but a client with OIDC would fetch its token.
  if (FindKafkaProperty(properties, "sasl.oauthbearer.method") == "oidc") return {};
  const ResolvedProperty nowhere{"bootstrap.servers", "", Origin::kOutboxd};
  if (const auto set = Set(configuration->get(), nowhere); !set) {
    return std::unexpected(set.error());
  }
  ClientHost quiet;
  const auto client = CreateClient(*std::move(configuration), quiet, RD_KAFKA_PRODUCER);
  if (!client) return std::unexpected(client.error());
  return {};
}

Result<std::string> WaitForCluster(rd_kafka_t* client, rd_kafka_queue_t* events,
                                   std::string_view bootstrap_servers,
                                   std::chrono::milliseconds timeout, const SinkLog& log) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Collected collected;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int slice_ms =
        Milliseconds(std::clamp(left, std::chrono::milliseconds(0), kErrorLookInterval));
    const std::unique_ptr<char, KafkaDeleter<free>> id(rd_kafka_clusterid(client, slice_ms));
    if (id) return std::string(id.get());
    // With an old broker rd_kafka_clusterid() returns at once, so the pause is here.
    CollectErrors(events, slice_ms / 10, log, collected);
    if (collected.error) {
      return Fail(*collected.error, "kafka brokers {}", bootstrap_servers);
    }
    if (left <= std::chrono::milliseconds(0)) break;
  }
  return Fail(ErrorKind::kUnreachable, "kafka brokers {}: no answer within {} ms{}{}",
              bootstrap_servers, timeout.count(), collected.last_text.empty() ? "" : ": ",
              collected.last_text);
}

std::optional<Error> JudgeErrorEvent(rd_kafka_event_t* event, std::string& text) {
  // Of a fatal error librdkafka puts the code and text of the cause into the event.
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  text = rd_kafka_event_error_string(event);
  if (rd_kafka_event_error_is_fatal(event) != 0) {
    const bool may_not_produce = code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    return Error{IsDenied(code) ? ErrorKind::kDenied : ErrorKind::kProducerLost,
                 fmt::format("{} ({})", text, rd_kafka_err2name(code)),
                 may_not_produce
                     ? "grant this user the operation Write on its topics, before Kafka "
                       "2.8 also IdempotentWrite on the cluster"
                     : ""};
  }
  if (text.contains(kTokenCommand)) {
    if (text.contains(kTokenAgain)) return std::nullopt;
    return Error{ErrorKind::kConfiguration, text};
  }
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    return Error{ErrorKind::kDenied, text,
                 "check sasl.mechanism, sasl.username and the file that sasl.password-file names"};
  }
  return std::nullopt;
}

bool SaysWhy(rd_kafka_event_t* event) {
  return rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

std::string LibraryText() { return fmt::format("librdkafka {}", rd_kafka_version_str()); }

std::string Describe(rd_kafka_resp_err_t code) {
  return fmt::format("{} ({})", rd_kafka_err2str(code), rd_kafka_err2name(code));
}

int Milliseconds(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kMax{std::numeric_limits<int>::max()};
  return static_cast<int>(std::clamp(duration, std::chrono::milliseconds(0), kMax).count());
}

}  // namespace outboxd::sinks
