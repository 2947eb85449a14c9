#include "sinks/stdout/stdout_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

class StdoutSinkTest : public testing::Test {
 protected:
  StdoutSinkTest() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe(ends_.data()), 0);
    sink_.emplace(ends_[1]);
    EXPECT_TRUE(sink_->Open(0ms));
  }

  ~StdoutSinkTest() override {
    CloseReader();
    close(ends_[1]);
  }

  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }

  std::string Read(std::size_t bytes_max = 1 << 20) {
    std::string text(bytes_max, '\0');
    const ssize_t count = read(ends_[0], text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

  DeliveryReports Poll() {
    DeliveryReports reports;
    sink_->Poll(0ms, reports);
    return reports;
  }

  PublishOutcome Publish(DeliveryId id, std::string_view value) {
    const auto outcome = sink_->Publish({.topic = "t", .value = value}, id);
    EXPECT_TRUE(outcome);
    return outcome.value_or(PublishOutcome::kFull);
  }

  // The first message that the pipe does not take.
  DeliveryId FillPipe(std::string_view value) {
    DeliveryId id = 0;
    while (Publish(id, value) == PublishOutcome::kAccepted) ++id;
    return id;
  }

  std::array<int, 2> ends_{};
  std::optional<StdoutSink> sink_;
};

TEST(JsonLineTest, HoldsTheMessageInAFixedOrderOfFields) {
  const std::array<Header, 2> headers{Header{"id", "42"}, Header{"none", std::nullopt}};
  EXPECT_EQ(JsonLine({.topic = "orders", .key = "7", .value = R"({"a":1})", .headers = headers}),
            R"({"topic":"orders","partition":null,"key":"7",)"
            R"("headers":[["id","42"],["none",null]],"value":"{\"a\":1}"})"
            "\n");
}

TEST(JsonLineTest, TellsMissingFromEmptyAndAPartitionThatWasChosen) {
  EXPECT_EQ(JsonLine({.topic = "t", .key = "", .partition = 3}),
            R"({"topic":"t","partition":3,"key":"","headers":[],"value":null})"
            "\n");
}

TEST(JsonLineTest, PutsBytesThatAreNotUtf8AsBase64) {
  const std::array<Header, 1> headers{Header{"h", "\xFF"}};
  EXPECT_EQ(JsonLine({.topic = "t", .key = "\xFF\xFE", .value = "\x80", .headers = headers}),
            R"({"topic":"t","partition":null,"key_base64":"//4=",)"
            R"("headers":[["h",{"base64":"/w=="}]],"value_base64":"gA=="})"
            "\n");
  EXPECT_NE(JsonLine({.topic = "t", .value = "ab\xFF"}).find(R"("value_base64":"YWL/")"),
            std::string::npos);
}

TEST(JsonLineTest, KnowsUtf8FromWhatOnlyLooksLikeIt) {
  for (const std::string_view text :
       {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(nlohmann::json::parse(JsonLine({.topic = "t", .value = text})).value("value", ""),
              text);
  }
  for (const std::string_view bytes :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xE2\x28\xA1", "\xBF"}) {
    EXPECT_TRUE(
        nlohmann::json::parse(JsonLine({.topic = "t", .value = bytes})).contains("value_base64"));
  }
}

TEST(JsonLineTest, KeepsOneMessageOnOneLine) {
  const std::string line = JsonLine({.topic = "t", .value = "a\nb\r\x01"});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(StdoutSinkTest, ReportsAMessageAsDeliveredWhenItIsWritten) {
  EXPECT_EQ(Publish(7, "v"), PublishOutcome::kAccepted);
  EXPECT_EQ(Poll().delivered, std::vector<DeliveryId>{7});
  EXPECT_EQ(Read(), JsonLine({.topic = "t", .value = "v"}));
}

TEST_F(StdoutSinkTest, IsFullWhileThePipeIsAndGoesOnWithTheSameLine) {
  const std::string value(10'000, 'x');
  const DeliveryId waiting = FillPipe(value);
  ASSERT_GT(waiting, 0u);
  EXPECT_EQ(Poll().delivered.size(), waiting);
  std::string text = Read();
  sink_->WaitForRoom(1s);
  EXPECT_EQ(Publish(waiting, value), PublishOutcome::kAccepted);
  text += Read();
  const std::string line = JsonLine({.topic = "t", .value = value});
  std::string expected;
  for (DeliveryId id = 0; id <= waiting; ++id) expected += line;
  EXPECT_EQ(text, expected);
  EXPECT_EQ(Poll().delivered, std::vector<DeliveryId>{waiting});
}

TEST_F(StdoutSinkTest, AnotherMessageUnderTheSameIdIsNotTakenForTheOneThatWasGivenUp) {
  const std::string value(10'000, 'x');
  const DeliveryId waiting = FillPipe(value);
  Poll();
  Read();
  EXPECT_EQ(Publish(waiting, "other"), PublishOutcome::kAccepted);
  EXPECT_EQ(Poll().delivered, std::vector<DeliveryId>{waiting});
  const std::string text = Read();
  EXPECT_TRUE(text.ends_with("\"}\n" + JsonLine({.topic = "t", .value = "other"}))) << text;
}

TEST_F(StdoutSinkTest, LineThatWasCutByCloseIsCompletedWithoutAReport) {
  const std::string value(10'000, 'x');
  FillPipe(value);
  sink_->Close();
  ASSERT_TRUE(sink_->Open(0ms));
  Read();
  EXPECT_EQ(Publish(1000, "new"), PublishOutcome::kAccepted);
  EXPECT_EQ(Poll().delivered, std::vector<DeliveryId>{1000});
  EXPECT_TRUE(Read().ends_with("\"}\n" + JsonLine({.topic = "t", .value = "new"})));
}

TEST_F(StdoutSinkTest, IsLostWhenTheReaderIsGone) {
  CloseReader();
  const auto outcome = sink_->Publish({.topic = "t"}, 1);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kClosed);
  const DeliveryReports reports = Poll();
  EXPECT_TRUE(reports.delivered.empty());
  ASSERT_TRUE(reports.lost);
  EXPECT_EQ(reports.lost->kind, ErrorKind::kClosed);
}

TEST_F(StdoutSinkTest, SaysUnreachableWhenTheDiskIsFull) {
  const int full = open("/dev/full", O_WRONLY);
  if (full < 0) GTEST_SKIP() << "no /dev/full";
  StdoutSink sink(full);
  const auto outcome = sink.Publish({.topic = "t"}, 1);
  close(full);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUnreachable);
}

TEST_F(StdoutSinkTest, WakeEndsAPoll) {
  std::thread acknowledger([this] {
    DeliveryReports reports;
    sink_->Poll(1h, reports);
  });
  sink_->Wake();
  acknowledger.join();
}

TEST_F(StdoutSinkTest, OpenForgetsTheReportsOfBefore) {
  EXPECT_EQ(Publish(1, "v"), PublishOutcome::kAccepted);
  ASSERT_TRUE(sink_->Open(0ms));
  EXPECT_TRUE(Poll().delivered.empty());
}

TEST(StdoutSinkTopicsTest, RefusesWhatMayNotBePublished) {
  StdoutSink sink(STDOUT_FILENO, [](std::string_view topic) { return topic == "orders"; });
  const auto refused = sink.Publish({.topic = "payroll"}, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRejected);
  EXPECT_EQ(refused.error().ToText(),
            "topic payroll is not among the allowed HINT: add it to the key allow of [topics]");
}

}  // namespace
}  // namespace outboxd::sinks
