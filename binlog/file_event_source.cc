#include "binlog/file_event_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "binlog/event_header.h"
#include "binlog/log_end.h"

namespace outboxd::binlog {
namespace {

using Magic = std::array<std::uint8_t, kFirstOffset>;
constexpr Magic kMagic = {0xFE, 'b', 'i', 'n'};
// MySQL 9.7 sql/rpl_log_encryption.h, Rpl_encryption_header.
constexpr Magic kEncryptedMagic = {0xFD, 'b', 'i', 'n'};

std::string ErrorText() { return std::generic_category().message(errno); }

}  // namespace

Result<StreamIdentity> FileEventSource::Open(const Position&, const KnownHistory&) {
  file_.reset(std::fopen(path_.c_str(), "rbe"));
  if (!file_) return Fail(ErrorKind::kUnsuitable, "{} cannot be opened: {}", path_, ErrorText());
  const off_t size = fseeko(file_.get(), 0, SEEK_END) == 0 ? ftello(file_.get()) : -1;
  if (size < 0 || fseeko(file_.get(), 0, SEEK_SET) != 0) {
    return Fail(ErrorKind::kUnsuitable, "{} cannot be read: {}", path_, ErrorText());
  }
  size_ = static_cast<std::uint64_t>(size);
  Magic magic{};
  if (std::fread(magic.data(), 1, magic.size(), file_.get()) != magic.size() ||
      (magic != kMagic && magic != kEncryptedMagic)) {
    return Fail(ErrorKind::kUnsuitable, "{} is not a binary log", path_);
  }
  if (magic == kEncryptedMagic) {
    return Fail(ErrorKind::kUnsuitable, "{} is encrypted", path_)
        .Hint("read it from the server, which decrypts it: outboxd inspect --server");
  }
  offset_ = kFirstOffset;
  if (auto checked = CheckAge(); !checked) return std::unexpected(checked.error());
  return StreamIdentity{.server_uuid = {}, .by_gtid = false, .has_checksums = false};
}

// Before MySQL 5.0 a log began with a START event: header, format version, server version, time of
// creation. In 3.23 (format 1) the header ended behind the event's length.
// MySQL 5.7 libbinlogevents/include/control_events.h, Start_event_v3; client/mysqlbinlog.cc,
// check_header().
Result<void> FileEventSource::CheckAge() {
  constexpr std::uint8_t kStart = 1;
  constexpr std::size_t kTypeOffset = 4;
  constexpr std::size_t kLengthOffset = 9;
  constexpr std::size_t kShortHeaderBytes = 13;
  constexpr std::size_t kFormatBytes = 2;
  constexpr std::size_t kVersionBytes = 50;
  constexpr std::size_t kStartBytes = kFormatBytes + kVersionBytes + 4;
  std::array<std::uint8_t, kEventHeaderBytes + kStartBytes> first{};
  const std::size_t read = std::fread(first.data(), 1, first.size(), file_.get());
  if (fseeko(file_.get(), kFirstOffset, SEEK_SET) != 0) {
    return Fail(ErrorKind::kUnsuitable, "{} cannot be read: {}", path_, ErrorText());
  }
  if (read < kShortHeaderBytes + kStartBytes || first[kTypeOffset] != kStart) return {};
  const bool is_short = LoadLittle<4>(first.data() + kLengthOffset) < first.size();
  const Bytes body = Bytes(first).subspan(is_short ? kShortHeaderBytes : kEventHeaderBytes);
  const std::string_view version = AsText(body.subspan(kFormatBytes, kVersionBytes));
  return Fail(ErrorKind::kUnsuitable,
              "{} is a binary log of server {}, in format {}: those of before MySQL 5.6.1 are not "
              "read",
              path_, version.substr(0, version.find('\0')), LoadLittle<2>(body.data()))
      .Hint("docs/compatibility.md names the versions that were tested");
}

// The next event's header into event_; false: the file has ended.
Result<bool> FileEventSource::ReadHeader() {
  if (offset_ >= size_) return false;
  event_.Grow(kEventHeaderBytes);
  const std::size_t read = std::fread(event_.begin(), 1, kEventHeaderBytes, file_.get());
  if (read == kEventHeaderBytes) return true;
  return Fail(ErrorKind::kCorrupt,
              "{} ends within the header of an event at offset {}: the server may still be writing"
              " it",
              path_, offset_);
}

Result<Bytes> FileEventSource::Next() {
  if (!file_) return Fail(ErrorKind::kDisconnected, "{} is not open", path_);
  auto has_header = ReadHeader();
  if (!has_header) return std::unexpected(has_header.error());
  if (!*has_header) return Fail(ErrorKind::kEnd, "{} has ended", path_);
  constexpr std::size_t kLengthOffset = 9;
  const auto length = static_cast<std::size_t>(LoadLittle<4>(event_.begin() + kLengthOffset));
  if (length < kEventHeaderBytes) {
    return Fail(ErrorKind::kCorrupt, "{}: an event of {} bytes at offset {} of {}", path_, length,
                offset_, size_);
  }
  if (length > size_ - offset_) {
    return Fail(ErrorKind::kCorrupt,
                "{} ends within an event at offset {}, with {} of its {} bytes: the server may"
                " still be writing it, or the file is damaged",
                path_, offset_, size_ - offset_, length);
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
