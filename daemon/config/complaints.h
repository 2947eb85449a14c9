#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/setting.h"
#include "daemon/error.h"

namespace outboxd {

// What is wrong with a configuration, collected while it is read, so that one error tells all of
// it. Texts and hints are as those of errors: the caller escapes what comes from elsewhere.
class Complaints {
 public:
  // `path`: of the configuration file, for its lines to be named by; empty: there is none.
  explicit Complaints(std::string path) : paths_{std::move(path)} {}

  // Another file that is read for the configuration: its number. The first one has 0.
  [[nodiscard]] int AddFile(std::string path);
  // By its number.
  [[nodiscard]] const std::string& path(int file) const {
    return paths_[static_cast<std::size_t>(file)];
  }

  // About a line of a file, or the command line: Setting::kCommandLine.
  void Add(int line, std::string text, std::string hint = {}, int file = 0);
  // About what somebody set. Its name is put in front of the text: "mysql.socket: TEXT".
  void Add(const Setting& setting, std::string_view text, std::string hint = {});
  // About what nobody wrote.
  void AddOfWhole(std::string text, std::string hint = {});

  [[nodiscard]] bool empty() const { return complaints_.empty(); }

  // kConfiguration, with each complaint on a line of its own: each file's in the order of its
  // lines, then the command line's, then those about what nobody wrote. Those before the last one
  // stand in the message with their hints. To be called if there is one.
  [[nodiscard]] Error All() const;

 private:
  struct Complaint {
    int file;
    int line;
    std::string text;
    std::string hint;
  };

  std::vector<std::string> paths_;
  std::vector<Complaint> complaints_;
};

}  // namespace outboxd
