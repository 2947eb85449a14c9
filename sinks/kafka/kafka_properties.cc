#include "sinks/kafka/kafka_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/value_text.h"
#include "sinks/kafka/kafka_token.h"

namespace outboxd::sinks {
namespace {

using Origin = ResolvedProperty::Origin;

struct Rule {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kAcks =
    "a message counts as delivered when all in-sync replicas have it";
constexpr std::string_view kTimeout =
    "a message that times out would be lost; outboxd never gives up";
constexpr std::string_view kRetries = "a message that runs out of retries would be lost";
constexpr std::string_view kReports = "outboxd needs every delivery report";

constexpr auto kGuarantees = std::to_array<Rule>({
    {"acks", kAcks},
    {"request.required.acks", kAcks},
    {"enable.idempotence", "without it a retry could repeat or reorder messages"},
    {"enable.gapless.guarantee", "without it a refused message would be overtaken by later ones"},
    {"message.timeout.ms", kTimeout},
    {"delivery.timeout.ms", kTimeout},
    {"retries", kRetries},
    {"message.send.max.retries", kRetries},
    {"transactional.id", "outboxd chooses it itself where it needs one"},
    {"queuing.strategy", "any other than fifo reorders messages"},
    {"delivery.report.only.error", kReports},
    {"produce.offset.report", kReports},
    {"enabled_events", kReports},
    {"log.queue", "librdkafka's log lines go to outboxd's log"},
    {"allow.auto.create.topics", "topics are created only as the section [topics] says"},
    {"opaque", "it belongs to outboxd"},
    {"default_topic_conf", "it belongs to outboxd"},
    {"msg_order_cmp", "it would reorder messages"},
});

constexpr std::string_view kRunsCode = "it would load and run other code in this process";

constexpr auto kDangerous = std::to_array<Rule>({
    {"plugin.library.paths", kRunsCode},
    {"ssl.engine.location", kRunsCode},
    {"ssl.engine.id", kRunsCode},
    {"ssl.providers", kRunsCode},
    {"ssl_engine_callback_data", kRunsCode},
    {"sasl.kerberos.kinit.cmd", "it is run by a shell"},
    {"interceptors", kRunsCode},
});

constexpr auto kDangerousPrefixes = std::to_array<Rule>({
    {"ssl.engine.", kRunsCode},
    {"test.mock.", "messages would go to a cluster that exists only in this process"},
});

struct Secret {
  std::string_view property;
  std::string_view alias;  // Newer versions of librdkafka know one of them by two names.
};

constexpr auto kSecrets = std::to_array<Secret>({
    {"sasl.password", ""},
    {"ssl.key.password", ""},
    {"ssl.keystore.password", ""},
    {"sasl.oauthbearer.client.secret", "sasl.oauthbearer.client.credentials.client.secret"},
    {"sasl.oauthbearer.assertion.private.key.passphrase", ""},
});

constexpr auto kInlineKeys = std::to_array<Rule>({
    {"ssl.key.pem", "ssl.key.location"},
    {"sasl.oauthbearer.assertion.private.key.pem", "sasl.oauthbearer.assertion.private.key.file"},
});

// librdkafka puts these into the line that it gives to a shell (kinit).
constexpr auto kShellParts = std::to_array<std::string_view>(
    {"sasl.kerberos.principal", "sasl.kerberos.keytab", "sasl.kerberos.service.name"});

constexpr std::size_t kSecretBytesMax = 64 * 1024;
constexpr std::uint64_t kMessageBytesDefault = 1'000'000;  // librdkafka CONFIGURATION.md
constexpr std::uint64_t kQueueKilobytesDefault = 32 * 1024;
// Measured with 400 bytes and 3 headers: 30,000 need 42 MB in all and are as fast as 100,000 with
// 92 MB; librdkafka adds about 600 bytes to each message that its limit in bytes does not count.
constexpr std::uint64_t kQueueMessagesDefault = 30'000;
// librdkafka's own 10 s is what most of the recovery from a broker's restart was spent on.
constexpr std::uint64_t kReconnectMillisecondsMax = 2000;
constexpr std::uint64_t kInFlightMax = 5;  // What the brokers can put back in order (KIP-98).

constexpr std::array<std::string_view, 1> kMessageBytes{"message.max.bytes"};
constexpr std::array<std::string_view, 1> kQueueKilobytes{"queue.buffering.max.kbytes"};
constexpr std::array<std::string_view, 1> kQueueMessages{"queue.buffering.max.messages"};
constexpr std::array<std::string_view, 1> kReconnect{"reconnect.backoff.ms"};
constexpr std::array<std::string_view, 2> kBootstrap{"bootstrap.servers", "metadata.broker.list"};

Failure<ErrorKind> Refuse(std::string_view name, std::string_view reason) {
  return Fail(ErrorKind::kConfiguration, "kafka property {} is not allowed: {}", name, reason);
}

template <typename Rules>
const Rule* FindRule(const Rules& rules, std::string_view name) {
  const auto rule = std::ranges::find(rules, name, &Rule::name);
  return rule == rules.end() ? nullptr : &*rule;
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const Secret* FindSecret(std::string_view name) {
  const auto secret = std::ranges::find_if(kSecrets, [name](const Secret& candidate) {
    return name == candidate.property || (!candidate.alias.empty() && name == candidate.alias);
  });
  return secret == kSecrets.end() ? nullptr : &*secret;
}

const Secret* FindSecretFile(std::string_view name) {
  constexpr std::string_view kSuffix = "-file";
  if (!name.ends_with(kSuffix)) return nullptr;
  return FindSecret(name.substr(0, name.size() - kSuffix.size()));
}

Result<void> CheckName(std::string_view name) {
  if (const Rule* rule = FindRule(kGuarantees, name)) return Refuse(name, rule->reason);
  if (const Rule* rule = FindRule(kDangerous, name)) return Refuse(name, rule->reason);
  for (const Rule& rule : kDangerousPrefixes) {
    if (name.starts_with(rule.name)) return Refuse(name, rule.reason);
  }
  if (name.ends_with("_cb")) return Refuse(name, "a callback cannot be configured");
  if (FindSecret(name) != nullptr) {
    return Fail(ErrorKind::kConfiguration,
                "kafka property {} is not allowed: a secret does not belong in the configuration",
                name)
        .Hint("put it into a file and name that with {}-file", name);
  }
  if (const Rule* rule = FindRule(kInlineKeys, name)) {
    return Fail(ErrorKind::kConfiguration,
                "kafka property {} is not allowed: a private key does not belong in the "
                "configuration",
                name)
        .Hint("put it into a file and name that with {}", rule->reason);
  }
  return {};
}

bool IsShellSafe(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/@:").contains(c);
  });
}

Result<void> CheckValue(std::string_view name, std::string_view value) {
  if (name == "partitioner" && value != "murmur2_random") {
    return Refuse(name,
                  "keys go to the partition that Java clients and Debezium choose, which is "
                  "murmur2_random");
  }
  if (name == "enable.ssl.certificate.verification" && value != "true") {
    return Refuse(name, "anyone on the way could pose as the broker");
  }
  if (name == "ssl.endpoint.identification.algorithm" && value != "https") {
    return Refuse(name, "a certificate issued to any other host would be accepted");
  }
  if (name == "sasl.oauthbearer.token.endpoint.url" && !value.starts_with("https://")) {
    return Refuse(name, "the client's secret would travel unencrypted").Hint("use an https:// URL");
  }
  if (name == "max.in.flight" || name == "max.in.flight.requests.per.connection") {
    const std::optional<std::uint64_t> requests = ParseNumber(value);
    if (requests && *requests > kInFlightMax) {
      return Refuse(name, "above 5 the brokers cannot keep the order of retried messages");
    }
  }
  if (std::ranges::find(kShellParts, name) != kShellParts.end() && !IsShellSafe(value)) {
    return Refuse(name,
                  "its value becomes part of a shell command and holds more than letters, "
                  "digits and ._-/@:");
  }
  return {};
}

Result<std::string> ReadSecret(std::string_view name, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(ErrorKind::kConfiguration, "kafka property {}: cannot read {}", name, path);
  }
  std::string secret(kSecretBytesMax + 1, '\0');
  file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  secret.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || secret.size() > kSecretBytesMax) {
    return Fail(ErrorKind::kConfiguration,
                "kafka property {}: {} is not a file of at most {} bytes", name, path,
                kSecretBytesMax);
  }
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty() || secret.contains('\0')) {
    return Fail(ErrorKind::kConfiguration, "kafka property {}: {} is empty or holds a null byte",
                name, path);
  }
  return secret;
}

