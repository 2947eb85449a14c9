#include "daemon/service/environment_file.h"

#include <algorithm>

#include "base/trimmed.h"
#include "base/utf8.h"

namespace outboxd {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kLineEnds = "\n\r";

// file    = { comment | name "=" value line-end }
// comment = ("#" | ";") any text to the end of the line, which a backslash does not reach over
// value   = { quoted | double-quoted | "\" any character | any other }
// A backslash before a line's end joins the next line. What follows a closing quote goes on the
// same value, without the blanks before it.
class Parser {
 public:
  void Take(char c) {
    switch (state_) {
      case State::kBeforeName:
        return BeforeName(c);
      case State::kName:
        return InName(c);
      case State::kBeforeValue:
        return BeforeValue(c);
      case State::kValue:
        return InValue(c);
      case State::kEscape:
        state_ = State::kValue;
        if (!kLineEnds.contains(c)) Keep(c);
        return;
      case State::kQuoted:
        if (c == '\'') {
          state_ = State::kBeforeValue;
        } else {
          Keep(c);
        }
        return;
      case State::kDoubleQuoted:
        return InDoubleQuotes(c);
      case State::kDoubleQuotedEscape:
        state_ = State::kDoubleQuoted;
        if (!std::string_view("\"\\`$\n").contains(c)) Keep('\\');
        if (c != '\n') Keep(c);
        return;
      case State::kComment:
        if (c == '\\') state_ = State::kCommentEscape;
        if (kLineEnds.contains(c)) state_ = State::kBeforeName;
        return;
      case State::kCommentEscape:
        state_ = State::kComment;
        return;
    }
  }

  [[nodiscard]] std::vector<std::string> End() {
    const bool has_value = state_ != State::kBeforeName && state_ != State::kName &&
                           state_ != State::kComment && state_ != State::kCommentEscape;
    if (has_value) Store();
    return std::move(assignments_);
  }

 private:
  enum class State {
    kBeforeName,
    kName,
    kBeforeValue,
    kValue,
    kEscape,
    kQuoted,
    kDoubleQuoted,
    kDoubleQuotedEscape,
    kComment,
    kCommentEscape,
  };

  void BeforeName(char c) {
    if (c == '#' || c == ';') {
      state_ = State::kComment;
    } else if (!kBlanks.contains(c)) {
      state_ = State::kName;
      name_ = c;
    }
  }

  void InName(char c) {
    if (kLineEnds.contains(c)) {
      state_ = State::kBeforeName;
    } else if (c == '=') {
      state_ = State::kBeforeValue;
      value_.clear();
      kept_ = 0;
    } else {
      name_ += c;
    }
  }

  void BeforeValue(char c) {
    if (kLineEnds.contains(c)) {
      Store();
    } else if (c == '\'') {
      state_ = State::kQuoted;
    } else if (c == '"') {
      state_ = State::kDoubleQuoted;
    } else if (c == '\\') {
      state_ = State::kEscape;
    } else if (!kBlanks.contains(c)) {
      state_ = State::kValue;
      Keep(c);
    }
  }

  void InValue(char c) {
    if (kLineEnds.contains(c)) {
      value_.resize(kept_);
      Store();
    } else if (c == '\\') {
      state_ = State::kEscape;
      kept_ = value_.size();
    } else if (kBlanks.contains(c)) {
      value_ += c;
    } else {
      Keep(c);
    }
  }

  void InDoubleQuotes(char c) {
    if (c == '"') {
      state_ = State::kBeforeValue;
    } else if (c == '\\') {
      state_ = State::kDoubleQuotedEscape;
    } else {
      Keep(c);
    }
  }

  // A character that stays also where the line ends behind it, as a blank does not.
  void Keep(char c) {
    value_ += c;
    kept_ = value_.size();
  }

  void Store() {
    if (state_ == State::kValue) value_.resize(kept_);
    state_ = State::kBeforeName;
    const std::string_view name = Trimmed(name_, kBlanks);
    const bool is_clean = std::ranges::none_of(value_, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F;
    });
    if (!IsVariableName(name) || !is_clean || !IsUtf8(value_)) return;
    assignments_.push_back(std::string(name) + "=" + value_);
  }

  State state_ = State::kBeforeName;
  std::string name_, value_;
  std::size_t kept_ = 0;  // So much of value_ is not blanks at its end.
  std::vector<std::string> assignments_;
};

}  // namespace

bool IsVariableName(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> ParseEnvironmentFile(std::string_view text) {
  Parser parser;
  for (const char c : text) parser.Take(c);
  return parser.End();
}

}  // namespace outboxd
