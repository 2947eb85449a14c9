#include "daemon/relay/relay_core.h"

#include <utility>

#include "base/stable_hash.h"
#include "daemon/checkpoint/checkpoint_format.h"

namespace outboxd {

namespace {

constexpr int kIntervalsUnstoredMax = 10;

std::function<std::string(const Progress&)> Encoder(const RelayCore::Settings& settings,
                                                    const Clock& clock) {
  return [name = settings.name, tables = settings.table_patterns, &clock](const Progress& done) {
    return EncodeCheckpoint(MakeCheckpoint(done, name, tables, clock.WallMicroseconds()))
        .value_or("");
  };
}

// What the number of a row in its transaction depends on.
StreamFeed::Options StreamOptions(StreamFeed::Options options, const binlog::TableFilter& filter) {
  for (const binlog::TableSelection& selection : filter.selections()) {
    options.counting = StableHash(selection.schema_pattern + '.' + selection.table_pattern + '.',
                                  options.counting + (selection.takes_updates ? 1 : 0));
  }
  return options;
}

}  // namespace

RelayCore::RelayCore(World world, Settings settings, Progress progress,
                     std::vector<binlog::TableSelection> selections,
                     std::vector<OutboxMapping> mappings)
    : clock_(world.clock),
      filter_(std::move(selections)),
      transactions_(filter_, settings.buffer),
      rows_(filter_, world.character_sets, settings.schema_lookup),
      outages_(world.outages),
      sink_(world.sink),
      spill_use_(settings.buffer.spill_use),
      retry_(world.clock, world.outages, settings.retry),
      server_clock_(world.clock),
      tracker_(std::move(progress), world.journal != nullptr, &server_clock_),
      lag_(tracker_, server_clock_, world.clock, settings.lag),
      server_watch_(world.probe != nullptr
                        ? std::optional<ServerWatch>(std::in_place, *world.probe, tracker_, lag_,
                                                     server_clock_, world.clock)
                        : std::nullopt),
      publisher_(std::move(mappings), world.sink, tracker_, world.state, world.outages, world.clock,
                 {.on_bad_event = settings.delivery.on_bad_event,
                  .dead_letter_topic = settings.delivery.dead_letter_topic,
                  .on_mapped = settings.on_mapped}),
      changes_(settings.delivery, world.alarms, world.clock),
      failovers_(settings.delivery.on_lost_transactions,
                 {.journal = world.journal, .alarms = world.alarms}, settings.state_directory),
      stream_({world.source, transactions_, rows_, tracker_, changes_, failovers_, lag_, retry_,
               world.liveness},
              StreamOptions(settings.stream, filter_)),
      read_(tracker_.progress().read
                ? std::optional<TableFeed>(
                      std::in_place,
                      TableFeed::Parts{world.source, world.tables, filter_.selections(),
                                       world.ledger, world.character_sets, settings.schema_lookup,
                                       tracker_, failovers_, world.alarms, retry_, world.liveness},
                      settings.read)
                : std::nullopt),
      relay_({read_ ? &*read_ : nullptr, stream_, world.sink, tracker_, publisher_, world.liveness,
              world.outages, world.clock, world.journal},
             {.max_unstored = kIntervalsUnstoredMax * settings.checkpoint_interval,
              .max_stall = settings.delivery.max_stall,
              .max_rate = settings.delivery.max_rate,
              .drain_timeout = settings.drain_timeout,
              .rows_between_boundaries = settings.rows_between_boundaries,
              .interrupt =
                  [&source = world.source, &tables = world.tables] {
                    source.Interrupt();
                    tables.Interrupt();
                  },
              .encode = Encoder(settings, world.clock)}),
      acknowledger_(world.sink, tracker_, world.store, world.journal, world.outages, world.clock,
                    {.relay = settings.name,
                     .tables = settings.table_patterns,
                     .interval = settings.checkpoint_interval,
                     .unstored_max = kIntervalsUnstoredMax}) {}

RelayStatus RelayCore::status() {
  Progress progress = tracker_.progress();
  RelayStatus status;
  status.phase = progress.read ? RelayStatus::Phase::kInitialRead : RelayStatus::Phase::kStreaming;
  status.held = relay_.held();
  status.source = outages_.source();
  status.cut_off = outages_.cut_off();
  status.room = outages_.room();
  status.sink = outages_.sink();
  status.receiver = sink_.words().receiver;
  status.state = outages_.state();
  status.by_gtid = !progress.position.gtids.empty();
  status.file = std::move(progress.position.file);
  status.offset = progress.position.offset;
  status.read = std::move(progress.read);
  status.delivered = tracker_.delivered();
  status.skipped = tracker_.skipped();
  status.in_flight = tracker_.in_flight();
  const auto begun_us =
      status.read ? std::optional(status.read->begun_us) : std::optional<std::uint64_t>();
  status.lag = lag_.Facts(status.source || status.cut_off || status.sink, begun_us);
  status.at_receiver = acknowledger_.receiver();
  status.counts = tracker_.counts();
  status.failures = outages_.counts();
  status.log_counts = changes_.log_counts();
  status.log_counts.unselected = publisher_.unselected();
  if (spill_use_) {
    status.spill_bytes = spill_use_->bytes();
    status.log_counts.spilled = spill_use_->transactions();
  }
  if (server_watch_) status.server = server_watch_->facts();
  status.held_xa = std::move(progress.held_xa);
  status.written_at_us = clock_.WallMicroseconds();
  return status;
}

}  // namespace outboxd
