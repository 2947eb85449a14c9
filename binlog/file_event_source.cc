#include "binlog/file_event_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "binlog/event_header.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t kFirstOffset = 4;
using Magic = std::array<std::uint8_t, kFirstOffset>;
constexpr Magic kMagic = {0xFE, 'b', 'i', 'n'};
// MySQL 9.7 sql/rpl_log_encryption.h, Rpl_encryption_header.
constexpr Magic kEncryptedMagic = {0xFD, 'b', 'i', 'n'};

std::string ErrorText() { return std::generic_category().message(errno); }

}  // namespace

Result<StreamIdentity> FileEventSource::Open(const Position&, const KnownHistory&) {
  file_.reset(std::fopen(path_.c_str(), "rbe"));
  if (!file_) return Fail(ErrorKind::kUnsuitable, "{} cannot be opened: {}", path_, ErrorText());
  if (fseeko(file_.get(), 0, SEEK_END) != 0) {
    return Fail(ErrorKind::kUnsuitable, "{} cannot be read: {}", path_, ErrorText());
  }
  size_ = static_cast<std::uint64_t>(std::max<off_t>(ftello(file_.get()), 0));
  std::rewind(file_.get());
  Magic magic{};
  if (std::fread(magic.data(), 1, magic.size(), file_.get()) != magic.size() ||
      (magic != kMagic && magic != kEncryptedMagic)) {
    return Fail(ErrorKind::kUnsuitable, "{} is not a binary log", path_);
  }
  if (magic == kEncryptedMagic) {
    return Fail(ErrorKind::kUnsuitable,
                "{} is encrypted HINT: read it from the server, which decrypts it: outboxd inspect"
                " --server",
                path_);
  }
  offset_ = kFirstOffset;
  return StreamIdentity{.server_uuid = {}, .by_gtid = false, .has_checksums = false};
}

// The next event's header into event_; false: the file has ended.
Result<bool> FileEventSource::ReadHeader() {
  if (offset_ >= size_) return false;
  event_.Grow(kEventHeaderBytes);
  const std::size_t read = std::fread(event_.begin(), 1, kEventHeaderBytes, file_.get());
  if (read == kEventHeaderBytes) return true;
  return Fail(ErrorKind::kCorrupt, "{} ends within the header of an event at offset {}", path_,
              offset_);
}

Result<Bytes> FileEventSource::Next() {
  if (!file_) return Fail(ErrorKind::kDisconnected, "{} is not open", path_);
  auto has_header = ReadHeader();
  if (!has_header) return std::unexpected(has_header.error());
  if (!*has_header) return Fail(ErrorKind::kEnd, "{} has ended", path_);
  constexpr std::size_t kLengthOffset = 9;
  const auto length = static_cast<std::size_t>(LoadLittle<4>(event_.begin() + kLengthOffset));
  if (length < kEventHeaderBytes || length > size_ - offset_) {
    return Fail(ErrorKind::kCorrupt, "{}: an event of {} bytes at offset {} of {}", path_, length,
                offset_, size_);
  }
  event_.Grow(length);
  const std::size_t rest = length - kEventHeaderBytes;
  if (std::fread(event_.begin() + kEventHeaderBytes, 1, rest, file_.get()) != rest) {
    return Fail(ErrorKind::kCorrupt, "{} cannot be read at offset {}: {}", path_, offset_,
                ErrorText());
  }
  offset_ += length;
  return event_.First(length);
}

}  // namespace outboxd::binlog
