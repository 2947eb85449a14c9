#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/event_source.h"
#include "binlog/row_reader.h"
#include "binlog/server_probe.h"
#include "binlog/table_filter.h"
#include "binlog/table_source.h"
#include "binlog/transaction_reader.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint_store.h"
#include "daemon/checkpoint/journal.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/config/config.h"
#include "daemon/mapping/outbox_mapping.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/change_watch.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/failover_watch.h"
#include "daemon/relay/lag_watch.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/relay.h"
#include "daemon/relay/server_watch.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/relay/source_retry.h"
#include "daemon/relay/stream_feed.h"
#include "daemon/relay/table_feed.h"
#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// Everything that a running relay is made of, put together in one way for the process, the
// simulator and tests. What it works on is brought from outside.
class RelayCore {
 public:
  struct World {  // Borrowed; it outlives the core.
    binlog::EventSource& source;
    binlog::TableSource& tables;
    ReadLedger& ledger;  // Of the initial read; empty.
    SinkOwner& sink;
    CheckpointStore* store;  // Null: nothing is remembered.
    StateDirectory* state;   // Null: a bad event ends the run.
    AlarmLog* alarms;        // Null: alarms are only logged.
    Journal* journal;        // Null: none is kept.
    const binlog::CharacterSets& character_sets;
    Liveness& liveness;
    Outages& outages;
    const Clock& clock;
    binlog::ServerProbe* probe = nullptr;  // Null: the server is not asked about itself.
  };
  struct Settings {
    std::string name;                         // Of the relay.
    std::vector<std::string> table_patterns;  // For the checkpoint.
    DeliveryConfig delivery = {};
    std::chrono::milliseconds checkpoint_interval{1000};
    LagWatch::Options lag = {};
    std::chrono::milliseconds drain_timeout = Relay::Options{}.drain_timeout;
    std::uint64_t rows_between_boundaries = Relay::Options{}.rows_between_boundaries;
    std::string state_directory = {};  // For what is reported of a failover; empty: nowhere.
    binlog::TransactionBufferOptions buffer = {};
    StreamFeed::Options stream = {};
    TableFeed::Options read = {};
    SourceRetry::Options retry = {};
    binlog::SchemaLookup schema_lookup = nullptr;
    decltype(Publisher::Options::on_mapped) on_mapped = {};
  };

  // `mappings`: one for each selection.
  RelayCore(World world, Settings settings, Progress progress,
            std::vector<binlog::TableSelection> selections, std::vector<OutboxMapping> mappings);

  [[nodiscard]] Relay& relay() { return relay_; }
  [[nodiscard]] Acknowledger& acknowledger() { return acknowledger_; }
  [[nodiscard]] DeliveryTracker& tracker() { return tracker_; }
  // Null: nobody is to be asked.
  [[nodiscard]] ServerWatch* server_watch() { return server_watch_ ? &*server_watch_ : nullptr; }
  [[nodiscard]] const Publisher& publisher() const { return publisher_; }
  [[nodiscard]] const ChangeWatch& changes() const { return changes_; }
  [[nodiscard]] const binlog::PreparedTransactions& prepared() const {
    return transactions_.prepared();
  }

  // What it is doing, as far as the core knows: all but the rate, the alarms and the estimates. Any
  // thread.
  [[nodiscard]] RelayStatus status();

 private:
  const Clock& clock_;
  binlog::TableFilter filter_;
  binlog::TransactionReader transactions_;
  binlog::RowReader rows_;
  const Outages& outages_;
  const SinkOwner& sink_;
  const std::shared_ptr<const binlog::SpillUse> spill_use_;  // Null: it is not known.
  SourceRetry retry_;
  ServerClock server_clock_;
  DeliveryTracker tracker_;
  LagWatch lag_;
  std::optional<ServerWatch> server_watch_;
  Publisher publisher_;
  ChangeWatch changes_;
  FailoverWatch failovers_;
  StreamFeed stream_;
  std::optional<TableFeed> read_;
  Relay relay_;
  Acknowledger acknowledger_;
};

}  // namespace outboxd
