#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/event_header.h"
#include "binlog/table_source.h"
#include "daemon/relay/read_ledger.h"
#include "tests/daemon/outbox_table.h"
#include "tests/sim/injected_bugs.h"
#include "tests/sim/sequenced_rows.h"
#include "tests/sim/simulated_process.h"

namespace outboxd::sim {

// Bugs of the read of a table, as the ones of injected_bugs.h.

// Passes everything on; derived classes do one thing wrong.
class PassingTables : public binlog::TableSource {
 public:
  explicit PassingTables(binlog::TableSource& inner) : inner_(inner) {}

  binlog::Result<void> Open(const binlog::StreamIdentity& stream) override {
    return inner_.Open(stream);
  }
  void Close() override { inner_.Close(); }
  void Interrupt() override { inner_.Interrupt(); }
  binlog::Result<std::vector<binlog::TableToRead>> Describe(
      std::string_view schema_pattern, std::string_view table_pattern) override {
    return inner_.Describe(schema_pattern, table_pattern);
  }
  binlog::Result<std::optional<std::set<std::string>>> PreparedXa() override {
    return inner_.PreparedXa();
  }
  binlog::Result<binlog::LogEnd> EndOfLog() override { return inner_.EndOfLog(); }
  binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead& table,
                                                              bool waits_for_commits) override {
    return inner_.HighestKey(table, waits_for_commits);
  }
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey& key, const std::vector<binlog::KeyValues>& keys) override {
    return inner_.PlacesOf(key, keys);
  }
  binlog::Result<std::optional<binlog::Chunk>> Read(const binlog::ChunkRequest& request) override {
    return inner_.Read(request);
  }

 protected:
  binlog::TableSource& inner_;
};

class PassingLedger : public ReadLedger {
 public:
  explicit PassingLedger(ReadLedger& inner) : inner_(inner) {}

  binlog::Result<void> Clear() override { return inner_.Clear(); }
  [[nodiscard]] bool has_failed() const override { return inner_.has_failed(); }
  binlog::Result<void> AddArrival(std::size_t table, std::string_view place) override {
    return inner_.AddArrival(table, place);
  }
  binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                 std::string_view image) override {
    return inner_.KeepImage(table, place, image);
  }
  binlog::Result<bool> LeavesOut(std::size_t table, std::string_view place) override {
    return inner_.LeavesOut(table, place);
  }
  binlog::Result<void> ForgetUpTo(std::size_t table, std::string_view place) override {
    return inner_.ForgetUpTo(table, place);
  }
  binlog::Result<void> ForgetTable(std::size_t table) override { return inner_.ForgetTable(table); }
  binlog::Result<void> BeginImages(std::size_t table, const std::optional<std::string>& after,
                                   const std::optional<std::string>& up_to) override {
    return inner_.BeginImages(table, after, up_to);
  }
  binlog::Result<std::optional<Image>> NextImage() override { return inner_.NextImage(); }
  void EndImages() override { inner_.EndImages(); }

 protected:
  ReadLedger& inner_;
};

// Bug: the end of the log is asked before the chunk is read, not behind it.
class EndBeforeChunk final : public Interposer {
 public:
  using Interposer::Around;
  binlog::TableSource& Around(binlog::TableSource& tables) override {
    return tables_.emplace(tables);
  }

 private:
  class EarlyTables final : public PassingTables {
   public:
    using PassingTables::PassingTables;
    binlog::Result<std::optional<binlog::Chunk>> Read(
        const binlog::ChunkRequest& request) override {
      auto end = inner_.EndOfLog();
      if (!end) return std::unexpected(end.error());
      end_ = *std::move(end);
      return inner_.Read(request);
    }
    binlog::Result<binlog::LogEnd> EndOfLog() override {
      if (end_) return *end_;
      return inner_.EndOfLog();
    }

   private:
    std::optional<binlog::LogEnd> end_;
  };
  std::optional<EarlyTables> tables_;
};

// Bug: what is within gtid_executed is taken for all that a SELECT may have seen.
class EndOfWhatIsExecuted final : public Interposer {
 public:
  using Interposer::Around;
  void Meet(const Source& source) override { source_ = &source; }
  binlog::TableSource& Around(binlog::TableSource& tables) override {
    return tables_.emplace(tables, *source_);
  }

 private:
  class LateTables final : public PassingTables {
   public:
    LateTables(binlog::TableSource& inner, const Source& source)
        : PassingTables(inner), source_(source) {}
    binlog::Result<binlog::LogEnd> EndOfLog() override {
      auto end = inner_.EndOfLog();
      const SimulatedServer& server = *source_.server;
      const std::size_t executed = server.stages().executed_count();
      if (!end) return end;
      if (executed == 0) return binlog::LogEnd{server.files().front().name, 4};
      const auto [file, offset] = server.PlaceOf(server.order()[executed - 1]);
      return binlog::LogEnd{server.files()[file].name, offset};
    }

   private:
    const Source& source_;
  };
  const Source* source_ = nullptr;
  std::optional<LateTables> tables_;
};

// Bug: keys that are numbers are compared as text.
class KeysComparedAsText final : public Interposer {
 public:
  using Interposer::Around;
  binlog::TableSource& Around(binlog::TableSource& tables) override {
    return tables_.emplace(tables);
  }

