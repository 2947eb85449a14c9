#include "binlog/mysql_event_source.h"

#include <mysql.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "binlog/event_header.h"
#include "binlog/gtid_event.h"
#include "binlog/hint.h"
#include "binlog/mysql_replication.h"

namespace outboxd::binlog {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kFirstOffset = 4;
// Back-pressure of an hour does not make the server end the dump.
constexpr int kNetWriteTimeoutSeconds = 3600;
// Events that are looked through for the last transaction.
constexpr int kEventsBeforeLastMax = 10'000;
// While a member that is cut off from its group is read, the other hosts are tried again after so
// long, then after twice as long each time.
constexpr milliseconds kTryOthersFirst{10'000};
constexpr milliseconds kTryOthersMax{60'000};
constexpr std::string_view kCutOffHint =
    " HINT: performance_schema.replication_group_members on it shows the group; START"
    " GROUP_REPLICATION lets a member join again; UNINSTALL PLUGIN group_replication if it is to be"
    " in no group any more";

// `by_gtid` of the result: whether the server can.
Result<StreamIdentity> PrepareSession(MysqlConnection& connection,
                                      const MysqlEventSourceOptions& options) {
  const auto heartbeat_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options.heartbeat).count();
  const std::string uuid = connection.Quote(options.replica_uuid);
  // Servers before 8.0.26 know only the second name of each.
  auto set = connection.Query(fmt::format(
      "SET @source_binlog_checksum = @@global.binlog_checksum, @master_binlog_checksum ="
      " @@global.binlog_checksum, @source_heartbeat_period = {0}, @master_heartbeat_period = {0},"
      " @replica_uuid = {1}, @slave_uuid = {1}, SESSION net_write_timeout = {2}",
      heartbeat_ns, uuid, kNetWriteTimeoutSeconds));
  if (!set) return std::unexpected(set.error());
  auto answer = connection.QueryRow(
      "SELECT @@server_uuid, @@global.gtid_mode, @source_binlog_checksum, @@global.log_bin", 4);
  if (!answer) return std::unexpected(answer.error());
  const ResultRow& row = *answer;
  if (row[0].value_or("").empty()) {
    return Fail(ErrorKind::kUnknown, "the server does not tell its server_uuid");
  }
  if (row[3].value_or("0") != "1") {
    return Fail(ErrorKind::kUnsuitable,
                "log_bin is OFF: there is no binary log to read HINT: in"
                " my.cnf: [mysqld] log_bin = binlog, then restart the server");
  }
  return StreamIdentity{.server_uuid = row[0].value_or(""),
                        .by_gtid = row[1].value_or("") == "ON",
                        .has_checksums = row[2].value_or("NONE") != "NONE"};
}

Result<std::string> QueryVariable(MysqlConnection& connection, std::string_view variable) {
  auto text = connection.QueryValue(fmt::format("SELECT @@global.{}", variable));
  if (!text) return std::unexpected(text.error());
  return text->value_or("");
}

Result<GtidSet> QueryGtids(MysqlConnection& connection, std::string_view variable) {
  auto text = QueryVariable(connection, variable);
  if (!text) return std::unexpected(text.error());
  return GtidSet::Parse(*text);
}

std::string_view ReasonOf(Lack lack) {
  switch (lack) {
    case Lack::kNothing:
      break;
    case Lack::kTail:
      return "it lags, or a failover lost them";
    case Lack::kOwn:
      return "they are its own, so that it was reset or restored from a backup";
    case Lack::kOther:
      return "it has another history";
    case Lack::kDisjoint:
      return "it has none of those that were read, so that it is another server";
  }
  return "";
}

std::unexpected<HostAnswer> Refuses(const Error& error) {
  return std::unexpected(HostAnswer{.error = error});
}

template <typename... Args>
std::unexpected<HostAnswer> Refuses(ErrorKind kind, fmt::format_string<Args...> format,
                                    Args&&... args) {
  return Refuses(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

// Of a position that somebody named, and behind which nothing was read yet, a server that does not
// have it says less.
std::string ReasonText(const Comparison& compared, bool was_read) {
  const bool is_given = !was_read && compared.lack != Lack::kTail;
  return fmt::format("{}{} HINT: {}, then choose a place with 'outboxd position set'",
                     is_given ? "" : ": ", is_given ? "" : ReasonOf(compared.lack),
                     was_read ? "compare event table and topic"
                              : "see which it has with SELECT @@global.gtid_executed there");
}

std::string WithoutText(const Comparison& compared, bool was_read, std::string_view server_uuid) {
  return fmt::format("server {} does not have the transactions {} that {}", server_uuid,
                     compared.missing.ToText(),
                     was_read ? "were already read" : "the position names");
}

// The answer of a server that lacks transactions: with how it may still get them.
HostAnswer AnswerWithout(MysqlConnection& connection, const Comparison& compared, bool was_read,
                         const std::string& server_uuid) {
  auto replication = AskForReplication(connection, compared.missing);
  const ErrorKind kind = replication ? ErrorKind::kDiverged : replication.error().kind;
  HostAnswer answer;
  answer.error = {kind, WithoutText(compared, was_read, server_uuid) +
                            (replication ? ReasonText(compared, was_read)
                                         : ": " + replication.error().message)};
  if (kind != ErrorKind::kDiverged && kind != ErrorKind::kDenied) return answer;
  answer.lack = compared.lack;
  answer.missing = compared.missing.count();
  answer.server_uuid = server_uuid;
  if (replication) answer.replication = std::move(*replication);
  return answer;
}

// Why a host is not read while one is that is cut off from its group. `is_former`: that one is what
// was read before, so that a tail of its own transactions is no failover's loss.
std::string OtherText(const HostAnswer& answer, bool is_former) {
  std::string text(WithoutHint(answer.error.message));
  const std::string_view reason = ReasonOf(Lack::kTail);
  if (answer.lack != Lack::kTail || !is_former || !text.ends_with(reason)) return text;
  text.replace(text.size() - reason.size(), reason.size(),
               "they were written to the member that is cut off");
  return text;
}

// The time of commit that a GTID event tells; none: the event is another one.
std::optional<std::uint64_t> CommitTimeOf(Bytes event, const Gtid& gtid, bool has_checksums) {
  const auto header = ParseEventHeader(event);
  if (!header) return std::nullopt;
  if (header->type != EventType::kGtid && header->type != EventType::kGtidTagged) {
    return std::nullopt;
  }
  const std::size_t around = kEventHeaderBytes + (has_checksums ? kChecksumBytes : 0);
  if (event.size() < around) return std::nullopt;
  const auto parsed =
      ParseGtidEvent(header->type, event.subspan(kEventHeaderBytes, event.size() - around));
  if (!parsed || parsed->gtid != gtid) return std::nullopt;
  return parsed->original_commit_us;
}

Result<void> CheckFile(MysqlConnection& connection, const Position& from) {
  if (from.offset > std::numeric_limits<std::uint32_t>::max()) {
    return Fail(ErrorKind::kUnsuitable,
                "offset {} of {} is beyond 4 GiB, which the protocol cannot ask for without GTIDs"
                " HINT: SET PERSIST gtid_mode = ON, or choose a place in a later file with 'outboxd"
                " position set'",
                from.offset, from.file);
  }
  if (from.file.empty()) return {};
  auto logs = connection.Query("SHOW BINARY LOGS", 2);
  if (!logs) return std::unexpected(logs.error());
  for (const ResultRow& row : *logs) {
    if (row[0] != from.file) continue;
    std::uint64_t size = 0;
    const std::string text = row[1].value_or("");
    std::from_chars(text.data(), text.data() + text.size(), size);
    if (from.offset <= size) return {};
    return Fail(ErrorKind::kDiverged,
                "binary log {} has {} bytes, the position is at {}: the server lost the end of its"
                " log or began a new one HINT: compare event table and topic, then 'outboxd"
                " position set'",
                from.file, size, from.offset);
  }
  return Fail(ErrorKind::kGone,
              "binary log {} is no longer on the server: events may be missing HINT: 'outboxd"
              " position set table' publishes what is in the event table, then everything new",
              from.file);
}

}  // namespace

// One connection with a dump under way.
class MysqlEventSource::Dump {
 public:
  explicit Dump(MysqlConnection connection) : connection_(std::move(connection)) {}
  ~Dump() {
    if (is_open_) mysql_binlog_close(connection_.handle(), &rpl_);
  }
  Dump(const Dump&) = delete;
  Dump& operator=(const Dump&) = delete;

  Result<void> Start(const Position& from, bool by_gtid, std::uint32_t server_id) {
    if (by_gtid) {
      // Never a file name as well: the server would not search by GTID then.
      encoded_gtids_ = from.gtids.Encode();
      rpl_.gtid_set_encoded_size = encoded_gtids_.size();
      rpl_.gtid_set_arg = encoded_gtids_.data();
      rpl_.start_position = kFirstOffset;
      rpl_.flags = MYSQL_RPL_GTID;
    } else {
      file_ = from.file;
      rpl_.file_name = file_.c_str();
      rpl_.file_name_length = file_.size();
      rpl_.start_position = std::max(from.offset, kFirstOffset);
    }
    rpl_.server_id = server_id;
    if (mysql_binlog_open(connection_.handle(), &rpl_) != 0) {
      return std::unexpected(connection_.LastError());
    }
    is_open_ = true;
    return {};
  }

  Result<Bytes> Fetch(std::chrono::milliseconds first_event_deadline) {
    if (!has_answered_ && !WaitReadable(connection_.socket_descriptor(), first_event_deadline)) {
      return Fail(ErrorKind::kDisconnected, "the server did not begin to send within {} ms",
                  first_event_deadline.count());
    }
    if (mysql_binlog_fetch(connection_.handle(), &rpl_) != 0) {
      return std::unexpected(connection_.LastError());
    }
    has_answered_ = true;
    if (rpl_.size == 0) return Fail(ErrorKind::kDisconnected, "the server ended the stream");
    return Bytes(rpl_.buffer + 1, rpl_.size - 1);  // Behind the OK byte.
  }

  [[nodiscard]] MysqlConnection& connection() { return connection_; }
  [[nodiscard]] bool has_answered() const { return has_answered_; }

 private:
  MysqlConnection connection_;
  MYSQL_RPL rpl_{};
  std::string file_;
  std::string encoded_gtids_;
  bool is_open_ = false;
  bool has_answered_ = false;
};

MysqlEventSource::MysqlEventSource(MysqlEventSourceOptions options)
    : options_(std::move(options)),
      choice_(options_.asks_once ? milliseconds(0) : options_.lag_timeout),
      try_others_after_(kTryOthersFirst),
      refused_dumps_(options_.hosts.size()) {}

MysqlEventSource::~MysqlEventSource() { Close(); }

Result<StreamIdentity> MysqlEventSource::Open(const Position& from, const KnownHistory& known) {
  Close();
  if (options_.hosts.empty()) return Fail(ErrorKind::kUnsuitable, "no host is configured");
  std::vector<HostAnswer> answers;
  for (std::size_t i = 0; i < options_.hosts.size(); ++i) {
    if (refused_dumps_[i]) {
      answers.push_back({.error = *refused_dumps_[i]});
      continue;
    }
    const bool is_only_one = options_.hosts.size() == 1;
    auto opened = TryHost(i, {.from = from, .known = known, .accepts_cut_off = is_only_one});
    if (opened) {
      WatchGroup();
      return *opened;
    }
    if (opened.error().error.kind == ErrorKind::kInterrupted) {
      return std::unexpected(opened.error().error);
    }
    answers.push_back(std::move(opened.error()));
  }
  std::ranges::fill(refused_dumps_, std::nullopt);  // They are asked again the next time.
  if (auto opened = OpenCutOff({.from = from, .known = known, .accepts_cut_off = true}, answers)) {
    return std::move(*opened);
  }
  auto chosen = choice_.Decide(answers, std::chrono::steady_clock::now());
  if (!chosen) return std::unexpected(chosen.error());
  if (options_.asks_once) {  // Whether it lags or has lost them takes time to tell.
    return Fail(ErrorKind::kDisconnected, "{}", WithoutHint(answers[*chosen].error.message));
  }
  auto opened = TryHost(
      *chosen, {.from = from, .known = known, .accepts_loss = true, .accepts_cut_off = true});
  if (opened) {
    WatchGroup();
    return *opened;
  }
  answers[*chosen] = std::move(opened.error());
  const Error& error = answers[*chosen].error;
  return std::unexpected(error.kind == ErrorKind::kInterrupted ? error : MostHopeful(answers));
}

std::optional<Result<StreamIdentity>> MysqlEventSource::OpenCutOff(
    const Request& request, std::vector<HostAnswer>& answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].is_cut_off) continue;
    auto opened = TryHost(i, request);
    if (opened) {
      const bool is_former = opened->server_uuid == request.known.server_uuid;
      std::string others;
      for (std::size_t other = 0; other < answers.size(); ++other) {
        if (other != i) others += "; " + OtherText(answers[other], is_former);
      }
      WatchGroup(others);
      return *opened;
    }
    if (opened.error().error.kind == ErrorKind::kInterrupted) {
      return std::unexpected(opened.error().error);
    }
    answers[i] = std::move(opened.error());
  }
  return std::nullopt;
}

