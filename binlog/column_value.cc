#include "binlog/column_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "binlog/decimal.h"
#include "binlog/number_text.h"
#include "binlog/temporal.h"

namespace outboxd::binlog {
namespace {

constexpr std::size_t kFixedTextMax = 96;
static_assert(kFixedTextMax >= kDecimalTextMax && kFixedTextMax >= kTemporalTextMax &&
              kFixedTextMax >= kFloatingTextMax && kFixedTextMax >= kIntegerTextMax);

constexpr std::size_t kSetMembersMax = 64;

DecimalShape ShapeOf(std::uint32_t metadata) { return {metadata >> 8, metadata & 0xFF}; }

std::unexpected<Error> BadMetadata(const Column& column) {
  return Fail(ErrorKind::kCorrupt, "no {} has the metadata {:#x}", NameOf(column.type),
              column.metadata);
}

Result<ValueSize> Temporal(const Column& column, std::uint32_t whole) {
  if (column.metadata > kFractionDigitsMax) return BadMetadata(column);
  return ValueSize{0, whole + static_cast<std::uint32_t>(FractionSize(column.metadata))};
}

Result<ValueSize> SizeOfBits(const Column& column) {
  constexpr std::uint32_t kBitsMax = 64;
  const std::uint32_t bytes = column.metadata >> 8U;
  const std::uint32_t further_bits = column.metadata & 0xFFU;
  if (further_bits > 7 || 8 * bytes + further_bits > kBitsMax) return BadMetadata(column);
  return ValueSize{0, bytes + (further_bits != 0 ? 1U : 0U)};
}

std::unexpected<Error> NoCollation() {
  return Fail(ErrorKind::kUndecodable, "the binary log does not tell the column's character set")
      .Hint("MySQL writes it from 8.0 on, MariaDB with SET GLOBAL binlog_row_metadata = FULL");
}

Result<ValueDecoder> NotDecoded(const Column& column) {
  return Fail(ErrorKind::kUndecodable, "values of type {} are not decoded", NameOf(column.type))
      .Hint("map another column, or a generated one that holds the value as text");
}

}  // namespace

Result<ValueSize> SizeOf(const Column& column) {
  const auto fixed = [](std::uint32_t size) { return ValueSize{0, size}; };
  switch (column.type) {
    case ColumnType::kTiny:
    case ColumnType::kYear:
      return fixed(1);
    case ColumnType::kShort:
      return fixed(2);
    case ColumnType::kInt24:
    case ColumnType::kDate:
    case ColumnType::kNewDate:
    case ColumnType::kTime:
      return fixed(3);
    case ColumnType::kLong:
    case ColumnType::kTimestamp:
      return fixed(4);
    case ColumnType::kLongLong:
    case ColumnType::kDatetime:
      return fixed(8);
    case ColumnType::kNull:
      return fixed(0);
    case ColumnType::kFloat:
      if (column.metadata != sizeof(float)) return BadMetadata(column);
      return fixed(sizeof(float));
    case ColumnType::kDouble:
      if (column.metadata != sizeof(double)) return BadMetadata(column);
      return fixed(sizeof(double));
    case ColumnType::kTime2:
      return Temporal(column, 3);
    case ColumnType::kTimestamp2:
      return Temporal(column, 4);
    case ColumnType::kDatetime2:
      return Temporal(column, 5);
    case ColumnType::kNewDecimal:
      if (!ShapeOf(column.metadata).valid()) return BadMetadata(column);
      return fixed(static_cast<std::uint32_t>(DecimalSize(ShapeOf(column.metadata))));
    case ColumnType::kBit:
      return SizeOfBits(column);
    case ColumnType::kEnum:
    case ColumnType::kSet:
      if (column.metadata < 1 || column.metadata > 8) return BadMetadata(column);
      return fixed(column.metadata);
    case ColumnType::kVarchar:
    case ColumnType::kVarString:
    case ColumnType::kString:
      return ValueSize{static_cast<std::uint8_t>(column.metadata > 255 ? 2 : 1), 0};
    case ColumnType::kTinyBlob:
    case ColumnType::kMediumBlob:
    case ColumnType::kLongBlob:
    case ColumnType::kBlob:
    case ColumnType::kJson:
    case ColumnType::kGeometry:
    case ColumnType::kVector:
      if (column.metadata < 1 || column.metadata > 4) return BadMetadata(column);
      return ValueSize{static_cast<std::uint8_t>(column.metadata), 0};
    case ColumnType::kTypedArray:
      return ValueSize{4, 0};  // Stored as the JSON array that it is.
    case ColumnType::kDecimal:
      break;
  }
  return Fail(ErrorKind::kUndecodable, "the size of values of type {} is not known",
              NameOf(column.type));
}

Result<TextConverter*> TextConverters::For(std::uint32_t collation) {
  if (collation == 0) return NoCollation();
  const std::string_view name = character_sets_.NameOf(collation);
  if (name.empty()) {
    return Fail(ErrorKind::kUndecodable, "collation {} is not known", collation)
        .Hint("the server's information_schema.collations tells its character set");
  }
  const auto known = std::ranges::find(entries_, name, &Entry::character_set);
  if (known != entries_.end()) return known->converter.get();
  auto converter = TextConverter::Open(name);
  if (!converter) return std::unexpected(converter.error());
  entries_.push_back({std::string(name), std::make_unique<TextConverter>(std::move(*converter))});
  return entries_.back().converter.get();
}

Result<ValueDecoder> ValueDecoder::Make(const Column& column, TextConverters& converters,
                                        JsonStyle json) {
  switch (column.type) {
    case ColumnType::kTiny:
    case ColumnType::kShort:
    case ColumnType::kInt24:
    case ColumnType::kLong:
    case ColumnType::kLongLong:
      return ValueDecoder(column.is_unsigned ? Method::kUnsigned : Method::kSigned);
    case ColumnType::kFloat:
      return ValueDecoder(Method::kFloat);
    case ColumnType::kDouble:
      return ValueDecoder(Method::kDouble);
    case ColumnType::kNewDecimal:
      return ValueDecoder(Method::kDecimal, column.metadata);
    case ColumnType::kDate:
    case ColumnType::kNewDate:
      return ValueDecoder(Method::kDate);
    case ColumnType::kTime2:
      return ValueDecoder(Method::kTime, column.metadata);
    case ColumnType::kDatetime2:
      return ValueDecoder(Method::kDatetime, column.metadata);
    case ColumnType::kTimestamp2:
      return ValueDecoder(Method::kTimestamp, column.metadata);
    case ColumnType::kTime:
      return ValueDecoder(Method::kOldTime);
    case ColumnType::kDatetime:
      return ValueDecoder(Method::kOldDatetime);
    case ColumnType::kTimestamp:
      return ValueDecoder(Method::kOldTimestamp);
    case ColumnType::kYear:
      return ValueDecoder(Method::kYear);
    case ColumnType::kJson: {
      ValueDecoder decoder(Method::kJson);
      decoder.json_ = json;
      return decoder;
    }
    case ColumnType::kBit:
    case ColumnType::kGeometry:
    case ColumnType::kVector:
      return ValueDecoder(Method::kBytes);
    case ColumnType::kVarchar:
    case ColumnType::kVarString:
    case ColumnType::kString:
    case ColumnType::kTinyBlob:
    case ColumnType::kMediumBlob:
    case ColumnType::kLongBlob:
    case ColumnType::kBlob:
      return MakeText(column, converters);
    case ColumnType::kEnum:
    case ColumnType::kSet:
      return MakeEnumOrSet(column, converters);
    case ColumnType::kDecimal:
    case ColumnType::kNull:
    case ColumnType::kTypedArray:
      break;
  }
  return NotDecoded(column);
}

bool HasKeyForm(const Column& column) {
  return column.type == ColumnType::kFloat || column.type == ColumnType::kEnum ||
         column.type == ColumnType::kSet;
}

Result<ValueDecoder> ValueDecoder::MakeForKey(const Column& column, TextConverters& converters) {
  if (!HasKeyForm(column)) return Make(column, converters);
  return ValueDecoder(column.type == ColumnType::kFloat ? Method::kFloatInFull : Method::kUnsigned);
}

ValueKind KindOf(const Column& column) {
  switch (column.type) {
    case ColumnType::kTiny:
    case ColumnType::kShort:
    case ColumnType::kInt24:
    case ColumnType::kLong:
    case ColumnType::kLongLong:
    case ColumnType::kFloat:
    case ColumnType::kDouble:
    case ColumnType::kDecimal:
    case ColumnType::kNewDecimal:
    case ColumnType::kYear:
      return ValueKind::kNumber;
    case ColumnType::kJson:
      return ValueKind::kJson;
    case ColumnType::kBit:
    case ColumnType::kGeometry:
    case ColumnType::kVector:
      return ValueKind::kBytes;
    case ColumnType::kVarchar:
    case ColumnType::kVarString:
    case ColumnType::kString:
    case ColumnType::kTinyBlob:
    case ColumnType::kMediumBlob:
    case ColumnType::kLongBlob:
    case ColumnType::kBlob:
      return column.collation == kBinaryCollation ? ValueKind::kBytes : ValueKind::kText;
    case ColumnType::kNull:
    case ColumnType::kTimestamp:
    case ColumnType::kDate:
    case ColumnType::kTime:
    case ColumnType::kDatetime:
    case ColumnType::kNewDate:
    case ColumnType::kTimestamp2:
    case ColumnType::kDatetime2:
    case ColumnType::kTime2:
    case ColumnType::kTypedArray:
    case ColumnType::kEnum:
    case ColumnType::kSet:
      break;
  }
  return ValueKind::kText;
}

Result<ValueDecoder> ValueDecoder::MakeText(const Column& column, TextConverters& converters) {
  if (column.collation == kBinaryCollation) {
    if (column.type != ColumnType::kString) return ValueDecoder(Method::kBytes);
    return ValueDecoder(Method::kPaddedBytes, column.metadata);
  }
  const auto converter = converters.For(column.collation);
  if (!converter) return std::unexpected(converter.error());
  if ((*converter)->passes_through()) return ValueDecoder(Method::kBytes);
  ValueDecoder decoder(Method::kText);
  decoder.converter_ = *converter;
  return decoder;
}

Result<ValueDecoder> ValueDecoder::MakeEnumOrSet(const Column& column, TextConverters& converters) {
  if (column.members.empty()) {
    return Fail(ErrorKind::kUndecodable, "the binary log does not tell the members of the {}",
                NameOf(column.type))
        .Hint("SET PERSIST binlog_row_metadata = FULL (for rows written from then on)");
  }
  const bool is_set = column.type == ColumnType::kSet;
  if (is_set && column.members.size() > kSetMembersMax) {
    return Fail(ErrorKind::kCorrupt, "a SET has {} members", column.members.size());
  }
  const auto converter = converters.For(column.collation);
  if (!converter) return std::unexpected(converter.error());
  ValueDecoder decoder(is_set ? Method::kSet : Method::kEnum);
  for (const std::string& member : column.members) {
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(member.data()), member.size());
    const auto text = (*converter)->Convert(bytes, decoder.converted_members_);
    if (!text) return Fail(text.error(), "member {}", decoder.members_.size() + 1);
    decoder.members_.push_back(*text);
  }
  return decoder;
}

