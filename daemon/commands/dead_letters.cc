#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "base/escaped.h"
#include "base/json_line.h"
#include "base/time_text.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/progress_bar.h"
#include "daemon/commands/recorded_action.h"
#include "daemon/commands/replayer.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/relay/dead_letter.h"
#include "sinks/sink_family.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kTimeout{10'000};

// What is listed of one dead letter; without its content, so that many fit into memory.
struct Letter {
  std::int32_t partition;
  std::int64_t offset;
  std::string position, id, table, topic, reason, time;
  bool is_replayed;
};

struct Letters {
  std::vector<Letter> all;
  std::size_t foreign_count = 0;  // Messages in the topic that are no dead letters.
};

Result<std::unique_ptr<sinks::MessageReader>> Connect(const Config& config) {
  auto reader = config.sink.family->MakeReader(SinkRequestOf(config), kTimeout);
  if (!reader) return std::unexpected(AsDaemonError(reader.error()));
  return *std::move(reader);
}

Result<void> Read(sinks::MessageReader& reader, const Config& config, std::int64_t from,
                  const std::function<bool(const sinks::StoredMessage&)>& take) {
  const auto read = reader.Read(config.delivery.dead_letter_topic, from, kTimeout, take);
  if (read) return {};
  const bool is_denied = read.error().kind == sinks::ErrorKind::kRejected;
  return std::unexpected(is_denied ? read.error().As(ExitCode::kDenied)
                                   : AsDaemonError(read.error()));
}

Result<Letters> ReadLetters(sinks::MessageReader& reader, const Config& config, std::int64_t from) {
  const auto replayed = DeadLetterLog(config.relay.state_directory).Replayed();
  if (!replayed) return std::unexpected(replayed.error());
  Letters letters;
  auto read = Read(reader, config, from, [&](const sinks::StoredMessage& stored) {
    const auto facts = ReadDeadLetter(stored.message);
    if (!facts) {
      ++letters.foreign_count;
      return true;
    }
    // One that is made anew behind its replay, as after 'position set', is another one.
    const auto at = replayed->find(facts->position);
    const bool is_replayed = at != replayed->end() && facts->time <= IsoTimeText(at->second);
    letters.all.push_back({*stored.message.partition, stored.offset, std::string(facts->position),
                           std::string(facts->id), std::string(facts->table),
                           std::string(facts->topic), std::string(facts->reason),
                           std::string(facts->time), is_replayed});
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return letters;
}

void PrintJson(const Letter& letter) {
  nlohmann::ordered_json json;
  json["position"] = letter.position;
  json["id"] = letter.id;
  json["table"] = letter.table;
  json["topic"] = letter.topic;
  json["reason"] = letter.reason;
  json["time"] = letter.time;
  json["replayed"] = letter.is_replayed;
  json["partition"] = letter.partition;
  json["offset"] = letter.offset;
  fmt::print("{}", JsonLine(json));
}

void PrintTable(const std::vector<Letter>& letters) {
  constexpr std::size_t kColumns = 7;
  using Line = std::array<std::string, kColumns>;
  std::vector<Line> lines{{"position", "id", "table", "topic", "time", "replayed", "reason"}};
  for (const Letter& letter : letters) {
    lines.push_back({Escaped(letter.position), Escaped(letter.id), Escaped(letter.table),
                     Escaped(letter.topic), Escaped(letter.time), letter.is_replayed ? "yes" : "no",
                     Escaped(SplitHint(letter.reason).text)});
  }
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  widths.back() = 0;  // Nothing stands behind it.
  for (const Line& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < kColumns; ++i) text += fmt::format("{:<{}}  ", line[i], widths[i]);
    text.resize(text.size() - 2);
    fmt::print("{}\n", text);
  }
}

Result<void> List(const Config& config, const CommandLine& line) {
  std::int64_t from = 0;
  const std::string& text = line.from;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), from);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!text.empty() && (!is_number || from < 0)) {
    return Fail(ExitCode::kUsage, "--from: '{}' is no offset", Escaped(text));
  }
  auto reader = Connect(config);
  if (!reader) return std::unexpected(reader.error());
  const auto letters = ReadLetters(**reader, config, from);
  if (!letters) return std::unexpected(letters.error());
  if (line.json) {
    for (const Letter& letter : letters->all) PrintJson(letter);
    return {};
  }
  if (!letters->all.empty()) PrintTable(letters->all);
  const auto replayed = std::ranges::count(letters->all, true, &Letter::is_replayed);
  fmt::print("{} dead letters, {} of them replayed\n", letters->all.size(), replayed);
  if (letters->foreign_count > 0) {
    fmt::print("{} other messages stand in the topic\n", letters->foreign_count);
  }
  return {};
}

using Place = std::pair<std::int32_t, std::int64_t>;  // Partition and offset.