MysqlEventSource::Opened MysqlEventSource::TryHost(std::size_t index, const Request& request) {
  const ConnectionOptions& host = options_.hosts[index];
  auto opened = OpenHost(host, request);
  if (opened) {
    opened->host = opened_host_ = index;
    choice_.Reset();
    return opened;
  }
  Close();
  Error& error = opened.error().error;
  if (interrupter_.Take()) error = {ErrorKind::kInterrupted, "interrupted"};
  if (error.kind == ErrorKind::kInterrupted) return opened;
  error = Fail(error, "mysql at {}", AddressText(host)).error();
  return opened;
}

Result<StreamIdentity> MysqlEventSource::Connect(const ConnectionOptions& host) {
  ConnectionOptions options = host;
  options.interrupter = &interrupter_;
  options.read_timeout = std::max(std::chrono::ceil<std::chrono::seconds>(options_.read_deadline),
                                  std::chrono::seconds(1));
  auto connection = MysqlConnection::Connect(options);
  if (!connection) return std::unexpected(connection.error());
  dump_ = std::make_unique<Dump>(std::move(*connection));
  return PrepareSession(dump_->connection(), options_);
}

MysqlEventSource::Opened MysqlEventSource::OpenHost(const ConnectionOptions& host,
                                                    const Request& request) {
  const Position& from = request.from;
  auto stream = Connect(host);
  if (!stream) return Refuses(stream.error());
  if (auto answer = LookAtGroup(request)) return std::unexpected(std::move(*answer));
  const bool is_former =
      request.known.server_uuid.empty() || request.known.server_uuid == stream->server_uuid;
  opened_from_ = is_former ? from.file : std::string();
  const bool is_known_by_file = !opened_from_.empty() && opened_from_ == file_with_anonymous_;
  stream->by_gtid =
      stream->by_gtid && !is_known_by_file && (!from.gtids.empty() || from.file.empty());
  // A set without a file where GTIDs cannot be asked for: everything that the server has is read,
  // and what is in the set passed over.
  const bool checks_gtids = stream->by_gtid || (from.file.empty() && !from.gtids.empty());
  if (!checks_gtids && !is_former) {
    return Refuses(ErrorKind::kDiverged,
                   "the position is a file and offset of server {}, but this is server {}, where"
                   " they mean nothing HINT: point mysql.host at the former server, or choose a"
                   " place with 'outboxd position set'",
                   request.known.server_uuid, stream->server_uuid);
  }
  if (!checks_gtids) {
    auto checked = CheckFile(dump_->connection(), from);
    if (!checked) return Refuses(checked.error());
  }
  Opened opened =
      checks_gtids ? CheckGtids(request, std::move(*stream)) : Opened(std::move(*stream));
  if (!opened) return opened;
  if (auto started = StartDump(host, request, *opened); !started) return Refuses(started.error());
  return opened;
}

