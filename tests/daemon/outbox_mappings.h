#pragma once

#include <string>
#include <vector>

#include "binlog/table_filter.h"
#include "daemon/mapping/outbox_mapping.h"

namespace outboxd {

// The one event table of a relay under test, shop.outbox, as configuration makes it.

inline std::vector<OutboxMapping> OutboxMappings() {
  OutboxConfig config;
  config.payload = "payload";
  std::vector<OutboxMapping> mappings;
  mappings.push_back(OutboxMapping::Compile(config).value());
  return mappings;
}

inline std::vector<binlog::TableSelection> OutboxSelections(bool takes_updates) {
  binlog::TableSelection selection;
  selection.schema_pattern = "shop";
  selection.table_pattern = "outbox";
  selection.columns = OutboxMappings()[0].columns();
  selection.takes_updates = takes_updates;
  return {selection};
}

}  // namespace outboxd
