#include "daemon/preparation/certificates.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/time_text.h"

namespace outboxd {
namespace {

using std::chrono::seconds;

struct BioCloser {
  void operator()(BIO* file) const { BIO_free(file); }
};
struct CertificateCloser {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// The soonest end among the certificates of a file; none: there is none in it, or no such file.
std::optional<seconds> SoonestEndIn(const std::string& path) {
  const std::unique_ptr<BIO, BioCloser> file(BIO_new_file(path.c_str(), "r"));
  std::optional<seconds> soonest;
  while (file) {
    const std::unique_ptr<X509, CertificateCloser> certificate(
        PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    std::tm parts{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) continue;
    const seconds end(::timegm(&parts));
    soonest = std::min(end, soonest.value_or(end));
  }
  return soonest;
}

// The key of the configuration, and the file that it names.
std::vector<std::pair<std::string, std::string>> CertificateFilesOf(const Config& config) {
  std::vector<std::pair<std::string, std::string>> files = {
      {"mysql.tls-ca", config.mysql.tls_ca}, {"mysql.tls-cert", config.mysql.tls_cert}};
  for (const sinks::Setting& setting : config.sink.settings) {
    if (setting.key != "ssl.ca.location" && setting.key != "ssl.certificate.location") continue;
    files.emplace_back(fmt::format("{}.{}", setting.section, setting.key), setting.value);
  }
  return files;
}

}  // namespace

std::optional<Finding> EndOfCertificate(std::string_view whose, seconds end, std::uint64_t now_us,
                                        const std::string& remedy) {
  constexpr std::chrono::days kSoon{30};
  const seconds left = end - seconds(now_us / 1'000'000);
  if (left >= kSoon) return std::nullopt;
  const std::string when = TimeText(static_cast<std::uint64_t>(end.count()) * 1'000'000);
  return Finding{Finding::Level::kWarning, "certificate",
                 left.count() > 0
                     ? fmt::format("{} ends in {}, at {}: no log-in that verifies it succeeds then",
                                   whose, DurationText(left), when)
                     : fmt::format("{} has ended, at {}", whose, when),
                 remedy, ExitCode::kOk};
}

std::vector<Finding> CheckCertificateFiles(const Config& config, std::uint64_t now_us) {
  std::vector<Finding> findings;
  for (const auto& [key, path] : CertificateFilesOf(config)) {
    const auto end = path.empty() ? std::nullopt : SoonestEndIn(path);
    if (!end) continue;
    auto ends = EndOfCertificate(fmt::format("one in {} ({})", path, key), *end, now_us,
                                 "put a new one into the file, then 'outboxd reload'");
    if (ends) findings.push_back(*std::move(ends));
  }
  return findings;
}

}  // namespace outboxd
