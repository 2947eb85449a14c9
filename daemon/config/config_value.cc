#include "daemon/config/config_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "base/comma_list.h"
#include "base/escaped.h"
#include "base/trimmed.h"
#include "binlog/column_shape.h"
#include "binlog/gtid_set.h"
#include "daemon/config/presets.h"
#include "daemon/plain_name.h"

namespace outboxd {

namespace {

template <typename... Args>
Failure<ValueFault> Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return Fail(ValueFault::kWrong, format, std::forward<Args>(args)...);
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Digits and a unit of `units`; none: anything else, or more than `most` in all.
std::optional<std::uint64_t> ParseQuantity(std::string_view text, std::span<const Unit> units,
                                           std::uint64_t most) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = ParseDigits(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!number || unit == units.end() || *number > most / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

template <typename T>
struct Word {
  std::string_view text;
  T value;
};

// What is wrong with a text that is none of `choices`, but perhaps one of `later_words`.
Failure<ValueFault> NoneOf(std::string_view text, std::string_view choices,
                           std::initializer_list<std::string_view> later_words = {}) {
  if (std::ranges::find(later_words, text) != later_words.end()) {
    return Wrong("'{}' {}", text, kNotInThisVersion).Hint("available: {}", choices);
  }
  return Wrong("'{}' is none of: {}", Escaped(text), choices);
}

template <typename T>
Parsed<T> ParseWord(std::string_view text, std::initializer_list<Word<T>> words,
                    std::initializer_list<std::string_view> later_words = {}) {
  for (const Word<T>& word : words) {
    if (word.text == text) return word.value;
  }
  std::string choices;
  for (const Word<T>& word : words) {
    if (!choices.empty()) choices += ", ";
    choices += word.text;
  }
  return NoneOf(text, choices, later_words);
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool IsAddressCharacter(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == '.' ||
         c == ':';
}

Parsed<StartChoice> ParseStartGtid(std::string_view gtids) {
  const auto set = binlog::GtidSet::Parse(gtids);
  if (!set) return Fail(set.error().As(ValueFault::kWrong), "gtid");
  StartChoice start;
  start.kind = StartChoice::Kind::kGtid;
  start.gtids = set->ToText();
  return start;
}

Parsed<StartChoice> ParseStartFile(std::string_view place) {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return Wrong("'file:{}' is not file:NAME:OFFSET", Escaped(place))
        .Hint("for example file:binlog.000042:4");
  }
  // The first four bytes of a binary log are its magic number; the dump command has four bytes for
  // the offset (MySQL 9.7 sql-common/client.cc, COM_BINLOG_DUMP).
  const auto offset =
      ParseNumber(place.substr(colon + 1), 4, std::numeric_limits<std::uint32_t>::max());
  if (!offset) return Wrong("offset {}", offset.error().message);
  StartChoice start;
  start.kind = StartChoice::Kind::kFile;
  start.file = place.substr(0, colon);
  start.offset = *offset;
  return start;
}

}  // namespace

Parsed<std::string> ParseText(std::string_view text) {
  if (text.empty()) return Wrong("has no value");
  return std::string(text);
}

Parsed<std::string> ParseOptionalText(std::string_view text) { return std::string(text); }

Parsed<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  static constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  constexpr std::uint64_t kYear = 366ull * 24 * 3'600'000;
  const auto milliseconds = ParseQuantity(text, kUnits, kYear);
  if (!milliseconds || *milliseconds == 0) {
    return Wrong("'{}' is not a duration", Escaped(text))
        .Hint("a number and ms, s, m or h, for example 500ms or 10m");
  }
  return std::chrono::milliseconds(*milliseconds);
}

Parsed<std::uint64_t> ParseByteSize(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {"", 1},          {"KB", 1000},     {"MB", 1'000'000}, {"GB", 1'000'000'000},
      {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
  };
  constexpr std::uint64_t kMost = 1ull << 50;
  const auto bytes = ParseQuantity(text, kUnits, kMost);
  if (!bytes) {
    return Wrong("'{}' is not a size", Escaped(text))
        .Hint("bytes, or a number and KB, MB, GB, KiB, MiB or GiB");
  }
  return *bytes;
}

Parsed<std::uint16_t> ParsePort(std::string_view text) {
  const auto port = ParseNumber(text, 1, 65535);
  if (!port) return std::unexpected(port.error());
  return static_cast<std::uint16_t>(*port);
}

Parsed<std::vector<std::string>> ParseWords(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view part : SplitAtCommas(text)) {
    const std::string_view word = Trimmed(part);
    if (word.empty()) return Wrong("'{}' has an empty element", Escaped(text));
    words.emplace_back(word);
  }
  return words;
}

Parsed<std::string> ParseRelayName(std::string_view text) {
  constexpr std::size_t kBytesMax = 64;
  if (!IsPlainName(text) || text.size() > kBytesMax) {
    return Wrong("'{}' is not a relay's name", Escaped(text))
        .Hint("1 to {} letters, digits, - and _", kBytesMax);
  }
  return std::string(text);
}

Parsed<HostAndPort> SplitHost(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  bool is_host = false;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return Wrong("'{}' lacks a ']'", Escaped(text));
    host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    has_port = port.starts_with(':');
    is_host = (port.empty() || has_port) && host.find(':') != std::string_view::npos &&
              std::ranges::all_of(host, IsAddressCharacter);
    if (has_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port && text.find(':', colon + 1) != std::string_view::npos) {
      return Wrong("'{}' has more than one colon", Escaped(text))
          .Hint("put an IPv6 address in brackets, [::1]:3306");
    }
    host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    is_host = std::ranges::all_of(host, IsHostCharacter);
  }
  if (!is_host || host.empty()) return Wrong("'{}' is not a host", Escaped(text));

