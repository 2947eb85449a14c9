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

Result<std::optional<sinks::Error>> Replayer::Send(const sinks::Message& message) {
  sinks::Error trouble{};
  for (int i = 0; i < kAttempts; ++i) {
    auto outcome = TrySend(message, trouble);
    if (!outcome) return std::unexpected(outcome.error());
    if (*outcome == Outcome::kAcknowledged) return std::nullopt;
    if (*outcome == Outcome::kRefused) return trouble;
  }
  return std::unexpected(trouble.As(ExitCode::kUnreachable));
}

Result<Replayer::Outcome> Replayer::TrySend(const sinks::Message& message, sinks::Error& trouble) {
  if (!is_open_) {
    if (auto opened = sink_.Open(kOpenTimeout); !opened) {
      return std::unexpected(AsDaemonError(opened.error()));
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
        trouble = published.error();
        return Outcome::kRefused;
      }
      if (!published && published.error().kind != sinks::ErrorKind::kUnreachable) {
        trouble = published.error();
        is_open_ = false;
        return Outcome::kLost;
      }
      if (!published) trouble = published.error();
      is_accepted = published && *published == sinks::PublishOutcome::kAccepted;
    }
    reports_.Clear();
    sink_.Poll(kPollTimeout, reports_);
    if (std::ranges::find(reports_.delivered, id) != reports_.delivered.end()) {
      return Outcome::kAcknowledged;
    }
    if (reports_.failed.empty() && !reports_.lost) continue;
    is_open_ = false;
    trouble = reports_.failed.empty() ? *reports_.lost : reports_.failed[0].error;
    return reports_.failed.empty() ? Outcome::kLost : Outcome::kRefused;
  }
  return Fail(ExitCode::kUnreachable, "topic {}: no acknowledgement within {} s{}{}", message.topic,
              kDeliveryTimeout.count() / 1000, trouble.message.empty() ? "" : ": ", trouble.message)
      .Hint("{}", trouble.hint);
}

}  // namespace outboxd
