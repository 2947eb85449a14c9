#include "daemon/service/http_server.h"

#include <microhttpd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "daemon/service/tcp_socket.h"

namespace outboxd {
namespace {

struct Limits {
  unsigned clients;
  unsigned client_seconds;
};
constexpr Limits kLocalLimits{.clients = 16, .client_seconds = 5};
// One that is slow, or many that keep their connections, must not keep a scrape away for long.
constexpr Limits kTcpLimits{.clients = 64, .client_seconds = 5};
constexpr std::size_t kClientBytes = 16'384;

MHD_Result Respond(MHD_Connection* connection, const HttpAnswer& answer) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type.c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response, "Content-Security-Policy", answer.content_policy.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

template <std::optional<HttpAnswer> (HttpPages::*kAnswer)(std::string_view path) const>
MHD_Result OnRequest(void* pages, MHD_Connection* connection, const char* url, const char* method,
                     const char*, const char*, std::size_t* upload_bytes, void**) {
  // What a client sends behind the request's head is not looked at.
  *upload_bytes = 0;
  const std::string_view asked = method;
  if (asked != MHD_HTTP_METHOD_GET && asked != MHD_HTTP_METHOD_HEAD) {
    return Respond(connection, {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "GET only\n"});
  }
  auto page = (static_cast<const HttpPages*>(pages)->*kAnswer)(url);
  if (!page) page = HttpAnswer{.status = MHD_HTTP_NOT_FOUND, .body = "not here\n"};
  return Respond(connection, *page);
}

MHD_Daemon* StartServing(int descriptor, const Limits& limits, MHD_AccessHandlerCallback on_request,
                         const HttpPages& pages) {
  return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, nullptr, nullptr,
                          on_request, const_cast<HttpPages*>(&pages), MHD_OPTION_LISTEN_SOCKET,
                          descriptor, MHD_OPTION_CONNECTION_LIMIT, limits.clients,
                          MHD_OPTION_CONNECTION_TIMEOUT, limits.client_seconds,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, kClientBytes, MHD_OPTION_END);
}

}  // namespace

void HttpServer::Stopper::operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(std::string path, const HttpPages& pages) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(path), pages));
  if (auto listens = server->Listen(); !listens) return std::unexpected(listens.error());
  return server;
}

Result<std::unique_ptr<HttpServer>> HttpServer::StartAt(const std::string& host, std::uint16_t port,
                                                        const HttpPages& pages) {
  auto socket = ListenAtAddress(host, port);
  if (!socket) return std::unexpected(socket.error());
  std::unique_ptr<HttpServer> server(new HttpServer({}, pages));
  auto serves = server->Serve(std::move(*socket), fmt::format("{}:{}", host, port));
  if (!serves) return std::unexpected(serves.error());
  return server;
}

Result<void> HttpServer::Listen() {
  if (auto fits = CheckSocketPath(path_); !fits) return fits;
  if (ConnectTo(path_)) {
    return Fail(ExitCode::kOtherActive, "another relay answers at {}", path_)
        .Hint("stop it, or give one of the two another relay.name or RUNTIME_DIRECTORY");
  }
  auto socket = ListenAt(path_);
  if (!socket) return std::unexpected(socket.error());
  is_bound_ = true;
  return Serve(std::move(*socket), path_);
}

Result<void> HttpServer::Serve(Socket socket, const std::string& where) {
  const bool is_local = !path_.empty();
  daemon_.reset(is_local ? StartServing(socket.descriptor(), kLocalLimits,
                                        &OnRequest<&HttpPages::AnswerLocally>, pages_)
                         : StartServing(socket.descriptor(), kTcpLimits,
                                        &OnRequest<&HttpPages::Answer>, pages_));
  if (!daemon_) return Fail(ExitCode::kState, "no thread can be started that answers at {}", where);
  socket.Release();
  return {};
}

HttpServer::~HttpServer() {
  daemon_.reset();
  if (is_bound_) ::unlink(path_.c_str());
}

std::uint16_t HttpServer::port() const {
  const MHD_DaemonInfo* const info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_LISTEN_FD);
  return info == nullptr ? 0 : PortOf(info->listen_fd);
}

std::optional<std::string> RuntimeSocketPath() {
  const char* const given = std::getenv("RUNTIME_DIRECTORY");
  if (given == nullptr || *given == '\0') return std::nullopt;
  return SocketPathIn({given, std::strcspn(given, ":")});  // The first of several.
}

std::string SocketPathIn(const std::string& state_directory) {
  return state_directory + "/outboxd.sock";
}

}  // namespace outboxd
