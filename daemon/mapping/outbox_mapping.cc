#include "daemon/mapping/outbox_mapping.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "binlog/any_case.h"
#include "binlog/mysql_server.h"
#include "daemon/mapping/event_time.h"
#include "daemon/mapping/topic_template.h"
#include "daemon/service/log.h"
#include "daemon/text_encoding.h"

namespace outboxd {

namespace {

constexpr std::string_view kReservedPrefix = "outboxd.";
constexpr std::string_view kIdHeader = "id";
constexpr std::string_view kTableHeader = "outboxd.table";
constexpr std::string_view kPositionHeader = "outboxd.position";

// By the type as information_schema.columns words it: "binary(16)", "mediumblob".
bool HoldsBytes(std::string_view type) {
  const std::string_view word = type.substr(0, type.find_first_of("( "));
  for (const std::string_view bytes : {"binary", "varbinary", "bit", "vector", "geometry"}) {
    if (word == bytes) return true;
  }
  // GEOMETRYCOLLECTION stands there as "geomcollection" from MySQL 8.0.11 on.
  for (const std::string_view kind : {"blob", "point", "linestring", "polygon", "collection"}) {
    if (word.ends_with(kind)) return true;
  }
  return false;
}

enum class Content { kUnknown, kText, kBytes };

}  // namespace

class OutboxMapping::Impl {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Impl>> Compile(const OutboxConfig& config);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] std::string_view event_id() const { return event_id_; }

  void Bind(const binlog::TableFacts& table);
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);

 private:
  struct TopicPart {
    std::string literal;
    std::optional<std::size_t> column;  // Index in columns_; none: `literal` stands there.
  };
  // A header that shows a column.
  struct ColumnHeader {
    std::string name;
    std::size_t column;
    std::string encoded;  // The Base64 of the row last mapped.
  };

  explicit Impl(const OutboxConfig& config) : section_(config.section) {}

  Result<void> AddTopic(const OutboxConfig& config);
  Result<void> AddHeaders(const OutboxConfig& config);
  Result<void> CheckDefaults(const OutboxConfig& config) const;
  // The index in columns_ of the column, which is added where it is not yet there.
  Result<std::size_t> Use(std::string_view key, const std::string& column);
  Result<std::optional<std::size_t>> UseIfSet(std::string_view key, const std::string& column);

  void SelectTable(const binlog::Row& row);
  // What a header shows of a value.
  std::optional<std::string_view> Show(ColumnHeader& header, const binlog::Row& row);
  Result<void> BuildTopic(const binlog::Row& row);
  Result<std::optional<std::int32_t>> Partition(const binlog::Row& row) const;
  Result<std::optional<std::chrono::milliseconds>> Timestamp(const binlog::Row& row) const;

  // Constant after Compile().
  std::string section_;
  std::vector<std::string> columns_;
  std::optional<std::size_t> key_, timestamp_, partition_;
  std::size_t payload_ = 0;
  std::vector<TopicPart> topic_parts_;
  bool table_header_ = true;
  bool position_header_ = true;

  // What Bind() told: by "schema.table", for each of columns_.
  std::map<std::string, std::vector<Content>, std::less<>> bound_;

  // Of the table the last row came from; rows come in runs.
  std::string schema_name_, table_name_;
  std::string table_text_;                          // "schema.table"
  const std::vector<Content>* contents_ = nullptr;  // Null: not bound.

  // What the last message borrows; reused, so that steady work allocates nothing.
  std::string topic_;
  std::string event_id_;
  std::vector<ColumnHeader> column_headers_;  // The first is `id`.
  std::vector<sinks::Header> headers_;
};

Result<std::unique_ptr<OutboxMapping::Impl>> OutboxMapping::Impl::Compile(
    const OutboxConfig& config) {
  const std::string& section = config.section;
  if (config.preset != "debezium") {
    return Fail(ExitCode::kConfiguration,
                "{}.preset: there is no preset '{}' HINT: available: "
                "debezium",
                section, Escaped(config.preset));
  }
  if (!config.type.empty()) {
    return Fail(ExitCode::kConfiguration,
                "{}.type: the preset debezium uses no type column HINT: header = {}:eventType puts "
                "it into a header",
                section, Escaped(config.type));
  }
  std::unique_ptr<Impl> impl(new Impl(config));
  if (auto added = impl->AddHeaders(config); !added) return std::unexpected(added.error());
  if (auto added = impl->AddTopic(config); !added) return std::unexpected(added.error());
  const auto key = impl->UseIfSet("key", config.key);
  if (!key) return std::unexpected(key.error());
  const auto payload = impl->Use("payload", config.payload);
  if (!payload) return std::unexpected(payload.error());
  const auto timestamp = impl->UseIfSet("timestamp", config.timestamp);
  if (!timestamp) return std::unexpected(timestamp.error());
  const auto partition = impl->UseIfSet("partition", config.partition);
  if (!partition) return std::unexpected(partition.error());
  if (auto checked = impl->CheckDefaults(config); !checked) {
    return std::unexpected(checked.error());
  }
  impl->key_ = *key;
  impl->payload_ = *payload;
  impl->timestamp_ = *timestamp;
  impl->partition_ = *partition;
  return impl;
}

