#include "binlog/server_errors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "binlog/mysql_error.h"
#include "daemon/exit_code_of.h"
#include "daemon/relay/source_retry.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

constexpr unsigned kUnknownNumber = 65'000;

// What a relay does about an error that comes again and again.
std::string CourseOf(unsigned number, std::string_view text, bool has_answered) {
  const CapturedLog log;
  FakeClock clock;
  Outages outages(clock);
  SourceRetry retry(clock, outages, {.has_answered = has_answered});
  const binlog::Error error = binlog::MakeMysqlError(number, text);
  for (int times = 1; times <= 10; ++times) {
    const auto step = retry.OnError(error, "binlog.000001:4");
    if (!step) {
      return fmt::format("{}end, {}", times > 1 ? "read again, then " : "",
                         static_cast<int>(step.error().kind));
    }
  }
  return "wait";
}

std::string PlaceText(binlog::MetAt place) {
  switch (place) {
    case binlog::MetAt::kLogIn:
      return "log-in";
    case binlog::MetAt::kStatement:
      return "statement";
    case binlog::MetAt::kDump:
      return "dump";
  }
  return "";
}

std::vector<std::string> ExpectedRows() {
  std::vector<std::string> rows;
  for (const binlog::ServerError& row : binlog::KnownServerErrors()) {
    rows.push_back(fmt::format("| {} | {} | {} | {} | {} | {} |", row.number, row.name, row.sign,
                               PlaceText(row.met_at), CourseOf(row.number, row.sign, false),
                               CourseOf(row.number, row.sign, true)));
  }
  rows.push_back(fmt::format("| any other | | | anywhere | {} | {} |",
                             CourseOf(kUnknownNumber, "", false),
                             CourseOf(kUnknownNumber, "", true)));
  return rows;
}

TEST(ServerErrorsDocumentTest, HasTheRowsOfTheTableAndNoOthers) {
  std::ifstream file(OUTBOXD_SERVER_ERRORS);
  if (!file) GTEST_SKIP() << "there is no " << OUTBOXD_SERVER_ERRORS;
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    const bool is_row =
        line.starts_with("| any other") ||
        (line.starts_with("| ") && line.size() > 2 && line[2] >= '0' && line[2] <= '9');
    if (is_row) rows.push_back(line);
  }
  std::string pasted;
  for (const std::string& row : ExpectedRows()) pasted += row + "\n";
  EXPECT_EQ(rows, ExpectedRows()) << "the rows that docs/server-errors.md is to have:\n" << pasted;
}

// The preparation, `check` and the like go by the exit code alone: 69 is waited out by `run`.
TEST(ServerErrorsDocumentTest, BeforeTheFirstSuccessTheExitCodeTellsTheSame) {
  for (const binlog::ServerError& row : binlog::KnownServerErrors()) {
    if (row.met_at == binlog::MetAt::kDump) continue;
    const bool waits = CourseOf(row.number, row.sign, false) == "wait";
    EXPECT_EQ(ExitCodeOf(row.kind) == ExitCode::kUnreachable, waits) << row.number;
  }
}

}  // namespace
}  // namespace outboxd
