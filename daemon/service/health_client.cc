#include "daemon/service/health_client.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/escaped.h"
#include "daemon/service/http_client.h"

namespace outboxd {
namespace {

// None: it is no answer of a relay.
std::optional<Health> HealthIn(const HttpReply& reply) {
  if (reply.status != 200 && reply.status != 503) return {};
  const bool is_good = reply.status == 200;
  std::string_view text = reply.body;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with('{')) return Health{is_good, Escaped(text, 2000)};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("text") || !json["text"].is_string()) return {};
  return Health{is_good, Escaped(json["text"].get<std::string>(), 2000)};
}

}  // namespace

Result<Health> AskHealth(const std::string& path, const std::string& url) {
  const auto reply = AskRelay(path, url);
  if (!reply) return std::unexpected(reply.error());
  auto health = HealthIn(*reply);
  if (!health) {
    return Fail(ExitCode::kUnreachable, "what answers at {} is not a relay: {}", path,
                Escaped(reply->body, 100));
  }
  return std::move(*health);
}

}  // namespace outboxd