 private:
  class TextTables final : public PassingTables {
   public:
    using PassingTables::PassingTables;
    binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
        const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) override {
      std::vector<binlog::KeyPlace> places;
      for (const binlog::KeyValues& key : keys) places.push_back(key.front());
      return places;
    }
    binlog::Result<std::optional<binlog::Chunk>> Read(
        const binlog::ChunkRequest& request) override {
      auto chunk = inner_.Read(request);
      if (!chunk || !*chunk) return chunk;
      for (binlog::ChunkRow& row : (*chunk)->rows) row.place = row.key.front();
      return chunk;
    }
  };
  std::optional<TextTables> tables_;
};

// Bug: where positions are places in files, reads do not wait for what is in the log and not
// committed.
class ReadsThatDoNotWait final : public Interposer {
 public:
  using Interposer::Around;
  binlog::TableSource& Around(binlog::TableSource& tables) override {
    return tables_.emplace(tables);
  }

 private:
  class HastyTables final : public PassingTables {
   public:
    using PassingTables::PassingTables;
    binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead& table,
                                                                bool) override {
      return inner_.HighestKey(table, false);
    }
    binlog::Result<std::optional<binlog::Chunk>> Read(
        const binlog::ChunkRequest& request) override {
      binlog::ChunkRequest hasty = request;
      hasty.waits_for_commits = false;
      return inner_.Read(hasty);
    }
  };
  std::optional<HastyTables> tables_;
};

// Bug: nobody asks for XA transactions that are prepared.
class PreparedIsNotWaitedFor final : public Interposer {
 public:
  using Interposer::Around;
  binlog::TableSource& Around(binlog::TableSource& tables) override {
    return tables_.emplace(tables);
  }

 private:
  class CarelessTables final : public PassingTables {
   public:
    using PassingTables::PassingTables;
    binlog::Result<std::optional<std::set<std::string>>> PreparedXa() override {
      return std::set<std::string>{};
    }
  };
  std::optional<CarelessTables> tables_;
};

// Bug: what rows were before a change or a delete is not taken from the log.
class BeforeImagesIgnored final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class InsertsOnly final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::Bytes> Next() override {
      auto event = inner_.Next();
      while (event && IsChange(*event)) event = inner_.Next();
      return event;
    }

   private:
    static bool IsChange(binlog::Bytes event) {
      const auto header = binlog::ParseEventHeader(event);
      return header && (header->type == binlog::EventType::kUpdateRows ||
                        header->type == binlog::EventType::kDeleteRows);
    }
  };
  std::optional<InsertsOnly> source_;
};

// Bug: rows of which the log has a part only are passed over.
class PartsPassedOver final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class WholeRowsOnly final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::Bytes> Next() override {
      auto event = inner_.Next();
      while (event && IsInPart(*event)) event = inner_.Next();
      return event;
    }

   private:
    static bool IsInPart(binlog::Bytes event) {
      const auto header = binlog::ParseEventHeader(event);
      const bool is_change = header && (header->type == binlog::EventType::kUpdateRows ||
                                        header->type == binlog::EventType::kDeleteRows);
      if (!is_change) return false;
      binlog::ByteCursor rows(event.subspan(binlog::kEventHeaderBytes));
      if (rows.U48() != kOutboxTableId) return false;
      rows.Skip(5);  // Flags, an empty extra part, the number of columns.
      return rows.U8() == kSeqOnly;
    }
  };
  std::optional<WholeRowsOnly> source_;
};

// Bug: a key is forgotten when the row that came to it since the read began goes again.
class KeyForgotten final : public Interposer {
 public:
  using Interposer::Around;
  ReadLedger& Around(ReadLedger& ledger) override { return ledger_.emplace(ledger); }

 private:
  class ForgetfulLedger final : public PassingLedger {
   public:
    using PassingLedger::PassingLedger;
    binlog::Result<void> Clear() override {
      arrived_.clear();
      return inner_.Clear();
    }
    binlog::Result<void> AddArrival(std::size_t table, std::string_view place) override {
      arrived_.emplace(table, place);
      return {};
    }
    binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                   std::string_view image) override {
      if (arrived_.erase({table, std::string(place)}) > 0) return {};
      return inner_.KeepImage(table, place, image);
    }
    binlog::Result<bool> LeavesOut(std::size_t table, std::string_view place) override {
      if (arrived_.contains({table, std::string(place)})) return true;
      return inner_.LeavesOut(table, place);
    }

   private:
    std::set<std::pair<std::size_t, std::string>> arrived_;
  };
  std::optional<ForgetfulLedger> ledger_;
};

// Bug: a row of the read counts as delivered once it is handed over.
class HandOverIsEnough final : public Interposer {
 public:
  using Interposer::Around;
  sinks::Sink& Around(sinks::Sink& sink) override { return sink_.emplace(sink); }

 private:
  class HastySink final : public PassingSink {
   public:
    using PassingSink::PassingSink;
    sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                 sinks::DeliveryId id) override {
      const auto outcome = inner_.Publish(message, id);
      const bool is_taken = outcome && *outcome == sinks::PublishOutcome::kAccepted;
      if (is_taken && HistoryChecker::RoadOf(message) == Road::kRead) taken_.push_back(id);
      return outcome;
    }
    void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
      inner_.Poll(timeout, reports);
      reports.delivered.insert(reports.delivered.end(), taken_.begin(), taken_.end());
      taken_.clear();
    }

   private:
    std::vector<sinks::DeliveryId> taken_;
  };
  std::optional<HastySink> sink_;
};

}  // namespace outboxd::sim
