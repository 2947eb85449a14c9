#include "binlog/transaction_buffer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace outboxd::binlog {
namespace {

constexpr std::size_t kRecordHeaderBytes = 5;

using RecordHeader = std::array<std::uint8_t, kRecordHeaderBytes>;

RecordHeader MakeRecordHeader(EventType type, std::size_t body_bytes) {
  return {static_cast<std::uint8_t>(body_bytes), static_cast<std::uint8_t>(body_bytes >> 8),
          static_cast<std::uint8_t>(body_bytes >> 16), static_cast<std::uint8_t>(body_bytes >> 24),
          static_cast<std::uint8_t>(type)};
}

std::string ErrorText() { return std::generic_category().message(errno); }

}  // namespace

TransactionBuffer::TransactionBuffer(TransactionBufferOptions options)
    : options_(std::move(options)) {
  if (!options_.spill_use) options_.spill_use = std::make_shared<SpillUse>();
}

TransactionBuffer::~TransactionBuffer() { CloseSpill(); }

TransactionBuffer::TransactionBuffer(TransactionBuffer&& other) noexcept
    // NOLINTNEXTLINE(performance-move-constructor-init): `other` is used again, with its options.
    : options_(other.options_),
      memory_(std::exchange(other.memory_, {})),
      spill_descriptor_(std::exchange(other.spill_descriptor_, -1)),
      spilled_bytes_(std::exchange(other.spilled_bytes_, 0)),
      taken_bytes_(std::exchange(other.taken_bytes_, 0)),
      read_offset_(std::exchange(other.read_offset_, 0)),
      read_back_(std::move(other.read_back_)) {}

TransactionBuffer& TransactionBuffer::operator=(TransactionBuffer&& other) noexcept {
  if (this == &other) return *this;
  CloseSpill();
  options_ = other.options_;
  memory_ = std::exchange(other.memory_, {});
  spill_descriptor_ = std::exchange(other.spill_descriptor_, -1);
  spilled_bytes_ = std::exchange(other.spilled_bytes_, 0);
  taken_bytes_ = std::exchange(other.taken_bytes_, 0);
  read_offset_ = std::exchange(other.read_offset_, 0);
  read_back_ = std::move(other.read_back_);
  return *this;
}

void TransactionBuffer::CloseSpill() {
  if (spill_descriptor_ >= 0) ::close(spill_descriptor_);
  spill_descriptor_ = -1;
  options_.spill_use->Subtract(std::exchange(taken_bytes_, 0));
}

void TransactionBuffer::CutSpill(std::uint64_t bytes) {
  // A file that stays as long as it was is written over.
  if (::ftruncate(spill_descriptor_, static_cast<off_t>(bytes)) != 0) return;
  options_.spill_use->Subtract(taken_bytes_ - bytes);
  taken_bytes_ = bytes;
}

Result<void> TransactionBuffer::TakeSpill(std::uint64_t bytes) {
  // What is free of a file that could not be cut off.
  const std::uint64_t free = taken_bytes_ - spilled_bytes_;
  const std::uint64_t more = bytes - std::min(bytes, free);
  if (options_.spill_use->bytes() + more > options_.spill_bytes_max) {
    return Fail(ErrorKind::kSpill, "the event rows that wait in {} would take more than {} bytes",
                options_.spill_directory, options_.spill_bytes_max);
  }
  options_.spill_use->Add(more);
  taken_bytes_ += more;
  return {};
}

Result<void> TransactionBuffer::Append(EventType type, Bytes body) {
  const RecordHeader header = MakeRecordHeader(type, body.size());
  const std::size_t record_bytes = header.size() + body.size();
  if (spilled_bytes_ == 0 && memory_.size() + record_bytes <= options_.memory_bytes_max) {
    memory_.insert(memory_.end(), header.begin(), header.end());
    memory_.insert(memory_.end(), body.begin(), body.end());
    return {};
  }
  if (auto opened = OpenSpill(); !opened) return opened;
  if (auto taken = TakeSpill(record_bytes); !taken) return taken;
  if (spilled_bytes_ == 0) options_.spill_use->CountTransaction();
  if (auto written = WriteSpill(header); !written) return written;
  return WriteSpill(body);
}

