#include "binlog/gtid_set.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <utility>

namespace outboxd::binlog {
namespace {

using Interval = GtidSet::Interval;
using Intervals = GtidSet::Intervals;

// Bytes of an encoded interval, and of the shortest encoded origin (UUID and interval count).
constexpr std::size_t kIntervalBytes = 16;
constexpr std::size_t kOriginBytesMin = 24;

constexpr std::size_t kTextInErrorMax = 80;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Cuts off the part of `rest` before the first `separator`, or all of it, and trims it.
std::string_view TakePart(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return Trim(part);
}

// 0, which numbers no transaction: not a number.
std::uint64_t ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > kGtidNumberMax) return 0;
  return number;
}

Result<Interval> ParseInterval(std::string_view text) {
  std::string_view rest = text;
  const bool is_range = text.find('-') != std::string_view::npos;
  Interval interval{};
  interval.first = ParseNumber(TakePart(rest, '-'));
  interval.last = is_range ? ParseNumber(Trim(rest)) : interval.first;
  if (interval.first == 0 || interval.last < interval.first) {
    return Fail(ErrorKind::kUnsuitable, "'{}' in a GTID set is not a range of transaction numbers",
                text.substr(0, kTextInErrorMax));
  }
  return interval;
}

Result<std::string> ParseTag(std::string_view text) {
  std::string tag(text.substr(0, kGtidTagLengthMax + 1));
  for (char& c : tag) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!IsGtidTag(tag)) {
    return Fail(ErrorKind::kUnsuitable, "'{}' in a GTID set is neither a number nor a tag",
                text.substr(0, kTextInErrorMax));
  }
  return tag;
}

// Reads "UUID:1-5:7:tag:1-3" into `origins`, in whatever order the intervals stand.
Result<void> ParseOrigins(std::string_view text, std::map<GtidOrigin, Intervals>& origins) {
  std::string_view rest = text;
  const auto uuid = ParseUuid(TakePart(rest, ':'));
  if (!uuid) return Fail(uuid.error(), "GTID set");
  GtidOrigin origin{*uuid, {}};
  Intervals* intervals = nullptr;
  while (!rest.empty()) {
    const std::string_view part = TakePart(rest, ':');
    if (part.empty() || part.front() < '0' || part.front() > '9') {
      auto tag = ParseTag(part);
      if (!tag) return std::unexpected(std::move(tag).error());
      origin.tag = *std::move(tag);
      intervals = nullptr;
      continue;
    }
    const auto interval = ParseInterval(part);
    if (!interval) return std::unexpected(interval.error());
    if (intervals == nullptr) intervals = &origins[origin];
    intervals->push_back(*interval);
  }
  if (intervals == nullptr) {
    return Fail(ErrorKind::kUnsuitable, "'{}' in a GTID set has no transaction numbers at its end",
                text.substr(0, kTextInErrorMax));
  }
  return {};
}

// Whether `next`, which does not begin before `before` does, continues it without a gap.
bool Touches(const Interval& before, const Interval& next) { return next.first - 1 <= before.last; }

void AppendMerging(Intervals& intervals, const Interval& next) {
  if (intervals.empty() || !Touches(intervals.back(), next)) {
    intervals.push_back(next);
  } else {
    intervals.back().last = std::max(intervals.back().last, next.last);
  }
}

void SortAndMerge(Intervals& intervals) {
  std::ranges::sort(intervals, {}, &Interval::first);
  Intervals merged;
  for (const Interval& interval : intervals) AppendMerging(merged, interval);
  intervals = std::move(merged);
}

Intervals United(const Intervals& a, const Intervals& b) {
  Intervals sorted;
  sorted.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(sorted), {}, &Interval::first, &Interval::first);
  Intervals united;
  for (const Interval& interval : sorted) AppendMerging(united, interval);
  return united;
}

Intervals Without(const Intervals& from, const Intervals& removed) {
  Intervals left;
  auto hole = removed.begin();
  for (Interval rest : from) {
    while (hole != removed.end() && hole->last < rest.first) ++hole;
    bool is_used_up = false;
    for (auto cut = hole; cut != removed.end() && cut->first <= rest.last; ++cut) {
      if (cut->first > rest.first) left.push_back({rest.first, cut->first - 1});
      is_used_up = cut->last >= rest.last;
      if (is_used_up) break;
      rest.first = cut->last + 1;
      hole = cut;
    }
    if (!is_used_up) left.push_back(rest);
  }
  return left;
}

Intervals Common(const Intervals& a, const Intervals& b) {
  Intervals common;
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    const Interval both{std::max(x->first, y->first), std::min(x->last, y->last)};
    if (both.first <= both.last) common.push_back(both);
    (x->last < y->last ? x : y)++;
  }
  return common;
}

