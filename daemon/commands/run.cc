#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/config/config_value.h"
#include "daemon/http/http_endpoint.h"
#include "daemon/http/relay_pages.h"
#include "daemon/http/status_board.h"
#include "daemon/preparation/memory_need.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/process/parking.h"
#include "daemon/process/relay_process.h"
#include "daemon/process/reload.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/event_fields.h"
#include "daemon/service/health_board.h"
#include "daemon/service/http_server.h"
#include "daemon/service/log.h"
#include "daemon/service/log_record.h"
#include "daemon/service/memory_limit.h"
#include "daemon/service/recent_records.h"
#include "daemon/status/relay_status.h"

namespace outboxd {
namespace {

// For `status`. Of a state directory that another relay works on nothing is changed.
void WriteEnd(const StateDirectory& state, const Result<void>& ended, const Clock& clock) {
  if (!state.is_locked()) return;
  const auto written =
      WriteRunEnd(state.path(), {.at_us = clock.WallMicroseconds(),
                                 .exit_code = ended ? 0 : static_cast<int>(ended.error().kind),
                                 .text = ended ? "" : ended.error().ToText()});
  if (!written) spdlog::warn("how this run ended cannot be kept: {}", written.error().ToText());
}

// A unit lets its relay write into its own StateDirectory= only, which has the name of the
// configuration's file. Where relay.name is another word, what fails there says nothing of that.
Result<void> NamingTheUnitsDirectory(Result<void> ended, const std::string& state_directory) {
  const char* const of_unit = std::getenv("STATE_DIRECTORY");
  if (ended || ended.error().kind != ExitCode::kState || of_unit == nullptr) return ended;
  const std::string list = fmt::format(":{}:", of_unit);
  if (list.contains(fmt::format(":{}:", state_directory))) return ended;
  return Fail(ExitCode::kConfiguration, "{}; the directory of this unit is {}",
              ended.error().message, of_unit)
      .Hint(
          "relay.name has to be the name of the configuration's file, without .conf; no two"
          " relays of a machine may have one name");
}

Result<void> LogEnd(Result<void> ended, const std::optional<HeldEvent>& at) {
  if (ended || ended.error().kind == ExitCode::kOk) return ended;
  const ExitCode code = ended.error().kind;
  LogFields fields = at ? FieldsOf(*at, EndedWith(code)) : LogFields{EndedWith(code)};
  fields.code = code;
  Log(LogLevel::kFatal, fields,
      fmt::format("ended with code {}: {}", static_cast<int>(code), ended.error().ToText()));
  return ended;
}

// A process that relays, and what outlives a relay that ends where it is parked.
class RelayRun {
 public:
  // Before another thread starts.
  explicit RelayRun(ProcessSignals::Hangup hangup) : signals_(hangup), health_(clock_) {
    KeepRecords(records_);
  }

  // From now on the configuration is what `read` brings when a signal says so.
  void ReloadBy(Config in_force, std::function<Result<Config>()> read) {
    reload_.emplace(Reload::Parts{.signals = signals_,
                                  .notifier = notifier_,
                                  .clock = clock_,
                                  .health = health_,
                                  .read = std::move(read)},
                    std::move(in_force));
  }

  struct End {
    Result<void> ended;
    bool begins_anew = false;  // With another configuration.
    RelayConfig::OnHalt on_halt{};
  };
  // With the configuration that is in force, until a signal or an error.
  End Once() {
    Config config = reload_->in_force();
    config.mysql.event_bytes_max = EventBytesMax(config, MemoryLimit());
    config.mysql.renewable_log_in = std::make_shared<binlog::RenewableLogIn>();
    bool begins_anew = false;
    auto ended = Once(config, begins_anew);
    return {.ended = std::move(ended), .begins_anew = begins_anew, .on_halt = config.relay.on_halt};
  }

