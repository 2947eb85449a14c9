#include "binlog/mysql_event_source.h"

#include <algorithm>

#include "binlog/mysql_dump.h"
#include "binlog/mysql_history.h"
#include "binlog/mysql_replication.h"

namespace outboxd::binlog {
namespace {

using std::chrono::milliseconds;

// While a member that is cut off from its group is read, the other hosts are tried again after so
// long, then after twice as long each time.
constexpr milliseconds kTryOthersFirst{10'000};
constexpr milliseconds kTryOthersMax{60'000};
constexpr std::string_view kCutOffHint =
    "performance_schema.replication_group_members on it shows the group; START"
    " GROUP_REPLICATION lets a member join again; UNINSTALL PLUGIN group_replication if it is to be"
    " in no group any more";

// Why a host is not read while one is that is cut off from its group. `is_former`: that one is what
// was read before, so that a tail of its own transactions is no failover's loss.
std::string OtherText(const HostAnswer& answer, bool is_former) {
  std::string text = answer.error.message;
  const std::string_view reason = ReasonOf(Lack::kTail);
  if (answer.lack != Lack::kTail || !is_former || !text.ends_with(reason)) return text;
  text.replace(text.size() - reason.size(), reason.size(),
               "they were written to the member that is cut off");
  return text;
}

}  // namespace

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
    return Fail(ErrorKind::kDisconnected, "{}", answers[*chosen].error.message);
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
  dump_ = std::make_unique<MysqlDump>(
      std::move(*connection),
      MysqlDump::Options{.server_id = options_.server_id,
                         .replica_uuid = options_.replica_uuid,
                         .heartbeat = options_.heartbeat,
                         .first_event_deadline = options_.first_event_deadline});
  return dump_->Prepare();
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
    return Refuses(
        Fail(ErrorKind::kDiverged,
             "the position is a file and offset of server {}, but this is server {}, where they "
             "mean nothing",
             request.known.server_uuid, stream->server_uuid)
            .Hint("point mysql.host at the former server, or choose a place with 'outboxd position "
                  "set'")
            .error());
  }
  if (!checks_gtids) {
    auto checked = CheckFile(dump_->connection(), from);
    if (!checked) return Refuses(checked.error());
  }
  Opened opened = checks_gtids ? CheckGtids(dump_->connection(),
                                            {.from = from,
                                             .known = request.known,
                                             .accepts_loss = request.accepts_loss,
                                             .asks_once = options_.asks_once},
                                            std::move(*stream))
                               : Opened(std::move(*stream));
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
  const auto tell = [address, others,
                     tell_cut_off = options_.tell_cut_off](const std::optional<std::string>& why) {
    if (!tell_cut_off) return;
    if (!why) return tell_cut_off(std::nullopt);
    tell_cut_off(Error{ErrorKind::kDisconnected,
                       fmt::format("mysql at {} {}; reading on there{}", address, *why, others),
                       std::string(kCutOffHint)});
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
  const ConnectionOptions& host = options_.hosts[opened_host_];
  const bool asks_group = standing_ && options_.tell_cut_off;
  if (!asks_group && !host.requires_writable) return;
  // A member that another one can stand in for is left before there is anything to tell.
  const bool is_left = !cut_off && options_.hosts.size() > 1;
  group_watch_ = std::make_unique<GroupWatch>(host, asks_group, cut_off, options_.group_interval,
                                              is_left ? GroupWatch::Tell() : tell);
}

std::optional<Error> MysqlEventSource::MustLeave() const {
  if (group_watch_ && group_watch_->is_read_only()) {
    return Error{ErrorKind::kDisconnected, fmt::format("mysql at {} is read-only now",
                                                       AddressText(options_.hosts[opened_host_]))};
  }
  if (!group_watch_ || !group_watch_->is_cut_off() || options_.hosts.size() < 2) {
    return std::nullopt;
  }
  if (std::chrono::steady_clock::now() < try_others_at_) return std::nullopt;
  return Error{ErrorKind::kDisconnected, fmt::format("mysql at {} {}; asking the other hosts",
                                                     AddressText(options_.hosts[opened_host_]),
                                                     group_watch_->why().value_or(""))};
}

Result<void> MysqlEventSource::StartDump(const ConnectionOptions& host, const Request& request,
                                         const StreamIdentity& stream) {
  Position position = request.from;
  if (!stream.lost.empty()) position.TakeOut(stream.lost);
  auto is_unused = CheckLastTransaction(*dump_, request.known, position, stream);
  if (!is_unused) return std::unexpected(is_unused.error());
  if (!*is_unused) {
    Close();
    if (auto again = Connect(host); !again) return std::unexpected(again.error());
  }
  return dump_->Start(position, stream.by_gtid);
}

Result<Bytes> MysqlEventSource::Next() {
  if (!dump_) return Fail(ErrorKind::kDisconnected, "the stream is not open");
  if (auto error = MustLeave()) {
    Close();
    return AsInterrupted(*error);
  }
  const bool had_events = dump_->has_answered();
  auto event = dump_->Fetch();
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
  error = Fail(error, "mysql at {}", AddressText(options_.hosts[opened_host_])).error();
  refused_dumps_[opened_host_] = error;
  if (!is_for_good) return error;
  return {ErrorKind::kDisconnected, fmt::format("{}; asking the other hosts", error.message)};
}

// Another one has asked for the log with the same identity, which ends the dump of the one before.
Error MysqlEventSource::Replaced() const {
  return {ErrorKind::kReplaced,
          fmt::format("the server at {} stopped sending its log to this relay, because another"
                      " process asked for it with the same identity (server_id {}, UUID {})",
                      AddressText(options_.hosts[opened_host_]), options_.server_id,
                      options_.replica_uuid),
          "if a second relay of this name runs, stop one of the two; if it is another relay or a"
          " replica, give it a relay.name or a server_id of its own; SHOW PROCESSLIST on the server"
          " shows its host where the command is 'Binlog Dump' or 'Binlog Dump GTID'"};
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
