#include "daemon/service/service_account.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/escaped.h"
#include "base/value_text.h"

namespace outboxd {
namespace {

std::optional<uid_t> NumberOf(std::string_view text) {
  const auto number = ParseDigits(text);
  if (!number || *number > std::numeric_limits<uid_t>::max()) return std::nullopt;
  return static_cast<uid_t>(*number);
}

Result<gid_t> GroupOf(const ServiceUnit& unit, const std::string& name) {
  if (const auto number = NumberOf(name)) return *number;
  const group* const found = ::getgrnam(name.c_str());
  if (found == nullptr) {
    return Fail(ExitCode::kConfiguration, "this machine has no group '{}', which unit {} names",
                Escaped(name), unit.name);
  }
  return found->gr_gid;
}

// The user with its own group; its groups are not set yet.
Result<ServiceAccount> UserOf(const ServiceUnit& unit) {
  const auto number = NumberOf(unit.user);
  const passwd* const found =
      number ? ::getpwuid(*number) : ::getpwnam(unit.user.empty() ? "root" : unit.user.c_str());
  if (found != nullptr) {
    return ServiceAccount{found->pw_uid, found->pw_gid, {}, found->pw_name, found->pw_dir};
  }
  if (number) return ServiceAccount{*number, *number, {}, unit.user, ""};
  if (unit.user.empty()) return ServiceAccount{0, 0, {}, "root", "/root"};
  return Fail(ExitCode::kConfiguration, "this machine has no user '{}', which unit {} names",
              Escaped(unit.user), unit.name)
      .Hint("useradd --system --no-create-home {}", Escaped(unit.user));
}

// Those of the group database, as initgroups(3) would set them.
std::vector<gid_t> GroupsOf(const ServiceAccount& account) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(account.name.c_str(), account.group, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(account.name.c_str(), account.group, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::unexpected<Error> Refused(const ServiceAccount& account, std::string_view step) {
  const int error = errno;
  return Fail(ExitCode::kDenied, "cannot go on as user '{}': {}: {}", Escaped(account.name), step,
              std::system_category().message(error));
}

Result<void> CheckForEver(const ServiceAccount& account) {
  uid_t user = 0, effective_user = 0, saved_user = 0;
  gid_t group = 0, effective_group = 0, saved_group = 0;
  if (::getresuid(&user, &effective_user, &saved_user) != 0 ||
      ::getresgid(&group, &effective_group, &saved_group) != 0) {
    return Refused(account, "getresuid");
  }
  const bool is_user = user == account.user && effective_user == user && saved_user == user;
  const bool is_group = effective_group == group && saved_group == group;
  errno = EPERM;
  if (!is_user || !is_group) return Refused(account, "the system kept another one");
  if (account.user != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0)) {
    return Refused(account, "it could become root again");
  }
  return {};
}

}  // namespace

Result<ServiceAccount> AccountOf(const ServiceUnit& unit) {
  ServiceUnit static_unit = unit;
  if (unit.has_dynamic_user) static_unit.user = static_unit.group = "";
  auto account = UserOf(static_unit);
  if (!account) return account;
  if (!static_unit.group.empty()) {
    const auto group = GroupOf(unit, static_unit.group);
    if (!group) return std::unexpected(group.error());
    account->group = *group;
  }
  account->supplementary_groups = GroupsOf(*account);
  for (const std::string& name : unit.supplementary_groups) {
    const auto group = GroupOf(unit, name);
    if (!group) return std::unexpected(group.error());
    account->supplementary_groups.push_back(*group);
  }
  return account;
}

Result<void> BecomeForEver(const ServiceAccount& account) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Refused(account, "no_new_privs");
  if (::geteuid() == 0) {
    // Groups first: who is no longer root may not set them.
    if (::setgroups(account.supplementary_groups.size(), account.supplementary_groups.data()) !=
        0) {
      return Refused(account, "setgroups");
    }
    if (::setresgid(account.group, account.group, account.group) != 0) {
      return Refused(account, "setresgid");
    }
    if (::setresuid(account.user, account.user, account.user) != 0) {
      return Refused(account, "setresuid");
    }
  }
  return CheckForEver(account);
}

}  // namespace outboxd
