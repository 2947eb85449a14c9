#include "daemon/status/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "daemon/status/metric_series.h"
#include "daemon/status/relay_state.h"

namespace outboxd {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

using Series = MetricSeries;

std::uint64_t Since(std::uint64_t then_us, std::uint64_t now_us) {
  return now_us - std::min(now_us, then_us);
}

std::chrono::microseconds Age(const std::optional<Outage>& outage, std::uint64_t now_us) {
  return std::chrono::microseconds(outage ? Since(outage->since_us, now_us) : 0);
}

struct Metric {
  MetricInfo info;
  void (*tell)(const StatusView& view, Series& series);
};

constexpr auto kCounter = "counter";
constexpr auto kGauge = "gauge";
constexpr auto kHistogram = "histogram";

constexpr std::array kMetrics = {
    Metric{{"outboxd_build_info", kGauge, "version", "1; the version is its label"},
           [](const StatusView& view, Series& series) {
             series.Add(true, {{"version", std::string(view.version)}});
           }},
    Metric{{"outboxd_relay_info", kGauge, "relay, config_hash",
            "1; its labels are the relay's name and a hash of its mapping and policies, which "
            "changes when those do"},
           [](const StatusView& view, Series& series) {
             series.Add(true, {{"relay", std::string(view.relay)},
                               {"config_hash", std::string(view.config_hash)}});
           }},
    Metric{{"outboxd_state", kGauge, "state",
            "What the relay is doing: the state with the value 1, and exactly one has it"},
           [](const StatusView& view, Series& series) {
             for (const RelayState state : kRelayStates) {
               series.Add(StateOf(view.status) == state, {{"state", std::string(NameOf(state))}});
             }
           }},
    Metric{{"outboxd_ready", kGauge, "",
            "Whether messages flow, or would if there were events: nothing stands in the way"},
           [](const StatusView& view, Series& series) { series.Add(IsReady(view.status)); }},
    Metric{
        {"outboxd_status_age_seconds", kGauge, "",
         "How old the facts are that the other metrics are made of; more than a few seconds mean "
         "that the relay's main loop is stuck"},
        [](const StatusView& view, Series& series) { series.Add(view.age); }},
    Metric{{"outboxd_lag_seconds", kGauge, "",
            "The age of the oldest commit that is not acknowledged, 0 only when it is proven that "
            "there is none; no series while it is not known"},
           [](const StatusView& view, Series& series) {
             series.AddKnown(LagAfter(view.status.lag, view.age));
           }},
    Metric{{"outboxd_lag_unknown", kGauge, "",
            "Whether the lag is not known, as after a start until something is proven"},
           [](const StatusView& view, Series& series) {
             series.Add(!LagAfter(view.status.lag, view.age).has_value());
           }},
    Metric{{"outboxd_lag_bytes", kGauge, "",
            "Bytes of the server's binary log behind what is acknowledged, those of other tables "
            "too; no series while it is not known"},
           [](const StatusView& view, Series& series) {
             series.AddKnown(view.status.server.lag_bytes);
           }},
    Metric{{"outboxd_delivery_latency_seconds", kHistogram, "",
            "From the commit of an event to its acknowledgement, without events of the initial "
            "read"},
           [](const StatusView& view, Series& series) { series.Add(view.status.counts.latency); }},
    Metric{{"outboxd_published_events_total", kCounter, "table",
            "Events that are acknowledged with all before them, by event table; dead letters and "
            "repeats count"},
           [](const StatusView& view, Series& series) {
             for (const TableCounts& table : view.status.counts.tables) {
               series.Add(table.events, {{"table", table.table}});
             }
           }},
    Metric{{"outboxd_published_bytes_total", kCounter, "table",
            "Bytes of their keys and values, by event table"},
           [](const StatusView& view, Series& series) {
             for (const TableCounts& table : view.status.counts.tables) {
               series.Add(table.bytes, {{"table", table.table}});
             }
           }},
    Metric{{"outboxd_acknowledged_messages_total", kCounter, "",
            "Messages that are acknowledged with all before them"},
           [](const StatusView& view, Series& series) { series.Add(view.status.delivered); }},
    Metric{{"outboxd_skipped_events_total", kCounter, "",
            "Events that were dropped because an operator said so"},
           [](const StatusView& view, Series& series) { series.Add(view.status.skipped); }},
    Metric{{"outboxd_dead_letters_total", kCounter, "reason",
            "Dead letters: of events that were not even sent (not_accepted), and of those that the "
            "receiver refused (refused)"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.failures.dead_not_accepted, {{"reason", "not_accepted"}});
             series.Add(view.status.failures.dead_refused, {{"reason", "refused"}});
           }},
    Metric{{"outboxd_unselected_rows_total", kCounter, "",
            "Rows of event tables that made no event: outbox.where passed them over, or their list "
            "was "
            "empty"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.log_counts.unselected);
           }},
    Metric{{"outboxd_read_transactions_total", kCounter, "outcome",
            "Transactions of the binary log that were read, of other tables too, by their outcome: "
            "committed or rolled_back; what was read again counts again"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.log_counts.committed, {{"outcome", "committed"}});
             series.Add(view.status.log_counts.rolled_back, {{"outcome", "rolled_back"}});
           }},
    Metric{
        {"outboxd_spilled_transactions_total", kCounter, "",
         "Transactions that did not fit into memory and went to the spill directory"},
        [](const StatusView& view, Series& series) { series.Add(view.status.log_counts.spilled); }},
    Metric{{"outboxd_in_flight_messages", kGauge, "",
            "Messages that are handed over and not acknowledged with all before them"},
           [](const StatusView& view, Series& series) { series.Add(view.status.in_flight); }},
    Metric{{"outboxd_in_flight_bytes", kGauge, "",
            "Bytes of keys and values that are handed over and not acknowledged"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.at_receiver.in_flight_bytes);
           }},
    Metric{{"outboxd_last_acknowledged_timestamp_seconds", kGauge, "",
            "When a message was acknowledged last; no series before the first"},
           [](const StatusView& view, Series& series) {
             series.AddTime(view.status.at_receiver.acknowledged_at_us);
           }},
    Metric{{"outboxd_last_checkpoint_timestamp_seconds", kGauge, "",
            "When a checkpoint was stored last; no series before the first, and none is due while "
            "nothing moves"},
           [](const StatusView& view, Series& series) {
             series.AddTime(view.status.at_receiver.stored_at_us);
           }},
    Metric{{"outboxd_source_up", kGauge, "", "Whether MySQL answers, as far as is known"},
           [](const StatusView& view, Series& series) { series.Add(!view.status.source); }},
    Metric{{"outboxd_sink_up", kGauge, "", "Whether the receiver answers, as far as is known"},
           [](const StatusView& view, Series& series) { series.Add(!view.status.sink); }},
    Metric{{"outboxd_source_down_seconds", kGauge, "",
            "For how long MySQL does not answer; 0: it does"},
           [](const StatusView& view, Series& series) {
             series.Add(Age(view.status.source, view.now_us));
           }},
    Metric{{"outboxd_sink_down_seconds", kGauge, "",
            "For how long the receiver does not answer; 0: it does"},
           [](const StatusView& view, Series& series) {
             series.Add(Age(view.status.sink, view.now_us));
           }},
    Metric{{"outboxd_connections_opened_total", kCounter, "side",
            "How often the binary log (source) and the producer (sink) were opened; all but the "
            "first are reconnects"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.failures.source_opened, {{"side", "source"}});
             series.Add(view.status.failures.sink_opened, {{"side", "sink"}});
           }},
    Metric{{"outboxd_source_errors_total", kCounter, "",
            "Tries to open the binary log, or to read on, that failed and were waited out"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.failures.source_failed);
           }},
    Metric{
        {"outboxd_sink_errors_total", kCounter, "kind",
         "What failed at the receiver: tries to reach it (unreachable), producers that had to be "
         "replaced (lost), messages that it refused (refused), times without an answer (silent)"},
        [](const StatusView& view, Series& series) {
          const FailureCounts& failures = view.status.failures;
          series.Add(failures.sink_unreachable, {{"kind", "unreachable"}});
          series.Add(failures.sink_lost, {{"kind", "lost"}});
          series.Add(failures.sink_refused, {{"kind", "refused"}});
          series.Add(failures.sink_silent, {{"kind", "silent"}});
        }},
    Metric{{"outboxd_held_seconds", kGauge, "",
            "For how long the relay holds at an event; 0: it holds at none"},
           [](const StatusView& view, Series& series) {
             const auto& held = view.status.held;
             series.Add(std::chrono::microseconds(held ? Since(held->since_us, view.now_us) : 0));
           }},
    Metric{{"outboxd_record_failed_seconds", kGauge, "",
            "For how long the state directory does not take what has to stand there; 0: it does"},
           [](const StatusView& view, Series& series) {
             series.Add(Age(view.status.state, view.now_us));
           }},
    Metric{{"outboxd_no_room_seconds", kGauge, "",
            "For how long what comes next does not fit into memory or the spill directory; 0: it "
            "does"},
           [](const StatusView& view, Series& series) {
             series.Add(Age(view.status.room, view.now_us));
           }},
    Metric{{"outboxd_cut_off_seconds", kGauge, "",
            "For how long the MySQL server is cut off from its group; 0: it is not"},
           [](const StatusView& view, Series& series) {
             series.Add(Age(view.status.cut_off, view.now_us));
           }},
    Metric{{"outboxd_held_xa_transactions", kGauge, "",
            "XA transactions with events that are prepared and not decided"},
           [](const StatusView& view, Series& series) { series.Add(view.status.held_xa.size()); }},
    Metric{{"outboxd_held_xa_oldest_seconds", kGauge, "",
            "For how long the oldest of them is prepared; 0: there is none, or it is not told"},
           [](const StatusView& view, Series& series) {
             const auto& held = view.status.held_xa;
             const bool is_told = !held.empty() && held.front().since_us != 0;
             series.Add(std::chrono::microseconds(
                 is_told ? Since(held.front().since_us, view.now_us) : 0));
           }},
    Metric{{"outboxd_alarms_standing", kGauge, "", "Alarms that nobody has acknowledged"},
           [](const StatusView& view, Series& series) { series.Add(view.status.alarms); }},
    Metric{{"outboxd_reload_refused", kGauge, "",
            "Whether the configuration that was read again last is refused"},
           [](const StatusView& view, Series& series) {
             series.Add(view.status.refused_reload.has_value());
           }},
    Metric{{"outboxd_initial_read_rows", kGauge, "",
            "Rows of the initial read that are acknowledged; no series when no read is under way"},
           [](const StatusView& view, Series& series) {
             if (view.status.read) series.Add(RowsRead(*view.status.read));
           }},
    Metric{{"outboxd_initial_read_ratio", kGauge, "",
            "Their share of the rows that the server estimates; no series where it gives no "
            "estimate"},
           [](const StatusView& view, Series& series) {
             const std::uint64_t estimate = view.status.read_rows_estimate;
             if (!view.status.read || estimate == 0) return;
             const auto rows = static_cast<double>(RowsRead(*view.status.read));
             series.Add(std::min(1.0, rows / static_cast<double>(estimate)));
           }},
    Metric{
        {"outboxd_spill_bytes", kGauge, "", "What large transactions take in the spill directory"},
        [](const StatusView& view, Series& series) { series.Add(view.status.spill_bytes); }},
    Metric{{"outboxd_source_round_trip_seconds", kGauge, "",
            "How long MySQL took to answer last; no series while it does not"},
           [](const StatusView& view, Series& series) {
             series.AddKnown(view.status.server.round_trip);
           }},
    Metric{{"outboxd_sink_round_trip_seconds", kGauge, "",
            "How long it took lately, at the least, from handing a message over to its "
            "acknowledgement; no series before the first"},
           [](const StatusView& view, Series& series) {
             series.AddKnown(view.status.at_receiver.round_trip);
           }},
    Metric{{"outboxd_log_kept_seconds", kGauge, "",
            "How long MySQL keeps its binary log, by its setting and by the oldest file it still "
            "has; +Inf: for ever, as far as is known; no series while it is not known"},
           [](const StatusView& view, Series& series) {
             const auto& log = view.status.server.log;
             if (log) series.AddOrEver(log->keeping.kept());
           }},
    Metric{{"outboxd_purge_margin_seconds", kGauge, "",
            "For how long nothing that is needed is removed from MySQL's binary log, should "
            "nothing be delivered from now on; 0: it is removed already, or may be at any moment; "
            "+Inf: the log is kept for ever; no series while it is not known"},
           [](const StatusView& view, Series& series) {
             const auto& log = view.status.server.log;
             if (!log) return;
             const auto margin = PurgeMargin(*log, OldestNeeded(view.status, view.age));
             if (margin == kNeverPurged) return series.AddOrEver({});
             series.AddKnown(margin);
           }},
    Metric{
        {"outboxd_clock_difference_seconds", kGauge, "",
         "By how much the time of day of MySQL's machine is ahead of this one's; no series while "
         "it is not known"},
        [](const StatusView& view, Series& series) {
          series.AddKnown(view.status.server.clock_ahead);
        }},
};

constexpr auto kInfos = [] {
  std::array<MetricInfo, kMetrics.size()> infos;
  std::ranges::transform(kMetrics, infos.begin(), &Metric::info);
  return infos;
}();

MetricType TypeOf(std::string_view type) {
  if (type == kCounter) return MetricType::Counter;
  return type == kGauge ? MetricType::Gauge : MetricType::Histogram;
}

}  // namespace

std::span<const MetricInfo> AllMetrics() { return kInfos; }

std::string MetricsText(const StatusView& view) {
  std::vector<MetricFamily> families;
  for (const Metric& metric : kMetrics) {
    MetricFamily family;
    family.name = metric.info.name;
    family.help = metric.info.help;
    family.type = TypeOf(metric.info.type);
    Series series(family);
    metric.tell(view, series);
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace outboxd
