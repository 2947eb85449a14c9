#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value_text.h"
#include "daemon/config/config.h"

namespace outboxd {

// What is said of a section, a key or a word that is designed but comes with a later version.
inline constexpr std::string_view kNotInThisVersion = "is not available in this version";

// The values of configuration keys, one function for each kind that base/value_text.h does not
// have.
[[nodiscard]] Parsed<std::string> ParseText(std::string_view text);          // Not empty.
[[nodiscard]] Parsed<std::string> ParseOptionalText(std::string_view text);  // May be empty.
// "500ms", "1s", "10m", "2h"; more than nothing, at most a year.
[[nodiscard]] Parsed<std::chrono::milliseconds> ParseDuration(std::string_view text);
// "33554432", "32MB" (10^6), "32MiB" (2^20); KB, KiB, GB, GiB likewise.
[[nodiscard]] Parsed<std::uint64_t> ParseByteSize(std::string_view text);
[[nodiscard]] Parsed<std::uint16_t> ParsePort(std::string_view text);
[[nodiscard]] Parsed<std::vector<std::string>> ParseWords(std::string_view text);  // "a, b,c"

[[nodiscard]] Parsed<std::string> ParseRelayName(std::string_view text);
[[nodiscard]] Parsed<ListenAddress> ParseListen(std::string_view text);
[[nodiscard]] Parsed<std::vector<std::string>> ParseHosts(std::string_view text);
[[nodiscard]] Parsed<TlsChoice> ParseTls(std::string_view text);
[[nodiscard]] Parsed<std::uint32_t> ParseServerId(std::string_view text);
[[nodiscard]] Parsed<std::string> ParseTablePattern(std::string_view text);
[[nodiscard]] Parsed<std::string> ParsePreset(std::string_view text);
[[nodiscard]] Parsed<NamedValueConfig> ParseNamedValue(std::string_view text);
[[nodiscard]] Parsed<const sinks::SinkFamily*> ParseSinkFamily(std::string_view text);
[[nodiscard]] Parsed<std::uint64_t> ParseOffset(std::string_view text);
// "table", "earliest", "now", "gtid:SET", "file:NAME:OFFSET"
[[nodiscard]] Parsed<StartChoice> ParseStart(std::string_view text);
[[nodiscard]] Parsed<DeliveryConfig::UnloggedDeletes> ParseUnloggedDeletes(std::string_view text);
[[nodiscard]] Parsed<DeliveryConfig::OnBadEvent> ParseOnBadEvent(std::string_view text);
[[nodiscard]] Parsed<DeliveryConfig::OnStatement> ParseOnStatement(std::string_view text);
[[nodiscard]] Parsed<DeliveryConfig::OnUpdate> ParseOnUpdate(std::string_view text);
[[nodiscard]] Parsed<DeliveryConfig::OnLostTransactions> ParseOnLostTransactions(
    std::string_view text);
[[nodiscard]] Parsed<OutboxConfig::Json> ParseJson(std::string_view text);
// Names, or NAME:KIND with a KIND of binlog::IsColumnKind().
[[nodiscard]] Parsed<std::vector<DeclaredColumn>> ParseDeclaredColumns(std::string_view text);
[[nodiscard]] Parsed<ColumnDefaultConfig> ParseColumnDefault(std::string_view text);
[[nodiscard]] Parsed<std::uint64_t> ParseInFlightBytes(std::string_view text);
[[nodiscard]] Parsed<std::uint64_t> ParseRate(std::string_view text);
[[nodiscard]] Parsed<std::uint64_t> ParseJournalBytes(std::string_view text);
[[nodiscard]] Parsed<MysqlConfig::Require> ParseRequire(std::string_view text);
[[nodiscard]] Parsed<RelayConfig::OnHalt> ParseOnHalt(std::string_view text);
[[nodiscard]] Parsed<LogConfig::Level> ParseLevel(std::string_view text);
[[nodiscard]] Parsed<LogConfig::Format> ParseLogFormat(std::string_view text);

// Keys with one value that this version has; the true one is the only one.
[[nodiscard]] Parsed<bool> ParseGuarantee(std::string_view text);
[[nodiscard]] Parsed<bool> ParseStore(std::string_view text);

// One element of MysqlConfig::hosts, taken apart; brackets around an IPv6 address are dropped.
struct HostAndPort {
  std::string host;
  std::uint16_t port;

  friend bool operator==(const HostAndPort&, const HostAndPort&) = default;
};
[[nodiscard]] Parsed<HostAndPort> SplitHost(std::string_view text, std::uint16_t default_port);

}  // namespace outboxd