std::optional<HostAnswer> MysqlEventSource::LookAtGroup(const Request& request) {
  standing_.reset();
  auto standing = AskForStanding(dump_->connection());
  if (standing) {
    standing_ = std::move(*standing);
  } else if (standing.error().kind == ErrorKind::kDisconnected) {
    return HostAnswer{.error = standing.error()};
  }
  if (request.accepts_cut_off || !standing_ || !standing_->cut_off) return std::nullopt;
  return HostAnswer{.error = {ErrorKind::kDisconnected, *standing_->cut_off}, .is_cut_off = true};
}

void MysqlEventSource::WatchGroup(const std::string& others) {
  const std::string address = AddressText(options_.hosts[opened_host_]);
  const auto tell = [address, others, tell_cut_off = options_.tell_cut_off](
                        const std::optional<std::string>& why) {
    if (!tell_cut_off) return;
    if (!why) return tell_cut_off(std::nullopt);
    tell_cut_off(
        fmt::format("mysql at {} {}; reading on there{}{}", address, *why, others, kCutOffHint));
  };
  const auto cut_off = standing_ ? standing_->cut_off : std::nullopt;
  tell(cut_off);
  if (cut_off) {
    try_others_at_ = std::chrono::steady_clock::now() + try_others_after_;
    try_others_after_ = std::min(2 * try_others_after_, kTryOthersMax);
  } else {
    try_others_at_ = {};
    try_others_after_ = kTryOthersFirst;
  }
  if (!standing_ || !options_.tell_cut_off) return;
  // A member that another one can stand in for is left before there is anything to tell.
  const bool is_left = !cut_off && options_.hosts.size() > 1;
  group_watch_ = std::make_unique<GroupWatch>(options_.hosts[opened_host_], cut_off,
                                              options_.group_interval,
                                              is_left ? GroupWatch::Tell() : tell);
}

