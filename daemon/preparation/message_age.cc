#include "daemon/preparation/message_age.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/glob.h"
#include "binlog/mysql_tables.h"
#include "binlog/table_filter.h"
#include "daemon/preparation/sink_setup.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeout{5'000};
constexpr milliseconds kTimeMax{15'000};  // Of all questions: a relay that starts waits for them.
constexpr std::size_t kTopicsMax = 200;   // Each is a request.
constexpr std::uint64_t kRowsMax = 1'000'000;
constexpr const char* kWithoutTime =
    "or 'timestamp =' in [outbox]: a message then has the time of its sending";

// The topic that loses messages first.
struct FirstLimit {
  std::string topic;
  sinks::AgeLimit limit;
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

// Whether rows whose topic fits `pattern` may go to it.
bool MayBeWritten(const Config& config, const std::string& topic, std::string_view pattern) {
  return topic != config.delivery.dead_letter_topic && FitsPattern(topic, pattern) &&
         MayPublish(config.topics, topic);
}

// The topics of one pattern of event tables.
struct TopicLimits {
  std::optional<FirstLimit> lowest;
  std::string unknown;  // What could not be learned; empty: nothing.
};

TopicLimits LookAtTopics(const Config& config, const std::string& pattern,
                         const AgeQuestions& questions) {
  TopicLimits limits;
  std::vector<std::string> topics{pattern};
  if (IsPattern(pattern)) {
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
    auto limit = questions.age_limit(topic);
    if (!limit) {
      limits.unknown = limit.error().message;
    } else if (*limit && (!limits.lowest || (*limit)->age < limits.lowest->limit.age)) {
      limits.lowest = FirstLimit{topic, **std::move(limit)};
    }
  }
  return limits;
}

Finding NotKnown(const Config& config, std::string table, std::string_view why) {
  return Warning(std::move(table),
                 fmt::format("whether topics keep messages for the age of these rows, whose time is"
                             " theirs, is not known: {}",
                             why),
                 fmt::format("{}, {}", config.sink.family->words().keep_advice, kWithoutTime));
}

// The rows of its tables that are older than a topic of theirs keeps, or takes.
struct OldRows {
  std::uint64_t count = 0;
  std::string unknown;  // Why there may be more; empty: there are not.
};

OldRows CountOldRows(std::size_t selection, const std::string& column, const FirstLimit& first,
                     const std::vector<DescribedTable>& found, const AgeQuestions& questions) {
  OldRows rows;
  const auto say = [&](std::string_view why) {
    rows.unknown = fmt::format("topic {} has {}, and {}", first.topic, first.limit.setting, why);
  };
  for (const auto& [selection_index, table] : found) {
    if (selection_index != selection) continue;
    if (binlog::FindColumn(table.columns, column) == nullptr) {
      say(fmt::format("'{}' is no plain column", column));
      break;
    }
    const auto count = questions.count_older(table, column, first.limit.age, kRowsMax);
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
               const FirstLimit& first, const OldRows& rows) {
  const auto& [topic, limit] = first;
  return Warning(
      std::move(subject),
      fmt::format(
          "{}{} row{} older, by '{}', than topic {} {} messages ({}, {}){}: {} {}",
          rows.unknown.empty() ? "" : "at least ", rows.count, rows.count == 1 ? " is" : "s are",
          mapping.timestamp(), topic, limit.is_refused ? "takes" : "keeps", limit.setting,
          AgeText(limit.age), IsPattern(mapping.topic_pattern()) ? ", and may go there" : "",
          config.sink.family->words().receiver,
          limit.is_refused ? "refuses them" : "may delete them as soon as they are published"),
      fmt::format("{}, {}", limit.remedy, kWithoutTime));
}

// None: nothing is too old for its topic.
std::optional<Finding> CheckSelection(const Config& config, const EventTables& tables,
                                      std::size_t selection,
                                      const std::vector<DescribedTable>& found,
                                      const AgeQuestions& questions) {
  const OutboxMapping& mapping = tables.mappings[selection];
  const binlog::TableSelection& selected = tables.selections[selection];
  std::string subject = fmt::format("{}.{}", selected.schema_pattern, selected.table_pattern);
  const TopicLimits limits = LookAtTopics(config, mapping.topic_pattern(), questions);
  OldRows rows;
  if (limits.lowest) {
    rows = CountOldRows(selection, mapping.timestamp(), *limits.lowest, found, questions);
  }
  if (rows.count > 0) return TooOld(config, std::move(subject), mapping, *limits.lowest, rows);
  const std::string& unknown = rows.unknown.empty() ? limits.unknown : rows.unknown;
  if (unknown.empty()) return std::nullopt;
  return NotKnown(config, std::move(subject), unknown);
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
    auto finding = CheckSelection(config, tables, i, found, questions);
    if (finding) findings.push_back(std::move(*finding));
  }
  return findings;
}

std::vector<Finding> LookAtMessageAges(const Config& config, const EventTables& tables,
                                       const std::vector<DescribedTable>& found,
                                       binlog::MysqlServer& server) {
  if (!MapsTimes(tables)) return {};
  auto probe = config.sink.family->MakeProbe(SinkRequestOf(config), kTimeout);
  if (!probe) return {NotKnown(config, "topics", probe.error().message)};
  const auto deadline = std::chrono::steady_clock::now() + kTimeMax;
  const auto is_late = [deadline] { return std::chrono::steady_clock::now() > deadline; };
  return CheckMessageAges(
      config, tables, found,
      {.topics = [&] { return (*probe)->Topics(); },
       .age_limit = [&](const std::string& topic) -> sinks::Result<std::optional<sinks::AgeLimit>> {
         if (is_late()) {
           return Fail(sinks::ErrorKind::kUnreachable, "topic {}: no time is left", topic);
         }
         return (*probe)->FindAgeLimit(topic);
       },
       .count_older = [&](const binlog::TableFacts& table, std::string_view column,
                          milliseconds age,
                          std::uint64_t rows_max) -> binlog::Result<std::optional<std::uint64_t>> {
         if (is_late()) return std::nullopt;
         return binlog::CountOlder(server.connection(), table, column, age, rows_max);
       }});
}

}  // namespace outboxd
