#include "daemon/service/service_notifier.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/daemon/service_manager.h"

namespace outboxd {
namespace {

class ServiceNotifierTest : public testing::Test {
 protected:
  std::string Received() const { return manager_.Received(); }

  ServiceManager manager_;
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
  ServiceManager::Watch();
  EXPECT_EQ(ServiceNotifier().watchdog_interval(), std::chrono::seconds(30));
}

TEST_F(ServiceNotifierTest, FeedsTheWatchdogFourTimesInItsInterval) {
  ServiceManager::Watch();
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
