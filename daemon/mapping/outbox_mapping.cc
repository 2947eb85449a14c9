#include "daemon/mapping/outbox_mapping.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "binlog/any_case.h"
#include "daemon/mapping/condition.h"
#include "daemon/mapping/event_time.h"
#include "daemon/mapping/expression.h"
#include "daemon/mapping/json_reader.h"
#include "daemon/mapping/json_writer.h"
#include "daemon/mapping/topic_route.h"
#include "daemon/text/escaped.h"
#include "daemon/text/text_encoding.h"

namespace outboxd {

using binlog::ValueKind;

namespace {

constexpr std::string_view kReservedPrefix = "outboxd.";
constexpr std::string_view kIdHeader = "id";
constexpr std::string_view kTableHeader = "outboxd.table";
constexpr std::string_view kPositionHeader = "outboxd.position";

bool IsReserved(std::string_view header) {
  return header.starts_with(kReservedPrefix) || header == kIdHeader;
}

// As Java's trim() sees it.
bool IsBlank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

// What a header shows of a value; bytes are put into `encoded`.
std::optional<std::string_view> Shown(const OptionalValue& value, std::string& encoded) {
  if (!value) return std::nullopt;
  if (value->kind != ValueKind::kBytes) return value->text;
  encoded.clear();
  AppendBase64(value->text, encoded);
  return encoded;
}

}  // namespace

class OutboxMapping::Impl {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Impl>> Compile(const OutboxConfig& config);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_.names(); }
  [[nodiscard]] bool reads_whole_row() const { return columns_.whole_row(); }
  [[nodiscard]] const std::string& id() const { return id_->text(); }
  [[nodiscard]] std::string timestamp() const { return timestamp_ ? timestamp_->text() : ""; }
  [[nodiscard]] std::string topic_pattern() const {
    return topic_route_ ? "*" : topic_expression_->Pattern();
  }
  [[nodiscard]] std::string_view event_id() const { return event_id_; }

  [[nodiscard]] std::size_t Begin(const binlog::Row& row);
  [[nodiscard]] bool makes_lists() const { return each_.has_value(); }
  void TakeItem(std::size_t item) { item_ = item; }
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);
  [[nodiscard]] std::vector<ExplainedPart> Explain(const sinks::Message& message) const;

 private:
  // A header, or a member of the value.
  struct NamedValue {
    std::string name;
    bool is_optional;
    Expression value;
    std::string encoded;  // The Base64 of the row last mapped.
  };

  explicit Impl(const OutboxConfig& config) : section_(config.section) {}

  Result<void> AddParts(const OutboxConfig& config);
  Result<void> AddHeaders(const OutboxConfig& config);
  Result<void> AddConditions(const OutboxConfig& config);
  Result<void> CheckDefaults(const OutboxConfig& config);
  Result<Expression> Parse(std::string_view key, const std::string& text);
  Result<void> SetIfGiven(std::string_view key, const std::string& text,
                          std::optional<Expression>& part);
  Result<NamedValue> ParseNamed(std::string_view key, const NamedValueConfig& config);

  Result<bool> Selects(const binlog::Row& row);
  Result<void> ReadItems(const binlog::Row& row);
  [[nodiscard]] RowInHand InHand(const binlog::Row& row) const;
  void SelectTable(const binlog::Row& row);
  Result<void> BuildHeaders(const RowInHand& row, std::string_view position);
  Result<void> BuildHeaderObject(const RowInHand& row);
  Result<void> BuildTopic(const RowInHand& row);
  Result<std::optional<std::string_view>> Value(const RowInHand& row);
  Result<std::optional<std::int32_t>> Partition(const RowInHand& row);
  Result<std::optional<std::chrono::milliseconds>> Timestamp(const RowInHand& row);

  // Constant after Compile(), but for what the expressions keep of the row in hand.
  std::string section_;
  UsedColumns columns_;
  std::optional<Expression> id_, topic_expression_;  // Always there after Compile().
  std::optional<Expression> key_, payload_, timestamp_, partition_, header_object_, each_;
  std::optional<TopicRoute> topic_route_;
  std::vector<NamedValue> named_headers_, members_;
  std::vector<Condition> where_, update_where_;
  bool blank_is_tombstone_ = false;
  bool table_header_ = true;
  bool position_header_ = true;

  // Of the table the last row came from; rows come in runs.
  std::string schema_name_, table_name_;
  std::string table_text_;  // "schema.table"

  // Of the row in hand: why its events cannot be told, or which they are.
  std::optional<Error> begin_error_;
  std::vector<JsonPart> items_;
  std::size_t item_ = 0;
  JsonReader item_reader_;

  // What the last message borrows; reused, so that steady work allocates nothing.
  std::string topic_;
  std::string event_id_;
  std::string value_;
  std::string encoded_id_;
  std::vector<JsonReader::Member> object_members_;
  JsonReader object_reader_;
  std::vector<sinks::Header> headers_;
};