Result<void> TransactionBuffer::OpenSpill() {
  if (spill_descriptor_ >= 0) return {};
  spill_descriptor_ =
      ::open(options_.spill_directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (spill_descriptor_ >= 0) return {};
  // Not every file system knows O_TMPFILE.
  std::string path = options_.spill_directory + "/spill.XXXXXX";
  spill_descriptor_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (spill_descriptor_ < 0) {
    return Fail(ErrorKind::kSpill, "cannot make a spill file in {}: {}", options_.spill_directory,
                ErrorText());
  }
  ::unlink(path.c_str());
  return {};
}

Result<void> TransactionBuffer::WriteSpill(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(spill_descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(spilled_bytes_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return Fail(ErrorKind::kSpill, "cannot write the spill file in {}: {}",
                  options_.spill_directory, ErrorText());
    }
    spilled_bytes_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> TransactionBuffer::ReadSpill(std::uint64_t offset, std::uint8_t* to,
                                          std::size_t size) {
  while (size > 0) {
    const ssize_t taken = ::pread(spill_descriptor_, to, size, static_cast<off_t>(offset));
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) {
      return Fail(ErrorKind::kSpill, "cannot read the spill file in {}: {}",
                  options_.spill_directory, taken == 0 ? "it ends early" : ErrorText());
    }
    offset += static_cast<std::uint64_t>(taken);
    to += taken;
    size -= static_cast<std::size_t>(taken);
  }
  return {};
}

Result<void> TransactionBuffer::Spill() {
  TransactionBufferOptions file_only = options_;
  file_only.memory_bytes_max = 0;
  TransactionBuffer spilled(std::move(file_only));
  // The new file is in the place of the old one: they do not count twice.
  options_.spill_use->Subtract(taken_bytes_);
  auto copied = CopyTo(spilled);
  options_.spill_use->Add(taken_bytes_);
  if (!copied) return copied;
  spilled.options_ = options_;
  *this = std::move(spilled);
  return {};
}

Result<void> TransactionBuffer::CopyTo(TransactionBuffer& other) {
  Rewind();
  while (true) {
    auto record = Next();
    if (!record) return std::unexpected(record.error());
    if (!record->has_value()) return {};
    auto appended = other.Append((*record)->type, (*record)->body);
    if (!appended) return appended;
  }
}

void TransactionBuffer::Truncate(std::uint64_t mark) {
  read_offset_ = 0;
  if (mark >= memory_.size()) {
    spilled_bytes_ = mark - memory_.size();
  } else {
    memory_.resize(static_cast<std::size_t>(mark));
    spilled_bytes_ = 0;
  }
  if (spill_descriptor_ < 0) return;
  if (mark == 0) {
    CloseSpill();
    read_back_.Free();
  } else {
    CutSpill(spilled_bytes_);
  }
}

Result<std::optional<TransactionBuffer::Record>> TransactionBuffer::Next() {
  if (read_offset_ == size()) return std::nullopt;
  const bool in_memory = read_offset_ < memory_.size();
  const std::uint64_t spill_offset = in_memory ? 0 : read_offset_ - memory_.size();
  RecordHeader from_file{};
  Bytes header;
  if (in_memory) {
    header = Bytes(memory_).subspan(static_cast<std::size_t>(read_offset_), kRecordHeaderBytes);
  } else {
    auto read = ReadSpill(spill_offset, from_file.data(), from_file.size());
    if (!read) return std::unexpected(read.error());
    header = from_file;
  }
  ByteCursor cursor(header);
  const std::size_t body_bytes = cursor.U32();
  Record record{static_cast<EventType>(cursor.U8()), {}};
  if (in_memory) {
    record.body = Bytes(memory_).subspan(
        static_cast<std::size_t>(read_offset_) + kRecordHeaderBytes, body_bytes);
  } else {
    read_back_.Renew(body_bytes);
    auto read = ReadSpill(spill_offset + kRecordHeaderBytes, read_back_.begin(), body_bytes);
    if (!read) return std::unexpected(read.error());
    record.body = read_back_.First(body_bytes);
  }
  read_offset_ += kRecordHeaderBytes + body_bytes;
  return record;
}

}  // namespace outboxd::binlog
