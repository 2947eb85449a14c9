#include "daemon/migration/debezium_offset.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/escaped.h"

namespace outboxd {
namespace {

using Json = nlohmann::json;

Failure<ExitCode> Refuse(std::string_view why) {
  return Fail(ExitCode::kConfiguration, "the offset {}", why);
}

Json Parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

std::string TextAt(const Json& offset, const char* name) {
  const auto found = offset.find(name);
  return found != offset.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsTrue(const Json& value) {
  return (value.is_boolean() && value.get<bool>()) || value == Json("true");
}

// The value of the last record, where all are of one connector.
Result<Json> LastRecord(std::string_view lines) {
  std::optional<Json> key;
  std::optional<Json> value;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::size_t tab = line.find('\t');
    const Json record_key = tab == std::string_view::npos ? Json() : Parse(line.substr(0, tab));
    Json record = Parse(tab == std::string_view::npos ? line : line.substr(tab + 1));
    if (record_key.is_discarded() || record.is_discarded()) {
      return Refuse("is no JSON")
          .Hint(
              "give what GET /connectors/NAME/offsets answers, also where Connect runs standalone "
              "and keeps its offsets in a file");
    }
    if (key && *key != record_key) {
      return Fail(ExitCode::kConfiguration, "there are offsets of several connectors, {} and {}",
                  Escaped(key->dump()), Escaped(record_key.dump()))
          .Hint("leave the lines of one");
    }
    key = record_key;
    value = std::move(record);
  }
  if (!value) return Refuse("is empty");
  return std::move(*value);
}

Result<Json> FindOffset(std::string_view text) {
  Json document = Parse(text);
  if (document.is_discarded()) {
    auto record = LastRecord(text);
    if (!record) return record;
    document = std::move(*record);
  }
  if (document.is_object() && document.contains("offsets")) {
    const Json& offsets = document["offsets"];
    if (!offsets.is_array() || offsets.size() != 1) {
      return Fail(ExitCode::kConfiguration, "there are {} offsets, not one", offsets.size());
    }
    const Json& entry = offsets[0];
    Json offset = entry.is_object() ? entry.value("offset", Json()) : Json();
    document = std::move(offset);
  }
  if (!document.is_object()) return Refuse("is no JSON object: the connector has stored none");
  return document;
}

Result<void> CheckSnapshot(const Json& offset) {
  const auto snapshot = offset.find("snapshot");
  if (snapshot == offset.end() || snapshot->is_null()) return {};
  const auto completed = offset.find("snapshot_completed");
  if (completed != offset.end() && IsTrue(*completed)) return {};
  return Refuse("is that of a snapshot under way, whose rows are not all published")
      .Hint("let the connector finish it, or begin with 'outboxd position set table'");
}

}  // namespace

Result<DebeziumOffset> ParseDebeziumOffset(std::string_view text) {
  auto found = FindOffset(text);
  if (!found) return std::unexpected(found.error());
  if (auto checked = CheckSnapshot(*found); !checked) return std::unexpected(checked.error());
  DebeziumOffset offset;
  offset.gtids = TextAt(*found, "gtids");
  offset.file = TextAt(*found, "file");
  const auto position = found->find("pos");
  const bool has_place = !offset.file.empty() && position != found->end() &&
                         position->is_number_integer() && *position >= 0;
  if (!has_place) return Refuse("has no 'file' with a 'pos': is it that of a MySQL connector?");
  offset.offset = position->get<std::uint64_t>();
  return offset;
}

Result<std::string> DebeziumOffsetOf(const Checkpoint& checkpoint,
                                     const std::string& topic_prefix) {
  if (checkpoint.read) {
    return Fail(ExitCode::kConfiguration,
                "the initial table read is not done, which Debezium could not go on with");
  }
  const binlog::Position& position = checkpoint.position;
  if (position.file.empty()) {
    return Fail(ExitCode::kConfiguration,
                "the checkpoint tells no file, which Debezium wants even where it reads by GTID")
        .Hint(
            "the relay stores one with the next transaction of the server; where nothing was "
            "committed since 'position import', the connector's own offset still holds");
  }
  nlohmann::ordered_json offset = {{"file", position.file}, {"pos", position.offset}};
  if (!position.gtids.empty()) offset["gtids"] = position.gtids.ToText();
  if (checkpoint.last_commit_us != 0) offset["ts_sec"] = checkpoint.last_commit_us / 1'000'000;
  const nlohmann::ordered_json whole = {
      {"offsets", nlohmann::ordered_json::array({{{"partition", {{"server", topic_prefix}}},
                                                  {"offset", std::move(offset)}}})}};
  return whole.dump();
}

}  // namespace outboxd
