#include "daemon/mapping/expression.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>

#include "base/escaped.h"
#include "base/invariant.h"
#include "base/utf8.h"
#include "binlog/any_case.h"
#include "daemon/mapping/json_reader.h"
#include "daemon/mapping/json_writer.h"
#include "daemon/mapping/scan.h"
#include "daemon/mapping/value_functions.h"

namespace outboxd {

using binlog::ValueKind;

// One operation. What it returns lives in the row, in itself or in a node below it.
class Expression::Node {
 public:
  Node() = default;
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // `*leads_nowhere`: set where NULL stands for a JSON path that is not there.
  virtual Result<OptionalValue> Evaluate(const RowInHand& row, const Node** leads_nowhere) = 0;
  // For messages.
  [[nodiscard]] virtual std::string Name() const = 0;
  virtual void AppendPattern(std::string& pattern) const { pattern += '*'; }
  // Itself, or what stands in functions that quote.
  [[nodiscard]] virtual Node& Unquoted() { return *this; }
  // None: it is something else than a column.
  [[nodiscard]] virtual std::optional<std::size_t> ColumnIndex() const { return std::nullopt; }
};

namespace {

// How many functions and paths may stand around one value. Each is a call within a call, when it is
// read and for every row.
constexpr std::size_t kDepthMax = 100;

using Node = Expression::Node;
using NodePtr = std::unique_ptr<Node>;

OptionalValue ColumnOf(const binlog::Row& row, std::size_t index) {
  const binlog::ColumnValue& value = row.values[index];
  if (!value) return std::nullopt;
  if (index < row.kinds.size()) return MappedValue{*value, row.kinds[index]};
  // The row does not tell: by its bytes.
  return MappedValue{*value, IsUtf8(*value) ? ValueKind::kText : ValueKind::kBytes};
}

class Column final : public Node {
 public:
  Column(std::size_t index, std::string name) : index_(index), name_(std::move(name)) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node**) override {
    return ColumnOf(row.row, index_);
  }
  std::string Name() const override { return fmt::format("column '{}'", name_); }
  std::optional<std::size_t> ColumnIndex() const override { return index_; }

 private:
  const std::size_t index_;
  const std::string name_;
};

class Constant final : public Node {
 public:
  explicit Constant(std::optional<std::string> text) : text_(std::move(text)) {}

  Result<OptionalValue> Evaluate(const RowInHand&, const Node**) override {
    if (!text_) return std::nullopt;
    return MappedValue{*text_, ValueKind::kText};
  }
  std::string Name() const override { return text_ ? fmt::format("'{}'", *text_) : "null"; }
  void AppendPattern(std::string& pattern) const override { pattern += text_.value_or(""); }

 private:
  const std::optional<std::string> text_;
};

class TableName final : public Node {
 public:
  explicit TableName(bool is_schema) : is_schema_(is_schema) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node**) override {
    return MappedValue{is_schema_ ? row.row.schema_name : row.row.table_name, ValueKind::kText};
  }
  std::string Name() const override { return is_schema_ ? "@schema" : "@table"; }

 private:
  const bool is_schema_;
};

class Item final : public Node {
 public:
  Result<OptionalValue> Evaluate(const RowInHand& row, const Node**) override { return row.item; }
  std::string Name() const override { return "@item"; }
};

class WholeRow final : public Node {
 public:
  Result<OptionalValue> Evaluate(const RowInHand& row, const Node**) override {
    const binlog::Row& all = row.row;
    OUTBOXD_INVARIANT(all.columns.size() == all.values.size(),
                      "where a mapping reads whole rows their columns have names");
    json_ = '{';
    for (std::size_t i = row.named; i < all.values.size(); ++i) {
      if (i > row.named) json_ += ',';
      AppendJsonString(all.columns[i], json_);
      json_ += ':';
      AppendJson(ColumnOf(all, i), json_);
    }
    json_ += '}';
    return MappedValue{json_, ValueKind::kJson};
  }
  std::string Name() const override { return "@row"; }

 private:
  std::string json_;
};

