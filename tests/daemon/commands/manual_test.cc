#include "daemon/commands/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "daemon/commands/command_line.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPage = R"(# Commands

Not of any command.

## `outboxd skip`

Form: `outboxd skip POSITION --config FILE`

It drops **one** event, see [bad events](bad-events.md#skipping). The key goes to
`skipped.jsonl`, and nothing else is changed by it.

| option | meaning |
|---|---|
| `--config FILE` | The configuration. |
| `--a-long-option FILE` | Another file, of which so much is said that it takes more lines. |

<!-- run: exit code 64 -->

    $ outboxd skip x
    outboxd: `x` is no position

Exit codes: 0, 74.

## `outboxd position show`

Form: `outboxd position show`

It shows.

## `outboxd position set`

It sets.
)";

TEST(ManualTest, IsTheSectionOfTheCommandWithoutTheMarks) {
  EXPECT_EQ(ManualOf("skip", kPage),
            "  outboxd skip POSITION --config FILE\n"
            "\n"
            "It drops one event, see bad events. The key goes to skipped.jsonl, and nothing\n"
            "else is changed by it.\n"
            "\n"
            "  --config FILE     The configuration.\n"
            "  --a-long-option FILE\n"
            "                    Another file, of which so much is said that it takes more\n"
            "                    lines.\n"
            "\n"
            "    $ outboxd skip x\n"
            "    outboxd: `x` is no position\n"
            "\n"
            "Exit codes: 0, 74.\n");
}

TEST(ManualTest, ACommandOfSeveralFormsHasThemAll) {
  EXPECT_THAT(ManualOf("position", kPage), AllOf(HasSubstr("It shows."), HasSubstr("It sets.")));
  EXPECT_THAT(ManualOf("position set", kPage),
              AllOf(Not(HasSubstr("It shows.")), HasSubstr("It sets.")));
}

TEST(ManualTest, ThereIsNoneOfAnythingElse) {
  EXPECT_EQ(ManualOf("pos", kPage), "");
  EXPECT_EQ(ManualOf("", kPage), "");
}

TEST(ManualTest, EachCommandHasOneWithoutMarksOrWideText) {
  for (const CommandShape& shape : CommandShapes()) {
    const std::string text = ManualOf(NameOf(shape));
    ASSERT_THAT(text, StartsWith("  outboxd " + NameOf(shape))) << NameOf(shape);
    EXPECT_THAT(text, Not(HasSubstr("<!--")));
    EXPECT_THAT(text, Not(HasSubstr("](")));
    EXPECT_THAT(text, Not(HasSubstr("|---")));
    EXPECT_THAT(text, Not(HasSubstr("\n\n\n")));
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      const bool is_example = line.starts_with("    ");
      EXPECT_TRUE(is_example || line.size() <= 80u) << line;
    }
  }
}

}  // namespace
}  // namespace outboxd
