#include "daemon/checkpoint/journal.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/escaped.h"

namespace outboxd {
namespace {

constexpr char kName[] = "journal";
constexpr char kOldName[] = "journal.old";

void AppendField(std::string& text, std::string_view field) {
  const auto is_special = [](char c) { return c == '\t' || c == '\n' || c == '\\'; };
  if (std::ranges::none_of(field, is_special)) {
    text += field;
    return;
  }
  for (const char c : field) {
    if (c == '\t') {
      text += "\\t";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\\') {
      text += "\\\\";
    } else {
      text += c;
    }
  }
}

// The field that `line` begins with, taken off it together with the tab behind it.
std::string TakeField(std::string_view& line) {
  std::string_view rest = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(rest.size() + 1, line.size()));
  std::string field;
  for (std::size_t slash; (slash = rest.find('\\')) < rest.size() - 1;) {
    const char c = rest[slash + 1];
    field += rest.substr(0, slash);
    field += c == 't' ? '\t' : c == 'n' ? '\n' : c;
    rest.remove_prefix(slash + 2);
  }
  field += rest;
  return field;
}

std::optional<std::uint64_t> TakeNumber(std::string_view& line) {
  const std::string field = TakeField(line);
  std::uint64_t number = 0;
  const char* end = field.data() + field.size();
  const auto [parsed, error] = std::from_chars(field.data(), end, number);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return number;
}

// Collects the events of `gtids` from lines, oldest first.
class Search {
 public:
  explicit Search(const binlog::GtidSet& gtids) : gtids_(gtids) {}

  void Lines(std::string_view text) {
    while (true) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) return;  // What is torn tells nothing.
      Line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
  }
  JournalFindings Take(bool has_dropped_lines) {
    findings_.is_cut = has_dropped_lines && first_is_wanted_.value_or(true);
    return std::move(findings_);
  }

 private:
  void Line(std::string_view line) {
    std::string gtid = TakeField(line);
    std::string prepared;
    if (const std::size_t space = gtid.find(' '); space != std::string::npos) {
      prepared = gtid.substr(space + 1);
      gtid.resize(space);
    }
    const auto parsed = binlog::GtidSet::Parse(gtid);
    if (!parsed || parsed->count() != 1) return;
    const bool is_wanted = parsed->IsSubsetOf(gtids_);
    if (!first_is_wanted_) first_is_wanted_ = is_wanted;
    if (!is_wanted) return;
    const auto commit_us = TakeNumber(line);
    const auto events = TakeNumber(line);
    if (!commit_us || !events) return;
    if (const auto decided = binlog::GtidSet::Parse(prepared)) findings_.decided.Unite(*decided);
    const bool is_repeated = !transactions_.insert(gtid).second;
    std::string table;
    std::uint64_t named = 0;
    for (; !line.empty() && named < *events; ++named) {
      std::string next_table = TakeField(line);
      if (!next_table.empty()) table = std::move(next_table);
      PublishedEvent event{gtid, table, TakeField(line), *commit_us};
      if (known_.insert(event).second) findings_.events.push_back(std::move(event));
    }
    if (!is_repeated) findings_.without_id += *events - named;
  }

  const binlog::GtidSet& gtids_;
  JournalFindings findings_;
  std::set<std::string> transactions_;
  std::set<PublishedEvent> known_;
  std::optional<bool> first_is_wanted_;
};

}  // namespace

void JournalLine::Clear() {
  text_.clear();
  schema_name_.clear();
  table_name_.clear();
  events_ = 0;
}

void JournalLine::Add(std::string_view schema_name, std::string_view table_name,
                      std::string_view id) {
  ++events_;
  if (text_.size() >= kBytesMax) return;
  text_ += '\t';
  if (schema_name != schema_name_ || table_name != table_name_) {
    AppendField(text_, schema_name);
    text_ += '.';
    AppendField(text_, table_name);
    schema_name_ = schema_name;
    table_name_ = table_name;
  }
  text_ += '\t';
  AppendField(text_, id);
}

std::string JournalLine::Text(const binlog::Gtid& gtid, std::uint64_t commit_us,
                              const std::optional<binlog::Gtid>& prepared) const {
  constexpr std::size_t kLongestFront = 256;
  std::string line;
  line.reserve(kLongestFront + text_.size());
  const auto number = [&line](std::uint64_t value) {
    line += '\t';
    line += fmt::format_int(value).str();
  };
  line += ToText(gtid);
  if (prepared) line += ' ' + ToText(*prepared);
  number(commit_us);
  number(events_);
  line += text_;
  line += '\n';
  return line;
}

Journal::Journal(std::string directory, std::uint64_t bytes_max, FileSystem& files)
    : directory_(std::move(directory)),
      path_(directory_ + "/" + kName),
      old_path_(directory_ + "/" + kOldName),
      file_bytes_max_(bytes_max / 2),
      files_(files) {}

Journal::~Journal() { Close(); }

void Journal::Close() {
  if (descriptor_ >= 0) files_.Close(descriptor_);
  descriptor_ = -1;
}

// Goes on behind what is there, on a line of its own.
Result<void> Journal::Open() {
  constexpr int kFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  descriptor_ = files_.Open(path_.c_str(), kFlags, 0600);
  if (descriptor_ < 0) return StepFailed(path_, "open", errno);
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  if (end <= 0) {
    file_bytes_ = 0;
    return {};
  }
  file_bytes_ = static_cast<std::uint64_t>(end);
  char last = '\0';
  if (::pread(descriptor_, &last, 1, end - 1) == 1 && last == '\n') return {};
  ++file_bytes_;
  return WriteAll(files_, descriptor_, path_, "\n");
}

Result<void> Journal::StartNewFile() {
  Close();
  if (files_.Rename(path_.c_str(), old_path_.c_str()) != 0) {
    return StepFailed(path_, "rename", errno);
  }
  return Open();
}

Result<void> Journal::Append(std::string_view lines) {
  if (lines.empty()) return {};
  const std::lock_guard lock(mutex_);
  if (lines.size() > file_bytes_max_) {
    lines.remove_prefix(lines.size() - file_bytes_max_);
    lines.remove_prefix(lines.find('\n') + 1);
  }
  if (descriptor_ < 0) {
    if (auto opened = Open(); !opened) return opened;
  }
  if (file_bytes_ > 0 && file_bytes_ + lines.size() > file_bytes_max_) {
    if (auto started = StartNewFile(); !started) return started;
  }
  auto written = WriteAll(files_, descriptor_, path_, lines);
  file_bytes_ += lines.size();
  if (!written) Close();  // The next line begins on a line of its own.
  return written;
}

Result<JournalFindings> Journal::Find(const binlog::GtidSet& gtids,
                                      std::string_view unwritten) const {
  const std::lock_guard lock(mutex_);
  // What a line that was too long for a small journal can take on top.
  const std::size_t bytes_max = file_bytes_max_ + 2 * JournalLine::kBytesMax;
  Search search(gtids);
  bool has_dropped_lines = false;
  for (const std::string& path : {old_path_, path_}) {
    const auto text = ReadFile(files_, path, bytes_max);
    if (!text) return std::unexpected(text.error());
    if (!text->has_value()) continue;
    if (path == old_path_) has_dropped_lines = true;
    search.Lines(**text);
  }
  search.Lines(unwritten);
  return search.Take(has_dropped_lines);
}

void AppendOrTell(Journal* journal, std::string_view lines) {
  if (journal == nullptr) return;
  if (auto written = journal->Append(lines); !written) {
    spdlog::error("the journal cannot be written: {}", written.error().ToText());
  }
}

}  // namespace outboxd
