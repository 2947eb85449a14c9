#include "daemon/checkpoint/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/base64.h"
#include "base/escaped.h"
#include "base/json_line.h"
#include "base/utf8.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/checkpoint/held_event_json.h"

namespace outboxd {

namespace {

constexpr char kLock[] = "lock";
constexpr char kHeld[] = "held";
constexpr char kSkip[] = "skip";
constexpr char kSkipped[] = "skipped.jsonl";
constexpr char kPassed[] = "passed";
constexpr std::size_t kBytesMax = 1u << 20;

// Creates `path` and what is missing above it.
Result<void> MakeDirectory(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    const bool is_new = mkdir(part.c_str(), 0700) == 0;
    if (is_new && geteuid() == 0 && !GiveToOwnerOfFolder(part)) {
      return StepFailed(part, "chown", errno);
    }
    if (!is_new && errno != EEXIST) {
      const int error = errno;
      // A read-only or foreign parent that stands is fine.
      struct stat status{};
      if (stat(part.c_str(), &status) != 0) return StepFailed(part, "mkdir", error);
    }
    if (end == std::string::npos) break;
  }
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return StepFailed(path, "stat", errno);
  if (!S_ISDIR(status.st_mode)) return StepFailed(path, "mkdir", ENOTDIR);
  return {};
}

// The process id that the lock file holds; 0 where it holds none.
int ReadProcessId(int descriptor) {
  char text[16];
  const ssize_t bytes = pread(descriptor, text, sizeof text, 0);
  int process = 0;
  if (bytes > 0) std::from_chars(text, text + bytes, process);
  return process;
}

using Bytes = std::optional<std::string>;

// Bytes as JSON can carry them: as text where they are UTF-8, else as Base64 under `name`_base64.
void PutBytes(nlohmann::ordered_json& json, const std::string& name, const Bytes& bytes) {
  if (!bytes) {
    json[name] = nullptr;
  } else if (IsUtf8(*bytes)) {
    json[name] = *bytes;
  } else {
    json[name + "_base64"] = Base64(*bytes);
  }
}

// As the stdout sink writes them: pairs of a name and a text, null or {"base64": ...}.
nlohmann::ordered_json HeadersToJson(const std::vector<std::pair<std::string, Bytes>>& headers) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& [name, bytes] : headers) {
    nlohmann::ordered_json value;
    if (bytes && IsUtf8(*bytes)) {
      value = *bytes;
    } else if (bytes) {
      value["base64"] = Base64(*bytes);
    }
    json.push_back(nlohmann::ordered_json::array({name, std::move(value)}));
  }
  return json;
}

}  // namespace

StateDirectory::~StateDirectory() {
  if (lock_descriptor_ >= 0) close(lock_descriptor_);
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_descriptor_(std::exchange(other.lock_descriptor_, -1)) {}

StateDirectory& StateDirectory::operator=(StateDirectory&& other) noexcept {
  if (this == &other) return *this;
  if (lock_descriptor_ >= 0) close(lock_descriptor_);
  path_ = std::move(other.path_);
  lock_descriptor_ = std::exchange(other.lock_descriptor_, -1);
  return *this;
}

Result<void> StateDirectory::Lock() {
  if (lock_descriptor_ >= 0) return {};
  if (auto made = MakeDirectory(path_); !made) return made;
  const std::string path = path_ + "/" + kLock;
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  const int descriptor = SystemFiles().Open(path.c_str(), kFlags, 0600);
  if (descriptor < 0) return StepFailed(path, "open", errno);

  // LockHolder() of another process takes the lock for a moment: that is no relay.
  constexpr int kAttempts = 20;
  int outcome = flock(descriptor, LOCK_EX | LOCK_NB);
  for (int i = 1; i < kAttempts && outcome != 0 && (errno == EWOULDBLOCK || errno == EINTR); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    outcome = flock(descriptor, LOCK_EX | LOCK_NB);
  }
  if (outcome != 0) {
    const int error = errno;
    const int holder = ReadProcessId(descriptor);
    close(descriptor);
    if (error != EWOULDBLOCK) return StepFailed(path, "flock", error);
    return Fail(ExitCode::kOtherActive,
                "{}: another relay works on this state directory: process {}", Escaped(path_),
                holder == 0 ? "unknown" : std::to_string(holder))
        .Hint("stop it first, or give this relay a state-directory of its own");
  }

  lock_descriptor_ = descriptor;
  const std::string process = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) != 0) return StepFailed(path, "ftruncate", errno);
  return WriteAll(SystemFiles(), descriptor, path, process);
}

