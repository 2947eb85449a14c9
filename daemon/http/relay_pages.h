#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/status_board.h"
#include "daemon/service/clock.h"
#include "daemon/service/health_board.h"
#include "daemon/service/http_server.h"
#include "daemon/service/recent_records.h"

namespace outboxd {

// Where it is asked for HealthBoard::Reloads().
inline constexpr const char* kReloadsPath = "/reloads";

// What a relay answers by HTTP: whether it lives, whether it is ready, what it does, its metrics,
// and a page that shows all this to people. Nothing of it is secret, and no payload is in it;
// nothing can be changed.
class RelayPages final : public HttpPages {
 public:
  struct About {
    std::string version;      // Of the program.
    std::string relay;        // Its name; empty while it is not known.
    std::string config_hash;  // Of mapping and policies; the same.
    bool tells_debezium_metrics = false;
  };

  // All are borrowed.
  RelayPages(const HealthBoard& health, const StatusBoard& status, const RecentRecords& records,
             const Clock& clock);

  // Before anybody is answered, or while the configuration is another one.
  void Set(About about);

  [[nodiscard]] std::optional<HttpAnswer> Answer(std::string_view path) const override;
  [[nodiscard]] std::optional<HttpAnswer> AnswerLocally(std::string_view path) const override;

 private:
  [[nodiscard]] HttpAnswer Live() const;
  [[nodiscard]] HttpAnswer Ready() const;
  [[nodiscard]] HttpAnswer Status() const;
  [[nodiscard]] HttpAnswer Metrics() const;
  [[nodiscard]] std::optional<HttpAnswer> DebeziumMetrics() const;
  [[nodiscard]] HttpAnswer LastHour() const;
  [[nodiscard]] HttpAnswer Page() const;
  template <typename Text>
  [[nodiscard]] std::string Told(Text text) const;

  const HealthBoard& health_;
  const StatusBoard& status_;
  const RecentRecords& records_;
  const Clock& clock_;
  const std::string page_policy_;
  mutable std::mutex mutex_;
  About about_;  // Guarded by mutex_.
};

}  // namespace outboxd
