#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "binlog/log_in.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/relay.h"
#include "daemon/service/clock.h"
#include "daemon/service/health_board.h"
#include "daemon/service/process_signals.h"
#include "daemon/service/service_notifier.h"
#include "daemon/status/relay_status.h"
#include "sinks/sink.h"

namespace outboxd {

// The configuration that is in force, and how another one takes its place when a signal says so.
// While nothing is relayed yet, all of it may change. Under a running relay only what
// daemon/config/reloadable.h names, after both sides have let a second connection in with it; what
// is refused leaves the former in force. One thread.
class Reload {
 public:
  struct Parts {  // All but `read` are borrowed.
    ProcessSignals& signals;
    ServiceNotifier& notifier;
    const Clock& clock;
    HealthBoard& health;                   // Is told how each one ended.
    std::function<Result<Config>()> read;  // The configuration as it stands now.
  };
  // A relay that runs.
  struct Target {  // Borrowed.
    binlog::RenewableLogIn& log_in;
    sinks::Sink& sink;
    Relay& relay;
    const Outages& outages;
  };

  Reload(Parts parts, Config in_force);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  [[nodiscard]] const Config& in_force() const { return in_force_; }

  // To be called often while nothing is relayed: whether a signal has come and another
  // configuration is in force, to begin anew with.
  [[nodiscard]] bool TakeWhole();

  // To be called often while a relay runs. Never waits. Whether another configuration was taken or
  // refused just now.
  bool Step(const Target& target);

  // Since when the one that was read last is refused, and why; none: it is in force.
  [[nodiscard]] const std::optional<Outage>& refused() const { return refused_; }

 private:
  struct Trial;  // In a thread of its own, because servers may take their time.

  [[nodiscard]] Result<void> Begin();
  [[nodiscard]] Result<void> End(const Target& target);
  void Refuse(const Error& error);
  void Accept(const std::string& how);
  void Answer(const Health& answer);

  Parts parts_;
  Config in_force_;
  std::optional<Outage> refused_;
  std::uint64_t answered_ = 0;
  std::unique_ptr<Trial> trial_;  // Null: none is under way.
};

}  // namespace outboxd
