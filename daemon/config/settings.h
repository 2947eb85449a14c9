#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/complaints.h"
#include "daemon/config/config_files.h"
#include "daemon/config/setting.h"

namespace outboxd {

// What the configuration's files and the command line set. Whether a key takes its value, nobody
// has asked yet.
struct Settings {
  std::vector<std::string> sections;  // Each once, in the order in which they first stand.
  std::vector<Setting> all;           // Those that count: the files', then the command line's.

  // The first one of a key, borrowed from `all`; null: nobody set it.
  [[nodiscard]] const Setting* Find(std::string_view section, std::string_view key) const;
};

// Puts together the settings of `files`, of which a later one counts more, and of `overrides`, the
// elements of the command line: "--section.key=value", or "--section.key" and the value. A key that
// stands there counts instead of the files', a repeatable one with all its values; so does one of a
// later file. Environment variables in paths are replaced.
//
// Complains of, and leaves out: what is no INI, sections and keys that this version does not have,
// secrets on the command line. Complains of keys that stand twice in one file or on the command
// line, unless they are repeatable.
[[nodiscard]] Settings CollectSettings(std::vector<ConfigFile> files,
                                       const std::vector<std::string>& overrides,
                                       Complaints& complaints);

}  // namespace outboxd
