#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/error.h"
#include "sinks/message.h"
#include "sinks/sink.h"
#include "sinks/sink_request.h"
#include "sinks/sink_words.h"

namespace outboxd::sinks {

// What a kind of sink offers beside Sink itself: its settings, what can be said of it before a
// relay runs, and how what it took is read back. One folder of sinks/ is one family, and the daemon
// knows them by one table (daemon/config/sink_families.cc).

// A key of a section that only this family reads, as docs/configuration.md documents it.
struct SettingKey {
  enum class Type { kText, kYesNo, kNumber };

  std::string_view section;
  std::string_view key;  // "*": any.
  Type type = Type::kText;
  std::string_view values;        // kNumber: "LEAST to MOST"; empty: whatever the type takes.
  std::string_view default_text;  // As it would stand in the file; empty: none.
  std::string_view meaning;       // In sentences, without line feeds.
};

// One thing that was looked at, and what mends it.
struct Finding {
  enum class Level { kOk, kWarning, kProblem };

  Level level = Level::kOk;
  std::string subject;                         // "topic orders"
  std::string found;                           // "does not exist, and topics.create is no"
  std::string remedy = {};                     // The exact command; empty: all is well.
  ErrorKind kind = ErrorKind::kConfiguration;  // Of a problem.
};

// A topic that the configuration names.
struct TopicUse {
  std::string topic;  // With {expressions} where it depends on the row.
  bool depends_on_row = false;
  bool is_for_dead_letters = false;
};

// What is found where messages go.
struct SinkFacts {
  // As OpenedSink::identity; none: nobody answered.
  std::optional<std::string> identity;
  std::vector<Finding> findings;
};

// The age, by a message's own time, above which a topic loses it.
struct AgeLimit {
  std::chrono::milliseconds age{};
  bool is_refused = false;  // It is not taken at all; otherwise it may be deleted at once.
  std::string setting;      // "retention.ms = 604800000"
  std::string remedy;       // The exact command.
};

// Looks at where messages go. Publishes nothing and creates nothing. One thread. Each call waits at
// most for the timeout that the probe was made with, once for each server or topic.
class SinkProbe {
 public:
  virtual ~SinkProbe() = default;

  [[nodiscard]] virtual SinkFacts Look(std::span<const TopicUse> topics) = 0;

  // The names of all topics that this user may see. None where a sink has no topics of its own.
  [[nodiscard]] virtual Result<std::vector<std::string>> Topics() = 0;

  // None: whatever its age. An error: it is not known, and why.
  [[nodiscard]] virtual Result<std::optional<AgeLimit>> FindAgeLimit(const std::string& topic) = 0;
};

// A message as it stands in a topic: topic, partition and timestamp are set.
struct StoredMessage {
  Message message;
  std::int64_t offset = 0;
};

// Reads a topic as it stands, from its beginning to its present end. Remembers nothing where it
// reads. One thread.
class MessageReader {
 public:
  virtual ~MessageReader() = default;

  // Calls `take` with each message from offset `from` on, one partition after the other, each in
  // its order; until it returns false. A message is valid during the call. Waits for the next
  // answer at most `timeout`. kConfiguration: there is no such topic. kRejected: the right to read
  // it is missing. kUnreachable: no answer.
  [[nodiscard]] virtual Result<void> Read(
      const std::string& topic, std::int64_t from, std::chrono::milliseconds timeout,
      const std::function<bool(const StoredMessage&)>& take) = 0;
};

// One kind of sink. Has no state, and lives as long as the process. Any thread.
class SinkFamily {
 public:
  [[nodiscard]] virtual std::string_view name() const = 0;  // As `sink.type` has it.
  [[nodiscard]] virtual const SinkWords& words() const = 0;
  // The client library that it talks through, with its version in force: "librdkafka 2.14.2";
  // empty: none.
  [[nodiscard]] virtual std::string library() const = 0;
  [[nodiscard]] virtual std::span<const SettingKey> keys() const = 0;
  // What a configuration has to say of it, as it stands in the file; empty: nothing.
  [[nodiscard]] virtual std::string_view example() const = 0;

  // Whether a value of one of keys() can be right, as far as the file alone tells. An error says
  // what is wrong with the value.
  [[nodiscard]] virtual Result<void> CheckSetting(const Setting& setting) const = 0;
  // Whether a setting says who the relay is and how that is proved: credentials, certificates. Such
  // a one may change while a sink is in use (Sink::Configure()).
  [[nodiscard]] virtual bool IsCredential(const Setting& setting) const = 0;
  // Whether settings have a program of the operator run, which takes memory beside the relay.
  [[nodiscard]] virtual bool RunsProgram(std::span<const Setting> settings) const = 0;
  // Whether a topic may have this name. kRejected.
  [[nodiscard]] virtual Result<void> CheckTopicName(std::string_view topic) const = 0;

  // Not yet open; connects to nothing. kConfiguration: a setting is wrong, unknown or refused.
  [[nodiscard]] virtual Result<std::unique_ptr<Sink>> MakeSink(SinkRequest request) const = 0;

  // Both wait at most `timeout` for the servers. Errors as Sink::Open(), and as MakeSink().
  [[nodiscard]] virtual Result<std::unique_ptr<SinkProbe>> MakeProbe(
      SinkRequest request, std::chrono::milliseconds timeout) const = 0;
  // kConfiguration also where nothing can be read back.
  [[nodiscard]] virtual Result<std::unique_ptr<MessageReader>> MakeReader(
      SinkRequest request, std::chrono::milliseconds timeout) const = 0;

 protected:
  ~SinkFamily() = default;
};

}  // namespace outboxd::sinks
