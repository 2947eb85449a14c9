#include "binlog/gtid_event.h"

#include <algorithm>
#include <bit>
#include <string>

namespace outboxd::binlog {
namespace {

constexpr std::uint8_t kLogicalTimestamps = 2;
constexpr std::size_t kTimestampBytes = 7;
constexpr std::uint64_t kHasOriginalTimestamp = 1ull << 55;

// Whether a transaction can have it. A set leaves out other numbers, and a set with another tag
// could not be read again.
bool IsPossible(const Gtid& gtid) {
  const std::string& tag = gtid.origin.tag;
  return gtid.number >= 1 && gtid.number <= kGtidNumberMax && (tag.empty() || IsGtidTag(tag));
}

// The commit times of the untagged form: the immediate one, and where bit 55 says so the original
// one behind it; alone, it stands for both. Absent before 8.0.
std::uint64_t OriginalCommitTime(ByteCursor& cursor) {
  if (cursor.remaining() < kTimestampBytes) return 0;
  const std::uint64_t immediate = cursor.Little(kTimestampBytes);
  if ((immediate & kHasOriginalTimestamp) == 0) return immediate;
  return cursor.Little(kTimestampBytes);
}

Result<GtidEvent> ParseUntagged(EventType type, Bytes body) {
  ByteCursor cursor(body);
  cursor.U8();  // Flags.
  Gtid gtid;
  std::ranges::copy(cursor.Take(gtid.origin.uuid.size()), gtid.origin.uuid.begin());
  gtid.number = cursor.U64();
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "GTID event of {} bytes is too short", body.size());
  }
  GtidEvent event;
  if (type == EventType::kGtid) {
    if (!IsPossible(gtid)) {
      return Fail(ErrorKind::kCorrupt, "GTID event with number {}", gtid.number);
    }
    event.gtid = gtid;
  }
  if (!cursor.AtEnd() && cursor.U8() == kLogicalTimestamps) {
    cursor.U64();  // last_committed
    cursor.U64();  // sequence_number
    event.original_commit_us = OriginalCommitTime(cursor);
  }
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "GTID event of {} bytes ends within a field", body.size());
  }
  return event;
}

// MySQL's serialization library: the count of trailing one bits in the first byte tells how many
// bytes follow; the value is in the bits above, least significant byte first.
std::uint64_t SerializedUnsigned(ByteCursor& cursor) {
  const std::uint8_t first = cursor.U8();
  const auto more_bytes = static_cast<std::size_t>(std::countr_one(first));
  if (more_bytes == 8) return cursor.U64();
  const std::uint64_t low = static_cast<std::uint64_t>(first) >> (more_bytes + 1);
  return low | cursor.Little(more_bytes) << (7 - more_bytes);
}

// The sign stands in the lowest bit; a negative number is stored as its complement.
std::int64_t SerializedSigned(ByteCursor& cursor) {
  const std::uint64_t value = SerializedUnsigned(cursor);
  const auto magnitude = static_cast<std::int64_t>(value >> 1);
  return (value & 1) != 0 ? ~magnitude : magnitude;
}

// In the order of Gtid_event::define_fields(); the position is the field's id.
enum class TaggedField : std::uint64_t {
  kFlags,
  kUuid,
  kNumber,
  kTag,
  kLastCommitted,
  kSequenceNumber,
  kImmediateCommit,
  kOriginalCommit,
  kTransactionLength,
  kImmediateServerVersion,
  kOriginalServerVersion,
  kCommitGroupTicket,
};

struct TaggedEvent {
  Gtid gtid;
  std::uint64_t immediate_commit_us = 0;
  std::optional<std::uint64_t> original_commit_us;  // Absent when it equals the immediate one.
};

void ReadTaggedField(TaggedField field, ByteCursor& cursor, TaggedEvent& event) {
  switch (field) {
    case TaggedField::kUuid:
      for (std::uint8_t& byte : event.gtid.origin.uuid) {
        byte = static_cast<std::uint8_t>(SerializedUnsigned(cursor));
      }
      return;
    case TaggedField::kNumber:
      event.gtid.number = static_cast<std::uint64_t>(SerializedSigned(cursor));
      return;
    case TaggedField::kTag:
      event.gtid.origin.tag = AsText(cursor.Take(SerializedUnsigned(cursor)));
      return;
    case TaggedField::kImmediateCommit:
      event.immediate_commit_us = SerializedUnsigned(cursor);
      return;
    case TaggedField::kOriginalCommit:
      event.original_commit_us = SerializedUnsigned(cursor);
      return;
    case TaggedField::kFlags:
    case TaggedField::kLastCommitted:
    case TaggedField::kSequenceNumber:
    case TaggedField::kTransactionLength:
    case TaggedField::kImmediateServerVersion:
    case TaggedField::kOriginalServerVersion:
    case TaggedField::kCommitGroupTicket:
      SerializedUnsigned(cursor);  // One number, signed or not, has one form.
      return;
  }
}

Result<GtidEvent> ParseTagged(Bytes body) {
  constexpr auto kLastKnownField = static_cast<std::uint64_t>(TaggedField::kCommitGroupTicket);
  ByteCursor cursor(body);
  SerializedUnsigned(cursor);  // Version of the serialization framework.
  SerializedUnsigned(cursor);  // Size of the message.
  const std::uint64_t last_needed_field = SerializedUnsigned(cursor);
  if (last_needed_field > kLastKnownField) {
    return Fail(ErrorKind::kUndecodable, "GTID_TAGGED event needs the unknown field {}",
                last_needed_field);
  }
  TaggedEvent event;
  while (cursor.ok() && !cursor.AtEnd()) {
    const std::uint64_t field = SerializedUnsigned(cursor);
    if (field > kLastKnownField) break;  // Ignorable ones come last.
    ReadTaggedField(static_cast<TaggedField>(field), cursor, event);
  }
  if (!cursor.ok() || !IsPossible(event.gtid)) {
    return Fail(ErrorKind::kCorrupt, "GTID_TAGGED event of {} bytes does not hold a GTID",
                body.size());
  }
  return GtidEvent{
      .gtid = std::move(event.gtid),
      .original_commit_us = event.original_commit_us.value_or(event.immediate_commit_us)};
}

}  // namespace

Result<GtidEvent> ParseGtidEvent(EventType type, Bytes body) {
  if (type == EventType::kGtidTagged) return ParseTagged(body);
  return ParseUntagged(type, body);
}

}  // namespace outboxd::binlog
