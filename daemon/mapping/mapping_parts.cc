#include "daemon/mapping/mapping_parts.h"

#include <cstddef>
#include <span>
#include <utility>

#include "base/escaped.h"
#include "binlog/any_case.h"

namespace outboxd {
namespace {

// Compiles one section, part by part, in the order in which columns are read.
class Compiler {
 public:
  explicit Compiler(const OutboxConfig& config) : config_(config) {}

  Result<MappingParts> Compile() {
    if (auto added = AddHeaders(); !added) return std::unexpected(added.error());
    if (auto added = AddParts(); !added) return std::unexpected(added.error());
    if (auto added = AddConditions(); !added) return std::unexpected(added.error());
    if (auto checked = CheckDefaults(); !checked) return std::unexpected(checked.error());
    return std::move(parts_);
  }

 private:
  Result<void> AddHeaders() {
    auto id = Parse("id", config_.id);
    if (!id) return std::unexpected(id.error());
    parts_.id = std::move(*id);
    for (const NamedValueConfig& header : config_.headers) {
      if (IsReservedHeader(header.name) || header.name.empty()) {
        return Fail(ExitCode::kConfiguration, "{}.header: the name '{}' is taken", config_.section,
                    Escaped(header.name))
            .Hint("choose another than id, and one that does not begin with {}",
                  kReservedHeaderPrefix);
      }
      auto parsed = ParseNamed("header", header);
      if (!parsed) return std::unexpected(parsed.error());
      parts_.headers.push_back(std::move(*parsed));
    }
    auto object = SetIfGiven("header-object", config_.header_object, parts_.header_object);
    if (!object) return object;
    parts_.has_table_header = config_.table_header;
    parts_.has_position_header = config_.position_header;
    return {};
  }

  Result<void> AddParts() {
    auto topic =
        Expression::ParseText(config_.topic, parts_.columns, Expression::EmptyParts::kRefused);
    if (!topic) return Fail(topic.error(), "{}.topic", config_.section);
    parts_.topic = std::move(*topic);
    if (!config_.topic_regex.empty()) {
      auto route = TopicRoute::Compile(config_.topic_regex, config_.topic_replacement);
      if (!route) return Fail(route.error(), "{}.topic-regex", config_.section);
      parts_.topic_route = std::move(*route);
    } else if (!config_.topic_replacement.empty()) {
      return Fail(ExitCode::kConfiguration, "{}.topic-replacement: there is no topic-regex",
                  config_.section);
    }
    if (auto set = SetIfGiven("key", config_.key, parts_.key); !set) return set;
    for (const NamedValueConfig& member : config_.members) {
      auto parsed = ParseNamed("member", member);
      if (!parsed) return std::unexpected(parsed.error());
      parts_.members.push_back(std::move(*parsed));
    }
    parts_.blank_is_tombstone = config_.blank_is_tombstone;
    if (parts_.members.empty() || parts_.blank_is_tombstone) {
      auto payload = Parse("payload", config_.payload);
      if (!payload) return std::unexpected(payload.error());
      parts_.payload = std::move(*payload);
    }
    if (auto set = SetIfGiven("each", config_.each, parts_.each); !set) return set;
    if (auto set = SetIfGiven("timestamp", config_.timestamp, parts_.timestamp); !set) return set;
    if (auto set = SetIfGiven("partition", config_.partition, parts_.partition); !set) return set;
    return {};
  }

  Result<void> AddConditions() {
    const auto add = [this](std::string_view key, const std::vector<std::string>& texts,
                            std::vector<Condition>& conditions) -> Result<void> {
      for (const std::string& text : texts) {
        auto condition = Condition::Parse(text, parts_.columns);
        if (!condition) return Fail(condition.error(), "{}.{}", config_.section, key);
        conditions.push_back(std::move(*condition));
      }
      return {};
    };
    if (auto added = add("where", config_.where, parts_.where); !added) return added;
    return add("update-where", config_.update_where, parts_.update_where);
  }

  Result<void> CheckDefaults() {
    for (std::size_t i = 0; i < config_.defaults.size(); ++i) {
      const std::string& column = config_.defaults[i].column;
      // Of a whole row it is read by name as well, so that the table has to have it.
      if (parts_.columns.whole_row()) static_cast<void>(parts_.columns.Use(column));
      if (binlog::FindInAnyCase(parts_.columns.names(), column) == parts_.columns.names().end()) {
        return Fail(ExitCode::kConfiguration, "{}.default: the mapping reads no column '{}'",
                    config_.section, Escaped(column));
      }
      const auto earlier = std::span(config_.defaults).first(i);
      if (binlog::FindInAnyCase(earlier, column, &ColumnDefaultConfig::column) != earlier.end()) {
        return Fail(ExitCode::kConfiguration, "{}.default: column '{}' stands twice",
                    config_.section, Escaped(column));
      }
    }
    return {};
  }

  Result<Expression> Parse(std::string_view key, const std::string& text) {
    if (text.empty()) {
      return Fail(ExitCode::kConfiguration, "{}.{}: is empty", config_.section, key);
    }
    auto parsed = Expression::Parse(text, parts_.columns);
    if (!parsed) return Fail(parsed.error(), "{}.{}", config_.section, key);
    return parsed;
  }

  Result<void> SetIfGiven(std::string_view key, const std::string& text,
                          std::optional<Expression>& part) {
    if (text.empty()) return {};
    auto parsed = Parse(key, text);
    if (!parsed) return std::unexpected(parsed.error());
    part = std::move(*parsed);
    return {};
  }

  Result<NamedExpression> ParseNamed(std::string_view key, const NamedValueConfig& named) {
    auto value = Parse(key, named.value);
    if (!value) return std::unexpected(value.error());
    return NamedExpression{named.name, named.is_optional, std::move(*value)};
  }

  const OutboxConfig& config_;
  MappingParts parts_;
};

}  // namespace

Result<MappingParts> MappingParts::Compile(const OutboxConfig& config) {
  return Compiler(config).Compile();
}

}  // namespace outboxd
