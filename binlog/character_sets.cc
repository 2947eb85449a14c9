#include "binlog/character_sets.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace outboxd::binlog {
namespace {

struct CollationRange {
  std::uint16_t first, last;
  const char* character_set;
};

// information_schema.collations of MySQL 9.7.4.
constexpr CollationRange kCollations[] = {
#include "binlog/collation_ranges.inc"
};

enum class Shape : std::uint8_t {
  kUtf8,        // Nothing to do.
  kSingleByte,  // By a table of the upper half.
  kTwoByte,     // A byte from 0x80 on begins two.
  kShiftJis,    // The same, but 0xA1 to 0xDF stand alone.
  kEucJapan,    // The same, but 0x8F begins three.
  kGb18030,     // Four bytes if the second is a digit, else two.
  kUcs2,
  kUtf16,
  kUtf16Little,
  kUtf32,
};

// Characters `code` to `code + count - 1`, their bytes read as one big-endian number, are
// `code_point` and the following; 0: nothing. Where MySQL's tables differ from iconv's.
struct Correction {
  std::uint32_t code, count, code_point;
};

struct UpperHalf {
  const char* character_set;
  std::array<std::uint16_t, 128> code_points;
};

constexpr UpperHalf kUpperHalves[] = {
#include "binlog/single_byte_tables.inc"
};

// All in order of code. Found by comparing every character with MySQL 9.7.4's conversion to utf32
// (tests/binlog/fixtures/character_sets.py).
constexpr Correction kSwe7[] = {{0x40, 1, 0xC9}, {0x5B, 1, 0xC4}, {0x5C, 1, 0xD6}, {0x5D, 1, 0xC5},
                                {0x5E, 1, 0xDC}, {0x60, 1, 0xE9}, {0x7B, 1, 0xE4}, {0x7C, 1, 0xF6},
                                {0x7D, 1, 0xE5}, {0x7E, 1, 0xFC}, {0x7F, 1, 0}};
constexpr Correction kSjis[] = {{0x815F, 1, 0x5C}};
constexpr Correction kUjis[] = {
    {0xA1C0, 1, 0x5C},      {0xF5A1, 94, 0xE000},   {0xF6A1, 94, 0xE05E},   {0xF7A1, 94, 0xE0BC},
    {0xF8A1, 94, 0xE11A},   {0xF9A1, 94, 0xE178},   {0xFAA1, 94, 0xE1D6},   {0xFBA1, 94, 0xE234},
    {0xFCA1, 94, 0xE292},   {0xFDA1, 94, 0xE2F0},   {0xFEA1, 94, 0xE34E},   {0x8FA2B7, 1, 0x7E},
    {0x8FF5A1, 94, 0xE3AC}, {0x8FF6A1, 94, 0xE40A}, {0x8FF7A1, 94, 0xE468}, {0x8FF8A1, 94, 0xE4C6},
    {0x8FF9A1, 94, 0xE524}, {0x8FFAA1, 94, 0xE582}, {0x8FFBA1, 94, 0xE5E0}, {0x8FFCA1, 94, 0xE63E},
    {0x8FFDA1, 94, 0xE69C}, {0x8FFEA1, 94, 0xE6FA}};
constexpr Correction kBig5[] = {
    {0xA145, 1, 0x2022},  {0xA14E, 1, 0xFF64}, {0xA15A, 1, 0},       {0xA1C2, 1, 0x203E},
    {0xA1C3, 1, 0},       {0xA1C5, 1, 0},      {0xA1E3, 1, 0x223C},  {0xA1F2, 1, 0x2641},
    {0xA1F3, 1, 0x2609},  {0xA1FE, 1, 0},      {0xA240, 1, 0},       {0xA241, 1, 0xFF0F},
    {0xA242, 1, 0xFF3C},  {0xA244, 1, 0xA5},   {0xA246, 2, 0xA2},    {0xA2CC, 1, 0},
    {0xA2CE, 1, 0},       {0xC6A1, 1, 0x30FE}, {0xC6A2, 2, 0x309D},  {0xC6A4, 1, 0x3005},
    {0xC6A5, 83, 0x3041}, {0xC6F8, 7, 0x30A1}, {0xC740, 63, 0x30A8}, {0xC7A1, 16, 0x30E7},
    {0xC7B1, 2, 0x414},   {0xC7B3, 1, 0x401},  {0xC7B4, 7, 0x416},   {0xC7BB, 19, 0x423},
    {0xC7CE, 1, 0x451},   {0xC7CF, 26, 0x436}, {0xC7E9, 10, 0x2460}, {0xC7F3, 10, 0x2474}};
constexpr Correction kGb18030[] = {
    {0xA6D9, 7, 0xE78D},     {0xA6EC, 2, 0xE794},     {0xA6F3, 1, 0xE796},
    {0xFE51, 3, 0xE816},     {0xFE59, 1, 0xE81E},     {0xFE61, 1, 0xE826},
    {0xFE66, 2, 0xE82B},     {0xFE6C, 2, 0xE831},     {0xFE76, 1, 0xE83B},
    {0xFE7E, 1, 0xE843},     {0xFE90, 2, 0xE854},     {0xFEA0, 1, 0xE864},
    {0x82359037, 3, 0x9FB4}, {0x82359130, 5, 0x9FB7}, {0x84318236, 4, 0xFE10},
    {0x84318330, 6, 0xFE14}};

constexpr std::uint32_t kCodePointMax = 0x10FFFF;

bool IsSurrogate(std::uint32_t code_point) { return (code_point & 0xFFFFF800) == 0xD800; }

std::size_t CountAscii(Bytes text) {
  constexpr std::size_t kWord = 8;
  std::size_t at = 0;
  while (at + kWord <= text.size() && (LoadLittle<kWord>(&text[at]) & 0x8080808080808080ULL) == 0) {
    at += kWord;
  }
  while (at < text.size() && text[at] < 0x80) ++at;
  return at;
}

// A code point and the bytes it took; none: the text is cut off or no such text.
struct Scanned {
  std::uint32_t code_point;
  std::size_t size;
};
constexpr Scanned kNothing{0, 0};

Scanned ScanUtf16(Bytes text, bool is_little) {
  const auto unit = [&](std::size_t at) {
    return static_cast<std::uint32_t>(is_little ? LoadLittle<2>(&text[at]) : LoadBig<2>(&text[at]));
  };
  if (text.size() < 2) return kNothing;
  const std::uint32_t first = unit(0);
  if (!IsSurrogate(first)) return {first, 2};
  if (first >= 0xDC00 || text.size() < 4) return kNothing;
  const std::uint32_t second = unit(2);
  if (second < 0xDC00 || !IsSurrogate(second)) return kNothing;
  return {0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 4};
}

Scanned ScanUcs2(Bytes text) {
  if (text.size() < 2) return kNothing;
  const auto code_point = static_cast<std::uint32_t>(LoadBig<2>(text.data()));
  return IsSurrogate(code_point) ? kNothing : Scanned{code_point, 2};
}

Scanned ScanUtf32(Bytes text) {
  if (text.size() < 4) return kNothing;
  const auto code_point = static_cast<std::uint32_t>(LoadBig<4>(text.data()));
  return IsSurrogate(code_point) || code_point > kCodePointMax ? kNothing : Scanned{code_point, 4};
}

}  // namespace

