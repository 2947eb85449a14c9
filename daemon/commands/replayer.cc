#include "daemon/commands/replayer.h"

#include <algorithm>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOpenTimeout{10'000};
constexpr milliseconds kDeliveryTimeout{60'000};
constexpr milliseconds kPollTimeout{100};
// A producer that is lost, as when a partition's leader moves, is replaced so often.
constexpr int kAttempts = 3;

}  // namespace

Result<std::optional<std::string>> Replayer::Send(const sinks::Message& message) {
  std::string reason;
  for (int i = 0; i < kAttempts; ++i) {
    auto outcome = TrySend(message, reason);
    if (!outcome) return std::unexpected(outcome.error());
    if (*outcome == Outcome::kAcknowledged) return std::nullopt;
    if (*outcome == Outcome::kRefused) return reason;
  }
  return Fail(ExitCode::kUnreachable, "{}", reason);
}

Result<Replayer::Outcome> Replayer::TrySend(const sinks::Message& message, std::string& reason) {
  if (!is_open_) {
    if (auto opened = sink_.Open(kOpenTimeout); !opened) {
      return Fail(ExitCodeOf(opened.error().kind), "{}", opened.error().message);
    }
    is_open_ = true;
  }
  const sinks::DeliveryId id = next_id_++;
  const auto deadline = clock_.Now() + kDeliveryTimeout;
  bool is_accepted = false;
  while (clock_.Now() < deadline) {
    if (!is_accepted) {
      const auto published = sink_.Publish(message, id);
      if (!published && published.error().kind == sinks::ErrorKind::kRejected) {
        reason = published.error().message;
        return Outcome::kRefused;
      }
      if (!published && published.error().kind != sinks::ErrorKind::kUnreachable) {
        reason = published.error().message;
        is_open_ = false;
        return Outcome::kLost;
      }
      if (!published) reason = published.error().message;
      is_accepted = published && *published == sinks::PublishOutcome::kAccepted;
    }
    reports_.Clear();
    sink_.Poll(kPollTimeout, reports_);
    if (std::ranges::find(reports_.delivered, id) != reports_.delivered.end()) {
      return Outcome::kAcknowledged;
    }
    if (reports_.failed.empty() && !reports_.lost) continue;
    is_open_ = false;
    reason = reports_.failed.empty() ? reports_.lost->message : reports_.failed[0].error.message;
    return reports_.failed.empty() ? Outcome::kLost : Outcome::kRefused;
  }
  return Fail(ExitCode::kUnreachable, "topic {}: no acknowledgement within {} s{}{}", message.topic,
              kDeliveryTimeout.count() / 1000, reason.empty() ? "" : ": ", reason);
}

}  // namespace outboxd