  // Answers at `path` from now on, if it does not yet.
  Result<void> Answer(std::string path) {
    if (server_) return {};
    auto server = HttpServer::Start(std::move(path), pages_);
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  // The same where the environment names a place, before the state directory is touched.
  void AnswerWhereItIsNamed() {
    const auto path = RuntimeSocketPath();
    if (!path) return;
    if (auto answers = Answer(*path); !answers) {
      PrintFatal(answers.error().ToText(), answers.error().kind);
    }
  }

  // As Park().
  bool Parks(const Error& error, std::optional<std::chrono::milliseconds> pause) {
    return Park({.health = health_,
                 .board = board_,
                 .notifier = notifier_,
                 .signals = signals_,
                 .clock = clock_,
                 .reload = reload_ ? &*reload_ : nullptr},
                error, pause);
  }

  [[nodiscard]] const Clock& clock() const { return clock_; }

  // The same over TCP. A configuration that is taken anew may name another address, or none.
  void AnswerAt(const ListenAddress& address) {
    if (address == listens_at_) return;
    endpoint_.reset();
    listens_at_ = address;
    if (!address.host.empty()) endpoint_.emplace(address.host, address.port, pages_);
  }

 private:
  Result<void> Once(const Config& config, bool& begins_anew) {
    pages_.Set({.version = std::string(Version()),
                .relay = config.relay.name,
                .config_hash = fmt::format("{:016x}", config.rules_hash.value),
                .tells_debezium_metrics = config.http.debezium_metrics});
    AnswerAt(config.http.listen);
    auto sink = MakeSink(config);
    if (!sink) {
      AnswerWhereItIsNamed();
      return LogEnd(std::unexpected(sink.error()), {});
    }
    StateDirectory state(config.relay.state_directory);
    auto locked = state.Lock();
    if (!locked) {
      if (locked.error().kind != ExitCode::kOtherActive) AnswerWhereItIsNamed();
      return LogEnd(NamingTheUnitsDirectory(locked, config.relay.state_directory), {});
    }
    if (auto answers = Answer(SocketOf(config)); !answers) return LogEnd(answers, {});
    CheckpointFile store(config.relay.state_directory, config.relay.name);
    RelayProcess process({.config = config,
                          .sink = **sink,
                          .lock = nullptr,  // It is locked.
                          .store = &store,
                          .state = &state,
                          .notifier = notifier_,
                          .signals = signals_,
                          .clock = clock_,
                          .health = &health_,
                          .board = &board_,
                          .health_socket = server_->path(),
                          .reload = &*reload_});
    auto ended =
        NamingTheUnitsDirectory(process.Run(RelayIdentity(config)), config.relay.state_directory);
    begins_anew = process.begins_anew();
    if (begins_anew) return {};
    WriteEnd(state, ended, clock_);
    return LogEnd(ended, process.ended_at());
  }

  static std::string SocketOf(const Config& config) {
    return RuntimeSocketPath().value_or(SocketPathIn(config.relay.state_directory));
  }

  ProcessSignals signals_;
  ServiceNotifier notifier_;
  const SystemClock clock_;
  HealthBoard health_;
  StatusBoard board_{clock_};
  const std::shared_ptr<RecentRecords> records_ = std::make_shared<RecentRecords>();
  RelayPages pages_{health_, board_, *records_, clock_};
  std::unique_ptr<HttpServer> server_;
  ListenAddress listens_at_;
  std::optional<HttpEndpoint> endpoint_;
  std::optional<Reload> reload_;
};

}  // namespace

Result<void> RunCommand(Config config, std::function<Result<Config>()> read) {
  constexpr std::chrono::seconds kFirstPause{5};
  constexpr std::chrono::minutes kLongestPause{5};
  spdlog::info("outboxd {}, relay {}", Version(), config.relay.name);
  RelayRun run(ProcessSignals::Hangup::kReloads);
  run.ReloadBy(std::move(config), std::move(read));
  BackOff pauses(kFirstPause, kLongestPause, run.clock().WallMicroseconds());
  while (true) {
    const auto [ended, begins_anew, on_halt] = run.Once();
    if (begins_anew) continue;
    const bool failed = !ended && ended.error().kind != ExitCode::kOk;
    if (!failed || on_halt == RelayConfig::OnHalt::kExit) return ended;
    const bool needs_person = NeedsPerson(ended.error().kind);
    const std::optional<std::chrono::milliseconds> pause =
        needs_person ? std::nullopt : std::optional(pauses.Next());
    if (run.Parks(ended.error(), pause)) return ended;
  }
}

Result<void> ParkUnread(const Error& error, const std::vector<std::string>& overrides) {
  constexpr std::string_view kListen = "--http.listen=";
  StartLog({}, "");
  PrintFatal(error.ToText(), error.kind);
  RelayRun run(ProcessSignals::Hangup::kIgnored);
  run.AnswerWhereItIsNamed();
  for (const std::string& key : overrides) {
    if (!key.starts_with(kListen)) continue;
    if (const auto address = ParseListen(key.substr(kListen.size()))) run.AnswerAt(*address);
  }
  (void)run.Parks(error, std::nullopt);
  return std::unexpected(error);
}

}  // namespace outboxd
