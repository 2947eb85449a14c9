#include "daemon/service/person.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>

#include "base/value_text.h"

namespace outboxd {
namespace {

std::string NameOf(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return failed == 0 && found != nullptr ? found->pw_name : std::to_string(user);
}

// None: there was no log-in, as in a container or for what a service starts.
std::optional<uid_t> LoginUser(const std::string& root) {
  std::ifstream file(root + "/proc/self/loginuid");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  const auto number = ParseDigits(text);
  if (!number || *number >= std::numeric_limits<uid_t>::max()) return std::nullopt;
  return static_cast<uid_t>(*number);
}

}  // namespace

std::string PersonName(const std::string& root) {
  if (const auto login = LoginUser(root)) return NameOf(*login);
  const char* const before_sudo = std::getenv("SUDO_USER");
  if (before_sudo != nullptr && *before_sudo != '\0') return before_sudo;
  return NameOf(::getuid());
}

}  // namespace outboxd
