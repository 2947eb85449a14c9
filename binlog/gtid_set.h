#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/gtid.h"

namespace outboxd::binlog {

// A set of GTIDs, kept as sorted intervals for each origin. Adding the successor of the highest
// interval of an origin, which is what a stream does, takes constant time whatever the number of
// intervals; other additions and Contains() search by halving; Unite(), Minus(), Intersect() and
// IsSubsetOf() are linear in the intervals of both sets.
class GtidSet {
 public:
  struct Interval {
    std::uint64_t first;
    std::uint64_t last;  // Inclusive.

    friend bool operator==(const Interval&, const Interval&) = default;
  };
  // Ascending, apart from each other by at least one number, never empty.
  using Intervals = std::vector<Interval>;

  // MySQL's text: "UUID:1-5:7,UUID:1-5:tag:1-3"; a tag holds up to the next tag or comma; blanks
  // and line feeds around the parts are ignored. kUnsuitable: anything else.
  [[nodiscard]] static Result<GtidSet> Parse(std::string_view text);

  // The binary form of PREVIOUS_GTIDS and COM_BINLOG_DUMP_GTID, untagged or tagged. Allocates no
  // more than the bytes can hold. kCorrupt: not such a form.
  // Format: MySQL 9.7 sql/rpl_gtid_set.cc, Gtid_set::encode().
  [[nodiscard]] static Result<GtidSet> Decode(Bytes encoded);

  // Untagged unless a tag occurs: servers before 8.3 understand nothing else.
  [[nodiscard]] std::string Encode() const;

  // As MySQL prints it, without the line feeds.
  [[nodiscard]] std::string ToText() const;

  void Add(const Gtid& gtid) { Add(gtid.origin, {gtid.number, gtid.number}); }

  // Numbers outside of 1 to kGtidNumberMax, which no transaction can have, are left out.
  void Add(const GtidOrigin& origin, Interval interval);

  void Unite(const GtidSet& other);

  [[nodiscard]] bool Contains(const Gtid& gtid) const;
  [[nodiscard]] bool IsSubsetOf(const GtidSet& other) const;
  [[nodiscard]] GtidSet Minus(const GtidSet& other) const;
  [[nodiscard]] GtidSet Intersect(const GtidSet& other) const;
  [[nodiscard]] bool empty() const { return origins_.empty(); }
  [[nodiscard]] std::uint64_t count() const;

  // In ascending order; no origin stands here with an empty list.
  [[nodiscard]] const std::map<GtidOrigin, Intervals>& origins() const { return origins_; }

  friend bool operator==(const GtidSet&, const GtidSet&) = default;

 private:
  std::map<GtidOrigin, Intervals> origins_;
};

// The one GTID that `text` names, as ToText() has it; none: it names none, or several.
[[nodiscard]] std::optional<Gtid> FindGtid(std::string_view text);

}  // namespace outboxd::binlog
