#include "daemon/service/systemd_units.h"

#include <systemd/sd-bus.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/escaped.h"

namespace outboxd {
namespace {

constexpr const char* kPrivateAddress = "unix:path=/run/systemd/private";
constexpr const char* kSystemd = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";
constexpr const char* kServiceInterface = "org.freedesktop.systemd1.Service";
constexpr std::uint64_t kCallMicrosecondsMax = 10'000'000;
constexpr const char* kUnitsOfOutboxd = "outboxd*.service";

struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

struct Close {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, Close>;

class BusError {
 public:
  BusError() = default;
  ~BusError() { sd_bus_error_free(&error_); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;

  [[nodiscard]] sd_bus_error* out() { return &error_; }
  [[nodiscard]] bool is(const char* name) const { return sd_bus_error_has_name(&error_, name) > 0; }
  // `result` is the negative errno of the call that failed.
  [[nodiscard]] std::string Text(int result) const {
    if (error_.message != nullptr) return Escaped(error_.message);
    return std::system_category().message(-result);
  }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

std::unexpected<Error> CannotAsk(std::string_view why) {
  return Fail(ExitCode::kUnreachable, "systemd cannot be asked about the unit: {}", why)
      .Hint("without systemd, give the relay's configuration with --config FILE");
}

int OpenDirectly(Bus& bus) {
  sd_bus* opened = nullptr;
  int result = sd_bus_new(&opened);
  bus.reset(opened);
  if (result >= 0) result = sd_bus_set_address(opened, kPrivateAddress);
  if (result >= 0) result = sd_bus_set_bus_client(opened, 0);
  if (result >= 0) result = sd_bus_start(opened);
  return result;
}

int OpenSystemBus(Bus& bus) {
  sd_bus* opened = nullptr;
  const int result = sd_bus_open_system(&opened);
  bus.reset(opened);
  return result;
}

Result<Bus> Connect() {
  Bus bus;
  const bool is_direct = ::geteuid() == 0 && OpenDirectly(bus) >= 0;
  if (const int result = is_direct ? 0 : OpenSystemBus(bus); result < 0) {
    return CannotAsk(BusError().Text(result));
  }
  sd_bus_set_method_call_timeout(bus.get(), kCallMicrosecondsMax);
  return bus;
}

// "as" at the message's place.
int ReadTexts(sd_bus_message* message, std::vector<std::string>& texts) {
  char** read = nullptr;
  const int result = sd_bus_message_read_strv(message, &read);
  if (read == nullptr) return result;
  for (char** text = read; *text != nullptr; ++text) {
    texts.emplace_back(*text);
    std::free(*text);
  }
  std::free(static_cast<void*>(read));
  return result;
}

// Calls `read` with the message at each element of the array of structures at its place, whose
// fields have these types. It returns what the calls that read the fields return; so does this.
template <typename Read>
int ReadStructures(sd_bus_message* message, const std::string& fields, const Read& read) {
  int result = sd_bus_message_enter_container(message, 'a', ("(" + fields + ")").c_str());
  while (result >= 0) {
    result = sd_bus_message_enter_container(message, 'r', fields.c_str());
    if (result <= 0) break;
    result = read(message);
    if (result >= 0) result = sd_bus_message_exit_container(message);
  }
  return result;
}

// The properties of one object. It remembers its first failure: read all, then ask failure().
class Properties {
 public:
  Properties(sd_bus& bus, std::string path) : bus_(bus), path_(std::move(path)) {}

  // The first failure as a text; empty: there was none.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  std::string Text(const char* interface, const char* name) {
    const char* text = nullptr;
    ReadBasic(interface, name, "s", static_cast<void*>(&text));
    return text == nullptr ? "" : text;
  }
  bool Flag(const char* interface, const char* name) {
    int flag = 0;
    ReadBasic(interface, name, "b", &flag);
    return flag != 0;
  }
  std::uint32_t Number(const char* interface, const char* name) {
    std::uint32_t number = 0;
    ReadBasic(interface, name, "u", &number);
    return number;
  }
  std::vector<std::string> Texts(const char* interface, const char* name) {
    std::vector<std::string> texts;
    if (Get(interface, name, "as")) Check(name, ReadTexts(message_.get(), texts));
    return texts;
  }
  // As ReadStructures().
  template <typename Read>
  void ForEach(const char* interface, const char* name, const std::string& fields,
               const Read& read) {
    if (!Get(interface, name, ("a(" + fields + ")").c_str())) return;
    Check(name, ReadStructures(message_.get(), fields, read));
  }

 private:
  // False: there is nothing to read. A property that this version of systemd does not know has
  // nothing, and that is no failure.
  bool Get(const char* interface, const char* name, const char* type) {
    if (!failure_.empty()) return false;
    BusError error;
    sd_bus_message* reply = nullptr;
    const int result = sd_bus_get_property(&bus_, kSystemd, path_.c_str(), interface, name,
                                           error.out(), &reply, type);
    message_.reset(reply);
    if (result >= 0) return true;
    if (!error.is(SD_BUS_ERROR_UNKNOWN_PROPERTY)) {
      failure_ = std::string(name) + ": " + error.Text(result);
    }
    return false;
  }

  void ReadBasic(const char* interface, const char* name, const char* type, void* out) {
    if (Get(interface, name, type)) {
      Check(name, sd_bus_message_read_basic(message_.get(), type[0], out));
    }
  }

  void Check(const char* name, int result) {
    if (result >= 0 || !failure_.empty()) return;
    failure_ = std::string(name) + ": " + std::system_category().message(-result);
  }

  sd_bus& bus_;
  const std::string path_;
  Message message_;  // Keeps what Text() reads until it is copied.
  std::string failure_;
};

void ReadCommands(Properties& properties, ServiceUnit& unit) {
  properties.ForEach(kServiceInterface, "ExecStart", "sasbttttuii", [&](sd_bus_message* message) {
    const char* path = nullptr;
    int result = sd_bus_message_read(message, "s", &path);
    if (result >= 0) result = ReadTexts(message, unit.commands.emplace_back());
    return result < 0 ? result : sd_bus_message_skip(message, "bttttuii");
  });
}

void ReadEnvironment(Properties& properties, ServiceUnit& unit) {
  unit.environment = properties.Texts(kServiceInterface, "Environment");
  unit.unset_environment = properties.Texts(kServiceInterface, "UnsetEnvironment");
  properties.ForEach(kServiceInterface, "EnvironmentFiles", "sb", [&](sd_bus_message* message) {
    const char* path = nullptr;
    int may_be_missing = 0;
    const int result = sd_bus_message_read(message, "sb", &path, &may_be_missing);
    if (result >= 0) unit.environment_files.push_back({path, may_be_missing != 0});
    return result;
  });
}

// Where systemd makes the folders of each kind for a system's service, systemd.exec(5).
void ReadDirectories(Properties& properties, ServiceUnit& unit) {
  struct Kind {
    const char* property;
    const char* variable;
    const char* parent;
  };
  for (const Kind& kind : {Kind{"RuntimeDirectory", "RUNTIME_DIRECTORY", "/run/"},
                           Kind{"StateDirectory", "STATE_DIRECTORY", "/var/lib/"},
                           Kind{"CacheDirectory", "CACHE_DIRECTORY", "/var/cache/"},
                           Kind{"LogsDirectory", "LOGS_DIRECTORY", "/var/log/"},
                           Kind{"ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "/etc/"}}) {
    for (const std::string& name : properties.Texts(kServiceInterface, kind.property)) {
      unit.directories[kind.variable].push_back(kind.parent + name);
    }
  }
}

void ReadCredentials(Properties& properties, ServiceUnit& unit) {
  for (const auto& [name, is_encrypted] :
       {std::pair{"LoadCredential", false}, std::pair{"LoadCredentialEncrypted", true}}) {
    properties.ForEach(kServiceInterface, name, "ss", [&](sd_bus_message* message) {
      const char* id = nullptr;
      const char* source = nullptr;
      const int result = sd_bus_message_read(message, "ss", &id, &source);
      if (result >= 0) unit.credentials.push_back({id, source, is_encrypted});
      return result;
    });
  }
  properties.ForEach(kServiceInterface, "SetCredential", "say", [&](sd_bus_message* message) {
    const char* id = nullptr;
    const void* bytes = nullptr;
    std::size_t size = 0;
    int result = sd_bus_message_read(message, "s", &id);
    if (result >= 0) result = sd_bus_message_read_array(message, 'y', &bytes, &size);
    if (result >= 0) unit.set_credentials[id] = std::string(static_cast<const char*>(bytes), size);
    return result;
  });
  bool has_encrypted = false;
  properties.ForEach(kServiceInterface, "SetCredentialEncrypted", "say",
                     [&](sd_bus_message* message) {
                       has_encrypted = true;
                       return sd_bus_message_skip(message, "say");
                     });
  if (has_encrypted) unit.other_credentials.emplace_back("SetCredentialEncrypted");
  if (!properties.Texts(kServiceInterface, "ImportCredential").empty()) {
    unit.other_credentials.emplace_back("ImportCredential");
  }
}

ServiceUnit ReadUnit(Properties& properties, const std::string& name) {
  ServiceUnit unit;
  unit.name = name;
  ReadCommands(properties, unit);
  unit.user = properties.Text(kServiceInterface, "User");
  unit.group = properties.Text(kServiceInterface, "Group");
  unit.supplementary_groups = properties.Texts(kServiceInterface, "SupplementaryGroups");
  unit.has_dynamic_user = properties.Flag(kServiceInterface, "DynamicUser");
  unit.file_mode_mask = properties.Number(kServiceInterface, "UMask");
  unit.working_directory = properties.Text(kServiceInterface, "WorkingDirectory");
  ReadEnvironment(properties, unit);
  ReadDirectories(properties, unit);
  ReadCredentials(properties, unit);
  return unit;
}

// The first text of each structure in the array that `method` answers with.
int ReadFirstTexts(sd_bus& bus, const char* method, const std::string& fields, BusError& error,
                   std::vector<std::string>& texts) {
  sd_bus_message* reply = nullptr;
  // No states, so that units in all of them are meant, and one pattern.
  const int result = sd_bus_call_method(&bus, kSystemd, kManagerPath, kManagerInterface, method,
                                        error.out(), &reply, "asas", 0, 1, kUnitsOfOutboxd);
  const Message message(reply);
  if (result < 0) return result;
  return ReadStructures(reply, fields, [&](sd_bus_message* at) {
    const char* text = nullptr;
    const int read = sd_bus_message_read(at, "s", &text);
    if (read >= 0) texts.emplace_back(text);
    return read < 0 ? read : sd_bus_message_skip(at, fields.c_str() + 1);
  });
}

}  // namespace

Result<ServiceUnit> SystemdUnits::Find(const std::string& name) {
  const auto bus = Connect();
  if (!bus) return std::unexpected(bus.error());
  BusError error;
  sd_bus_message* reply = nullptr;
  int result = sd_bus_call_method(bus->get(), kSystemd, kManagerPath, kManagerInterface, "LoadUnit",
                                  error.out(), &reply, "s", name.c_str());
  const Message message(reply);
  if (result < 0 && error.is(SD_BUS_ERROR_INVALID_ARGS)) {
    return Fail(ExitCode::kUsage, "'{}' is no name of a unit", Escaped(name));
  }
  const char* path = nullptr;
  if (result >= 0) result = sd_bus_message_read(reply, "o", &path);
  if (result < 0) return CannotAsk(error.Text(result));

  Properties properties(**bus, path);
  const std::string state = properties.Text(kUnitInterface, "LoadState");
  if (properties.failure().empty() && state != "loaded") {
    return Fail(ExitCode::kUsage, "systemd has no unit {}: {}", Escaped(name), Escaped(state));
  }
  if (properties.failure().empty() && !name.ends_with(".service")) {
    return Fail(ExitCode::kUsage, "unit {} is no service", Escaped(name));
  }
  ServiceUnit unit = ReadUnit(properties, name);
  Properties manager(**bus, kManagerPath);
  unit.manager_environment = manager.Texts(kManagerInterface, "Environment");
  for (const Properties* read : {&properties, &manager}) {
    if (!read->failure().empty()) return CannotAsk(read->failure());
  }
  return unit;
}

Result<std::vector<std::string>> SystemdUnits::Names() {
  const auto bus = Connect();
  if (!bus) return std::unexpected(bus.error());
  std::vector<std::string> names;
  BusError error;
  int result = ReadFirstTexts(**bus, "ListUnitsByPatterns", "ssssssouso", error, names);
  if (result >= 0) result = ReadFirstTexts(**bus, "ListUnitFilesByPatterns", "ss", error, names);
  if (result < 0) return CannotAsk(error.Text(result));
  for (std::string& name : names) name.erase(0, name.rfind('/') + 1);  // A file has its path.
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  // A template is no unit that can be named.
  std::erase_if(names, [](const std::string& name) { return name.contains("@."); });
  return names;
}

}  // namespace outboxd