Result<std::uint64_t> NumberOf(const KafkaProperties& properties,
                               std::span<const std::string_view> names, std::uint64_t otherwise) {
  const std::string_view text = FindKafkaProperty(properties, names);
  if (text.empty()) return otherwise;
  const std::optional<std::uint64_t> number = ParseNumber(text);
  if (!number) {
    return Fail(ErrorKind::kConfiguration, "kafka property {}: {} is not a number", names[0], text);
  }
  return *number;
}

// The queue bounds the memory, and must take the largest message that is allowed.
Result<std::uint64_t> QueueKilobytes(const KafkaProperties& properties) {
  const auto message_bytes = NumberOf(properties, kMessageBytes, kMessageBytesDefault);
  if (!message_bytes) return std::unexpected(message_bytes.error());
  const std::uint64_t kilobytes_min = (*message_bytes + 1023) / 1024;
  const auto kilobytes =
      NumberOf(properties, kQueueKilobytes, std::max(kQueueKilobytesDefault, kilobytes_min));
  if (!kilobytes) return std::unexpected(kilobytes.error());
  if (*kilobytes < kilobytes_min) {
    return Fail(ErrorKind::kConfiguration,
                "kafka property queue.buffering.max.kbytes: {} cannot hold one message of "
                "message.max.bytes ({})",
                *kilobytes, *message_bytes)
        .Hint("set it to at least {}", kilobytes_min);
  }
  const auto messages = NumberOf(properties, kQueueMessages, kQueueMessagesDefault);
  if (!messages) return std::unexpected(messages.error());
  if (*messages == 0) return Refuse(kQueueMessages[0], "the queue must be bounded");
  return *kilobytes;
}

