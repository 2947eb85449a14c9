#include "tests/sim/simulated_source.h"

#include <algorithm>
#include <utility>

#include "tests/binlog/event_stream.h"

namespace outboxd::sim {

using binlog::ErrorKind;
using binlog::EventType;

namespace {

std::unexpected<binlog::HostAnswer> Refuses(const binlog::Error& error) {
  return std::unexpected(binlog::HostAnswer{.error = error});
}

}  // namespace

binlog::Result<binlog::StreamIdentity> SimulatedSource::Open(const binlog::Position& from,
                                                             const binlog::KnownHistory& known) {
  Close();
  faults_.Yield("opening the source");
  if (faults_.Strike(faults_.rates().source_open)) {
    const bool denies = was_open_ && faults_.random().OneIn(4);
    faults_.Note("source: Open fails{}", denies ? ", denied" : "");
    return Fail(denies ? ErrorKind::kDenied : ErrorKind::kDisconnected, "injected");
  }
  by_gtid_ = source_.gtid_mode_is_on && (!from.gtids.empty() || from.file.empty());
  if (source_.must_ask_by_gtid && !by_gtid_) {
    throw Violation{fmt::format("the source is opened at {}:{} though it has gtid_mode = ON",
                                from.file, from.offset)};
  }
  pending_.clear();
  auto found = Find({from, known, false});
  if (!found) {
    const auto chosen = choice_.Decide({&found.error(), 1}, clock_.Now());
    found = chosen ? Find({from, known, true}) : Found(Refuses(chosen.error()));
  }
  faults_.Note("source: Open at '{}' {}:{}: {}{}", from.gtids.ToText(), from.file, from.offset,
               found ? (by_gtid_ ? "by GTID" : "by file") : found.error().error.message,
               found && !found->lost.empty() ? ", without " + found->lost.ToText() : "");
  if (!found) return std::unexpected(found.error().error);
  choice_.Reset();
  source_.reported_lost.Unite(found->lost);
  is_open_ = was_open_ = true;
  is_at_end_ = false;
  return *found;
}

SimulatedSource::Found SimulatedSource::Find(const Request& request) {
  binlog::StreamIdentity stream{.server_uuid = source_.server->uuid(),
                                .by_gtid = by_gtid_,
                                .has_checksums = source_.server->has_checksums()};
  if (by_gtid_) return FindByGtid(request, std::move(stream));
  auto found = FindByFile(request);
  if (!found) return Refuses(found.error());
  return stream;
}

SimulatedSource::Found SimulatedSource::FindByGtid(const Request& request,
                                                   binlog::StreamIdentity stream) {
  const SimulatedServer& server = *source_.server;
  binlog::GtidSet have = request.from.gtids;
  if (request.known.begun) have.Add(*request.known.begun);
  const std::string& former = request.known.server_uuid;
  auto compared = CompareHistories(have, server.logged_gtids(), server.uuid(), former);
  const bool is_accepted = request.accepts_loss && compared.lack == binlog::Lack::kTail;
  if (compared.lack != binlog::Lack::kNothing && !is_accepted) {
    const bool is_applying = std::ranges::any_of(source_.lagging, [&](std::size_t transaction) {
      const auto gtid = server.GtidOf(transaction);
      return gtid && compared.missing.Contains(*gtid);
    });
    binlog::HostAnswer answer;
    answer.error = {ErrorKind::kDiverged,
                    fmt::format("the server lacks {}", compared.missing.ToText())};
    answer.lack = compared.lack;
    answer.missing = compared.missing.count();
    answer.server_uuid = server.uuid();
    answer.replication.is_applying = is_applying;
    return std::unexpected(std::move(answer));
  }
  if (!server.purged().IsSubsetOf(request.from.gtids)) {
    const binlog::GtidSet gap = server.purged().Minus(request.from.gtids);
    return Refuses({ErrorKind::kGone, fmt::format("purged: {}", gap.ToText())});
  }
  have_ = request.from.gtids.Minus(compared.missing);
  stream.lost = std::move(compared.missing);
  if (former != server.uuid() && !have.empty()) {
    stream.unseen = OfUnseenOrigins(have, server.logged_gtids());
  }
  skips_ = false;
  file_ = server.first_file();
  for (std::size_t i = file_ + 1; i < server.files().size(); ++i) {
    if (server.files()[i].previous.IsSubsetOf(have_)) file_ = i;
  }
  SendHead(4);
  return stream;
}

binlog::Result<void> SimulatedSource::FindByFile(const Request& request) {
  const SimulatedServer& server = *source_.server;
  const binlog::Position& from = request.from;
  if (!from.file.empty() && request.known.server_uuid != server.uuid()) {
    return Fail(ErrorKind::kDiverged, "another server");
  }
  file_ = from.file.empty() ? server.first_file() : server.FileNamed(from.file);
  if (file_ == kNone || file_ < server.first_file()) {
    return Fail(ErrorKind::kGone, "{} is gone", from.file);
  }
  if (from.offset > server.files()[file_].end) {
    return Fail(ErrorKind::kDiverged, "{} is shorter than {}", from.file, from.offset);
  }
  const std::uint64_t offset = std::max<std::uint64_t>(from.offset, 4);
  if (!server.IsBoundary(file_, offset)) {
    throw Violation{fmt::format("{}:{} is asked for, which is no boundary", from.file, offset)};
  }
  have_ = {};
  skips_ = false;
  SendHead(offset);
  return {};
}

// What comes in front of the transactions of a file.
void SimulatedSource::SendHead(std::uint64_t offset) {
  const SimulatedServer& server = *source_.server;
  const SimulatedServer::File& file = server.files()[file_];
  pending_.push_back(
      {server.Artificial(EventType::kRotate, binlog::RotateBody(file.name, offset)), kNone});
  if (offset == 4) {
    for (const auto& event : file.head) pending_.push_back({event, kNone});
  } else {
    pending_.push_back({server.FormatDescription(0), kNone});
  }
  const auto next = std::ranges::find_if(
      file.logged, [offset](const auto& logged) { return logged.begin >= offset; });
  logged_ = static_cast<std::size_t>(next - file.logged.begin());
}

std::vector<std::uint8_t> SimulatedSource::Heartbeat(const std::string& file,
                                                     std::uint64_t offset) const {
  auto event = binlog::MakeEvent(EventType::kHeartbeat, binlog::EventBytes().Text(file),
                                 static_cast<std::uint32_t>(offset));
  return source_.server->has_checksums() ? binlog::WithChecksum(std::move(event)) : event;
}

void SimulatedSource::Fill() {
  const SimulatedServer& server = *source_.server;
  while (pending_.empty()) {
    const SimulatedServer::File& file = server.files()[file_];
    if (logged_ < file.logged.size()) {
      const SimulatedServer::Logged& logged = file.logged[logged_++];
      const auto gtid = server.GtidOf(logged.transaction);
      const bool was_read = by_gtid_ && gtid && have_.Contains(*gtid);
      const bool has_skipped = std::exchange(skips_, was_read);
      if (was_read) {
        // Where it has been silent for long it tells how far it is.
        if (!faults_.random().OneIn(4)) continue;
        pending_.push_back({Heartbeat(file.name, logged.end), kNone});
        return;
      }
      // The same where it comes to the end of what is skipped.
      if (has_skipped) pending_.push_back({Heartbeat(file.name, logged.begin), kNone});
      for (const auto& event : logged.events) pending_.push_back({event, logged.transaction});
      return;
    }
    if (!file.is_closed) return;
    if (!file.rotate.empty()) pending_.push_back({file.rotate, kNone});
    ++file_;
    SendHead(4);
  }
}

bool SimulatedSource::Corrupts(const Pending& next) {
  if (!source_.server->has_checksums() || next.transaction == kNone) return false;
  return faults_.Strike(faults_.rates().corrupt) && source_.corrupted[next.transaction]++ < 2;
}

binlog::Result<binlog::Bytes> SimulatedSource::Next() {
  faults_.Yield("reading an event");
  if (!is_open_) return Fail(ErrorKind::kDisconnected, "not open");
  if (is_interrupted_) {
    is_interrupted_ = false;
    return Fail(ErrorKind::kInterrupted, "interrupted");
  }
  if (faults_.Strike(faults_.rates().disconnect)) {
    faults_.Note("source: disconnected");
    Close();
    return Fail(ErrorKind::kDisconnected, "injected");
  }
  Fill();
  is_at_end_ = pending_.empty();
  if (is_at_end_) {
    // It tells how far the server has come, past transactions that it skipped.
    const SimulatedServer::File& file = source_.server->files()[file_];
    current_ = Heartbeat(file.name, file.end);
    return binlog::Bytes(current_);
  }
  const bool corrupts = Corrupts(pending_.front());
  current_ = std::move(pending_.front().bytes);
  pending_.pop_front();
  if (corrupts) {
    // Not the type: what becomes a FORMAT_DESCRIPTION tells itself that it has no checksum.
    constexpr std::size_t kBehindType = 5;
    const std::size_t at = kBehindType + faults_.random().Below(current_.size() - kBehindType);
    current_[at] ^= static_cast<std::uint8_t>(1 + faults_.random().Below(255));
    faults_.Note("source: byte {} of an event is damaged", at);
  }
  return binlog::Bytes(current_);
}

}  // namespace outboxd::sim
