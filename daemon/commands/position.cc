#include <fmt/core.h>

#include <optional>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/input_file.h"
#include "daemon/commands/recorded_action.h"
#include "daemon/config/config_value.h"
#include "daemon/exit_code_of.h"
#include "daemon/migration/debezium_offset.h"
#include "daemon/preparation/log_place.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/service/clock.h"

namespace outboxd {
namespace {

constexpr std::size_t kCheckpointBytesMax = 64u << 20;

Result<void> Show(const Config& config) {
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto checkpoint = store.Load();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (!*checkpoint) {
    return Fail(ExitCode::kNoStart, "relay {} has no checkpoint in {}", config.relay.name,
                config.relay.state_directory);
  }
  fmt::print("{}", CheckpointText(**checkpoint));
  return {};
}

// The place that a person gives, as the log of a server has it.
Result<Progress> Choose(const Config& config, const StartChoice& start) {
  Config chosen = config;
  chosen.delivery.start = start;
  auto prepared = Prepare(chosen, std::nullopt);
  if (!prepared) return std::unexpected(prepared.error());
  if (auto good = CheckLogPlace(config.mysql, prepared->progress); !good) {
    const bool is_no_place = good.error().kind == binlog::ErrorKind::kCorrupt;
    return std::unexpected(is_no_place ? good.error().As(ExitCode::kUsage)
                                       : AsDaemonError(good.error()));
  }
  return std::move(prepared->progress);
}

// The one that was there stays beside it.
Result<void> KeepFormer(const CheckpointFile& store, const Config& config) {
  auto bytes = ReadFile(SystemFiles(), store.path(), kCheckpointBytesMax);
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return {};
  auto kept =
      ReplaceFile(SystemFiles(), config.relay.state_directory, "checkpoint.former", **bytes);
  if (!kept) return kept;
  fmt::print("the former checkpoint stands in {}/checkpoint.former\n",
             config.relay.state_directory);
  return {};
}

// What a relay dropped because an operator said so is, at another place, an event like any other.
Result<void> ForgetSkipped(StateDirectory& state) {
  const auto passed = state.ReadPassed();
  if (auto forgotten = state.ForgetPassed(); !forgotten) return forgotten;
  // A list that cannot be read is forgotten all the same, which mends it.
  if (passed && passed->empty()) return {};
  fmt::print(
      "the skipped events{} are forgotten: a relay that reads one again holds at it again; their"
      " content stays in {}/skipped.jsonl\n",
      passed ? fmt::format(", {} of them,", passed->size()) : "", state.path());
  return {};
}

std::string PlaceText(const binlog::Position& position) {
  if (!position.gtids.empty()) return position.gtids.ToText();
  return position.file.empty() ? "-" : fmt::format("{}:{}", position.file, position.offset);
}

// Stores a checkpoint to begin with; without `start` the one that is there, for any cluster.
// `typed`: the place in the operator's words.
Result<void> Replace(const Config& config, const std::optional<StartChoice>& start,
                     const std::string& typed) {
  StateDirectory state(config.relay.state_directory);
  if (auto locked = state.Lock(); !locked) return locked;
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto old = store.Load();
  Progress progress;
  if (!start) {
    if (!old) return std::unexpected(old.error());
    if (!*old) return Fail(ExitCode::kNoStart, "there is no checkpoint to keep");
    progress = MakeProgress(**old);
    progress.sink.clear();  // Taken anew at the next start.
  } else {
    auto chosen = Choose(config, *start);
    if (!chosen) return std::unexpected(chosen.error());
    progress = std::move(*chosen);
    if (auto kept = KeepFormer(store, config); !kept) return kept;
    if (auto forgotten = ForgetSkipped(state); !forgotten) return forgotten;
  }
  const std::string former = old && *old ? PlaceText((*old)->position) : "-";
  if (auto recorded = RecordAction(config, "position set", former, typed); !recorded) {
    return recorded;
  }
  auto stored = store.Store(MakeCheckpoint(progress, config.relay.name, TablePatterns(config),
                                           SystemClock().WallMicroseconds()));
  if (!stored) return stored;
  if (old && *old) fmt::print("{}", MoveText((*old)->position, progress.position));
  return Show(config);
}

Result<void> Set(const Config& config, const std::string& place) {
  if (place == "keep") return Replace(config, std::nullopt, place);
  const auto start = ParseStart(place);
  if (!start) return std::unexpected(start.error().As(ExitCode::kUsage));
  if (auto typed = CheckTypedPlace(config.mysql, *start); !typed) return typed;
  return Replace(config, *start, place);
}

// A path, or the JSON itself.
Result<std::string> TextOf(const std::string& word) {
  constexpr std::size_t kOffsetBytesMax = 16 << 20;  // A GTID set can be long, a topic's dump too.
  if (word.starts_with('{')) return word;
  return ReadInputFile(word, kOffsetBytesMax);
}

// Debezium reads by GTID where the server has gtid_mode = ON, and so does a relay.
Result<StartChoice> PlaceOf(const Config& config, DebeziumOffset offset) {
  const auto asked = AskServer(config.mysql);
  if (!asked) return std::unexpected(AsDaemonError(asked.error()));
  StartChoice start;
  if (asked->facts.gtid_mode == "ON" && !offset.gtids.empty()) {
    start.kind = StartChoice::Kind::kGtid;
    start.gtids = std::move(offset.gtids);
    return start;
  }
  start.kind = StartChoice::Kind::kFile;
  start.file = std::move(offset.file);
  start.offset = offset.offset;
  return start;
}

Result<void> Import(const Config& config, const std::string& word) {
  const auto text = TextOf(word);
  if (!text) return std::unexpected(text.error());
  auto offset = ParseDebeziumOffset(*text);
  if (!offset) return std::unexpected(offset.error());
  const auto place = PlaceOf(config, std::move(*offset));
  if (!place) return std::unexpected(place.error());
  return Replace(config, *place, "from a Debezium offset");
}

Result<void> Export(const Config& config, const std::string& topic_prefix) {
  StateDirectory state(config.relay.state_directory);
  // While a relay runs its checkpoint is behind what it publishes.
  if (auto locked = state.Lock(); !locked) return locked;
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  const auto checkpoint = store.Load();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (!*checkpoint) return Fail(ExitCode::kNoStart, "there is no checkpoint to export");
  const auto text = DebeziumOffsetOf(**checkpoint, topic_prefix);
  if (!text) return std::unexpected(text.error());
  fmt::print("{}\n", *text);
  return {};
}

}  // namespace

Result<void> PositionCommand(const Config& config, const CommandLine& line) {
  if (line.debezium && line.words.size() == 2) {
    if (line.words[0] == "import") return Import(config, line.words[1]);
    if (line.words[0] == "export") return Export(config, line.words[1]);
  }
  if (line.words.size() == 1 && line.words[0] == "show") return Show(config);
  if (line.words.size() == 2 && line.words[0] == "set") return Set(config, line.words[1]);
  return Fail(ExitCode::kUsage,
              "usage: outboxd position show | position set PLACE | position import --debezium "
              "OFFSET | position export --debezium TOPIC-PREFIX");
}

}  // namespace outboxd
