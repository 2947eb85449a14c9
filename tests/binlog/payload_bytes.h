#pragma once

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {

// Builds the body of a TRANSACTION_PAYLOAD event, for tests. Format: MySQL 9.7
// libs/mysql/binlog/event/control_events.h, Transaction_payload_event.

inline constexpr std::uint64_t kPayloadSizeField = 1, kCompressionField = 2, kUnpackedSizeField = 3;
inline constexpr std::uint64_t kZstdPayload = 0, kPlainPayload = 255;

inline std::vector<std::uint8_t> Zstd(const std::vector<std::uint8_t>& bytes) {
  std::vector<std::uint8_t> packed(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1);
  EXPECT_FALSE(ZSTD_isError(size));
  packed.resize(size);
  return packed;
}

// One number with its field's number and length in front.
inline void AppendField(EventBytes& body, std::uint64_t field, std::uint64_t value) {
  EventBytes packed;
  packed.Packed(value);
  body.Packed(field).Packed(packed.bytes().size()).Text(AsText(packed.bytes()));
}

inline EventBytes PayloadBody(std::uint64_t compression, const std::vector<std::uint8_t>& payload,
                              std::optional<std::uint64_t> unpacked_size = std::nullopt) {
  EventBytes body;
  AppendField(body, kCompressionField, compression);
  AppendField(body, kPayloadSizeField, payload.size());
  if (unpacked_size) AppendField(body, kUnpackedSizeField, *unpacked_size);
  return body.Packed(0).Text(AsText(payload));
}

// `events` as the server compresses them.
inline EventBytes CompressedBody(const std::vector<std::uint8_t>& events) {
  return PayloadBody(kZstdPayload, Zstd(events), events.size());
}

}  // namespace outboxd::binlog
