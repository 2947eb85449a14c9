#pragma once

#include <cstdint>
#include <string>

namespace outboxd::binlog {

// The end of the binary log as of now: everything that a SELECT before has seen is in front of it.
struct LogEnd {
  std::string file;
  std::uint64_t offset = 0;
};

// One file of a server's binary log.
struct LogFile {
  std::string name;
  // The offset of its end; of the last file that grows still. 0: the server cannot tell.
  std::uint64_t end_offset = 0;
};

}  // namespace outboxd::binlog