// Each event once, however often it stands in the topic. kUsage: a position that does not.
Result<std::set<Place>> Choose(const Letters& letters, const CommandLine& line) {
  std::set<Place> chosen;
  std::set<std::string, std::less<>> missing(line.words.begin() + 1, line.words.end());
  std::set<std::string, std::less<>> known;
  for (const Letter& letter : letters.all) {
    const bool is_wanted = line.all ? !letter.is_replayed : missing.contains(letter.position);
    if (is_wanted && known.insert(letter.position).second) {
      chosen.emplace(letter.partition, letter.offset);
    }
  }
  for (const std::string& position : known) missing.erase(position);
  if (missing.empty()) return chosen;
  return Fail(ExitCode::kUsage, "there is no dead letter of event {}", Escaped(*missing.begin()))
      .Hint("'outboxd dead-letters list'");
}

// Sends those that are chosen, in the order in which they stand in the topic.
class Replay {
 public:
  // `count`: of those to send.
  Replay(const Config& config, sinks::Sink& sink, std::size_t count)
      : bar_("of the dead letters", count),
        dead_letter_topic_(config.delivery.dead_letter_topic),
        log_(config.relay.state_directory),
        replayer_(sink, clock_) {}

  // False: the rest cannot be sent; failure() says why.
  bool Send(const sinks::Message& letter) {
    const auto facts = ReadDeadLetter(letter);
    if (!facts) return true;
    const std::string what =
        fmt::format("event {} (id {})", Escaped(facts->position), Escaped(facts->id));
    Result<std::optional<sinks::Error>> refusal;
    if (facts->topic == dead_letter_topic_) {
      refusal = sinks::Error{sinks::ErrorKind::kRejected,
                             fmt::format("topic {} is for dead letters", dead_letter_topic_)};
    } else {
      refusal = replayer_.Send(Restore(letter, *facts, headers_));
    }
    if (!refusal) {
      failure_ = Fail(refusal.error(), "{}", what).error();
      return false;
    }
    if (*refusal) {
      ++refused_count_;
      bar_.Clear();
      fmt::print("refused again: {}: {}\n", what, Escaped((*refusal)->ToText(), 1000));
      return true;
    }
    const auto recorded =
        log_.RecordReplayed(facts->position, facts->id, facts->topic, clock_.WallMicroseconds());
    if (!recorded) {
      failure_ = recorded.error();
      return false;
    }
    ++sent_count_;
    bar_.Clear();
    fmt::print("replayed: {} to topic {}\n", what, Escaped(facts->topic));
    bar_.Show(sent_count_ + refused_count_);
    return true;
  }

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] std::size_t sent_count() const { return sent_count_; }
  [[nodiscard]] std::size_t refused_count() const { return refused_count_; }

 private:
  ProgressBar bar_;
  const std::string dead_letter_topic_;
  const SystemClock clock_;
  DeadLetterLog log_;
  Replayer replayer_;
  std::vector<sinks::Header> headers_;
  std::optional<Error> failure_;
  std::size_t sent_count_ = 0;
  std::size_t refused_count_ = 0;
};

Result<void> ReplayChosen(const Config& config, const CommandLine& line) {
  // Two at a time would send the same event twice. The relay itself need not stop.
  StateDirectory replaying(config.relay.state_directory + "/replay");
  if (auto locked = replaying.Lock(); !locked) {
    return Fail(locked.error(), "dead letters are being replayed already");
  }
  auto reader = Connect(config);
  if (!reader) return std::unexpected(reader.error());
  const auto letters = ReadLetters(**reader, config, 0);
  if (!letters) return std::unexpected(letters.error());
  const auto chosen = Choose(*letters, line);
  if (!chosen) return std::unexpected(chosen.error());
  auto sink = MakeSink(config);
  if (!sink) return std::unexpected(sink.error());
  const std::string of =
      line.all ? "--all" : fmt::format("{}", fmt::join(line.words | std::views::drop(1), " "));
  const std::string text = fmt::format("{} dead letters", chosen->size());
  if (auto recorded = RecordAction(config, "replay", of, text); !recorded) return recorded;
  Replay replay(config, **sink, chosen->size());
  // Read a second time, so that the contents need not be in memory at once.
  auto read = Read(**reader, config, 0, [&](const sinks::StoredMessage& stored) {
    if (!chosen->contains({*stored.message.partition, stored.offset})) return true;
    return replay.Send(stored.message);
  });
  fmt::print("{} dead letters replayed\n", replay.sent_count());
  if (!read) return read;
  if (replay.failure()) return std::unexpected(*replay.failure());
  if (replay.refused_count() == 0) return {};
  return Fail(ExitCode::kUndecodable, "{} of {} dead letters were refused again and stay",
              replay.refused_count(), chosen->size());
}

}  // namespace

Result<void> DeadLettersCommand(const Config& config, const CommandLine& line) {
  if (config.delivery.dead_letter_topic.empty()) {
    return Fail(ExitCode::kConfiguration,
                "dead letters are those in the topic delivery.dead-letter-topic, which is not "
                "set")
        .Hint("add dead-letter-topic = TOPIC to [delivery]");
  }
  const std::string word = line.words.empty() ? "" : line.words[0];
  if (word == "list" && line.words.size() == 1) return List(config, line);
  // Positions or --all, not both.
  if (word == "replay" && line.all == (line.words.size() == 1)) return ReplayChosen(config, line);
  return Fail(ExitCode::kUsage,
              "usage: outboxd dead-letters list [--from OFFSET] [--json], outboxd dead-letters"
              " replay POSITION ... | --all");
}

}  // namespace outboxd
