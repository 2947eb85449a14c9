#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"
#include "daemon/migration/properties_file.h"

namespace outboxd {

struct ImportedConfig {
  std::string text;  // An INI file; each option that is not carried over stands at its end.
  // What the operator has to do or to know, one sentence each. They stand in `text` too.
  std::vector<std::string> notes;
  // Of the notes those without which no relay can run.
  std::vector<std::string> missing;
};

// The configuration of a relay that writes what a Debezium MySQL connector with the Outbox Event
// Router writes. `worker` holds the options of its Connect worker, where known: converters and the
// brokers' addresses stand there. No option is passed over: what has no key is named with the
// reason, and so is what is not known. Values that are secret are never part of the result.
// kConfiguration: no connector for MySQL, or none with the Outbox Event Router.
[[nodiscard]] Result<ImportedConfig> ImportDebeziumConfig(const Properties& connector,
                                                          const Properties& worker);

}  // namespace outboxd
