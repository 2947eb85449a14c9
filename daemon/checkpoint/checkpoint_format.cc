#include "daemon/checkpoint/checkpoint_format.h"

#include <zlib.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/escaped.h"
#include "base/hex.h"

namespace outboxd {
namespace {

constexpr std::string_view kMagic = "outboxd-checkpoint ";
constexpr std::string_view kCrcWord = "crc32 ";
// Of a checkpoint without an initial read under way, so that the programs before can read it.
constexpr std::uint32_t kVersion = 1;
// With one: where in the tables it is, which they would not know.
constexpr std::uint32_t kVersionWithRead = 2;
// With a part of a transaction, which they would publish again.
constexpr std::uint32_t kVersionWithPart = 3;

std::uint32_t VersionOf(const Checkpoint& checkpoint) {
  if (checkpoint.part) return kVersionWithPart;
  return checkpoint.read ? kVersionWithRead : kVersion;
}

std::uint32_t Crc32(std::string_view bytes) {
  const auto* begin = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<std::uint32_t>(crc32_z(0, begin, bytes.size()));
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  AppendHex(bytes, hex);
  return hex;
}

// Throws for what ToHex() does not make.
std::string FromHex(std::string_view hex) {
  auto bytes = BytesOfHex(hex);
  if (!bytes) throw nlohmann::json::other_error::create(501, "no hexadecimal digits", nullptr);
  return std::move(*bytes);
}

// Values in hexadecimal digits: they may be any bytes.
nlohmann::ordered_json ReadToJson(const InitialRead& read) {
  auto tables = nlohmann::ordered_json::array();
  for (const TableReadState& table : read.tables) {
    auto key = nlohmann::ordered_json::array();
    for (const ReadKeyPart& part : table.last_key) {
      key.push_back({{"column", part.column}, {"type", part.type}, {"hex", ToHex(part.value)}});
    }
    tables.push_back({{"schema", table.schema_name},
                      {"table", table.table_name},
                      {"done", table.is_done},
                      {"key", std::move(key)},
                      {"rows", table.rows}});
  }
  return {{"begun_us", read.begun_us}, {"tables", std::move(tables)}};
}

InitialRead ReadFromJson(const nlohmann::json& stored) {
  InitialRead read{.tables = {}, .begun_us = stored.at("begun_us")};
  for (const nlohmann::json& json : stored.at("tables")) {
    TableReadState table{.schema_name = json.at("schema"),
                         .table_name = json.at("table"),
                         .is_done = json.at("done"),
                         .last_key = {},
                         .rows = json.at("rows")};
    for (const nlohmann::json& part : json.at("key")) {
      table.last_key.push_back(
          {part.at("column"), part.at("type"), FromHex(part.at("hex").get<std::string>())});
    }
    read.tables.push_back(std::move(table));
  }
  return read;
}

std::string ToJson(const Checkpoint& checkpoint) {
  nlohmann::ordered_json json;
  json["relay"] = checkpoint.relay;
  json["server_uuid"] = checkpoint.server_uuid;
  json["sink"] = checkpoint.sink;
  json["tables"] = checkpoint.tables;
  json["position"]["gtids"] = checkpoint.position.gtids.ToText();
  json["position"]["file"] = checkpoint.position.file;
  json["position"]["offset"] = checkpoint.position.offset;
  json["last_commit_us"] = checkpoint.last_commit_us;
  json["last_gtid"] = checkpoint.last_gtid;
  if (checkpoint.part) {
    json["part"] = {{"place", checkpoint.part->place},
                    {"commit_us", checkpoint.part->commit_us},
                    {"rows", checkpoint.part->rows},
                    {"counting", checkpoint.part->counting}};
  }
  json["table_read_pending"] = checkpoint.read.has_value();
  if (checkpoint.read) json["read"] = ReadToJson(*checkpoint.read);
  json["prepared"] = checkpoint.prepared;
  json["held_xa"] = nlohmann::ordered_json::array();
  for (const HeldXa& held : checkpoint.held_xa) {
    json["held_xa"].push_back(
        {{"xid", held.xid}, {"place", held.place}, {"since_us", held.since_us}});
  }
  json["written_at_us"] = checkpoint.written_at_us;
  return json.dump();
}

// Throws nlohmann::json::exception for a member that is missing or of another type.
Checkpoint FromJson(const nlohmann::json& json, std::string& gtids) {
  Checkpoint checkpoint;
  json.at("relay").get_to(checkpoint.relay);
  json.at("server_uuid").get_to(checkpoint.server_uuid);
  json.at("sink").get_to(checkpoint.sink);
  json.at("tables").get_to(checkpoint.tables);
  json.at("position").at("gtids").get_to(gtids);
  json.at("position").at("file").get_to(checkpoint.position.file);
  json.at("position").at("offset").get_to(checkpoint.position.offset);
  json.at("last_commit_us").get_to(checkpoint.last_commit_us);
  json.at("last_gtid").get_to(checkpoint.last_gtid);
  if (json.contains("part")) {
    const nlohmann::json& part = json.at("part");
    checkpoint.part = {part.at("place"), part.at("commit_us"), part.at("rows"),
                       part.at("counting")};
  }
  // The programs before began a read that was broken off anew.
  if (json.at("table_read_pending").get<bool>()) checkpoint.read.emplace();
  if (json.contains("read")) checkpoint.read = ReadFromJson(json.at("read"));
  // Checkpoints of versions that could not hold XA transactions do not have these.
  if (json.contains("prepared")) json.at("prepared").get_to(checkpoint.prepared);
  if (json.contains("held_xa")) {
    for (const nlohmann::json& held : json.at("held_xa")) {
      checkpoint.held_xa.push_back({held.at("xid"), held.at("place"), held.at("since_us")});
    }
  }
  json.at("written_at_us").get_to(checkpoint.written_at_us);
  return checkpoint;
}

std::unexpected<Error> Damaged(const std::string& place, std::string_view why) {
  return Fail(ExitCode::kCheckpoint, "{}: the checkpoint is damaged: {}", Escaped(place), why)
      .Hint(
          "find the last event that was delivered, and choose where to go on with 'outboxd "
          "position set'; docs/choosing-a-place.md says how");
}

// The line that `text` begins with, taken off it; none: it has no line feed.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint32_t> ParseNumber(std::string_view text, int base) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

// The JSON line of `contents` once version and CRC are found right.
Result<std::string_view> Unwrap(const std::string& place, std::string_view contents) {
  std::string_view rest = contents;
  const auto first = TakeLine(rest);
  if (!first || !first->starts_with(kMagic)) return Damaged(place, "it does not begin as one");
  const auto version = ParseNumber(first->substr(kMagic.size()), 10);
  if (!version) return Damaged(place, "it does not tell its version");
  if (*version > kVersionWithPart) {
    return Fail(ExitCode::kCheckpoint, "{}: the checkpoint has format {}, this outboxd knows {}",
                Escaped(place), *version, kVersionWithPart)
        .Hint(
            "run the version of outboxd that wrote it, or a later one; or look the position up "
            "there with `outboxd position show` and give it to this one with `outboxd position "
            "set`");
  }
  if (*version < kVersion) return Damaged(place, "there is no such format version");

  const auto json = TakeLine(rest);
  if (!json) return Damaged(place, "it is cut off");
  const std::size_t covered = contents.size() - rest.size();
  const auto last = TakeLine(rest);
  if (!last) return Damaged(place, "it is cut off");
  if (!last->starts_with(kCrcWord) || !rest.empty()) {
    return Damaged(place, "it does not end as one");
  }
  if (ParseNumber(last->substr(kCrcWord.size()), 16) != Crc32(contents.substr(0, covered))) {
    return Damaged(place, "its CRC is wrong");
  }
  return *json;
}

}  // namespace

Result<std::string> EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string contents = fmt::format("{}{}\n", kMagic, VersionOf(checkpoint));
  try {
    contents += ToJson(checkpoint);
  } catch (const nlohmann::json::exception& exception) {
    return Fail(ExitCode::kBug, "a checkpoint that is not UTF-8: {}", Escaped(exception.what()));
  }
  contents += '\n';
  const std::uint32_t crc = Crc32(contents);
  contents += fmt::format("{}{:08x}\n", kCrcWord, crc);
  return contents;
}

Result<Checkpoint> DecodeCheckpoint(std::string_view contents, const std::string& relay,
                                    const std::string& place) {
  const auto json = Unwrap(place, contents);
  if (!json) return std::unexpected(json.error());
  Checkpoint checkpoint;
  std::string gtids;
  try {
    checkpoint = FromJson(nlohmann::json::parse(*json), gtids);
  } catch (const nlohmann::json::exception& exception) {
    return Damaged(place, Escaped(exception.what()));
  }
  auto set = binlog::GtidSet::Parse(gtids);
  if (!set) return Damaged(place, Escaped(set.error().message));
  checkpoint.position.gtids = std::move(*set);
  if (checkpoint.relay != relay) {
    return Fail(ExitCode::kCheckpoint, "{}: the checkpoint is that of relay '{}', not of '{}'",
                Escaped(place), Escaped(checkpoint.relay), relay)
        .Hint(
            "give each relay a state-directory of its own; if '{}' is this relay's former name, "
            "see `outboxd position show` under the old name and use `outboxd position set`",
            Escaped(checkpoint.relay));
  }
  return checkpoint;
}

}  // namespace outboxd
