// One byte that chooses a form, then the body of a TRANSACTION_PAYLOAD event, or what such an event
// is made of here: events, compressed in frames of some size or not at all.

#include <zstd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "binlog/event_header.h"
#include "binlog/payload_reader.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

enum Form : std::uint8_t { kWhole = 0, kPlain = 1, kPacked = 2, kForms = 3 };

constexpr std::size_t kEventBytesMax = 64 << 10;
// Longer inputs tell nothing new but take their time.
constexpr std::size_t kUnpackedBytesMax = 8 << 20;

void AppendField(Octets& to, std::uint8_t field, std::uint64_t value) {
  to.insert(to.end(), {field, 9, 0xFE});
  for (int i = 0; i < 8; ++i, value >>= 8) to.push_back(static_cast<std::uint8_t>(value));
}

Octets Compressed(Bytes events, std::size_t frame_bytes) {
  Octets packed;
  while (!events.empty()) {
    const Bytes part = events.first(std::min(frame_bytes, events.size()));
    Octets frame(ZSTD_compressBound(part.size()));
    frame.resize(ZSTD_compress(frame.data(), frame.size(), part.data(), part.size(), 1));
    packed.insert(packed.end(), frame.begin(), frame.end());
    events = events.subspan(part.size());
  }
  return packed;
}

Octets BodyOf(std::uint8_t form, Bytes input) {
  if (form % kForms == kWhole) return {input.begin(), input.end()};
  const bool is_packed = form % kForms == kPacked;
  const std::size_t frame_bytes = 1 + std::size_t{4} * form;
  const Octets payload =
      is_packed ? Compressed(input, frame_bytes) : Octets(input.begin(), input.end());
  Octets body;
  AppendField(body, 1, payload.size());
  AppendField(body, 2, is_packed ? 0 : 255);
  if (form % 2 != 0) AppendField(body, 3, input.size());
  body.push_back(0);
  body.insert(body.end(), payload.begin(), payload.end());
  return body;
}

// How many bytes of events it yields before the end or an error. Of every second event the body is
// passed over.
std::size_t ReadAll(PayloadReader& reader, bool* is_whole) {
  std::size_t total = 0;
  *is_whole = false;
  auto event = reader.Next();
  for (; event && *event && total < kUnpackedBytesMax; event = reader.Next()) {
    const std::size_t body_bytes = (*event)->body_bytes();
    if (body_bytes > kEventBytesMax || (*event)->head.size() > body_bytes) __builtin_trap();
    total += kEventHeaderBytes + body_bytes;
    if (total % 2 != 0) continue;
    const auto body = reader.Body();
    if (!body) return total;
    if (body->size() != body_bytes) __builtin_trap();
  }
  *is_whole = event && !*event;
  return total;
}

}  // namespace
}  // namespace outboxd::binlog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  if (size == 0) return 0;
  static PayloadReader kept(kEventBytesMax);  // What one payload leaves must not change the next.
  PayloadReader fresh(kEventBytesMax);
  const std::uint8_t form = bytes[0];
  const Bytes input(bytes + 1, size - 1);
  const Octets body = BodyOf(form, input);
  const bool begun = fresh.Begin(body).has_value();
  if (kept.Begin(body).has_value() != begun) __builtin_trap();
  if (!begun) {
    if (form % kForms != kWhole) __builtin_trap();
    return 0;
  }
  bool is_whole = false;
  bool is_whole_again = false;
  const std::size_t total = ReadAll(fresh, &is_whole);
  if (ReadAll(kept, &is_whole_again) != total || is_whole_again != is_whole) __builtin_trap();
  if (form % kForms != kWhole && is_whole && total != input.size()) __builtin_trap();
  return 0;
}
