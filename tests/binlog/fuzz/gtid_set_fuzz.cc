// The binary form of a GTID set.

#include <cstddef>
#include <cstdint>
#include <string>

#include "binlog/gtid_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  const auto set = GtidSet::Decode({bytes, size});
  if (!set) return 0;
  // Other bytes may mean the same: the order of the origins is free, and some may be empty.
  const std::string encoded = set->Encode();
  if (encoded.size() > size) __builtin_trap();
  const Bytes again(reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size());
  if (GtidSet::Decode(again) != *set) __builtin_trap();
  if (GtidSet::Parse(set->ToText()) != *set) __builtin_trap();

  if (!set->IsSubsetOf(*set) || set->Intersect(*set) != *set) __builtin_trap();
  if (!set->Minus(*set).empty()) __builtin_trap();
  return 0;
}