Result<void> OutboxMapping::Impl::AddTopic(const OutboxConfig& config) {
  const auto topic = ParseTopicTemplate(config.topic);
  if (!topic) return Fail(topic.error(), "{}.topic", section_);
  for (const TopicTemplate::Part& part : topic->parts) {
    if (!part.is_column) {
      topic_parts_.push_back({part.text, std::nullopt});
      continue;
    }
    const auto column = Use("topic", part.text);
    if (!column) return std::unexpected(column.error());
    topic_parts_.push_back({"", *column});
  }
  return {};
}

Result<void> OutboxMapping::Impl::AddHeaders(const OutboxConfig& config) {
  const auto id = Use("id", config.id);
  if (!id) return std::unexpected(id.error());
  column_headers_.push_back({std::string(kIdHeader), *id, ""});
  for (const HeaderConfig& header : config.headers) {
    const bool is_reserved = header.name.starts_with(kReservedPrefix) || header.name == kIdHeader;
    if (is_reserved || header.name.empty()) {
      return Fail(
          ExitCode::kConfiguration,
          "{}.header: the name '{}' is taken HINT: choose another than id, and one that does "
          "not begin with {}",
          section_, Escaped(header.name), kReservedPrefix);
    }
    const auto column = Use("header", header.column);
    if (!column) return std::unexpected(column.error());
    column_headers_.push_back({header.name, *column, ""});
  }
  table_header_ = config.table_header;
  position_header_ = config.position_header;
  headers_.reserve(column_headers_.size() + 2);
  return {};
}

Result<void> OutboxMapping::Impl::CheckDefaults(const OutboxConfig& config) const {
  for (std::size_t i = 0; i < config.defaults.size(); ++i) {
    const std::string& column = config.defaults[i].column;
    const auto is_it = [&](std::string_view other) {
      return binlog::EqualInAnyCase(other, column);
    };
    if (std::ranges::none_of(columns_, is_it)) {
      return Fail(ExitCode::kConfiguration, "{}.default: the mapping reads no column '{}'",
                  section_, Escaped(column));
    }
    const auto earlier = std::span(config.defaults).first(i);
    if (std::ranges::any_of(earlier, is_it, &ColumnDefaultConfig::column)) {
      return Fail(ExitCode::kConfiguration, "{}.default: column '{}' stands twice", section_,
                  Escaped(column));
    }
  }
  return {};
}

Result<std::size_t> OutboxMapping::Impl::Use(std::string_view key, const std::string& column) {
  if (column.empty()) {
    return Fail(ExitCode::kConfiguration, "{}.{}: names no column", section_, key);
  }
  const auto known = std::ranges::find_if(
      columns_, [&](const std::string& other) { return binlog::EqualInAnyCase(other, column); });
  if (known != columns_.end()) return static_cast<std::size_t>(known - columns_.begin());
  columns_.push_back(column);
  return columns_.size() - 1;
}

Result<std::optional<std::size_t>> OutboxMapping::Impl::UseIfSet(std::string_view key,
                                                                 const std::string& column) {
  if (column.empty()) return std::nullopt;
  const auto index = Use(key, column);
  if (!index) return std::unexpected(index.error());
  return *index;
}

void OutboxMapping::Impl::Bind(const binlog::TableFacts& table) {
  std::vector<Content> contents(columns_.size(), Content::kUnknown);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const binlog::ColumnFacts& column : table.columns) {
      if (!binlog::EqualInAnyCase(column.name, columns_[i])) continue;
      contents[i] = HoldsBytes(column.type) ? Content::kBytes : Content::kText;
    }
  }
  bound_.insert_or_assign(fmt::format("{}.{}", table.schema_name, table.table_name),
                          std::move(contents));
  // The next row looks its table up again.
  schema_name_.clear();
  table_name_.clear();
}