Result<void> StateDirectory::CheckUsable() const {
  std::string path = path_;
  struct stat status{};
  while (stat(path.c_str(), &status) != 0) {
    const std::size_t slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos) return StepFailed(path, "stat", errno);
    path.erase(std::max<std::size_t>(slash, 1));
  }
  if (!S_ISDIR(status.st_mode)) return StepFailed(path, "mkdir", ENOTDIR);
  if (access(path.c_str(), W_OK | X_OK) != 0) return StepFailed(path_, "access", errno);
  return {};
}

Result<std::optional<int>> StateDirectory::LockHolder() const {
  if (lock_descriptor_ >= 0) return std::nullopt;
  const std::string path = path_ + "/" + kLock;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    if (errno == ENOENT) return std::nullopt;
    return StepFailed(path, "open", errno);
  }
  const int outcome = flock(descriptor, LOCK_SH | LOCK_NB);
  const int error = errno;
  const int holder = ReadProcessId(descriptor);
  close(descriptor);
  if (outcome == 0) return std::nullopt;
  if (error != EWOULDBLOCK) return StepFailed(path, "flock", error);
  return holder;
}

Result<void> StateDirectory::WriteHeld(const HeldEvent& held) {
  return ReplaceFile(SystemFiles(), path_, kHeld, JsonLine(ToJson(held)));
}

Result<std::optional<HeldEvent>> StateDirectory::ReadHeld() const {
  const std::string path = path_ + "/" + kHeld;
  const auto text = ReadFile(SystemFiles(), path, kBytesMax);
  if (!text) return std::unexpected(text.error());
  if (!text->has_value()) return std::nullopt;
  try {
    return HeldFromJson(nlohmann::json::parse(**text));
  } catch (const nlohmann::json::exception& exception) {
    return Unreadable(path, exception);
  }
}

Result<void> StateDirectory::ClearHeld() { return RemoveFile(SystemFiles(), path_, kHeld); }

Result<void> StateDirectory::RequestSkip(std::string_view position) {
  nlohmann::ordered_json json;
  json["position"] = position;
  return ReplaceFile(SystemFiles(), path_, kSkip, JsonLine(json));
}

Result<std::optional<std::string>> StateDirectory::ReadSkipRequest() const {
  const std::string path = path_ + "/" + kSkip;
  const auto text = ReadFile(SystemFiles(), path, kBytesMax);
  if (!text) return std::unexpected(text.error());
  if (!text->has_value()) return std::nullopt;
  try {
    return nlohmann::json::parse(**text).at("position").get<std::string>();
  } catch (const nlohmann::json::exception& exception) {
    return Unreadable(path, exception);
  }
}

Result<void> StateDirectory::RecordSkipped(const SkippedEvent& event) {
  nlohmann::ordered_json json = ToJson(event.held);
  PutBytes(json, "key", event.key);
  PutBytes(json, "value", event.value);
  json["headers"] = HeadersToJson(event.headers);

  auto appended = AppendLine(path_, kSkipped, JsonLine(json));
  if (!appended) return appended;
  if (auto added = AddPassed(event.held.position); !added) return added;
  return RemoveFile(SystemFiles(), path_, kSkip);
}

Result<void> StateDirectory::AddPassed(const std::string& position) {
  auto passed = ReadPassed();
  if (!passed) return std::unexpected(passed.error());
  if (std::ranges::find(*passed, position) != passed->end()) return {};
  if (passed->size() >= kPassedMax) passed->erase(passed->begin());
  passed->push_back(position);
  nlohmann::ordered_json json;
  json["positions"] = *passed;
  return ReplaceFile(SystemFiles(), path_, kPassed, JsonLine(json));
}

Result<std::vector<std::string>> StateDirectory::ReadPassed() const {
  const std::string path = path_ + "/" + kPassed;
  const auto text = ReadFile(SystemFiles(), path, kBytesMax);
  if (!text) return std::unexpected(text.error());
  if (!text->has_value()) return std::vector<std::string>();
  try {
    return nlohmann::json::parse(**text).at("positions").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& exception) {
    return Unreadable(path, exception);
  }
}

Result<void> StateDirectory::ForgetPassed() { return RemoveFile(SystemFiles(), path_, kPassed); }

}  // namespace outboxd
