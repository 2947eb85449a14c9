#include "binlog/payload_reader.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace outboxd::binlog {
namespace {

// Format: MySQL 9.7 libs/mysql/binlog/event/control_events.h, Transaction_payload_event.
constexpr std::uint64_t kEndField = 0;
constexpr std::uint64_t kPayloadSizeField = 1;
constexpr std::uint64_t kCompressionField = 2;
constexpr std::uint64_t kUnpackedSizeField = 3;
constexpr std::uint64_t kZstd = 0;
constexpr std::uint64_t kNoCompression = 255;

constexpr std::size_t kUnpackedBytesMin = std::size_t{256} << 10;
// What may stay allocated between two payloads.
constexpr std::size_t kKeptBytesMax = std::size_t{1} << 20;
constexpr std::size_t kKeptContextBytesMax = std::size_t{12} << 20;

}  // namespace

PayloadReader::PayloadReader(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}
PayloadReader::~PayloadReader() = default;

void PayloadReader::Freer::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Result<void> PayloadReader::Begin(Bytes body) {
  unread_ = {};
  left_ = 0;
  unpacked_total_ = 0;
  frame_is_open_ = false;
  if (auto parsed = ParseFields(body); !parsed) return parsed;
  if (packed_.empty()) return {};
  if (!zstd_) zstd_.reset(ZSTD_createDCtx());
  if (!zstd_ || ZSTD_isError(ZSTD_DCtx_reset(zstd_.get(), ZSTD_reset_session_only)) != 0) {
    return Fail(ErrorKind::kUndecodable, "out of memory for zstd");
  }
  return {};
}

Result<void> PayloadReader::ParseFields(Bytes body) {
  ByteCursor cursor(body);
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> compression;
  declared_.reset();
  while (cursor.ok()) {
    const std::uint64_t field = cursor.PackedInteger();
    if (field == kEndField) break;
    ByteCursor value(cursor.Take(cursor.PackedInteger()));
    if (field == kPayloadSizeField) size = value.PackedInteger();
    if (field == kCompressionField) compression = value.PackedInteger();
    if (field == kUnpackedSizeField) declared_ = value.PackedInteger();
    // A field of a later version is passed over by its length.
    if (field <= kUnpackedSizeField && !value.ok()) {
      return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: field {} is cut off", field);
    }
  }
  packed_ = cursor.Rest();
  if (!cursor.ok() || !size || !compression || *size != packed_.size()) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD of {} bytes: its header does not fit it",
                body.size());
  }
  if (*compression != kZstd && *compression != kNoCompression) {
    return Fail(ErrorKind::kUndecodable, "TRANSACTION_PAYLOAD: compression {} is not known",
                *compression);
  }
  if (*compression == kNoCompression) unread_ = std::exchange(packed_, {});
  return CheckDeclared(unread_.size());
}

Result<void> PayloadReader::CheckDeclared(std::size_t unpacked) {
  unpacked_total_ += unpacked;
  if (!declared_ || unpacked_total_ <= *declared_) return {};
  return Fail(ErrorKind::kCorrupt,
              "TRANSACTION_PAYLOAD: it unpacks to more than the {} bytes that it declares",
              *declared_);
}

Result<std::optional<PayloadReader::Event>> PayloadReader::Next() {
  if (auto passed = PassOverTheRest(); !passed) return std::unexpected(passed.error());
  auto has_header = Has(kEventHeaderBytes);
  if (!has_header) return std::unexpected(has_header.error());
  if (unread_.empty()) {
    GiveBackMemory();
    return std::nullopt;
  }
  if (!*has_header) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: it ends within an event's header");
  }
  const auto header = ParseHeaderFields(unread_);
  if (!header) return std::unexpected(header.error());
  if (header->length < kEventHeaderBytes || header->length > event_bytes_max_) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: an event of {} bytes", header->length);
  }
  unread_ = unread_.subspan(kEventHeaderBytes);
  length_ = header->length;
  left_ = header->length - kEventHeaderBytes;
  const std::size_t head_bytes = std::min(left_, kHeadBytes);
  auto has_head = Has(head_bytes);
  if (!has_head) return std::unexpected(has_head.error());
  if (!*has_head) return CutOff();
  return Event{*header, unread_.first(head_bytes)};
}

Result<Bytes> PayloadReader::Body() {
  auto has_body = Has(left_);
  if (!has_body) return std::unexpected(has_body.error());
  if (!*has_body) return CutOff();
  const Bytes body = unread_.first(left_);
  unread_ = unread_.subspan(left_);
  left_ = 0;
  return body;
}

Result<void> PayloadReader::PassOverTheRest() {
  while (left_ > 0) {
    auto has_more = Has(1);
    if (!has_more) return std::unexpected(has_more.error());
    if (!*has_more) return CutOff();
    const std::size_t passed = std::min(left_, unread_.size());
    unread_ = unread_.subspan(passed);
    left_ -= passed;
  }
  return {};
}

std::unexpected<Error> PayloadReader::CutOff() const {
  return Fail(ErrorKind::kCorrupt,
              "TRANSACTION_PAYLOAD: it ends {} bytes into an event of {} bytes",
              length_ - left_ + unread_.size(), length_);
}

Result<bool> PayloadReader::Has(std::size_t bytes) {
  if (unread_.size() >= bytes) return true;
  if (!packed_.empty() || frame_is_open_) {
    if (!unread_.empty()) std::memmove(unpacked_.begin(), unread_.data(), unread_.size());
    unread_ = unpacked_.First(unread_.size());
  }
  while (unread_.size() < bytes && (!packed_.empty() || frame_is_open_)) {
    if (unread_.size() == unpacked_.capacity()) {
      // Grows with what was really unpacked: the length of an event may be a lie.
      const std::size_t unread = unread_.size();
      unpacked_.Grow(std::max(kUnpackedBytesMin, std::min(2 * unread, bytes)));
      unread_ = unpacked_.First(unread);
    }
    if (auto unpacked = Unpack(); !unpacked) return std::unexpected(unpacked.error());
  }
  return unread_.size() >= bytes;
}

// Behind what is unread, which stands at the buffer's begin.
Result<void> PayloadReader::Unpack() {
  ZSTD_inBuffer in{packed_.data(), packed_.size(), 0};
  ZSTD_outBuffer out{unpacked_.begin(), unpacked_.capacity(), unread_.size()};
  const std::size_t state = ZSTD_decompressStream(zstd_.get(), &out, &in);
  if (ZSTD_isError(state) != 0) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: zstd: {}", ZSTD_getErrorName(state));
  }
  frame_is_open_ = state != 0;
  const std::size_t produced = out.pos - unread_.size();
  if (produced == 0 && in.pos == packed_.size() && frame_is_open_) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: the compressed data is cut off");
  }
  packed_ = packed_.subspan(in.pos);
  unread_ = unpacked_.First(out.pos);
  return CheckDeclared(produced);
}

void PayloadReader::GiveBackMemory() {
  if (unpacked_.capacity() > kKeptBytesMax) unpacked_.Free();
  if (zstd_ && ZSTD_sizeof_DCtx(zstd_.get()) > kKeptContextBytesMax) zstd_.reset();
}

}  // namespace outboxd::binlog
