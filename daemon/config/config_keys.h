#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value_text.h"
#include "daemon/config/config.h"

namespace boost::program_options {
class options_description;  // NOLINT(readability-identifier-naming): the library's name.
}

namespace outboxd {

// What the value of a key looks like. ConfigTypeRows() says it in words.
enum class ConfigType {
  kText,
  kWord,
  kYesNo,
  kNumber,
  kDuration,
  kSize,
  kPath,
  kTable,
  kExpression,
  kTopic,
  kCondition,
  kNamedValue,
};

// A key of the configuration, as docs/configuration.md documents it. Texts are for people.
struct ConfigKey {
  std::string_view section;  // "outbox" stands for [outbox.NAME] too.
  std::string_view key;      // "*": any; the sink judges.
  ConfigType type = ConfigType::kText;
  // kWord: all words; kNumber, kSize: "LEAST to MOST"; others: what else is to be known. Empty:
  // whatever the type takes.
  std::string_view values;
  std::string_view default_text;  // As it would stand in the file, or (in words). Empty: none.
  std::string_view meaning;       // In sentences, without line feeds.
  bool repeatable = false;        // May stand several times; the values add up.
  bool is_required = false;
};

// Every key of this version, section by section: the one place that lists them.
[[nodiscard]] const std::vector<ConfigKey>& ConfigKeys();

// Null: there is no such key in this version. `section` as the file has it, "outbox.eu" included.
[[nodiscard]] const ConfigKey* FindConfigKey(std::string_view section, std::string_view key);

// The name under which ConfigKeys() lists a section: "outbox" for "outbox.eu". Empty: there is no
// such section in this version.
[[nodiscard]] std::string_view SectionKind(std::string_view section);

// Whether a section or key is designed but comes with a later version; `section` by its kind.
[[nodiscard]] bool IsLaterSection(std::string_view section);
[[nodiscard]] bool IsLaterKey(std::string_view section, std::string_view key);

// The rows of the tables of docs/configuration.md, in Markdown: one for each key, and one for each
// type.
[[nodiscard]] std::vector<std::string> ConfigKeyRows();
[[nodiscard]] std::vector<std::string> ConfigTypeRows();

// A value that cannot be taken, on its way through Boost.Program_options to the one who stores it.
class WrongValue : public std::exception {
 public:
  explicit WrongValue(BasicError<ValueFault> error) : error_(std::move(error)) {}

  [[nodiscard]] const BasicError<ValueFault>& error() const { return error_; }
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  BasicError<ValueFault> error_;
};

// Adds to `options`, under "section.key", every key of the sections that stand once; a value that
// is stored goes into `config`, which outlives `options`. Values are parsed by
// daemon/config/config_value.h; a wrong one is a WrongValue.
void BindConfigKeys(Config& config, boost::program_options::options_description& options);
// The same for the keys of one event table family.
void BindOutboxKeys(OutboxConfig& outbox, boost::program_options::options_description& options);

}  // namespace outboxd