Result<std::unique_ptr<OutboxMapping::Impl>> OutboxMapping::Impl::Compile(
    const OutboxConfig& config) {
  std::unique_ptr<Impl> impl(new Impl(config));
  if (auto added = impl->AddHeaders(config); !added) return std::unexpected(added.error());
  if (auto added = impl->AddParts(config); !added) return std::unexpected(added.error());
  if (auto added = impl->AddConditions(config); !added) return std::unexpected(added.error());
  if (auto checked = impl->CheckDefaults(config); !checked) {
    return std::unexpected(checked.error());
  }
  return impl;
}

Result<void> OutboxMapping::Impl::AddParts(const OutboxConfig& config) {
  auto topic = Expression::ParseText(config.topic, columns_, Expression::EmptyParts::kRefused);
  if (!topic) return Fail(topic.error(), "{}.topic", section_);
  topic_expression_ = std::move(*topic);
  if (!config.topic_regex.empty()) {
    auto route = TopicRoute::Compile(config.topic_regex, config.topic_replacement);
    if (!route) return Fail(route.error(), "{}.topic-regex", section_);
    topic_route_ = std::move(*route);
  } else if (!config.topic_replacement.empty()) {
    return Fail(ExitCode::kConfiguration, "{}.topic-replacement: there is no topic-regex",
                section_);
  }
  if (auto set = SetIfGiven("key", config.key, key_); !set) return set;
  for (const NamedValueConfig& member : config.members) {
    auto parsed = ParseNamed("member", member);
    if (!parsed) return std::unexpected(parsed.error());
    members_.push_back(std::move(*parsed));
  }
  blank_is_tombstone_ = config.blank_is_tombstone;
  if (members_.empty() || blank_is_tombstone_) {
    auto payload = Parse("payload", config.payload);
    if (!payload) return std::unexpected(payload.error());
    payload_ = std::move(*payload);
  }
  if (auto set = SetIfGiven("each", config.each, each_); !set) return set;
  if (auto set = SetIfGiven("timestamp", config.timestamp, timestamp_); !set) return set;
  if (auto set = SetIfGiven("partition", config.partition, partition_); !set) return set;
  return {};
}

Result<void> OutboxMapping::Impl::AddHeaders(const OutboxConfig& config) {
  auto id = Parse("id", config.id);
  if (!id) return std::unexpected(id.error());
  id_ = std::move(*id);
  for (const NamedValueConfig& header : config.headers) {
    if (IsReserved(header.name) || header.name.empty()) {
      return Fail(
          ExitCode::kConfiguration,
          "{}.header: the name '{}' is taken HINT: choose another than id, and one that does "
          "not begin with {}",
          section_, Escaped(header.name), kReservedPrefix);
    }
    auto parsed = ParseNamed("header", header);
    if (!parsed) return std::unexpected(parsed.error());
    named_headers_.push_back(std::move(*parsed));
  }
  auto object = SetIfGiven("header-object", config.header_object, header_object_);
  if (!object) return object;
  table_header_ = config.table_header;
  position_header_ = config.position_header;
  return {};
}

Result<void> OutboxMapping::Impl::AddConditions(const OutboxConfig& config) {
  const auto add = [this](std::string_view key, const std::vector<std::string>& texts,
                          std::vector<Condition>& conditions) -> Result<void> {
    for (const std::string& text : texts) {
      auto condition = Condition::Parse(text, columns_);
      if (!condition) return Fail(condition.error(), "{}.{}", section_, key);
      conditions.push_back(std::move(*condition));
    }
    return {};
  };
  if (auto added = add("where", config.where, where_); !added) return added;
  return add("update-where", config.update_where, update_where_);
}

Result<void> OutboxMapping::Impl::CheckDefaults(const OutboxConfig& config) {
  for (std::size_t i = 0; i < config.defaults.size(); ++i) {
    const std::string& column = config.defaults[i].column;
    // Of a whole row it is read by name as well, so that the table has to have it.
    if (reads_whole_row()) static_cast<void>(columns_.Use(column));
    if (binlog::FindInAnyCase(columns(), column) == columns().end()) {
      return Fail(ExitCode::kConfiguration, "{}.default: the mapping reads no column '{}'",
                  section_, Escaped(column));
    }
    const auto earlier = std::span(config.defaults).first(i);
    if (binlog::FindInAnyCase(earlier, column, &ColumnDefaultConfig::column) != earlier.end()) {
      return Fail(ExitCode::kConfiguration, "{}.default: column '{}' stands twice", section_,
                  Escaped(column));
    }
  }
  return {};
}

