#include "daemon/migration/config_draft.h"

#include <fmt/format.h>

#include <utility>

namespace outboxd {

void ConfigDraft::Begin(std::string section) { sections_.push_back({std::move(section), {}}); }

void ConfigDraft::Set(std::string_view key, std::string_view value) {
  // A line feed in a value would begin another line, and " #" a comment.
  if (value.find_first_of("\r\n") != std::string_view::npos || value.contains(" #")) {
    Note(fmt::format("{}: its value holds a line feed or ' #', which this file cannot hold", key));
    return;
  }
  sections_.back().lines.push_back(fmt::format("{} = {}", key, value));
}

void ConfigDraft::Comment(std::string_view text) {
  sections_.back().lines.push_back(fmt::format("# {}", text));
}

void ConfigDraft::Note(std::string text) { notes_.push_back(std::move(text)); }

void ConfigDraft::NoteMissing(std::string text) {
  missing_.push_back(text);
  Note(std::move(text));
}

void ConfigDraft::NoteUnneeded(std::string text) { unneeded_.push_back(std::move(text)); }

std::string ConfigDraft::Text() const {
  std::string text;
  if (!notes_.empty()) text += "# To do, and to know:\n";
  for (const std::string& note : notes_) text += fmt::format("# - {}\n", note);
  for (const Section& section : sections_) {
    if (!text.empty()) text += '\n';
    text += fmt::format("[{}]\n", section.name);
    for (const std::string& line : section.lines) text += line + '\n';
  }
  if (!unneeded_.empty()) text += "\n# Options that are needed no more:\n";
  for (const std::string& option : unneeded_) text += fmt::format("# - {}\n", option);
  return text;
}

}  // namespace outboxd