std::optional<Error> MysqlEventSource::MustLeave() const {
  if (!group_watch_ || !group_watch_->is_cut_off() || options_.hosts.size() < 2) {
    return std::nullopt;
  }
  if (std::chrono::steady_clock::now() < try_others_at_) return std::nullopt;
  return Error{ErrorKind::kDisconnected,
               fmt::format("mysql at {} {}; asking the other hosts",
                           AddressText(options_.hosts[opened_host_]),
                           group_watch_->why().value_or(""))};
}

Result<void> MysqlEventSource::StartDump(const ConnectionOptions& host, const Request& request,
                                         const StreamIdentity& stream) {
  Position position = request.from;
  if (!stream.lost.empty()) position.TakeOut(stream.lost);
  auto is_unused = CheckLastTransaction(request.known, position, stream);
  if (!is_unused) return std::unexpected(is_unused.error());
  if (!*is_unused) {
    Close();
    if (auto again = Connect(host); !again) return std::unexpected(again.error());
  }
  return dump_->Start(position, stream.by_gtid, options_.server_id);
}

// The server itself compares only its own UUID's transactions: after a failover it would pass over
// what it never got.
MysqlEventSource::Opened MysqlEventSource::CheckGtids(const Request& request,
                                                      StreamIdentity stream) {
  MysqlConnection& connection = dump_->connection();
  GtidSet have = request.from.gtids;
  if (request.known.begun) have.Add(*request.known.begun);
  // A server sends a transaction before its commit is finished. Asked in this order, it stands in
  // one of the two at least. What another server sent may be rolled back here yet.
  auto owned_text = QueryVariable(connection, "gtid_owned");
  if (!owned_text) return Refuses(owned_text.error());
  auto server_has = QueryGtids(connection, "gtid_executed");
  if (!server_has) return Refuses(server_has.error());
  const std::string& former = request.known.server_uuid;
  const auto owned = ParseOwnedGtids(*owned_text);
  if (owned && (former.empty() || former == stream.server_uuid)) server_has->Unite(*owned);
  auto compared = CompareHistories(have, *server_has, stream.server_uuid, former);
  const bool is_accepted = request.accepts_loss && compared.lack == Lack::kTail;
  if (compared.lack != Lack::kNothing && !is_accepted) {
    const bool was_read = request.known.last_gtid || request.known.begun;
    if (options_.asks_once && !was_read) {
      return Refuses(ErrorKind::kDiverged, "{}{}",
                     WithoutText(compared, was_read, stream.server_uuid),
                     ReasonText(compared, was_read));
    }
    return std::unexpected(AnswerWithout(connection, compared, was_read, stream.server_uuid));
  }
  auto purged = QueryGtids(connection, "gtid_purged");
  if (!purged) return Refuses(purged.error());
  const GtidSet gap = purged->Minus(request.from.gtids);
  if (!gap.empty()) {
    return Refuses(ErrorKind::kGone,
                   "the server has purged the transactions {}, which were not read yet: events may"
                   " be missing HINT: 'outboxd position set table' publishes what is in the event"
                   " table, then everything new",
                   gap.ToText());
  }
  stream.lost = std::move(compared.missing);
  if (!former.empty() && former != stream.server_uuid && !have.empty()) {
    stream.unseen = OfUnseenOrigins(have, *server_has);
  }
  return stream;
}

