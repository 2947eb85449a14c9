#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/migration/properties_file.h"

namespace outboxd {

// The options of a connector and those of its Connect worker, and which of them the translation
// has taken. What nobody took is judged in the end, so that no option is passed over.
class TakenOptions {
 public:
  // Both are borrowed.
  TakenOptions(const Properties& connector, const Properties& worker)
      : connector_(connector), worker_(worker) {}

  // The connector's; none, or `absent`, where it does not stand there.
  [[nodiscard]] std::optional<std::string> Find(std::string_view option);
  std::string Take(std::string_view option, std::string_view absent = "");
  // The same of a comma list. Blanks around an element do not count, and an empty one names
  // nothing.
  [[nodiscard]] std::vector<std::string> TakeList(std::string_view option);
  // The connector's, or else what the worker gives to all its connectors.
  std::string TakeShared(std::string_view option, std::string_view absent = "");

  [[nodiscard]] const Properties& connector() const { return connector_; }
  [[nodiscard]] const Properties& worker() const { return worker_; }

  // Of connector() or worker(): takes those of this prefix that are left.
  Properties TakeAll(const Properties& options, std::string_view prefix);
  // Of connector() or worker(): what nobody took. An option that was taken of one is not left of
  // the other.
  [[nodiscard]] Properties Left(const Properties& options) const;

 private:
  const Properties& connector_;
  const Properties& worker_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace outboxd
