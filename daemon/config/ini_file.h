#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// The text of a configuration file, taken apart but not judged: sections and their keys, in order,
// each with its line. Above the first section only `include` may stand. Blanks around names and
// values are dropped; values have no quotes and no continuation lines. `#` begins a comment at the
// start of a line or after white space.
struct IniFile {
  struct Section {
    std::string name;
    int line;
  };
  struct Entry {
    std::string section;
    std::string key;
    std::string value;
    int line;
  };
  // "include = PATH" above the first section.
  struct Include {
    std::string path;
    int line;
  };
  // Something that is no INI at all; the text is for people.
  struct Complaint {
    int line;
    std::string text;
    std::string hint;  // What to do about it; empty: that is plain.
  };

  std::vector<Include> includes;
  std::vector<Section> sections;
  std::vector<Entry> entries;
  std::vector<Complaint> complaints;  // Empty: all of the text was understood.
};

[[nodiscard]] IniFile ParseIni(std::string_view text);

}  // namespace outboxd
