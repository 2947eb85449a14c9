#include "binlog/interrupter.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace outboxd::binlog {
namespace {

class InterrupterTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_.data()), 0); }
  void TearDown() override {
    for (const int socket : sockets_) ::close(socket);
  }

  // Whether the wait has ended because of a shutdown.
  [[nodiscard]] bool ReadsTheEnd() const {
    char byte = 0;
    return ::recv(sockets_[0], &byte, 1, 0) == 0;
  }

  std::array<int, 2> sockets_{};
  Interrupter interrupter_;
};

TEST_F(InterrupterTest, ARequestEndsAWaitAndIsHeardOnce) {
  interrupter_.Watch(sockets_[0]);
  std::jthread other([this] { interrupter_.Request(); });
  EXPECT_TRUE(ReadsTheEnd());
  other.join();
  EXPECT_TRUE(interrupter_.requested());
  EXPECT_TRUE(interrupter_.Take());
  EXPECT_FALSE(interrupter_.Take());
}

TEST_F(InterrupterTest, ARequestBeforeTheWaitEndsItAsWell) {
  interrupter_.Request();
  interrupter_.Watch(sockets_[0]);
  EXPECT_TRUE(ReadsTheEnd());
}

TEST_F(InterrupterTest, LeavesASocketAloneThatIsNotWatchedAnyMore) {
  interrupter_.Watch(sockets_[0]);
  interrupter_.Clear();
  interrupter_.Request();
  ASSERT_EQ(::send(sockets_[1], "x", 1, 0), 1);
  EXPECT_FALSE(ReadsTheEnd());
}

}  // namespace
}  // namespace outboxd::binlog
