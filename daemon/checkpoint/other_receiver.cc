#include "daemon/checkpoint/other_receiver.h"

#include <fmt/format.h>

namespace outboxd {

Error OtherReceiverError(const sinks::SinkWords& words, const std::string& known,
                         const std::string& found) {
  if (found.empty()) {
    return {ExitCode::kCheckpoint,
            fmt::format("the checkpoint is for a sink with the identity {}, but messages now go {}",
                        known, words.destination),
            fmt::format("mend {}; if the relay is to go on there, run 'outboxd position set keep'",
                        words.address_key)};
  }
  return {ExitCode::kCheckpoint,
          fmt::format("the checkpoint is for {} {}, but {} leads to {}", words.identity, known,
                      words.address_key, found),
          fmt::format("mend {}; if the relay is to go on with the new one, run 'outboxd position"
                      " set keep'",
                      words.address_key)};
}

}  // namespace outboxd