bool IsCovered(const Intervals& inner, const Intervals& outer) {
  auto cover = outer.begin();
  for (const Interval& interval : inner) {
    while (cover != outer.end() && cover->last < interval.first) ++cover;
    if (cover == outer.end() || cover->first > interval.first || cover->last < interval.last) {
      return false;
    }
  }
  return true;
}

void AppendLittle64(std::string& encoded, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    encoded += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
  }
}

// A length below 128 in mysql::serialization's variable-length integers, which need one byte with a
// cleared lowest bit for it (MySQL 9.7
// libs/mysql/serialization/variable_length_integers.h, write_varlen_bytes_unsigned()).
char EncodeTagLength(std::size_t length) { return static_cast<char>(length << 1); }

Result<std::string> DecodeTag(ByteCursor& cursor) {
  const std::uint8_t length = cursor.U8();
  std::string tag(AsText(cursor.Take(length >> 1)));
  if (!cursor.ok() || (length & 1) != 0 || (length != 0 && !IsGtidTag(tag))) {
    return Fail(ErrorKind::kCorrupt, "encoded GTID set: malformed tag");
  }
  return tag;
}

// In an encoded set the intervals' ends are exclusive.
Result<Intervals> DecodeIntervals(ByteCursor& cursor) {
  const std::uint64_t count = cursor.U64();
  if (!cursor.ok() || count > cursor.remaining() / kIntervalBytes) {
    return Fail(ErrorKind::kCorrupt, "encoded GTID set: {} intervals do not fit into {} bytes",
                count, cursor.remaining());
  }
  Intervals intervals;
  intervals.reserve(static_cast<std::size_t>(count));
  std::uint64_t previous_end = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t first = cursor.U64();
    const std::uint64_t end = cursor.U64();
    if (first <= previous_end || end <= first || end - 1 > kGtidNumberMax) {
      return Fail(ErrorKind::kCorrupt, "encoded GTID set: interval {} to {} after {}", first, end,
                  previous_end);
    }
    intervals.push_back({first, end - 1});
    previous_end = end;
  }
  return intervals;
}

// What the first eight bytes of an encoded set tell: 'count' in all eight, or in the middle six
// between two bytes of 1 where origins have tags (MySQL 9.7 sql/rpl_gtid_set.cc,
// Gtid_set::encode_nsids_format()).
struct EncodedHeader {
  bool has_tags;
  std::uint64_t count;
};

EncodedHeader DecodeHeader(std::uint64_t header) {
  const bool has_tags = (header >> 56) == 1 && (header & 0xFF) == 1;
  return {has_tags, has_tags ? (header & 0x00FF'FFFF'FFFF'FFFF) >> 8 : header};
}

}  // namespace

Result<GtidSet> GtidSet::Parse(std::string_view text) {
  GtidSet set;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = TakePart(rest, ',');
    if (part.empty()) continue;
    if (auto parsed = ParseOrigins(part, set.origins_); !parsed) {
      return std::unexpected(std::move(parsed).error());
    }
  }
  for (auto& [origin, intervals] : set.origins_) SortAndMerge(intervals);
  return set;
}

Result<GtidSet> GtidSet::Decode(Bytes encoded) {
  ByteCursor cursor(encoded);
  const EncodedHeader header = DecodeHeader(cursor.U64());
  if (!cursor.ok() || header.count > cursor.remaining() / kOriginBytesMin) {
    return Fail(ErrorKind::kCorrupt, "encoded GTID set: {} origins do not fit into {} bytes",
                header.count, encoded.size());
  }
  GtidSet set;
  for (std::uint64_t i = 0; i < header.count; ++i) {
    GtidOrigin origin;
    std::ranges::copy(cursor.Take(origin.uuid.size()), origin.uuid.begin());
    if (header.has_tags) {
      auto tag = DecodeTag(cursor);
      if (!tag) return std::unexpected(std::move(tag).error());
      origin.tag = *std::move(tag);
    }
    auto intervals = DecodeIntervals(cursor);
    if (!intervals) return std::unexpected(std::move(intervals).error());
    if (intervals->empty()) continue;
    const auto [at, is_new] = set.origins_.try_emplace(std::move(origin));
    if (!is_new) {
      return Fail(ErrorKind::kCorrupt, "encoded GTID set: origin {} stands there twice",
                  outboxd::binlog::ToText(at->first.uuid));
    }
    at->second = *std::move(intervals);
  }
  if (!cursor.AtEnd()) {
    return Fail(ErrorKind::kCorrupt, "encoded GTID set: {} bytes too many", cursor.remaining());
  }
  return set;
}

