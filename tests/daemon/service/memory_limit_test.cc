#include "daemon/service/memory_limit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

class MemoryLimitTest : public testing::Test {
 protected:
  MemoryLimitTest() : root_(folder_.path()) { Write("/proc/self/cgroup", ""); }

  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text << "\n";
  }

  TemporaryDirectory folder_;
  const std::string root_;
};

TEST_F(MemoryLimitTest, IsThatOfTheGroupsOfVersionTwo) {
  Write("/proc/self/cgroup", "0::/system.slice/outboxd@shop.service");
  Write("/sys/fs/cgroup/system.slice/outboxd@shop.service/memory.max", "268435456");
  EXPECT_EQ(MemoryLimit(root_), 268435456U);
}

TEST_F(MemoryLimitTest, IsTheLeastOfTheGroupAndThoseAbove) {
  Write("/proc/self/cgroup", "0::/system.slice/outboxd@shop.service");
  Write("/sys/fs/cgroup/system.slice/outboxd@shop.service/memory.max", "max");
  Write("/sys/fs/cgroup/system.slice/memory.max", "300000000");
  Write("/sys/fs/cgroup/memory.max", "400000000");
  EXPECT_EQ(MemoryLimit(root_), 300000000U);
}

TEST_F(MemoryLimitTest, IsThatOfVersionOneToo) {
  Write("/proc/self/cgroup", "9:memory:/docker/abc\n1:name=systemd:/docker/abc\n0::/");
  Write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "200000000");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(MemoryLimit(root_), 200000000U);
}

// As inside of a container, which sees its own group as the top.
TEST_F(MemoryLimitTest, IsFoundAtTheTopWhereTheGroupsPathIsThatOfAnotherNamespace) {
  Write("/proc/self/cgroup", "0::/../../pod/abc");
  Write("/sys/fs/cgroup/memory.max", "100000000");
  EXPECT_EQ(MemoryLimit(root_), 100000000U);
}

TEST_F(MemoryLimitTest, IsNoneWhereNothingTellsOne) {
  EXPECT_EQ(MemoryLimit(root_), std::nullopt);
  Write("/proc/self/cgroup", "0::/a");
  EXPECT_EQ(MemoryLimit(root_), std::nullopt);
  Write("/sys/fs/cgroup/a/memory.max", "max");
  EXPECT_EQ(MemoryLimit(root_), std::nullopt);
  EXPECT_EQ(MemoryLimit(root_ + "/nowhere"), std::nullopt);
}

}  // namespace
}  // namespace outboxd
