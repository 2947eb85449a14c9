#include "daemon/http/page_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/page.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::Not;

// The hashes are those of `printf %s a | openssl dgst -sha256 -binary | base64`.
TEST(PagePolicyTest, NamesScriptAndStyleByTheirHashes) {
  const std::string policy = PagePolicy("<style>b</style><p>x</p><script>a</script>");
  EXPECT_THAT(policy,
              HasSubstr("script-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=';"));
  EXPECT_THAT(policy,
              HasSubstr("style-src 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=';"));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(PageTest, TakesNothingFromElsewhereAndMakesNoMarkupOfTexts) {
  const std::string page(PageText());
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                          "src=", "url(", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(way)));
  }
  // The namespace of SVG is a name, and nothing is fetched from there.
  const std::size_t address = page.find("http");
  EXPECT_EQ(page.substr(address, 27), "http://www.w3.org/2000/svg\"");
  EXPECT_EQ(page.find("http", address + 1), page.npos);
}

}  // namespace
}  // namespace outboxd
