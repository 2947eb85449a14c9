#pragma once

#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "daemon/commands/command_line.h"
#include "daemon/error.h"
#include "daemon/service/service_unit.h"
#include "daemon/service/unit_credentials.h"

namespace outboxd {

// Of the machine and of who types; others than these only in tests.
struct UnitCommandPlaces {
  std::string private_folders = "/run";  // Where a folder with credentials is made, in memory.
  CredentialPlaces credentials;
  uid_t caller = ::geteuid();
};

// Does a command with --unit: as if it were typed by the service's user, in the environment that
// the service has, with the --config and the keys of the unit's ExecStart=. `command` does it: it
// is called in a process of its own, with a command line that has no --unit, as that user for
// ever, and returns the exit code. It prints its own errors and must not throw.
//
// A command that asks a server finds the unit's credentials under CREDENTIALS_DIRECTORY, in a
// private folder that is removed at the end, however the command ends. For the others the variable
// is set and nothing is read.
//
// Waits until the command has ended. Where it ended with another code than 0, that is the error,
// with an empty message, as there is nothing more to print. kUsage: no such unit; kDenied: the
// caller is neither root nor the service's user, or root's files are needed; kUnreachable: systemd
// cannot be asked; kConfiguration: the unit starts no relay, or names what is not there; kState: no
// folder or no process can be made.
[[nodiscard]] Result<void> UnitCommand(const CommandLine& line, ServiceUnits& units,
                                       const UnitCommandPlaces& places,
                                       const std::function<int(const CommandLine&)>& command);

// The keys of the configuration as `given` on top of those `of_unit`: a key that stands in both
// counts as given, with all its values. Both as CommandLine::overrides has them.
[[nodiscard]] std::vector<std::string> OverridesOnTop(const std::vector<std::string>& of_unit,
                                                      const std::vector<std::string>& given);

}  // namespace outboxd
