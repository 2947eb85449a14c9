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

std::vector<binlog::TableSelection> Selections() {
  binlog::TableSelection selection;
  selection.schema_pattern = "shop";
  selection.table_pattern = "outbox";
  selection.columns = Mapping().columns();
  return {selection};
}

RelayCore::Settings SettingsOf(const SimulatedProcess::Settings& settings) {
  DeliveryConfig delivery;
  delivery.on_bad_event = settings.on_bad_event;
  delivery.dead_letter_topic = kDeadLetterTopic;
  delivery.on_lost_transactions = settings.on_lost;
  const binlog::TransactionBufferOptions buffer{.spill_directory = settings.state_directory,
                                                .memory_bytes_max = settings.memory_bytes_max};
  return {.name = "shop",
          .table_patterns = {"shop.outbox"},
          .delivery = delivery,
          .checkpoint_interval = kCheckpointInterval,
          .lag = {.heartbeat = std::chrono::milliseconds(1),
                  .proof_age_max = SimulatedProcess::kProofAgeMax},
          .drain_timeout = settings.drain_timeout,
          .rows_between_boundaries = 1,
          .state_directory = settings.state_directory,
          .buffer = buffer,
          .stream = {.large_event_bytes = settings.large_event_bytes},
          .read = {.buffer = buffer,
                   .chunk_bytes_max = settings.chunk_bytes_max,
                   .chunk_rows_first = settings.chunk_rows_max,
                   .chunk_rows_max = settings.chunk_rows_max}};
}

const binlog::CharacterSets& CharacterSetsOfServer() {
  static const binlog::CharacterSets character_sets;
  return character_sets;
}

std::unique_ptr<WorldSink> MakeSink(const SimulatedProcess::World& world,
                                    const SimulatedProcess::Settings& settings) {
  if (world.kept != nullptr) {
    return std::make_unique<KeepingSink>(world.checker, world.faults, *world.kept);
  }
  return std::make_unique<SimulatedSink>(world.history, world.checker, world.faults,
                                         settings.sink_room);
}

}  // namespace

Result<std::optional<Checkpoint>> CheckedStore::Load() {
  auto loaded = file_.Load();
  if (loaded) checker_.OnLoad(*loaded);
  return loaded;
}

Result<void> CheckedStore::Settle() {
  auto settled = file_.Settle();
  if (settled) checker_.OnSettled();
  return settled;
}

Result<void> CheckedStore::Store(const Checkpoint& checkpoint) {
  checker_.OnStore(checkpoint);
  auto stored = file_.Store(checkpoint);
  if (stored) checker_.OnStored();
  faults_.Note("checkpoint: {}", stored ? "stored" : stored.error().message);
  return stored;
}

SimulatedProcess::SimulatedProcess(World world, Progress progress, const Settings& settings)
    : interposer_(world.interposer),
      source_(world.source, world.faults, world.clock),
      tables_(world.source, world.history, world.faults, std::move(world.go_on)),
      ledger_(world.faults),
      probe_(world.source, world.faults, world.clock),
      sink_(MakeSink(world, settings)),
      liveness_(world.clock),
      outages_(world.clock),
      owner_(world.interposer.Around(static_cast<sinks::Sink&>(*sink_)), WorldSink::kWords,
             liveness_, outages_, world.clock),
      journal_(settings.keeps_journal
                   ? std::make_unique<Journal>(settings.state_directory, kJournalBytesMax)
                   : nullptr),
      core_({.source = world.interposer.Around(static_cast<binlog::EventSource&>(source_)),
             .tables = world.interposer.Around(static_cast<binlog::TableSource&>(tables_)),
             .ledger = world.interposer.Around(static_cast<ReadLedger&>(ledger_)),
             .sink = owner_,
             .store = &world.interposer.Around(world.store),
             .state = world.state,
             .alarms = world.alarms,
             .journal = journal_.get(),
             .character_sets = CharacterSetsOfServer(),
             .liveness = liveness_,
             .outages = outages_,
             .clock = world.clock,
             .probe = &world.interposer.Around(static_cast<binlog::ServerProbe&>(probe_))},
            SettingsOf(settings), std::move(progress), Selections(), Mappings()) {}

}  // namespace outboxd::sim
