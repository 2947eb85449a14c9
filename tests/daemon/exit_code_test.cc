#include "daemon/exit_code.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace outboxd {
namespace {

// What the unit says is what the program believes of itself where nobody reads the unit.
TEST(ExitCodeTest, WhatNeedsAPersonIsWhatTheUnitDoesNotStartAgain) {
  std::ifstream unit(OUTBOXD_DOCS "/../systemd/outboxd@.service");
  const std::string key = "RestartPreventExitStatus=";
  std::set<int> prevented;
  for (std::string line; std::getline(unit, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream words(line.substr(key.size()));
    for (int code = 0; words >> code;) prevented.insert(code);
  }
  ASSERT_FALSE(prevented.empty());
  for (int code = 0; code < 256; ++code) {
    EXPECT_EQ(NeedsPerson(static_cast<ExitCode>(code)), prevented.contains(code)) << code;
  }
}

}  // namespace
}  // namespace outboxd
