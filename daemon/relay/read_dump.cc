#include "daemon/relay/read_dump.h"

#include <spdlog/spdlog.h>

#include <string_view>
#include <utility>

namespace outboxd {
namespace {

using Fed = binlog::TransactionReader::Outcome;

// A binlog event so large is given back by opening the log anew, as StreamFeed does.
constexpr std::size_t kLargeEventBytes = std::size_t{16} << 20;

// "binlog" of "binlog.000007".
std::string_view LogNameOf(std::string_view file) { return file.substr(0, file.rfind('.')); }

}  // namespace

ReadDump::ReadDump(Parts parts, binlog::SchemaLookup lookup,
                   binlog::TransactionBufferOptions buffer)
    : parts_(parts), lookup_(std::move(lookup)), buffer_(std::move(buffer)) {}

void ReadDump::Select(std::vector<binlog::TableSelection> selections) {
  rows_.reset();
  transactions_.reset();
  filter_ = std::make_unique<binlog::TableFilter>(std::move(selections));
  transactions_ = std::make_unique<binlog::TransactionReader>(*filter_, buffer_);
  rows_ = std::make_unique<binlog::RowReader>(*filter_, parts_.character_sets, lookup_);
}

// A server has to hold everything that the read has seen.
binlog::Result<ReadDump::Opened> ReadDump::Open() {
  const Progress progress = parts_.tracker.progress();
  auto stream = resume_from_ ? parts_.source.Open(*resume_from_, seen_)
                             : parts_.source.Open(progress.position, HistoryOf(progress));
  if (!stream) return std::unexpected(stream.error());
  stream_ = std::move(*stream);
  const bool is_other = !seen_.server_uuid.empty() && stream_.server_uuid != seen_.server_uuid;
  if (is_other) {
    spdlog::info("the initial read goes on at server {}, from its log as of the read's beginning",
                 stream_.server_uuid);
    if (resume_from_ && !stream_.lost.empty()) {
      spdlog::warn(
          "server {} lacks transactions that server {} had and the initial read has seen: {};"
          " nothing of them was published",
          stream_.server_uuid, seen_.server_uuid, stream_.lost.ToText());
    }
    seen_ = {};
    return Opened::kOtherServer;
  }
  seen_.server_uuid = stream_.server_uuid;
  is_open_ = is_reopened_ = must_attach_ = true;
  is_at_begin_ = !resume_from_;
  return Opened::kOpen;
}

void ReadDump::Close() {
  if (is_open_ && transactions_ && !must_attach_) resume_from_ = transactions_->ResumePosition();
  parts_.source.Close();
  is_open_ = false;
}

void ReadDump::BeginAnew() {
  parts_.source.Close();
  is_open_ = false;
  has_rows_ = false;
  resume_from_.reset();
  seen_.last_gtid.reset();
  if (transactions_) transactions_->ForgetPrepared({});
}

// Not when it is opened: rows in hand of a transaction would be forgotten, which counts as read.
void ReadDump::Attach() {
  if (!std::exchange(must_attach_, false)) return;
  transactions_->Reset(stream_, resume_from_.value_or(parts_.tracker.progress().position));
}

bool ReadDump::HasReached(const binlog::LogEnd& end) {
  Attach();
  return transactions_->HasReached(end.file, end.offset);
}

binlog::Result<bool> ReadDump::Read() {
  Attach();
  auto event = parts_.source.Next();
  if (!event) return std::unexpected(event.error());
  auto outcome = transactions_->Feed(*event);
  if (!outcome) return std::unexpected(outcome.error());
  if (*outcome == Fed::kIdle && std::exchange(is_at_begin_, false)) {
    parts_.tracker.ReachPlace(transactions_->reached());
  }
  if (*outcome != Fed::kTransaction) return false;
  OnTransaction();
  return true;
}

void ReadDump::OnTransaction() {
  const binlog::Transaction& read = transaction();
  if (std::exchange(is_at_begin_, false)) {
    parts_.tracker.ReachPlace({read.file, read.begin_offset});
  }
  seen_.last_gtid.reset();
  if (transactions_->collects_gtids()) {
    seen_.last_gtid = read.gtid;
    seen_.last_commit_us = read.commit_us;
  }
  has_rows_ = read.has_rows;
  if (has_rows_) rows_->Begin(transactions_->rows());
}

bool ReadDump::HasOtherName(const binlog::LogEnd& end) {
  const std::string& file = transactions_->position().file;
  if (!is_reopened_ || file.empty() || LogNameOf(file) == LogNameOf(end.file)) return false;
  is_reopened_ = false;
  return true;
}

binlog::Result<const binlog::Row*> ReadDump::NextRow() {
  auto row = rows_->Next();
  if (!row || *row != nullptr) return row;
  has_rows_ = false;
  // The client library keeps the memory of the largest binlog event for as long as the connection
  // lasts.
  if (transactions_->largest_event() > kLargeEventBytes && transactions_->CanResume()) Close();
  return row;
}

std::string ReadDump::Place() const {
  return transactions_ ? transactions_->Place() : std::string();
}

}  // namespace outboxd
