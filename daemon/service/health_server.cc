#include "daemon/service/health_server.h"

#include <microhttpd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "daemon/service/unix_socket.h"

namespace outboxd {
namespace {

struct Route {
  std::string_view url;
  Health (HealthBoard::*answer)() const;
};
constexpr std::array kRoutes = {Route{"/healthz", &HealthBoard::Live},
                                Route{"/readyz", &HealthBoard::Ready},
                                Route{kReloadsUrl, &HealthBoard::Reloads}};

MHD_Result Respond(MHD_Connection* connection, unsigned status, std::string text) {
  text += '\n';
  MHD_Response* const response =
      MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
  const MHD_Result queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result OnRequest(void* board, MHD_Connection* connection, const char* url, const char* method,
                     const char*, const char*, std::size_t* upload_bytes, void**) {
  // What a client sends behind the request's head is not looked at.
  *upload_bytes = 0;
  const std::string_view asked = method;
  if (asked != MHD_HTTP_METHOD_GET && asked != MHD_HTTP_METHOD_HEAD) {
    return Respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only");
  }
  const auto health = HealthServer::Answer(url, *static_cast<const HealthBoard*>(board));
  if (!health) return Respond(connection, MHD_HTTP_NOT_FOUND, "not here: /healthz, /readyz");
  return Respond(connection, health->is_good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                 std::move(health->text));
}

}  // namespace

void HealthServer::Stopper::operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }

std::unique_ptr<Health> HealthServer::Answer(std::string_view url, const HealthBoard& board) {
  for (const Route& route : kRoutes) {
    if (url == route.url) return std::make_unique<Health>((board.*route.answer)());
  }
  return nullptr;
}

Result<std::unique_ptr<HealthServer>> HealthServer::Start(std::string path,
                                                          const HealthBoard& board) {
  std::unique_ptr<HealthServer> server(new HealthServer(std::move(path), board));
  if (auto listens = server->Listen(); !listens) return std::unexpected(listens.error());
  return server;
}

Result<void> HealthServer::Listen() {
  constexpr unsigned kClientsMax = 16;
  constexpr unsigned kClientSeconds = 5;
  constexpr std::size_t kClientBytes = 8192;
  if (auto fits = CheckSocketPath(path_); !fits) return fits;
  if (ConnectTo(path_)) {
    return Fail(ExitCode::kOtherActive, "another relay answers at {}", path_)
        .Hint("stop it, or give one of the two another relay.name or RUNTIME_DIRECTORY");
  }
  auto socket = ListenAt(path_);
  if (!socket) return std::unexpected(socket.error());
  is_bound_ = true;
  daemon_.reset(MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, nullptr, nullptr, &OnRequest,
      const_cast<HealthBoard*>(&board_), MHD_OPTION_LISTEN_SOCKET, socket->descriptor(),
      MHD_OPTION_CONNECTION_LIMIT, kClientsMax, MHD_OPTION_CONNECTION_TIMEOUT, kClientSeconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kClientBytes, MHD_OPTION_END));
  if (!daemon_) return Fail(ExitCode::kState, "no thread can be started that answers at {}", path_);
  socket->Release();
  return {};
}

HealthServer::~HealthServer() {
  daemon_.reset();
  if (is_bound_) ::unlink(path_.c_str());
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