std::string GtidSet::Encode() const {
  const bool has_tags =
      std::ranges::any_of(origins_, [](const auto& entry) { return !entry.first.tag.empty(); });
  const std::uint64_t count = origins_.size();
  std::string encoded;
  AppendLittle64(encoded, has_tags ? (std::uint64_t{1} << 56) | (count << 8) | 1 : count);
  for (const auto& [origin, intervals] : origins_) {
    for (const std::uint8_t byte : origin.uuid) encoded += static_cast<char>(byte);
    if (has_tags) {
      encoded += EncodeTagLength(origin.tag.size());
      encoded += origin.tag;
    }
    AppendLittle64(encoded, intervals.size());
    for (const Interval& interval : intervals) {
      AppendLittle64(encoded, interval.first);
      AppendLittle64(encoded, interval.last + 1);
    }
  }
  return encoded;
}

std::string GtidSet::ToText() const {
  std::string text;
  const GtidOrigin* previous = nullptr;
  for (const auto& [origin, intervals] : origins_) {
    if (previous == nullptr || previous->uuid != origin.uuid) {
      if (previous != nullptr) text += ',';
      text += outboxd::binlog::ToText(origin.uuid);
    }
    previous = &origin;
    if (!origin.tag.empty()) fmt::format_to(std::back_inserter(text), ":{}", origin.tag);
    for (const Interval& interval : intervals) {
      fmt::format_to(std::back_inserter(text), ":{}", interval.first);
      if (interval.last != interval.first) {
        fmt::format_to(std::back_inserter(text), "-{}", interval.last);
      }
    }
  }
  return text;
}

void GtidSet::Add(const GtidOrigin& origin, Interval interval) {
  interval.first = std::max<std::uint64_t>(interval.first, 1);
  interval.last = std::min(interval.last, kGtidNumberMax);
  if (interval.first > interval.last) return;
  Intervals& intervals = origins_[origin];
  if (intervals.empty() || interval.first >= intervals.back().first) {
    AppendMerging(intervals, interval);
    return;
  }
  // The intervals from `first` up to `end` touch or overlap the new one and melt into it.
  const auto first = std::ranges::partition_point(
      intervals, [&](const Interval& other) { return !Touches(other, interval); });
  const auto begin = first;
  auto end = first;
  while (end != intervals.end() && end->first - 1 <= interval.last) ++end;
  if (begin == end) {
    intervals.insert(begin, interval);
    return;
  }
  begin->first = std::min(begin->first, interval.first);
  begin->last = std::max(std::prev(end)->last, interval.last);
  intervals.erase(std::next(begin), end);
}

void GtidSet::Unite(const GtidSet& other) {
  for (const auto& [origin, intervals] : other.origins_) {
    Intervals& own = origins_[origin];
    own = own.empty() ? intervals : United(own, intervals);
  }
}

bool GtidSet::Contains(const Gtid& gtid) const {
  const auto found = origins_.find(gtid.origin);
  if (found == origins_.end()) return false;
  const auto interval = std::ranges::partition_point(
      found->second, [&](const Interval& other) { return other.last < gtid.number; });
  return interval != found->second.end() && interval->first <= gtid.number;
}

bool GtidSet::IsSubsetOf(const GtidSet& other) const {
  return std::ranges::all_of(origins_, [&](const auto& entry) {
    const auto found = other.origins_.find(entry.first);
    return found != other.origins_.end() && IsCovered(entry.second, found->second);
  });
}

GtidSet GtidSet::Minus(const GtidSet& other) const {
  GtidSet difference;
  for (const auto& [origin, intervals] : origins_) {
    const auto found = other.origins_.find(origin);
    Intervals left = found == other.origins_.end() ? intervals : Without(intervals, found->second);
    if (!left.empty()) difference.origins_.emplace(origin, std::move(left));
  }
  return difference;
}

GtidSet GtidSet::Intersect(const GtidSet& other) const {
  GtidSet intersection;
  for (const auto& [origin, intervals] : origins_) {
    const auto found = other.origins_.find(origin);
    if (found == other.origins_.end()) continue;
    Intervals common = Common(intervals, found->second);
    if (!common.empty()) intersection.origins_.emplace(origin, std::move(common));
  }
  return intersection;
}

std::uint64_t GtidSet::count() const {
  std::uint64_t count = 0;
  for (const auto& [origin, intervals] : origins_) {
    for (const Interval& interval : intervals) count += interval.last - interval.first + 1;
  }
  return count;
}

std::optional<Gtid> FindGtid(std::string_view text) {
  const auto set = GtidSet::Parse(text);
  if (!set || set->count() != 1) return std::nullopt;
  const auto& [origin, intervals] = *set->origins().begin();
  return Gtid{origin, intervals.front().first};
}

}  // namespace outboxd::binlog
