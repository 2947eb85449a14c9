#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "daemon/commands/command_line.h"
#include "tests/daemon/page.h"

// docs/commands.md has the commands and options of the table and of --help, and no others.

namespace outboxd {
namespace {

constexpr std::string_view kHeading = "## `outboxd ";
constexpr std::string_view kForm = "Form: `";
constexpr std::string_view kOption = "| `--";

struct Page {
  std::map<std::string, std::set<std::string>> options;  // Of each command, which has a section.
  std::set<std::string> forms;
};

// `text` up to the next `end`.
std::string Until(std::string_view text, std::string_view ends) {
  return std::string(text.substr(0, text.find_first_of(ends)));
}

Page ReadPage() {
  Page page;
  std::string command;
  for (const std::string& line : LinesOfPage("commands.md")) {
    const std::string_view view = line;
    if (view.starts_with("## ")) command.clear();
    if (view.starts_with(kHeading)) {
      command = Until(view.substr(kHeading.size()), "`");
      page.options[command];
    }
    if (view.starts_with(kForm)) page.forms.insert(Until(view.substr(kForm.size()), "`"));
    if (!command.empty() && view.starts_with(kOption)) {
      page.options[command].insert(Until(view.substr(kOption.size() - 2), " `="));
    }
  }
  return page;
}

// "outboxd skip POSITION --config FILE" and the like, as --help has them.
std::set<std::string> FormsOfUsage() {
  std::set<std::string> forms;
  std::string_view text = UsageText();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with("  outboxd ")) continue;
    forms.emplace(line.substr(2, line.substr(2).find("  ")));
  }
  return forms;
}

TEST(CommandsPageTest, HasTheCommandsOfTheTableWithTheirOptions) {
  std::map<std::string, std::set<std::string>> known;
  for (const CommandShape& shape : CommandShapes()) {
    std::set<std::string>& options = known[NameOf(shape)];
    if (shape.takes_config) options.insert("--config");
    std::string_view rest = shape.options;
    while (!rest.empty()) {
      rest.remove_prefix(1);
      options.insert(Until(rest, " "));
      rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    }
  }
  EXPECT_EQ(ReadPage().options, known);
}

TEST(CommandsPageTest, HasTheFormsOfTheHelp) { EXPECT_EQ(ReadPage().forms, FormsOfUsage()); }

}  // namespace
}  // namespace outboxd
