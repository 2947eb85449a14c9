#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/error.h"
#include "daemon/service/service_unit.h"

namespace outboxd {

// Variables of an environment with their values.
using Environment = std::map<std::string, std::string>;

// What the unit's process finds in its environment and a configuration may name: what systemd gives
// to every service, the folders such as STATE_DIRECTORY, CREDENTIALS_DIRECTORY, Environment= and
// EnvironmentFile= in this order, of which the last one counts, without UnsetEnvironment=. What
// systemd gives for one run only, such as INVOCATION_ID, is not there.
// `credentials_folder`: none where the unit has no credentials.
// kConfiguration: a file that has to be there cannot be read.
[[nodiscard]] Result<Environment> EnvironmentOf(
    const ServiceUnit& unit, const std::optional<std::string>& credentials_folder);

// The words of a command line with their variables replaced, as systemd.service(5) says for
// ExecStart=: ${NAME} anywhere in a word, $NAME as a word by itself, which becomes as many words as
// it has, and "$$" for a dollar sign. A variable that is not set is empty.
[[nodiscard]] std::vector<std::string> ExpandWords(const std::vector<std::string>& words,
                                                   const Environment& environment);

// Makes it the environment of this process. Of the one that it had, only what says how to print
// stays: the operator's language, time zone and terminal. No other thread may be running.
void ReplaceEnvironment(const Environment& environment);

}  // namespace outboxd
