#pragma once

#include <cstdint>
#include <string>

namespace outboxd::binlog {

// Of the first event in a file of the binary log, behind the file's magic number.
inline constexpr std::uint64_t kFirstOffset = 4;

// The end of the binary log as of now: everything that a SELECT before has seen is in front of it.
struct LogEnd {
  std::string file;
  std::uint64_t offset = 0;

  friend bool operator==(const LogEnd&, const LogEnd&) = default;
};

// One file of a server's binary log.
struct LogFile {
  std::string name;
  // The offset of its end; of the last file that grows still. 0: the server cannot tell.
  std::uint64_t end_offset = 0;
};

}  // namespace outboxd::binlog
