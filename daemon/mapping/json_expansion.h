#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace outboxd {

// What Debezium can be told about table.expand.json.payload.
struct JsonExpansionRule {
  bool keeps_nulls = false;         // table.json.payload.null.behavior = optional_bytes
  bool keeps_empty_arrays = false;  // table.json.payload.empty.array.behavior = optional_string
};

// Writes a JSON payload as Debezium's Outbox Event Router does with table.expand.json.payload and
// Kafka Connect's JsonConverter without schemas. Debezium derives a schema from the document, and
// JsonConverter writes what of the document fits that schema:
//
//   - Members that are null, and those that are an empty array, are left out, unless the rule keeps
//     them. Of members of the same name the first place and the last value count.
//   - Numbers are 32 bits, 64 bits or a double, which prints as Java's Double.toString().
//   - All elements of an array are of one kind, those three told apart; nulls may stand between
//     them. Arrays of nulls only, and those that begin with an array that is left out, have no
//     schema. Objects in an array have the members of all of them: what one lacks is null.
//   - What stands behind the document is not looked at.
//
// What has no schema, or does not fit it, stays the text it was, as a JSON string. So do documents
// that are no object, have a member without a name, or are beyond what Jackson reads: 1000 levels,
// 1000 digits, 50,000 characters of a name, 20,000,000 of a string.
// Source: Debezium 3.6, JsonSchemaData and EventRouterDelegate.parseJsonPayload(), the rule about
// empty arrays 3.7; Kafka 4.1, JsonConverter; Jackson 2.19, StreamReadConstraints.
//
// Where objects of an array have different members, Debezium's result can change from start to
// start (their schemas stand in a HashSet), lack values without a word, or fail at a null among
// them. Here members stand in the order of their appearance, nested objects are merged as well, and
// nulls stay. Text stays also what Debezium expands to what JSON does not have: numbers that no
// double holds ("Infinity") and halves of characters.
//
// Reuses its memory. One thread.
class JsonExpander {
 public:
  JsonExpander();
  ~JsonExpander();
  JsonExpander(JsonExpander&&) noexcept;
  JsonExpander& operator=(JsonExpander&&) noexcept;

  // Appends what becomes of `text`, which is UTF-8: always JSON. At most 16 MiB or eight times the
  // text, whichever is more: a document that would grow beyond stays text too.
  void Append(std::string_view text, const JsonExpansionRule& rule, std::string& json);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outboxd
