#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/service/notice.h"
#include "tests/daemon/page.h"

// docs/journal.md, from which the catalog is made, has the kinds of records that the program has.

namespace outboxd {
namespace {

TEST(JournalPageTest, HasEachKindOfRecordWithItsNumberAndNoOther) {
  std::vector<std::string> known;
  for (const NoticeName& notice : NoticeNames()) {
    known.push_back(fmt::format("| `{}` | `{}` |", notice.name, notice.message_id));
  }
  std::vector<std::string> shown;
  for (const std::string& line : LinesOfPage("journal.md")) {
    const bool is_kind = line.starts_with("| `") && !line.starts_with("| `OUTBOXD_") &&
                         !line.starts_with("| `MESSAGE_ID`");
    if (!is_kind) continue;
    const std::size_t first_end = line.find('|', 1);
    shown.push_back(line.substr(0, line.find('|', first_end + 1) + 1));
  }
  EXPECT_EQ(shown, known);
}

}  // namespace
}  // namespace outboxd
