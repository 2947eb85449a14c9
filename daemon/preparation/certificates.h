#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// Certificates that end: with them a relay that runs well stops to do so, on a day that is known.

// Warns a month before, and afterwards. `whose`: "that of the server". `end` and `now_us`: since
// the epoch. None: it is good for longer.
[[nodiscard]] std::optional<Finding> EndOfCertificate(std::string_view whose,
                                                      std::chrono::seconds end,
                                                      std::uint64_t now_us,
                                                      const std::string& remedy);

// Of all certificates in the files that the configuration names, authorities among them. A file
// that cannot be read is left to whoever needs it.
[[nodiscard]] std::vector<Finding> CheckCertificateFiles(const Config& config,
                                                         std::uint64_t now_us);

}  // namespace outboxd
