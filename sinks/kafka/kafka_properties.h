#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/error.h"

namespace outboxd::sinks {

// librdkafka's properties as the operator wrote them, in order; of two with one name the later
// holds. Secrets come as the name of a file: "sasl.password-file" and the like.
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// Bounds on one batch that were learnt from refusals; none: as configured.
struct BatchLimits {
  std::optional<std::size_t> bytes_max;
  std::optional<std::size_t> messages_max;
};

struct ResolvedProperty {
  enum class Origin {
    kOutboxd,   // Ours; librdkafka must know it.
    kOptional,  // Ours; older versions of librdkafka may lack it.
    kOperator,  // From the configuration.
    kSecret,    // From a file; the value must not reach a message.
  };

  std::string name;
  std::string value;
  Origin origin;
};

// What is to be set, in order: outboxd's defaults, the operator's properties, then what the
// guarantees rest on. Reads the secrets' files. kConfiguration: a property that would break a
// guarantee, that is dangerous, or a secret that is not in a file; the message says why.
[[nodiscard]] Result<std::vector<ResolvedProperty>> ResolveKafkaProperties(
    const KafkaProperties& properties);

// The whole check of the operator's properties: the above, and whether the librdkafka of this
// machine takes them. An unknown one is answered with the nearest that is known. Opens no
// connection.
[[nodiscard]] Result<void> ValidateKafkaProperties(const KafkaProperties& properties);

// The names that only outboxd knows: "sasl.password-file" and the like.
[[nodiscard]] std::vector<std::string_view> KafkaSecretFileProperties();

// Whether a property says who the client is or how that is proved: SASL, TLS.
[[nodiscard]] bool IsCredential(std::string_view name);
// Whether it is one that names a file with a part of that.
[[nodiscard]] bool NamesFile(std::string_view name);

// The last value of a property and its aliases; empty when it is not set.
[[nodiscard]] std::string_view FindKafkaProperty(const KafkaProperties& properties,
                                                 std::span<const std::string_view> names);

[[nodiscard]] inline std::string_view FindKafkaProperty(const KafkaProperties& properties,
                                                        std::string_view name) {
  return FindKafkaProperty(properties, std::span(&name, 1));
}

// "host:9092,host2:9092": bootstrap.servers, for messages and hints.
[[nodiscard]] std::string_view BootstrapServers(const KafkaProperties& properties);
// The largest message that the client lets through; of properties that are valid.
[[nodiscard]] std::uint64_t MessageBytesMax(const KafkaProperties& properties);

}  // namespace outboxd::sinks
