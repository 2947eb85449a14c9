#include "daemon/mapping/json_expansion.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "binlog/number_text.h"
#include "daemon/mapping/json_writer.h"

namespace outboxd {
namespace {

namespace dom = simdjson::dom;

// Jackson's StreamReadConstraints; characters are counted as UTF-16 has them.
constexpr std::size_t kDepthMax = 1000;
constexpr std::size_t kNumberDigitsMax = 1000;
constexpr std::size_t kNameCharactersMax = 50'000;
constexpr std::size_t kStringCharactersMax = 20'000'000;

// Every object of an array gets the members of all of them, so that a result can have the square
// of its document's size.
constexpr std::size_t kResultBytesFloor = 16U << 20;
constexpr std::size_t kResultGrowthMax = 8;

// What a larger document took is given back.
constexpr std::size_t kKeptTextBytesMax = 1U << 20;

// From here on names are looked up by a hash, or sorted, since comparing all takes too long.
constexpr std::size_t kFewNames = 16;

bool HasMoreCharacters(std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max) return false;
  std::size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) characters += byte >= 0xF0 ? 2 : 1;
  }
  return characters > characters_max;
}

// How many digits of the number that `text` begins with Jackson counts: all, but for the zero
// before the point where there is no exponent.
std::size_t CountedDigits(std::string_view number) {
  const auto digits = static_cast<std::size_t>(
      std::ranges::count_if(number, [](char c) { return c >= '0' && c <= '9'; }));
  const std::string_view magnitude = number.substr(number.starts_with('-') ? 1 : 0);
  const bool has_exponent = number.find_first_of("eE") != std::string_view::npos;
  return magnitude.starts_with("0.") && !has_exponent ? digits - 1 : digits;
}

