#include "daemon/preparation/server_outlook.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <string>

#include "binlog/mysql_connection.h"
#include "binlog/result_row.h"
#include "daemon/preparation/certificates.h"

namespace outboxd {
namespace {

using std::chrono::seconds;

// None: it is no such time. What OpenSSL's ASN1_TIME_print() writes, which is in UTC.
std::optional<seconds> TimeOf(std::string_view text) {
  const std::string given(text);
  std::tm parts{};
  const char* const end = ::strptime(given.c_str(), "%b %d %H:%M:%S %Y GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return seconds(::timegm(&parts));
}

}  // namespace

std::vector<Finding> CheckCertificateEnd(std::string_view not_after, std::uint64_t now_us) {
  const auto end = TimeOf(not_after);
  if (!end) return {};
  auto ends = EndOfCertificate("that of the server", *end, now_us,
                               "give the server a new one, then ALTER INSTANCE RELOAD TLS");
  return ends ? std::vector{*std::move(ends)} : std::vector<Finding>();
}

std::vector<Finding> CheckLogInMethod(std::string_view create_user, std::string_view account) {
  if (create_user.find("IDENTIFIED WITH 'mysql_native_password'") == create_user.npos) return {};
  return {{Finding::Level::kWarning, "account",
           "logs in by mysql_native_password, which MySQL 9 does not have: after an upgrade the"
           " relay cannot log in",
           fmt::format("ALTER USER {} IDENTIFIED WITH caching_sha2_password BY '...'", account),
           ExitCode::kOk}};
}

std::vector<Finding> LookAhead(binlog::MysqlServer& server, std::uint64_t now_us) {
  binlog::MysqlConnection& connection = server.connection();
  std::vector<Finding> findings;
  const auto ends = connection.Query("SHOW STATUS LIKE 'Ssl_server_not_after'", 2);
  if (ends && !ends->empty()) {
    findings = CheckCertificateEnd(binlog::TextOf(ends->front()[1]), now_us);
  }
  const auto account = connection.AccountName();
  const auto created = connection.QueryValue("SHOW CREATE USER CURRENT_USER()");
  if (account && created && *created) {
    std::ranges::move(CheckLogInMethod(**created, *account), std::back_inserter(findings));
  }
  return findings;
}

}  // namespace outboxd