Result<Expression> OutboxMapping::Impl::Parse(std::string_view key, const std::string& text) {
  if (text.empty()) {
    return Fail(ExitCode::kConfiguration, "{}.{}: is empty", section_, key);
  }
  auto parsed = Expression::Parse(text, columns_);
  if (!parsed) return Fail(parsed.error(), "{}.{}", section_, key);
  return parsed;
}

Result<void> OutboxMapping::Impl::SetIfGiven(std::string_view key, const std::string& text,
                                             std::optional<Expression>& part) {
  if (text.empty()) return {};
  auto parsed = Parse(key, text);
  if (!parsed) return std::unexpected(parsed.error());
  part = std::move(*parsed);
  return {};
}

Result<OutboxMapping::Impl::NamedValue> OutboxMapping::Impl::ParseNamed(
    std::string_view key, const NamedValueConfig& config) {
  auto value = Parse(key, config.value);
  if (!value) return std::unexpected(value.error());
  return NamedValue{config.name, config.is_optional, std::move(*value), ""};
}

std::size_t OutboxMapping::Impl::Begin(const binlog::Row& row) {
  begin_error_.reset();
  item_ = 0;
  const auto is_selected = Selects(row);
  if (!is_selected) {
    begin_error_ = is_selected.error();
    return 1;
  }
  if (!*is_selected) return 0;
  if (!each_) return 1;
  if (auto read = ReadItems(row); !read) {
    begin_error_ = Fail(read.error(), "each: {}", each_->text()).error();
    return 1;
  }
  return items_.size();
}

Result<void> OutboxMapping::Impl::ReadItems(const binlog::Row& row) {
  items_.clear();
  const auto list = each_->Evaluate({row, columns().size()});
  if (!list) return std::unexpected(list.error());
  if (!*list) return Fail(ExitCode::kUndecodable, "is NULL");
  return item_reader_.Elements((*list)->text, items_);
}

RowInHand OutboxMapping::Impl::InHand(const binlog::Row& row) const {
  RowInHand in_hand{row, columns().size()};
  if (!each_ || begin_error_ || item_ >= items_.size()) return in_hand;
  const JsonPart& item = items_[item_];
  switch (item.kind) {
    case JsonPart::Kind::kNull:
      break;
    case JsonPart::Kind::kString:
      in_hand.item = MappedValue{item.text, ValueKind::kText};
      break;
    case JsonPart::Kind::kOther:
      in_hand.item = MappedValue{item.text, ValueKind::kJson};
      break;
  }
  return in_hand;
}

Result<bool> OutboxMapping::Impl::Selects(const binlog::Row& row) {
  const bool by_own_conditions = row.change == binlog::RowChange::kUpdate && !update_where_.empty();
  for (Condition& condition : by_own_conditions ? update_where_ : where_) {
    const auto holds = condition.Holds({row, columns().size()});
    if (!holds) return Fail(holds.error(), "{}", by_own_conditions ? "update-where" : "where");
    if (!*holds) return false;
  }
  return true;
}

void OutboxMapping::Impl::SelectTable(const binlog::Row& row) {
  if (row.table_name == table_name_ && row.schema_name == schema_name_) return;
  schema_name_ = row.schema_name;
  table_name_ = row.table_name;
  table_text_ = fmt::format("{}.{}", row.schema_name, row.table_name);
}

Result<void> OutboxMapping::Impl::BuildHeaders(const RowInHand& row, std::string_view position) {
  headers_.clear();
  event_id_.clear();
  const auto id = id_->Evaluate(row);
  if (!id) return Fail(id.error(), "id");
  if (!*id) return Fail(ExitCode::kUndecodable, "id: {} is NULL", id_->text());
  event_id_ = *Shown(*id, encoded_id_);
  headers_.push_back({kIdHeader, event_id_});
  for (NamedValue& header : named_headers_) {
    const auto value =
        header.is_optional ? header.value.EvaluateIfThere(row) : header.value.Evaluate(row);
    if (!value) return Fail(value.error(), "header {}", header.name);
    if (!*value && header.is_optional) continue;
    headers_.push_back({header.name, Shown(*value, header.encoded)});
  }
  if (header_object_) {
    if (auto built = BuildHeaderObject(row); !built) return Fail(built.error(), "header-object");
  }
  if (table_header_) headers_.push_back({kTableHeader, table_text_});
  if (position_header_) headers_.push_back({kPositionHeader, position});
  return {};
}

