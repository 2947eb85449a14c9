#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/table_source.h"

namespace outboxd::binlog {

// One column of an index, as information_schema.statistics and .columns tell it.
struct IndexColumn {
  std::string index;
  KeyColumn column;  // Without a name: an expression.
  bool is_unique = false;
  bool is_tree = false;     // BTREE: it has an order.
  bool is_visible = false;  // The index: FORCE INDEX does not know an invisible one.
  bool has_prefix = false;  // It holds only the beginning of the values.
  bool is_nullable = false;
};

// The key to read a table by: its primary key, else of the unique indexes that can be read in
// order, without NULL, the one of the fewest columns. `all`: those of all its indexes, in any
// order, but those of one index together and in its order.
[[nodiscard]] TableKey ChooseKey(std::span<const IndexColumn> all);

// How the values of one column of a key turn into the bytes of a place. The parts of several
// columns are put one behind the other: none of them is the beginning of another one.
class KeyColumnOrder {
 public:
  explicit KeyColumnOrder(const KeyColumn& column);

  // False: of a type or a collation whose order cannot be told, or whose values do not come back
  // from utf8mb4 as they were.
  [[nodiscard]] bool is_known() const { return form_ != Form::kUnknown; }

  // Whether the server has to be asked for the weights of values (WEIGHT_STRING()).
  [[nodiscard]] bool takes_weights() const {
    return form_ == Form::kWeights || form_ == Form::kPaddedWeights;
  }
  // Of this value: bytes below 128 are their own weights in some collations that take weights.
  [[nodiscard]] bool TakesWeights(std::string_view value) const;

  // The value without what is not part of it: the blanks behind a CHAR.
  [[nodiscard]] std::string_view Trim(std::string_view value) const;

  // For a value that takes no weights, as KeyValues have it. kUndecodable: it is none of the type.
  [[nodiscard]] Result<void> Append(std::string_view value, KeyPlace& place) const;

  // For one that does. `space`: the weights of a blank; those at the end, and any number of them
  // behind the end, count for nothing where the collation pads.
  void AppendWeights(std::string_view weights, std::string_view space, KeyPlace& place) const;

 private:
  enum class Form : std::uint8_t {
    kUnknown,
    kSigned,
    kUnsigned,
    kDecimal,
    kFloat,
    kDouble,
    kBits,
    kTime,
    kFixedBytes,   // BINARY: zero bytes belong to it.
    kBytes,        // As they are; also DATE and its like, whose text is ordered as they are.
    kPaddedBytes,  // Blanks at the end count for nothing.
    kWeights,
    kPaddedWeights,
  };

  [[nodiscard]] static Form FormOf(const KeyColumn& column);
  [[nodiscard]] Result<void> AppendUpwards(std::string_view value, KeyPlace& place) const;

  Form form_;
  bool is_descending_;
  bool is_char_;            // CHAR(n): blanks at the end are not stored.
  bool is_ascii_bytewise_;  // Text of bytes below 128 is its own weights.
  std::size_t width_ = 0;   // BINARY(n): n; DECIMAL(p,s): p - s.
  std::size_t scale_ = 0;   // DECIMAL(p,s): s.
};

// The character set that a collation belongs to: the part of its name in front of the first '_'.
[[nodiscard]] std::string_view CharacterSetOf(std::string_view collation);

}  // namespace outboxd::binlog