void OutboxMapping::Impl::SelectTable(const binlog::Row& row) {
  if (row.table_name == table_name_ && row.schema_name == schema_name_) return;
  schema_name_ = row.schema_name;
  table_name_ = row.table_name;
  table_text_ = fmt::format("{}.{}", row.schema_name, row.table_name);
  const auto bound = bound_.find(table_text_);
  contents_ = bound == bound_.end() ? nullptr : &bound->second;
}

std::optional<std::string_view> OutboxMapping::Impl::Show(ColumnHeader& header,
                                                          const binlog::Row& row) {
  const binlog::ColumnValue& value = row.values[header.column];
  if (!value) return std::nullopt;
  const Content content = contents_ == nullptr ? Content::kUnknown : (*contents_)[header.column];
  const bool is_bytes =
      content == Content::kBytes || (content == Content::kUnknown && !IsUtf8(*value));
  if (!is_bytes) return *value;
  header.encoded.clear();
  AppendBase64(*value, header.encoded);
  return header.encoded;
}

Result<void> OutboxMapping::Impl::BuildTopic(const binlog::Row& row) {
  topic_.clear();
  for (const TopicPart& part : topic_parts_) {
    if (!part.column) {
      topic_ += part.literal;
      continue;
    }
    const binlog::ColumnValue& value = row.values[*part.column];
    if (!value || value->empty()) {
      return Fail(ExitCode::kUndecodable, "column '{}', which the topic is made of, is {}",
                  columns_[*part.column], value ? "empty" : "NULL");
    }
    topic_ += *value;
  }
  return {};
}

Result<std::optional<std::int32_t>> OutboxMapping::Impl::Partition(const binlog::Row& row) const {
  if (!partition_) return std::nullopt;
  const binlog::ColumnValue& value = row.values[*partition_];
  if (!value) return std::nullopt;
  std::int32_t number = 0;
  const char* end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) {
    return Fail(ExitCode::kUndecodable, "column '{}': '{}' is not a partition's number",
                columns_[*partition_], Escaped(*value));
  }
  return number;
}

Result<std::optional<std::chrono::milliseconds>> OutboxMapping::Impl::Timestamp(
    const binlog::Row& row) const {
  if (!timestamp_) return std::nullopt;
  const binlog::ColumnValue& value = row.values[*timestamp_];
  if (!value) return std::nullopt;
  const auto time = ParseEventTime(*value);
  if (!time) return Fail(time.error(), "column '{}'", columns_[*timestamp_]);
  return *time;
}

Result<sinks::Message> OutboxMapping::Impl::Map(const binlog::Row& row, std::string_view position) {
  if (row.values.size() != columns_.size()) {
    return Fail(ExitCode::kBug, "a row of {}.{} has {} values, the mapping reads {}",
                row.schema_name, row.table_name, row.values.size(), columns_.size());
  }
  SelectTable(row);
  headers_.clear();
  for (ColumnHeader& header : column_headers_) headers_.push_back({header.name, Show(header, row)});
  event_id_ = headers_.front().value.value_or(std::string_view());
  if (table_header_) headers_.push_back({kTableHeader, table_text_});
  if (position_header_) headers_.push_back({kPositionHeader, position});

  if (auto built = BuildTopic(row); !built) return std::unexpected(built.error());
  const auto partition = Partition(row);
  if (!partition) return std::unexpected(partition.error());
  const auto timestamp = Timestamp(row);
  if (!timestamp) return std::unexpected(timestamp.error());

  sinks::Message message;
  message.topic = topic_;
  if (key_) message.key = row.values[*key_];
  message.value = row.values[payload_];
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
  auto impl = Impl::Compile(config);
  if (!impl) return std::unexpected(impl.error());
  return OutboxMapping(std::move(*impl));
}

const std::vector<std::string>& OutboxMapping::columns() const { return impl_->columns(); }

std::vector<std::string> OutboxMapping::MissingColumns(
    const std::vector<std::string>& table_columns) const {
  std::vector<std::string> missing;
  for (const std::string& column : columns()) {
    const bool is_there = std::ranges::any_of(table_columns, [&](const std::string& other) {
      return binlog::EqualInAnyCase(other, column);
    });
    if (!is_there) missing.push_back(column);
  }
  return missing;
}

void OutboxMapping::Bind(const binlog::TableFacts& table) { impl_->Bind(table); }

Result<sinks::Message> OutboxMapping::Map(const binlog::Row& row, std::string_view position) {
  return impl_->Map(row, position);
}

std::string_view OutboxMapping::event_id() const { return impl_->event_id(); }

}  // namespace outboxd