class Path final : public Node {
 public:
  Path(NodePtr json, JsonPath path) : json_(std::move(json)), path_(std::move(path)) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node** leads_nowhere) override {
    auto json = json_->Evaluate(row, leads_nowhere);
    if (!json || !*json) return json;
    auto part = reader_.Find((*json)->text, path_);
    if (!part) return Fail(part.error(), "{}", json_->Name());
    if (!*part) {
      *leads_nowhere = this;
      return std::nullopt;
    }
    switch ((*part)->kind) {
      case JsonPart::Kind::kNull:
        break;
      case JsonPart::Kind::kString:
        return MappedValue{(*part)->text, ValueKind::kText};
      case JsonPart::Kind::kOther:
        return MappedValue{(*part)->text, ValueKind::kJson};
    }
    return std::nullopt;
  }
  std::string Name() const override { return fmt::format("{}->{}", json_->Name(), path_.text()); }

 private:
  NodePtr json_;
  const JsonPath path_;
  JsonReader reader_;
};

class Function final : public Node {
 public:
  Function(const ValueFunction& function, NodePtr argument)
      : function_(function), argument_(std::move(argument)) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node** leads_nowhere) override {
    auto argument = argument_->Evaluate(row, leads_nowhere);
    if (!argument || !*argument) return argument;
    text_.clear();
    auto kind = function_.apply(**argument, text_);
    if (!kind) return Fail(kind.error(), "{}", argument_->Name());
    return MappedValue{text_, *kind};
  }
  std::string Name() const override {
    return fmt::format("{}({})", function_.name, argument_->Name());
  }
  Node& Unquoted() override { return function_.quotes ? argument_->Unquoted() : *this; }

 private:
  const ValueFunction& function_;
  NodePtr argument_;
  std::string text_;
};

class FirstNotNull final : public Node {
 public:
  explicit FirstNotNull(std::vector<NodePtr> terms) : terms_(std::move(terms)) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node** leads_nowhere) override {
    for (const NodePtr& term : terms_) {
      *leads_nowhere = nullptr;
      auto value = term->Evaluate(row, leads_nowhere);
      if (!value || *value) return value;
    }
    return std::nullopt;
  }
  std::string Name() const override {
    std::string name = terms_.front()->Name();
    for (const NodePtr& term : terms_ | std::views::drop(1)) name += " | " + term->Name();
    return name;
  }

 private:
  std::vector<NodePtr> terms_;
};

class Text final : public Node {
 public:
  Text(std::vector<NodePtr> parts, Expression::EmptyParts empty_parts)
      : parts_(std::move(parts)), empty_parts_(empty_parts) {}

  Result<OptionalValue> Evaluate(const RowInHand& row, const Node** leads_nowhere) override {
    text_.clear();
    for (const NodePtr& part : parts_) {
      auto value = part->Evaluate(row, leads_nowhere);
      if (!value) return value;
      if (*leads_nowhere != nullptr) return std::nullopt;
      const bool is_refused = empty_parts_ == Expression::EmptyParts::kRefused;
      if (!*value || (is_refused && (*value)->text.empty())) {
        return Fail(ExitCode::kUndecodable, "{} is {}", part->Name(), *value ? "empty" : "NULL");
      }
      text_ += (*value)->text;
    }
    return MappedValue{text_, ValueKind::kText};
  }
  std::string Name() const override { return "text"; }
  void AppendPattern(std::string& pattern) const override {
    for (const NodePtr& part : parts_) part->AppendPattern(pattern);
  }

 private:
  std::vector<NodePtr> parts_;
  const Expression::EmptyParts empty_parts_;
  std::string text_;
};

// Reads expressions, one thing after the other.
class Parser {
 public:
  Parser(std::string_view text, UsedColumns& columns) : rest_(text), columns_(columns) {}

  Result<NodePtr> Chain() {
    std::vector<NodePtr> terms;
    std::size_t deepest = 0;
    do {
      auto term = Term();
      if (!term) return term;
      terms.push_back(std::move(*term));
      deepest = std::max(deepest, depth_);
      SkipBlanks();
    } while (Take("|"));
    depth_ = deepest;
    if (terms.size() == 1) return std::move(terms.front());
    return std::make_unique<FirstNotNull>(std::move(terms));
  }

