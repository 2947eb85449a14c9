#include "tests/sim/model_read.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace outboxd::sim {
namespace {

constexpr int kAttemptsToHeal = 30;
constexpr int kAttemptsMax = 200;
constexpr std::size_t kChunkBytesMax = 30;

std::size_t NumberBehindLetter(const std::optional<std::string>& text) {
  std::size_t number = 0;
  std::from_chars(text->data() + 1, text->data() + text->size(), number);
  return number;
}

// Of a row's columns id, payload and seq.
LoggedImage ImageOf(const binlog::ChunkRow& row) {
  const std::string& payload = *row.values[1];
  const std::size_t dot = payload.find('.');
  LoggedImage image{.event = NumberBehindLetter(row.values[0]), .version = 0, .seq = 0};
  if (dot != std::string::npos) image.version = NumberBehindLetter(payload.substr(dot));
  image.seq = NumberBehindLetter("s" + *row.values[2]);
  return image;
}

}  // namespace

ModelRead::ModelRead(const Scenario& scenario, std::uint64_t seed, bool keeps_trace,
                     const MakeInterposer& make_interposer, Bugs bugs)
    : scenario_(scenario),
      bugs_(bugs),
      faults_(seed, keeps_trace),
      world_(scenario_, faults_, clock_),
      checker_(world_.history(), world_.source(), faults_),
      interposer_(make_interposer ? make_interposer() : std::make_unique<Interposer>()) {
  faults_.Set(scenario.rates);
  interposer_->Meet(world_.source());
}

std::optional<std::string> ModelRead::Run() {
  try {
    world_.FillTable();
    begin_ = world_.ReadFromHere();
    checker_.BeginRead(begin_.position);
    faults_.Note("read: begins at '{}' {}:{}", begin_.position.gtids.ToText(), begin_.position.file,
                 begin_.position.offset);
    bool is_done = false;
    for (int i = 0; i < kAttemptsMax && !is_done; ++i) {
      if (i >= kAttemptsToHeal) faults_.Heal();
      if (i >= kAttemptsToHeal) world_.Settle();
      clock_.Move(std::chrono::milliseconds(20));
      try {
        is_read_ = is_read_ || ReadTable();
        is_done = is_read_ && ReadStream();
      } catch (const Crashed&) {
        checker_.AllowRepeats();
      }
    }
    if (!is_done) throw Violation{"no progress after all faults are over"};
    CheckAtEnd();
    return std::nullopt;
  } catch (const Violation& violation) {
    faults_.Note("VIOLATION: {}", violation.what);
    return violation.what;
  }
}

bool ModelRead::ReadTable() {
  if (!Begin() || !WaitForPrepared()) return false;
  const auto bound = seen_tables_->HighestKey(table_, waits());
  if (!bound) return false;
  bound_ = *bound;
  while (true) {
    const auto chunk = ReadChunk();
    if (!chunk) return false;
    if (*chunk == Chunk::kLast) return true;
  }
}

bool ModelRead::Begin() {
  dump_ = std::make_unique<SimulatedSource>(world_.source(), faults_, clock_);
  tables_ = std::make_unique<SimulatedTables>(world_.source(), world_.history(), faults_,
                                              [this] { world_.GoOn(); });
  seen_dump_ = &interposer_->Around(static_cast<binlog::EventSource&>(*dump_));
  seen_tables_ = &interposer_->Around(static_cast<binlog::TableSource&>(*tables_));
  came_.clear();
  back_.clear();
  const auto stream = seen_dump_->Open(
      begin_.position, {.server_uuid = begin_.server_uuid, .last_gtid = std::nullopt});
  if (!stream || !seen_tables_->Open(*stream)) return false;
  log_.emplace(stream->has_checksums);
  const auto tables = seen_tables_->Describe("shop", "outbox");
  if (!tables) return false;
  table_ = tables->at(0);
  return true;
}

// What was prepared before the position, and by chance later.
bool ModelRead::WaitForPrepared() {
  if (waits() && !seen_tables_->HighestKey(table_, true)) return false;
  std::optional<std::set<std::string>> undecided;
  while (!undecided || !undecided->empty()) {
    if (undecided && faults_.rates().crash == 0) world_.Settle();
    const auto prepared = seen_tables_->PreparedXa();
    if (!prepared) return false;
    if (!undecided) undecided = **prepared;
    std::erase_if(*undecided, [&](const auto& xid) { return !(*prepared)->contains(xid); });
  }
  return true;
}

std::optional<ModelRead::Chunk> ModelRead::ReadChunk() {
  static const std::vector<std::string> kColumns = {"id", "payload", "seq"};
  std::size_t rows_max = 1 + faults_.random().Below(3);
  std::optional<binlog::Chunk> chunk;
  while (bound_ && !chunk) {
    binlog::ChunkRequest request{.table = table_, .columns = kColumns};
    request.after = done_place_ ? &done_key_ : nullptr;
    request.up_to = &*bound_;
    request.rows_max = rows_max;
    request.bytes_max = kChunkBytesMax;
    request.waits_for_commits = waits();
    auto read = seen_tables_->Read(request);
    if (!read) return std::nullopt;
    chunk = *std::move(read);
    rows_max = 1;
  }
  if (!chunk) chunk = binlog::Chunk{.rows = {}, .bytes = 0, .is_last = true};
  const auto end = seen_tables_->EndOfLog();
  if (!end || !ReadDumpUpTo(*end)) return std::nullopt;
  PublishChunk(*chunk, chunk->is_last);
  return chunk->is_last ? Chunk::kLast : Chunk::kMore;
}