  HostAndPort split{std::string(host), default_port};
  if (has_port) {
    const auto number = ParsePort(port);
    if (!number) return Fail(number.error(), "port of '{}'", Escaped(text));
    split.port = *number;
  }
  return split;
}

Parsed<std::vector<std::string>> ParseHosts(std::string_view text) {
  auto hosts = ParseWords(text);
  if (!hosts) return hosts;
  for (const std::string& host : *hosts) {
    if (auto split = SplitHost(host, 0); !split) return std::unexpected(split.error());
  }
  return hosts;
}

Parsed<ListenAddress> ParseListen(std::string_view text) {
  auto split = SplitHost(text, 0);
  if (!split) return std::unexpected(split.error());
  if (split->port == 0) {
    return Wrong("'{}' names no port", Escaped(text)).Hint("ADDRESS:PORT, as 127.0.0.1:9464");
  }
  return ListenAddress{.host = std::move(split->host), .port = split->port};
}

Parsed<TlsChoice> ParseTls(std::string_view text) {
  return ParseWord<TlsChoice>(text, {{"verify-identity", TlsChoice::kVerifyIdentity},
                                     {"verify-ca", TlsChoice::kVerifyCa},
                                     {"required", TlsChoice::kRequired},
                                     {"disabled", TlsChoice::kDisabled}});
}

Parsed<std::uint32_t> ParseServerId(std::string_view text) {
  const auto id = ParseNumber(text, 1, std::numeric_limits<std::uint32_t>::max());
  if (!id) return std::unexpected(id.error());
  return static_cast<std::uint32_t>(*id);
}

Parsed<std::string> ParseTablePattern(std::string_view text) {
  const std::size_t dot = text.find('.');
  // Further dots are the table's: there are `cap.published` and the like.
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) {
    return Wrong("'{}' is not a table", Escaped(text))
        .Hint("DATABASE.TABLE, for example shop.outbox");
  }
  if (text.find_first_of("`\"', ") != std::string_view::npos) {
    return Wrong("'{}' holds a quote, comma or blank", Escaped(text))
        .Hint("names stand without quotes, one table to a key; repeat the key for more");
  }
  return std::string(text);
}