  Result<NodePtr> WholeText(Expression::EmptyParts empty_parts) {
    std::vector<NodePtr> parts;
    std::string plain;
    const auto end_plain = [&] {
      if (!plain.empty()) parts.push_back(std::make_unique<Constant>(std::move(plain)));
      plain.clear();
    };
    while (!rest_.empty()) {
      if (Take("{{")) {
        plain += '{';
      } else if (Take("}}")) {
        plain += '}';
      } else if (Take("{")) {
        end_plain();
        auto part = Chain();
        if (!part) return part;
        SkipBlanks();
        if (!Take("}")) return Wrong("there is no '}' before", "'{{' stands for a brace");
        parts.push_back(std::move(*part));
      } else if (rest_.front() == '}') {
        return Wrong("there is no '{' for", "'}}' stands for a brace");
      } else {
        plain += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    end_plain();
    if (parts.empty()) return Fail(ExitCode::kConfiguration, "is empty");
    const bool is_refused = empty_parts == Expression::EmptyParts::kRefused;
    if (parts.size() == 1 && !is_refused) return std::move(parts.front());
    return std::make_unique<Text>(std::move(parts), empty_parts);
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  Result<NodePtr> Term() {
    SkipBlanks();
    auto term = Primary();
    while (term && (SkipBlanks(), Take("->"))) {
      Take(">");
      SkipBlanks();
      auto path = TakePath();
      if (!path) return std::unexpected(path.error());
      if (++depth_ > kDepthMax) return TooDeep();
      term = std::make_unique<Path>(std::move(*term), std::move(*path));
    }
    return term;
  }

  Result<NodePtr> Primary() {
    depth_ = 0;
    if (Take("'")) {
      auto text = Quoted('\'');
      if (!text) return std::unexpected(text.error());
      return std::make_unique<Constant>(std::move(*text));
    }
    if (Take("`")) {
      auto name = Quoted('`');
      if (!name) return std::unexpected(name.error());
      return ColumnNamed(*name);
    }
    const bool is_special = Take("@");
    const std::string_view word = Word();
    if (is_special) {
      if (word == "schema" || word == "table") return std::make_unique<TableName>(word == "schema");
      if (word == "item") return std::make_unique<Item>();
      if (word == "row") return columns_.UseWholeRow(), std::make_unique<WholeRow>();
      return Fail(ExitCode::kConfiguration, "there is no '@{}'", Escaped(word))
          .Hint("@schema, @table, @item, @row");
    }
    if (word.empty()) {
      return Wrong("there is no term at",
                   "a column, 'text', @table or a function such as uuid(id)");
    }
    SkipBlanks();
    if (Take("(")) return FunctionNamed(word);
    if (word == "null") return std::make_unique<Constant>(std::nullopt);
    return ColumnNamed(std::string(word));
  }

  Result<NodePtr> FunctionNamed(std::string_view name) {
    const ValueFunction* function = FindValueFunction(name);
    if (function == nullptr) {
      return Fail(ExitCode::kConfiguration, "there is no function '{}'", Escaped(name))
          .Hint("{}", ValueFunctionNames());
    }
    if (++open_functions_ > kDepthMax) return TooDeep();
    auto argument = Chain();
    if (!argument) return argument;
    --open_functions_;
    if (++depth_ > kDepthMax) return TooDeep();
    SkipBlanks();
    if (!Take(")")) return Wrong("there is no ')' before", "");
    return std::make_unique<Function>(*function, std::move(*argument));
  }

  Result<NodePtr> ColumnNamed(const std::string& name) {
    if (name.empty()) return Wrong("there is no column's name before", "");
    return std::make_unique<Column>(columns_.Use(name), name);
  }

  Result<JsonPath> TakePath() {
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const bool is_quoted = quote == '\'' || quote == '"';
    if (is_quoted) rest_.remove_prefix(1);
    auto path = JsonPath::Take(rest_);
    if (path && is_quoted && !Take(std::string_view(&quote, 1))) {
      return std::unexpected(Wrong("there is no closing quote before", "").error());
    }
    return path;
  }

  Result<std::string> Quoted(char quote) {
    const std::string_view whole = rest_;
    auto text = TakeQuoted(rest_, quote);
    if (text) return std::move(*text);
    return Fail(ExitCode::kConfiguration, "{}{} has no end", quote, Escaped(whole));
  }

  // Letters, digits, what is not ASCII, and "_", "$", "-" but for that of "->".
  std::string_view Word() {
    std::size_t end = 0;
    for (; end < rest_.size(); ++end) {
      const char c = rest_[end];
      const bool is_letter = static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
                             (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool is_minus = c == '-' && !rest_.substr(end).starts_with("->");
      if (!is_letter && !is_minus && c != '_' && c != '$') break;
    }
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  bool Take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void SkipBlanks() { outboxd::SkipBlanks(rest_); }

  static std::unexpected<Error> TooDeep() {
    return Fail(ExitCode::kConfiguration, "has more than {} functions and paths around one value",
                kDepthMax);
  }

  std::unexpected<Error> Wrong(std::string_view what, std::string_view hint) const {
    const std::string place = rest_.empty() ? "its end" : fmt::format("'{}'", Escaped(rest_));
    return Fail(ExitCode::kConfiguration, "{} {}", what, place).Hint("{}", hint);
  }

  std::string_view rest_;
  UsedColumns& columns_;
  std::size_t open_functions_ = 0;  // Around what is being read.
  std::size_t depth_ = 0;           // Of what was read last: functions and paths in one another.
};

Result<OptionalValue> EvaluateAll(Node& node, const RowInHand& row) {
  const Node* leads_nowhere = nullptr;
  auto value = node.Evaluate(row, &leads_nowhere);
  if (value && leads_nowhere != nullptr) {
    return Fail(ExitCode::kUndecodable, "{}: there is nothing", leads_nowhere->Name())
        .Hint("'| null' lets it be missing");
  }
  return value;
}

}  // namespace

std::size_t UsedColumns::Use(std::string_view name) {
  const auto known = binlog::FindInAnyCase(names_, name);
  if (known != names_.end()) return static_cast<std::size_t>(known - names_.begin());
  names_.emplace_back(name);
  return names_.size() - 1;
}

Expression::Expression(std::string text, std::unique_ptr<Node> root)
    : text_(std::move(text)), root_(std::move(root)), column_(root_->ColumnIndex()) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::Parse(std::string_view text, UsedColumns& columns) {
  const bool is_chain = text.find('{') == std::string_view::npos || text.starts_with('\'');
  if (!is_chain) return ParseText(text, columns);
  std::string_view rest = text;
  auto chain = TakeChain(rest, columns);
  if (chain && !rest.empty()) {
    return Fail(ExitCode::kConfiguration, "'{}' has something left at '{}'", Escaped(text),
                Escaped(rest))
        .Hint("text stands in quotes or around {{braces}}, an unusual column's name in backquotes");
  }
  return chain;
}

Result<Expression> Expression::ParseText(std::string_view text, UsedColumns& columns,
                                         EmptyParts empty_parts) {
  auto root = Parser(text, columns).WholeText(empty_parts);
  if (!root) return std::unexpected(root.error());
  return Expression(std::string(text), std::move(*root));
}

Result<Expression> Expression::TakeChain(std::string_view& text, UsedColumns& columns) {
  const std::string_view whole = text;
  Parser parser(text, columns);
  auto root = parser.Chain();
  if (!root) return std::unexpected(root.error());
  text = parser.rest();
  return Expression(std::string(whole.substr(0, whole.size() - text.size())), std::move(*root));
}

Result<OptionalValue> Expression::Evaluate(const RowInHand& row) {
  if (column_) return ColumnOf(row.row, *column_);
  return EvaluateAll(*root_, row);
}

Result<OptionalValue> Expression::EvaluateUnquoted(const RowInHand& row) {
  return EvaluateAll(root_->Unquoted(), row);
}

std::string Expression::Pattern() const {
  std::string pattern;
  root_->AppendPattern(pattern);
  return pattern;
}

Result<OptionalValue> Expression::EvaluateIfThere(const RowInHand& row) {
  const Node* leads_nowhere = nullptr;
  return root_->Evaluate(row, &leads_nowhere);
}

}  // namespace outboxd
