#include "daemon/commands/relay_view.h"

#include <utility>

#include "base/escaped.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/commands/relay_socket.h"
#include "daemon/service/http_client.h"

namespace outboxd {
namespace {

// A socket that another relay answers at, or none, says nothing of this one.
void AskItself(const Config& config, RelayView& view) {
  const auto reply = AskRelay(SocketToAsk(config), "/status");
  if (!reply) {
    view.silence = reply.error().message;
    return;
  }
  auto told = nlohmann::json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !told.is_object() || !told.contains("state")) {
    view.silence = "what answers is not a relay: " + Escaped(reply->body, 100);
  } else if (told.value("relay", "") != view.relay) {
    view.silence = "another relay answers there: " + Escaped(told.value("relay", ""), 100);
  } else {
    view.told = std::move(told);
  }
}

template <typename T>
Result<void> Take(Result<T> read, T& into) {
  if (!read) return std::unexpected(read.error());
  into = std::move(*read);
  return {};
}

}  // namespace

Result<RelayView> LookAtRelay(const Config& config) {
  const StateDirectory state(config.relay.state_directory);
  RelayView view;
  view.relay = config.relay.name;
  view.directory = config.relay.state_directory;
  if (auto taken = Take(state.LockHolder(), view.process); !taken) {
    return std::unexpected(taken.error());
  }
  // One that is parked has released its lock, and answers.
  AskItself(config, view);
  // Without it everything else is as good.
  if (auto stored = ReadStatus(state.path())) view.stored = std::move(*stored);
  if (auto loaded = CheckpointFile(state.path(), config.relay.name).Load()) {
    view.checkpoint = std::move(*loaded);
  } else {
    view.checkpoint_error = loaded.error();
  }
  const DeadLetterLog dead_letters(state.path());
  for (const auto& taken :
       {Take(state.ReadHeld(), view.held), Take(dead_letters.Counted(), view.dead),
        Take(dead_letters.Replayed(), view.replayed),
        Take(AlarmLog(state.path()).Standing(), view.alarms),
        Take(ActionLog(state.path()).Recorded(), view.actions)}) {
    if (!taken) return std::unexpected(taken.error());
  }
  return view;
}

Verdict Judge(const RelayView& view) {
  if (view.told.is_null()) return view.process ? Verdict::kDegraded : Verdict::kDown;
  if (view.told.value("state", "") == "parked") return Verdict::kDown;
  const auto is_null = [&view](const char* field) {
    return !view.told.contains(field) || view.told[field].is_null();
  };
  const bool is_healthy = view.told.value("ready", false) && is_null("reload_refused") &&
                          is_null("purge_warning") && view.alarms.empty();
  return is_healthy ? Verdict::kHealthy : Verdict::kDegraded;
}

}  // namespace outboxd
