#include "daemon/service/service_notifier.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

// Plays the service manager.
class ServiceNotifierTest : public testing::Test {
 protected:
  void SetUp() override {
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string path = directory_ / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  static void Watch() {
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  }
  void TearDown() override {
    close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  // The notification that waits; empty: there is none.
  std::string Received() {
    char text[2048];
    const ssize_t bytes = recv(socket_, text, sizeof text, MSG_DONTWAIT);
    return bytes < 0 ? "" : std::string(text, static_cast<std::size_t>(bytes));
  }

  TemporaryDirectory directory_;
  int socket_ = -1;
};

TEST_F(ServiceNotifierTest, SendsEachState) {
  ServiceNotifier notifier;
  notifier.Ready();
  EXPECT_EQ(Received(), "READY=1");
  notifier.Status("streaming from 127.0.0.1:3306");
  EXPECT_EQ(Received(), "STATUS=streaming from 127.0.0.1:3306");
  notifier.Stopping();
  EXPECT_EQ(Received(), "STOPPING=1");
}

TEST_F(ServiceNotifierTest, AStatusCannotForgeAnotherState) {
  ServiceNotifier().Status("a\nREADY=1");
  EXPECT_EQ(Received(), "STATUS=a\\nREADY=1");
}

TEST_F(ServiceNotifierTest, WithoutServiceManagerNothingHappens) {
  unsetenv("NOTIFY_SOCKET");
  ServiceNotifier notifier;
  notifier.Ready();
  EXPECT_EQ(Received(), "");
}

TEST_F(ServiceNotifierTest, TellsHowLongTheWatchdogWaits) {
  EXPECT_FALSE(ServiceNotifier().watchdog_interval().has_value());
  Watch();
  EXPECT_EQ(ServiceNotifier().watchdog_interval(), std::chrono::seconds(30));
}

TEST_F(ServiceNotifierTest, FeedsTheWatchdogFourTimesInItsInterval) {
  Watch();
  ServiceNotifier notifier;
  std::chrono::steady_clock::time_point now{};
  int fed = 0;
  for (int call = 0; call < 300; ++call, now += std::chrono::milliseconds(100)) {
    notifier.Watchdog(now);
    if (Received() == "WATCHDOG=1") ++fed;
  }
  EXPECT_EQ(fed, 4);
}

TEST_F(ServiceNotifierTest, WithoutWatchdogNoneIsFed) {
  ServiceNotifier notifier;
  notifier.Watchdog(std::chrono::steady_clock::now());
  EXPECT_EQ(Received(), "");
}

TEST_F(ServiceNotifierTest, AWatchdogOfAnotherProcessIsNotOurs) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceNotifier().watchdog_interval().has_value());
}

}  // namespace
}  // namespace outboxd