struct TextConverter::Rules {
  const char* character_set;
  Shape shape;
  const char* iconv_name = nullptr;
  std::span<const Correction> corrections = {};
  const UpperHalf* upper_half = nullptr;

  // Whether bytes below 0x80 that do not follow a higher one are ASCII.
  [[nodiscard]] bool holds_ascii() const {
    const bool is_national_ascii = shape == Shape::kSingleByte && !corrections.empty();
    return shape < Shape::kUcs2 && !is_national_ascii;
  }

  // Bytes of the character that begins `text`; 0: no such character.
  [[nodiscard]] std::size_t CharacterSize(Bytes text) const {
    const std::uint8_t first = text[0];
    std::size_t size = 2;
    if (first < 0x80 || shape == Shape::kSingleByte) {
      size = 1;
    } else if (shape == Shape::kShiftJis && first >= 0xA1 && first <= 0xDF) {
      size = 1;
    } else if (shape == Shape::kEucJapan && first == 0x8F) {
      size = 3;
    } else if (shape == Shape::kGb18030 && text.size() > 1 && text[1] >= '0' && text[1] <= '9') {
      size = 4;
    }
    return size <= text.size() ? size : 0;
  }

  [[nodiscard]] const Correction* Find(std::uint32_t code) const {
    const auto after = std::ranges::upper_bound(corrections, code, {}, &Correction::code);
    if (after == corrections.begin()) return nullptr;
    const Correction& candidate = *(after - 1);
    return code - candidate.code < candidate.count ? &candidate : nullptr;
  }

