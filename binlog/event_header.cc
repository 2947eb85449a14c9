#include "binlog/event_header.h"

#include <zlib.h>

#include <array>

namespace outboxd::binlog {
namespace {

constexpr std::size_t kTypeOffset = 4;
constexpr std::size_t kFlagsOffset = 17;

std::uint32_t Crc32(std::uint32_t crc, Bytes bytes) {
  return static_cast<std::uint32_t>(::crc32_z(crc, bytes.data(), bytes.size()));
}

}  // namespace

bool IsRowsEvent(EventType type) {
  switch (type) {
    case EventType::kWriteRows:
    case EventType::kWriteRowsV1:
    case EventType::kUpdateRows:
    case EventType::kUpdateRowsV1:
    case EventType::kPartialUpdateRows:
    case EventType::kDeleteRows:
    case EventType::kDeleteRowsV1:
      return true;
    default:
      return false;
  }
}

Result<EventHeader> ParseHeaderFields(Bytes bytes) {
  ByteCursor cursor(bytes);
  EventHeader header{};
  header.timestamp = cursor.U32();
  header.type = static_cast<EventType>(cursor.U8());
  header.server_id = cursor.U32();
  header.length = cursor.U32();
  header.log_pos = cursor.U32();
  header.flags = cursor.U16();
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "binlog event of {} bytes is shorter than its header",
                bytes.size());
  }
  return header;
}

Result<EventHeader> ParseEventHeader(Bytes event) {
  auto header = ParseHeaderFields(event);
  if (header && header->length != event.size()) {
    return Fail(ErrorKind::kCorrupt, "binlog event of {} bytes says that it has {}", event.size(),
                header->length);
  }
  return header;
}

bool ChecksumIsRight(Bytes event) {
  if (event.size() < kEventHeaderBytes + kChecksumBytes) return false;
  const Bytes covered = event.first(event.size() - kChecksumBytes);
  const std::uint64_t stored = ByteCursor(event.last(kChecksumBytes)).U32();
  const bool is_format_description =
      event[kTypeOffset] == static_cast<std::uint8_t>(EventType::kFormatDescription);
  if (!is_format_description) return Crc32(0, covered) == stored;

  std::array<std::uint8_t, 2> flags{covered[kFlagsOffset], covered[kFlagsOffset + 1]};
  flags[0] = static_cast<std::uint8_t>(flags[0] & ~EventHeader::kInUse);
  std::uint32_t crc = Crc32(0, covered.first(kFlagsOffset));
  crc = Crc32(crc, flags);
  return Crc32(crc, covered.subspan(kFlagsOffset + flags.size())) == stored;
}

}  // namespace outboxd::binlog
