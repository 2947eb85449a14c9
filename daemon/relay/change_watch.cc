#include "daemon/relay/change_watch.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/escaped.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

constexpr std::chrono::seconds kLogInterval{1};

}  // namespace

std::string PlaceOf(const binlog::Transaction& transaction) {
  if (transaction.gtid) return ToText(*transaction.gtid);
  return fmt::format("{}:{}", transaction.file, transaction.begin_offset);
}

std::string WithoutLiterals(std::string_view statement) {
  std::string text;
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '`' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
  };
  for (std::size_t i = 0; i < statement.size();) {
    const char c = statement[i];
    const bool is_quoted = c == '\'' || c == '"';
    const bool is_number = c >= '0' && c <= '9' && (text.empty() || !is_word(text.back()));
    if (!is_quoted && !is_number) {
      text += c;
      ++i;
      continue;
    }
    text += '?';
    if (is_number) {
      while (i < statement.size() && is_word(statement[i])) ++i;
      continue;
    }
    for (++i; i < statement.size() && statement[i] != c; ++i) {
      if (statement[i] != '\\') continue;
      // Whether it escapes the quote is a matter of the session's sql_mode and character set: what
      // comes behind may be a value or not.
      ++i;
      if (i < statement.size() && statement[i] == c) return text;
    }
    ++i;
  }
  return text;
}

// What is prepared is neither yet.
void ChangeWatch::Count(const binlog::Transaction& transaction) {
  const bool is_prepared =
      transaction.xa == binlog::XaStep::kHeld || transaction.xa == binlog::XaStep::kPrepared;
  if (is_prepared) return;
  auto& count = transaction.xa == binlog::XaStep::kRolledBack ? rolled_back_ : committed_;
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

Result<void> ChangeWatch::Observe(const binlog::Transaction& transaction) {
  const bool is_plain = transaction.statements == 0 && transaction.updates == 0 &&
                        transaction.deletes == 0 && transaction.ddl.empty() &&
                        !transaction.xa_is_unknown;
  if (is_plain) {
    Count(transaction);
    return {};
  }
  if (auto raised = RaiseAlarms(transaction); !raised) return raised;
  if (!transaction.ddl.empty()) {
    spdlog::info("DDL {} may concern an event table; rows that it moved are not in the log: {}",
                 PlaceOf(transaction), Escaped(WithoutLiterals(transaction.ddl)));
  }
  Count(transaction);
  const std::lock_guard lock(mutex_);
  counts_.statements += transaction.statements;
  counts_.updates += transaction.updates;
  counts_.deletes += transaction.deletes;
  counts_.ddl += transaction.ddl.empty() ? 0u : 1u;
  counts_.unknown_decisions += transaction.xa_is_unknown ? 1u : 0u;
  return {};
}

Result<void> ChangeWatch::RaiseAlarms(const binlog::Transaction& transaction) {
  if (transaction.statements > 0) {
    if (auto done = OnStatements(transaction); !done) return done;
  }
  if (transaction.updates > 0 && on_update_ == DeliveryConfig::OnUpdate::kAlarm) {
    auto raised = Raise({"update", Notice::kUpdateAlarm}, transaction,
                        "rows of an event table were updated, by an upsert or REPLACE perhaps;"
                        " nothing was published for them");
    if (!raised) return raised;
  }
  const bool is_unknown_commit =
      transaction.xa_is_unknown && transaction.xa == binlog::XaStep::kCommitted;
  if (!is_unknown_commit) return {};
  return Raise({"xa", Notice::kXaAlarm}, transaction,
               fmt::format("XA transaction {} was committed, but prepared before this relay began"
                           " to read: events in it were not published",
                           Escaped(transaction.xid)));
}

Result<void> ChangeWatch::OnStatements(const binlog::Transaction& transaction) {
  if (on_statement_ == DeliveryConfig::OnStatement::kStop) {
    return Fail(ExitCode::kUndecodable,
                "transaction {}: a change in statement format may have changed an event table, "
                "whose rows are not in the log then: {}",
                PlaceOf(transaction), Escaped(WithoutLiterals(transaction.statement)))
        .Hint(
            "find the session that sets binlog_format; compare event table and topic, then pass "
            "the transaction with delivery.on-statement = alarm");
  }
  return Raise(
      {"statement", Notice::kStatementAlarm}, transaction,
      fmt::format("{} in statement format may have changed an event table, whose rows are"
                  " not in the log then: {}",
                  transaction.statements == 1 ? "a change"
                                              : fmt::format("{} changes", transaction.statements),
                  Escaped(WithoutLiterals(transaction.statement))));
}

Result<void> ChangeWatch::Raise(const Kind& kind, const binlog::Transaction& transaction,
                                std::string text) {
  const auto now = clock_.Now();
  if (now >= next_log_) {
    const std::string gtid = transaction.gtid ? ToText(*transaction.gtid) : "";
    Log(LogLevel::kError, {.notice = kind.notice, .gtid = gtid},
        fmt::format("ALARM at transaction {}: {}{}", PlaceOf(transaction), text,
                    unlogged_ == 0 ? "" : fmt::format(" ({} more before it)", unlogged_)));
    next_log_ = now + kLogInterval;
    unlogged_ = 0;
  } else {
    ++unlogged_;
  }
  if (alarms_ == nullptr) return {};
  return alarms_->Record({.kind = std::string(kind.name),
                          .position = PlaceOf(transaction),
                          .text = std::move(text),
                          .commit_us = transaction.commit_us});
}

ChangeCounts ChangeWatch::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace outboxd
