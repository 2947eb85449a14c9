#include "binlog/control_event.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "binlog/any_case.h"

namespace outboxd::binlog {
namespace {

constexpr std::size_t kServerVersionBytes = 50;
constexpr std::size_t kChecksumTailBytes = 1 + kChecksumBytes;
constexpr std::uint8_t kNoChecksum = 0;
constexpr std::uint8_t kCrc32 = 1;

// MySQL 9.7 libs/mysql/binlog/event/binlog_event.h, checksum_version_split.
constexpr std::array<unsigned, 3> kFirstWithChecksums = {5, 6, 1};

// Types of the fields of a HEARTBEAT_V2.
constexpr std::uint64_t kHeartbeatEnd = 0;
constexpr std::uint64_t kHeartbeatFile = 1;
constexpr std::uint64_t kHeartbeatOffset = 2;

// Of "5.5.62-log" 5, 5 and 62; what is no number is 0.
std::array<unsigned, 3> NumbersOf(std::string_view version) {
  std::array<unsigned, 3> numbers{};
  for (unsigned& number : numbers) {
    const auto read = std::from_chars(version.data(), version.data() + version.size(), number);
    version.remove_prefix(static_cast<std::size_t>(read.ptr - version.data()));
    if (!version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return numbers;
}

// What a server of this version writes, whatever the rest of the event looks like.
Result<void> CheckServer(std::string_view version) {
  if (ContainsInAnyCase(version, "mariadb")) {
    return Fail(ErrorKind::kUndecodable,
                "the log is of server {}: MariaDB has events of its own, which are not read",
                version)
        .Hint("docs/compatibility.md names the versions that were tested");
  }
  const auto numbers = NumbersOf(version);
  // A version without number is a build of somebody's own.
  if (numbers[0] == 0 || numbers >= kFirstWithChecksums) return {};
  return Fail(ErrorKind::kUndecodable,
              "the log is of server {}: those of before MySQL 5.6.1 are not read", version)
      .Hint("docs/compatibility.md names the versions that were tested");
}

}  // namespace

Result<FormatDescription> ParseFormatDescription(Bytes event) {
  if (event.size() < kEventHeaderBytes + kChecksumTailBytes) {
    return Fail(ErrorKind::kCorrupt, "FORMAT_DESCRIPTION event of {} bytes is too short",
                event.size());
  }
  const Bytes tail = event.last(kChecksumTailBytes);
  ByteCursor cursor(
      event.subspan(kEventHeaderBytes, event.size() - kEventHeaderBytes - kChecksumTailBytes));
  const std::uint16_t binlog_version = cursor.U16();
  std::string_view version = AsText(cursor.Take(kServerVersionBytes));
  version = version.substr(0, version.find('\0'));
  cursor.U32();  // Time of creation.
  const std::uint8_t header_bytes = cursor.U8();
  const Bytes post_header_lengths = cursor.Rest();
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "FORMAT_DESCRIPTION event of {} bytes is too short",
                event.size());
  }
  if (auto checked = CheckServer(version); !checked) return std::unexpected(checked.error());
  if (binlog_version != 4 || header_bytes != kEventHeaderBytes) {
    return Fail(ErrorKind::kUndecodable,
                "binlog format version {} with headers of {} bytes, of server {}, is not supported",
                binlog_version, header_bytes, version);
  }
  if (tail[0] != kNoChecksum && tail[0] != kCrc32) {
    return Fail(ErrorKind::kUndecodable,
                "binlog checksum algorithm {} of server {} is not supported", tail[0], version);
  }
  return FormatDescription{.server_version = std::string(version),
                           .has_checksums = tail[0] == kCrc32,
                           .event_types = static_cast<std::uint8_t>(
                               std::min<std::size_t>(post_header_lengths.size(), 255))};
}

Result<Rotate> ParseRotate(Bytes body) {
  ByteCursor cursor(body);
  const std::uint64_t offset = cursor.U64();
  const std::string_view file = AsText(cursor.Rest());
  if (!cursor.ok() || file.empty()) {
    return Fail(ErrorKind::kCorrupt, "ROTATE event of {} bytes names no file", body.size());
  }
  return Rotate{offset, file};
}

Heartbeat ParseHeartbeat(EventType type, std::uint32_t log_pos, Bytes body) {
  if (type == EventType::kHeartbeat) return {AsText(body), log_pos};
  Heartbeat heartbeat;
  ByteCursor cursor(body);
  while (!cursor.AtEnd()) {
    const std::uint64_t field = cursor.PackedInteger();
    if (field == kHeartbeatEnd) break;
    const Bytes value = cursor.Take(cursor.PackedInteger());
    if (field == kHeartbeatFile) heartbeat.file = AsText(value);
    if (field == kHeartbeatOffset) heartbeat.offset = ByteCursor(value).PackedInteger();
  }
  return cursor.ok() ? heartbeat : Heartbeat{};
}

std::string_view ParseIncident(Bytes body) {
  ByteCursor cursor(body);
  cursor.U16();  // Number of the incident; 1, "lost events", is the only one.
  return AsText(cursor.Take(cursor.U8()));
}

Result<bool> ParseXaPrepareIsOnePhase(Bytes body) {
  ByteCursor cursor(body);
  const bool one_phase = cursor.U8() != 0;
  if (!cursor.ok()) return Fail(ErrorKind::kCorrupt, "empty XA_PREPARE event");
  return one_phase;
}

}  // namespace outboxd::binlog
