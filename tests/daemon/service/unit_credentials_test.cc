#include "daemon/service/unit_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class UnitCredentialsTest : public testing::Test {
 protected:
  UnitCredentialsTest() {
    for (const char* folder : {"run", "first", "second", "encrypted"}) {
      std::filesystem::create_directory(directory_ / folder);
    }
    places_.of_running_units = directory_ / "run";
    places_.stores = {directory_ / "first", directory_ / "second"};
    places_.encrypted_stores = {directory_ / "encrypted"};
    unit_.name = "outboxd@shop.service";
  }

  void LoadCredential(const std::string& id, const std::string& source) {
    unit_.credentials.push_back({id, source, false});
  }
  void LoadCredentialEncrypted(const std::string& id, const std::string& source) {
    unit_.credentials.push_back({id, source, true});
  }
  // Stands for systemd-creds: prints what is made of its arguments, which are checked.
  void DecryptBy(const std::string& script) {
    directory_.Write("decrypt", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(directory_ / "decrypt", std::filesystem::perms::owner_all);
    places_.decrypting_program = directory_ / "decrypt";
  }
  void MakeSocket(const std::string& name) const {
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(directory_ / name, address.sun_path);
    EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(listener);
  }
  void Run(const std::string& name, const std::string& contents) const {
    std::filesystem::create_directory(directory_ / "run/outboxd@shop.service");
    directory_.Write("run/outboxd@shop.service/" + name, contents);
  }
  Credentials Read() const { return CredentialsOf(unit_, places_).value(); }
  Error Failed() const {
    const auto credentials = CredentialsOf(unit_, places_);
    EXPECT_FALSE(credentials);
    return credentials ? Error{} : credentials.error();
  }

  TemporaryDirectory directory_;
  CredentialPlaces places_;
  ServiceUnit unit_;
};

TEST_F(UnitCredentialsTest, OfARunningUnitAreWhatItWasGiven) {
  directory_.Write("source", "changed since");
  LoadCredential("mysql-password", directory_ / "source");
  Run("mysql-password", "given");
  EXPECT_THAT(Read(), ElementsAre(Pair("mysql-password", "given")));
  EXPECT_EQ(RunningCredentials(unit_, places_), directory_ / "run/outboxd@shop.service");
}

TEST_F(UnitCredentialsTest, OfAnotherUnitComeFromTheirSources) {
  directory_.Write("source", std::string("a\0b\n", 4));
  LoadCredential("mysql-password", directory_ / "source");
  EXPECT_THAT(Read(), ElementsAre(Pair("mysql-password", std::string("a\0b\n", 4))));
  EXPECT_EQ(RunningCredentials(unit_, places_), std::nullopt);
}

TEST_F(UnitCredentialsTest, ANameIsLookedUpInTheStoresInTheirOrder) {
  directory_.Write("first/both", "1");
  directory_.Write("second/both", "2");
  directory_.Write("second/one", "3");
  LoadCredential("a", "both");
  LoadCredential("b", "one");
  EXPECT_THAT(Read(), ElementsAre(Pair("a", "1"), Pair("b", "3")));
}

TEST_F(UnitCredentialsTest, OfAFolderEachFileIsOneButNoLink) {
  std::filesystem::create_directories(directory_ / "source/below");
  directory_.Write("source/user", "1");
  directory_.Write("source/below/password", "2");
  std::filesystem::create_symlink("user", directory_ / "source/link");
  LoadCredential("mysql", directory_ / "source");
  EXPECT_THAT(Read(), ElementsAre(Pair("mysql_below_password", "2"), Pair("mysql_user", "1")));
}

TEST_F(UnitCredentialsTest, EncryptedOnesAreDecryptedUnderTheirName) {
  DecryptBy(R"(printf '%s|' "$@"; cat "$3")");
  directory_.Write("source", "cipher");
  LoadCredentialEncrypted("mysql-password", directory_ / "source");
  EXPECT_THAT(Read(), ElementsAre(Pair("mysql-password", "decrypt|--name=mysql-password|" +
                                                             directory_ / "source" + "|-|cipher")));
}

TEST_F(UnitCredentialsTest, AnEncryptedNameIsLookedUpInItsOwnStoresFirst) {
  DecryptBy(R"(cat "$3")");
  directory_.Write("encrypted/both", "1");
  directory_.Write("first/both", "2");
  directory_.Write("second/one", "3");
  LoadCredentialEncrypted("a", "both");
  LoadCredentialEncrypted("b", "one");
  EXPECT_THAT(Read(), ElementsAre(Pair("a", "1"), Pair("b", "3")));
}

TEST_F(UnitCredentialsTest, WhatCannotBeDecryptedIsNamed) {
  DecryptBy("exit 7");
  directory_.Write("source", "cipher");
  LoadCredentialEncrypted("mysql-password", directory_ / "source");
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Failed().message, HasSubstr("credential 'mysql-password'"));
  EXPECT_THAT(Failed().message, HasSubstr("failed with code 7"));
}

TEST_F(UnitCredentialsTest, ContentsOfTheUnitCountWhereNoSourceIsThere) {
  directory_.Write("source", "loaded");
  unit_.set_credentials = {{"a", "set a"}, {"b", "set b"}, {"c", "set c"}};
  LoadCredential("a", directory_ / "source");
  LoadCredential("b", directory_ / "nothing");
  EXPECT_THAT(Read(), ElementsAre(Pair("a", "loaded"), Pair("b", "set b"), Pair("c", "set c")));
}

TEST_F(UnitCredentialsTest, AMissingFileIsNamed) {
  LoadCredential("mysql-password", directory_ / "nothing");
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_EQ(Failed().message, "credential 'mysql-password' of unit outboxd@shop.service: " +
                                  directory_ / "nothing is missing");
  LoadCredentialEncrypted("mysql-password", directory_ / "nothing");
  std::swap(unit_.credentials.front(), unit_.credentials.back());
  EXPECT_THAT(Failed().message, HasSubstr(directory_ / "nothing is missing"));
}

TEST_F(UnitCredentialsTest, AMissingNameIsNamedWithTheStores) {
  LoadCredential("mysql-password", "nothing");
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Failed().message, HasSubstr("nothing is in none of " + directory_ / "first"));
}

TEST_F(UnitCredentialsTest, AFileThatCannotBeReadIsNamed) {
  directory_.Write("large", std::string((1u << 20) + 1, 'x'));
  LoadCredential("mysql-password", directory_ / "large");
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Failed().message, HasSubstr(directory_ / "large: longer than"));
}

TEST_F(UnitCredentialsTest, ASocketIsLeftToSystemd) {
  MakeSocket("socket");
  LoadCredential("mysql-password", directory_ / "socket");
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Failed().message, HasSubstr("only systemd asks it"));
}

TEST_F(UnitCredentialsTest, WhatOnlySystemdCanReadIsThereWhileTheUnitRuns) {
  unit_.other_credentials = {"ImportCredential"};
  EXPECT_EQ(Failed().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Failed().message, HasSubstr("ImportCredential"));
  EXPECT_NE(Failed().hint, "");
  Run("mysql-password", "given");
  EXPECT_THAT(Read(), ElementsAre(Pair("mysql-password", "given")));
}

TEST_F(UnitCredentialsTest, AUnitWithoutCredentialsHasNone) {
  EXPECT_FALSE(unit_.has_credentials());
  EXPECT_THAT(Read(), IsEmpty());
}

}  // namespace
}  // namespace outboxd
