#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "binlog/error.h"
#include "binlog/row.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/step.h"

namespace outboxd {

// Where a relay gets its events from: the stream of the binary log, or the initial read of tables.
// Events come in units, a transaction or a chunk, which are announced to the tracker and
// acknowledged as a whole. Reader thread only.
class Feed {
 public:
  virtual ~Feed() = default;

  enum class Outcome {
    kGoOn,       // Nothing to publish yet: do as `step` says, then call again.
    kUnit,       // A unit was begun: its rows follow.
    kStartOver,  // What is in flight has to be forgotten and read anew.
    kComplete,   // There will be no more units, and all are acknowledged.
  };
  struct Advanced {
    Outcome outcome = Outcome::kGoOn;
    Step step = {};
    // So many first rows of the unit are delivered already: they are read, but not published.
    std::uint64_t delivered_rows = 0;
  };

  // Does one thing between units: opens what is not open, reads one binlog event or one chunk. An
  // error ends the run.
  [[nodiscard]] virtual Result<Advanced> Advance() = 0;

  // The next row of the unit that was begun, valid until the next call; null at its end. After an
  // error OnUnitError() says what to do.
  [[nodiscard]] virtual binlog::Result<const binlog::Row*> NextRow() = 0;
  // What NextRow() failed with: the unit is to be read anew, behind what is acknowledged, after the
  // pause of the step. An error ends the run.
  [[nodiscard]] virtual Result<Step> OnUnitError(const binlog::Error& error) = 0;
  // Of the row that was read last; valid until the next call of NextRow().
  [[nodiscard]] virtual std::string_view row_position() const = 0;

  // The unit up to and with that row, for a boundary behind it; none: there can be none inside it.
  [[nodiscard]] virtual std::optional<TransactionPart> part() const { return std::nullopt; }

  // All rows of the unit were handed over.
  virtual void EndUnit() = 0;

  // The messages in flight are lost: begins again behind what is acknowledged.
  virtual void StartOver(const Progress& progress) = 0;

  // Lets go what it holds of the server while its unit stands still, so that the server can purge
  // its log. It is opened again behind the unit.
  virtual void CloseSource() = 0;
  [[nodiscard]] virtual bool source_is_open() const = 0;
};

}  // namespace outboxd
