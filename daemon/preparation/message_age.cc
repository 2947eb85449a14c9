#include "daemon/preparation/message_age.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "binlog/hint.h"
#include "binlog/table_filter.h"
#include "daemon/preparation/sink_setup.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKafkaTimeout{5'000};
constexpr milliseconds kTimeMax{15'000};  // Of all questions: a relay that starts waits for them.
constexpr std::size_t kTopicsMax = 200;   // Each is a request.
constexpr std::uint64_t kRowsMax = 1'000'000;
constexpr const char* kWithoutTime =
    "or 'timestamp =' in [outbox]: a message then has the time of its sending";

// The lowest age at which a topic loses or refuses a message.
struct AgeLimit {
  milliseconds age;
  std::string topic;
  std::string property;
};

Finding Warning(std::string subject, std::string found, std::string remedy) {
  return {Finding::Level::kWarning, std::move(subject), std::move(found), std::move(remedy),
          ExitCode::kOk};
}

std::string AgeText(milliseconds age) {
  using namespace std::chrono;
  if (age % days(1) == 0ms) return fmt::format("{} d", age / days(1));
  if (age % hours(1) == 0ms) return fmt::format("{} h", age / hours(1));
  return fmt::format("{} ms", age.count());
}

std::optional<AgeLimit> LimitOf(const std::string& topic, const sinks::KafkaTopicFacts& facts) {
  if (facts.has_append_time) return std::nullopt;
  std::optional<AgeLimit> limit;
  // Without "delete" among its policies a topic keeps the last message of each key, however old.
  const bool deletes = facts.cleanup_policy.contains("delete");
  if (deletes && facts.retention_ms && *facts.retention_ms >= 0) {
    limit = {milliseconds(*facts.retention_ms), topic, "retention.ms"};
  }
  if (facts.age_taken_ms_max && (!limit || *facts.age_taken_ms_max <= limit->age.count())) {
    limit = {milliseconds(*facts.age_taken_ms_max), topic, "message.timestamp.before.max.ms"};
  }
  return limit;
}

// Whether rows whose topic fits `pattern` may go to it.
bool MayBeWritten(const Config& config, const std::string& topic, std::string_view pattern) {
  if (topic.starts_with("__") || topic == config.delivery.dead_letter_topic) return false;
  const std::vector<std::string>& allowed = config.topics.allow;
  return binlog::FitsPattern(topic, pattern) &&
         (allowed.empty() || std::ranges::any_of(allowed, [&topic](const std::string& one) {
            return binlog::FitsPattern(topic, one);
          }));
}

// The topics of one family of event tables.
struct TopicLimits {
  std::optional<AgeLimit> lowest;
  std::string unknown;  // What could not be learned; empty: nothing.
};

TopicLimits LookAtTopics(const Config& config, const std::string& pattern,
                         const AgeQuestions& questions) {
  TopicLimits limits;
  std::vector<std::string> topics{pattern};
  if (binlog::IsPattern(pattern)) {
    auto all = questions.topics();
    if (!all) return {std::nullopt, all.error().message};
    std::erase_if(*all,
                  [&](const std::string& topic) { return !MayBeWritten(config, topic, pattern); });
    topics = std::move(*all);
    if (topics.empty()) limits.unknown = fmt::format("no topic fits {} yet", pattern);
    if (topics.size() > kTopicsMax) {
      limits.unknown = fmt::format("{} topics fit {}, too many to ask", topics.size(), pattern);
      topics.resize(kTopicsMax);
    }
  }
  for (const std::string& topic : topics) {
    const auto facts = questions.topic(topic);
    if (!facts) {
      limits.unknown = facts.error().message;
    } else if (!*facts) {
      limits.unknown = fmt::format("topic {} does not exist yet", topic);
    } else if (!(*facts)->configuration_error.empty()) {
      limits.unknown = fmt::format("topic {}: {}", topic, (*facts)->configuration_error);
    } else if (auto limit = LimitOf(topic, **facts)) {
      if (!limits.lowest || limit->age < limits.lowest->age) limits.lowest = std::move(limit);
    }
  }
  return limits;
}

Finding NotKnown(std::string table, std::string_view why) {
  return Warning(
      std::move(table),
      fmt::format("whether topics keep messages for the age of these rows, whose time is"
                  " theirs, is not known: {}",
                  binlog::WithoutHint(why)),
      fmt::format("see that retention.ms of their topics is above the age of the rows, or"
                  " -1, {}",
                  kWithoutTime));
}

// The rows of a family that are older than a topic of theirs keeps, or takes.
struct OldRows {
  std::uint64_t count = 0;
  std::string unknown;  // Why there may be more; empty: there are not.
};

OldRows CountOldRows(std::size_t selection, const std::string& column, const AgeLimit& limit,
                     const std::vector<DescribedTable>& found, const AgeQuestions& questions) {
  OldRows rows;
  const auto say = [&](std::string_view why) {
    rows.unknown = fmt::format("topic {} has {} = {}, and {}", limit.topic, limit.property,
                               limit.age.count(), why);
  };
  for (const auto& [selection_index, table] : found) {
    if (selection_index != selection) continue;
    if (binlog::FindColumn(table.columns, column) == nullptr) {
      say(fmt::format("'{}' is no plain column", column));
      break;
    }
    const auto count = questions.count_older(table, column, limit.age, kRowsMax);
    if (!count) {
      say(count.error().message);
      break;
    }
    if (!*count) {
      say(fmt::format("the server did not count the older rows by '{}' in time", column));
      break;
    }
    rows.count += **count;
    if (**count >= kRowsMax) say("there are more than were counted");
  }
  return rows;
}

Finding TooOld(const Config& config, std::string subject, const OutboxMapping& mapping,
               const AgeLimit& limit, const OldRows& rows) {
  const bool is_refused = limit.property != "retention.ms";
  return Warning(
      std::move(subject),
      fmt::format("{}{} row{} older, by '{}', than topic {} {} messages ({} = {}, {}){}: Kafka {}",
                  rows.unknown.empty() ? "" : "at least ", rows.count,
                  rows.count == 1 ? " is" : "s are", mapping.timestamp(), limit.topic,
                  is_refused ? "takes" : "keeps", limit.property, limit.age.count(),
                  AgeText(limit.age),
                  binlog::IsPattern(mapping.topic_pattern()) ? ", and may go there" : "",
                  is_refused ? "refuses them" : "may delete them as soon as they are published"),
      fmt::format(
          "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name"
          " {} --add-config {}={}, {}",
          sinks::BootstrapServers(config.kafka), limit.topic, limit.property,
          is_refused ? "9223372036854775807" : "-1", kWithoutTime));
}

// None: nothing is too old for its topic.
std::optional<Finding> CheckFamily(const Config& config, const EventTables& tables,
                                   std::size_t selection, const std::vector<DescribedTable>& found,
                                   const AgeQuestions& questions) {
  const OutboxMapping& mapping = tables.mappings[selection];
  const binlog::TableSelection& family = tables.selections[selection];
  std::string subject = fmt::format("{}.{}", family.schema_pattern, family.table_pattern);
  const TopicLimits limits = LookAtTopics(config, mapping.topic_pattern(), questions);
  OldRows rows;
  if (limits.lowest) {
    rows = CountOldRows(selection, mapping.timestamp(), *limits.lowest, found, questions);
  }
  if (rows.count > 0) return TooOld(config, std::move(subject), mapping, *limits.lowest, rows);
  const std::string& unknown = rows.unknown.empty() ? limits.unknown : rows.unknown;
  if (unknown.empty()) return std::nullopt;
  return NotKnown(std::move(subject), unknown);
}

bool MapsTimes(const EventTables& tables) {
  return std::ranges::any_of(
      tables.mappings, [](const OutboxMapping& mapping) { return !mapping.timestamp().empty(); });
}

}  // namespace

