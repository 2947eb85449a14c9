#pragma once

#include <string>

namespace outboxd {

// One value that somebody set, and where.
struct Setting {
  // A line of the file is counted from 1; this one stands for the command line.
  static constexpr int kCommandLine = -1;

  std::string section;  // As the file has it: "outbox.eu".
  std::string key;
  std::string value;
  int line;
  int file = 0;  // As Complaints counts files; nothing for the command line.

  [[nodiscard]] std::string name() const { return section + "." + key; }
};

}  // namespace outboxd
