#include "base/error.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

enum class Kind { kOne, kOther };
enum class CallersKind { kHers };

BasicError<Kind> Refusal() {
  return Fail(Kind::kOne, "file {} is missing", "a.conf")
      .Hint("give it with --{}", "config")
      .error();
}

TEST(ErrorTest, ItsTextEndsWithTheHint) {
  EXPECT_EQ(Refusal().ToText(), "file a.conf is missing HINT: give it with --config");
}

TEST(ErrorTest, WithoutHintItsTextIsTheMessage) {
  EXPECT_EQ(Fail(Kind::kOne, "file {} is missing", 1).error().ToText(), "file 1 is missing");
}

TEST(ErrorTest, ThePlaceStandsBeforeTheMessageAndTheHintStays) {
  const BasicError<Kind> error = Fail(Refusal(), "relay {}", 7).error();
  EXPECT_EQ(error.kind, Kind::kOne);
  EXPECT_EQ(error.message, "relay 7: file a.conf is missing");
  EXPECT_EQ(error.hint, "give it with --config");
}

TEST(ErrorTest, AHintOfOnesOwnReplacesThatOfTheCause) {
  EXPECT_EQ(Fail(Refusal(), "relay {}", 7).Hint("{} it", "mend").error().hint, "mend it");
}

TEST(ErrorTest, AsAnotherKindItIsTheSame) {
  const BasicError<CallersKind> error = Refusal().As(CallersKind::kHers);
  EXPECT_EQ(error.kind, CallersKind::kHers);
  EXPECT_EQ(error.ToText(), Refusal().ToText());
}

TEST(ErrorTest, ATextIsSplitIntoWhatItWasPutTogetherFrom) {
  const std::string whole = WithHint("too large", "raise the limit");
  EXPECT_EQ(SplitHint(whole).text, "too large");
  EXPECT_EQ(SplitHint(whole).hint, "raise the limit");
  EXPECT_EQ(SplitHint("too large").text, "too large");
  EXPECT_EQ(SplitHint("too large").hint, "");
}

}  // namespace
}  // namespace outboxd