// Lets the server send the last transaction of the position once more, where it still can, and
// compares when it was committed.
Result<bool> MysqlEventSource::CheckLastTransaction(const KnownHistory& known,
                                                    const Position& position,
                                                    const StreamIdentity& stream) {
  if (!stream.by_gtid || !known.last_gtid || known.last_commit_us == 0) return true;
  if (!position.gtids.Contains(*known.last_gtid)) return true;
  auto purged = QueryGtids(dump_->connection(), "gtid_purged");
  if (!purged) return std::unexpected(purged.error());
  if (purged->Contains(*known.last_gtid)) return true;

  GtidSet last;
  last.Add(*known.last_gtid);
  const Position before{.gtids = position.gtids.Minus(last), .file = {}, .offset = 0};
  auto started = dump_->Start(before, true, options_.server_id);
  if (!started) return std::unexpected(started.error());
  std::optional<std::uint32_t> idle_at;  // Where the heartbeat before stood.
  for (int i = 0; i < kEventsBeforeLastMax; ++i) {
    auto event = dump_->Fetch(options_.first_event_deadline);
    if (!event && MayPass(event.error().kind)) {
      return std::unexpected(event.error());
    }
    if (!event) return false;  // What cannot be read there cannot be compared.
    if (const auto time = CommitTimeOf(*event, *known.last_gtid, stream.has_checksums)) {
      auto same = CompareLastTransaction(known, *time);
      if (!same) return std::unexpected(same.error());
      return false;
    }
    const auto header = ParseEventHeader(*event);
    if (!header || header->type != EventType::kHeartbeat) continue;
    if (idle_at == header->log_pos) return false;  // The end of the log.
    idle_at = header->log_pos;
  }
  return false;
}

