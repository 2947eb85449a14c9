#include "daemon/preparation/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

#include "daemon/service/clock.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kDayUs = 86'400'000'000;

class CertificateFilesTest : public testing::Test {
 protected:
  // A file with certificates that are good for so many days.
  std::string Make(const std::string& name, const std::vector<int>& days) {
    const std::string path = directory_ / name;
    std::FILE* const file = std::fopen(path.c_str(), "w");
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    for (const int good_for : days) {
      X509* const certificate = X509_new();
      X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
      X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * good_for);
      X509_set_pubkey(certificate, key);
      EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
      EXPECT_EQ(PEM_write_X509(file, certificate), 1);
      X509_free(certificate);
    }
    EVP_PKEY_free(key);
    std::fclose(file);
    return path;
  }
  std::vector<Finding> Check() { return CheckCertificateFiles(config_, now_us_); }

  TemporaryDirectory directory_;
  Config config_;
  // Half a day later, so that no test ends on the edge of a day.
  std::uint64_t now_us_ = SystemClock().WallMicroseconds() + kDayUs / 2;
};

TEST_F(CertificateFilesTest, AreGoodUntilAMonthBeforeTheyEnd) {
  config_.mysql.tls_ca = Make("ca", {60});
  EXPECT_TRUE(Check().empty());
  now_us_ += 31 * kDayUs;
  ASSERT_EQ(Check().size(), 1u);
  EXPECT_EQ(Check()[0].level, Finding::Level::kWarning);
  EXPECT_THAT(Check()[0].found, HasSubstr("(mysql.tls-ca) ends in 28 days, at "));
  now_us_ += 31 * kDayUs;
  EXPECT_THAT(Check()[0].found, HasSubstr(" has ended, at "));
}

TEST_F(CertificateFilesTest, TheSoonestOfAFileCounts) {
  config_.sink.settings = {{"kafka", "ssl.ca.location", Make("both", {300, 10, 200})},
                           {"kafka", "ssl.key.location", Make("no certificate", {1})}};
  ASSERT_EQ(Check().size(), 1u);
  EXPECT_THAT(Check()[0].found, HasSubstr("(kafka.ssl.ca.location) ends in 9 days"));
}

TEST_F(CertificateFilesTest, AFileThatHasNoneIsLeftToWhoNeedsIt) {
  directory_.Write("junk", "no certificate");
  config_.mysql.tls_cert = directory_ / "junk";
  config_.mysql.tls_ca = directory_ / "nothing";
  EXPECT_TRUE(Check().empty());
}

}  // namespace
}  // namespace outboxd