  static const Rules* Of(std::string_view character_set);
};

const TextConverter::Rules* TextConverter::Rules::Of(std::string_view character_set) {
  static const auto kRules = [] {
    std::vector<Rules> rules = {
        {"utf8mb4", Shape::kUtf8},
        {"utf8mb3", Shape::kUtf8},
        {"utf8", Shape::kUtf8},  // The name of utf8mb3 before MySQL 8.0.
        {"ascii", Shape::kUtf8},
        {"binary", Shape::kUtf8},
        {"big5", Shape::kTwoByte, "BIG5", kBig5},
        {"cp932", Shape::kShiftJis, "CP932"},
        {"eucjpms", Shape::kEucJapan, "EUC-JP-MS"},
        {"euckr", Shape::kTwoByte, "CP949"},
        {"gb18030", Shape::kGb18030, "GB18030", kGb18030},
        {"gb2312", Shape::kTwoByte, "GB2312"},
        {"gbk", Shape::kTwoByte, "GBK"},
        {"sjis", Shape::kShiftJis, "SJIS", kSjis},
        {"ujis", Shape::kEucJapan, "EUC-JP", kUjis},
        {"ucs2", Shape::kUcs2},
        {"utf16", Shape::kUtf16},
        {"utf16le", Shape::kUtf16Little},
        {"utf32", Shape::kUtf32},
    };
    for (const UpperHalf& half : kUpperHalves) {
      Rules single{half.character_set, Shape::kSingleByte, nullptr, {}, &half};
      if (std::string_view(half.character_set) == "swe7") single.corrections = kSwe7;
      rules.push_back(single);
    }
    return rules;
  }();
  const auto found = std::ranges::find(kRules, character_set, &Rules::character_set);
  return found == kRules.end() ? nullptr : &*found;
}

std::uint32_t CollationOf(std::string_view character_set) {
  if (character_set == "utf8") character_set = "utf8mb3";
  const auto* const found = std::ranges::find_if(kCollations, [&](const CollationRange& range) {
    return range.character_set == character_set;
  });
  return found == std::end(kCollations) ? 0 : found->first;
}

CharacterSets::CharacterSets() {
  for (const CollationRange& range : kCollations) {
    for (std::uint32_t id = range.first; id <= range.last; ++id) names_[id] = range.character_set;
  }
}

void CharacterSets::Add(std::uint32_t collation, std::string name) {
  names_[collation] = std::move(name);
}

std::string_view CharacterSets::NameOf(std::uint32_t collation) const {
  const auto found = names_.find(collation);
  return found == names_.end() ? std::string_view{} : std::string_view(found->second);
}

Result<TextConverter> TextConverter::Open(std::string_view character_set) {
  const Rules* rules = Rules::Of(character_set);
  if (rules == nullptr) {
    return Fail(ErrorKind::kUndecodable, "character set {} is not decoded", character_set)
        .Hint("give the column a character set such as utf8mb4");
  }
  TextConverter converter(*rules);
  if (rules->iconv_name == nullptr) return converter;
  const iconv_t handle = iconv_open("UTF-8", rules->iconv_name);
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    return Fail(ErrorKind::kUndecodable, "iconv on this machine cannot convert {} (MySQL's {})",
                rules->iconv_name, character_set)
        .Hint("install the C library's character set modules");
  }
  converter.iconv_.reset(handle);
  return converter;
}

