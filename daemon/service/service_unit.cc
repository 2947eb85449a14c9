#include "daemon/service/service_unit.h"

#include <fmt/format.h>

namespace outboxd {
namespace {

constexpr std::string_view kTemplate = "outboxd@";
constexpr std::string_view kSuffix = ".service";

}  // namespace

std::string UnitNameOf(std::string_view typed) {
  if (typed.contains('.')) return std::string(typed);
  if (typed.contains('@')) return fmt::format("{}{}", typed, kSuffix);
  return fmt::format("{}{}{}", kTemplate, typed, kSuffix);
}

std::string ShortUnitName(std::string_view name) {
  if (!name.starts_with(kTemplate) || !name.ends_with(kSuffix)) return std::string(name);
  const std::string_view instance =
      name.substr(kTemplate.size(), name.size() - kTemplate.size() - kSuffix.size());
  return std::string(instance.empty() || instance.contains('.') ? name : instance);
}

}  // namespace outboxd
