#pragma once

#include <string>

#include "daemon/error.h"

namespace outboxd {

struct HttpReply {
  unsigned status = 0;
  std::string body;
};

// What the relay that listens at `path` answers to GET `url`. Waits two seconds at most until it
// says something, and for each part of it. kUnreachable: none listens there, or it does not answer
// as a relay does. kDenied, kConfiguration: as ConnectTo().
[[nodiscard]] Result<HttpReply> AskRelay(const std::string& path, const std::string& url);

}  // namespace outboxd