TextConverter::TextConverter(TextConverter&&) noexcept = default;
TextConverter& TextConverter::operator=(TextConverter&&) noexcept = default;
TextConverter::~TextConverter() = default;

void TextConverter::IconvCloser::operator()(void* handle) const { iconv_close(handle); }

bool TextConverter::passes_through() const { return rules_->shape == Shape::kUtf8; }

Result<std::string_view> TextConverter::Convert(Bytes text, TextArena& arena) {
  if (passes_through()) return AsText(text);
  const bool holds_ascii = rules_->holds_ascii();
  std::size_t at = holds_ascii ? CountAscii(text) : 0;
  if (at == text.size()) return AsText(text);
  // No character grows to more than three times its bytes.
  char* to = arena.Begin(3 * text.size() + kUtf8Max);
  if (at > 0) std::memcpy(to, text.data(), at);
  to += at;
  while (at < text.size()) {
    if (holds_ascii && text[at] < 0x80) {
      *to++ = static_cast<char>(text[at++]);
      continue;
    }
    const auto character = ConvertCharacter(text, at, to);
    if (!character) return std::unexpected(character.error());
    to = character->end;
    at += character->size;
  }
  return arena.Finish(to);
}

Result<TextConverter::Converted> TextConverter::ConvertCharacter(Bytes text, std::size_t at,
                                                                 char* to) {
  const Bytes rest = text.subspan(at);
  if (rules_->shape >= Shape::kUcs2) {
    const Scanned scanned = rules_->shape == Shape::kUcs2 ? ScanUcs2(rest)
                            : rules_->shape == Shape::kUtf32
                                ? ScanUtf32(rest)
                                : ScanUtf16(rest, rules_->shape == Shape::kUtf16Little);
    if (scanned.size == 0) return Unmapped(text, at);
    return Converted{scanned.size, WriteUtf8(scanned.code_point, to)};
  }
  const std::size_t size = rules_->CharacterSize(rest);
  if (size == 0) return Unmapped(text, at);
  const Bytes character = rest.first(size);
  const auto code = static_cast<std::uint32_t>(LoadBig(character));
  if (const Correction* correction = rules_->Find(code)) {
    if (correction->code_point == 0) return Unmapped(text, at);
    return Converted{size, WriteUtf8(correction->code_point + (code - correction->code), to)};
  }
  if (rules_->shape != Shape::kSingleByte) {
    char* const end = ByIconv(character, to);
    if (end == nullptr) return Unmapped(text, at);
    return Converted{size, end};
  }
  const std::uint32_t code_point =
      code < 0x80 ? code : rules_->upper_half->code_points[code - 0x80];
  if (code_point == 0 && code != 0) return Unmapped(text, at);
  return Converted{size, WriteUtf8(code_point, to)};
}

char* TextConverter::ByIconv(Bytes character, char* to) {
  // iconv does not write to its input, though its type says so.
  char* from = const_cast<char*>(reinterpret_cast<const char*>(character.data()));
  std::size_t from_left = character.size();
  std::size_t to_left = kUtf8Max;
  iconv(iconv_.get(), nullptr, nullptr, nullptr, nullptr);
  const std::size_t result = iconv(iconv_.get(), &from, &from_left, &to, &to_left);
  return result == static_cast<std::size_t>(-1) || from_left != 0 ? nullptr : to;
}

std::unexpected<Error> TextConverter::Unmapped(Bytes text, std::size_t at) const {
  return Fail(ErrorKind::kUndecodable, "byte {:#04x} at {} of {} bytes is no character of {}",
              text[at], at, text.size(), rules_->character_set);
}

}  // namespace outboxd::binlog
