#include "daemon/http/http_endpoint.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace outboxd {
namespace {

constexpr std::chrono::seconds kPause{5};

}  // namespace

HttpEndpoint::HttpEndpoint(std::string host, std::uint16_t port, const HttpPages& pages)
    : host_(std::move(host)), port_(port), pages_(pages) {
  if (Try()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

HttpEndpoint::~HttpEndpoint() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

// Whether it listens now.
bool HttpEndpoint::Try() {
  auto server = HttpServer::StartAt(host_, port_, pages_);
  if (server) {
    server_ = std::move(*server);
    spdlog::info("http.listen: answers at {}:{}", host_, server_->port());
    return true;
  }
  const std::string reason = server.error().ToText();
  if (std::exchange(told_, reason) != reason) {
    spdlog::warn("http.listen: {}; events flow all the same; trying again every {} s", reason,
                 kPause.count());
  }
  return false;
}

void HttpEndpoint::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  do {
    stopped_.wait_for(lock, stop, kPause, [] { return false; });
  } while (!stop.stop_requested() && !Try());
}

}  // namespace outboxd
