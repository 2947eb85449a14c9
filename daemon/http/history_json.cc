#include "daemon/http/history_json.h"

#include <nlohmann/json.hpp>

#include "base/json_line.h"

namespace outboxd {
namespace {

using Json = nlohmann::ordered_json;

double Seconds(std::uint64_t time_us) { return static_cast<double>(time_us) / 1e6; }

Json OrNull(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

}  // namespace

std::string HistoryJson(const std::deque<History::Sample>& samples,
                        const std::vector<RecentRecords::Record>& records, std::uint64_t now_us) {
  Json json{{"now", Seconds(now_us)},
            {"interval_seconds", History::kInterval.count()},
            {"span_seconds", History::kInterval.count() * History::kSamplesMax}};
  json["samples"] = Json::array();
  for (const History::Sample& sample : samples) {
    json["samples"].push_back({{"at", Seconds(sample.at_us)},
                               {"lag", OrNull(sample.lag_s)},
                               {"rate", sample.rate},
                               {"p50", OrNull(sample.p50_s)},
                               {"p99", OrNull(sample.p99_s)}});
  }
  json["records"] = Json::array();
  for (const RecentRecords::Record& record : records) {
    json["records"].push_back({{"at", Seconds(record.at_us)},
                               {"level", record.is_error ? "error" : "warning"},
                               {"text", record.text},
                               {"hint", record.hint}});
  }
  return JsonLine(json);
}

}  // namespace outboxd
