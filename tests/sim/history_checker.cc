#include "tests/sim/history_checker.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace outboxd::sim {

using Kind = Transaction::Kind;

bool HistoryChecker::ReadIsUnderWay(const Checkpoint& checkpoint) {
  return checkpoint.read.has_value();
}

std::optional<std::uint64_t> HistoryChecker::ReadUpTo(const Checkpoint& checkpoint) {
  if (!checkpoint.read || checkpoint.read->tables.empty()) return std::nullopt;
  const TableReadState& state = checkpoint.read->tables.front();
  if (state.is_done) return std::numeric_limits<std::uint64_t>::max();
  if (state.last_key.empty()) return std::nullopt;
  return std::stoull(state.last_key.front().value);
}

void HistoryChecker::BeginRead(const binlog::Position& position) {
  if (read_ && IsBeginOfRead(position)) return;
  if (read_is_published_) throw Violation{"the read begins anew at another position"};
  std::set<std::size_t> before;
  for (const std::size_t index : source_.server->order()) {
    if (Covers(position, index)) before.insert(index);
  }
  faults_.Note("read: {} transactions are before it", before.size());
  read_.emplace(history_, std::move(before), !source_.hides_prepared_xa);
  read_position_ = position;
}

bool HistoryChecker::IsBeginOfRead(const binlog::Position& position) const {
  const bool is_behind = read_position_.gtids.IsSubsetOf(position.gtids) &&
                         position.file == read_position_.file &&
                         position.offset == read_position_.offset;
  if (!is_behind) return false;
  binlog::GtidSet others = position.gtids.Minus(read_position_.gtids);
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const auto& gtid = history_.transactions[i].gtid;
    if (!gtid || !read_->DecidesBefore(i)) continue;
    binlog::GtidSet one;
    one.Add(*gtid);
    others = others.Minus(one);
  }
  return others.empty();
}

Road HistoryChecker::RoadOf(const sinks::Message& message) {
  const bool is_read = std::ranges::any_of(message.headers, [](const sinks::Header& header) {
    return header.name == "outboxd.position" && header.value && header.value->starts_with("table:");
  });
  return is_read ? Road::kRead : Road::kStream;
}

std::size_t HistoryChecker::OnPublish(const sinks::Message& message) {
  const std::string_view value = message.value.value_or("");
  std::size_t index = kNone;
  std::size_t version = 0;
  const char* const end = value.data() + value.size();
  if (value.size() > 1) {
    const char* const behind = std::from_chars(value.data() + 1, end, index).ptr;
    if (behind != end) std::from_chars(behind + 1, end, version);
  }
  if (index >= history_.events.size()) throw Violation{fmt::format("invented: '{}'", value)};
  const Event& event = history_.events[index];
  if (!event.was_committed) {
    throw Violation{fmt::format("event {} is published, but was not committed", index)};
  }
  const bool has_id = std::ranges::any_of(message.headers, [&](const sinks::Header& header) {
    return header.name == "id" && header.value == IdOf(index);
  });
  const bool is_dead = message.topic == kDeadLetterTopic;
  if (is_dead && !event.was_refused) {
    throw Violation{fmt::format("a dead letter of event {}, which nothing refused", index)};
  }
  const bool has_topic = is_dead || message.topic == "outbox.event.order";
  if (!has_id || message.key != KeyOf(event) || !has_topic) {
    throw Violation{fmt::format("event {} is published to {} with key {}", index, message.topic,
                                message.key.value_or("none"))};
  }
  if (read_) {
    const Road road = RoadOf(message);
    if (const auto wrong = read_->OnPublish(index, version, road); !wrong.empty()) {
      throw Violation{wrong};
    }
    read_is_published_ = read_is_published_ || road == Road::kRead;
  }
  return index;
}

