#pragma once

#include <string>
#include <vector>

#include "sinks/message.h"

namespace outboxd {

struct MappingParts;

// How one part of a message came about.
struct ExplainedPart {
  std::string part;     // "topic", "header x", ...
  std::string setting;  // As the configuration or the preset words it.
  std::string value;    // For people: escaped.
};

// All parts of a message that `parts` made, in the order in which people read them.
[[nodiscard]] std::vector<ExplainedPart> ExplainMessage(const MappingParts& parts,
                                                        const sinks::Message& message);

}  // namespace outboxd
