#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"

namespace outboxd::binlog {

// Where a password comes from, anew for each log-in; neither: there is none.
struct PasswordSource {
  std::string file;                  // Its content, without a line end behind it.
  std::vector<std::string> command;  // A program and its arguments, which prints it on one line.

  friend bool operator==(const PasswordSource&, const PasswordSource&) = default;
};

// Holds a password for the time of a connect and wipes it afterwards.
class Password {
 public:
  static constexpr std::size_t kBytesMax = 16'384;  // Tokens are long.

  Password() = default;
  Password(Password&& other) noexcept;
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
  Password& operator=(Password&&) = delete;
  ~Password() { Wipe(); }

  // A command may take ten seconds. kHandshake: the file cannot be read, the program cannot be
  // started, or what they hold is no password. kDisconnected: the program failed or took too long,
  // which may pass. kInterrupted: `is_over` said so.
  [[nodiscard]] static Result<Password> Get(const PasswordSource& source,
                                            const std::function<bool()>& is_over);

  [[nodiscard]] const char* c_str() const { return text_.data(); }

 private:
  [[nodiscard]] static Result<Password> Read(const std::string& path);
  [[nodiscard]] static Result<Password> Run(const std::vector<std::string>& command,
                                            const std::function<bool()>& is_over);
  // Takes one line end away. Whether the rest can be a password.
  [[nodiscard]] bool EndLine();
  void Wipe();

  std::array<char, kBytesMax + 1> text_{};
  std::size_t size_ = 0;
};

}  // namespace outboxd::binlog
