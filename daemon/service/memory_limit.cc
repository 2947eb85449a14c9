#include "daemon/service/memory_limit.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/value_text.h"

namespace outboxd {
namespace {

// A limit of version 1 that stands for none.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;

void TakeLimit(const std::filesystem::path& file, std::optional<std::uint64_t>& least) {
  std::ifstream in(file);
  std::string text;
  if (!std::getline(in, text)) return;
  const auto limit = ParseDigits(text);  // Not "max".
  if (!limit || *limit >= kUnlimited) return;
  least = least ? std::min(*least, *limit) : *limit;
}

// The group's own limit and those above it. In a container the path can be that of another
// namespace: then the files stand at the top.
void TakeLimits(const std::filesystem::path& hierarchy, std::string_view group,
                std::string_view file, std::optional<std::uint64_t>& least) {
  std::filesystem::path relative(group.substr(std::min<std::size_t>(1, group.size())));
  while (true) {
    TakeLimit(hierarchy / relative / file, least);
    if (relative.empty()) return;
    relative = relative.parent_path();
  }
}

}  // namespace

std::optional<std::uint64_t> MemoryLimit(const std::string& root) {
  std::optional<std::uint64_t> least;
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {  // "0::/system.slice/x.service", "9:memory:/x"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    const std::string files = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      TakeLimits(files, group, "memory.max", least);
    } else if (controllers == "memory") {
      TakeLimits(files + "/memory", group, "memory.limit_in_bytes", least);
    }
  }
  return least;
}

}  // namespace outboxd
