#include "daemon/config/ini_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escaped.h"
#include "base/trimmed.h"
#include "base/utf8.h"

namespace outboxd {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view WithoutComment(std::string_view line) {
  for (std::size_t i = line.find('#'); i != std::string_view::npos; i = line.find('#', i + 1)) {
    if (i == 0 || kBlanks.find(line[i - 1]) != std::string_view::npos) return line.substr(0, i);
  }
  return line;
}

bool HasControlCharacter(std::string_view line) {
  return std::ranges::any_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

class Parser {
 public:
  void TakeLine(std::string_view line) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!IsUtf8(line) || HasControlCharacter(line)) {
      Complain("holds control characters or is not UTF-8", "save the file as plain UTF-8 text");
      return;
    }
    line = Trimmed(WithoutComment(line));
    if (line.empty()) return;
    if (line.front() == '[') {
      TakeSection(line);
    } else {
      TakeEntry(line);
    }
  }

  IniFile ini;

 private:
  void TakeSection(std::string_view line) {
    // Wrong or not, the lines below it do not belong to the section above.
    section_.clear();
    in_section_ = true;
    if (line.back() != ']') {
      Complain(fmt::format("'{}' has no closing bracket", Escaped(line)));
      return;
    }
    section_ = Trimmed(line.substr(1, line.size() - 2));
    if (section_.empty()) {
      Complain("a section without a name");
      return;
    }
    const auto earlier = std::ranges::find(ini.sections, section_, &IniFile::Section::name);
    if (earlier != ini.sections.end()) {
      Complain(fmt::format("section [{}] stands twice, first in line {}", Escaped(section_),
                           earlier->line),
               "put all its keys in one place");
    }
    ini.sections.push_back({section_, line_});
  }

  void TakeEntry(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      // The text is not shown: half a line can be the rest of a secret.
      Complain("neither [section] nor key = value", "a comment begins with #");
      return;
    }
    const std::string_view key = Trimmed(line.substr(0, equals));
    if (key.empty()) {
      Complain("a value without a key");
      return;
    }
    const std::string_view value = Trimmed(line.substr(equals + 1));
    if (!in_section_ && key == "include") {
      ini.includes.push_back({std::string(value), line_});
    } else if (!in_section_) {
      Complain(fmt::format("'{}' stands before the first section", Escaped(key)),
               "only include = PATH may stand there");
    } else if (!section_.empty()) {
      ini.entries.push_back({section_, std::string(key), std::string(value), line_});
    }
  }

  void Complain(std::string text, std::string hint = {}) {
    ini.complaints.push_back({line_, std::move(text), std::move(hint)});
  }

  int line_ = 0;
  bool in_section_ = false;
  std::string section_;  // Empty: its heading was wrong.
};

}  // namespace

IniFile ParseIni(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Parser parser;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    parser.TakeLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(parser.ini);
}

}  // namespace outboxd
