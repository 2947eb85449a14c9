#include "binlog/table_filter.h"

#include <algorithm>
#include <cstddef>
#include <functional>

#include "base/glob.h"
#include "binlog/any_case.h"

namespace outboxd::binlog {

namespace {

std::string_view LongestFixedPart(std::string_view pattern) {
  std::string_view longest;
  while (!pattern.empty()) {
    const std::string_view part = pattern.substr(0, pattern.find_first_of("*?"));
    if (part.size() > longest.size()) longest = part;
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
  }
  return longest;
}

std::size_t HashOf(std::string_view schema_name, std::string_view table_name) {
  constexpr std::size_t kOdd = 0x9E3779B97F4A7C15;  // "a"."b" is not "b"."a".
  const std::hash<std::string_view> hash;
  return hash(schema_name) * kOdd + hash(table_name);
}

bool MayName(std::string_view statement, const TableSelection& selection) {
  return ContainsInAnyCase(statement, LongestFixedPart(selection.table_pattern));
}

}  // namespace

TableFilter::TableFilter(std::vector<TableSelection> selections)
    : selections_(std::move(selections)) {
  for (std::uint32_t i = 0; i < selections_.size(); ++i) {
    const TableSelection& selection = selections_[i];
    if (IsPattern(selection.schema_pattern) || IsPattern(selection.table_pattern)) {
      patterns_.push_back(i);
    } else if (!FindExact(selection.schema_pattern, selection.table_pattern)) {
      exact_.emplace(HashOf(selection.schema_pattern, selection.table_pattern), i);
    }
  }
}

std::optional<std::uint32_t> TableFilter::FindExact(std::string_view schema_name,
                                                    std::string_view table_name) const {
  auto [at, end] = exact_.equal_range(HashOf(schema_name, table_name));
  for (; at != end; ++at) {
    const TableSelection& selection = selections_[at->second];
    if (selection.schema_pattern == schema_name && selection.table_pattern == table_name) {
      return at->second;
    }
  }
  return std::nullopt;
}

// Servers have thousands of tables, and as many may be named.
std::optional<std::uint32_t> TableFilter::Match(std::string_view schema_name,
                                                std::string_view table_name) const {
  const auto exact = FindExact(schema_name, table_name);
  for (const std::uint32_t index : patterns_) {
    if (exact && index > *exact) break;
    const TableSelection& selection = selections_[index];
    if (FitsPattern(table_name, selection.table_pattern) &&
        FitsPattern(schema_name, selection.schema_pattern)) {
      return index;
    }
  }
  return exact;
}

bool TableFilter::MatchesSchema(std::string_view schema_name) const {
  const bool is_servers_own = schema_name == "mysql" || schema_name == "sys";
  return std::ranges::any_of(selections_, [&](const TableSelection& selection) {
    return is_servers_own ? selection.schema_pattern == schema_name
                          : FitsPattern(schema_name, selection.schema_pattern);
  });
}

bool TableFilter::MayBeNamed(std::string_view schema_name, std::string_view statement) const {
  return std::ranges::any_of(selections_, [&](const TableSelection& selection) {
    return FitsPattern(schema_name, selection.schema_pattern) && MayName(statement, selection);
  });
}

bool TableFilter::MayBeNamed(std::string_view statement) const {
  return std::ranges::any_of(selections_, [statement](const TableSelection& selection) {
    return MayName(statement, selection);
  });
}

bool TableFilter::IsAboutTables(std::string_view statement) {
  return ContainsInAnyCase(statement, "table") || ContainsInAnyCase(statement, "truncate");
}

}  // namespace outboxd::binlog
