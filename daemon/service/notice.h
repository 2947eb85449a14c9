#pragma once

#include <span>
#include <string_view>

#include "daemon/exit_code.h"

namespace outboxd {

// A kind of record in the log that a person has to look at. docs/journal.md says what each means
// and what to do; `journalctl -x` shows it.
enum class Notice {
  kNone,
  kHoldsAtEvent,
  kHoldsForRoom,
  kHoldsForRecord,
  kStatementAlarm,
  kUpdateAlarm,
  kXaAlarm,
  kReadAlarm,
  kLostAlarm,
  kBeginsAnew,
  kDeadLetter,
  kDropped,
  kSourceAway,
  kCutOff,
  kSinkAway,
  kPurgeAhead,
  kReloadRefused,
  kEndedUsage,
  kEndedUndecodable,
  kEndedUnreachable,
  kEndedBug,
  kEndedState,
  kEndedDenied,
  kEndedConfiguration,
  kEndedGap,
  kEndedDiverged,
  kEndedOtherActive,
  kEndedCheckpoint,
  kEndedNoStart,
};

// By what other programs know it: neither ever changes.
struct NoticeName {
  std::string_view name;        // "holds-at-event", in log.format = json.
  std::string_view message_id;  // The journal's MESSAGE_ID: 32 hexadecimal digits.
};

// Not for kNone.
[[nodiscard]] const NoticeName& NameOf(Notice notice);
[[nodiscard]] std::span<const NoticeName> NoticeNames();

// That a run ended with this code; kNone: it did not fail.
[[nodiscard]] Notice EndedWith(ExitCode code);

}  // namespace outboxd
