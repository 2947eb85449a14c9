#include "binlog/payload_reader.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "binlog/event_header.h"

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
  unpacked_begin_ = unpacked_end_ = 0;
  unpacked_total_ = 0;
  frame_is_open_ = false;
  if (auto parsed = ParseFields(body); !parsed) return parsed;
  if (!is_compressed_) return {};
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
  is_compressed_ = *compression == kZstd;
  return {};
}

Result<std::optional<Bytes>> PayloadReader::Next() {
  if (auto filled = Fill(kEventHeaderBytes); !filled) return std::unexpected(filled.error());
  if (unread() == 0) {
    GiveBackMemory();
    return std::nullopt;
  }
  constexpr std::size_t kLengthOffset = 9;
  if (unread() < kEventHeaderBytes) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: it ends within an event's header");
  }
  const auto length =
      static_cast<std::size_t>(LoadLittle<4>(&unpacked_[unpacked_begin_ + kLengthOffset]));
  if (length < kEventHeaderBytes || length > event_bytes_max_) {
    return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: an event of {} bytes", length);
  }
  if (auto filled = Fill(length); !filled) return std::unexpected(filled.error());
  if (unread() < length) {
    return Fail(ErrorKind::kCorrupt,
                "TRANSACTION_PAYLOAD: it ends {} bytes into an event of {} bytes", unread(),
                length);
  }
  const Bytes event = Bytes(unpacked_).subspan(unpacked_begin_, length);
  unpacked_begin_ += length;
  return event;
}

Result<void> PayloadReader::Fill(std::size_t bytes) {
  if (unread() >= bytes) return {};
  if (unpacked_begin_ > 0) {
    std::memmove(unpacked_.data(), unpacked_.data() + unpacked_begin_, unread());
    unpacked_end_ -= unpacked_begin_;
    unpacked_begin_ = 0;
  }
  while (unread() < bytes && (!packed_.empty() || frame_is_open_)) {
    if (unpacked_end_ == unpacked_.size()) {
      // Grows with what was really unpacked: the length of an event may be a lie.
      unpacked_.resize(std::max(kUnpackedBytesMin, std::min(2 * unpacked_.size(), bytes)));
    }
    if (auto unpacked = Unpack(); !unpacked) return unpacked;
  }
  return {};
}

Result<void> PayloadReader::Unpack() {
  const std::size_t room = unpacked_.size() - unpacked_end_;
  std::size_t produced = 0;
  std::size_t taken = 0;
  if (is_compressed_) {
    ZSTD_inBuffer in{packed_.data(), packed_.size(), 0};
    ZSTD_outBuffer out{unpacked_.data() + unpacked_end_, room, 0};
    const std::size_t state = ZSTD_decompressStream(zstd_.get(), &out, &in);
    if (ZSTD_isError(state) != 0) {
      return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: zstd: {}", ZSTD_getErrorName(state));
    }
    frame_is_open_ = state != 0;
    produced = out.pos;
    taken = in.pos;
    if (produced == 0 && taken == packed_.size() && frame_is_open_) {
      return Fail(ErrorKind::kCorrupt, "TRANSACTION_PAYLOAD: the compressed data is cut off");
    }
  } else {
    produced = taken = std::min(room, packed_.size());
    std::memcpy(unpacked_.data() + unpacked_end_, packed_.data(), produced);
  }
  packed_ = packed_.subspan(taken);
  unpacked_end_ += produced;
  unpacked_total_ += produced;
  if (declared_ && unpacked_total_ > *declared_) {
    return Fail(ErrorKind::kCorrupt,
                "TRANSACTION_PAYLOAD: it unpacks to more than the {} bytes that it declares",
                *declared_);
  }
  return {};
}

void PayloadReader::GiveBackMemory() {
  // Not `= {}`, which keeps the capacity.
  if (unpacked_.capacity() > kKeptBytesMax) unpacked_ = std::vector<std::uint8_t>();
  if (zstd_ && ZSTD_sizeof_DCtx(zstd_.get()) > kKeptContextBytesMax) zstd_.reset();
}

}  // namespace outboxd::binlog
