#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"
#include "daemon/mapping/expression.h"

namespace outboxd {

// A condition on a row, in one of the forms
//
//   CHAIN = VALUE   also !=, <, <=, >, >=
//   CHAIN [not] in (VALUE, VALUE, ...)
//   CHAIN [not] like VALUE        % stands for any characters, _ for one, \ takes it literally
//   CHAIN is [not] null
//
// where VALUE is a word, a number or 'text'. Numbers compare as numbers where the chain's value is
// one, all else by bytes: case counts. NULL fits nothing but `is null`; a JSON path that leads
// nowhere is NULL. Reader thread only.
class Condition {
 public:
  // kConfiguration: the part that is wrong.
  [[nodiscard]] static Result<Condition> Parse(std::string_view text, UsedColumns& columns);

  // kUndecodable: as Expression.
  [[nodiscard]] Result<bool> Holds(const RowInHand& row);

  // As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Comparison { kEqual, kLess, kGreater, kIn, kLike, kNull };

  explicit Condition(Expression value) : value_(std::move(value)) {}

  // Constant after Parse().
  std::string text_;
  Expression value_;
  Comparison comparison_ = Comparison::kEqual;
  bool is_negated_ = false;
  std::vector<std::string> operands_;
};

}  // namespace outboxd
