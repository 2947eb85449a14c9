#include "daemon/http/relay_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class RelayPagesTest : public testing::Test {
 protected:
  RelayPagesTest() { pages_.Set({.version = "1.2.3", .relay = "shop", .config_hash = "00ff"}); }

  RelayStatus Streaming() {
    RelayStatus status;
    status.phase = RelayStatus::Phase::kStreaming;
    status.receiver = "Kafka";
    status.written_at_us = clock_.WallMicroseconds();
    return status;
  }
  HttpAnswer Ask(std::string_view path) {
    auto answer = pages_.Answer(path);
    EXPECT_TRUE(answer) << path;
    return answer.value_or(HttpAnswer{});
  }

  FakeClock clock_;
  HealthBoard health_{clock_};
  StatusBoard status_{clock_};
  RecentRecords records_;
  RelayPages pages_{health_, status_, records_, clock_};
};

TEST_F(RelayPagesTest, ReadinessComesWithItsReasons) {
  health_.Set({true, "streaming"});
  status_.Set(Streaming());
  EXPECT_EQ(Ask("/readyz").status, 200u);
  EXPECT_EQ(Ask("/readyz").type, "application/json");
  EXPECT_EQ(json::parse(Ask("/readyz").body),
            (json{{"ready", true}, {"reasons", json::array()}, {"text", "streaming"}}));
  RelayStatus status = Streaming();
  status.sink = Outage{clock_.WallMicroseconds() - 3'000'000, "no broker"};
  status.held.emplace().position = "u:7:1";
  status.held->since_us = clock_.WallMicroseconds();
  health_.Set({false, "holding at event u:7:1"});
  status_.Set(status);
  const HttpAnswer answer = Ask("/readyz");
  EXPECT_EQ(answer.status, 503u);
  EXPECT_THAT(
      json::parse(answer.body)["reasons"],
      ElementsAre("holding at event u:7:1 for 0 s", "Kafka does not answer for 3 s: no broker"));
}

TEST_F(RelayPagesTest, ALoopThatIsStuckIsAReason) {
  status_.Set(Streaming());
  health_.Set({true, "streaming"});
  clock_.Move(seconds(61));
  EXPECT_EQ(Ask("/healthz").status, 503u);
  const json ready = json::parse(Ask("/readyz").body);
  EXPECT_FALSE(ready["ready"].get<bool>());
  EXPECT_THAT(ready["reasons"][0].get<std::string>(), HasSubstr("nothing has moved for 61 s"));
}

TEST_F(RelayPagesTest, TheStatusIsOneObjectWithNullForWhatIsNotKnown) {
  RelayStatus status = Streaming();
  status.lag.proven_for = seconds(8);
  status.delivered = 17;
  status.counts.tables = {{"shop.outbox", 17, 1000}};
  status.file = "binlog.000003";
  status.offset = 1234;
  status_.Set(status);
  const json told = json::parse(Ask("/status").body);
  EXPECT_EQ(told["relay"], "shop");
  EXPECT_EQ(told["version"], "1.2.3");
  EXPECT_EQ(told["state"], "streaming");
  EXPECT_EQ(told["ready"], true);
  EXPECT_EQ(told["delivered"], 17);
  EXPECT_EQ(told["lag_seconds"], 0.0);
  EXPECT_TRUE(told["lag_bytes"].is_null());
  EXPECT_TRUE(told["held"].is_null());
  EXPECT_TRUE(told["initial_read"].is_null());
  EXPECT_EQ(told["tables"][0], (json{{"table", "shop.outbox"}, {"events", 17}, {"bytes", 1000}}));
  EXPECT_EQ(told["position"], (json{{"file", "binlog.000003"}, {"offset", 1234}}));
}

TEST_F(RelayPagesTest, TheStatusSaysWhatItHoldsAtAndWhatToDo) {
  RelayStatus status = Streaming();
  status.held = HeldEvent{.position = "u:7:1",
                          .id = "caf\xe9",
                          .table = "shop.outbox",
                          .topic = "order",
                          .reason = "too large",
                          .hint = "raise max.message.bytes",
                          .since_us = clock_.WallMicroseconds() - 5'000'000};
  status_.Set(status);
  const json held = json::parse(Ask("/status").body)["held"];
  EXPECT_EQ(held["for_seconds"], 5.0);
  EXPECT_EQ(held["reason"], "too large");
  EXPECT_EQ(held["hint"], "raise max.message.bytes");
}

TEST_F(RelayPagesTest, TheMetricsAreOfNow) {
  RelayStatus status = Streaming();
  status.lag = {.oldest = {}, .done = seconds(1), .proven_for = seconds(2)};
  status_.Set(status);
  EXPECT_EQ(Ask("/metrics").type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(Ask("/metrics").body, HasSubstr("\noutboxd_lag_seconds 0\n"));
  clock_.Move(seconds(30));
  EXPECT_THAT(Ask("/metrics").body, HasSubstr("\noutboxd_lag_seconds 31\n"));
  EXPECT_THAT(Ask("/metrics").body, HasSubstr("\noutboxd_relay_info{relay=\"shop\",config_hash"));
}

TEST_F(RelayPagesTest, ThePageRunsNothingButItsOwnScript) {
  const HttpAnswer page = Ask("/");
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_THAT(page.content_policy, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(page.body, HasSubstr("<title>outboxd</title>"));
}

TEST_F(RelayPagesTest, TheLastHourComesWithTheLastWarnings) {
  status_.Set(Streaming());
  records_.Add(clock_.WallMicroseconds(), true, "it failed HINT: mend it");
  const json told = json::parse(Ask("/history").body);
  EXPECT_EQ(told["samples"].size(), 1u);
  EXPECT_TRUE(told["samples"][0]["lag"].is_null());
  EXPECT_EQ(told["records"][0]["text"], "it failed");
  EXPECT_EQ(told["records"][0]["hint"], "mend it");
  EXPECT_EQ(told["records"][0]["level"], "error");
}

TEST_F(RelayPagesTest, TheMetricsUnderDebeziumsNamesAreThereOnRequestOnly) {
  status_.Set(Streaming());
  EXPECT_FALSE(pages_.Answer("/metrics/debezium"));
  pages_.Set(
      {.version = "1.2.3", .relay = "shop", .config_hash = "", .tells_debezium_metrics = true});
  EXPECT_THAT(Ask("/metrics/debezium").body,
              HasSubstr("\ndebezium_metrics_Connected{context=\"streaming\",name=\"shop\","
                        "plugin=\"mysql\"} 1\n"));
}

TEST_F(RelayPagesTest, OtherPathsAreNotThere) {
  for (const char* path : {"", "/else", "/status/", "/../status", "/reloads", "/metrics/other"}) {
    EXPECT_FALSE(pages_.Answer(path)) << path;
  }
  EXPECT_TRUE(pages_.AnswerLocally("/reloads"));
}

}  // namespace
}  // namespace outboxd
