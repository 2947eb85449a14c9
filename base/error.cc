#include "base/error.h"

namespace outboxd {
namespace {

constexpr std::string_view kBetween = " HINT: ";

}  // namespace

std::string WithHint(std::string_view text, std::string_view hint) {
  std::string whole(text);
  if (!hint.empty()) whole.append(kBetween).append(hint);
  return whole;
}

TextAndHint SplitHint(std::string_view whole) {
  const std::size_t at = whole.find(kBetween);
  if (at == std::string_view::npos) return {.text = whole, .hint = {}};
  return {.text = whole.substr(0, at), .hint = whole.substr(at + kBetween.size())};
}

}  // namespace outboxd
