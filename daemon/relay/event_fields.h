#pragma once

#include "daemon/checkpoint/state_directory.h"
#include "daemon/service/log_record.h"

namespace outboxd {

// What a record about this event tells besides its text; borrows from it.
[[nodiscard]] inline LogFields FieldsOf(const HeldEvent& event, Notice notice) {
  return {.notice = notice, .position = event.position, .table = event.table, .event_id = event.id};
}

}  // namespace outboxd
