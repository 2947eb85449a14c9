#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/text_arena.h"

namespace outboxd::binlog {

// Which character set a collation id of the binary log belongs to. Knows the collations of MySQL
// 9.7; Add() is for what a server has besides. Filled by one thread, then read by any.
class CharacterSets {
 public:
  CharacterSets();

  // `name`: as information_schema.collations.character_set_name has it.
  void Add(std::uint32_t collation, std::string name);

  // The name of the character set; empty: not known. Valid until the next Add().
  [[nodiscard]] std::string_view NameOf(std::uint32_t collation) const;

 private:
  std::map<std::uint32_t, std::string> names_;
};

inline constexpr std::uint32_t kBinaryCollation = 63;

// A collation of a character set of MySQL 9.7, or of "utf8", as servers before 8.0 call utf8mb3; 0:
// there is no such set.
[[nodiscard]] std::uint32_t CollationOf(std::string_view character_set);

// Converts texts of one character set to UTF-8 as MySQL itself does. Not for several threads.
class TextConverter {
 public:
  // kUndecodable: a character set that this version cannot convert.
  [[nodiscard]] static Result<TextConverter> Open(std::string_view character_set);

  TextConverter(TextConverter&&) noexcept;
  TextConverter& operator=(TextConverter&&) noexcept;
  ~TextConverter();

  // The text in UTF-8: a view of `text` where nothing is to be changed, else in `arena`.
  // kUndecodable: what MySQL would show as '?' too.
  [[nodiscard]] Result<std::string_view> Convert(Bytes text, TextArena& arena);

  // Whether Convert() returns all texts as they are.
  [[nodiscard]] bool passes_through() const;

 private:
  struct Rules;
  struct IconvCloser {
    void operator()(void* handle) const;
  };

  explicit TextConverter(const Rules& rules) : rules_(&rules) {}

  struct Converted {
    std::size_t size;  // Of the character in `text`.
    char* end;         // Behind what was written.
  };
  Result<Converted> ConvertCharacter(Bytes text, std::size_t at, char* to);
  char* ByIconv(Bytes character, char* to);  // Null: no character.
  std::unexpected<Error> Unmapped(Bytes text, std::size_t at) const;

  const Rules* rules_;
  std::unique_ptr<void, IconvCloser> iconv_;  // None where the rules do without.
};

}  // namespace outboxd::binlog
