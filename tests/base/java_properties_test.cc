#include "base/java_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(JavaPropertiesTest, ReadsWhatJavaReads) {
  const auto read = ParseJavaProperties(
      "# comment\n! comment\n\n a = 1 \nb:2\nc 3\n\td\t=\t4\r\ne=\nf\n"
      "long = one,\\\n    two,\\\r\n  three\n"
      "escaped\\ key\\: = a\\tb\\\\ \\u00e9\\u20AC \\x\n"
      "back = slash\\\\\nnext=5");
  EXPECT_THAT(read,
              UnorderedElementsAre(Pair("a", "1 "), Pair("b", "2"), Pair("c", "3"), Pair("d", "4"),
                                   Pair("e", ""), Pair("f", ""), Pair("long", "one,two,three"),
                                   Pair("escaped key:", "a\tb\\ é€ x"), Pair("back", "slash\\"),
                                   Pair("next", "5")));
}

TEST(JavaPropertiesTest, TheLastOfTwoCounts) {
  EXPECT_THAT(ParseJavaProperties("a=1\na=2\n"), UnorderedElementsAre(Pair("a", "2")));
}

// As Quarkus stores it: java.util.Properties.store() escapes what separates.
TEST(JavaPropertiesTest, ReadsAStoredTraceContext) {
  EXPECT_THAT(
      ParseJavaProperties("#Mon Nov 30 08:00:00 UTC 2026\n"
                          "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"
                          "tracestate=rojo\\=00f067aa0ba902b7,congo\\=t61rcWkgMzE\n"),
      UnorderedElementsAre(
          Pair("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
          Pair("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")));
}

TEST(JavaPropertiesTest, AnEmptyTextHasNone) { EXPECT_THAT(ParseJavaProperties(""), IsEmpty()); }

}  // namespace
}  // namespace outboxd
