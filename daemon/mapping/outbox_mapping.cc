#include "daemon/mapping/outbox_mapping.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/escaped.h"
#include "base/invariant.h"
#include "binlog/any_case.h"
#include "daemon/mapping/event_time.h"
#include "daemon/mapping/json_reader.h"
#include "daemon/mapping/json_writer.h"
#include "daemon/mapping/mapping_parts.h"

namespace outboxd {

using binlog::ValueKind;

namespace {

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
  explicit Impl(MappingParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] const MappingParts& parts() const { return parts_; }
  [[nodiscard]] std::string_view event_id() const { return event_id_; }

  [[nodiscard]] std::size_t Begin(const binlog::Row& row);
  void TakeItem(std::size_t item) { item_ = item; }
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);

 private:
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

  [[nodiscard]] const std::vector<std::string>& columns() const { return parts_.columns.names(); }

  MappingParts parts_;

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

std::size_t OutboxMapping::Impl::Begin(const binlog::Row& row) {
  begin_error_.reset();
  item_ = 0;
  const auto is_selected = Selects(row);
  if (!is_selected) {
    begin_error_ = is_selected.error();
    return 1;
  }
  if (!*is_selected) return 0;
  if (!parts_.each) return 1;
  if (auto read = ReadItems(row); !read) {
    begin_error_ = Fail(read.error(), "each: {}", parts_.each->text()).error();
    return 1;
  }
  return items_.size();
}

Result<void> OutboxMapping::Impl::ReadItems(const binlog::Row& row) {
  items_.clear();
  const auto list = parts_.each->Evaluate({row, columns().size()});
  if (!list) return std::unexpected(list.error());
  if (!*list) return Fail(ExitCode::kUndecodable, "is NULL");
  return item_reader_.Elements((*list)->text, items_);
}

RowInHand OutboxMapping::Impl::InHand(const binlog::Row& row) const {
  RowInHand in_hand{row, columns().size()};
  if (!parts_.each || begin_error_ || item_ >= items_.size()) return in_hand;
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
  const bool by_own_conditions =
      row.change == binlog::RowChange::kUpdate && !parts_.update_where.empty();
  for (Condition& condition : by_own_conditions ? parts_.update_where : parts_.where) {
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
  const auto id = parts_.id->Evaluate(row);
  if (!id) return Fail(id.error(), "id");
  if (!*id) return Fail(ExitCode::kUndecodable, "id: {} is NULL", parts_.id->text());
  event_id_ = *Shown(*id, encoded_id_);
  headers_.push_back({kIdHeader, event_id_});
  for (NamedExpression& header : parts_.headers) {
    const auto value =
        header.is_optional ? header.value.EvaluateIfThere(row) : header.value.Evaluate(row);
    if (!value) return Fail(value.error(), "header {}", header.name);
    if (!*value && header.is_optional) continue;
    headers_.push_back({header.name, Shown(*value, header.encoded)});
  }
  if (parts_.header_object) {
    if (auto built = BuildHeaderObject(row); !built) return Fail(built.error(), "header-object");
  }
  if (parts_.has_table_header) headers_.push_back({kTableHeader, table_text_});
  if (parts_.has_position_header) headers_.push_back({kPositionHeader, position});
  return {};
}

Result<void> OutboxMapping::Impl::BuildHeaderObject(const RowInHand& row) {
  const auto object = parts_.header_object->EvaluateIfThere(row);
  if (!object) return std::unexpected(object.error());
  if (!*object || IsBlank((*object)->text)) return {};
  auto read = object_reader_.Members((*object)->text, object_members_);
  if (!read) return Fail(read.error(), "{}", parts_.header_object->text());
  for (const JsonReader::Member& member : object_members_) {
    if (IsReservedHeader(member.name)) continue;
    const bool is_null = member.part.kind == JsonPart::Kind::kNull;
    headers_.push_back({member.name, is_null ? std::nullopt : std::optional(member.part.text)});
  }
  return {};
}

Result<void> OutboxMapping::Impl::BuildTopic(const RowInHand& row) {
  const auto text = parts_.topic->Evaluate(row);
  if (!text) return Fail(text.error(), "topic");
  topic_ = (*text)->text;
  if (!parts_.topic_route) return {};
  auto applied = parts_.topic_route->Apply(topic_);
  if (!applied) return Fail(applied.error(), "topic");
  if (topic_.empty())
    return Fail(ExitCode::kUndecodable, "topic: topic-replacement makes it empty");
  return {};
}

Result<std::optional<std::string_view>> OutboxMapping::Impl::Value(const RowInHand& row) {
  if (parts_.blank_is_tombstone) {
    const auto payload = parts_.payload->EvaluateUnquoted(row);
    if (!payload) return Fail(payload.error(), "payload");
    if (!*payload) return std::nullopt;
    if ((*payload)->kind != ValueKind::kBytes && IsBlank((*payload)->text)) return std::nullopt;
  }
  if (parts_.members.empty()) {
    const auto payload = parts_.payload->Evaluate(row);
    if (!payload) return Fail(payload.error(), "payload");
    return *payload ? std::optional((*payload)->text) : std::nullopt;
  }
  value_ = "{";
  for (NamedExpression& member : parts_.members) {
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
  if (!parts_.partition) return std::nullopt;
  const auto value = parts_.partition->Evaluate(row);
  if (!value) return Fail(value.error(), "partition");
  if (!*value) return std::nullopt;
  std::int32_t number = 0;
  const std::string_view text = (*value)->text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    return Fail(ExitCode::kUndecodable, "partition: {}: '{}' is not a partition's number",
                parts_.partition->text(), Escaped(text));
  }
  return number;
}

Result<std::optional<std::chrono::milliseconds>> OutboxMapping::Impl::Timestamp(
    const RowInHand& row) {
  if (!parts_.timestamp) return std::nullopt;
  const auto value = parts_.timestamp->Evaluate(row);
  if (!value) return Fail(value.error(), "timestamp");
  if (!*value) return std::nullopt;
  const auto time = ParseEventTime((*value)->text);
  if (!time) return Fail(time.error(), "timestamp: {}", parts_.timestamp->text());
  return *time;
}

Result<sinks::Message> OutboxMapping::Impl::Map(const binlog::Row& row, std::string_view position) {
  OUTBOXD_INVARIANT(parts_.columns.whole_row() ? row.values.size() > columns().size()
                                               : row.values.size() == columns().size(),
                    "rows are read with the columns that the mapping asked for");
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
  if (parts_.key) {
    const auto key = parts_.key->Evaluate(in_hand);
    if (!key) return Fail(key.error(), "key");
    if (*key) message.key = (*key)->text;
  }
  message.value = *value;
  message.headers = headers_;
  message.partition = *partition;
  message.timestamp = *timestamp;
  return message;
}

OutboxMapping::OutboxMapping(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OutboxMapping::OutboxMapping(OutboxMapping&&) noexcept = default;
OutboxMapping& OutboxMapping::operator=(OutboxMapping&&) noexcept = default;
OutboxMapping::~OutboxMapping() = default;

Result<OutboxMapping> OutboxMapping::Compile(const OutboxConfig& config) {
  auto parts = MappingParts::Compile(config);
  if (!parts) return std::unexpected(parts.error());
  return OutboxMapping(std::make_unique<Impl>(std::move(*parts)));
}

const std::vector<std::string>& OutboxMapping::columns() const {
  return impl_->parts().columns.names();
}

bool OutboxMapping::reads_whole_row() const { return impl_->parts().columns.whole_row(); }

const std::string& OutboxMapping::id() const { return impl_->parts().id->text(); }

std::string OutboxMapping::timestamp() const {
  const auto& timestamp = impl_->parts().timestamp;
  return timestamp ? timestamp->text() : "";
}

std::string OutboxMapping::topic_pattern() const {
  return impl_->parts().topic_route ? "*" : impl_->parts().topic->Pattern();
}

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
bool OutboxMapping::makes_lists() const { return impl_->parts().each.has_value(); }
void OutboxMapping::TakeItem(std::size_t item) { impl_->TakeItem(item); }

Result<sinks::Message> OutboxMapping::Map(const binlog::Row& row, std::string_view position) {
  return impl_->Map(row, position);
}

std::vector<ExplainedPart> OutboxMapping::Explain(const sinks::Message& message) const {
  return ExplainMessage(impl_->parts(), message);
}

std::string_view OutboxMapping::event_id() const { return impl_->event_id(); }

}  // namespace outboxd
