#include "daemon/commands/checkpoint_text.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(CheckpointTextTest, ATimeIsInUtcAndNoTimeADash) {
  EXPECT_EQ(KnownTimeText(1'760'000'000'999'999), "2025-10-09 08:53:20 UTC");
  EXPECT_EQ(KnownTimeText(0), "-");
}

TEST(CheckpointTextTest, ShowsAllOfACheckpoint) {
  Checkpoint checkpoint;
  checkpoint.relay = "shop";
  checkpoint.server_uuid = "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002";
  checkpoint.sink = "4L6g3nShT-eMCtK--X86sw";
  checkpoint.tables = {"shop.outbox", "tenant_*.outbox"};
  checkpoint.position.gtids =
      binlog::GtidSet::Parse("9c3a6f2e-1d4b-11f0-8a5e-0242ac120002:1-5").value();
  checkpoint.position.file = "binlog.000007";
  checkpoint.position.offset = 5'000'000'000;
  checkpoint.last_commit_us = 1'760'000'000'000'000;
  checkpoint.read = InitialRead{
      {{"shop", "outbox", false, {{"id", "bigint", "17"}}, 12}, {"shop", "other", true, {}, 3}}};
  checkpoint.prepared = {"X'61',X'',1", "X'62',X'',1"};
  checkpoint.held_xa = {{"X'63',X'',1", "binlog.000007:157", 1'760'000'000'000'000}};
  checkpoint.written_at_us = 1'760'000'001'000'000;
  EXPECT_EQ(CheckpointText(checkpoint),
            "relay         shop\n"
            "event tables  shop.outbox, tenant_*.outbox\n"
            "server        9c3a6f2e-1d4b-11f0-8a5e-0242ac120002\n"
            "gtids         9c3a6f2e-1d4b-11f0-8a5e-0242ac120002:1-5\n"
            "file, offset  binlog.000007:5000000000\n"
            "last commit   2025-10-09 08:53:20 UTC\n"
            "sink          4L6g3nShT-eMCtK--X86sw\n"
            "table read    under way\n"
            "  shop.outbox  12 rows, up to id = 17\n"
            "  shop.other  3 rows, done\n"
            "held XA       binlog.000007:157  2025-10-09 08:53:20 UTC  X'63',X'',1\n"
            "written       2025-10-09 08:53:21 UTC\n");
}

TEST(CheckpointTextTest, WhatIsNotKnownIsADash) {
  EXPECT_EQ(CheckpointText(Checkpoint{}),
            "relay         \n"
            "event tables  \n"
            "server        \n"
            "gtids         -\n"
            "file, offset  -\n"
            "last commit   -\n"
            "sink          -\n"
            "table read    done\n"
            "written       -\n");
}

}  // namespace
}  // namespace outboxd