// The document that `text` begins with, up to the bracket that closes it, if it is one. None: it is
// not closed, or a number in it is too long.
std::optional<std::string_view> DocumentAtFront(std::string_view text) {
  constexpr std::string_view kNumber = "0123456789+-.eE";
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const std::size_t end = std::min(text.find_first_not_of(kNumber, i), text.size());
      if (CountedDigits(text.substr(i, end - i)) > kNumberDigitsMax) return std::nullopt;
      i = end - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return text.substr(0, i + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

// Recursion goes as deep as the document does, which the parser bounds.
class JsonExpander::Impl {
 public:
  // False: it has no schema or does not fit it; some of it may have been appended.
  bool Expand(std::string_view text, const JsonExpansionRule& rule, std::string& json) {
    rule_ = rule;
    Clear();
    if (!text.starts_with('{')) return false;
    const auto document = Parse(text);
    if (!document) return false;
    shapes_.emplace_back();
    if (!AbsorbObject(*document, kRoot, Sampling::kSample)) return false;
    result_bytes_max_ = json.size() + std::max(kResultBytesFloor, kResultGrowthMax * text.size());
    return WriteObject(*document, kRoot, json);
  }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();
  static constexpr Index kRoot = 0;

  enum class Kind : std::uint8_t {
    kUnknown,
    kNull,  // Of optional bytes, to Debezium; gives way to any other.
    kString,
    kBoolean,
    kInt32,
    kInt64,
    kDouble,
    kArray,
    kObject,
  };

  // The schema of all values in one place of the document. Its children are an object's members,
  // in order, or what an array's elements share.
  struct Shape {
    std::string_view name;  // As a member. Lives in the parser.
    Index first = kNone;
    Index last = kNone;
    Index next = kNone;
    Index children = 0;
    Index ordinal = 0;  // Among its parent's children.
    Kind kind = Kind::kUnknown;
    bool is_shared = false;   // By several objects.
    bool is_indexed = false;  // All its members stand in by_name_.
  };

  struct Field {
    std::string_view name;
    dom::element value;
    bool is_repeated = false;
  };

  struct NameInShape {
    Index shape;
    std::string_view name;
    bool operator==(const NameInShape&) const = default;
  };
  struct Hash {
    std::size_t operator()(const NameInShape& key) const {
      return std::hash<std::string_view>()(key.name) ^ (key.shape * std::size_t{0x9E3779B9});
    }
  };

  // Of an array's arrays only the first is asked for its schema; the others just have to fit.
  enum class Sampling { kSample, kOthers };

  void Clear() {
    shapes_.clear();
    fields_.clear();
    slots_.clear();
    if (!by_name_.empty()) by_name_.clear();
  }

  std::optional<dom::object> Parse(std::string_view text) {
    // A short one cannot hold a number that is too long.
    const bool is_scanned = text.size() > kNumberDigitsMax;
    std::optional<std::string_view> document = is_scanned ? DocumentAtFront(text) : text;
    if (!document) return std::nullopt;
    auto object = ParseExactly(*document);
    if (object || is_scanned) return object;
    document = DocumentAtFront(text);
    const bool has_more = document && document->size() < text.size();
    return has_more ? ParseExactly(*document) : std::nullopt;
  }

  std::optional<dom::object> ParseExactly(std::string_view text) {
    // The parser reads a little beyond the end of what it parses.
    buffer_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    buffer_.assign(text);
    if (parser_.capacity() < text.size() && parser_.allocate(text.size(), kDepthMax + 1)) {
      return std::nullopt;
    }
    dom::object object;
    if (parser_.parse(buffer_.data(), text.size(), false).get(object)) return std::nullopt;
    return object;
  }

  // Puts the members of `object`, each name once, behind those of the objects around it. Returns
  // where they begin; none: a name is too long.
  std::optional<std::size_t> PushFields(const dom::object& object) {
    const std::size_t begin = fields_.size();
    for (const auto [name, value] : object) {
      if (HasMoreCharacters(name, kNameCharactersMax)) return std::nullopt;
      fields_.push_back({name, value});
    }
    const bool is_repeated =
        fields_.size() - begin <= kFewNames ? MarkRepeatedOfFew(begin) : MarkRepeatedOfMany(begin);
    if (is_repeated) {
      const auto from = fields_.begin() + static_cast<std::ptrdiff_t>(begin);
      fields_.erase(
          std::remove_if(from, fields_.end(), [](const Field& f) { return f.is_repeated; }),
          fields_.end());
    }
    return begin;
  }

  // Gives the first of each name the last one's value, and marks the others.
  bool MarkRepeatedOfFew(std::size_t begin) {
    bool has_any = false;
    for (std::size_t i = begin + 1; i < fields_.size(); ++i) {
      for (std::size_t earlier = begin; earlier < i; ++earlier) {
        if (fields_[earlier].name != fields_[i].name) continue;
        fields_[earlier].value = fields_[i].value;
        fields_[i].is_repeated = has_any = true;
        break;
      }
    }
    return has_any;
  }

  bool MarkRepeatedOfMany(std::size_t begin) {
    order_.clear();
    for (std::size_t i = begin; i < fields_.size(); ++i) order_.push_back(i);
    std::ranges::sort(order_, [this](std::size_t a, std::size_t b) {
      const int compared = fields_[a].name.compare(fields_[b].name);
      return compared != 0 ? compared < 0 : a < b;
    });
    bool has_any = false;
    std::size_t first = order_.front();
    for (const std::size_t i : order_) {
      if (fields_[i].name != fields_[first].name) first = i;
      if (i == first) continue;
      fields_[first].value = fields_[i].value;
      fields_[i].is_repeated = has_any = true;
    }
    return has_any;
  }

  // It has no schema, so that a member with this value is left out.
  [[nodiscard]] bool IsLeftOut(const dom::element& value) const {
    if (value.is_null()) return !rule_.keeps_nulls;
    dom::array array;
    if (rule_.keeps_empty_arrays || value.get(array)) return false;
    return array.begin() == array.end();
  }

  // Each Absorb function widens a shape so that `value` fits. False: no shape fits both.
  bool Absorb(const dom::element& value, Index shape, Sampling sampling) {
    switch (value.type()) {
      case dom::element_type::NULL_VALUE:
        return TakeKind(shape, Kind::kNull);
      case dom::element_type::BOOL:
        return TakeKind(shape, Kind::kBoolean);
      case dom::element_type::STRING:
        return !HasMoreCharacters(value.get_string().value_unsafe(), kStringCharactersMax) &&
               TakeKind(shape, Kind::kString);
      case dom::element_type::INT64: {
        const std::int64_t number = value.get_int64().value_unsafe();
        return TakeKind(shape, std::in_range<std::int32_t>(number) ? Kind::kInt32 : Kind::kInt64);
      }
      case dom::element_type::UINT64:
        return false;  // One that Java's long does not hold.
      case dom::element_type::DOUBLE:
        return TakeKind(shape, Kind::kDouble);
      case dom::element_type::ARRAY:
        return AbsorbArray(value.get_array().value_unsafe(), shape, sampling);
      case dom::element_type::OBJECT:
        return AbsorbObject(value.get_object().value_unsafe(), shape, sampling);
    }
    return false;
  }

  bool TakeKind(Index shape, Kind kind) {
    Kind& known = shapes_[shape].kind;
    if (known == Kind::kUnknown || known == Kind::kNull) known = kind;
    return known == kind || kind == Kind::kNull;
  }

  bool AbsorbArray(const dom::array& array, Index shape, Sampling sampling) {
    if (!TakeKind(shape, Kind::kArray)) return false;
    if (shapes_[shape].children == 0) AddChild(shape, {});
    const Index element = shapes_[shape].first;
    bool is_first = true;
    for (const dom::element value : array) {
      if (value.is_null()) continue;
      const bool is_sample = sampling == Sampling::kSample && (is_first || value.is_object());
      if (is_sample && IsLeftOut(value)) return false;
      if (!Absorb(value, element, is_sample ? Sampling::kSample : Sampling::kOthers)) return false;
      is_first = false;
    }
    const bool has_only_nulls = is_first && array.begin() != array.end();
    if (!has_only_nulls) return true;
    return rule_.keeps_nulls ? TakeKind(element, Kind::kNull) : sampling == Sampling::kOthers;
  }

  bool AbsorbObject(const dom::object& object, Index shape, Sampling sampling) {
    const bool is_first = shapes_[shape].kind != Kind::kObject;
    if (!TakeKind(shape, Kind::kObject)) return false;
    const auto begin = PushFields(object);
    if (!begin) return false;
    Index expected = shapes_[shape].first;
    for (std::size_t i = *begin; i < fields_.size(); ++i) {
      const Field field = fields_[i];
      if (IsLeftOut(field.value)) continue;
      if (field.name.empty()) return false;
      Index member = is_first ? kNone : MemberNamed(shape, field.name, expected);
      if (member == kNone) member = AddChild(shape, field.name);
      expected = shapes_[member].next;
      if (!Absorb(field.value, member, sampling)) return false;
    }
    fields_.resize(*begin);
    if (!is_first) shapes_[shape].is_shared = true;
    return true;
  }

  Index AddChild(Index shape, std::string_view name) {
    const auto child = static_cast<Index>(shapes_.size());
    Shape& parent = shapes_[shape];
    const Index ordinal = parent.children++;
    if (parent.first == kNone) parent.first = child;
    if (parent.last != kNone) shapes_[parent.last].next = child;
    parent.last = child;
    if (parent.is_indexed) by_name_.emplace(NameInShape{shape, name}, child);
    shapes_.push_back({.name = name, .ordinal = ordinal});
    return child;
  }

  // `expected`: where it most likely is, or none.
  Index MemberNamed(Index shape, std::string_view name, Index expected) {
    if (expected != kNone && shapes_[expected].name == name) return expected;
    const bool is_small = shapes_[shape].children <= kFewNames;
    if (!is_small && shapes_[shape].is_indexed) {
      const auto found = by_name_.find({shape, name});
      return found == by_name_.end() ? kNone : found->second;
    }
    Index found = kNone;
    for (Index member = shapes_[shape].first; member != kNone; member = shapes_[member].next) {
      if (shapes_[member].name == name) found = member;
      if (!is_small) by_name_.emplace(NameInShape{shape, shapes_[member].name}, member);
    }
    shapes_[shape].is_indexed = !is_small;
    return found;
  }

  // Each Write function appends a value by the shape that has absorbed it. False: it does not fit.
  bool Write(const dom::element& value, Index shape, std::string& json) {
    if (json.size() > result_bytes_max_) return false;
    switch (value.type()) {
      case dom::element_type::NULL_VALUE:
        json += "null";
        return true;
      case dom::element_type::BOOL:
        json += value.get_bool().value_unsafe() ? "true" : "false";
        return true;
      case dom::element_type::STRING:
        AppendJsonString(value.get_string().value_unsafe(), json);
        return true;
      case dom::element_type::INT64:
        return AppendNumber(value.get_int64().value_unsafe(), binlog::WriteInteger<std::int64_t>,
                            json);
      case dom::element_type::DOUBLE:
        return AppendNumber(value.get_double().value_unsafe(), binlog::WriteJavaDouble, json);
      case dom::element_type::UINT64:
        return false;
      case dom::element_type::ARRAY:
        return WriteArray(value.get_array().value_unsafe(), shape, json);
      case dom::element_type::OBJECT:
        return WriteObject(value.get_object().value_unsafe(), shape, json);
    }
    return false;
  }

  template <typename Number>
  static bool AppendNumber(Number number, char* (*write)(Number, char*), std::string& json) {
    char text[binlog::kFloatingTextMax];
    char* const end = write(number, text);
    json.append(text, static_cast<std::size_t>(end - text));
    return true;
  }

  bool WriteArray(const dom::array& array, Index shape, std::string& json) {
    // An empty one that was left out of the schema of its own object.
    if (shapes_[shape].kind != Kind::kArray) return false;
    json += '[';
    bool is_first = true;
    for (const dom::element value : array) {
      if (!is_first) json += ',';
      is_first = false;
      if (!Write(value, shapes_[shape].first, json)) return false;
    }
    json += ']';
    return true;
  }

  bool WriteObject(const dom::object& object, Index shape, std::string& json) {
    const auto begin = PushFields(object);
    if (!begin) return false;
    json += '{';
    const bool fits = shapes_[shape].is_shared ? WriteMembersOfMany(shape, *begin, json)
                                               : WriteMembersOfOne(shape, *begin, json);
    fields_.resize(*begin);
    json += '}';
    return fits;
  }

  // The shape has the members of this object, in their order, but for those that are left out.
  bool WriteMembersOfOne(Index shape, std::size_t begin, std::string& json) {
    Index member = shapes_[shape].first;
    const std::size_t end = fields_.size();
    for (std::size_t i = begin; i < end; ++i) {
      if (IsLeftOut(fields_[i].value)) continue;
      if (!WriteMember(shape, member, i, json)) return false;
      member = shapes_[member].next;
    }
    return true;
  }

  bool WriteMembersOfMany(Index shape, std::size_t begin, std::string& json) {
    const std::size_t slots = slots_.size();
    slots_.resize(slots + shapes_[shape].children, kNone);
    Index expected = shapes_[shape].first;
    for (std::size_t i = begin; i < fields_.size(); ++i) {
      const Index member = MemberNamed(shape, fields_[i].name, expected);
      if (member == kNone) continue;
      slots_[slots + shapes_[member].ordinal] = static_cast<Index>(i);
      expected = shapes_[member].next;
    }
    std::size_t slot = slots;
    for (Index member = shapes_[shape].first; member != kNone; member = shapes_[member].next) {
      if (!WriteMember(shape, member, slots_[slot++], json)) return false;
    }
    slots_.resize(slots);
    return true;
  }

  // `field`: its index, or kNone for null.
  bool WriteMember(Index shape, Index member, std::size_t field, std::string& json) {
    if (member != shapes_[shape].first) json += ',';
    AppendJsonString(shapes_[member].name, json);
    json += ':';
    if (field != kNone) return Write(dom::element(fields_[field].value), member, json);
    json += "null";
    return true;
  }

  JsonExpansionRule rule_;
  std::size_t result_bytes_max_ = 0;
  std::string buffer_;
  dom::parser parser_;
  std::vector<Shape> shapes_;
  std::vector<Field> fields_;       // Of the objects that are being read, the innermost last.
  std::vector<std::size_t> order_;  // Of the fields of one object, by name.
  std::vector<Index> slots_;        // Of the objects that are being written: a field by member.
  std::unordered_map<NameInShape, Index, Hash> by_name_;
};

JsonExpander::JsonExpander() : impl_(std::make_unique<Impl>()) {}
JsonExpander::~JsonExpander() = default;
JsonExpander::JsonExpander(JsonExpander&&) noexcept = default;
JsonExpander& JsonExpander::operator=(JsonExpander&&) noexcept = default;

void JsonExpander::Append(std::string_view text, const JsonExpansionRule& rule, std::string& json) {
  const std::size_t before = json.size();
  if (!impl_->Expand(text, rule, json)) {
    json.resize(before);
    AppendJsonString(text, json);
  }
  if (text.size() > kKeptTextBytesMax) impl_ = std::make_unique<Impl>();
}

}  // namespace outboxd
