#include "daemon/config/complaints.h"

#include <algorithm>
#include <utility>

#include "base/escaped.h"

namespace outboxd {
namespace {

// Beside the lines of a file and Setting::kCommandLine: no line at all.
constexpr int kWhole = -2;

}  // namespace

int Complaints::AddFile(std::string path) {
  paths_.push_back(std::move(path));
  return static_cast<int>(paths_.size()) - 1;
}

void Complaints::Add(int line, std::string text, std::string hint, int file) {
  complaints_.push_back({file, line, std::move(text), std::move(hint)});
}

void Complaints::Add(const Setting& setting, std::string_view text, std::string hint) {
  const std::string_view dashes = setting.line == Setting::kCommandLine ? "--" : "";
  Add(setting.line, fmt::format("{}{}: {}", dashes, Escaped(setting.name()), text), std::move(hint),
      setting.file);
}

void Complaints::AddOfWhole(std::string text, std::string hint) {
  Add(kWhole, std::move(text), std::move(hint));
}

Error Complaints::All() const {
  static constexpr int kBehindEveryFile = 1 << 30;
  std::vector<Complaint> sorted = complaints_;
  std::ranges::stable_sort(sorted, {}, [](const Complaint& complaint) {
    return complaint.line > 0 ? std::pair(complaint.file, complaint.line)
                              : std::pair(kBehindEveryFile, -complaint.line);
  });
  Error all{ExitCode::kConfiguration, ""};
  for (const Complaint& complaint : sorted) {
    if (!all.message.empty()) all.message = all.ToText() + '\n';
    if (complaint.line > 0) {
      all.message += fmt::format("{}:{}: ", Escaped(path(complaint.file)), complaint.line);
    } else if (complaint.line == kWhole && !path(0).empty()) {
      all.message += fmt::format("{}: ", Escaped(path(0)));
    }
    all.message += complaint.text;
    all.hint = complaint.hint;
  }
  return all;
}

}  // namespace outboxd
