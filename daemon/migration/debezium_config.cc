#include "daemon/migration/debezium_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escaped.h"
#include "daemon/migration/config_draft.h"
#include "daemon/migration/connector_options.h"
#include "daemon/migration/kafka_config.h"
#include "daemon/migration/router_config.h"
#include "daemon/migration/taken_options.h"
#include "daemon/plain_name.h"

namespace outboxd {
namespace {

constexpr std::string_view kRouter = "io.debezium.transforms.outbox.EventRouter";

class Importer {
 public:
  Importer(const Properties& connector, const Properties& worker) : options_(connector, worker) {}

  Result<ImportedConfig> Run() {
    const std::string connector_class = options_.Take("connector.class");
    if (!connector_class.ends_with("MySqlConnector")) {
      return Fail(ExitCode::kConfiguration, "connector.class is '{}'", Escaped(connector_class))
          .Hint(
              "only Debezium's connector for MySQL, io.debezium.connector.mysql.MySqlConnector, "
              "can be replaced");
    }
    if (auto found = FindRouter(); !found) return std::unexpected(found.error());
    name_ = RelayName();
    AddMysql();
    AddRouterConfig(router_, options_, draft_);
    AddKafkaConfig(options_, draft_);
    AddDelivery();
    JudgeTheRest(options_.connector(), "");
    JudgeTheRest(options_.worker(), "of the worker, ");
    return ImportedConfig{draft_.Text(), draft_.notes(), draft_.missing()};
  }

 private:
  Result<void> FindRouter() {
    for (const std::string& transform : options_.TakeList("transforms")) {
      const std::string prefix = fmt::format("transforms.{}.", transform);
      const auto type = options_.connector().find(prefix + "type");
      const std::string text = type == options_.connector().end() ? "" : type->second;
      if (text == kRouter && router_.empty()) {
        router_ = prefix;
        continue;
      }
      options_.TakeAll(options_.connector(), prefix);
      draft_.Note(
          fmt::format("transform '{}' ({}) has no equivalent: see that what it does to messages is "
                      "not needed, or say it in [outbox]",
                      Escaped(transform), Escaped(text)));
    }
    if (!router_.empty()) return {};
    return Fail(ExitCode::kConfiguration, "no transform is of type {}", kRouter)
        .Hint("outboxd publishes event tables; other tables are left to Debezium");
  }

  std::string RelayName() {
    std::string name = options_.Take("name", options_.Take("topic.prefix", "outbox"));
    (void)options_.Take("topic.prefix");
    (void)options_.Take("database.server.name");
    std::ranges::replace_if(name, [](char c) { return !IsPlainNameCharacter(c); }, '-');
    return name.empty() ? "outbox" : name;
  }

  void AddMysql() {
    draft_.Begin("relay");
    draft_.Set("name", name_);
    draft_.Begin("mysql");
    if (const auto host = options_.Find("database.hostname"); host && !host->empty()) {
      draft_.Set("host", *host);
    } else {
      draft_.Comment("host = HOST");
      draft_.NoteMissing("mysql.host has to be set: the connector has no database.hostname");
    }
    if (const auto port = options_.Find("database.port")) draft_.Set("port", *port);
    if (const auto user = options_.Find("database.user"); user && !user->empty()) {
      draft_.Set("user", *user);
    } else {
      draft_.Comment("user = USER");
      draft_.NoteMissing("mysql.user has to be set: the connector has no database.user");
    }
    if (options_.Find("database.password")) {
      const std::string file = fmt::format("/etc/outboxd/{}.password", name_);
      draft_.Set("password-file", file);
      draft_.Note(
          fmt::format("database.password is not carried over: write the password into {}, "
                      "readable by the relay's account only",
                      file));
    }
    if (const auto id = options_.Find("database.server.id")) {
      draft_.Set("server-id", *id);
      draft_.Note(
          "mysql.server-id is the connector's: take it away while both run side by side, as the "
          "server ends a replica when another with its number comes");
    }
    AddTls();
  }

  void AddTls() {
    const std::string mode = options_.Take("database.ssl.mode", "preferred");
    const auto truststore = options_.Find("database.ssl.truststore");
    if (mode == "disabled") {
      draft_.Set("tls", "disabled");
    } else if (mode == "verify_ca" || mode == "verify_identity") {
      draft_.Set("tls", mode == "verify_ca" ? "verify-ca" : "verify-identity");
      const std::string file = fmt::format("/etc/outboxd/{}-ca.pem", name_);
      draft_.Set("tls-ca", file);
      draft_.Note(
          fmt::format("{} is a Java key store: export its certificates as PEM to {} (keytool "
                      "-exportcert -rfc)",
                      truststore ? Escaped(*truststore) : "Java's default trust store", file));
    } else {
      draft_.Set("tls", "required");
      if (mode == "preferred") {
        draft_.Note(
            "database.ssl.mode = preferred falls back to no encryption; mysql.tls = required does "
            "not: say disabled for a server without TLS");
      }
    }
  }

  void AddDelivery() {
    draft_.Begin("delivery");
    const std::string mode = options_.Take("snapshot.mode", "initial");
    const bool reads_log_only = mode == "no_data" || mode == "schema_only" || mode == "never" ||
                                mode == "recovery" || mode == "schema_only_recovery";
    draft_.Comment(
        "Without a checkpoint only: 'outboxd position import' takes over where Debezium is.");
    draft_.Set("start", reads_log_only ? "now" : "table");
    if (mode == "initial_only") {
      draft_.Note(
          "snapshot.mode = initial_only ends after the snapshot; outboxd goes on with the log");
    }
    if (options_.Take(router_ + "table.op.invalid.behavior", "warn") == "fatal") {
      draft_.Set("on-update", "alarm");
      draft_.Note(
          "table.op.invalid.behavior = fatal ends the task at an update; on-update = alarm goes on "
          "and keeps an alarm");
    } else {
      draft_.Set("on-update", "ignore");
    }
  }

  void JudgeTheRest(const Properties& options, std::string_view whose) {
    for (const auto& [option, value] : options_.Left(options)) {
      const bool is_routers = option.starts_with(router_);
      const std::string name =
          is_routers ? "outbox:" + option.substr(router_.size()) : std::string(option);
      const KnownOption* known = FindConnectorOption(name);
      if (known == nullptr) {
        draft_.Note(fmt::format("{}{}: unknown here, not carried over", whose, Escaped(option)));
      } else if (known->fate == OptionFate::kDifferent && value != known->harmless) {
        draft_.Note(fmt::format("{}{}: {}", whose, option, known->what));
      } else {
        draft_.NoteUnneeded(fmt::format("{}{}: {}", whose, option, known->what));
      }
    }
  }

  TakenOptions options_;
  ConfigDraft draft_;
  std::string router_;  // "transforms.NAME."
  std::string name_;    // The relay's.
};

}  // namespace

Result<ImportedConfig> ImportDebeziumConfig(const Properties& connector, const Properties& worker) {
  return Importer(connector, worker).Run();
}

}  // namespace outboxd
