#include "daemon/checkpoint/file_system.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/escaped.h"

namespace outboxd {

namespace {

std::string FolderOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

// What root makes belongs to the owner of the folder: the relay that goes on with it runs as that
// user.
bool GiveToOwner(int descriptor, const char* path) {
  struct stat folder{};
  if (::stat(FolderOf(path).c_str(), &folder) != 0) return false;
  return ::fchown(descriptor, folder.st_uid, folder.st_gid) == 0;
}

class System : public FileSystem {
 public:
  int Open(const char* path, int flags, mode_t mode) override {
    const int descriptor = ::open(path, flags, mode);
    const bool may_be_new = descriptor >= 0 && (flags & O_CREAT) != 0;
    if (!may_be_new || ::geteuid() != 0 || GiveToOwner(descriptor, path)) return descriptor;
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return -1;
  }
  ssize_t Read(int descriptor, void* to, std::size_t bytes_max) override {
    return ::read(descriptor, to, bytes_max);
  }
  ssize_t Write(int descriptor, const void* from, std::size_t bytes) override {
    return ::write(descriptor, from, bytes);
  }
  int Fsync(int descriptor) override { return ::fsync(descriptor); }
  int Close(int descriptor) override { return ::close(descriptor); }
  int Rename(const char* from, const char* to) override { return ::rename(from, to); }
  int Unlink(const char* path) override { return ::unlink(path); }
};

// None: there is only the number.
std::optional<std::string> UserName(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return std::string(found->pw_name);
}

// Who may do what this user may not: the owner of the folder that is there.
std::string OwnerHint(std::string path) {
  struct stat status{};
  do {
    path = FolderOf(path);
  } while (::stat(path.c_str(), &status) != 0 && path != "/" && path != ".");
  if (status.st_uid == ::geteuid()) return "";
  if (status.st_uid == 0) {
    return fmt::format(
        "{} belongs to root: let root give what is needed there to the user of this"
        " process (chown {}:{} ...)",
        Escaped(path), ::geteuid(), ::getegid());
  }
  const auto name = UserName(status.st_uid);
  const std::string owner = name.value_or(std::to_string(status.st_uid));
  // sudo takes a number behind #, which a shell takes for a comment.
  const std::string for_sudo = name ? owner : fmt::format("'#{}'", owner);
  return fmt::format("{} belongs to user {}: run this as {} (sudo -u {} outboxd ...)",
                     Escaped(path), owner, owner + " or root", for_sudo);
}

// Calls `call` again while a signal interrupts it. The bound is there for a broken file system.
template <typename Call>
auto Retried(Call call) -> decltype(call()) {
  constexpr int kAttemptsMax = 1000;
  auto outcome = call();
  for (int i = 1; i < kAttemptsMax && outcome < 0 && errno == EINTR; ++i) outcome = call();
  return outcome;
}

class Descriptor {
 public:
  Descriptor(FileSystem& files, int number) : files_(files), number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) files_.Close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }

  // close(2) frees the descriptor even when it fails; EINTR after a sync tells nothing.
  int Close() {
    const int outcome = files_.Close(number_);
    number_ = -1;
    return outcome != 0 && errno == EINTR ? 0 : outcome;
  }

 private:
  FileSystem& files_;
  int number_;
};

Result<void> WriteSynced(FileSystem& files, const std::string& path, std::string_view contents) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(files, Retried([&] { return files.Open(path.c_str(), kFlags, 0600); }));
  if (file.number() < 0) return StepFailed(path, "open", errno);
  if (auto written = WriteAll(files, file.number(), path, contents); !written) return written;
  if (Retried([&] { return files.Fsync(file.number()); }) != 0) {
    return StepFailed(path, "fsync", errno);
  }
  if (file.Close() != 0) return StepFailed(path, "close", errno);
  return {};
}

}  // namespace

