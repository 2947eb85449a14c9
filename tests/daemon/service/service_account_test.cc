#include "daemon/service/service_account.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/daemon/forked.h"

namespace outboxd {
namespace {

using testing::Contains;
using testing::HasSubstr;

ServiceUnit UnitOf(const std::string& user, const std::string& group = "") {
  ServiceUnit unit;
  unit.name = "outboxd@shop.service";
  unit.user = user;
  unit.group = group;
  return unit;
}

TEST(ServiceAccountTest, AUserHasItsOwnGroupUnlessTheUnitNamesOne) {
  const passwd nobody = *getpwnam("nobody");
  const auto account = AccountOf(UnitOf("nobody"));
  ASSERT_TRUE(account);
  EXPECT_EQ(account->user, nobody.pw_uid);
  EXPECT_EQ(account->group, nobody.pw_gid);
  EXPECT_EQ(account->name, "nobody");
  EXPECT_EQ(AccountOf(UnitOf("nobody", "daemon"))->group, getgrnam("daemon")->gr_gid);
}

TEST(ServiceAccountTest, UsersAndGroupsMayBeNumbers) {
  const auto account = AccountOf(UnitOf("54321", "54322"));
  ASSERT_TRUE(account);
  EXPECT_EQ(account->user, 54321u);
  EXPECT_EQ(account->group, 54322u);
  EXPECT_EQ(AccountOf(UnitOf(std::to_string(getpwnam("nobody")->pw_uid)))->name, "nobody");
}

TEST(ServiceAccountTest, SupplementaryGroupsAreThoseOfTheUserAndOfTheUnit) {
  ServiceUnit unit = UnitOf("nobody");
  unit.supplementary_groups = {"daemon", "54323"};
  const auto groups = AccountOf(unit)->supplementary_groups;
  EXPECT_THAT(groups, Contains(getpwnam("nobody")->pw_gid));
  EXPECT_THAT(groups, Contains(getgrnam("daemon")->gr_gid));
  EXPECT_THAT(groups, Contains(54323u));
}

TEST(ServiceAccountTest, WithoutAUserAndWithADynamicOneItIsRoot) {
  EXPECT_EQ(AccountOf(UnitOf(""))->user, 0u);
  ServiceUnit dynamic = UnitOf("no-such-user", "no-such-group");
  dynamic.has_dynamic_user = true;
  EXPECT_EQ(AccountOf(dynamic)->user, 0u);
  EXPECT_EQ(AccountOf(dynamic)->group, 0u);
}

TEST(ServiceAccountTest, AUserOrGroupThatDoesNotExistIsNamed) {
  ServiceUnit supplementary = UnitOf("nobody");
  supplementary.supplementary_groups = {"no-such-name"};
  for (const ServiceUnit& unit :
       {UnitOf("no-such-name"), UnitOf("nobody", "no-such-name"), supplementary}) {
    const auto account = AccountOf(unit);
    ASSERT_FALSE(account);
    EXPECT_EQ(account.error().kind, ExitCode::kConfiguration);
    EXPECT_THAT(account.error().message, HasSubstr("'no-such-name'"));
    EXPECT_THAT(account.error().message, HasSubstr("outboxd@shop.service"));
  }
}

class BecomeForEverTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  }
};

TEST_F(BecomeForEverTest, NoWayLeadsBack) {
  ServiceUnit unit = UnitOf("nobody", "daemon");
  unit.supplementary_groups = {"54323"};
  const auto account = AccountOf(unit);
  EXPECT_EQ(CodeOfFork([&] {
              if (!BecomeForEver(*account)) return 1;
              uid_t users[3] = {};
              gid_t groups[3] = {};
              getresuid(&users[0], &users[1], &users[2]);
              getresgid(&groups[0], &groups[1], &groups[2]);
              if (std::ranges::count(users, account->user) != 3) return 2;
              if (std::ranges::count(groups, account->group) != 3) return 3;
              if (setuid(0) == 0 || setgid(0) == 0 || setgroups(0, nullptr) == 0) return 4;
              if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 5;
              std::vector<gid_t> held(64);
              held.resize(static_cast<std::size_t>(getgroups(64, held.data())));
              std::ranges::sort(held);
              auto wanted = account->supplementary_groups;
              std::ranges::sort(wanted);
              return held == wanted ? 0 : 6;
            }),
            0);
}

TEST_F(BecomeForEverTest, RootStaysRootForAUnitWithoutAUser) {
  const auto account = AccountOf(UnitOf(""));
  EXPECT_EQ(CodeOfFork([&] { return BecomeForEver(*account) && geteuid() == 0 ? 0 : 1; }), 0);
}

TEST_F(BecomeForEverTest, WhoIsNeitherRootNorThatUserIsRefused) {
  const auto nobody = AccountOf(UnitOf("nobody"));
  const auto daemon = AccountOf(UnitOf("daemon"));
  EXPECT_EQ(CodeOfFork([&] {
              if (!BecomeForEver(*nobody)) return 1;
              if (!BecomeForEver(*nobody)) return 2;
              const auto became = BecomeForEver(*daemon);
              return !became && became.error().kind == ExitCode::kDenied ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace outboxd
