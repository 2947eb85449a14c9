#include "daemon/preparation/log_readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kNumber = 0x40000001;

binlog::RelayAttributes Shop() { return {"shop", kNumber, "shop.outbox,eu.outbox"}; }

std::vector<Finding> Check(const binlog::LogReaders& readers, std::uint32_t server_id = 1) {
  return CheckLogReaders(Shop(), readers, server_id);
}

TEST(LogReadersTest, ARelayOfAnotherNameOnTheSameTableIsTold) {
  const auto findings = Check({.relays = {{"copy", 7, "other.t,shop.outbox"}}});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].level, Finding::Level::kWarning);
  EXPECT_THAT(findings[0].found, HasSubstr("relay 'copy' reads event table shop.outbox of this"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("stop one of the two"));
}

TEST(LogReadersTest, SoIsOneWhosePatternFitsIt) {
  const auto findings = Check({.relays = {{"all", 7, "*.outbox"}}});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_THAT(findings[0].found, HasSubstr("shop.outbox (it says *.outbox) of this server too"));
}

TEST(LogReadersTest, ARelayOfOtherTablesIsNoNews) {
  EXPECT_THAT(Check({.relays = {{"us", 7, "us.outbox"}}}), IsEmpty());
}

TEST(LogReadersTest, TheRelayItselfIsNoOther) {
  EXPECT_THAT(Check({.relays = {Shop(), Shop()}}), IsEmpty());
}

TEST(LogReadersTest, ARelayWithSeveralConnectionsIsToldOnce) {
  EXPECT_THAT(Check({.relays = {{"copy", 7, "shop.outbox"}, {"copy", 7, "shop.outbox"}}}),
              SizeIs(1));
}

TEST(LogReadersTest, WhoHasTheRelaysNumberIsTold) {
  const auto relay = Check({.relays = {{"us", kNumber, "us.outbox"}}});
  ASSERT_THAT(relay, SizeIs(1));
  EXPECT_THAT(relay[0].found, HasSubstr("1073741825 is the server_id of relay 'us' too"));
  const auto replica = Check({.replicas = {{kNumber, "db2"}, {8, "db3"}}});
  ASSERT_THAT(replica, SizeIs(1));
  EXPECT_THAT(replica[0].found, HasSubstr("of a replica at db2 too"));
  const auto server = Check({}, kNumber);
  ASSERT_THAT(server, SizeIs(1));
  EXPECT_THAT(server[0].found, HasSubstr("of this server itself"));
}

TEST(LogReadersTest, WhatARelaySaysOfItselfFitsIntoWhatAServerKeeps) {
  binlog::RelayAttributes long_one{std::string(100, 'r'), kNumber, ""};
  for (int i = 0; i < 100; ++i) long_one.tables += "schema" + std::to_string(i) + ".outbox,";
  std::size_t bytes = 0;
  for (const auto& [name, value] : binlog::ConnectionAttributesOf(long_one)) {
    bytes += name.size() + value.size() + 2;
    EXPECT_FALSE(value.ends_with(',') || value.ends_with("outbo")) << value;
  }
  EXPECT_LT(bytes, 350U);
}

}  // namespace
}  // namespace outboxd
