#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/error.h"
#include "daemon/service/service_unit.h"

namespace outboxd {

// Where credentials of units are found on this machine; others than these only in tests.
struct CredentialPlaces {
  // A unit's that runs, in a folder with its name: what its process reads.
  std::string of_running_units = "/run/credentials";
  // What systemd was given itself, and then its stores, in the order in which systemd looks for a
  // LoadCredential= whose source is a name: src/core/execute.c, credential_search_path().
  std::vector<std::string> stores = {"/run/credentials/@system", "/etc/credstore", "/run/credstore",
                                     "/usr/local/lib/credstore", "/usr/lib/credstore"};
  // Before those, for LoadCredentialEncrypted=.
  std::vector<std::string> encrypted_stores = {
      "/run/credentials/@encrypted", "/etc/credstore.encrypted", "/run/credstore.encrypted",
      "/usr/local/lib/credstore.encrypted", "/usr/lib/credstore.encrypted"};
  std::string decrypting_program = "systemd-creds";
};

// The contents of credentials by their names.
using Credentials = std::map<std::string, std::string>;

// The folder with the credentials of a unit that runs; none: it does not run, has none, or this
// user may not read them.
[[nodiscard]] std::optional<std::string> RunningCredentials(const ServiceUnit& unit,
                                                            const CredentialPlaces& places);

// What the unit's process finds in its CREDENTIALS_DIRECTORY: of a unit that runs what it was
// given, otherwise what it would be given now. Who calls it is root, as a rule. It starts a program
// for each encrypted credential and waits for it; SIGCHLD must not be ignored.
// kConfiguration: a file that the unit names is missing or cannot be read or decrypted, or only
// systemd itself can make a credential of this unit. kState: no program can be started.
[[nodiscard]] Result<Credentials> CredentialsOf(const ServiceUnit& unit,
                                                const CredentialPlaces& places);

}  // namespace outboxd
