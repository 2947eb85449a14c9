#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/error.h"
#include "daemon/service/service_unit.h"

namespace outboxd {

// The account that a service works under.
struct ServiceAccount {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> supplementary_groups;
  std::string name;  // Of the user; its number, where it has none.
  std::string home;  // Empty: not known.
};

// That of the unit's process: User=, and Group= or else the user's own; root where the unit names
// nobody. With DynamicUser= it is root, too: such a user has no account while the unit does not
// run, and only within the unit it reaches the folders that belong to it.
// kConfiguration: this machine has no such user or group.
[[nodiscard]] Result<ServiceAccount> AccountOf(const ServiceUnit& unit);

// Makes this process one of the account, for ever: no program that it starts gains anything, its
// groups, group and user are those of the account, and it is tested that it cannot go back. Who is
// not root has to be the account's user already, and keeps the groups that it has. For a process
// with one thread.
// kDenied: the system refuses; the process must end then, for it may be half of each account.
[[nodiscard]] Result<void> BecomeForEver(const ServiceAccount& account);

}  // namespace outboxd
