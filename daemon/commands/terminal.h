#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace outboxd {

// Whether a person sees what is written there.
[[nodiscard]] bool IsTerminal(int descriptor);

// Whether text that is written there may have colours: it is a terminal, TERM is not "dumb", and
// NO_COLOR (no-color.org) is not set, or empty.
[[nodiscard]] bool TakesColours(int descriptor);

enum class Colour { kNone, kGreen, kYellow, kRed };

// `text` in that colour where `takes_colours`.
[[nodiscard]] std::string Coloured(std::string_view text, Colour colour, bool takes_colours);

// How far a piece of work is: "[########..............]  36 %". `done` of `total`; 0: empty.
[[nodiscard]] std::string BarText(std::uint64_t done, std::uint64_t total);

}  // namespace outboxd
