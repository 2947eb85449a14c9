#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/error.h"

namespace outboxd {

// The system calls that a file which must survive a crash is made with; a seam, so that tests and
// the simulator can let each of them fail. Each member does what the call of its name does: errors
// are -1 with errno set, short counts and EINTR included.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual int Open(const char* path, int flags, mode_t mode) = 0;
  virtual ssize_t Read(int descriptor, void* to, std::size_t bytes_max) = 0;
  virtual ssize_t Write(int descriptor, const void* from, std::size_t bytes) = 0;
  virtual int Fsync(int descriptor) = 0;
  virtual int Close(int descriptor) = 0;
  virtual int Rename(const char* from, const char* to) = 0;
  virtual int Unlink(const char* path) = 0;
};

// The real one; a file that root makes belongs to the owner of its folder. Any thread.
[[nodiscard]] FileSystem& SystemFiles();

// kState: `step` failed on `path` with `error`, an errno. Where this user may not do it, the text
// names the one who may.
[[nodiscard]] std::unexpected<Error> StepFailed(std::string_view path, std::string_view step,
                                                int error);

// Replaces `directory`/`name` by a file with `contents` (mode 0600), through `name`.new beside it.
// After success the new contents survive a crash of the machine. After an error the file holds
// either all of the old contents or, where only the last step (sync of the directory) failed, all
// of the new. kState: path, step and the system's reason.
[[nodiscard]] Result<void> ReplaceFile(FileSystem& files, const std::string& directory,
                                       const std::string& name, std::string_view contents);

// Appends `line`, which ends with a line feed, to `directory`/`name` (mode 0600), on a line of its
// own even behind half a one that a crash left. After success it survives a crash. kState.
[[nodiscard]] Result<void> AppendLine(const std::string& directory, const std::string& name,
                                      std::string_view line);

// Removes `directory`/`name`, so that it stays removed after a crash; it need not be there. kState.
[[nodiscard]] Result<void> RemoveFile(FileSystem& files, const std::string& directory,
                                      const std::string& name);

// The contents of a file; none: there is no such file. kState: it cannot be read, or is longer than
// `bytes_max`.
[[nodiscard]] Result<std::optional<std::string>> ReadFile(FileSystem& files,
                                                          const std::string& path,
                                                          std::size_t bytes_max);

// For root: gives what stands at `path` to the owner of its folder. False: errno tells why.
[[nodiscard]] bool GiveToOwnerOfFolder(const std::string& path);

// Makes the names in a directory survive a crash. kState.
[[nodiscard]] Result<void> SyncDirectory(FileSystem& files, const std::string& directory);

// Writes all of `contents` at the descriptor's place. kState, naming `path`.
[[nodiscard]] Result<void> WriteAll(FileSystem& files, int descriptor, const std::string& path,
                                    std::string_view contents);

}  // namespace outboxd
