#include "daemon/commands/recorded_action.h"

#include "daemon/checkpoint/action_log.h"
#include "daemon/service/clock.h"
#include "daemon/service/person.h"

namespace outboxd {

Result<void> RecordAction(const Config& config, const std::string& what, const std::string& of,
                          const std::string& text) {
  return ActionLog(config.relay.state_directory)
      .Record({.at_us = SystemClock().WallMicroseconds(),
               .by = PersonName(),
               .what = what,
               .of = of,
               .text = text});
}

}  // namespace outboxd
