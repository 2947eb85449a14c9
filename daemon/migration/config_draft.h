#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// A configuration of outboxd that is being written from the files of another program, and what has
// to be said about it.
class ConfigDraft {
 public:
  // What is set from now on belongs to this section. To be called before the first Set().
  void Begin(std::string section);
  // Adds a key; where no line of the file can hold the value, a note instead.
  void Set(std::string_view key, std::string_view value);
  // Adds a comment between the keys.
  void Comment(std::string_view text);

  // What the operator has to do or to know, in one sentence.
  void Note(std::string text);
  // The same of a key without which no relay can run.
  void NoteMissing(std::string text);
  // An option of the other program that needs no key, with the reason.
  void NoteUnneeded(std::string text);

  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }  // All of them.
  [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }

  // The INI file: the notes as a comment, the sections as they were begun, and what is needed no
  // more as a comment.
  [[nodiscard]] std::string Text() const;

 private:
  struct Section {
    std::string name;
    std::vector<std::string> lines;
  };

  std::vector<Section> sections_;
  std::vector<std::string> notes_;
  std::vector<std::string> missing_;
  std::vector<std::string> unneeded_;
};

}  // namespace outboxd
