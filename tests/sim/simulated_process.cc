#include "tests/sim/simulated_process.h"

#include <utility>

namespace outboxd::sim {
namespace {

constexpr std::chrono::milliseconds kCheckpointInterval{10};
constexpr std::uint64_t kJournalBytesMax = std::uint64_t{1} << 20;

OutboxMapping Mapping() {
  OutboxConfig config;
  config.payload = "payload";
  return OutboxMapping::Compile(config).value();
}

std::vector<OutboxMapping> Mappings() {
  std::vector<OutboxMapping> mappings;
  mappings.push_back(Mapping());
  return mappings;
}

const binlog::TableFilter& EventTables() {
  static const binlog::TableFilter filter({{"shop", "outbox", Mapping().columns(), {}, {}, false}});
  return filter;
}

const binlog::CharacterSets& CharacterSetsOfServer() {
  static const binlog::CharacterSets character_sets;
  return character_sets;
}

}  // namespace

Result<std::optional<Checkpoint>> CheckedStore::Load() {
  auto loaded = file_.Load();
  if (loaded) checker_.OnLoad(*loaded);
  return loaded;
}

Result<void> CheckedStore::Store(const Checkpoint& checkpoint) {
  checker_.OnStore(checkpoint);
  auto stored = file_.Store(checkpoint);
  if (stored) checker_.OnStored();
  faults_.Note("checkpoint: {}", stored ? "stored" : stored.error().message);
  return stored;
}

SimulatedProcess::SimulatedProcess(World world, Progress progress, const Settings& settings)
    : source_(world.source, world.faults, world.clock),
      dump_(world.source, world.faults, world.clock),
      tables_(world.source, world.history, world.faults, std::move(world.go_on)),
      sink_(world.history, world.checker, world.faults, settings.sink_room),
      seen_source_(world.interposer.Around(static_cast<binlog::EventSource&>(source_))),
      seen_dump_(world.interposer.AroundDump(dump_)),
      seen_tables_(world.interposer.Around(static_cast<binlog::TableSource&>(tables_))),
      seen_sink_(world.interposer.Around(static_cast<sinks::Sink&>(sink_))),
      transactions_(EventTables(), {.spill_directory = settings.state_directory,
                                    .memory_bytes_max = settings.memory_bytes_max}),
      rows_(EventTables(), CharacterSetsOfServer()),
      journal_(settings.keeps_journal
                   ? std::make_unique<Journal>(settings.state_directory, kJournalBytesMax)
                   : nullptr),
      tracker_(std::move(progress), journal_ != nullptr),
      publisher_(Mappings(), seen_sink_, tracker_, world.state, world.clock,
                 {.on_bad_event = settings.on_bad_event, .dead_letter_topic = kDeadLetterTopic}),
      changes_({}, world.alarms, world.clock),
      failovers_(settings.on_lost, {.journal = journal_.get(), .alarms = world.alarms},
                 settings.state_directory),
      relay_({seen_source_, transactions_, rows_, seen_sink_, tracker_, publisher_, changes_,
              failovers_, world.clock},
             {.large_event_bytes = settings.large_event_bytes}),
      acknowledger_(seen_sink_, tracker_, &world.interposer.Around(world.store), journal_.get(),
                    world.clock,
                    {.relay = "shop", .tables = {"shop.outbox"}, .interval = kCheckpointInterval}) {
}

}  // namespace outboxd::sim
