#include "binlog/ddl.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "binlog/any_case.h"

namespace outboxd::binlog {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsOfWord(char c) {
  const char lower = LowerCase(c);
  return (lower >= 'a' && lower <= 'z') || IsDigit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// A word without quotes, or something else, of which the text does not matter: a name or literal in
// quotes, a word behind a point or '@', a single character.
struct Token {
  bool is_word = false;
  std::string_view text;  // Empty: the end of the statement.
};

bool IsOneOf(const Token& token, std::initializer_list<std::string_view> words) {
  return token.is_word && std::ranges::any_of(words, [&](std::string_view word) {
           return EqualInAnyCase(token.text, word);
         });
}

// Cuts a statement into tokens as MySQL 9.7 sql/sql_lex.cc, lex_one_token() does.
class Tokens {
 public:
  Tokens(std::string_view statement, bool backslash_escapes)
      : rest_(statement), backslash_escapes_(backslash_escapes) {}

  Token Next() {
    SkipBlanksAndComments();
    if (rest_.empty()) return {};
    if (IsOfWord(rest_.front())) {
      const auto end = std::ranges::find_if_not(rest_, IsOfWord);
      const auto size = static_cast<std::size_t>(end - rest_.begin());
      return Take(!is_behind_point_, size);
    }
    const char c = rest_.front();
    if (c == '\'' || c == '"' || c == '`') return Take(false, QuotedSize(c));
    Token token = Take(false, 1);
    is_behind_point_ = c == '.' || c == '@';
    return token;
  }

  // A quote was never closed, so that something before it was not read as it is meant.
  [[nodiscard]] bool has_open_quote() const { return has_open_quote_; }

 private:
  Token Take(bool is_word, std::size_t size) {
    const Token token{is_word, rest_.substr(0, size)};
    rest_.remove_prefix(size);
    is_behind_point_ = false;
    return token;
  }

  // A quote within is written twice, which reads as two texts here: that is as well.
  std::size_t QuotedSize(char quote) {
    const bool may_escape = backslash_escapes_ && quote != '`';
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) return i + 1;
      if (rest_[i] == '\\' && may_escape) ++i;
    }
    has_open_quote_ = true;
    return rest_.size();
  }

  void SkipBlanksAndComments() {
    while (true) {
      while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
      if (rest_.starts_with("/*!")) {
        is_in_version_comment_ = true;
        rest_.remove_prefix(3);
        while (!rest_.empty() && IsDigit(rest_.front())) rest_.remove_prefix(1);
      } else if (rest_.starts_with("/*")) {
        SkipBehind("*/", 2);
      } else if (is_in_version_comment_ && rest_.starts_with("*/")) {
        is_in_version_comment_ = false;
        rest_.remove_prefix(2);
      } else if (rest_.starts_with('#') || IsLineComment()) {
        SkipBehind("\n", 0);
      } else {
        return;
      }
    }
  }

  // "a--1" is none.
  [[nodiscard]] bool IsLineComment() const {
    return rest_.starts_with("--") && (rest_.size() == 2 || IsBlank(rest_[2]));
  }

  void SkipBehind(std::string_view end, std::size_t from) {
    const std::size_t at = rest_.find(end, from);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }

  std::string_view rest_;
  bool backslash_escapes_;
  bool is_in_version_comment_ = false;
  bool is_behind_point_ = false;
  bool has_open_quote_ = false;
};

// The next token but those of `words`.
Token NextBut(Tokens& tokens, std::initializer_list<std::string_view> words) {
  Token token = tokens.Next();
  while (IsOneOf(token, words)) token = tokens.Next();
  return token;
}

bool LosesRows(const Token& verb, const Token& object) {
  if (IsOneOf(verb, {"rename"})) return !IsOneOf(object, {"column", "index", "key"});
  if (IsOneOf(verb, {"discard", "import"})) return IsOneOf(object, {"partition", "tablespace"});
  return IsOneOf(verb, {"drop", "truncate", "exchange"}) && IsOneOf(object, {"partition"});
}

// Behind ALTER TABLE. Of the words that tell, RENAME and DROP are reserved, and the others are
// followed by one that is, so that no column's name is taken for them.
DdlEffect EffectOfAlter(Tokens& tokens) {
  Token verb = tokens.Next();
  for (Token object = tokens.Next(); !object.text.empty(); object = tokens.Next()) {
    if (LosesRows(verb, object)) return DdlEffect::kLosesRows;
    verb = object;
  }
  return DdlEffect::kAlters;
}

DdlEffect EffectOf(Tokens& tokens) {
  const Token verb = tokens.Next();
  if (IsOneOf(verb, {"truncate"})) return DdlEffect::kLosesRows;
  // The last three of 5.6 and before, whose logs may be read yet.
  const Token object =
      NextBut(tokens, {"unique", "fulltext", "spatial", "ignore", "online", "offline"});
  const bool is_table = IsOneOf(object, {"table", "tables"});
  if (IsOneOf(verb, {"rename"}) && is_table) return DdlEffect::kLosesRows;
  if (IsOneOf(verb, {"drop"}) && (is_table || IsOneOf(object, {"database", "schema"}))) {
    return DdlEffect::kLosesRows;
  }
  if (IsOneOf(verb, {"create", "drop"}) && IsOneOf(object, {"index"})) return DdlEffect::kAlters;
  if (IsOneOf(verb, {"alter"}) && is_table) return EffectOfAlter(tokens);
  return DdlEffect::kNone;
}

}  // namespace

DdlEffect EffectOf(std::string_view statement) {
  Tokens escaped(statement, true);
  const DdlEffect effect = EffectOf(escaped);
  if (!escaped.has_open_quote()) return effect;
  Tokens plain(statement, false);
  return std::max(effect, EffectOf(plain));
}

bool DropsSchema(std::string_view statement) {
  Tokens tokens(statement, true);
  return IsOneOf(tokens.Next(), {"drop"}) && IsOneOf(tokens.Next(), {"database", "schema"});
}

}  // namespace outboxd::binlog
