#include "daemon/service/http_client.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/escaped.h"
#include "daemon/service/unix_socket.h"

namespace outboxd {
namespace {

constexpr std::size_t kAnswerBytesMax = 4 << 20;

// HTTP/1.0: the server ends the connection behind its answer. None: it broke off, with errno.
std::optional<std::string> Exchange(int socket, std::string_view request) {
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::nullopt;
  }
  std::string answer;
  std::array<char, 4096> part;
  while (answer.size() < kAnswerBytesMax) {
    const ssize_t bytes = ::recv(socket, part.data(), part.size(), 0);
    if (bytes == 0) return answer;
    if (bytes < 0) return std::nullopt;
    answer.append(part.data(), static_cast<std::size_t>(bytes));
  }
  return answer;
}

// None: it is no answer by HTTP.
std::optional<HttpReply> Parse(std::string_view answer) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  const std::size_t blank = answer.find(' ');
  const std::size_t head_end = answer.find(kHeadEnd);
  if (!answer.starts_with("HTTP/1.") || blank > head_end || head_end == answer.npos) return {};
  const std::string_view code = answer.substr(blank + 1, 3);
  HttpReply reply;
  std::from_chars(code.data(), code.data() + code.size(), reply.status);
  reply.body = answer.substr(head_end + kHeadEnd.size());
  return reply;
}

}  // namespace

Result<HttpReply> AskRelay(const std::string& path, const std::string& url) {
  auto socket = ConnectTo(path);
  if (!socket) return std::unexpected(socket.error());
  const std::string request = "GET " + url + " HTTP/1.0\r\n\r\n";
  const auto answer = Exchange(socket->descriptor(), request);
  if (!answer) {
    return Fail(ExitCode::kUnreachable, "the relay at {} does not answer: {}", path,
                std::strerror(errno));
  }
  auto reply = Parse(*answer);
  if (!reply) {
    return Fail(ExitCode::kUnreachable, "what answers at {} is not a relay: {}", path,
                Escaped(*answer, 100));
  }
  return std::move(*reply);
}

}  // namespace outboxd
