#include "binlog/json_binary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

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

constexpr std::size_t kWord = 8;
// What one character can grow to: \u001f.
constexpr std::size_t kEscapeMax = 6;

constexpr std::uint64_t Repeat(std::uint8_t byte) { return 0x0101010101010101ULL * byte; }

// The lowest set bit stands in the first byte of the word that JSON must escape; bits above that
// one mean nothing.
std::uint64_t EscapeMarks(std::uint64_t word) {
  const std::uint64_t quote = word ^ Repeat('"');
  const std::uint64_t backslash = word ^ Repeat('\\');
  return (((word - Repeat(0x20)) & ~word) | ((quote - Repeat(1)) & ~quote) |
          ((backslash - Repeat(1)) & ~backslash)) &
         Repeat(0x80);
}

bool NeedsEscape(std::uint8_t byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

// MySQL 9.7 sql-common/json_dom.cc, escape_character().
char* WriteEscape(std::uint8_t byte, char* to) {
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
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::memcpy(to, "u00", 3);
  to[3] = kHexDigits[byte >> 4];
  to[4] = kHexDigits[byte & 0xF];
  return to + 5;
}

std::unexpected<Error> Malformed(const char* what) {
  return Fail(ErrorKind::kUndecodable, "JSON document: {}", what);
}

// Walks one document with an explicit stack.
class Renderer {
 public:
  Renderer(Bytes document, TextArena& arena)
      : document_end_(document.data() + document.size()),
        budget_(document.size()),
        arena_(arena),
        to_(arena.Begin(document.size() + document.size() / 4 + kScalarRoom)) {}

  Result<std::string_view> Render(Bytes document) {
    if (document.empty()) {
      Append("null");
      return arena_.Finish(to_);
    }
    if (auto done = Value(document[0], document.subspan(1)); !done) {
      return std::unexpected(done.error());
    }
    while (depth_ > 0) {
      if (auto done = Continue(); !done) return std::unexpected(done.error());
    }
    return arena_.Finish(to_);
  }

 private:
  // An object or array under way. In the small format offsets and sizes have two bytes, in the
  // large one four.
  struct Container {
    Bytes bytes;           // From its element count on.
    std::uint32_t count;   // Elements or members.
    std::uint32_t next;    // The first one not yet rendered.
    std::uint32_t header;  // Size of counts, key entries and value entries.
    bool is_object;
    bool is_large;

    [[nodiscard]] std::size_t offset_size() const { return is_large ? 4 : 2; }
    [[nodiscard]] std::size_t key_entry_size() const { return 2 + offset_size(); }
    [[nodiscard]] std::size_t value_entry_size() const { return 1 + offset_size(); }
    [[nodiscard]] std::uint32_t Offset(std::size_t at) const {
      return static_cast<std::uint32_t>(is_large ? LoadLittle<4>(&bytes[at])
                                                 : LoadLittle<2>(&bytes[at]));
    }
  };

  void Append(std::string_view text) {
    to_ = arena_.Ensure(to_, text.size());
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

  // Parts of a document never overlap; one whose parts add up to more than it has would be a few
  // bytes that unfold to any amount of text.
  [[nodiscard]] bool Charge(std::uint64_t size) {
    if (size > budget_) return false;
    budget_ -= size;
    return true;
  }

  // Renders members of the innermost container until it ends or a deeper one begins.
  Result<void> Continue() {
    Container& container = stack_[depth_ - 1];
    const std::size_t values_at =
        2 * container.offset_size() +
        (container.is_object ? container.count * container.key_entry_size() : 0);
    const std::size_t depth_before = depth_;
    while (container.next < container.count) {
      const std::uint32_t index = container.next++;
      to_ = arena_.Ensure(to_, kScalarRoom);
      if (index > 0) *to_++ = ',';
      if (container.is_object) {
        if (auto done = Key(container, index); !done) return done;
      }
      const std::size_t entry_at = values_at + index * container.value_entry_size();
      if (auto done = Entry(container, entry_at); !done) return done;
      if (depth_ != depth_before) return {};
    }
    to_ = arena_.Ensure(to_, 1);
    *to_++ = container.is_object ? '}' : ']';
    --depth_;
    return {};
  }

  Result<void> Key(const Container& container, std::uint32_t index) {
    const std::size_t entry_at = 2 * container.offset_size() + index * container.key_entry_size();
    const std::uint32_t offset = container.Offset(entry_at);
    const auto size = static_cast<std::uint32_t>(
        LoadLittle<2>(&container.bytes[entry_at + container.offset_size()]));
    if (offset < container.header || offset > container.bytes.size() ||
        size > container.bytes.size() - offset) {
      return Malformed("a key lies outside of its object");
    }
    if (!Charge(size)) return Malformed("keys share bytes");
    Quoted(container.bytes.subspan(offset, size));
    to_ = arena_.Ensure(to_, kScalarRoom);
    *to_++ = ':';
    return {};
  }

  Result<void> Entry(const Container& container, std::size_t entry_at) {
    const std::uint8_t type = container.bytes[entry_at];
    const bool is_inlined = type == kLiteral || type == kInt16 || type == kUint16 ||
                            (container.is_large && (type == kInt32 || type == kUint32));
    if (is_inlined) {
      return Value(type, container.bytes.subspan(entry_at + 1, container.offset_size()));
    }
    const std::uint32_t offset = container.Offset(entry_at + 1);
    if (offset < container.header || offset > container.bytes.size()) {
      return Malformed("a value lies outside of its object or array");
    }
    return Value(type, container.bytes.subspan(offset));
  }

  // `bytes`: from the value's start to the end of what holds it. There is room for kScalarRoom.
  Result<void> Value(std::uint8_t type, Bytes bytes) {
    switch (type) {
      case kSmallObject:
        return Open(bytes, /*is_object=*/true, /*is_large=*/false);
      case kLargeObject:
        return Open(bytes, /*is_object=*/true, /*is_large=*/true);
      case kSmallArray:
        return Open(bytes, /*is_object=*/false, /*is_large=*/false);
      case kLargeArray:
        return Open(bytes, /*is_object=*/false, /*is_large=*/true);
      case kLiteral:
        return Literal(bytes);
      case kInt16:
        return Integer<2, std::int16_t>(bytes);
      case kUint16:
        return Integer<2, std::uint16_t>(bytes);
      case kInt32:
        return Integer<4, std::int32_t>(bytes);
      case kUint32:
        return Integer<4, std::uint32_t>(bytes);
      case kInt64:
        return Integer<8, std::int64_t>(bytes);
      case kUint64:
        return Integer<8, std::uint64_t>(bytes);
      case kDouble:
        return Double(bytes);
      case kString:
        return String(bytes);
      case kOpaque:
        return Opaque(bytes);
      default:
        return Fail(ErrorKind::kUndecodable, "JSON document: unknown value type {:#04x}", type);
    }
  }

  Result<void> Open(Bytes bytes, bool is_object, bool is_large) {
    if (depth_ == kJsonDepthMax) return Malformed("nested too deeply");
    Container container{bytes, 0, 0, 0, is_object, is_large};
    const std::size_t offset_size = container.offset_size();
    if (bytes.size() < 2 * offset_size) return Malformed("an object or array is cut off");
    container.count = container.Offset(0);
    const std::uint32_t size = container.Offset(offset_size);
    const std::uint64_t entry_size =
        container.value_entry_size() + (is_object ? container.key_entry_size() : 0);
    const std::uint64_t header = 2 * offset_size + container.count * entry_size;
    if (size > bytes.size() || header > size) return Malformed("an object or array is cut off");
    if (!Charge(header)) return Malformed("objects or arrays share bytes");
    container.header = static_cast<std::uint32_t>(header);
    container.bytes = bytes.first(size);
    stack_[depth_++] = container;
    *to_++ = is_object ? '{' : '[';
    return {};
  }

  Result<void> Literal(Bytes bytes) {
    if (bytes.empty()) return Malformed("a literal is cut off");
    switch (bytes[0]) {
      case 0:
        Append("null");
        return {};
      case 1:
        Append("true");
        return {};
      case 2:
        Append("false");
        return {};
      default:
        return Malformed("unknown literal");
    }
  }

  template <std::size_t kWidth, typename Number>
  Result<void> Integer(Bytes bytes) {
    if (bytes.size() < kWidth) return Malformed("an integer is cut off");
    to_ = WriteInteger(static_cast<Number>(LoadLittle<kWidth>(bytes.data())), to_);
    return {};
  }

  Result<void> Double(Bytes bytes) {
    if (bytes.size() < 8) return Malformed("a number is cut off");
    const auto value = std::bit_cast<double>(LoadLittle<8>(bytes.data()));
    if (!std::isfinite(value)) return Malformed("infinity or no number");
    to_ = WriteJsonDouble(value, to_);
    return {};
  }

  // Reads a length of up to 32 bits, seven in each byte, and takes as many bytes from behind it.
  Result<Bytes> Counted(Bytes bytes) {
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 5 && i < bytes.size(); ++i) {
      size |= std::uint64_t{bytes[i] & 0x7FU} << (7 * i);
      if ((bytes[i] & 0x80) != 0) continue;
      if (size > bytes.size() - i - 1) return Malformed("a string is cut off");
      if (!Charge(size)) return Malformed("strings share bytes");
      return bytes.subspan(i + 1, static_cast<std::size_t>(size));
    }
    return Malformed("a string's length is cut off");
  }

  Result<void> String(Bytes bytes) {
    const auto text = Counted(bytes);
    if (!text) return std::unexpected(text.error());
    Quoted(*text);
    return {};
  }

  void Quoted(Bytes text) {
    const std::uint8_t* from = text.data();
    std::size_t left = text.size();
    to_ = arena_.Ensure(to_, left + kWord + 2);
    *to_++ = '"';
    while (left > 0) {
      // Whole words are copied, also at the end, where the bytes behind the text are written over.
      if (static_cast<std::size_t>(document_end_ - from) >= kWord) {
        const std::uint64_t word = LoadLittle<kWord>(from);
        std::memcpy(to_, from, kWord);
        const std::uint64_t marks = EscapeMarks(word);
        const std::size_t clean = std::min(
            left, marks == 0 ? kWord : static_cast<std::size_t>(std::countr_zero(marks)) / 8);
        from += clean;
        to_ += clean;
        left -= clean;
        if (left == 0 || clean == kWord) continue;
      }
      const std::uint8_t byte = *from++;
      --left;
      if (NeedsEscape(byte)) {
        to_ = arena_.Ensure(to_, kEscapeMax + left + kWord + 1);
        to_ = WriteEscape(byte, to_);
      } else {
        *to_++ = static_cast<char>(byte);
      }
    }
    *to_++ = '"';
  }

  Result<void> Opaque(Bytes bytes) {
    if (bytes.empty()) return Malformed("an opaque value is cut off");
    const std::uint8_t type = bytes[0];
    const auto value = Counted(bytes.subspan(1));
    if (!value) return std::unexpected(value.error());
    switch (type) {
      case kOpaqueVarString:
        Quoted(*value);
        return {};
      case kOpaqueDecimal:
        return Decimal(*value);
      case kOpaqueDate:
        return Temporal(*value, &WritePackedDate);
      case kOpaqueTime:
        return Temporal(*value, &WritePackedTime);
      case kOpaqueDatetime:
      case kOpaqueTimestamp:
        return Temporal(*value, &WritePackedDatetime);
      default:
        Base64(type, *value);
        return {};
    }
  }

  Result<void> Decimal(Bytes value) {
    if (value.size() < 2) return Malformed("a decimal is cut off");
    const auto end = WriteDecimal(value.subspan(2), {value[0], value[1]}, to_);
    if (!end) return Fail(end.error(), "JSON document");
    to_ = *end;
    return {};
  }

  Result<void> Temporal(Bytes value, Result<char*> (*write)(std::uint64_t, char*)) {
    if (value.size() != 8) return Malformed("a date or time is cut off");
    *to_++ = '"';
    const auto end = write(LoadLittle<8>(value.data()), to_);
    if (!end) return Fail(end.error(), "JSON document");
    to_ = *end;
    *to_++ = '"';
    return {};
  }

  // "base64:type15:..." with MySQL's line breaks, escaped, after every 76 characters.
  void Base64(std::uint8_t type, Bytes value) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::size_t kLineBytes = 76 / 4 * 3;
    Append("\"base64:type");
    to_ = arena_.Ensure(to_,
                        kIntegerTextMax + value.size() / 3 * 4 + value.size() / kLineBytes * 2 + 8);
    to_ = WriteInteger(type, to_);
    *to_++ = ':';
    for (std::size_t at = 0; at < value.size(); at += 3) {
      if (at > 0 && at % kLineBytes == 0) {
        *to_++ = '\\';
        *to_++ = 'n';
      }
      const std::size_t count = std::min<std::size_t>(3, value.size() - at);
      std::uint32_t group = static_cast<std::uint32_t>(value[at]) << 16;
      if (count > 1) group |= static_cast<std::uint32_t>(value[at + 1]) << 8;
      if (count > 2) group |= value[at + 2];
      *to_++ = kDigits[group >> 18];
      *to_++ = kDigits[group >> 12 & 0x3F];
      *to_++ = count > 1 ? kDigits[group >> 6 & 0x3F] : '=';
      *to_++ = count > 2 ? kDigits[group & 0x3F] : '=';
    }
    *to_++ = '"';
  }

  const std::uint8_t* document_end_;
  std::uint64_t budget_;
  TextArena& arena_;
  char* to_;  // The end of the text so far.
  std::size_t depth_ = 0;
  std::array<Container, kJsonDepthMax> stack_;
};

}  // namespace

Result<std::string_view> RenderJson(Bytes document, TextArena& arena) {
  return Renderer(document, arena).Render(document);
}

}  // namespace outboxd::binlog
