#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// What a unit of systemd says about the process that it starts, with the settings of
// systemd.exec(5) that outboxd needs to do a command as that process would. Specifiers such as %i
// are replaced; variables such as ${NAME} are not.
struct ServiceUnit {
  // LoadCredential=ID:SOURCE and LoadCredentialEncrypted=ID:SOURCE.
  struct Credential {
    std::string id;
    std::string source;  // A path, or a name that is looked up in the credential stores.
    bool is_encrypted = false;
  };
  // EnvironmentFile=, with "-" in front where the file may be missing.
  struct EnvironmentFile {
    std::string path;  // May hold wildcards.
    bool may_be_missing = false;
  };

  std::string name;                                // "outboxd@shop.service".
  std::vector<std::vector<std::string>> commands;  // Of each ExecStart=, the words.
  std::string user, group;                         // Names or numbers; empty: not set.
  std::vector<std::string> supplementary_groups;
  bool has_dynamic_user = false;
  mode_t file_mode_mask = 0022;   // UMask=.
  std::string working_directory;  // Empty: the root of the file system.

  std::vector<std::string>
      manager_environment;               // What systemd gives to each service: "NAME=VALUE".
  std::vector<std::string> environment;  // Environment=.
  std::vector<EnvironmentFile> environment_files;
  std::vector<std::string> unset_environment;  // "NAME" or "NAME=VALUE".
  // StateDirectory= and its kind, by what a process finds in its environment: "STATE_DIRECTORY"
  // with the folders, each with its whole path.
  std::map<std::string, std::vector<std::string>> directories;

  std::vector<Credential> credentials;
  std::map<std::string, std::string> set_credentials;  // SetCredential=, contents by their id.
  // Settings that this unit uses and that only systemd can follow: "ImportCredential".
  std::vector<std::string> other_credentials;

  [[nodiscard]] bool has_credentials() const {
    return !credentials.empty() || !set_credentials.empty() || !other_credentials.empty();
  }
};

// The units of this machine, as its service manager knows them. One thread.
class ServiceUnits {
 public:
  virtual ~ServiceUnits() = default;

  // The unit with this whole name, whether it runs or not. Of a template every instance is there:
  // whether somebody has ever meant to run it, Names() tells. Waits a few seconds at most.
  // kUsage: there is no such unit, or it is no service; kUnreachable: the service manager cannot be
  // asked.
  [[nodiscard]] virtual Result<ServiceUnit> Find(const std::string& name) = 0;

  // The names of the units of outboxd that it has loaded or knows as enabled, in order.
  // kUnreachable.
  [[nodiscard]] virtual Result<std::vector<std::string>> Names() = 0;
};

// The whole name of the unit that an operator means: "shop" is outboxd@shop.service, "outboxd@shop"
// the same, and what has a dot is a whole name already.
[[nodiscard]] std::string UnitNameOf(std::string_view typed);

// What an operator types for it: the opposite of UnitNameOf().
[[nodiscard]] std::string ShortUnitName(std::string_view name);

}  // namespace outboxd