bool ModelRead::ReadDumpUpTo(const binlog::LogEnd& end) {
  const auto is_there = [&] {
    return log_->file() > end.file || (log_->file() == end.file && log_->offset() >= end.offset);
  };
  while (!is_there()) {
    const auto event = seen_dump_->Next();
    if (!event) return false;
    const auto outcome = log_->Feed(*event);
    if (outcome == LogInterpreter::Outcome::kHeartbeat && dump_->is_at_end()) return true;
    if (outcome != LogInterpreter::Outcome::kTransaction) continue;
    for (const LoggedChange& change : log_->changes()) {
      if (!Note(change)) return false;
    }
  }
  return true;
}

std::optional<binlog::KeyPlace> ModelRead::PlaceOf(std::uint64_t seq) {
  auto places = seen_tables_->PlacesOf(table_.key, {{std::to_string(seq)}});
  return places ? std::optional(std::move(places->front())) : std::nullopt;
}

bool ModelRead::Note(const LoggedChange& change) {
  if (change.before) {
    const auto place = PlaceOf(change.before->seq);
    if (!place) return false;
    if (came_.contains(*place)) {
      if (bugs_.forgets_keys) came_.erase(*place);
    } else if (!done_place_ || *place > *done_place_) {
      back_.try_emplace(*place, *change.before);
    }
  }
  const bool comes = change.after && (!change.before || change.before->seq != change.after->seq);
  if (!comes) return true;
  const auto place = PlaceOf(change.after->seq);
  if (!place) return false;
  came_.insert(*place);
  return true;
}

void ModelRead::PublishChunk(const binlog::Chunk& chunk, bool is_last) {
  for (const binlog::ChunkRow& row : chunk.rows) {
    if (came_.contains(row.place) || back_.contains(row.place)) continue;
    Publish(ImageOf(row), Road::kRead);
  }
  const auto is_within = [&](const binlog::KeyPlace& place) {
    return is_last || (!chunk.rows.empty() && place <= chunk.rows.back().place);
  };
  for (const auto& [place, image] : back_) {
    if (is_within(place)) Publish(image, Road::kRead);
  }
  std::erase_if(back_, [&](const auto& row) { return is_within(row.first); });
  std::optional<std::uint64_t> key;
  if (!chunk.rows.empty()) {
    done_place_ = chunk.rows.back().place;
    done_key_ = chunk.rows.back().key;
    key = ImageOf(chunk.rows.back()).seq;
  }
  faults_.Note("read: done up to {}", is_last ? "the end" : done_key_.front());
  if (!is_last && !key) return;
  if (const auto event = checker_.read()->UndeliveredUpTo(is_last ? std::nullopt : key)) {
    throw Violation{fmt::format("the read is beyond event {}, which is not delivered", *event)};
  }
}

void ModelRead::Publish(const Image& image, Road road) {
  faults_.Yield("publishing");
  const std::string id = IdOf(image.event);
  const std::string value = ValueOf(image.event, image.version);
  const std::string key = KeyOf(world_.history().events.at(image.event));
  const std::string position = road == Road::kRead ? "table:shop.outbox:x" : "x:1:1";
  const std::array<sinks::Header, 2> headers = {
      {{.name = "id", .value = id}, {.name = "outboxd.position", .value = position}}};
  const std::size_t event = checker_.OnPublish(
      {.topic = "outbox.event.order", .key = key, .value = value, .headers = headers});
  checker_.OnAppend(event, road);
  checker_.OnAcknowledge(event);
}

bool ModelRead::ReadStream() {
  world_.Settle();
  SimulatedSource source(world_.source(), faults_, clock_);
  const auto stream =
      source.Open(begin_.position, {.server_uuid = begin_.server_uuid, .last_gtid = std::nullopt});
  if (!stream) return false;
  // It reads everything again, every time.
  if (world_.has_prepared()) return false;
  LogInterpreter log(stream->has_checksums);
  while (true) {
    const auto event = source.Next();
    if (!event) {
      checker_.AllowRepeats();
      return false;
    }
    const auto outcome = log.Feed(*event);
    if (outcome == LogInterpreter::Outcome::kHeartbeat && source.is_at_end()) return true;
    if (outcome != LogInterpreter::Outcome::kTransaction) continue;
    for (const LoggedChange& change : log.changes()) {
      if (!change.before) Publish(*change.after, Road::kStream);
    }
  }
}

void ModelRead::CheckAtEnd() const {
  const auto& events = world_.history().events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!checker_.read()->IsDue(i) || events[i].is_acknowledged) continue;
    throw Violation{fmt::format("event {} is not delivered", i)};
  }
}

}  // namespace outboxd::sim