void HistoryChecker::OnAppend(std::size_t index, Road road) {
  Event& event = history_.events[index];
  faults_.Note("broker: has event {}{}", index, event.is_appended ? " again" : "");
  if (forbids_repeats_ && event.is_appended) {
    throw Violation{fmt::format("event {} comes more than once", index)};
  }
  if (read_) {
    read_->OnAppend(index);
    if (const auto repeated = read_->Repeated()) {
      throw Violation{fmt::format("event {} comes more than once", *repeated)};
    }
  }
  if (event.is_appended) return;
  event.is_appended = true;
  // It may come late: it is not the relay that decides; or a crash has made the relay forget.
  if (event.may_be_skipped || event.is_dead_lettered) return;
  if (road == Road::kRead) return;
  // A failover took its commit back while it was on its way, and it was decided anew since.
  if (event.state != Event::State::kCommitted) return;
  std::uint64_t& last = last_order_[PartitionOf(event)];
  if (event.order < last) {
    throw Violation{fmt::format("event {} (order {}) comes first behind order {} of its partition",
                                index, event.order, last)};
  }
  last = event.order;
}

void HistoryChecker::OnAppendDead(std::size_t index) {
  faults_.Note("broker: has the dead letter of event {}", index);
  history_.events[index].is_dead_lettered = true;
}

void HistoryChecker::OnAcknowledge(std::size_t event) {
  history_.events[event].is_acknowledged = true;
}

bool HistoryChecker::ResumesByGtid(const binlog::Position& position) const {
  return source_.gtid_mode_is_on && (!position.gtids.empty() || position.file.empty());
}

bool HistoryChecker::Covers(const binlog::Position& position, std::size_t index) const {
  const Transaction& transaction = history_.transactions[index];
  if (transaction.gtid && position.gtids.Contains(*transaction.gtid)) return true;
  if (ResumesByGtid(position)) return false;
  const auto [file, end] = source_.server->PlaceOf(index);
  const std::size_t at = source_.server->FileNamed(position.file);
  if (at == kNone || file == kNone) return false;
  return file < at || (file == at && end <= position.offset);
}

std::string HistoryChecker::NameOf(std::size_t index) const {
  const Transaction& transaction = history_.transactions[index];
  const auto place = source_.server->PlaceOf(index);
  return fmt::format("transaction {} ({}, ends at file {} offset {})", index,
                     transaction.gtid ? ToText(*transaction.gtid) : "anonymous", place.first + 1,
                     place.second);
}

bool HistoryChecker::IsDone(const Transaction& transaction) const {
  return std::ranges::all_of(transaction.events, [&](std::size_t index) {
    return history_.IsDone(history_.events[index]) || (read_ && !read_->IsDue(index));
  });
}

void HistoryChecker::CheckRead(const Checkpoint& checkpoint) const {
  if (ReadIsUnderWay(checkpoint)) {
    const bool has_moved = !IsBeginOfRead(checkpoint.position) && source_.former_uuid.empty();
    if (has_moved) throw Violation{"the checkpoint leaves the position at which the read began"};
    const auto key = ReadUpTo(checkpoint);
    const auto event = key ? read_->UndeliveredUpTo(key) : std::nullopt;
    if (!event) return;
    throw Violation{fmt::format(
        "the checkpoint has read all up to {}, but event {} is not delivered", *key, *event)};
  }
  if (const auto event = read_->UndeliveredUpTo(std::nullopt)) {
    throw Violation{
        fmt::format("the checkpoint ends the read, but event {} is not delivered", *event)};
  }
  if (const std::size_t index = read_->Undecided(); index != kNone) {
    throw Violation{
        fmt::format("the checkpoint ends the read, but {} is not decided", NameOf(index))};
  }
}

void HistoryChecker::OnStore(const Checkpoint& checkpoint) {
  const binlog::Position& position = checkpoint.position;
  faults_.Note("checkpoint: '{}' {}:{}", position.gtids.ToText(), position.file, position.offset);
  tried_.push_back(checkpoint);
  Check(checkpoint);
}

