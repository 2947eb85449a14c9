// One byte that chooses the type, then the body of a GTID, ANONYMOUS_GTID or GTID_TAGGED event.

#include <cstddef>
#include <cstdint>

#include "binlog/gtid_event.h"
#include "binlog/gtid_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  constexpr EventType kTypes[] = {EventType::kGtid, EventType::kAnonymousGtid,
                                  EventType::kGtidTagged};
  if (size == 0) return 0;
  const EventType type = kTypes[bytes[0] % std::size(kTypes)];
  const auto event = ParseGtidEvent(type, {bytes + 1, size - 1});
  if (!event) return 0;
  if (event->gtid.has_value() == (type == EventType::kAnonymousGtid)) __builtin_trap();
  if (!event->gtid) return 0;

  // A set, which leaves out what no transaction can have, keeps it and tells it as MySQL does.
  GtidSet set;
  set.Add(*event->gtid);
  if (!set.Contains(*event->gtid)) __builtin_trap();
  if (GtidSet::Parse(ToText(*event->gtid)) != set) __builtin_trap();
  return 0;
}
