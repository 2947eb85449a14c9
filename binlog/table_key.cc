#include "binlog/table_key.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "binlog/type_text.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

// Collations whose WEIGHT_STRING() differs from what the server compares by, measured with MySQL
// 9.7: it lowers or merges second bytes of characters, or has levels whose padding is no suffix.
constexpr auto kWithoutWeights = std::to_array<std::string_view>({
    "big5_chinese_ci",
    "cp1250_czech_cs",
    "euckr_korean_ci",
    "gb18030_chinese_ci",
    "latin2_czech_cs",
    "tis620_thai_ci",
});

// Character sets in which some characters are not the same any more after utf8mb4 and back, so that
// another key would be looked for than was read.
constexpr auto kNotReversible =
    std::to_array<std::string_view>({"big5", "cp932", "eucjpms", "sjis", "tis620", "ujis"});

template <std::size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsOrderedAsBytes(std::string_view collation) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"utf8mb4_bin", "utf8mb4_0900_bin", "utf8mb3_bin", "utf8_bin", "ascii_bin"});
  return Contains(kNames, collation);
}

// NO PAD by information_schema.collations are those of the UCA 9.0.0 and their _bin, nothing else.
bool Pads(std::string_view collation) { return collation.find("_0900_") == std::string_view::npos; }

void AppendBig(std::uint64_t number, KeyPlace& place) {
  for (int shift = 56; shift >= 0; shift -= 8) place += static_cast<char>(number >> shift & 0xFF);
}

// A zero byte is followed by 255, two of them end the text.
void AppendEscaped(std::string_view bytes, KeyPlace& place) {
  for (const char c : bytes) {
    place += c;
    if (c == '\0') place += '\xFF';
  }
  place.append(2, '\0');
}

// Text that counts as followed by blanks without end. In front of each unit stands whether what is
// left is less or more than these; at the end it is the same. `pad` is one blank.
void AppendPadded(std::string_view bytes, std::string_view pad, KeyPlace& place) {
  constexpr char kLess = 1;
  constexpr char kEnd = 2;
  constexpr char kMore = 3;
  const std::size_t unit = std::max<std::size_t>(pad.size(), 1);
  while (!pad.empty() && bytes.ends_with(pad)) bytes.remove_suffix(unit);
  // Of each unit: the order of what is left and blanks, told from the end.
  std::string orders((bytes.size() + unit - 1) / unit, kMore);
  char order = kMore;
  for (std::size_t i = orders.size(); i-- > 0;) {
    const std::string_view part = bytes.substr(i * unit, unit);
    const int compared = part.compare(pad.substr(0, part.size()));
    if (compared != 0) order = compared < 0 ? kLess : kMore;
    orders[i] = order;
  }
  for (std::size_t i = 0; i < orders.size(); ++i) {
    place += orders[i];
    place += bytes.substr(i * unit, unit);
  }
  place += kEnd;
}

bool TakeSign(std::string_view& text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  return is_negative;
}

template <typename Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

bool AppendSigned(std::string_view text, KeyPlace& place) {
  const auto number = NumberOf<std::int64_t>(text);
  if (number) AppendBig(static_cast<std::uint64_t>(*number) ^ kSignBit, place);
  return number.has_value();
}

bool AppendUnsigned(std::string_view text, KeyPlace& place) {
  const auto number = NumberOf<std::uint64_t>(text);
  if (number) AppendBig(*number, place);
  return number.has_value();
}

bool AppendDouble(std::string_view text, bool is_float, KeyPlace& place) {
  auto number = NumberOf<double>(text);
  if (!number) return false;
  if (is_float) number = static_cast<double>(static_cast<float>(*number));
  if (*number == 0) number = 0;  // Without a sign.
  const auto bits = std::bit_cast<std::uint64_t>(*number);
  AppendBig((bits & kSignBit) != 0 ? ~bits : bits | kSignBit, place);
  return true;
}

