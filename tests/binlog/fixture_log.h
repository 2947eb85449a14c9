#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"

namespace outboxd::binlog {

// tests/binlog/fixtures/generate.py has made the files; see there.
inline std::string ReadFixture(std::string_view name) {
  const std::string path = std::string(OUTBOXD_BINLOG_FIXTURES) + "/" + std::string(name);
  struct Closer {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  const std::unique_ptr<gzFile_s, Closer> file(gzopen(path.c_str(), "rb"));
  EXPECT_NE(file, nullptr) << path;
  std::string content;
  if (file == nullptr) return content;
  std::vector<char> block(1 << 16);
  for (int size = 0;
       (size = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()))) > 0;) {
    content.append(block.data(), static_cast<std::size_t>(size));
  }
  return content;
}

struct LoggedEvent {
  std::uint8_t type;
  std::vector<std::uint8_t> body;  // Without header and checksum; its own memory, for ASan.
};

// The events of a binary log file with checksums.
inline std::vector<LoggedEvent> ReadEvents(const std::string& log) {
  constexpr std::size_t kMagicSize = 4;
  constexpr std::size_t kHeaderSize = 19;
  constexpr std::size_t kChecksumSize = 4;
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(log.data()), log.size());
  std::vector<LoggedEvent> events;
  for (std::size_t at = kMagicSize; at + kHeaderSize <= bytes.size();) {
    const auto size = static_cast<std::size_t>(LoadLittle<4>(&bytes[at + 9]));
    if (size < kHeaderSize + kChecksumSize || size > bytes.size() - at) {
      ADD_FAILURE() << "event of " << size << " bytes at " << at;
      break;
    }
    const Bytes body = bytes.subspan(at + kHeaderSize, size - kHeaderSize - kChecksumSize);
    events.push_back({bytes[at + 4], {body.begin(), body.end()}});
    at += size;
  }
  return events;
}

}  // namespace outboxd::binlog
