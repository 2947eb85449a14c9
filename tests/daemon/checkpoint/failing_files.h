#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "daemon/checkpoint/file_system.h"

namespace outboxd {

// The real file system, of which one call fails: the `at`-th (from 0) of the name `call`, once or,
// for `times`, more often.
class FailingFiles : public FileSystem {
 public:
  FailingFiles(std::string call, int at, int error, int times = 1)
      : call_(std::move(call)), at_(at), error_(error), times_(times) {}

  int Open(const char* path, int flags, mode_t mode) override {
    if (Fails("open")) return -1;
    ++open_descriptors;
    const int descriptor = SystemFiles().Open(path, flags, mode);
    if (descriptor < 0) --open_descriptors;
    return descriptor;
  }
  ssize_t Read(int descriptor, void* to, std::size_t bytes_max) override {
    return Fails("read") ? -1 : SystemFiles().Read(descriptor, to, bytes_max);
  }
  ssize_t Write(int descriptor, const void* from, std::size_t bytes) override {
    if (Fails("write")) return -1;
    return SystemFiles().Write(descriptor, from, write_bytes_max < bytes ? write_bytes_max : bytes);
  }
  int Fsync(int descriptor) override {
    return Fails("fsync") ? -1 : SystemFiles().Fsync(descriptor);
  }
  int Close(int descriptor) override {
    --open_descriptors;
    SystemFiles().Close(descriptor);
    return Fails("close") ? -1 : 0;
  }
  int Rename(const char* from, const char* to) override {
    return Fails("rename") ? -1 : SystemFiles().Rename(from, to);
  }
  int Unlink(const char* path) override {
    return Fails("unlink") ? -1 : SystemFiles().Unlink(path);
  }

  int open_descriptors = 0;
  std::size_t write_bytes_max = 1 << 20;

 private:
  bool Fails(std::string_view call) {
    if (call != call_ || at_-- > 0 || times_ == 0) return false;
    at_ = 0;
    --times_;
    errno = error_;
    return true;
  }

  std::string call_;
  int at_;
  int error_;
  int times_;
};

}  // namespace outboxd
