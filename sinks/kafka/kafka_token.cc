#include "sinks/kafka/kafka_token.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/secret_line.h"
#include "base/value_text.h"

namespace outboxd::sinks {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTokenBytesMax = 64 * 1024;
constexpr std::chrono::minutes kLifetimeUnlessTold{5};

// RFC 4648 section 5, without padding; none: it is not that.
std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(padded.data()),
                                   static_cast<int>(padded.size()));
  if (size < 0 || static_cast<std::size_t>(size) < padding) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

// The second of the three parts of a JSON Web Token; null: it is none.
nlohmann::json PayloadOf(std::string_view token) {
  const std::size_t begin = token.find('.');
  if (begin == std::string_view::npos) return nullptr;
  const std::size_t end = token.find('.', begin + 1);
  if (end == std::string_view::npos) return nullptr;
  const auto text = FromBase64Url(token.substr(begin + 1, end - begin - 1));
  if (!text) return nullptr;
  auto payload = nlohmann::json::parse(*text, nullptr, false);
  return payload.is_object() ? payload : nlohmann::json();
}

void TellFailure(rd_kafka_t* client, std::string_view reason) {
  rd_kafka_oauthbearer_set_token_failure(client,
                                         fmt::format("{}: {}", kTokenCommand, reason).c_str());
}

// librdkafka asks again ten seconds after a failure.
void Refresh(rd_kafka_t* client, const char* command, void*) noexcept {
  const auto words = ParseCommand(command == nullptr ? "" : command);
  if (!words) return TellFailure(client, words.error().message);
  auto token = SecretLineOf(*words, "token", kTokenBytesMax);
  if (!token) {
    const bool may_pass = token.error().kind == SecretFault::kFailed;
    return TellFailure(client, may_pass ? fmt::format("{}; {}", token.error().message, kTokenAgain)
                                        : token.error().message);
  }
  const auto now =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const TokenClaims claims = ClaimsOf(*token, now);
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t error = rd_kafka_oauthbearer_set_token(
      client, token->c_str(), claims.expires_at.count(), claims.principal.c_str(), nullptr, 0,
      text.data(), text.size());
  explicit_bzero(token->data(), token->size());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const bool is_old = claims.expires_at <= now;
  TellFailure(client,
              is_old ? fmt::format("the token has expired already; {}", kTokenAgain) : text.data());
}

}  // namespace

TokenClaims ClaimsOf(std::string_view token, milliseconds now) {
  TokenClaims claims{.principal = "outboxd", .expires_at = now + kLifetimeUnlessTold};
  const nlohmann::json payload = PayloadOf(token);
  if (payload.is_null()) return claims;
  const auto subject = payload.find("sub");
  if (subject != payload.end() && subject->is_string() && !subject->empty()) {
    claims.principal = *subject;
  }
  const auto expiry = payload.find("exp");
  if (expiry != payload.end() && expiry->is_number()) {
    // Beyond that it is no time of this calendar.
    constexpr double kSecondsMax = 253'402'300'799.0;
    const double seconds = std::clamp(expiry->get<double>(), 0.0, kSecondsMax);
    claims.expires_at = milliseconds(static_cast<milliseconds::rep>(seconds * 1000));
  }
  return claims;
}

void TakeTokensFromProgram(rd_kafka_conf_t* configuration) {
  rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration, Refresh);
  rd_kafka_conf_enable_sasl_queue(configuration, 1);
}

void ServeTokens(rd_kafka_t* client) {
  const QueueHandle queue(rd_kafka_queue_get_sasl(client));
  if (!queue) return;
  const ErrorHandle error(rd_kafka_sasl_background_callbacks_enable(client));
}

}  // namespace outboxd::sinks
