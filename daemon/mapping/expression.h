#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "daemon/error.h"
#include "daemon/mapping/mapped_value.h"

namespace outboxd {

// What the expressions of one mapping read of a row: columns, each once, whatever the case of
// letters, and the whole row or not.
class UsedColumns {
 public:
  // The index of the column, which is added where it is not yet there.
  [[nodiscard]] std::size_t Use(std::string_view name);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  void UseWholeRow() { whole_row_ = true; }
  [[nodiscard]] bool whole_row() const { return whole_row_; }

 private:
  std::vector<std::string> names_;
  bool whole_row_ = false;
};

// What an expression is evaluated on. Borrowed.
struct RowInHand {
  const binlog::Row& row;   // Its values are those of UsedColumns, then those of the whole row.
  std::size_t named = 0;    // How many they are before the whole row.
  OptionalValue item = {};  // What @item stands for.
};

// A part of a message as the configuration words it, in one of two forms:
//
//   chain     TERM | TERM ...     the first that is not NULL
//   text      text {chain} text   {{ and }} stand for braces
//
//   TERM      column, `any column`, 'text' ('' stands for '), null,
//             @schema, @table, @item,
//             @row                 a JSON object of all columns, in the table's order
//             TERM->PATH          of JSON: a string's characters, other JSON as it is written
//             FUNCTION(chain)     uuid, uuid-swapped, base64, unbase64, hex, lower, upper, json,
//                                 string, quote, expand, expand-nulls, expand-arrays, expand-all,
//                                 iso8601
//
// Text of several parts is text; of one part it is that part's value. Owned by the mapping; reader
// thread only.
class Expression {
 public:
  // A chain where `text` has no brace, text otherwise. kConfiguration: the part that is wrong.
  [[nodiscard]] static Result<Expression> Parse(std::string_view text, UsedColumns& columns);
  // Text, also without any brace. `EmptyParts::kRefused`: no part of it may be empty.
  enum class EmptyParts { kAllowed, kRefused };
  [[nodiscard]] static Result<Expression> ParseText(std::string_view text, UsedColumns& columns,
                                                    EmptyParts empty_parts = EmptyParts::kAllowed);
  // Takes a chain off the front of `text`.
  [[nodiscard]] static Result<Expression> TakeChain(std::string_view& text, UsedColumns& columns);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // Valid until the next call, and as long as the row is. kUndecodable: a part of a text is NULL,
  // or empty where that is refused; a value is not what a function takes; a JSON path leads nowhere
  // and no other term follows.
  [[nodiscard]] Result<OptionalValue> Evaluate(const RowInHand& row);

  // The same, but a path that leads nowhere is NULL.
  [[nodiscard]] Result<OptionalValue> EvaluateIfThere(const RowInHand& row);

  // The same as Evaluate(), without quote() and expand() around it: what a value is before it
  // becomes JSON.
  [[nodiscard]] Result<OptionalValue> EvaluateUnquoted(const RowInHand& row);

  // What its text fits, whatever the row: '*' for each part that is no constant.
  [[nodiscard]] std::string Pattern() const;

  // As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }

  class Node;

 private:
  Expression(std::string text, std::unique_ptr<Node> root);

  std::string text_;
  std::unique_ptr<Node> root_;
  std::optional<std::size_t> column_;  // Where it is nothing but this column, as most are.
};

}  // namespace outboxd
