#include "binlog/password.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/secret_line.h"

namespace outboxd::binlog {
namespace {

std::unexpected<Error> Unreadable(const std::string& path) {
  return Fail(ErrorKind::kHandshake, "password file {} cannot be read: {}", path,
              std::strerror(errno));
}

ErrorKind KindOf(SecretFault fault) {
  switch (fault) {
    case SecretFault::kFailed:
      return ErrorKind::kDisconnected;
    case SecretFault::kInterrupted:
      return ErrorKind::kInterrupted;
    case SecretFault::kWrong:
      break;
  }
  return ErrorKind::kHandshake;
}

}  // namespace

Password::Password(Password&& other) noexcept : text_(other.text_), size_(other.size_) {
  other.Wipe();
}

Result<Password> Password::Get(const PasswordSource& source, const std::function<bool()>& is_over) {
  if (!source.command.empty()) return Run(source.command, is_over);
  if (!source.file.empty()) return Read(source.file);
  return Password();
}

Result<Password> Password::Read(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (!file) return Unreadable(path);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  Password password;
  password.size_ = std::fread(password.text_.data(), 1, kBytesMax, file.get());
  if (std::ferror(file.get()) != 0) return Unreadable(path);
  const bool is_whole = password.size_ < kBytesMax;
  if (password.EndLine() && is_whole) return password;
  return Fail(ErrorKind::kHandshake, "password file {} does not hold a password", path);
}

Result<Password> Password::Run(const std::vector<std::string>& command,
                               const std::function<bool()>& is_over) {
  auto line = SecretLineOf(command, "password", kBytesMax, is_over);
  if (!line) return Fail(line.error().As(KindOf(line.error().kind)), "mysql.password-command");
  Password password;
  password.size_ = line->size();
  std::ranges::copy(*line, password.text_.begin());
  explicit_bzero(line->data(), line->size());
  return password;
}

bool Password::EndLine() {
  for (const char end : {'\n', '\r'}) {
    if (size_ > 0 && text_[size_ - 1] == end) text_[--size_] = '\0';
  }
  return !std::string_view(text_.data(), size_).contains('\0');
}

void Password::Wipe() { explicit_bzero(text_.data(), text_.size()); }

}  // namespace outboxd::binlog
