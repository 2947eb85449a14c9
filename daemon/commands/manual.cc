#include "daemon/commands/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/commands/commands_page.h"

namespace outboxd {
namespace {

constexpr std::string_view kHeading = "## `outboxd ";
constexpr std::string_view kForm = "Form: `";
constexpr std::size_t kColumnsMax = 80;

// The line in front of the first line feed of `text`, which is taken from it.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Without the marks of Markdown: `word`, **word**, [words](where they lead).
std::string Plain(std::string_view markdown) {
  std::string text;
  for (std::size_t i = 0; i < markdown.size(); ++i) {
    const std::string_view rest = markdown.substr(i);
    if (rest.front() == '`') continue;
    if (rest.starts_with("**")) {
      ++i;
      continue;
    }
    const std::size_t middle = rest.find("](");
    const std::size_t end = rest.find(')', std::min(middle, rest.size()));
    if (rest.front() == '[' && middle != rest.npos && end != rest.npos &&
        rest.substr(1, middle).find('[') == rest.npos) {
      text += Plain(rest.substr(1, middle - 1));
      i += end;
      continue;
    }
    text += rest.front();
  }
  return text;
}

// Appends words, each line indented by `indent`; the first one begins in column `column`.
void AppendWrapped(std::string& text, std::string_view words, std::size_t indent,
                   std::size_t column) {
  bool is_first = true;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (word.empty()) continue;
    if (!is_first && column + 1 + word.size() > kColumnsMax) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
      is_first = true;
    }
    if (!is_first) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
    is_first = false;
  }
  text += '\n';
}

// Takes the lines of a section, and makes their text.
class Section {
 public:
  void Take(std::string_view line) {
    if (line.starts_with("<!--")) return EndParagraph();
    if (line.starts_with(kForm)) {
      line.remove_prefix(kForm.size());
      forms_ += fmt::format("  {}\n", line.substr(0, line.rfind('`')));
    } else if (line.starts_with("| ") && line.find("| ", 1) != line.npos) {
      TakeRow(line);
    } else if (line.starts_with("|")) {
      return;
    } else if (line.starts_with("    ")) {
      if (!paragraph_.empty()) EndParagraph();
      text_ += fmt::format("{}\n", line);
      is_open_ = true;
    } else if (line.empty()) {
      EndParagraph();
    } else {
      if (!paragraph_.empty()) paragraph_ += ' ';
      paragraph_ += line;
    }
  }

  std::string Text() {
    EndParagraph();
    while (text_.ends_with("\n\n")) text_.pop_back();
    return forms_ + "\n" + text_;
  }

 private:
  // Of a table of two columns, the heads of which are left out.
  void TakeRow(std::string_view line) {
    const std::size_t middle = line.find(" | ");
    if (middle == line.npos || line.starts_with("| option |")) return;
    const std::string name = Plain(line.substr(2, middle - 2));
    std::string_view meaning = line.substr(middle + 3);
    meaning = meaning.substr(0, meaning.rfind(" |"));
    constexpr std::size_t kIndent = 20;
    const bool fits = name.size() + 4 <= kIndent;
    text_ += "  " + name;
    text_ += fits ? std::string(kIndent - 2 - name.size(), ' ') : "\n" + std::string(kIndent, ' ');
    AppendWrapped(text_, Plain(meaning), kIndent, kIndent);
    is_open_ = true;
  }

  // What ends here is followed by an empty line.
  void EndParagraph() {
    if (!paragraph_.empty()) {
      AppendWrapped(text_, Plain(paragraph_), 0, 0);
      paragraph_.clear();
      is_open_ = true;
    }
    if (std::exchange(is_open_, false)) text_ += '\n';
  }

  std::string forms_, text_, paragraph_;
  bool is_open_ = false;  // Something stands in front that an empty line has to follow.
};

// "position" is also the command of "position set".
bool IsOf(std::string_view heading, std::string_view command) {
  heading.remove_prefix(kHeading.size());
  const std::string_view name = heading.substr(0, heading.find('`'));
  return name == command || name.starts_with(fmt::format("{} ", command));
}

}  // namespace

std::string ManualOf(std::string_view command, std::string_view page) {
  std::string text;
  std::optional<Section> section;
  const auto end = [&] {
    if (section) text += (text.empty() ? "" : "\n") + section->Text();
    section.reset();
  };
  while (!page.empty()) {
    const std::string_view line = TakeLine(page);
    if (line.starts_with("## ")) {
      end();
      if (line.starts_with(kHeading) && IsOf(line, command)) section.emplace();
    } else if (section) {
      section->Take(line);
    }
  }
  end();
  return text;
}

std::string ManualOf(std::string_view command) { return ManualOf(command, CommandsPageText()); }

}  // namespace outboxd
