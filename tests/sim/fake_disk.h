#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/checkpoint/file_system.h"
#include "tests/sim/faults.h"

namespace outboxd::sim {

// One directory on a disk that promises no more than POSIX: what was not synced may be there, be
// torn or be gone after a crash of the machine; names need a sync of their directory.
class FakeDisk final : public FileSystem {
 public:
  explicit FakeDisk(Faults& faults) : faults_(faults) {}

  int Open(const char* path, int flags, mode_t mode) override;
  ssize_t Read(int descriptor, void* to, std::size_t bytes_max) override;
  ssize_t Write(int descriptor, const void* from, std::size_t bytes) override;
  int Fsync(int descriptor) override;
  int Close(int descriptor) override;
  int Rename(const char* from, const char* to) override;
  int Unlink(const char* path) override;

  // The process is gone; what it wrote stays in the system's memory.
  void ProcessDies() { descriptors_.clear(); }
  // Everything that was not synced is left to chance.
  void MachineDies();

 private:
  struct File {
    std::string contents;
    std::string synced;
    bool is_synced = true;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;  // Shared by names and descriptors.
  struct Descriptor {
    std::shared_ptr<File> file;  // Null: the directory.
    std::size_t offset = 0;
  };

  [[nodiscard]] bool Fails(const char* call);
  void Rejudge(File& file);

  Faults& faults_;
  Names names_;
  // The names as each change since the last sync of the directory left them: a journal, of which a
  // crash keeps some first part.
  std::vector<Names> unsynced_names_;
  Names synced_names_;
  std::map<int, Descriptor> descriptors_;
  int next_descriptor_ = 3;
};

}  // namespace outboxd::sim
