#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// A place in a JSON document, worded as MySQL words it: $.member."other member"[0]. Without
// wildcards, ranges and `last`. Constant after construction.
class JsonPath {
 public:
  // Takes a path off the front of `text`. kConfiguration: what is wrong with it.
  [[nodiscard]] static Result<JsonPath> Take(std::string_view& text);

  // As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }
  // RFC 6901.
  [[nodiscard]] const std::string& pointer() const { return pointer_; }

 private:
  std::string text_, pointer_;
};

// A part of a JSON document.
struct JsonPart {
  enum class Kind { kNull, kString, kOther };
  Kind kind = Kind::kNull;
  std::string_view text;  // Of a string: its characters; otherwise its JSON, as it was written.
};

// Reads JSON text; reuses its memory. What it returns stays valid until its next call.
// kUndecodable: the text is not JSON, as far as it had to be read to tell. One thread.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;

  // None: there is nothing in that place.
  [[nodiscard]] Result<std::optional<JsonPart>> Find(std::string_view json, const JsonPath& path);
  // The elements of an array. kUndecodable also: it is none.
  [[nodiscard]] Result<void> Elements(std::string_view json, std::vector<JsonPart>& elements);
  // The members of an object, in order. kUndecodable also: it is none.
  struct Member {
    std::string_view name;
    JsonPart part;
  };
  [[nodiscard]] Result<void> Members(std::string_view json, std::vector<Member>& members);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads all of it. kUndecodable: it is not JSON.
[[nodiscard]] Result<void> CheckJson(std::string_view json);

}  // namespace outboxd
