#include "base/glob.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace outboxd {

bool FitsPattern(std::string_view text, std::string_view pattern) {
  // On a mismatch the last '*' swallows one character more; earlier ones never need to.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool PatternsMeet(std::string_view one, std::string_view other) {
  // meets[j], of what is left of `one` behind its character i: whether it meets what is left of
  // `other` behind j. A '*' is empty, or takes whatever the other pattern has next.
  std::vector<bool> meets(other.size() + 1);
  std::vector<bool> meets_next(other.size() + 1);  // The same behind i + 1.
  for (std::size_t i = one.size() + 1; i-- > 0;) {
    const bool is_end = i == one.size();
    for (std::size_t j = other.size() + 1; j-- > 0;) {
      const bool is_other_end = j == other.size();
      if (is_end && is_other_end) {
        meets[j] = true;
      } else if ((!is_end && one[i] == '*') || (!is_other_end && other[j] == '*')) {
        meets[j] = (!is_end && meets_next[j]) || (!is_other_end && meets[j + 1]);
      } else {
        const bool fits =
            !is_end && !is_other_end && (one[i] == '?' || other[j] == '?' || one[i] == other[j]);
        meets[j] = fits && meets_next[j + 1];
      }
    }
    std::swap(meets, meets_next);
  }
  return meets_next[0];
}

}  // namespace outboxd
