#pragma once

#include <span>

#include "sinks/error.h"
#include "sinks/kafka/kafka_sink_options.h"
#include "sinks/sink_family.h"

namespace outboxd::sinks {

// What the configuration says to Kafka's family.

// Every key of [kafka], and those of [topics] that are Kafka's.
[[nodiscard]] std::span<const SettingKey> KafkaSettingKeys();

// Whether the value of one of them can be right. Properties of [kafka] are judged as a whole, when
// a sink is made. kConfiguration.
[[nodiscard]] Result<void> CheckKafkaSetting(const Setting& setting);

// kConfiguration: a value of [topics] is wrong.
[[nodiscard]] Result<KafkaSinkOptions> KafkaSinkOptionsOf(SinkRequest request);

}  // namespace outboxd::sinks
