#include "daemon/mapping/condition.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>

#include "base/escaped.h"
#include "base/trimmed.h"
#include "binlog/any_case.h"
#include "daemon/mapping/scan.h"

namespace outboxd {
namespace {

constexpr std::string_view kHint =
    "a condition is worded COLUMN = VALUE, with =, !=, <, <=, >, >=, in (A, B), like, is null, is"
    " not null";

bool TakeWord(std::string_view& text, std::string_view word) {
  std::string_view rest = text;
  SkipBlanks(rest);
  if (rest.size() < word.size() || !binlog::EqualInAnyCase(rest.substr(0, word.size()), word)) {
    return false;
  }
  rest.remove_prefix(word.size());
  if (!rest.empty() && std::string_view(" \t('").find(rest.front()) == std::string_view::npos) {
    return false;
  }
  text = rest;
  return true;
}

bool TakeSign(std::string_view& text, std::string_view sign) {
  std::string_view rest = text;
  SkipBlanks(rest);
  if (!rest.starts_with(sign)) return false;
  text = rest.substr(sign.size());
  return true;
}

// Takes 'text', or what stands before `end`, off the front.
Result<std::string> TakeOperand(std::string_view& text, std::string_view end) {
  SkipBlanks(text);
  if (!text.starts_with('\'')) {
    const std::size_t size = std::min(text.find_first_of(end), text.size());
    const std::string_view word = Trimmed(text.substr(0, size));
    text.remove_prefix(size);
    if (word.empty()) return Fail(ExitCode::kConfiguration, "lacks a value").Hint("{}", kHint);
    return std::string(word);
  }
  text.remove_prefix(1);
  const std::string_view whole = text;
  auto operand = TakeQuoted(text, '\'');
  if (operand) return std::move(*operand);
  return Fail(ExitCode::kConfiguration, "lacks the quote at the end of '{}'", Escaped(whole));
}

std::optional<double> NumberOf(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> IntegerOf(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::partial_ordering Compare(const MappedValue& value, std::string_view operand) {
  const bool may_be_number =
      value.kind == binlog::ValueKind::kNumber || value.kind == binlog::ValueKind::kJson;
  if (may_be_number) {
    const auto left = IntegerOf(value.text), right = IntegerOf(operand);
    if (left && right) return *left <=> *right;
    const auto left_double = NumberOf(value.text), right_double = NumberOf(operand);
    if (left_double && right_double) return *left_double <=> *right_double;
  }
  return value.text <=> operand;
}

// Takes what fits off the front of both; false: nothing does, and `text` is as it was. `pattern`:
// of LIKE, not at a '%'.
bool TakeLike(std::string_view& text, std::string_view& pattern) {
  if (text.empty() || pattern.empty()) return false;
  if (pattern.front() == '_') {
    do {  // A character of UTF-8.
      text.remove_prefix(1);
    } while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0u) == 0x80u);
  } else {
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    if (pattern.front() != text.front()) return false;
    text.remove_prefix(1);
  }
  pattern.remove_prefix(1);
  return true;
}

// `pattern`: of LIKE.
bool IsLike(std::string_view text, std::string_view pattern) {
  // On a mismatch the last '%' swallows one byte more; earlier ones never need to.
  std::optional<std::string_view> behind_percent;
  std::string_view text_there;
  while (!text.empty() || !pattern.empty()) {
    if (pattern.starts_with('%')) {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      behind_percent = pattern;
      text_there = text;
    } else if (!TakeLike(text, pattern)) {
      if (!behind_percent || text_there.empty()) return false;
      text_there.remove_prefix(1);
      text = text_there;
      pattern = *behind_percent;
    }
  }
  return true;
}

}  // namespace

Result<Condition> Condition::Parse(std::string_view text, UsedColumns& columns) {
  std::string_view rest = text;
  auto value = Expression::TakeChain(rest, columns);
  if (!value) return std::unexpected(value.error());
  Condition condition(std::move(*value));
  condition.text_ = text;
  struct Sign {
    std::string_view text;
    Comparison comparison;
    bool is_negated;
  };
  constexpr Sign kSigns[] = {
      {"!=", Comparison::kEqual, true},   {"<>", Comparison::kEqual, true},
      {"<=", Comparison::kGreater, true}, {">=", Comparison::kLess, true},
      {"=", Comparison::kEqual, false},   {"<", Comparison::kLess, false},
      {">", Comparison::kGreater, false},
  };
  const auto* sign =
      std::ranges::find_if(kSigns, [&](const Sign& known) { return TakeSign(rest, known.text); });
  if (sign != std::end(kSigns)) {
    condition.comparison_ = sign->comparison;
    condition.is_negated_ = sign->is_negated;
  } else if (TakeWord(rest, "is")) {
    condition.is_negated_ = TakeWord(rest, "not");
    condition.comparison_ = Comparison::kNull;
    if (!TakeWord(rest, "null")) {
      return Fail(ExitCode::kConfiguration, "lacks 'null' behind 'is'").Hint("{}", kHint);
    }
  } else {
    condition.is_negated_ = TakeWord(rest, "not");
    const bool is_like = TakeWord(rest, "like");
    if (!is_like && !TakeWord(rest, "in")) {
      return Fail(ExitCode::kConfiguration, "has no comparison at '{}'", Escaped(rest))
          .Hint("{}", kHint);
    }
    condition.comparison_ = is_like ? Comparison::kLike : Comparison::kIn;
  }
  if (condition.comparison_ == Comparison::kIn) {
    if (!TakeSign(rest, "(")) {
      return Fail(ExitCode::kConfiguration, "lacks a '(' behind 'in'").Hint("{}", kHint);
    }
    do {
      auto operand = TakeOperand(rest, ",)");
      if (!operand) return std::unexpected(operand.error());
      condition.operands_.push_back(std::move(*operand));
    } while (TakeSign(rest, ","));
    if (!TakeSign(rest, ")")) {
      return Fail(ExitCode::kConfiguration, "lacks a ')' at its end").Hint("{}", kHint);
    }
  } else if (condition.comparison_ != Comparison::kNull) {
    auto operand = TakeOperand(rest, "");
    if (!operand) return std::unexpected(operand.error());
    condition.operands_.push_back(std::move(*operand));
  }
  SkipBlanks(rest);
  if (rest.empty()) return condition;
  return Fail(ExitCode::kConfiguration, "has something left at '{}'", Escaped(rest))
      .Hint("{}; several conditions stand in lines of their own", kHint);
}

Result<bool> Condition::Holds(const RowInHand& row) {
  const auto value = value_.EvaluateIfThere(row);
  if (!value) return std::unexpected(value.error());
  if (comparison_ == Comparison::kNull) return value->has_value() == is_negated_;
  if (!*value) return false;
  const auto compare = [&](const std::string& operand) { return Compare(**value, operand); };
  bool holds = false;
  switch (comparison_) {
    case Comparison::kEqual:
    case Comparison::kIn:
      holds = std::ranges::any_of(operands_, [&](const auto& one) { return compare(one) == 0; });
      break;
    case Comparison::kLess:
      holds = compare(operands_.front()) < 0;
      break;
    case Comparison::kGreater:
      holds = compare(operands_.front()) > 0;
      break;
    case Comparison::kLike:
      holds = IsLike((*value)->text, operands_.front());
      break;
    case Comparison::kNull:
      break;
  }
  return holds != is_negated_;
}

}  // namespace outboxd
