#pragma once

#include "daemon/migration/config_draft.h"
#include "daemon/migration/taken_options.h"

namespace outboxd {

// Adds the section [kafka] to `draft`: the brokers, and the options of the producer that Kafka
// Connect would have. If the connector says how topics are created, [topics] too.
void AddKafkaConfig(TakenOptions& options, ConfigDraft& draft);

}  // namespace outboxd
