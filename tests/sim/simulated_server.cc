#include "tests/sim/simulated_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/binlog/event_stream.h"
#include "tests/sim/transaction_events.h"

namespace outboxd::sim {
namespace {

constexpr std::uint64_t kMagicBytes = 4;

}  // namespace

using binlog::EventBytes;
using binlog::EventType;

SimulatedServer::SimulatedServer(std::string uuid, Settings settings, const History& history)
    : uuid_(std::move(uuid)), settings_(settings), history_(history), stages_(history) {
  BeginFile();
}

std::vector<std::uint8_t> SimulatedServer::Artificial(EventType type,
                                                      const EventBytes& body) const {
  auto event = binlog::MakeEvent(type, body, 0, binlog::EventHeader::kArtificial);
  return settings_.has_checksums ? binlog::WithChecksum(std::move(event)) : event;
}

std::vector<std::uint8_t> SimulatedServer::FormatDescription(std::uint32_t log_pos) const {
  EventBytes body = binlog::FormatDescriptionBody(settings_.has_checksums);
  if (!settings_.has_checksums) body.Little(0, 4);
  auto event = binlog::MakeEvent(EventType::kFormatDescription, body, log_pos);
  return settings_.has_checksums ? binlog::WithChecksum(std::move(event)) : event;
}

std::vector<std::uint8_t> SimulatedServer::Append(EventType type, const EventBytes& body) {
  File& file = files_.back();
  file.end += binlog::kEventHeaderBytes + body.bytes().size();
  if (settings_.has_checksums) file.end += binlog::kChecksumBytes;
  auto event = binlog::MakeEvent(type, body, static_cast<std::uint32_t>(file.end));
  return settings_.has_checksums ? binlog::WithChecksum(std::move(event)) : event;
}

void SimulatedServer::BeginFile() {
  File& file = files_.emplace_back();
  file.name = fmt::format("binlog.{:06}", files_.size());
  file.previous = logged_gtids_;
  file.end = kMagicBytes + FormatDescription(0).size();
  file.head.push_back(FormatDescription(static_cast<std::uint32_t>(file.end)));
  EventBytes previous;
  previous.Text(logged_gtids_.Encode());
  file.head.push_back(Append(EventType::kPreviousGtids, previous));
  file.first = file.end;
}

void SimulatedServer::Log(std::size_t index) {
  const Transaction& transaction = history_.transactions[index];
  const bool is_torn = transaction.kind == Transaction::Kind::kTorn;
  EventParts parts = EventsOf(transaction, history_);
  if (is_torn) parts.pop_back();
  Logged logged{index, files_.back().end, 0, {}};
  for (const auto& [type, body] : parts) logged.events.push_back(Append(type, body));
  logged.end = files_.back().end;
  if (!is_torn) {
    order_.push_back(index);
    places_.resize(std::max(places_.size(), index + 1), {kNone, 0});
    places_[index] = {files_.size() - 1, logged.end};
    if (transaction.gtid) logged_gtids_.Add(*transaction.gtid);
    stages_.Log(index);
  }
  // What it did to the table's definition no other statement overtakes, nor does it overtake one;
  // and a server that crashed recovers what is in its log.
  if (!settings_.commits_in_stages || is_torn || transaction.kind == Transaction::Kind::kDdl) {
    stages_.ExecuteAll();
  }
  files_.back().logged.push_back(std::move(logged));
  if (!is_torn) return;
  files_.back().is_closed = true;
  BeginFile();
}

void SimulatedServer::Rotate() {
  // MySQL 9.7 sql/binlog.cc, new_file_impl(): waits for what is being committed.
  stages_.ExecuteAll();
  const std::string next = fmt::format("binlog.{:06}", files_.size() + 1);
  files_.back().rotate = Append(EventType::kRotate, binlog::RotateBody(next, kMagicBytes));
  files_.back().is_closed = true;
  BeginFile();
}

void SimulatedServer::PurgeBefore(std::size_t file) {
  first_file_ = std::max(first_file_, file);
  purged_ = files_[first_file_].previous;
}

std::size_t SimulatedServer::FileNamed(const std::string& name) const {
  const auto found = std::ranges::find(files_, name, &File::name);
  return found == files_.end() ? kNone : static_cast<std::size_t>(found - files_.begin());
}

bool SimulatedServer::IsBoundary(std::size_t file, std::uint64_t offset) const {
  const File& in = files_[file];
  if (offset == kMagicBytes || offset == in.first) return true;
  return std::ranges::any_of(in.logged, [&](const Logged& logged) {
    return logged.begin == offset || logged.end == offset;
  });
}

std::optional<binlog::Gtid> SimulatedServer::GtidOf(std::size_t index) const {
  const Transaction& transaction = history_.transactions[index];
  return transaction.kind == Transaction::Kind::kTorn ? std::nullopt : transaction.gtid;
}

std::pair<std::size_t, std::uint64_t> SimulatedServer::PlaceOf(std::size_t transaction) const {
  return transaction < places_.size() ? places_[transaction]
                                      : std::pair<std::size_t, std::uint64_t>{kNone, 0};
}

std::string SimulatedServer::NameOf(std::size_t transaction) const {
  if (const auto gtid = GtidOf(transaction)) return ToText(*gtid);
  for (const File& file : files_) {
    const auto logged = std::ranges::find(file.logged, transaction, &Logged::transaction);
    if (logged != file.logged.end()) return fmt::format("{}:{}", file.name, logged->begin);
  }
  return {};
}

}  // namespace outboxd::sim