std::vector<ResolvedProperty> Defaults(std::uint64_t queue_kilobytes,
                                       std::uint64_t reconnect_milliseconds_max) {
  return {
      {"client.id", "outboxd", Origin::kOutboxd},
      {"linger.ms", "0", Origin::kOutboxd},
      {"compression.codec", "lz4", Origin::kOutboxd},
      {"queue.buffering.max.kbytes", std::to_string(queue_kilobytes), Origin::kOutboxd},
      {"queue.buffering.max.messages", std::to_string(kQueueMessagesDefault), Origin::kOutboxd},
      {"socket.keepalive.enable", "true", Origin::kOutboxd},
      {"reconnect.backoff.max.ms", std::to_string(reconnect_milliseconds_max), Origin::kOutboxd},
      {"enable.metrics.push", "false", Origin::kOptional},
  };
}

void AppendGuarantees(std::vector<ResolvedProperty>& resolved) {
  for (const auto& [name, value] : std::to_array<std::pair<const char*, const char*>>({
           {"enable.idempotence", "true"},
           {"acks", "all"},
           {"message.timeout.ms", "0"},  // For ever.
           {"enable.gapless.guarantee", "true"},
           {"partitioner", "murmur2_random"},
           {"allow.auto.create.topics", "false"},
       })) {
    resolved.push_back({name, value, Origin::kOutboxd});
  }
}

