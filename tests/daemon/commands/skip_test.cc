#include <gtest/gtest.h>

#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

TEST(SkipCommandTest, WithoutTheEventSaysWhyItIsHeldAndOnceWhatToType) {
  const TemporaryDirectory directory;
  Config config;
  config.relay.name = "shop";
  config.relay.state_directory = directory.path();
  ASSERT_TRUE(StateDirectory(directory.path())
                  .WriteHeld({.position = "u:7:1",
                              .id = "evt-1",
                              .table = "shop.outbox",
                              .topic = "t",
                              .reason = "too large",
                              .hint = "raise the limit",
                              .since_us = 1}));
  const auto skipped = SkipCommand(config, CommandLine{});
  ASSERT_FALSE(skipped);
  EXPECT_EQ(skipped.error().kind, ExitCode::kUsage);
  EXPECT_EQ(skipped.error().ToText(),
            "relay shop holds at event u:7:1 (id evt-1) of table shop.outbox: too large HINT:"
            " 'outboxd skip u:7:1' drops this event, and it only");
}

}  // namespace
}  // namespace outboxd
