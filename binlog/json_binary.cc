#include "binlog/json_binary.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/base64.h"
#include "binlog/decimal.h"
#include "binlog/number_text.h"
#include "binlog/temporal.h"

namespace outboxd::binlog {
namespace {

enum ValueType : std::uint8_t {
  kSmallObject = 0x00,
  kLargeObject = 0x01,
  kSmallArray = 0x02,
  kLargeArray = 0x03,
  kLiteral = 0x04,
  kInt16 = 0x05,
  kUint16 = 0x06,
  kInt32 = 0x07,
  kUint32 = 0x08,
  kInt64 = 0x09,
  kUint64 = 0x0A,
  kDouble = 0x0B,
  kString = 0x0C,
  kOpaque = 0x0F,
};

// The column types (include/field_types.h) of opaque values that have a text of their own.
enum OpaqueType : std::uint8_t {
  kOpaqueTimestamp = 7,
  kOpaqueDate = 10,
  kOpaqueTime = 11,
  kOpaqueDatetime = 12,
  kOpaqueDecimal = 246,
  kOpaqueVarString = 253,
};

// Room for any scalar but strings and opaque bytes, with separators and quotes.
constexpr std::size_t kScalarRoom = 128;
static_assert(kScalarRoom > kDecimalTextMax + 4 && kScalarRoom > kTemporalTextMax + 4 &&
              kScalarRoom > kFloatingTextMax + 4);

// What one character can grow to: \u001f.
constexpr std::size_t kEscapeMax = 6;

// Bytes of a number that is not inlined; 0: no number.
std::size_t NumberSize(std::uint8_t type) {
  switch (type) {
    case kInt32:
    case kUint32:
      return 4;
    case kInt64:
    case kUint64:
    case kDouble:
      return 8;
    default:
      return 0;
  }
}

// Strings are looked through and copied in blocks of this size.
#if defined(__SSE2__)
constexpr std::size_t kBlock = 16;

// Copies a block from `from` to `to`; returns the number of bytes before the first that JSON must
// escape, kBlock if there is none.
std::size_t CopyBlock(const std::uint8_t* from, char* to) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
  const __m128i quotes = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslashes = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  const int marks = _mm_movemask_epi8(_mm_or_si128(controls, _mm_or_si128(quotes, backslashes)));
  return static_cast<std::size_t>(
      std::countr_zero(static_cast<std::uint32_t>(marks) | 1U << kBlock));
}
#else
constexpr std::size_t kBlock = 8;

constexpr std::uint64_t Repeat(std::uint8_t byte) { return 0x0101010101010101ULL * byte; }

std::size_t CopyBlock(const std::uint8_t* from, char* to) {
  std::memcpy(to, from, kBlock);
  const std::uint64_t word = LoadLittle<kBlock>(from);
  const std::uint64_t quotes = word ^ Repeat('"');
  const std::uint64_t backslashes = word ^ Repeat('\\');
  // The lowest mark stands in the first byte that is meant; those above it mean nothing.
  const std::uint64_t marks = (((word - Repeat(0x20)) & ~word) | ((quotes - Repeat(1)) & ~quotes) |
                               ((backslashes - Repeat(1)) & ~backslashes)) &
                              Repeat(0x80);
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}
#endif

bool NeedsEscape(std::uint8_t byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

// MySQL 9.7 sql-common/json_dom.cc, escape_character().
char* WriteEscape(std::uint8_t byte, JsonStyle style, char* to) {
  *to++ = '\\';
  switch (byte) {
    case '\b':
      *to++ = 'b';
      return to;
    case '\t':
      *to++ = 't';
      return to;
    case '\n':
      *to++ = 'n';
      return to;
    case '\f':
      *to++ = 'f';
      return to;
    case '\r':
      *to++ = 'r';
      return to;
    case '"':
    case '\\':
      *to++ = static_cast<char>(byte);
      return to;
    default:
      break;
  }
  const char* const hex_digits =
      style == JsonStyle::kMysql ? "0123456789abcdef" : "0123456789ABCDEF";
  std::memcpy(to, "u00", 3);
  to[3] = hex_digits[byte >> 4];
  to[4] = hex_digits[byte & 0xF];
  return to + 5;
}

// Walks one document with an explicit stack. The first fault is kept and ends the walk; until the
// walk notices it, the functions may write nonsense, but never outside of their room.
//
// `to` is the end of the text so far; each function that writes returns the new one. (A member
// would be stored and loaded again with every byte.)
class Renderer {
 public:
  Renderer(Bytes document, TextArena& arena, JsonStyle style)
      : document_end_(document.data() + document.size()),
        style_(style),
        budget_(document.size()),
        arena_(arena) {}

  Result<std::string_view> Render(Bytes document) {
    char* to = arena_.Begin(document.size() + document.size() / 4 + kScalarRoom);
    limit_ = arena_.limit();
    if (document.empty()) {
      to = Append(style_ == JsonStyle::kMysql ? "null" : "{}", to);
    } else {
      to = Value(document[0], document.subspan(1), to);
    }
    while (depth_ > 0 && !failed_) {
      Container& innermost = stack_[depth_ - 1];
      to = innermost.is_large ? Continue<true>(innermost, to) : Continue<false>(innermost, to);
    }
    if (failed_) return std::unexpected(std::move(error_));
    return arena_.Finish(to);
  }

 private:
  // Sizes in the small and the large storage format.
  template <bool kLarge>
  struct Format {
    static constexpr std::size_t kOffset = kLarge ? 4 : 2;
    static constexpr std::size_t kKeyEntry = kOffset + 2;
    static constexpr std::size_t kValueEntry = kOffset + 1;

    static std::uint32_t Offset(const std::uint8_t* at) {
      return static_cast<std::uint32_t>(LoadLittle<kOffset>(at));
    }
  };

  // An object or array under way.
  struct Container {
    const std::uint8_t* bytes;  // From its element count on.
    std::uint32_t size;
    std::uint32_t count;   // Elements or members.
    std::uint32_t next;    // The first one not yet rendered.
    std::uint32_t header;  // Size of counts, key entries and value entries.
    bool is_object;
    bool is_large;

    [[nodiscard]] Bytes From(std::uint32_t offset) const { return {bytes + offset, bytes + size}; }
  };

  char* Malformed(const char* what, char* to) {
    return Malformed(Error{ErrorKind::kUndecodable, fmt::format("JSON document: {}", what)}, to);
  }
  char* Malformed(Error error, char* to) {
    if (!failed_) error_ = std::move(error);
    failed_ = true;
    return to;
  }

  char* Ensure(std::size_t room, char* to) {
    if (static_cast<std::size_t>(limit_ - to) >= room) return to;
    to = arena_.Ensure(to, room);
    limit_ = arena_.limit();
    return to;
  }

  char* Append(std::string_view text, char* to) {
    to = Ensure(text.size(), to);
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }

  // Parts of a document never overlap; one whose parts add up to more than it has would be a few
  // bytes that unfold to any amount of text.
  [[nodiscard]] bool Charge(std::uint64_t size) {
    if (size > budget_) return false;
    budget_ -= size;
    return true;
  }

  // Renders members of the innermost container until it ends or a deeper one begins.
  template <bool kLarge>
  char* Continue(Container& container, char* to) {
    using F = Format<kLarge>;
    const std::size_t keys_size = container.is_object ? container.count * F::kKeyEntry : 0;
    const std::uint8_t* const keys = container.bytes + 2 * F::kOffset;
    const std::uint8_t* const values = keys + keys_size;
    const std::size_t depth_before = depth_;
    while (container.next < container.count) {
      const std::size_t index = container.next++;
      to = Ensure(kScalarRoom, to);
      if (index > 0) *to++ = ',';
      if (container.is_object) to = Key<kLarge>(container, keys + index * F::kKeyEntry, to);
      to = Entry<kLarge>(container, values + index * F::kValueEntry, to);
      if (depth_ != depth_before || failed_) return to;
    }
    to = Ensure(1, to);
    *to++ = container.is_object ? '}' : ']';
    --depth_;
    return to;
  }

  template <bool kLarge>
  char* Key(const Container& container, const std::uint8_t* entry, char* to) {
    using F = Format<kLarge>;
    const std::uint32_t offset = F::Offset(entry);
    const auto size = static_cast<std::uint32_t>(LoadLittle<2>(entry + F::kOffset));
    if (offset < container.header || offset > container.size || size > container.size - offset) {
      return Malformed("a key lies outside of its object", to);
    }
    if (!Charge(size)) return Malformed("keys share bytes", to);
    to = Quoted(container.From(offset).first(size), to);
    to = Ensure(kScalarRoom, to);
    *to++ = ':';
    return to;
  }

  template <bool kLarge>
  char* Entry(const Container& container, const std::uint8_t* entry, char* to) {
    using F = Format<kLarge>;
    const std::uint8_t type = entry[0];
    const bool is_inlined = type == kLiteral || type == kInt16 || type == kUint16 ||
                            (kLarge && (type == kInt32 || type == kUint32));
    if (is_inlined) return Value(type, {entry + 1, F::kOffset}, to);
    const std::uint32_t offset = F::Offset(entry + 1);
    if (offset < container.header || offset > container.size) {
      return Malformed("a value lies outside of its object or array", to);
    }
    if (!Charge(NumberSize(type))) return Malformed("numbers share bytes", to);
    return Value(type, container.From(offset), to);
  }

  // `bytes`: from the value's start to the end of what holds it. There is room for kScalarRoom.
  char* Value(std::uint8_t type, Bytes bytes, char* to) {
    switch (type) {
      case kSmallObject:
        return Open<false>(bytes, /*is_object=*/true, to);
      case kLargeObject:
        return Open<true>(bytes, /*is_object=*/true, to);
      case kSmallArray:
        return Open<false>(bytes, /*is_object=*/false, to);
      case kLargeArray:
        return Open<true>(bytes, /*is_object=*/false, to);
      case kLiteral:
        return Literal(bytes, to);
      case kInt16:
        return Integer<2, std::int16_t>(bytes, to);
      case kUint16:
        return Integer<2, std::uint16_t>(bytes, to);
      case kInt32:
        return Integer<4, std::int32_t>(bytes, to);
      case kUint32:
        return Integer<4, std::uint32_t>(bytes, to);
      case kInt64:
        return Integer<8, std::int64_t>(bytes, to);
      case kUint64:
        return Integer<8, std::uint64_t>(bytes, to);
      case kDouble:
        return Double(bytes, to);
      case kString:
        return Quoted(Counted(bytes), to);
      case kOpaque:
        return Opaque(bytes, to);
      default:
        return Malformed("unknown value type", to);
    }
  }

  template <bool kLarge>
  char* Open(Bytes bytes, bool is_object, char* to) {
    using F = Format<kLarge>;
    if (depth_ == kJsonDepthMax) return Malformed("nested too deeply", to);
    if (bytes.size() < 2 * F::kOffset) return Malformed("an object or array is cut off", to);
    const std::uint32_t count = F::Offset(bytes.data());
    const std::uint32_t size = F::Offset(bytes.data() + F::kOffset);
    const std::uint64_t entry_size = F::kValueEntry + (is_object ? F::kKeyEntry : 0);
    const std::uint64_t header = 2 * F::kOffset + count * entry_size;
    if (size > bytes.size() || header > size) {
      return Malformed("an object or array is cut off", to);
    }
    if (!Charge(header)) return Malformed("objects or arrays share bytes", to);
    stack_[depth_++] = {.bytes = bytes.data(),
                        .size = size,
                        .count = count,
                        .next = 0,
                        .header = static_cast<std::uint32_t>(header),
                        .is_object = is_object,
                        .is_large = kLarge};
    *to++ = is_object ? '{' : '[';
    return to;
  }

  char* Literal(Bytes bytes, char* to) {
    if (bytes.empty()) return Malformed("a literal is cut off", to);
    switch (bytes[0]) {
      case 0:
        return Append("null", to);
      case 1:
        return Append("true", to);
      case 2:
        return Append("false", to);
      default:
        return Malformed("unknown literal", to);
    }
  }

  template <std::size_t kWidth, typename Number>
  char* Integer(Bytes bytes, char* to) {
    if (bytes.size() < kWidth) return Malformed("an integer is cut off", to);
    return WriteInteger(static_cast<Number>(LoadLittle<kWidth>(bytes.data())), to);
  }

  char* Double(Bytes bytes, char* to) {
    if (bytes.size() < 8) return Malformed("a number is cut off", to);
    const auto value = std::bit_cast<double>(LoadLittle<8>(bytes.data()));
    if (!std::isfinite(value)) return Malformed("infinity or no number", to);
    if (style_ == JsonStyle::kMysql) return WriteJsonDouble(value, to);
    return WritePlainJsonDouble(value, Ensure(kPlainDoubleTextMax + kScalarRoom, to));
  }

  // Reads a length of up to 32 bits, seven in each byte, and takes as many bytes from behind it.
  Bytes Counted(Bytes bytes) {
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 5 && i < bytes.size(); ++i) {
      size |= std::uint64_t{bytes[i] & 0x7FU} << (7 * i);
      if ((bytes[i] & 0x80) != 0) continue;
      const Bytes rest = bytes.subspan(i + 1);
      if (size <= rest.size() && Charge(size)) return rest.first(static_cast<std::size_t>(size));
      break;
    }
    Malformed("a string is cut off or shares bytes", nullptr);
    return {};
  }

  char* Quoted(Bytes text, char* to) {
    const std::uint8_t* from = text.data();
    std::size_t left = text.size();
    to = Ensure(left + kBlock + 2, to);
    *to++ = '"';
    while (left > 0) {
      // Whole blocks are copied, also at the end, where what stands behind the text is written
      // over.
      if (static_cast<std::size_t>(document_end_ - from) >= kBlock) {
        const std::size_t before_mark = CopyBlock(from, to);
        const std::size_t clean = std::min(left, before_mark);
        from += clean;
        to += clean;
        left -= clean;
        if (left == 0 || before_mark == kBlock) continue;
      }
      const std::uint8_t byte = *from++;
      --left;
      if (NeedsEscape(byte)) {
        to = Ensure(kEscapeMax + left + kBlock + 1, to);
        to = WriteEscape(byte, style_, to);
      } else {
        *to++ = static_cast<char>(byte);
      }
    }
    *to++ = '"';
    return to;
  }

  char* Opaque(Bytes bytes, char* to) {
    if (bytes.empty()) return Malformed("an opaque value is cut off", to);
    const std::uint8_t type = bytes[0];
    const Bytes value = Counted(bytes.subspan(1));
    if (failed_) return to;
    switch (type) {
      case kOpaqueVarString:
        return style_ == JsonStyle::kMysql ? Quoted(value, to) : OpaqueBase64(type, value, to);
      case kOpaqueDecimal:
        return Decimal(value, to);
      case kOpaqueDate:
        return Temporal(value, &WritePackedDate, to);
      case kOpaqueTime:
        return Temporal(value, &WritePackedTime, to);
      case kOpaqueDatetime:
      case kOpaqueTimestamp:
        return Temporal(value, &WritePackedDatetime, to);
      default:
        return OpaqueBase64(type, value, to);
    }
  }

  char* Decimal(Bytes value, char* to) {
    if (value.size() < 2) return Malformed("a decimal is cut off", to);
    return EndOf(WriteDecimal(value.subspan(2), {value[0], value[1]}, to), to);
  }

  char* Temporal(Bytes value, Result<char*> (*write)(std::uint64_t, char*), char* to) {
    if (value.size() != 8) return Malformed("a date or time is cut off", to);
    *to++ = '"';
    to = EndOf(write(LoadLittle<8>(value.data()), to), to);
    if (style_ == JsonStyle::kDebezium) to = WithoutZeros(to);
    *to++ = '"';
    return to;
  }

  // `end` is that of a date or a time with six fraction digits, behind a quote.
  static char* WithoutZeros(char* end) {
    char* const fraction = end - kFractionDigitsMax;
    if (fraction[-1] != '.') return end;
    while (end > fraction && end[-1] == '0') --end;
    return end == fraction ? end - 1 : end;
  }

  char* EndOf(const Result<char*>& end, char* to) {
    if (!end) return Malformed(Fail(end.error(), "JSON document").error(), to);
    return *end;
  }

  // "base64:type15:..." with MySQL's line breaks, escaped, after every 76 characters; Debezium
  // writes neither the type nor line breaks.
  char* OpaqueBase64(std::uint8_t type, Bytes value, char* to) {
    constexpr std::size_t kLineBytes = 76 / 4 * 3;
    const bool is_mysql = style_ == JsonStyle::kMysql;
    to = Append(is_mysql ? "\"base64:type" : "\"", to);
    to = Ensure(kIntegerTextMax + value.size() / 3 * 4 + value.size() / kLineBytes * 2 + 8, to);
    if (is_mysql) {
      to = WriteInteger(type, to);
      *to++ = ':';
    }
    const std::string_view bytes = AsText(value);
    const std::size_t line_bytes = is_mysql ? kLineBytes : std::max<std::size_t>(bytes.size(), 1);
    for (std::size_t at = 0; at < bytes.size(); at += line_bytes) {
      if (at > 0) {
        *to++ = '\\';
        *to++ = 'n';
      }
      to = WriteBase64(bytes.substr(at, line_bytes), to);
    }
    *to++ = '"';
    return to;
  }

  const std::uint8_t* document_end_;
  const JsonStyle style_;
  std::uint64_t budget_;
  TextArena& arena_;
  const char* limit_ = nullptr;  // The end of the room for the text.
  bool failed_ = false;
  Error error_{};  // If failed_.
  std::size_t depth_ = 0;
  std::array<Container, kJsonDepthMax> stack_;  // `depth_` of them are in use.
};

}  // namespace

Result<std::string_view> RenderJson(Bytes document, TextArena& arena, JsonStyle style) {
  return Renderer(document, arena, style).Render(document);
}

}  // namespace outboxd::binlog
