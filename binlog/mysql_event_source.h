#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "binlog/event_source.h"
#include "binlog/failover.h"
#include "binlog/group_member.h"
#include "binlog/group_watch.h"
#include "binlog/interrupter.h"
#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

class MysqlDump;

struct MysqlEventSourceOptions {
  std::vector<ConnectionOptions> hosts;  // Tried in order.
  std::uint32_t server_id = 0;           // Must be unique among replicas; never 0.
  std::string replica_uuid;              // Text form; the same for one relay all its life.
  std::chrono::milliseconds heartbeat{1000};
  // How long nothing at all may come before the connection counts as dead.
  std::chrono::milliseconds read_deadline{3000};
  // The same for the first event after the request: the server may search many files by GTID.
  std::chrono::milliseconds first_event_deadline{600'000};
  // How long no host may have all transactions of the position until they count as lost.
  std::chrono::milliseconds lag_timeout{60'000};
  // Open() is called once, and answers at once: kDiverged where no host is about to get what the
  // position has and the hosts do not; for a position that was never read, wherever they do not.
  bool asks_once = false;
  // How often a member of a group is asked whether it is cut off from it, and a host that has to be
  // writable whether it is.
  std::chrono::milliseconds group_interval{3000};
  // Told when a member that is cut off is read for want of another host, with why, and with
  // none when that is over; by the reader thread within Open(), and by a thread of the source's own
  // while the stream is open. Empty: members are not asked while they are read.
  std::function<void(const std::optional<Error>& cut_off)> tell_cut_off = nullptr;
};

// Tails a server's binary log with mysql_binlog_open() and mysql_binlog_fetch(). Of several hosts
// the first one that has all transactions of the position is read. A member that is cut off from
// its group gets nothing new of it, so that it is read only where no other host can be, and left
// for another one.
class MysqlEventSource final : public EventSource {
 public:
  explicit MysqlEventSource(MysqlEventSourceOptions options);
  ~MysqlEventSource() override;

  [[nodiscard]] Result<StreamIdentity> Open(const Position& from,
                                            const KnownHistory& known) override;
  [[nodiscard]] Result<Bytes> Next() override;
  void Interrupt() override;
  void Close() override;

 private:
  struct Request {
    const Position& from;
    const KnownHistory& known;
    bool accepts_loss = false;
    bool accepts_cut_off = false;  // From its group.
  };

  // One host's stream, or what is known of the host when it cannot go on.
  using Opened = std::expected<StreamIdentity, HostAnswer>;

  // Those that are cut off, in order, behind all others; none: no host is cut off and can go on.
  // Replaces their answers.
  [[nodiscard]] std::optional<Result<StreamIdentity>> OpenCutOff(const Request& request,
                                                                 std::vector<HostAnswer>& answers);
  // The error names the host.
  [[nodiscard]] Opened TryHost(std::size_t index, const Request& request);
  [[nodiscard]] Opened OpenHost(const ConnectionOptions& host, const Request& request);
  // Asks how the server stands to its group. Its answer, if it is not to be read therefore.
  [[nodiscard]] std::optional<HostAnswer> LookAtGroup(const Request& request);
  // Tells how the host that was opened stands to its group, and goes on asking. `others`: why no
  // other one is read.
  void WatchGroup(const std::string& others = {});
  // Why the stream is to be opened elsewhere, as its member is cut off; none: it is not to.
  [[nodiscard]] std::optional<Error> MustLeave() const;
  // `by_gtid` of the result: whether the server can.
  [[nodiscard]] Result<StreamIdentity> Connect(const ConnectionOptions& host);
  [[nodiscard]] Result<void> StartDump(const ConnectionOptions& host, const Request& request,
                                       const StreamIdentity& stream);
  [[nodiscard]] Error AfterFetch(Error error);
  [[nodiscard]] Error Replaced() const;
  [[nodiscard]] Error AfterDump(Error error, bool had_events);
  [[nodiscard]] std::unexpected<Error> AsInterrupted(const Error& error);

  // Constant after construction.
  MysqlEventSourceOptions options_;

  // Reader thread only.
  std::unique_ptr<MysqlDump> dump_;  // Null: it is closed.
  HostChoice choice_;
  std::size_t opened_host_ = 0;  // The one that was opened last.
  // Of that host when it was opened; none: it is in no group, or the account may not see it.
  std::optional<GroupStanding> standing_;
  std::unique_ptr<GroupWatch> group_watch_;
  // While a member is read that is cut off: when the other hosts are tried again, and how long
  // after that.
  std::chrono::steady_clock::time_point try_others_at_{};
  std::chrono::milliseconds try_others_after_;
  // What hosts answered to the request for the log, until no other one can be opened.
  std::vector<std::optional<Error>> refused_dumps_;
  std::string opened_from_;          // The file of the position that the stream began at.
  std::string file_with_anonymous_;  // Cannot be read by GTID, though gtid_mode is ON now.

  Interrupter interrupter_;
};

}  // namespace outboxd::binlog
