#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace outboxd {

// The nearest of `candidates`, for "did you mean"; none: nothing that `word` could be a slip of. It
// borrows from `candidates`. The work is bounded: a very long word has none.
[[nodiscard]] std::optional<std::string_view> NearestWord(
    std::string_view word, std::span<const std::string_view> candidates);

}  // namespace outboxd