Parsed<std::string> ParsePreset(std::string_view text) {
  if (FindPreset(text) != nullptr) return std::string(text);
  return Wrong("there is no preset '{}'", Escaped(text)).Hint("{}", PresetNames());
}

Parsed<NamedValueConfig> ParseNamedValue(std::string_view text) {
  // The value may have a colon in quotes; the name has none.
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Wrong("'{}' is not VALUE:NAME", Escaped(text)).Hint("for example type:eventType");
  }
  NamedValueConfig named;
  named.value = Trimmed(text.substr(0, colon));
  named.name = Trimmed(text.substr(colon + 1));
  named.is_optional = named.name.ends_with('?');
  if (named.is_optional) named.name.pop_back();
  if (named.value.empty() || named.name.empty()) {
    return Wrong("'{}' lacks {}", Escaped(text), named.value.empty() ? "the value" : "the name")
        .Hint("for example type:eventType");
  }
  return named;
}

Parsed<const sinks::SinkFamily*> ParseSinkFamily(std::string_view text) {
  if (const sinks::SinkFamily* family = FindSinkFamily(text)) return family;
  return NoneOf(text, SinkFamilyNames(), {"amqp", "rocketmq"});
}

Parsed<std::uint64_t> ParseOffset(std::string_view text) {
  return ParseNumber(text, 0, std::numeric_limits<std::uint64_t>::max());
}

Parsed<StartChoice> ParseStart(std::string_view text) {
  constexpr std::string_view kGtid = "gtid:";
  constexpr std::string_view kFile = "file:";
  if (text.starts_with(kGtid)) return ParseStartGtid(text.substr(kGtid.size()));
  if (text.starts_with(kFile)) return ParseStartFile(text.substr(kFile.size()));
  StartChoice start;
  if (text == "table") {
    start.kind = StartChoice::Kind::kTable;
  } else if (text == "earliest") {
    start.kind = StartChoice::Kind::kEarliest;
  } else if (text == "now") {
    start.kind = StartChoice::Kind::kNow;
  } else {
    return NoneOf(text, "table, earliest, now, gtid:SET, file:NAME:OFFSET");
  }
  return start;
}

Parsed<DeliveryConfig::UnloggedDeletes> ParseUnloggedDeletes(std::string_view text) {
  using enum DeliveryConfig::UnloggedDeletes;
  return ParseWord<DeliveryConfig::UnloggedDeletes>(text,
                                                    {{"refuse", kRefuse}, {"accept", kAccept}}, {});
}

Parsed<DeliveryConfig::OnBadEvent> ParseOnBadEvent(std::string_view text) {
  return ParseWord<DeliveryConfig::OnBadEvent>(
      text, {{"hold", DeliveryConfig::OnBadEvent::kHold},
             {"dead-letter", DeliveryConfig::OnBadEvent::kDeadLetter},
             {"stop", DeliveryConfig::OnBadEvent::kStop}});
}

Parsed<DeliveryConfig::OnStatement> ParseOnStatement(std::string_view text) {
  using enum DeliveryConfig::OnStatement;
  return ParseWord<DeliveryConfig::OnStatement>(text, {{"alarm", kAlarm}, {"stop", kStop}}, {});
}

Parsed<DeliveryConfig::OnUpdate> ParseOnUpdate(std::string_view text) {
  using enum DeliveryConfig::OnUpdate;
  return ParseWord<DeliveryConfig::OnUpdate>(
      text, {{"ignore", kIgnore}, {"publish", kPublish}, {"alarm", kAlarm}}, {});
}

