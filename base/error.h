#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace outboxd {

// A text and what to do about it, as they stand in a log and on standard error: "TEXT HINT: HINT".
// Without a hint just the text.
[[nodiscard]] std::string WithHint(std::string_view text, std::string_view hint);

struct TextAndHint {
  std::string_view text, hint;
};
// The two of such a text, for what keeps both in one; they borrow from it.
[[nodiscard]] TextAndHint SplitHint(std::string_view whole);

// Why something failed. Each folder has a `Kind` of its own, for each answers another question of
// its callers; see the enum. `message` and `hint` are for people: full thoughts in lower case,
// without a full stop, that name the thing and the value and hold neither a secret nor a payload.
template <typename Kind>
struct BasicError {
  Kind kind;
  std::string message;
  std::string hint = {};  // What to do about it, or what to type; empty: nobody can act.

  [[nodiscard]] std::string ToText() const { return WithHint(message, hint); }

  // The same failure where other kinds tell them apart.
  template <typename Other>
  [[nodiscard]] BasicError<Other> As(Other other) const {
    return {other, message, hint};
  }
};

// What Fail() returns: an error on its way to a Result.
template <typename Kind>
class [[nodiscard]] Failure : public std::unexpected<BasicError<Kind>> {
 public:
  explicit Failure(BasicError<Kind> error) : std::unexpected<BasicError<Kind>>(std::move(error)) {}

  // The same error with what to do about it; replaces the hint of a cause.
  template <typename... Args>
  Failure Hint(fmt::format_string<Args...> format, Args&&... args) && {
    this->error().hint = fmt::format(format, std::forward<Args>(args)...);
    return std::move(*this);
  }
};

template <typename Kind, typename... Args>
  requires std::is_enum_v<Kind>
Failure<Kind> Fail(Kind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(BasicError<Kind>{kind, fmt::format(format, std::forward<Args>(args)...)});
}

// Passes `cause` up with the place it happened at in front: "table a.b: short row". The hint stays.
template <typename Kind, typename... Args>
Failure<Kind> Fail(const BasicError<Kind>& cause, fmt::format_string<Args...> format,
                   Args&&... args) {
  std::string place = fmt::format(format, std::forward<Args>(args)...);
  return Failure(
      BasicError<Kind>{cause.kind, place.append(": ").append(cause.message), cause.hint});
}

}  // namespace outboxd