Result<std::string_view> ValueDecoder::Decode(Bytes value, TextArena& arena) const {
  switch (method_) {
    case Method::kBytes:
      return AsText(value);
    case Method::kPaddedBytes:
      return Pad(value, arena);
    case Method::kText:
      return converter_->Convert(value, arena);
    case Method::kJson:
      return RenderJson(value, arena, json_);
    case Method::kEnum:
      return Member(value);
    case Method::kSet:
      return Members(value, arena);
    default:
      break;
  }
  const auto end = WriteFixed(value, arena.Begin(kFixedTextMax));
  if (!end) return std::unexpected(end.error());
  return arena.Finish(*end);
}

Result<char*> ValueDecoder::WriteFixed(Bytes value, char* to) const {
  switch (method_) {
    case Method::kUnsigned:
      return WriteInteger(LoadLittle(value), to);
    case Method::kSigned: {
      const unsigned unused_bits = 64 - 8 * static_cast<unsigned>(value.size());
      const auto shifted = static_cast<std::int64_t>(LoadLittle(value) << unused_bits);
      return WriteInteger(shifted >> unused_bits, to);
    }
    case Method::kFloat:
    case Method::kFloatInFull: {
      const auto number =
          std::bit_cast<float>(static_cast<std::uint32_t>(LoadLittle<4>(value.data())));
      if (!std::isfinite(number)) {
        return Fail(ErrorKind::kUndecodable, "a FLOAT is infinite or no number");
      }
      if (method_ == Method::kFloat) return WriteFloat(number, to);
      return WriteDouble(double{number} + 0.0, to);  // Which makes 0 of -0, there as here.
    }
    case Method::kDouble: {
      const auto number = std::bit_cast<double>(LoadLittle<8>(value.data()));
      if (std::isfinite(number)) return WriteDouble(number, to);
      return Fail(ErrorKind::kUndecodable, "a DOUBLE is infinite or no number");
    }
    case Method::kDecimal:
      return WriteDecimal(value, ShapeOf(parameter_), to);
    case Method::kDate:
      return WriteDate(value, to);
    case Method::kTime:
      return WriteTime2(value, parameter_, to);
    case Method::kDatetime:
      return WriteDatetime2(value, parameter_, to);
    case Method::kTimestamp:
      return WriteTimestamp2(value, parameter_, to);
    case Method::kOldTime:
      return WriteOldTime(value, to);
    case Method::kOldDatetime:
      return WriteOldDatetime(value, to);
    case Method::kOldTimestamp:
      return WriteOldTimestamp(value, to);
    default:
      return WriteYear(value, to);
  }
}