Result<Bytes> MysqlEventSource::Next() {
  if (!dump_) return Fail(ErrorKind::kDisconnected, "the stream is not open");
  if (auto error = MustLeave()) {
    Close();
    return AsInterrupted(*error);
  }
  const bool had_events = dump_->has_answered();
  auto event = dump_->Fetch(options_.first_event_deadline);
  if (event && !interrupter_.requested()) return event;
  Close();
  if (event) {
    static_cast<void>(interrupter_.Take());
    return Fail(ErrorKind::kInterrupted, "interrupted");
  }
  return AsInterrupted(AfterDump(AfterFetch(std::move(event.error())), had_events));
}

// Open() finds nothing wrong with a host that then refuses the dump: the other hosts are asked
// before it is asked again.
Error MysqlEventSource::AfterDump(Error error, bool had_events) {
  const bool is_for_good = error.kind == ErrorKind::kGone || error.kind == ErrorKind::kDiverged ||
                           error.kind == ErrorKind::kUnsuitable;
  const bool is_every_hosts =
      error.kind == ErrorKind::kReplaced || error.kind == ErrorKind::kCorrupt;
  if (options_.hosts.size() < 2 || is_every_hosts || (had_events && !is_for_good)) return error;
  error.message =
      fmt::format("mysql at {}: {}", AddressText(options_.hosts[opened_host_]), error.message);
  refused_dumps_[opened_host_] = error;
  if (!is_for_good) return error;
  return {ErrorKind::kDisconnected,
          fmt::format("{}; asking the other hosts", WithoutHint(error.message))};
}

// Another one has asked for the log with the same identity, which ends the dump of the one before.
Error MysqlEventSource::Replaced() const {
  return {ErrorKind::kReplaced,
          fmt::format("the server at {} stopped sending its log to this relay, because another"
                      " process asked for it with the same identity (server_id {}, UUID {}) HINT:"
                      " if a second relay of this name runs, stop one of the two; if it is another"
                      " relay or a replica, give it a relay.name or a server_id of its own; SHOW"
                      " PROCESSLIST on the server shows its host where the command is 'Binlog Dump'"
                      " or 'Binlog Dump GTID'",
                      AddressText(options_.hosts[opened_host_]), options_.server_id,
                      options_.replica_uuid)};
}

// While gtid_mode goes to ON one file can hold transactions with and without GTID. The server does
// not send such a file by GTID, not even behind those without; by offset it does.
Error MysqlEventSource::AfterFetch(Error error) {
  if (error.kind == ErrorKind::kReplaced) return Replaced();
  const bool meets_anonymous =
      error.message.find("anonymous transaction when AUTO_POSITION") != std::string::npos;
  if (!meets_anonymous || opened_from_.empty()) return error;
  file_with_anonymous_ = opened_from_;
  return {
      ErrorKind::kDisconnected,
      fmt::format("{} holds transactions without GTID; going on in it by offset", opened_from_)};
}

// What breaks off because of Interrupt() is that, whatever the library calls it.
std::unexpected<Error> MysqlEventSource::AsInterrupted(const Error& error) {
  if (interrupter_.Take()) return Fail(ErrorKind::kInterrupted, "interrupted");
  return std::unexpected(error);
}

void MysqlEventSource::Interrupt() { interrupter_.Request(); }

void MysqlEventSource::Close() {
  interrupter_.Clear();
  group_watch_.reset();
  dump_.reset();
}

}  // namespace outboxd::binlog