bool AreDigits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool AppendDecimal(std::string_view text, std::size_t width, std::size_t scale, KeyPlace& place) {
  bool is_negative = TakeSign(text);
  std::string_view whole = text.substr(0, text.find('.'));
  const std::string_view fraction =
      whole.size() == text.size() ? std::string_view() : text.substr(whole.size() + 1);
  if (text.empty() || !AreDigits(whole) || !AreDigits(fraction)) return false;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.size() > width || fraction.size() > scale) return false;
  std::string digits(width - whole.size(), '0');
  digits += whole;
  digits += fraction;
  digits.append(scale - fraction.size(), '0');
  is_negative = is_negative && digits.find_first_not_of('0') != std::string::npos;
  place += is_negative ? '\0' : '\1';
  for (const char c : digits) place += is_negative ? static_cast<char>('0' + '9' - c) : c;
  return true;
}

// "-838:59:59.000000", in microseconds.
bool AppendTime(std::string_view text, KeyPlace& place) {
  constexpr std::size_t kFractionDigits = 6;
  const bool is_negative = TakeSign(text);
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos || text.size() < first + 6 || text[first + 3] != ':') {
    return false;
  }
  const auto hours = NumberOf<std::uint32_t>(text.substr(0, first));
  const auto minutes = NumberOf<std::uint32_t>(text.substr(first + 1, 2));
  const auto seconds = NumberOf<std::uint32_t>(text.substr(first + 4, 2));
  std::string fraction(text.substr(first + 6));
  if (fraction.empty()) fraction = ".0";
  if (fraction.front() != '.' || fraction.size() > kFractionDigits + 1) return false;
  fraction.resize(kFractionDigits + 1, '0');
  const auto micros = NumberOf<std::uint32_t>(std::string_view(fraction).substr(1));
  if (!hours || !minutes || !seconds || !micros) return false;
  const auto size = static_cast<std::int64_t>(
      ((std::uint64_t{*hours} * 60 + *minutes) * 60 + *seconds) * 1'000'000 + *micros);
  AppendBig(static_cast<std::uint64_t>(is_negative ? -size : size) ^ kSignBit, place);
  return true;
}

bool AppendBits(std::string_view bytes, KeyPlace& place) {
  if (bytes.size() > sizeof(std::uint64_t)) return false;
  place.append(sizeof(std::uint64_t) - bytes.size(), '\0');
  place += bytes;
  return true;
}

bool IsUsable(std::span<const IndexColumn> index) {
  return std::ranges::all_of(index, [](const IndexColumn& part) {
    return part.is_unique && part.is_tree && part.is_visible && !part.has_prefix &&
           !part.is_nullable && !part.column.name.empty() && KeyColumnOrder(part.column).is_known();
  });
}

// Whether `a` is to be preferred to `b`.
bool IsBetter(std::span<const IndexColumn> a, std::span<const IndexColumn> b) {
  constexpr std::string_view kPrimary = "PRIMARY";
  if (b.empty() || b.front().index == kPrimary) return b.empty();
  return a.front().index == kPrimary || a.size() < b.size();
}

}  // namespace

TableKey ChooseKey(std::span<const IndexColumn> all) {
  std::span<const IndexColumn> best;
  while (!all.empty()) {
    const auto end = std::ranges::find_if(
        all, [&](const IndexColumn& part) { return part.index != all.front().index; });
    const auto index = all.first(static_cast<std::size_t>(end - all.begin()));
    if (IsUsable(index) && IsBetter(index, best)) best = index;
    all = all.subspan(index.size());
  }
  TableKey key;
  if (!best.empty()) key.index = best.front().index;
  for (const IndexColumn& part : best) key.columns.push_back(part.column);
  return key;
}

std::string_view CharacterSetOf(std::string_view collation) {
  return collation.substr(0, collation.find('_'));
}

KeyColumnOrder::KeyColumnOrder(const KeyColumn& column)
    : form_(FormOf(column)),
      is_descending_(column.is_descending),
      is_char_(TypeNameOf(column.type) == "char"),
      is_ascii_bytewise_(column.collation == "latin1_bin") {
  const std::string_view arguments = TypeArgumentsOf(column.type);
  width_ = FirstNumberOf(arguments);
  if (form_ != Form::kDecimal) return;
  const std::size_t comma = arguments.find(',');
  if (comma != std::string_view::npos) scale_ = FirstNumberOf(arguments.substr(comma + 1));
  scale_ = std::min(scale_, width_);
  width_ -= scale_;
}