std::vector<Finding> CheckMessageAges(const Config& config, const EventTables& tables,
                                      const std::vector<DescribedTable>& found,
                                      const AgeQuestions& questions) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < tables.mappings.size(); ++i) {
    const bool is_found = std::ranges::find(found, i, &DescribedTable::selection) != found.end();
    if (tables.mappings[i].timestamp().empty() || !is_found) continue;
    auto finding = CheckFamily(config, tables, i, found, questions);
    if (finding) findings.push_back(std::move(*finding));
  }
  return findings;
}

std::vector<Finding> LookAtMessageAges(const Config& config, const EventTables& tables,
                                       const std::vector<DescribedTable>& found,
                                       binlog::MysqlServer& server) {
  if (config.sink.type != SinkConfig::Type::kKafka || !MapsTimes(tables)) return {};
  const sinks::KafkaSinkOptions options = KafkaSinkOptionsOf(config);
  auto probe = sinks::KafkaProbe::Connect(options.properties, options.log, kKafkaTimeout);
  if (!probe) return {NotKnown("topics", probe.error().message)};
  const auto deadline = std::chrono::steady_clock::now() + kTimeMax;
  const auto is_late = [deadline] { return std::chrono::steady_clock::now() > deadline; };
  return CheckMessageAges(
      config, tables, found,
      {.topics = [&] { return probe->Topics(kKafkaTimeout); },
       .topic =
           [&](const std::string& topic) -> sinks::Result<std::optional<sinks::KafkaTopicFacts>> {
         if (is_late()) {
           return sinks::Fail(sinks::ErrorKind::kUnreachable, "topic {}: no time is left", topic);
         }
         return probe->Topic(topic, kKafkaTimeout);
       },
       .count_older = [&](const binlog::TableFacts& table, std::string_view column,
                          milliseconds age,
                          std::uint64_t rows_max) -> binlog::Result<std::optional<std::uint64_t>> {
         if (is_late()) return std::nullopt;
         return server.CountOlder(table, column, age, rows_max);
       }});
}

}  // namespace outboxd