std::unexpected<Error> StepFailed(std::string_view path, std::string_view step, int error) {
  auto failure = Fail(ExitCode::kState, "{}: {} failed: {}", Escaped(path), step,
                      std::generic_category().message(error));
  if (error != EACCES && error != EPERM) return failure;
  return std::move(failure).Hint("{}", OwnerHint(std::string(path)));
}

bool GiveToOwnerOfFolder(const std::string& path) {
  struct stat folder{};
  if (::stat(FolderOf(path).c_str(), &folder) != 0) return false;
  return ::lchown(path.c_str(), folder.st_uid, folder.st_gid) == 0;
}

FileSystem& SystemFiles() {
  static System files;
  return files;
}

Result<void> WriteAll(FileSystem& files, int descriptor, const std::string& path,
                      std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written =
        Retried([&] { return files.Write(descriptor, contents.data(), contents.size()); });
    if (written < 0) return StepFailed(path, "write", errno);
    if (written == 0) return StepFailed(path, "write", EIO);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> SyncDirectory(FileSystem& files, const std::string& directory) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Descriptor opened(files, Retried([&] { return files.Open(directory.c_str(), kFlags, 0); }));
  if (opened.number() < 0) return StepFailed(directory, "open of the directory", errno);
  if (Retried([&] { return files.Fsync(opened.number()); }) != 0) {
    return StepFailed(directory, "fsync of the directory", errno);
  }
  return {};
}

Result<void> ReplaceFile(FileSystem& files, const std::string& directory, const std::string& name,
                         std::string_view contents) {
  const std::string path = directory + "/" + name;
  const std::string new_path = path + ".new";
  if (auto written = WriteSynced(files, new_path, contents); !written) {
    files.Unlink(new_path.c_str());
    return written;
  }
  if (files.Rename(new_path.c_str(), path.c_str()) != 0) {
    const int error = errno;
    files.Unlink(new_path.c_str());
    return StepFailed(path, "rename", error);
  }
  return SyncDirectory(files, directory);
}

Result<void> AppendLine(const std::string& directory, const std::string& name,
                        std::string_view line) {
  const std::string path = directory + "/" + name;
  FileSystem& files = SystemFiles();
  constexpr int kFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(files, Retried([&] { return files.Open(path.c_str(), kFlags, 0600); }));
  if (file.number() < 0) return StepFailed(path, "open", errno);
  const off_t end = lseek(file.number(), 0, SEEK_END);
  char last = '\n';
  if (end > 0 && pread(file.number(), &last, 1, end - 1) != 1) last = '\0';
  const std::string text = (last == '\n' ? "" : "\n") + std::string(line);
  if (auto written = WriteAll(files, file.number(), path, text); !written) return written;
  if (Retried([&] { return files.Fsync(file.number()); }) != 0) {
    return StepFailed(path, "fsync", errno);
  }
  return SyncDirectory(files, directory);
}

Result<void> RemoveFile(FileSystem& files, const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  if (files.Unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return StepFailed(path, "unlink", errno);
  }
  return SyncDirectory(files, directory);
}

Result<std::optional<std::string>> ReadFile(FileSystem& files, const std::string& path,
                                            std::size_t bytes_max) {
  Descriptor file(files,
                  Retried([&] { return files.Open(path.c_str(), O_RDONLY | O_CLOEXEC, 0); }));
  if (file.number() < 0) {
    if (errno == ENOENT) return std::nullopt;
    return StepFailed(path, "open", errno);
  }
  std::string contents;
  char block[16 * 1024];
  while (contents.size() <= bytes_max) {
    const ssize_t bytes = Retried([&] { return files.Read(file.number(), block, sizeof block); });
    if (bytes < 0) return StepFailed(path, "read", errno);
    if (bytes == 0) return contents;
    contents.append(block, static_cast<std::size_t>(bytes));
  }
  return Fail(ExitCode::kState, "{}: longer than {} bytes", Escaped(path), bytes_max);
}

}  // namespace outboxd
