#include "daemon/config/config_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/escaped.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {
namespace {

constexpr std::size_t kFileBytesMax = 1u << 20;

// One file has one name here, whichever way leads to it. Empty: there is no file.
std::string NameOf(const std::filesystem::path& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

class Reader {
 public:
  explicit Reader(Complaints& complaints) : complaints_(complaints) {}

  void Take(int number, std::string_view text) {
    open_.push_back(NameOf(complaints_.path(number)));
    IniFile ini = ParseIni(text);
    for (const IniFile::Include& include : ini.includes) TakeInclude(include, number);
    open_.pop_back();
    files.push_back({number, std::move(ini)});
  }

  std::vector<ConfigFile> files;

 private:
  void TakeInclude(const IniFile::Include& include, int from) {
    const auto complain = [&](std::string_view text, std::string hint = {}) {
      complaints_.Add(include.line, fmt::format("include: {}", text), std::move(hint), from);
    };
    if (include.path.empty()) return complain("names no file");
    const std::filesystem::path folder = std::filesystem::path(open_.back()).parent_path();
    const std::string path = NameOf(folder / include.path);
    const auto earlier = std::ranges::find(open_, path);
    if (earlier != open_.end()) {
      std::vector<std::string> circle(earlier, open_.end());
      circle.push_back(path);
      for (std::string& name : circle) name = Escaped(name);
      return complain(fmt::format("circular: {}", fmt::join(circle, " includes ")),
                      "take one of these lines away");
    }
    const auto text = ReadFile(SystemFiles(), path, kFileBytesMax);
    if (!text) return complain(text.error().message, text.error().hint);
    if (!text->has_value()) return complain(fmt::format("{}: no such file", Escaped(path)));
    Take(complaints_.AddFile(path), **text);
  }

  Complaints& complaints_;
  std::vector<std::string> open_;  // The file that is read, behind those that include it.
};

}  // namespace

std::vector<ConfigFile> ReadConfigFiles(std::string_view text, Complaints& complaints) {
  Reader reader(complaints);
  reader.Take(0, text);
  return std::move(reader.files);
}

}  // namespace outboxd
