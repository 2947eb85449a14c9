#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/error.h"
#include "daemon/service/unix_socket.h"

struct MHD_Daemon;

namespace outboxd {

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  // What a browser may load and run for it: nothing, unless it is a page.
  std::string content_policy = "default-src 'none'; frame-ancestors 'none'";
};

// What a server answers. Asked by the server's thread.
class HttpPages {
 public:
  virtual ~HttpPages() = default;

  // To GET `path`, without what stands behind a question mark; none: there is no such page.
  [[nodiscard]] virtual std::optional<HttpAnswer> Answer(std::string_view path) const = 0;
  // The same for those who ask over the Unix socket: people and programs of this machine whom the
  // relay's group has let in.
  [[nodiscard]] virtual std::optional<HttpAnswer> AnswerLocally(std::string_view path) const {
    return Answer(path);
  }
};

// Answers GET and HEAD by HTTP 1.1, in a thread of its own, so that a loop that is stuck is told
// rather than waited for. It serves a bounded number of clients at a time, none for long, and takes
// a request of a few kilobytes at most.
class HttpServer {
 public:
  // Listens at `path`, mode 0660, for as long as it lives; what an earlier process left there goes.
  // `pages` is borrowed. kConfiguration: the path is too long for a socket. kOtherActive: another
  // process answers there. kState: the socket cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> Start(std::string path,
                                                                 const HttpPages& pages);
  // Listens at a TCP address, on all that the name leads to first. kUnreachable: the address is
  // taken, or not this machine's; it may be free later. kConfiguration: there is no such name.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> StartAt(const std::string& host,
                                                                   std::uint16_t port,
                                                                   const HttpPages& pages);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Empty: it is no Unix socket.
  [[nodiscard]] const std::string& path() const { return path_; }
  // Of a TCP address; what was given as 0 the system has chosen.
  [[nodiscard]] std::uint16_t port() const;

 private:
  HttpServer(std::string path, const HttpPages& pages) : path_(std::move(path)), pages_(pages) {}
  Result<void> Listen();
  Result<void> Serve(Socket socket, const std::string& where);

  struct Stopper {
    void operator()(MHD_Daemon* daemon) const;
  };

  const std::string path_;
  const HttpPages& pages_;
  bool is_bound_ = false;
  std::unique_ptr<MHD_Daemon, Stopper> daemon_;
};

// Where a relay answers: in the folder that systemd, or who starts the container, names in
// RUNTIME_DIRECTORY; none: it names none.
[[nodiscard]] std::optional<std::string> RuntimeSocketPath();
// Else it is here.
[[nodiscard]] std::string SocketPathIn(const std::string& state_directory);

}  // namespace outboxd
