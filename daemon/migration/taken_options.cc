#include "daemon/migration/taken_options.h"

#include "base/comma_list.h"
#include "base/trimmed.h"

namespace outboxd {

std::optional<std::string> TakenOptions::Find(std::string_view option) {
  const auto found = connector_.find(option);
  if (found == connector_.end()) return std::nullopt;
  taken_.insert(found->first);
  return found->second;
}

std::string TakenOptions::Take(std::string_view option, std::string_view absent) {
  return Find(option).value_or(std::string(absent));
}

std::vector<std::string> TakenOptions::TakeList(std::string_view option) {
  const std::string list = Take(option);
  std::vector<std::string> elements;
  for (const std::string_view part : SplitAtCommas(list)) {
    const std::string_view element = Trimmed(part, " \t\n");
    if (!element.empty()) elements.emplace_back(element);
  }
  return elements;
}

std::string TakenOptions::TakeShared(std::string_view option, std::string_view absent) {
  if (auto own = Find(option)) return *own;
  const auto found = worker_.find(option);
  if (found == worker_.end()) return std::string(absent);
  taken_.insert(found->first);
  return found->second;
}

Properties TakenOptions::TakeAll(const Properties& options, std::string_view prefix) {
  Properties all;
  for (const auto& [option, value] : Left(options)) {
    if (!option.starts_with(prefix)) continue;
    all.emplace(option, value);
    taken_.insert(option);
  }
  return all;
}

Properties TakenOptions::Left(const Properties& options) const {
  Properties left;
  for (const auto& [option, value] : options) {
    if (!taken_.contains(option)) left.emplace(option, value);
  }
  return left;
}

}  // namespace outboxd
