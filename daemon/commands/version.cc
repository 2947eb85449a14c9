#include <fmt/core.h>

#include "binlog/mysql_connection.h"
#include "daemon/commands/commands.h"
#include "daemon/config/sink_families.h"

namespace outboxd {

std::string_view Version() { return OUTBOXD_VERSION; }

void VersionCommand() {
  fmt::print("outboxd {}\nlibmysqlclient {}\n", Version(), binlog::MysqlClientVersion());
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    if (const std::string library = family->library(); !library.empty()) {
      fmt::print("{}\n", library);
    }
  }
}

}  // namespace outboxd
