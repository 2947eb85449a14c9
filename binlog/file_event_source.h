#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "binlog/byte_buffer.h"
#include "binlog/event_source.h"

namespace outboxd::binlog {

// Reads one binary log file, of a server that runs or does not. One thread.
class FileEventSource final : public EventSource {
 public:
  explicit FileEventSource(std::string path) : path_(std::move(path)) {}

  // Begins at the file's first event, whatever `from` says: the FORMAT_DESCRIPTION event tells how
  // all others are to be read. kUnsuitable: it cannot be read, or is no binary log, or an encrypted
  // one, or of before MySQL 5.0, when there was no such event.
  [[nodiscard]] Result<StreamIdentity> Open(const Position& from,
                                            const KnownHistory& known) override;
  // kEnd: there is no event any more. kCorrupt: the file ends within one.
  [[nodiscard]] Result<Bytes> Next() override;
  void Interrupt() override {}
  void Close() override { file_.reset(); }

 private:
  [[nodiscard]] Result<void> CheckAge();
  [[nodiscard]] Result<bool> ReadHeader();

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  const std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;  // Of the next event.
  ByteBuffer event_;
};

}  // namespace outboxd::binlog
