#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/service/http_server.h"

namespace outboxd {

// The TCP address of `http.listen`. While it cannot be had, another process has it perhaps, it is
// said and tried again: the relay does not wait for those who watch it.
class HttpEndpoint {
 public:
  // Tries at once, and from then on in a thread of its own. `pages` is borrowed.
  HttpEndpoint(std::string host, std::uint16_t port, const HttpPages& pages);
  // Stops listening.
  ~HttpEndpoint();
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

 private:
  [[nodiscard]] bool Try();
  void Run(const std::stop_token& stop);

  const std::string host_;
  const std::uint16_t port_;
  const HttpPages& pages_;
  std::string told_;  // Why it cannot be had, as it was said last.
  std::unique_ptr<HttpServer> server_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // Last: it uses the others until it is joined.
};

}  // namespace outboxd
