#include "daemon/status/debezium_metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <vector>

#include "daemon/status/metric_series.h"

namespace outboxd {
namespace {

double Milliseconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double Behind(const StatusView& view) {
  const auto lag = LagAfter(view.status.lag, view.age);
  return lag ? Milliseconds(*lag) : -1;
}

double SinceLastEvent(const StatusView& view) {
  const std::uint64_t at_us = view.status.at_receiver.acknowledged_at_us;
  if (at_us == 0) return -1;
  return static_cast<double>(view.now_us - std::min(view.now_us, at_us)) / 1000;
}

double EventsSeen(const StatusView& view) {
  const RelayStatus& status = view.status;
  return static_cast<double>(status.delivered + status.skipped + status.log_counts.unselected);
}

double Erroneous(const StatusView& view) {
  const FailureCounts& failures = view.status.failures;
  return static_cast<double>(failures.dead_not_accepted + failures.dead_refused) +
         (view.status.held ? 1 : 0);
}

double QueueLeft(const StatusView& view) {
  const std::uint64_t all = view.status.at_receiver.in_flight_max;
  return static_cast<double>(all - std::min(all, view.status.in_flight));
}

double TablesLeft(const StatusView& view) {
  if (!view.status.read) return 0;
  return static_cast<double>(std::ranges::count_if(
      view.status.read->tables, [](const TableReadState& table) { return !table.is_done; }));
}

double ReadSeconds(const StatusView& view) {
  if (!view.status.read || view.status.read->begun_us == 0) return 0;
  const std::uint64_t begun_us = view.status.read->begun_us;
  return static_cast<double>(view.now_us - std::min(view.now_us, begun_us)) / 1e6;
}

bool Reads(const StatusView& view) { return view.status.phase == RelayStatus::Phase::kInitialRead; }

struct Attribute {
  std::string_view name;
  double (*tell)(const StatusView& view);
};

// `Attribute` of Debezium 3's MBeans; those that ended with Debezium 1.6 stand in its published
// dashboard still: NumberOfNotWellFormedTransactions, SecondsSinceLastEvent, SecondsBehindMaster.
constexpr std::array kAttributes = {
    Attribute{"Connected",
              [](const StatusView& view) { return view.status.source.has_value() ? 0.0 : 1.0; }},
    Attribute{"BinlogPosition",
              [](const StatusView& view) { return static_cast<double>(view.status.offset); }},
    Attribute{"IsGtidModeEnabled",
              [](const StatusView& view) { return view.status.by_gtid ? 1.0 : 0.0; }},
    Attribute{"NumberOfCommittedTransactions",
              [](const StatusView& view) {
                return static_cast<double>(view.status.log_counts.committed);
              }},
    Attribute{"NumberOfRolledBackTransactions",
              [](const StatusView& view) {
                return static_cast<double>(view.status.log_counts.rolled_back);
              }},
    // Where one is not well formed the relay ends.
    Attribute{"NumberOfNotWellFormedTransactions", [](const StatusView&) { return 0.0; }},
    Attribute{
        "NumberOfLargeTransactions",
        [](const StatusView& view) { return static_cast<double>(view.status.log_counts.spilled); }},
    Attribute{"NumberOfDisconnects",
              [](const StatusView& view) {
                const std::uint64_t opened = view.status.failures.source_opened;
                return static_cast<double>(opened - std::min<std::uint64_t>(opened, 1));
              }},
    Attribute{"TotalNumberOfEventsSeen", &EventsSeen},
    Attribute{"TotalNumberOfCreateEventsSeen", &EventsSeen},
    Attribute{"NumberOfEventsFiltered",
              [](const StatusView& view) {
                return static_cast<double>(view.status.log_counts.unselected);
              }},
    Attribute{"NumberOfSkippedEvents",
              [](const StatusView& view) { return static_cast<double>(view.status.skipped); }},
    Attribute{"NumberOfErroneousEvents", &Erroneous},
    Attribute{"MilliSecondsBehindSource", &Behind},
    Attribute{"SecondsBehindMaster",
              [](const StatusView& view) {
                const double behind = Behind(view);
                return behind < 0 ? behind : behind / 1000;
              }},
    Attribute{"MilliSecondsSinceLastEvent", &SinceLastEvent},
    Attribute{"SecondsSinceLastEvent",
              [](const StatusView& view) {
                const double since = SinceLastEvent(view);
                return since < 0 ? since : since / 1000;
              }},
    Attribute{"QueueTotalCapacity",
              [](const StatusView& view) {
                return static_cast<double>(view.status.at_receiver.in_flight_max);
              }},
    Attribute{"QueueRemainingCapacity", &QueueLeft},
    Attribute{"CurrentQueueSizeInBytes",
              [](const StatusView& view) {
                return static_cast<double>(view.status.at_receiver.in_flight_bytes);
              }},
    Attribute{"TotalTableCount",
              [](const StatusView& view) {
                return view.status.read ? static_cast<double>(view.status.read->tables.size()) : 0;
              }},
    Attribute{"RemainingTableCount", &TablesLeft},
    // The read takes no lock at all.
    Attribute{"HoldingGlobalLock", [](const StatusView&) { return 0.0; }},
    Attribute{"SnapshotRunning", [](const StatusView& view) { return Reads(view) ? 1.0 : 0.0; }},
    // It goes on from its last chunk, whatever ended it.
    Attribute{"SnapshotAborted", [](const StatusView&) { return 0.0; }},
    Attribute{"SnapshotCompleted",
              [](const StatusView& view) {
                return view.status.phase == RelayStatus::Phase::kStreaming ? 1.0 : 0.0;
              }},
    Attribute{"SnapshotDurationInSeconds", &ReadSeconds},
};

}  // namespace

std::string DebeziumMetricsText(const StatusView& view) {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(kAttributes.size());
  for (const Attribute& attribute : kAttributes) {
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = "debezium_metrics_" + std::string(attribute.name);
    family.help = std::string(attribute.name) + " of Debezium's MySQL connector";
    family.type = prometheus::MetricType::Gauge;
    MetricSeries series(family);
    const double value = attribute.tell(view);
    for (const char* context : {"streaming", "snapshot"}) {
      series.Add(value,
                 {{"context", context}, {"name", std::string(view.relay)}, {"plugin", "mysql"}});
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace outboxd
