#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/kafka/kafka_probe.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/sink_family.h"

namespace outboxd::sinks {

// What hurts later though messages would flow today, each with what mends it. Warnings only.

// Of a topic that is there: acknowledged messages that a failure of one broker loses, a topic that
// stands still while one is away, messages that are too large for it. `broker_count`: how many the
// cluster has; of a single one nothing better can be asked.
[[nodiscard]] std::vector<Finding> AdviceOnTopic(const KafkaProperties& properties,
                                                 const std::string& topic,
                                                 const KafkaTopicFacts& facts,
                                                 std::size_t broker_count);

// None: nothing that leaves this machine can be read on the way.
[[nodiscard]] std::optional<Finding> AdviceOnSecurity(const KafkaProperties& properties);

// The command that changes a setting, as "min.insync.replicas=2".
[[nodiscard]] std::string AlterTopicCommand(const KafkaProperties& properties,
                                            std::string_view topic, std::string_view setting);

}  // namespace outboxd::sinks