Parsed<DeliveryConfig::OnLostTransactions> ParseOnLostTransactions(std::string_view text) {
  using enum DeliveryConfig::OnLostTransactions;
  return ParseWord<DeliveryConfig::OnLostTransactions>(
      text, {{"continue", kContinue}, {"stop", kStop}}, {});
}

Parsed<OutboxConfig::Json> ParseJson(std::string_view text) {
  using enum OutboxConfig::Json;
  return ParseWord<OutboxConfig::Json>(text, {{"mysql", kMysql}, {"debezium", kDebezium}}, {});
}

Parsed<std::vector<DeclaredColumn>> ParseDeclaredColumns(std::string_view text) {
  const auto words = ParseWords(text);
  if (!words) return std::unexpected(words.error());
  std::vector<DeclaredColumn> columns;
  for (const std::string_view word : *words) {
    const std::size_t colon = std::min(word.find(':'), word.size());
    DeclaredColumn column{.name = std::string(Trimmed(word.substr(0, colon))), .kind = {}};
    if (colon < word.size()) column.kind = Trimmed(word.substr(colon + 1));
    if (column.name.empty() || (colon < word.size() && !binlog::IsColumnKind(column.kind))) {
      return Wrong("'{}' is not COLUMN or COLUMN:KIND", Escaped(word))
          .Hint("KIND is signed, unsigned or a character set, such as utf8mb4");
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Parsed<ColumnDefaultConfig> ParseColumnDefault(std::string_view text) {
  const std::size_t colon = text.find(':');
  ColumnDefaultConfig parsed;
  parsed.column = Trimmed(text.substr(0, colon));
  if (colon != std::string_view::npos) parsed.value = text.substr(colon + 1);
  if (parsed.column.empty()) {
    return Wrong("'{}' is not COLUMN:VALUE", Escaped(text)).Hint("COLUMN alone stands for NULL");
  }
  return parsed;
}

Parsed<std::uint64_t> ParseInFlightBytes(std::string_view text) {
  constexpr std::uint64_t kLeast = 64 << 10;
  auto bytes = ParseByteSize(text);
  if (bytes && *bytes < kLeast) return Wrong("'{}' is less than 64KiB", Escaped(text));
  return bytes;
}

Parsed<std::uint64_t> ParseRate(std::string_view text) {
  return ParseNumber(text, 0, 1'000'000'000);
}

Parsed<std::uint64_t> ParseJournalBytes(std::string_view text) {
  if (text == "0") return 0;
  return ParseInFlightBytes(text);
}

Parsed<LogConfig::Level> ParseLevel(std::string_view text) {
  return ParseWord<LogConfig::Level>(text, {{"debug", LogConfig::Level::kDebug},
                                            {"info", LogConfig::Level::kInfo},
                                            {"warning", LogConfig::Level::kWarning},
                                            {"error", LogConfig::Level::kError}});
}

Parsed<MysqlConfig::Require> ParseRequire(std::string_view text) {
  return ParseWord<MysqlConfig::Require>(
      text, {{"any", MysqlConfig::Require::kAny}, {"writable", MysqlConfig::Require::kWritable}});
}

Parsed<RelayConfig::OnHalt> ParseOnHalt(std::string_view text) {
  return ParseWord<RelayConfig::OnHalt>(
      text, {{"exit", RelayConfig::OnHalt::kExit}, {"park", RelayConfig::OnHalt::kPark}});
}

Parsed<LogConfig::Format> ParseLogFormat(std::string_view text) {
  return ParseWord<LogConfig::Format>(
      text, {{"text", LogConfig::Format::kText}, {"json", LogConfig::Format::kJson}});
}

Parsed<bool> ParseGuarantee(std::string_view text) {
  return ParseWord<bool>(text, {{"at-least-once", true}}, {"exactly-once"});
}

Parsed<bool> ParseStore(std::string_view text) {
  return ParseWord<bool>(text, {{"file", true}}, {"kafka"});
}

}  // namespace outboxd
