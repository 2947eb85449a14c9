#include "daemon/migration/connector_options.h"

#include <algorithm>
#include <array>

namespace outboxd {
namespace {

constexpr OptionFate kNotNeeded = OptionFate::kNotNeeded;
constexpr OptionFate kDifferent = OptionFate::kDifferent;

constexpr std::string_view kRunByConnect = "belongs to Kafka Connect, which is no longer there";
constexpr std::string_view kSnapshot =
    "outboxd reads only event tables, in short chunks, without locks";
constexpr std::string_view kHistory =
    "outboxd keeps no schema history: the log describes its tables itself (binlog_row_metadata = "
    "FULL)";
constexpr std::string_view kQueue =
    "the queue is bounded in bytes by delivery.in-flight-bytes-max, and nothing waits for a poll";
constexpr std::string_view kSignals =
    "there are no signals; 'outboxd position set' and 'outboxd skip' do what they are used for";
constexpr std::string_view kNotifications = "there are no notifications; 'outboxd status' tells";
constexpr std::string_view kRetries =
    "outboxd tries again for ever and holds at an event that is refused (delivery.on-bad-event)";
constexpr std::string_view kTypes =
    "columns that are mapped become MySQL's own text for them, binary ones their bytes";
constexpr std::string_view kColumns = "only mapped columns are read";
constexpr std::string_view kMasking = "values are not masked, truncated or hashed on their way";
constexpr std::string_view kCode = "outboxd runs no other code; map what the event table holds";
constexpr std::string_view kGtidFilter = "events of every source are published";
constexpr std::string_view kTracing =
    "no spans are made; docs/mapping.md says how a row's trace context is passed on";
constexpr std::string_view kConnection = "outboxd reconnects by itself (mysql.heartbeat)";
constexpr std::string_view kMetrics = "there is no JMX; 'outboxd status' tells";
constexpr std::string_view kExactlyOnce = "delivery is at least once in this version";
constexpr std::string_view kPartialImage =
    "a column that the log leaves out ends the run and is named; outbox.default declares it";

constexpr auto kOptions = std::to_array<KnownOption>({
    // Kafka Connect's own.
    {"connector.class", "", kNotNeeded, kRunByConnect},
    {"tasks.max", "", kNotNeeded, kRunByConnect},
    {"tasks.max.enforce", "", kNotNeeded, kRunByConnect},
    {"config.action.reload", "", kNotNeeded, kRunByConnect},
    {"config.providers", "", kNotNeeded, kRunByConnect},
    {"config.providers.*", "", kNotNeeded, kRunByConnect},
    {"errors.tolerance", "none", kDifferent, kRetries},
    {"errors.retry.*", "", kNotNeeded, kRetries},
    {"errors.log.*", "", kNotNeeded, "a refused event is in the log, without its payload"},
    {"errors.deadletterqueue.*", "", kDifferent, kRetries},
    {"exactly.once.support", "requested", kDifferent, kExactlyOnce},
    {"exactly.once.source.support", "disabled", kDifferent, kExactlyOnce},
    {"transaction.boundary", "poll", kDifferent, kExactlyOnce},
    {"transaction.boundary.*", "", kDifferent, kExactlyOnce},
    {"offsets.storage.topic", "", kNotNeeded, "the checkpoint is a file (relay.state-directory)"},
    {"header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter", kDifferent,
     "headers are text, as SimpleHeaderConverter writes them"},
    {"header.converter.*", "", kDifferent,
     "headers are text, as SimpleHeaderConverter writes them"},
    {"predicates", "", kDifferent, "there are no predicates: every transform is judged by itself"},
    {"predicates.*", "", kNotNeeded, "there are no predicates"},
    {"consumer.override.*", "", kNotNeeded, kRunByConnect},
    {"admin.override.*", "", kNotNeeded, kRunByConnect},
    {"topic.creation.enable", "", kNotNeeded, "topics.create stands for it"},
    {"topic.creation.groups", "", kDifferent, "all topics are created alike, or by hand"},
    {"topic.creation.*", "", kDifferent, "only partitions and replicas are set; the rest by hand"},
    // A worker's, where its file is given too.
    {"group.id", "", kNotNeeded, kRunByConnect},
    {"offset.storage.*", "", kNotNeeded, "take the offset over: outboxd position import"},
    {"offset.flush.interval.ms", "", kNotNeeded, "checkpoint.interval, 1s unless set"},
    {"offset.flush.timeout.ms", "", kNotNeeded, kRunByConnect},
    {"config.storage.*", "", kNotNeeded, kRunByConnect},
    {"status.storage.*", "", kNotNeeded, kRunByConnect},
    {"rest.*", "", kNotNeeded, kRunByConnect},
    {"listeners", "", kNotNeeded, kRunByConnect},
    {"listeners.*", "", kNotNeeded, kRunByConnect},
    {"admin.listeners", "", kNotNeeded, kRunByConnect},
    {"access.control.*", "", kNotNeeded, kRunByConnect},
    {"response.http.headers.config", "", kNotNeeded, kRunByConnect},
    {"plugin.path", "", kNotNeeded, kRunByConnect},
    {"plugin.discovery", "", kNotNeeded, kRunByConnect},
    {"connector.client.config.override.policy", "", kNotNeeded, kRunByConnect},
    {"internal.*", "", kNotNeeded, kRunByConnect},
    {"task.shutdown.graceful.timeout.ms", "", kNotNeeded, "relay.stop-timeout, 30s unless set"},
    {"metrics.*", "", kNotNeeded, kMetrics},
    {"metric.reporters", "", kNotNeeded, kMetrics},
    // The connection to MySQL.
    {"database.server.id.offset", "", kNotNeeded, kSnapshot},
    {"database.dbname", "", kNotNeeded, "mysql.host and outbox.table say it all"},
    {"database.ssl.keystore*", "", kDifferent,
     "a client certificate is given as PEM files: mysql.tls-cert and mysql.tls-key"},
    {"database.ssl.truststore.password", "", kNotNeeded, "mysql.tls-ca is a PEM file"},
    {"database.initial.statements", "", kDifferent, "no statements are run in the session"},
    {"database.jdbc.driver", "", kNotNeeded, "MySQL's C library connects"},
    {"database.protocol", "", kNotNeeded, "MySQL's C library connects"},
    {"database.connection.*", "", kNotNeeded, kConnection},
    {"database.query.timeout.ms", "", kNotNeeded, kConnection},
    {"connect.timeout.ms", "", kNotNeeded, kConnection},
    {"connect.keep.alive", "true", kNotNeeded, kConnection},
    {"connect.keep.alive.*", "", kNotNeeded, kConnection},
    {"connection.validation.timeout.ms", "", kNotNeeded, kConnection},
    {"binlog.net.*", "", kNotNeeded, kConnection},
    {"use.nongraceful.disconnect", "", kNotNeeded, kConnection},
    {"read.only", "", kNotNeeded, "outboxd writes nothing into the source"},
    {"enable.time.adjuster", "", kNotNeeded, kTypes},
    {"gtid.source.includes", "", kDifferent, kGtidFilter},
    {"gtid.source.excludes", "", kDifferent, kGtidFilter},
    {"gtid.source.filter.dml.events", "", kDifferent, kGtidFilter},
    {"gtid.ignore.on.recovery", "", kNotNeeded, "see docs/failover.md"},
    {"gtid.new.channel.position", "", kNotNeeded, "see docs/failover.md"},
    {"binlog.buffer.size", "", kNotNeeded,
     "every transaction is held until its commit (relay.spill-bytes-max)"},
    // What is read.
    {"database.include.list", "", kNotNeeded, "outbox.table names schema and table"},
    {"database.exclude.list", "", kNotNeeded, "outbox.table names schema and table"},
    {"schema.include.list", "", kNotNeeded, "outbox.table names schema and table"},
    {"schema.exclude.list", "", kNotNeeded, "outbox.table names schema and table"},
    {"table.exclude.list", "", kDifferent,
     "outbox.table cannot exclude: see that its pattern matches event tables only"},
    {"table.ignore.builtin", "", kNotNeeded, "outbox.table names schema and table"},
    {"column.include.list", "", kNotNeeded, kColumns},
    {"column.exclude.list", "", kNotNeeded, kColumns},
    {"column.mask.*", "", kDifferent, kMasking},
    {"column.truncate.*", "", kDifferent, kMasking},
    {"column.propagate.source.type", "", kNotNeeded, "messages carry no schema"},
    {"datatype.propagate.source.type", "", kNotNeeded, "messages carry no schema"},
    {"message.key.columns", "", kNotNeeded, "the router's key replaces it"},
    {"skipped.operations", "t", kNotNeeded, "inserts are events; see delivery.on-update"},
    {"skip.messages.without.change", "false", kNotNeeded, "updates are no events"},
    {"tombstones.on.delete", "", kNotNeeded, "deletes are no events"},
    {"include.query", "", kNotNeeded, "the router drops it"},
    {"include.schema.changes", "false", kDifferent, "no schema changes are published"},
    {"include.schema.comments", "", kNotNeeded, "no schema changes are published"},
    {"provide.transaction.metadata", "false", kDifferent, "no transaction topic is written"},
    {"transaction.metadata.factory", "", kNotNeeded, "no transaction topic is written"},
    {"inconsistent.schema.handling.mode", "fail", kDifferent,
     "what is not understood is never skipped"},
    {"event.processing.failure.handling.mode", "fail", kDifferent,
     "what is not understood is never skipped"},
    {"event.deserialization.failure.handling.mode", "fail", kDifferent,
     "what is not understood is never skipped"},
    {"event.converting.failure.handling.mode", "fail", kNotNeeded,
     "a value that cannot be decoded is an error, never a NULL"},
    {"unavailable.value.placeholder", "", kNotNeeded, kPartialImage},
    {"resolve.create.table.like.schema", "", kNotNeeded, kHistory},
    {"ddl.parser.type", "", kNotNeeded, kHistory},
    // How values look.
    {"binary.handling.mode", "bytes", kDifferent,
     "binary columns pass as their bytes; VALUE can say {base64(COLUMN)} or {hex(COLUMN)}"},
    {"decimal.handling.mode", "string", kNotNeeded, kTypes},
    {"time.precision.mode", "", kNotNeeded, kTypes},
    {"bigint.unsigned.handling.mode", "", kNotNeeded, kTypes},
    {"converters", "", kDifferent, kCode},
    {"post.processors", "", kDifferent, kCode},
    {"field.name.adjustment.mode", "none", kDifferent, "names stay as they are"},
    {"schema.name.adjustment.mode", "", kNotNeeded, "messages carry no schema"},
    {"sourceinfo.struct.maker", "", kNotNeeded, "the router drops it"},
    {"extended.headers.enabled", "", kNotNeeded,
     "the headers __debezium.context.* are not written; outboxd.table and outboxd.position are"},
    {"topic.naming.strategy", "", kNotNeeded, "the router names the topics"},
    {"topic.delimiter", "", kNotNeeded, "the router names the topics"},
    {"topic.cache.size", "", kNotNeeded, "the router names the topics"},
    {"topic.transaction", "", kNotNeeded, "no transaction topic is written"},
    {"topic.heartbeat.prefix", "", kNotNeeded, "no heartbeats are written"},
    // Snapshots, history, queues, operation.
    {"snapshot.*", "", kNotNeeded, kSnapshot},
    {"incremental.snapshot.*", "", kNotNeeded, kSnapshot},
    {"legacy.snapshot.max.threads", "", kNotNeeded, kSnapshot},
    {"min.row.count.to.stream.results", "", kNotNeeded, kSnapshot},
    {"query.fetch.size", "", kNotNeeded, kSnapshot},
    {"streaming.delay.ms", "", kNotNeeded, "outboxd starts at once"},
    {"test.disable.global.locking", "", kNotNeeded, kSnapshot},
    {"schema.history.internal", "", kNotNeeded, kHistory},
    {"schema.history.internal.*", "", kNotNeeded, kHistory},
    {"database.history*", "", kNotNeeded, kHistory},
    {"max.batch.size", "", kNotNeeded, kQueue},
    {"max.queue.size", "", kNotNeeded, kQueue},
    {"max.queue.size.in.bytes", "", kNotNeeded, kQueue},
    {"queue.provider.type", "", kNotNeeded, kQueue},
    {"poll.interval.ms", "", kNotNeeded, kQueue},
    {"poll.dispatch.interval.ms", "", kNotNeeded, kQueue},
    {"heartbeat.interval.ms", "0", kNotNeeded,
     "the checkpoint moves without heartbeats, also past foreign transactions"},
    {"heartbeat.topics.prefix", "", kNotNeeded, "no heartbeats are written"},
    {"heartbeat.action.query", "", kDifferent,
     "no query is run; the checkpoint moves without heartbeats"},
    {"signal.*", "", kDifferent, kSignals},
    {"notification.*", "", kDifferent, kNotifications},
    {"errors.max.retries", "", kNotNeeded, kRetries},
    {"retriable.restart.connector.wait.ms", "", kNotNeeded, kRetries},
    {"custom.retriable.exception", "", kNotNeeded, kRetries},
    {"executor.shutdown.timeout.ms", "", kNotNeeded, "relay.stop-timeout, 30s unless set"},
    {"multi.partition.mode", "", kNotNeeded, kMetrics},
    {"custom.metric.tags", "", kNotNeeded, kMetrics},
    {"custom.sanitize.pattern", "", kNotNeeded, "secrets are never logged"},
    {"statistics.metrics.enabled", "", kNotNeeded, kMetrics},
    {"guardrail.*", "", kNotNeeded, "outbox.table says which tables are read"},
    {"openlineage.*", "", kDifferent, "no lineage is reported"},
    {"internal.log.position.check.enable", "", kNotNeeded, "the position is always checked"},
    // The router's, by its own prefix.
    {"outbox:type", "", kNotNeeded, "it is the router"},
    {"outbox:table.field.event.type", "", kNotNeeded,
     "the router never reads it; header = COLUMN:NAME publishes the type"},
    {"outbox:table.field.event.schema.version", "", kNotNeeded, "messages carry no schema"},
    {"outbox:table.field.additional.missing", "error", kDifferent,
     "a mapped column has to be there"},
    {"outbox:table.json.payload.*", "", kNotNeeded,
     "means something with table.expand.json.payload = true only"},
    {"outbox:tracing.*", "", kDifferent, kTracing},
    {"outbox:predicate", "", kDifferent, "every row of the event table is an event; see where"},
    {"outbox:negate", "", kNotNeeded, "there are no predicates"},
    {"outbox:field.name.adjustment.mode", "none", kDifferent, "names stay as they are"},
});

bool Matches(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

const KnownOption* FindConnectorOption(std::string_view name) {
  const auto found = std::ranges::find_if(
      kOptions, [name](const KnownOption& known) { return Matches(known.pattern, name); });
  return found == kOptions.end() ? nullptr : &*found;
}

}  // namespace outboxd