Result<void> OutboxMapping::Impl::BuildHeaderObject(const RowInHand& row) {
  const auto object = header_object_->EvaluateIfThere(row);
  if (!object) return std::unexpected(object.error());
  if (!*object || IsBlank((*object)->text)) return {};
  auto read = object_reader_.Members((*object)->text, object_members_);
  if (!read) return Fail(read.error(), "{}", header_object_->text());
  for (const JsonReader::Member& member : object_members_) {
    if (IsReserved(member.name)) continue;
    const bool is_null = member.part.kind == JsonPart::Kind::kNull;
    headers_.push_back({member.name, is_null ? std::nullopt : std::optional(member.part.text)});
  }
  return {};
}

Result<void> OutboxMapping::Impl::BuildTopic(const RowInHand& row) {
  const auto text = topic_expression_->Evaluate(row);
  if (!text) return Fail(text.error(), "topic");
  topic_ = (*text)->text;
  if (!topic_route_) return {};
  if (auto applied = topic_route_->Apply(topic_); !applied) return Fail(applied.error(), "topic");
  if (topic_.empty())
    return Fail(ExitCode::kUndecodable, "topic: topic-replacement makes it empty");
  return {};
}

Result<std::optional<std::string_view>> OutboxMapping::Impl::Value(const RowInHand& row) {
  if (blank_is_tombstone_) {
    const auto payload = payload_->EvaluateUnquoted(row);
    if (!payload) return Fail(payload.error(), "payload");
    if (!*payload) return std::nullopt;
    if ((*payload)->kind != ValueKind::kBytes && IsBlank((*payload)->text)) return std::nullopt;
  }
  if (members_.empty()) {
    const auto payload = payload_->Evaluate(row);
    if (!payload) return Fail(payload.error(), "payload");
    return *payload ? std::optional((*payload)->text) : std::nullopt;
  }
  value_ = "{";
  for (NamedValue& member : members_) {
    const auto value =
        member.is_optional ? member.value.EvaluateIfThere(row) : member.value.Evaluate(row);
    if (!value) return Fail(value.error(), "member {}", member.name);
    if (!*value && member.is_optional) continue;
    if (value_.size() > 1) value_ += ',';
    AppendJsonString(member.name, value_);
    value_ += ':';
    AppendJson(*value, value_);
  }
  value_ += '}';
  return value_;
}

Result<std::optional<std::int32_t>> OutboxMapping::Impl::Partition(const RowInHand& row) {
  if (!partition_) return std::nullopt;
  const auto value = partition_->Evaluate(row);
  if (!value) return Fail(value.error(), "partition");
  if (!*value) return std::nullopt;
  std::int32_t number = 0;
  const std::string_view text = (*value)->text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    return Fail(ExitCode::kUndecodable, "partition: {}: '{}' is not a partition's number",
                partition_->text(), Escaped(text));
  }
  return number;
}

Result<std::optional<std::chrono::milliseconds>> OutboxMapping::Impl::Timestamp(
    const RowInHand& row) {
  if (!timestamp_) return std::nullopt;
  const auto value = timestamp_->Evaluate(row);
  if (!value) return Fail(value.error(), "timestamp");
  if (!*value) return std::nullopt;
  const auto time = ParseEventTime((*value)->text);
  if (!time) return Fail(time.error(), "timestamp: {}", timestamp_->text());
  return *time;
}

Result<sinks::Message> OutboxMapping::Impl::Map(const binlog::Row& row, std::string_view position) {
  const bool fits = reads_whole_row() ? row.values.size() > columns().size()
                                      : row.values.size() == columns().size();
  if (!fits) {
    return Fail(ExitCode::kBug, "a row of {}.{} has {} values, the mapping reads {}",
                row.schema_name, row.table_name, row.values.size(), columns().size());
  }
  SelectTable(row);
  const RowInHand in_hand = InHand(row);
  const auto headed = BuildHeaders(in_hand, position);  // Tells the id, whatever else is wrong.
  if (begin_error_) return std::unexpected(*begin_error_);
  if (!headed) return std::unexpected(headed.error());
  if (auto built = BuildTopic(in_hand); !built) return std::unexpected(built.error());
  const auto partition = Partition(in_hand);
  if (!partition) return std::unexpected(partition.error());
  const auto timestamp = Timestamp(in_hand);
  if (!timestamp) return std::unexpected(timestamp.error());
  const auto value = Value(in_hand);
  if (!value) return std::unexpected(value.error());

  sinks::Message message;
  message.topic = topic_;
  if (key_) {
    const auto key = key_->Evaluate(in_hand);
    if (!key) return Fail(key.error(), "key");
    if (*key) message.key = (*key)->text;
  }
  message.value = *value;
  message.headers = headers_;
  message.partition = *partition;
  message.timestamp = *timestamp;
  return message;
}