// A program that nobody would ask is not what the operator wants.
Result<void> CheckTokenCommand(const KafkaProperties& properties) {
  constexpr std::array<std::string_view, 2> kMechanism{"sasl.mechanism", "sasl.mechanisms"};
  if (FindKafkaProperty(properties, kTokenCommand).empty()) return {};
  if (FindKafkaProperty(properties, kMechanism) != "OAUTHBEARER") {
    return Refuse(kTokenCommand, "only sasl.mechanism = OAUTHBEARER asks for a token");
  }
  for (const std::string_view other : {"sasl.oauthbearer.config", "sasl.oauthbearer.method",
                                       "enable.sasl.oauthbearer.unsecure.jwt"}) {
    if (FindKafkaProperty(properties, other).empty()) continue;
    return Refuse(other, fmt::format("the token comes from {}", kTokenCommand));
  }
  return {};
}

Result<ResolvedProperty> Resolve(const std::string& name, const std::string& value) {
  if (const Secret* secret = FindSecretFile(name)) {
    auto content = ReadSecret(name, value);
    if (!content) return std::unexpected(content.error());
    return ResolvedProperty{std::string(secret->property), *std::move(content), Origin::kSecret};
  }
  if (name == kTokenCommand) {
    if (const auto command = ParseCommand(value); !command) {
      return Fail(command.error().As(ErrorKind::kConfiguration), "kafka property {}", name);
    }
    return ResolvedProperty{"sasl.oauthbearer.config", value, Origin::kOperator};
  }
  if (const auto allowed = CheckName(name); !allowed) return std::unexpected(allowed.error());
  if (const auto allowed = CheckValue(name, value); !allowed) {
    return std::unexpected(allowed.error());
  }
  return ResolvedProperty{name, value, Origin::kOperator};
}

}  // namespace

Result<std::vector<ResolvedProperty>> ResolveKafkaProperties(const KafkaProperties& properties) {
  const auto queue_kilobytes = QueueKilobytes(properties);
  if (!queue_kilobytes) return std::unexpected(queue_kilobytes.error());
  // librdkafka refuses a longest pause below the first one.
  const auto reconnect = NumberOf(properties, kReconnect, 0);
  if (!reconnect) return std::unexpected(reconnect.error());
  std::vector<ResolvedProperty> resolved =
      Defaults(*queue_kilobytes, std::max(kReconnectMillisecondsMax, *reconnect));
  for (const auto& [name, value] : properties) {
    auto property = Resolve(name, value);
    if (!property) return std::unexpected(property.error());
    resolved.push_back(*std::move(property));
  }
  if (const auto good = CheckTokenCommand(properties); !good) {
    return std::unexpected(good.error());
  }
  if (BootstrapServers(properties).empty()) {
    return Fail(ErrorKind::kConfiguration, "kafka property bootstrap.servers is missing")
        .Hint("name one or more brokers, for example kafka-1:9092,kafka-2:9092");
  }
  AppendGuarantees(resolved);
  return resolved;
}

std::vector<std::string_view> KafkaSecretFileProperties() {
  return {"sasl.password-file", "ssl.key.password-file", "ssl.keystore.password-file",
          "sasl.oauthbearer.client.secret-file",
          "sasl.oauthbearer.assertion.private.key.passphrase-file"};
}

bool IsCredential(std::string_view name) {
  return name.starts_with("sasl.") || name.starts_with("ssl.") || name.starts_with("https.");
}

bool NamesFile(std::string_view name) {
  const auto ends = [name](std::string_view end) { return name.ends_with(end); };
  return IsCredential(name) &&
         (ends(".location") || ends("-file") || ends(".file") || ends(".keytab"));
}

std::string_view FindKafkaProperty(const KafkaProperties& properties,
                                   std::span<const std::string_view> names) {
  for (auto property = properties.rbegin(); property != properties.rend(); ++property) {
    if (std::ranges::find(names, property->first) != names.end()) return property->second;
  }
  return {};
}

std::uint64_t MessageBytesMax(const KafkaProperties& properties) {
  return NumberOf(properties, kMessageBytes, kMessageBytesDefault).value_or(kMessageBytesDefault);
}

std::string_view BootstrapServers(const KafkaProperties& properties) {
  return FindKafkaProperty(properties, kBootstrap);
}

}  // namespace outboxd::sinks
