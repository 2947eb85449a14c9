#include "daemon/service/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "daemon/http/relay_pages.h"
#include "daemon/service/health_client.h"
#include "daemon/service/tcp_socket.h"
#include "daemon/service/unix_socket.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  void StartAt(const std::string& path) {
    auto server = HttpServer::Start(path, pages_);
    ASSERT_TRUE(server) << server.error().ToText();
    server_ = std::move(*server);
  }
  Health Ask(const std::string& url) {
    auto health = AskHealth(path_, url);
    EXPECT_TRUE(health) << (health ? "" : health.error().ToText());
    return health.value_or(Health{});
  }
  // What comes back for these bytes.
  std::string Send(const std::string& bytes) {
    auto socket = ConnectTo(path_);
    if (!socket) return socket.error().ToText();
    return Send(*socket, bytes);
  }
  static std::string Send(const Socket& to, const std::string& bytes) {
    const Socket* socket = &to;
    ::send(socket->descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string answer(4096, '\0');
    const ssize_t got = ::recv(socket->descriptor(), answer.data(), answer.size(), 0);
    answer.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return answer;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "outboxd.sock";
  FakeClock clock_;
  HealthBoard board_{clock_};
  StatusBoard status_{clock_};
  RecentRecords records_;
  RelayPages pages_{board_, status_, records_, clock_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, TellsWhatTheBoardSays) {
  StartAt(path_);
  EXPECT_FALSE(Ask("/readyz").is_good) << "a relay that starts is not ready";
  board_.Set({true, "streaming: 3 events delivered"});
  EXPECT_TRUE(Ask("/readyz").is_good);
  EXPECT_EQ(Ask("/readyz").text, "streaming: 3 events delivered");
  EXPECT_EQ(Ask("/reloads").text, "0 ");
  board_.SetReloads(3, {false, "[kafka] needs a restart"});
  EXPECT_FALSE(Ask("/reloads").is_good);
  EXPECT_EQ(Ask("/reloads").text, "3 [kafka] needs a restart");
  board_.Set({false, "holding at event a:1:1"});
  EXPECT_FALSE(Ask("/readyz").is_good);
  EXPECT_TRUE(Ask("/healthz").is_good) << "a restart would not help";
}

TEST_F(HttpServerTest, ALoopThatIsStuckIsNeitherAliveNorReady) {
  StartAt(path_);
  board_.Set({true, "streaming"});
  clock_.Move(HealthBoard::kBeatMax);
  EXPECT_TRUE(Ask("/healthz").is_good);
  clock_.Move(seconds{1});
  EXPECT_FALSE(Ask("/healthz").is_good);
  EXPECT_THAT(Ask("/healthz").text, HasSubstr("nothing has moved for 61 s"));
  EXPECT_FALSE(Ask("/readyz").is_good);
  board_.Beat();
  EXPECT_TRUE(Ask("/readyz").is_good);
}

TEST_F(HttpServerTest, OwnerAndGroupMayAskAndNobodyElse) {
  StartAt(path_);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_F(HttpServerTest, WhatAKilledProcessLeftIsReplacedAndAStopLeavesNothing) {
  {
    auto left = ListenAt(path_);
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  StartAt(path_);
  EXPECT_TRUE(Ask("/healthz").is_good);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HttpServerTest, ASocketThatAnotherRelayAnswersAtIsLeftToIt) {
  StartAt(path_);
  const auto second = HttpServer::Start(path_, pages_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ExitCode::kOtherActive);
  EXPECT_TRUE(Ask("/healthz").is_good);
}

TEST_F(HttpServerTest, APathThatIsTooLongForASocketIsRefused) {
  const std::string folder = directory_ / std::string(110 - (directory_ / "").size(), 'x');
  const auto server = HttpServer::Start(folder, pages_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(server.error().ToText(),
              HasSubstr("has 110 bytes, and that of a socket at most 107"));
  StartAt(folder.substr(0, 107));
}

TEST_F(HttpServerTest, AFolderThatIsNotThereIsTheStatesFault) {
  const auto server = HttpServer::Start(directory_ / "none/outboxd.sock", pages_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ExitCode::kState);
}

TEST_F(HttpServerTest, WhatIsNoQuestionOfARelayIsRefused) {
  StartAt(path_);
  EXPECT_THAT(Send("GET /else HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Send("POST /readyz HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Send("GET /" + std::string(20'000, 'x') + " HTTP/1.0\r\n\r\n"),
              testing::AnyOf(StartsWith("HTTP/1.0 4"), StartsWith("HTTP/1.1 4"), ""));
  EXPECT_TRUE(Ask("/healthz").is_good) << "it still answers others";
}

TEST_F(HttpServerTest, ClientsThatSayNothingDoNotKeepOthersWaitingForLong) {
  StartAt(path_);
  std::vector<Socket> silent;
  for (int i = 0; i < 15; ++i) silent.push_back(ConnectTo(path_).value());
  EXPECT_TRUE(Ask("/healthz").is_good);
}

TEST_F(HttpServerTest, WhoAsksWhereNobodyListensIsTold) {
  const auto nobody = AskHealth(path_, "/readyz");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ExitCode::kUnreachable);
}

// Connected to a port of this machine.
Socket ConnectToPort(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(
      ::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
      0);
  return socket;
}

TEST_F(HttpServerTest, AnswersAtATcpAddressToo) {
  const auto server = HttpServer::StartAt("127.0.0.1", 0, pages_);
  ASSERT_TRUE(server) << server.error().ToText();
  const std::uint16_t port = (*server)->port();
  ASSERT_NE(port, 0);
  const std::string answer = Send(ConnectToPort(port), "GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store"));
}

TEST_F(HttpServerTest, WhatIsForThisMachineOnlyIsNotToldOverTcp) {
  StartAt(path_);
  const auto server = HttpServer::StartAt("127.0.0.1", 0, pages_);
  ASSERT_TRUE(server);
  constexpr const char* kAsk = "GET /reloads HTTP/1.0\r\n\r\n";
  EXPECT_THAT(Send(kAsk), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Send(ConnectToPort((*server)->port()), kAsk), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, AnAddressThatIsTakenMayBeFreeLater) {
  auto first = HttpServer::StartAt("127.0.0.1", 0, pages_);
  ASSERT_TRUE(first);
  const std::uint16_t port = (*first)->port();
  const auto second = HttpServer::StartAt("127.0.0.1", port, pages_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ExitCode::kUnreachable);
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  first->reset();
  EXPECT_TRUE(HttpServer::StartAt("127.0.0.1", port, pages_));
}

TEST_F(HttpServerTest, AHostThatThereIsNotIsTheConfigurationsFault) {
  const auto server = HttpServer::StartAt("no-such-host.invalid", 9464, pages_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ExitCode::kConfiguration);
}

TEST_F(HttpServerTest, AHundredClientsThatSayNothingDoNotKeepAScrapeAwayForLong) {
  const auto server = HttpServer::StartAt("127.0.0.1", 0, pages_);
  ASSERT_TRUE(server);
  std::vector<Socket> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(ConnectToPort((*server)->port()));
  const auto begin = std::chrono::steady_clock::now();
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200")) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, seconds{20});
    answer = Send(ConnectToPort((*server)->port()), "GET /healthz HTTP/1.0\r\n\r\n");
  }
}

TEST(SocketPathTest, IsInTheFolderThatTheEnvironmentNames) {
  ::unsetenv("RUNTIME_DIRECTORY");
  EXPECT_EQ(RuntimeSocketPath(), std::nullopt);
  ::setenv("RUNTIME_DIRECTORY", "/run/outboxd/shop:/run/other", 1);
  EXPECT_EQ(RuntimeSocketPath(), "/run/outboxd/shop/outboxd.sock");
  ::unsetenv("RUNTIME_DIRECTORY");
  EXPECT_EQ(SocketPathIn("/var/lib/outboxd/shop"), "/var/lib/outboxd/shop/outboxd.sock");
}

}  // namespace
}  // namespace outboxd
