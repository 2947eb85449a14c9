#include "daemon/mapping/event_time.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/escaped.h"

namespace outboxd {

namespace {

std::unexpected<Error> NoTime(std::string_view text) {
  return Fail(ExitCode::kUndecodable,
              "'{}' is neither a date with time nor milliseconds since 1970", Escaped(text));
}

// Two or four digits at a fixed place; -1: something else stands there.
int Digits(std::string_view text, std::size_t begin, std::size_t count) {
  int number = 0;
  for (const char c : text.substr(begin, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

// The milliseconds of ".123456"; -1: it is no fraction.
int Fraction(std::string_view text) {
  constexpr std::size_t kDigitsMax = 6;
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() < 2 || text.size() > kDigitsMax + 1) return -1;
  text.remove_prefix(1);
  if (Digits(text, 0, text.size()) < 0) return -1;
  int milliseconds = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    milliseconds = milliseconds * 10 + (i < text.size() ? text[i] - '0' : 0);
  }
  return milliseconds;
}

}  // namespace

Result<std::optional<std::chrono::milliseconds>> ParseEventTime(std::string_view text) {
  constexpr std::size_t kDateTimeBytes = 19;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) {
    if (number < 0) return Fail(ExitCode::kUndecodable, "{} is before 1970", number);
    return std::chrono::milliseconds(number);
  }

  const bool has_shape = text.size() >= kDateTimeBytes && text[4] == '-' && text[7] == '-' &&
                         text[10] == ' ' && text[13] == ':' && text[16] == ':';
  if (!has_shape) return NoTime(text);
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  const int fraction = Fraction(text.substr(kDateTimeBytes));
  if (year == 0 && month == 0 && day == 0) return std::nullopt;
  const bool is_time = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                       second < 60 && fraction >= 0;
  if (!is_time || year < 0 || month < 1 || day < 1) return NoTime(text);

  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return NoTime(text);
  const milliseconds since_1970 = sys_days(date).time_since_epoch() + hours(hour) +
                                  minutes(minute) + seconds(second) + milliseconds(fraction);
  if (since_1970 < milliseconds(0)) {
    return Fail(ExitCode::kUndecodable, "'{}' is before 1970", text);
  }
  return since_1970;
}

}  // namespace outboxd