void HistoryChecker::Check(const Checkpoint& checkpoint) const {
  const binlog::Position& position = checkpoint.position;
  const SimulatedServer& server = *source_.server;
  // A relay that was not told of the failover yet stores what it did with the server before.
  if (checkpoint.server_uuid != server.uuid()) return;
  if (source_.gtid_mode_is_on && !position.gtids.IsSubsetOf(server.logged_gtids())) {
    throw Violation{"the checkpoint has transactions that its server does not have"};
  }
  if (!ResumesByGtid(position)) {
    const std::size_t file = server.FileNamed(position.file);
    if (file == kNone || !server.IsBoundary(file, std::max<std::uint64_t>(position.offset, 4))) {
      throw Violation{fmt::format("the checkpoint {}:{} is no boundary of a transaction",
                                  position.file, position.offset)};
    }
  }
  if (read_) CheckRead(checkpoint);
  if (checkpoint.part) CheckPart(checkpoint);
  for (const std::size_t index : server.order()) {
    if (read_ && (read_->IsBefore(index) || read_->DecidesBefore(index))) continue;
    const Transaction& transaction = history_.transactions[index];
    const bool is_held = transaction.kind == Kind::kXaPrepare && !transaction.events.empty() &&
                         transaction.decision == kNone;
    if (!is_held && IsDone(transaction)) continue;
    if (!Covers(position, index)) continue;
    throw Violation{fmt::format("the checkpoint covers {}, which is {}", NameOf(index),
                                is_held ? "not decided" : "not delivered")};
  }
  for (const std::size_t index : server.order()) {
    const Transaction& decision = history_.transactions[index];
    if (decision.prepare == kNone || !Covers(position, index)) continue;
    if (Covers(position, decision.prepare)) continue;
    throw Violation{
        fmt::format("the checkpoint covers {}, but not what it decides", NameOf(index))};
  }
}

void HistoryChecker::CheckPart(const Checkpoint& checkpoint) const {
  const TransactionPart& part = *checkpoint.part;
  for (const std::size_t index : source_.server->order()) {
    if (source_.server->NameOf(index) != part.place) continue;
    if (Covers(checkpoint.position, index)) {
      throw Violation{fmt::format("the checkpoint covers {}, and has a part of it", NameOf(index))};
    }
    const auto& events = history_.transactions[index].events;
    for (std::size_t i = 0; i < part.rows; ++i) {
      if (i < events.size() && history_.IsDone(history_.events[events[i]])) continue;
      throw Violation{fmt::format("the checkpoint has {} rows of {}, but row {} is not delivered",
                                  part.rows, NameOf(index), i + 1)};
    }
  }
}

void HistoryChecker::OnStored() {
  durable_ = current_ = tried_.back();
  tried_.clear();
}

void HistoryChecker::OnSettled() {
  durable_ = current_;
  tried_.clear();
}

void HistoryChecker::OnLoad(const std::optional<Checkpoint>& checkpoint) {
  current_ = checkpoint;
  if (checkpoint == durable_) return;
  if (!checkpoint || std::ranges::find(tried_, *checkpoint) == tried_.end()) {
    throw Violation{fmt::format("the checkpoint found at the start ({}) was not stored last",
                                checkpoint ? checkpoint->position.gtids.ToText() : "none")};
  }
}

std::string HistoryChecker::Missing() const {
  for (std::size_t i = 0; i < history_.events.size(); ++i) {
    const Event& event = history_.events[i];
    if (event.state != Event::State::kCommitted || history_.IsDone(event)) continue;
    if (history_.transactions[event.transaction].is_lost) continue;
    if (read_ && (!read_->IsDue(i) || read_->WasDecidedAnew(i))) continue;
    return fmt::format("event {} of {} is not delivered", i, NameOf(event.transaction));
  }
  if (!current_) return "nothing was stored";
  if (current_->part) return "the checkpoint keeps a part of " + current_->part->place;
  if (ReadIsUnderWay(*current_)) return "the read has not come to its end";
  bool holds = false;
  for (const std::size_t index : source_.server->order()) {
    const Transaction& transaction = history_.transactions[index];
    const bool is_held = transaction.kind == Kind::kXaPrepare && !transaction.events.empty() &&
                         transaction.decision == kNone;
    holds = holds || is_held;
    const bool covered = Covers(current_->position, index);
    // By file everything behind a transaction that is held waits for it.
    if (holds && !ResumesByGtid(current_->position)) continue;
    if (!is_held && !covered) {
      return fmt::format("{} is not covered by the checkpoint", NameOf(index));
    }
  }
  const SimulatedServer& server = *source_.server;
  const bool is_behind = !holds && !ResumesByGtid(current_->position) &&
                         current_->position.file != server.files().back().name;
  if (is_behind) return "the checkpoint names a file that the server has left";
  return "";
}

}  // namespace outboxd::sim
