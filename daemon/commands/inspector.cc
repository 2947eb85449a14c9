#include "daemon/commands/inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/escaped.h"
#include "binlog/event_text.h"
#include "daemon/exit_code_of.h"
#include "daemon/relay/change_watch.h"

namespace outboxd {
namespace {

using binlog::Transaction;
using binlog::XaStep;

constexpr std::string_view kInPayload = "  compressed in it";
constexpr std::size_t kValueBytesMax = 100;
constexpr std::size_t kTextBytesMax = 400;
constexpr std::size_t kErrorBytesMax = 1000;

void PrintLine(std::string_view place, binlog::EventType type, std::string_view description) {
  fmt::print("{:<24} {:<20} {}\n", place, binlog::NameOf(type),
             Escaped(description, kTextBytesMax));
}

std::string Decision(const Transaction& transaction) {
  switch (transaction.xa) {
    case XaStep::kHeld:
      return fmt::format("held: XA transaction {} is prepared; its rows wait for XA COMMIT",
                         transaction.xid);
    case XaStep::kPrepared:
      return fmt::format("skipped: XA transaction {} is prepared without rows of event tables",
                         transaction.xid);
    case XaStep::kRolledBack:
      return fmt::format("dropped: XA transaction {} was rolled back", transaction.xid);
    case XaStep::kCommitted:
      return transaction.xa_is_unknown
                 ? fmt::format("NOT PUBLISHED: the PREPARE of XA transaction {} was not seen",
                               transaction.xid)
                 : fmt::format("skipped: XA transaction {} has no rows of event tables",
                               transaction.xid);
    case XaStep::kNone:
      break;
  }
  return "skipped: no row of an event table was inserted";
}

std::string WhyNothing(const Transaction& transaction) {
  std::string why = Decision(transaction);
  if (!transaction.ddl.empty()) why += "; DDL that may concern an event table";
  if (transaction.updates > 0) why += fmt::format("; {} updates", transaction.updates);
  if (transaction.deletes > 0) why += fmt::format("; {} deletes", transaction.deletes);
  return why;
}

}  // namespace

Inspector::Inspector(const binlog::TableFilter& filter, const binlog::CharacterSets& character_sets)
    : filter_(filter),
      is_lenient_(std::ranges::any_of(filter.selections(),
                                      [](const binlog::TableSelection& selection) {
                                        return selection.whole_row == binlog::WholeRow::kNumbered;
                                      })),
      transactions_(filter, {.spill_directory = std::filesystem::temp_directory_path()}),
      rows_(filter, character_sets) {}

void Inspector::Begin(const binlog::StreamIdentity& stream, const binlog::Position& from,
                      std::uint64_t begin) {
  transactions_.Reset(stream, from);
  has_checksums_ = stream.has_checksums;
  begin_ = begin;
}

Result<void> Inspector::Take(binlog::Bytes event) {
  const auto header = binlog::ParseEventHeader(event);
  const bool is_format = header && header->type == binlog::EventType::kFormatDescription;
  const std::optional<Transaction> open = is_format ? OpenTransaction() : std::nullopt;
  auto outcome = transactions_.Feed(event);
  has_read_ = has_read_ || outcome;
  if (header) PrintEvent(*header, event);
  if (open && transactions_.open_transaction() == nullptr) {
    PrintCutOff(*open, "another file begins, so that the server crashed within it");
  }
  if (!outcome) {
    fmt::print("  => STOP: {}\n", Escaped(outcome.error().message, kErrorBytesMax));
    return std::unexpected(AsDaemonError(outcome.error()));
  }
  if (*outcome != binlog::TransactionReader::Outcome::kTransaction) return {};
  return PrintVerdict(transactions_.transaction());
}

void Inspector::End() {
  const auto open = OpenTransaction();
  if (open) {
    PrintCutOff(*open,
                "the file ends, so that the server may still be writing it or crashed within"
                " it");
  }
}

std::optional<Transaction> Inspector::OpenTransaction() const {
  const Transaction* const open = transactions_.open_transaction();
  return open == nullptr ? std::nullopt : std::optional(*open);
}

void Inspector::PrintCutOff(const Transaction& transaction, std::string_view why) {
  if (transaction.begin_offset < begin_) return;
  ++cut_off_;
  fmt::print("  => NOT PUBLISHED: transaction {} has no end{}: {}\n", PlaceOf(transaction),
             transaction.has_rows ? ", its rows of event tables do not count" : "", why);
}

void Inspector::PrintSummary() const {
  if (!has_read_) return;
  fmt::print(
      "{} transactions: {} published ({} rows), {} held at their XA PREPARE, {} skipped{}{}{}\n",
      transactions_seen_, published_, rows_seen_, held_,
      transactions_seen_ - published_ - held_ - stopped_at_,
      stopped_at_ == 0 ? "" : fmt::format("; {} cannot be published", stopped_at_),
      cut_off_ == 0 ? "" : fmt::format("; {} without end", cut_off_),
      alarms_ == 0 ? "" : fmt::format("; {} alarms", alarms_));
}

void Inspector::PrintEvent(const binlog::EventHeader& header, binlog::Bytes event) {
  const bool is_format = header.type == binlog::EventType::kFormatDescription;
  // Its checksum is there even where it says that no other event has one.
  if (is_format) has_checksums_ = event[event.size() - binlog::kChecksumBytes - 1] != 0;
  const bool is_heartbeat = header.type == binlog::EventType::kHeartbeat ||
                            header.type == binlog::EventType::kHeartbeatV2;
  if (is_heartbeat || transactions_.event_offset() < begin_) return;
  const std::size_t tail = has_checksums_ || is_format ? binlog::kChecksumBytes : 0;
  if (event.size() < binlog::kEventHeaderBytes + tail) return;
  const auto body =
      event.subspan(binlog::kEventHeaderBytes, event.size() - binlog::kEventHeaderBytes - tail);
  PrintLine(transactions_.Place(), header.type, binlog::DescribeEvent(header, event, body));
  if (header.type == binlog::EventType::kTransactionPayload) PrintPayload(body);
}

void Inspector::PrintPayload(binlog::Bytes body) {
  if (!payload_.Begin(body)) return;  // The verdict says why.
  for (auto event = payload_.Next(); event && *event; event = payload_.Next()) {
    const binlog::EventHeader& header = (*event)->header;
    if (binlog::IsRowsEvent(header.type)) {
      PrintLine(kInPayload, header.type,
                binlog::DescribeRows((*event)->head, (*event)->body_bytes()));
      continue;
    }
    const auto inner = payload_.Body();
    if (!inner) return;
    PrintLine(kInPayload, header.type, binlog::DescribeEvent(header, {}, *inner));
  }
}

Result<void> Inspector::PrintVerdict(const Transaction& transaction) {
  if (transaction.begin_offset < begin_) return {};
  ++transactions_seen_;
  if (transaction.xa == XaStep::kHeld) ++held_;
  if (transaction.statements > 0) {
    ++alarms_;
    fmt::print("  => ALARM: {} in statement format, whose rows are not in the log: {}\n",
               transaction.statements == 1 ? "a change"
                                           : fmt::format("{} changes", transaction.statements),
               Escaped(transaction.statement));
  }
  if (!transaction.has_rows) {
    fmt::print("  => {}\n", Escaped(WhyNothing(transaction), kTextBytesMax));
    return {};
  }
  const std::string place = PlaceOf(transaction);
  const std::string whose =
      transaction.xa == XaStep::kCommitted
          ? fmt::format(", the rows of XA transaction {}", Escaped(transaction.xid))
          : std::string();
  return PrintRows(place, fmt::format("  => published as {}{}:\n", place, whose));
}

Result<void> Inspector::PrintRows(std::string_view place, std::string_view published) {
  rows_.Begin(transactions_.rows());
  for (std::uint64_t number = 1;; ++number) {
    auto row = rows_.Next();
    if (!row && !is_lenient_) {
      // What stands in front of it goes out before the relay stops.
      ++(number == 1 ? stopped_at_ : published_);
      const std::string cause = Escaped(row.error().message, kErrorBytesMax);
      if (number == 1) {
        fmt::print("  => NOT PUBLISHED: STOP at row 1 of {}: {}\n", place, cause);
      } else {
        fmt::print("     STOP at row {}: {}\n", number, cause);
      }
      return std::unexpected(AsDaemonError(row.error()));
    }
    if (number == 1) fmt::print("{}", published);
    if (!row) {
      fmt::print("     {}. cannot be shown, nor can those behind it in its transaction: {}\n",
                 number, Escaped(row.error().ToText(), kErrorBytesMax));
    }
    if (!row || *row == nullptr) {
      ++published_;
      return {};
    }
    PrintRow(number, **row);
  }
}

void Inspector::PrintRow(std::uint64_t number, const binlog::Row& row) {
  ++rows_seen_;
  fmt::print("     {}. {}.{}{}", number, Escaped(row.schema_name), Escaped(row.table_name),
             row.change == binlog::RowChange::kUpdate ? " (updated)" : "");
  const binlog::TableSelection& selection = filter_[row.selection];
  const bool has_whole_row = selection.whole_row != binlog::WholeRow::kNo;
  for (std::size_t i = has_whole_row ? selection.columns.size() : 0; i < row.values.size(); ++i) {
    const auto& value = row.values[i];
    fmt::print("  {}={}", Escaped(row.columns[i]),
               value ? fmt::format("'{}'", Escaped(*value, kValueBytesMax)) : "NULL");
  }
  fmt::print("\n");
}

}  // namespace outboxd
