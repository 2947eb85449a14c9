#include "tests/sim/fake_disk.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace outboxd::sim {

bool FakeDisk::Fails(const char* call) {
  faults_.Yield(call);
  if (!faults_.Strike(faults_.rates().disk_call)) return false;
  constexpr int kErrors[] = {EIO, ENOSPC, EINTR};
  errno = kErrors[faults_.random().Below(std::size(kErrors))];
  faults_.Note("disk: {} fails ({})", call, std::strerror(errno));
  return true;
}

int FakeDisk::Open(const char* path, int flags, mode_t) {
  if (Fails("open")) return -1;
  const int descriptor = next_descriptor_++;
  if ((flags & O_DIRECTORY) != 0) {
    descriptors_[descriptor] = {};
    return descriptor;
  }
  const auto found = names_.find(path);
  if (found == names_.end() && (flags & O_CREAT) == 0) {
    errno = ENOENT;
    return -1;
  }
  std::shared_ptr<File> file = found == names_.end() ? std::make_shared<File>() : found->second;
  if (found == names_.end()) {
    names_[path] = file;
    unsynced_names_.push_back(names_);
  }
  if ((flags & O_TRUNC) != 0) {
    file->contents.clear();
    file->is_synced = false;
  }
  descriptors_[descriptor] = {std::move(file), 0};
  return descriptor;
}

ssize_t FakeDisk::Read(int descriptor, void* to, std::size_t bytes_max) {
  if (Fails("read")) return -1;
  Descriptor& opened = descriptors_.at(descriptor);
  const std::size_t bytes = std::min(bytes_max, opened.file->contents.size() - opened.offset);
  std::memcpy(to, opened.file->contents.data() + opened.offset, bytes);
  opened.offset += bytes;
  return static_cast<ssize_t>(bytes);
}

ssize_t FakeDisk::Write(int descriptor, const void* from, std::size_t bytes) {
  if (Fails("write")) return -1;
  Descriptor& opened = descriptors_.at(descriptor);
  if (faults_.Strike(faults_.rates().short_write)) bytes = 1 + faults_.random().Below(bytes);
  opened.file->contents.append(static_cast<const char*>(from), bytes);
  opened.file->is_synced = false;
  return static_cast<ssize_t>(bytes);
}

int FakeDisk::Fsync(int descriptor) {
  if (Fails("fsync")) return -1;
  Descriptor& opened = descriptors_.at(descriptor);
  if (opened.file) {
    opened.file->synced = opened.file->contents;
    opened.file->is_synced = true;
  } else {
    synced_names_ = names_;
    unsynced_names_.clear();
  }
  return 0;
}

// Not a yield point: it is also called while a crash unwinds the stack.
int FakeDisk::Close(int descriptor) {
  descriptors_.erase(descriptor);
  return 0;
}

int FakeDisk::Rename(const char* from, const char* to) {
  if (Fails("rename")) return -1;
  const auto found = names_.find(from);
  if (found == names_.end()) {
    errno = ENOENT;
    return -1;
  }
  names_[to] = found->second;
  names_.erase(from);
  unsynced_names_.push_back(names_);
  return 0;
}

int FakeDisk::Unlink(const char* path) {
  if (Fails("unlink")) return -1;
  if (names_.erase(path) == 0) {
    errno = ENOENT;
    return -1;
  }
  unsynced_names_.push_back(names_);
  return 0;
}

// What of an unsynced file has reached the disk: the old contents, all, or a part of the new.
void FakeDisk::Rejudge(File& file) {
  if (file.is_synced) return;
  switch (faults_.random().Below(3)) {
    case 0:
      file.contents = file.synced;
      break;
    case 1:
      file.contents.resize(faults_.random().Below(file.contents.size() + 1));
      break;
    default:
      break;
  }
  file.synced = file.contents;
  file.is_synced = true;
}

void FakeDisk::MachineDies() {
  ProcessDies();
  const std::size_t kept = faults_.random().Below(unsynced_names_.size() + 1);
  faults_.Note("disk: {} of {} changes of names survive", kept, unsynced_names_.size());
  names_ = kept == 0 ? synced_names_ : unsynced_names_[kept - 1];
  synced_names_ = names_;
  unsynced_names_.clear();
  for (auto& [name, file] : names_) Rejudge(*file);
}

}  // namespace outboxd::sim
