#pragma once

#include <string>
#include <vector>

#include "daemon/service/service_unit.h"

namespace outboxd {

// The systemd of this machine, asked over its bus interface (org.freedesktop.systemd1(5)). Root
// asks it directly, as systemctl does, so that a container needs no bus daemon; anybody else, and
// root where that fails, asks over the system bus. Each call has a connection of its own: between
// calls there is none that a child could inherit, whose other end would take it for root. One
// thread.
class SystemdUnits final : public ServiceUnits {
 public:
  [[nodiscard]] Result<ServiceUnit> Find(const std::string& name) override;
  [[nodiscard]] Result<std::vector<std::string>> Names() override;
};

}  // namespace outboxd
