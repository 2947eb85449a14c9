#include "daemon/http/page_policy.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/base64.h"

namespace outboxd {
namespace {

// 'sha256-...' of what stands between the two.
std::string HashBetween(std::string_view page, std::string_view begin, std::string_view end) {
  const std::size_t from = page.find(begin) + begin.size();
  const std::string_view text = page.substr(from, page.find(end, from) - from);
  std::array<unsigned char, 32> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return fmt::format("'sha256-{}'",
                     Base64({reinterpret_cast<const char*>(hash.data()), hash.size()}));
}

}  // namespace

std::string PagePolicy(std::string_view page) {
  return fmt::format(
      "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:;"
      " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      HashBetween(page, "<script>", "</script>"), HashBetween(page, "<style>", "</style>"));
}

}  // namespace outboxd
