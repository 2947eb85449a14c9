#include "daemon/commands/replayer.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

// Answers at each poll as the test wants; time goes on meanwhile.
class AnsweringSink final : public FakeSink {
 public:
  AnsweringSink(FakeClock& clock, std::function<void(FakeSink&)> answer)
      : clock_(clock), answer_(std::move(answer)) {}

  void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
    clock_.Move(timeout);
    if (!in_flight.empty()) answer_(*this);
    FakeSink::Poll(timeout, reports);
  }

 private:
  FakeClock& clock_;
  std::function<void(FakeSink&)> answer_;
};

class ReplayerTest : public testing::Test {
 protected:
  Result<std::optional<sinks::Error>> Send(const std::function<void(FakeSink&)>& answer) {
    sink_.emplace(clock_, answer);
    return Replayer(*sink_, clock_).Send({.topic = "orders", .key = "k", .value = "v"});
  }

  FakeClock clock_;
  std::optional<AnsweringSink> sink_;
};

TEST_F(ReplayerTest, WaitsForTheAcknowledgement) {
  const auto refusal = Send([](FakeSink& sink) { sink.Acknowledge(); });
  ASSERT_TRUE(refusal) << refusal.error().message;
  EXPECT_FALSE(*refusal);
  ASSERT_EQ(sink_->delivered.size(), 1u);
  EXPECT_EQ(sink_->delivered[0].topic, "orders");
}

TEST_F(ReplayerTest, TellsWhyOneIsRefusedAgain) {
  const auto refusal = Send([](FakeSink& sink) { sink.Refuse("too large", "raise the limit"); });
  ASSERT_TRUE(refusal && *refusal);
  EXPECT_EQ((*refusal)->ToText(), "too large HINT: raise the limit");
}

TEST_F(ReplayerTest, ALostProducerIsReplaced) {
  int answers = 0;
  const auto refusal = Send([&](FakeSink& sink) {
    if (++answers == 1) {
      sink.Lose("leader moved");
    } else {
      sink.Acknowledge();
    }
  });
  ASSERT_TRUE(refusal) << refusal.error().message;
  EXPECT_FALSE(*refusal);
  EXPECT_EQ(sink_->opened, 2);
}

TEST_F(ReplayerTest, GivesUpWithoutAnAnswer) {
  const auto refusal = Send([](FakeSink&) {});
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().kind, ExitCode::kUnreachable);
}

}  // namespace
}  // namespace outboxd
