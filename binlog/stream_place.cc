#include "binlog/stream_place.h"

#include <limits>
#include <utility>

namespace outboxd::binlog {
namespace {

// The greatest offset that a dump by file can begin at.
constexpr std::uint64_t kFileOffsetMax = std::numeric_limits<std::uint32_t>::max();

// The number at the end of a binlog file's name, without leading zeros. The server goes on to seven
// digits behind 999999.
std::string_view NumberOf(std::string_view file) {
  const std::size_t point = file.rfind('.');
  if (point == std::string_view::npos) return {};
  const std::string_view number = file.substr(point + 1);
  if (number.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return number.substr(std::min(number.find_first_not_of('0'), number.size()));
}

bool IsLaterFile(std::string_view file, std::string_view other) {
  if (file.substr(0, file.rfind('.')) != other.substr(0, other.rfind('.'))) return false;
  const std::string_view number = NumberOf(file);
  const std::string_view other_number = NumberOf(other);
  if (number.empty() || other_number.empty()) return false;
  if (number.size() != other_number.size()) return number.size() > other_number.size();
  return number > other_number;
}

}  // namespace

void StreamPlace::Begin(bool by_gtid, const Position& from) {
  by_gtid_ = by_gtid;
  collects_gtids_ = by_gtid || !from.gtids.empty();
  file_ = from.file;
  event_begin_ = event_end_ = from.offset;
  const bool begins_within = !by_gtid && from.offset > kFirstOffset;
  begin_ = begins_within ? LogEnd{from.file, from.offset} : LogEnd{};
  has_file_ = false;
  skipped_to_ = 0;
  boundary_ = from;
}

bool StreamPlace::OnRotate(const Rotate& rotate) {
  file_ = rotate.file;
  event_begin_ = event_end_ = std::max(rotate.offset, kFirstOffset);
  has_file_ = true;
  skipped_to_ = 0;
  // A dump by GTID begins at the start of the file that the boundary may already be in.
  if (file_ == boundary_.file && event_end_ <= boundary_.offset) return false;
  boundary_.file = file_;
  boundary_.offset = event_end_;
  return true;
}

// Everything before this file, so that a stream by file that comes here from the file before, or
// begins here, knows the whole set from now on.
Result<bool> StreamPlace::OnPreviousGtids(Bytes body) {
  if (collects_gtids_) return false;
  auto gtids = GtidSet::Decode(body);
  if (!gtids) return std::unexpected(gtids.error());
  boundary_.gtids = std::move(*gtids);
  collects_gtids_ = true;
  return true;
}

// What it tells of a stream by GTID no event does: the server skips whole transactions.
bool StreamPlace::OnHeartbeat(const EventHeader& header, Bytes body) {
  const Heartbeat heartbeat = ParseHeartbeat(header.type, header.log_pos, body);
  if (heartbeat.file != file_) return false;
  // With the upper half of an earlier offset it is no later than it really is.
  const std::uint64_t upper = header.type == EventType::kHeartbeat ? event_end_ & ~kLow : 0;
  skipped_to_ = std::max(skipped_to_, upper | heartbeat.offset);
  return has_file_;
}

void StreamPlace::OnEnd(const std::optional<Gtid>& gtid) {
  if (collects_gtids_ && gtid) boundary_.gtids.Add(*gtid);
  boundary_.file = file_;
  boundary_.offset = event_end_;
}

std::string StreamPlace::Text() const { return fmt::format("{}:{}", file_, event_begin_); }

Position StreamPlace::ResumePosition() const {
  Position position = boundary_;
  // A set that is still empty must not be taken for a position by file.
  if (by_gtid_ && position.gtids.empty()) position.file.clear();
  return position;
}

bool StreamPlace::CanResume() const { return by_gtid_ || boundary_.offset <= kFileOffsetMax; }

const LogEnd* StreamPlace::StandsAtBegin() const {
  const bool stands_there =
      !begin_.file.empty() && boundary_.file == begin_.file && boundary_.offset == begin_.offset;
  return stands_there ? &begin_ : nullptr;
}

bool StreamPlace::HasReached(std::string_view file, std::uint64_t offset,
                             const Transaction* open) const {
  if (!has_file_) return false;
  if (file != file_) return IsLaterFile(file_, file);
  // A transaction that a crash left open stands in the file before.
  const bool is_open = open != nullptr && open->file == file_;
  return offset <= (is_open ? open->begin_offset : std::max(event_end_, skipped_to_));
}

}  // namespace outboxd::binlog