KeyColumnOrder::Form KeyColumnOrder::FormOf(const KeyColumn& column) {
  const std::string_view type = TypeNameOf(column.type);
  const std::string_view collation = column.collation;
  if (type == "enum" || type == "set") return Form::kUnsigned;  // Ordered by their numbers.
  if (!collation.empty()) {
    if (!type.ends_with("char") && !type.ends_with("text")) return Form::kUnknown;
    if (Contains(kWithoutWeights, collation) ||
        Contains(kNotReversible, CharacterSetOf(collation))) {
      return Form::kUnknown;
    }
    if (IsOrderedAsBytes(collation)) return Pads(collation) ? Form::kPaddedBytes : Form::kBytes;
    return Pads(collation) ? Form::kPaddedWeights : Form::kWeights;
  }
  if (type.ends_with("int") && type != "point") {
    return IsUnsignedType(column.type) ? Form::kUnsigned : Form::kSigned;
  }
  if (type == "year") return Form::kUnsigned;
  if (type == "decimal") return Form::kDecimal;
  if (type == "float") return Form::kFloat;
  if (type == "double") return Form::kDouble;
  if (type == "bit") return Form::kBits;
  if (type == "time") return Form::kTime;
  if (type == "binary") return Form::kFixedBytes;
  if (type == "date" || type == "datetime" || type == "timestamp") return Form::kBytes;
  if (type == "varbinary" || type.ends_with("blob")) return Form::kBytes;
  return Form::kUnknown;
}

bool KeyColumnOrder::TakesWeights(std::string_view value) const {
  if (!takes_weights() || !is_ascii_bytewise_) return takes_weights();
  return std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 128; });
}

std::string_view KeyColumnOrder::Trim(std::string_view value) const {
  while (is_char_ && value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

Result<void> KeyColumnOrder::Append(std::string_view value, KeyPlace& place) const {
  const std::size_t begin = place.size();
  if (auto appended = AppendUpwards(value, place); !appended) return appended;
  if (is_descending_) {
    for (char& c : std::span(place).subspan(begin)) c = static_cast<char>(~c);
  }
  return {};
}

Result<void> KeyColumnOrder::AppendUpwards(std::string_view value, KeyPlace& place) const {
  bool is_valid = true;
  switch (form_) {
    case Form::kSigned:
      is_valid = AppendSigned(value, place);
      break;
    case Form::kUnsigned:
      is_valid = AppendUnsigned(value, place);
      break;
    case Form::kDecimal:
      is_valid = AppendDecimal(value, width_, scale_, place);
      break;
    case Form::kFloat:
    case Form::kDouble:
      is_valid = AppendDouble(value, form_ == Form::kFloat, place);
      break;
    case Form::kBits:
      is_valid = AppendBits(value, place);
      break;
    case Form::kTime:
      is_valid = AppendTime(value, place);
      break;
    case Form::kFixedBytes:
      is_valid = value.size() <= width_;
      if (is_valid) place.append(value).append(width_ - value.size(), '\0');
      break;
    case Form::kBytes:
      AppendEscaped(Trim(value), place);
      break;
    case Form::kPaddedBytes:
    case Form::kPaddedWeights:
      AppendPadded(value, " ", place);
      break;
    case Form::kUnknown:
    case Form::kWeights:
      is_valid = false;
      break;
  }
  if (is_valid) return {};
  return Fail(ErrorKind::kUndecodable, "'{}' is not the value of a key", value);
}

void KeyColumnOrder::AppendWeights(std::string_view weights, std::string_view space,
                                   KeyPlace& place) const {
  const std::size_t begin = place.size();
  if (form_ == Form::kPaddedWeights) {
    AppendPadded(weights, space, place);
  } else {
    AppendEscaped(weights, place);
  }
  if (!is_descending_) return;
  for (char& c : std::span(place).subspan(begin)) c = static_cast<char>(~c);
}

}  // namespace outboxd::binlog
