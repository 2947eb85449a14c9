#pragma once

#include <string>
#include <string_view>

#include "binlog/row.h"
#include "daemon/error.h"
#include "daemon/mapping/mapped_value.h"

namespace outboxd {

// A function of the mapping language, with one argument, which is not NULL.
struct ValueFunction {
  std::string_view name;
  // Appends the result to `text`, returns what it is. kUndecodable: the argument is not what it
  // takes.
  Result<binlog::ValueKind> (*apply)(const MappedValue& argument, std::string& text);
  bool quotes = false;  // What is no JSON becomes a JSON string.
};

// Null: there is none of this name.
[[nodiscard]] const ValueFunction* FindValueFunction(std::string_view name);

// For messages: "uuid, base64, ...".
[[nodiscard]] std::string ValueFunctionNames();

}  // namespace outboxd