std::vector<OutboxMapping::ExplainedPart> OutboxMapping::Impl::Explain(
    const sinks::Message& message) const {
  const auto text_of = [](const std::optional<Expression>& expression) {
    return expression ? expression->text() : std::string();
  };
  const auto shown = [](const std::optional<std::string_view>& value) {
    return value ? Escaped(*value) : std::string("NULL");
  };
  std::vector<ExplainedPart> parts;
  for (const Condition& condition : where_) parts.push_back({"where", condition.text(), "holds"});
  std::string topic = text_of(topic_expression_);
  if (topic_route_) topic += ", by topic-regex";
  parts.push_back({"topic", std::move(topic), Escaped(message.topic)});
  parts.push_back({"key", key_ ? key_->text() : "none", shown(message.key)});
  parts.push_back({"partition", text_of(partition_),
                   message.partition ? std::to_string(*message.partition) : "by key"});
  parts.push_back(
      {"timestamp", text_of(timestamp_),
       message.timestamp ? fmt::format("{} ms", message.timestamp->count()) : "of sending"});
  auto named = named_headers_.begin();
  for (std::size_t i = 0; i < message.headers.size(); ++i) {
    const sinks::Header& header = message.headers[i];
    std::string setting = text_of(header_object_);
    const auto found = std::find_if(named, named_headers_.end(), [&](const NamedValue& candidate) {
      return candidate.name == header.name;
    });
    if (i == 0) {
      setting = id_->text();
    } else if (header.name.starts_with(kReservedPrefix)) {
      setting = "outboxd's own";
    } else if (found != named_headers_.end()) {
      setting = found->value.text();
      named = found + 1;
    }
    parts.push_back(
        {fmt::format("header {}", Escaped(header.name)), std::move(setting), shown(header.value)});
  }
  std::string value = text_of(payload_);
  for (const NamedValue& member : members_) {
    if (&member == &members_.front()) value = "members";
    value += fmt::format("{}{}:{}", &member == &members_.front() ? " " : ", ", member.value.text(),
                         member.name);
  }
  parts.push_back({"value", std::move(value), shown(message.value)});
  return parts;
}

OutboxMapping::OutboxMapping(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OutboxMapping::OutboxMapping(OutboxMapping&&) noexcept = default;
OutboxMapping& OutboxMapping::operator=(OutboxMapping&&) noexcept = default;
OutboxMapping::~OutboxMapping() = default;

Result<OutboxMapping> OutboxMapping::Compile(const OutboxConfig& config) {
  auto impl = Impl::Compile(config);
  if (!impl) return std::unexpected(impl.error());
  return OutboxMapping(std::move(*impl));
}

const std::vector<std::string>& OutboxMapping::columns() const { return impl_->columns(); }

bool OutboxMapping::reads_whole_row() const { return impl_->reads_whole_row(); }

const std::string& OutboxMapping::id() const { return impl_->id(); }

std::string OutboxMapping::timestamp() const { return impl_->timestamp(); }

std::string OutboxMapping::topic_pattern() const { return impl_->topic_pattern(); }

std::vector<std::string> OutboxMapping::MissingColumns(
    const std::vector<std::string>& table_columns) const {
  std::vector<std::string> missing;
  for (const std::string& column : columns()) {
    const auto found = binlog::FindInAnyCase(table_columns, column);
    if (found == table_columns.end()) missing.push_back(column);
  }
  return missing;
}

std::size_t OutboxMapping::Begin(const binlog::Row& row) { return impl_->Begin(row); }
bool OutboxMapping::makes_lists() const { return impl_->makes_lists(); }
void OutboxMapping::TakeItem(std::size_t item) { impl_->TakeItem(item); }

Result<sinks::Message> OutboxMapping::Map(const binlog::Row& row, std::string_view position) {
  return impl_->Map(row, position);
}

std::vector<OutboxMapping::ExplainedPart> OutboxMapping::Explain(
    const sinks::Message& message) const {
  return impl_->Explain(message);
}

std::string_view OutboxMapping::event_id() const { return impl_->event_id(); }

}  // namespace outboxd
