#include "daemon/exit_code_of.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(ExitCodeOfTest, AnErrorOfALibraryKeepsItsTextAndItsHint) {
  const Error of_source = AsDaemonError(
      binlog::Error{binlog::ErrorKind::kDenied, "access denied", "check the password"});
  EXPECT_EQ(of_source.kind, ExitCode::kDenied);
  EXPECT_EQ(of_source.ToText(), "access denied HINT: check the password");
  const Error of_sink =
      AsDaemonError(sinks::Error{sinks::ErrorKind::kUnreachable, "no broker", "start it"});
  EXPECT_EQ(of_sink.kind, ExitCode::kUnreachable);
  EXPECT_EQ(of_sink.ToText(), "no broker HINT: start it");
}

}  // namespace
}  // namespace outboxd
