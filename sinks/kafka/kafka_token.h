#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "sinks/kafka/kafka_handles.h"

namespace outboxd::sinks {

// Tokens for SASL OAUTHBEARER (RFC 7628) that a program prints. Internal to sinks/kafka/.

// The property with the program and its arguments, which only outboxd knows.
inline constexpr std::string_view kTokenCommand = "sasl.oauthbearer.token-command";

// What is in the text of an error after which librdkafka asks the program again by itself.
inline constexpr std::string_view kTokenAgain = "trying again in 10 s";

struct TokenClaims {
  std::string principal;                 // Whom it is for.
  std::chrono::milliseconds expires_at;  // Since 1970.
};

// Of a JSON Web Token (RFC 7519) what it says of itself, in `sub` and `exp`. Of any other token
// "outboxd", and that it expires five minutes from `now` on.
[[nodiscard]] TokenClaims ClaimsOf(std::string_view token, std::chrono::milliseconds now);

// Clients of `configuration` get their tokens from the program that sasl.oauthbearer.config names
// in it: the first when ServeTokens() is called, the next ones before the last has expired.
void TakeTokensFromProgram(rd_kafka_conf_t* configuration);

// To be called once for each client that is to connect; does nothing for others. The program runs
// in a thread of librdkafka: to destroy a client may take as long as the program does, ten seconds.
void ServeTokens(rd_kafka_t* client);

}  // namespace outboxd::sinks
