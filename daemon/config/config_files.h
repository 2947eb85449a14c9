#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/complaints.h"
#include "daemon/config/ini_file.h"

namespace outboxd {

// One file of a configuration.
struct ConfigFile {
  int number;  // As Complaints counts it.
  IniFile ini;
};

// A configuration's file, of which `text` is the content, and the files that it includes by
// "include = PATH", from the one that counts least to the file itself: what a file says counts
// instead of what its includes say, and a later include instead of an earlier one. A path begins at
// the folder of the file that it stands in. `complaints` has the file itself as its number 0.
//
// Complains of files that cannot be read, that are larger than 1 MiB, and that include themselves,
// by way of others or not.
[[nodiscard]] std::vector<ConfigFile> ReadConfigFiles(std::string_view text,
                                                      Complaints& complaints);

}  // namespace outboxd
