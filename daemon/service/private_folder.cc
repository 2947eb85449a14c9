#include "daemon/service/private_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "daemon/checkpoint/file_system.h"

namespace outboxd {

Result<PrivateFolder> PrivateFolder::Make(const std::string& parent) {
  std::string path = parent + "/outboxd-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return StepFailed(parent, "make a folder in it", errno);
  return PrivateFolder(std::move(path));
}

PrivateFolder::~PrivateFolder() {
  if (path_.empty()) return;
  // It is root's again before root walks through it, so that nobody moves what is in it.
  // Where that fails, removing it is tried all the same.
  [[maybe_unused]] const int result = ::lchown(path_.c_str(), ::geteuid(), ::getegid());
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<void> PrivateFolder::Write(const std::string& name, std::string_view contents, uid_t user,
                                  gid_t group) const {
  const std::string path = path_ + "/" + name;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
  if (file < 0) return StepFailed(path, "open", errno);
  auto written = WriteAll(SystemFiles(), file, path, contents);
  if (written && ::fchown(file, user, group) != 0) written = StepFailed(path, "chown", errno);
  ::close(file);
  return written;
}

Result<void> PrivateFolder::GiveTo(uid_t user, gid_t group) const {
  if (::lchown(path_.c_str(), user, group) != 0) return StepFailed(path_, "chown", errno);
  return {};
}

}  // namespace outboxd
