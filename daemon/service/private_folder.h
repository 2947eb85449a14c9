#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "daemon/error.h"

namespace outboxd {

// A new folder that nobody but its owner can look into, for files with secrets. It is removed with
// everything in it when the object goes, but not by a process that ends without that: who forks
// lets the child end by exit(3). One thread.
class PrivateFolder {
 public:
  // In `parent`, which has to be there and should not be kept on a disk. kState.
  [[nodiscard]] static Result<PrivateFolder> Make(const std::string& parent);

  ~PrivateFolder();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  PrivateFolder& operator=(PrivateFolder&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  // Adds a file that this user and group can read and nobody can write. `name` has no '/'. kState.
  [[nodiscard]] Result<void> Write(const std::string& name, std::string_view contents, uid_t user,
                                   gid_t group) const;
  // The folder itself is theirs from now on; add no file afterwards. kState.
  [[nodiscard]] Result<void> GiveTo(uid_t user, gid_t group) const;

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;  // Empty: it was moved away.
};

}  // namespace outboxd
