#include "daemon/checkpoint/alarm_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/escaped.h"
#include "base/json_line.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {

namespace {

constexpr char kAlarms[] = "alarms.jsonl";

nlohmann::ordered_json ToJson(const Alarm& alarm) {
  nlohmann::ordered_json json;
  json["kind"] = alarm.kind;
  json["position"] = alarm.position;
  json["text"] = alarm.text;
  json["commit_us"] = alarm.commit_us;
  return json;
}

// None: half a line that a crash left.
std::optional<Alarm> Parse(std::string_view line) {
  try {
    const auto json = nlohmann::json::parse(line);
    return Alarm{.kind = json.at("kind").get<std::string>(),
                 .position = json.at("position").get<std::string>(),
                 .text = json.at("text").get<std::string>(),
                 .commit_us = json.at("commit_us").get<std::uint64_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool IsSame(const std::timespec& a, const std::timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

// While it lives no other process records or acknowledges alarms of this folder.
class AlarmLog::FolderLock {
 public:
  explicit FolderLock(const std::string& directory)
      : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      taken_ = StepFailed(directory + "/" + kAlarms, "open", errno);
      return;
    }
    int outcome = 0;
    do {
      outcome = ::flock(descriptor_, LOCK_EX);
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) taken_ = StepFailed(directory, "flock", errno);
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  [[nodiscard]] const Result<void>& taken() const { return taken_; }

 private:
  int descriptor_;
  Result<void> taken_;
};

AlarmLog::AlarmLog(std::string directory)
    : directory_(std::move(directory)), path_(directory_ + "/" + kAlarms) {}

Result<AlarmLog::Version> AlarmLog::FileVersion() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return Version{};
    return StepFailed(path_, "stat", errno);
  }
  return Version{status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

void AlarmLog::Keep(Alarm alarm) const {
  known_.emplace(alarm.kind, alarm.position);
  standing_.push_back(std::move(alarm));
}

// The version is taken before the contents: a change in between is noticed the next time.
Result<void> AlarmLog::ReadIfChanged() const {
  auto version = FileVersion();
  if (!version) return std::unexpected(version.error());
  if (version->inode == version_.inode && version->bytes == version_.bytes &&
      IsSame(version->modified, version_.modified) && IsSame(version->changed, version_.changed)) {
    return {};
  }
  auto text = ReadFile(SystemFiles(), path_, kBytesMax);
  if (!text) return std::unexpected(text.error());
  const std::string all = std::move(*text).value_or(std::string());
  standing_.clear();
  known_.clear();
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end + 1) {
    end = std::min(all.find('\n', begin), all.size());
    if (auto alarm = Parse(std::string_view(all).substr(begin, end - begin))) {
      Keep(std::move(*alarm));
    }
  }
  version_ = *version;
  return {};
}

Result<std::vector<Alarm>> AlarmLog::Standing() const {
  const std::lock_guard lock(mutex_);
  if (auto read = ReadIfChanged(); !read) return std::unexpected(read.error());
  return standing_;
}

Result<std::size_t> AlarmLog::CountStanding() const {
  const std::lock_guard lock(mutex_);
  if (auto read = ReadIfChanged(); !read) return std::unexpected(read.error());
  return standing_.size();
}

Result<void> AlarmLog::Record(const Alarm& alarm) {
  const std::lock_guard lock(mutex_);
  const FolderLock folder(directory_);
  if (!folder.taken()) return folder.taken();
  if (auto read = ReadIfChanged(); !read) return read;
  if (known_.contains({alarm.kind, alarm.position})) return {};
  const std::string line = JsonLine(ToJson(alarm));
  const std::size_t bytes = static_cast<std::size_t>(version_.bytes) + line.size() + 1;
  if (standing_.size() >= kStandingMax || bytes > kBytesMax) return {};
  if (auto appended = AppendLine(directory_, kAlarms, line); !appended) return appended;
  auto version = FileVersion();
  if (!version) return std::unexpected(version.error());
  // As it would be read.
  if (auto kept = Parse(line)) Keep(std::move(*kept));
  version_ = *version;
  return {};
}

Result<std::vector<Alarm>> AlarmLog::Acknowledge(
    const std::function<Result<void>(const std::vector<Alarm>&)>& keep) {
  const std::lock_guard lock(mutex_);
  const FolderLock folder(directory_);
  if (!folder.taken()) return std::unexpected(folder.taken().error());
  if (auto read = ReadIfChanged(); !read) return std::unexpected(read.error());
  if (keep) {
    if (auto kept = keep(standing_); !kept) return std::unexpected(kept.error());
  }
  if (auto removed = RemoveFile(SystemFiles(), directory_, kAlarms); !removed) {
    return std::unexpected(removed.error());
  }
  return std::exchange(standing_, {});
}

}  // namespace outboxd