// The server cuts all zero bytes off the end of a BINARY.
Result<std::string_view> ValueDecoder::Pad(Bytes value, TextArena& arena) const {
  if (value.size() == parameter_) return AsText(value);
  if (value.size() > parameter_) {
    return Fail(ErrorKind::kUndecodable, "a BINARY({}) has {} bytes", parameter_, value.size());
  }
  char* const to = arena.Begin(parameter_);
  if (!value.empty()) std::memcpy(to, value.data(), value.size());
  std::memset(to + value.size(), 0, parameter_ - value.size());
  return arena.Finish(to + parameter_);
}

Result<std::string_view> ValueDecoder::Member(Bytes value) const {
  const std::uint64_t number = LoadLittle(value);
  if (number == 0) return std::string_view{""};  // What MySQL stores for an invalid text.
  if (number <= members_.size()) return members_[number - 1];
  return Fail(ErrorKind::kUndecodable, "an ENUM of {} members has the value {}", members_.size(),
              number);
}

Result<std::string_view> ValueDecoder::Members(Bytes value, TextArena& arena) const {
  std::uint64_t bits = LoadLittle(value);
  if (members_.size() < 64 && bits >> members_.size() != 0) {
    return Fail(ErrorKind::kUndecodable, "a SET of {} members has the value {:#x}", members_.size(),
                bits);
  }
  char* to = arena.Begin(0);
  bool is_first = true;
  for (; bits != 0; bits &= bits - 1) {
    const std::string_view member = members_[static_cast<std::size_t>(std::countr_zero(bits))];
    to = arena.Ensure(to, member.size() + 1);
    if (!is_first) *to++ = ',';
    is_first = false;
    to = std::copy(member.begin(), member.end(), to);
  }
  return arena.Finish(to);
}

}  // namespace outboxd::binlog
