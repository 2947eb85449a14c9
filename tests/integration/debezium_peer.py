"""Debezium's Outbox Event Router and outboxd side by side: the same rows of the same MySQL, the
same Kafka, other topics; and every message of the one compared with that of the other.

Debezium writes to outbox.event.TYPE, outboxd to shadow.TYPE.
"""

import zlib
from collections import defaultdict
from dataclasses import dataclass, field

from relay import PASSWORD, Relay, records, wait_until

THEIRS = "outbox.event."
OURS = "shadow."
JSON = "org.apache.kafka.connect.json.JsonConverter"
BINARY = "io.debezium.converters.BinaryDataConverter"
# What Debezium adds for itself, and outboxd for itself.
OWN_HEADERS = ("__debezium.context.", "outboxd.")
# Brokers refuse messages from the far future otherwise.
ANY_TIME = {"message.timestamp.after.max.ms": 2**63 - 1}
OUTBOX = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255), payload LONGTEXT CHARACTER SET utf8mb4)"""


@dataclass(frozen=True)
class Case:
    """One event table, what is done to it, and what differs by intent.

    The table is called `name`, and so is the topic where a row's aggregatetype is `name`.
    """

    name: str
    statements: tuple  # SQL; or (SQL, rows) to be executed for each; {t} is the name
    columns: str = OUTBOX
    connector: dict = field(default_factory=dict)  # options; "transforms.outbox." as "outbox:"
    outboxd: dict = field(default_factory=dict)  # keys of [outbox.NAME]; a list repeats a key
    topics: tuple = ("{t}",)
    partitions: int = 3
    # What docs/debezium.md lists as deviations, by the event's id: messages that only Debezium
    # publishes, how many of each; those at which its task fails, the value of each; and values that
    # differ, (Debezium's, outboxd's).
    only_debezium: dict = field(default_factory=dict)
    only_outboxd: dict = field(default_factory=dict)
    other_values: dict = field(default_factory=dict)

    def topic_names(self):
        return [topic.format(t=self.name) for topic in self.topics]

    def sql(self):
        for statement in self.statements:
            text, rows = statement if isinstance(statement, tuple) else (statement, [None])
            for row in rows:
                yield text.replace("{t}", self.name), row


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: tuple
    timestamp: int

    def without(self, *parts):
        return {name: value for name, value in vars(self).items() if name not in parts}

    @property
    def id(self):
        return (dict(self.headers).get("id") or b"").decode()


def read_topics(kafka, names):
    """By topic and partition, in order, without the headers that each side adds for itself."""
    messages = defaultdict(list)
    for m in records(kafka, names):
        headers = tuple(h for h in m.headers if not h[0].startswith(OWN_HEADERS))
        messages[m.topic, m.partition].append(
            Message(m.topic, m.partition, m.key, m.value, headers, m.timestamp)
        )
    return messages


class Connector:
    """One Debezium connector with the Outbox Event Router."""

    def __init__(self, connect, mysql, kafka, name, tables, options, snapshot="no_data"):
        self.connect, self.mysql, self.name = connect, mysql, name
        databases = sorted({table.split(".")[0] for table in tables})
        kafka.create_topic(f"__debezium-heartbeat.{name}")
        mysql.mysql(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT, RELOAD,"
                    " SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO"
                    f" {name}@'%'")
        self.config = {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "tasks.max": "1",
            "topic.prefix": name,
            "database.hostname": mysql.host,
            "database.port": str(mysql.port),
            "database.user": name,
            "database.password": PASSWORD,
            "database.server.id": str(1_000_000 + zlib.crc32(name.encode()) % 1_000_000),
            "database.include.list": ",".join(databases),
            "table.include.list": ",".join(tables),
            "snapshot.mode": snapshot,
            "include.schema.changes": "false",
            "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
            "schema.history.internal.file.filename": str(connect.folder / f"{name}.history"),
            "schema.history.internal.store.only.captured.tables.ddl": "true",
            "poll.interval.ms": "20",
            # The stored offset moves with heartbeats too, which tells how far it got.
            "heartbeat.interval.ms": "100",
            "transforms": "outbox",
            "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        } | {key.replace("outbox:", "transforms.outbox."): v for key, v in options.items()}

    def start(self):
        self.connect.add(self.name, self.config)
        return self.wait_until_streaming()

    def wait_until_streaming(self):
        """The server's own list of who reads its log is the proof."""
        wait_until(self._streams, f"{self.name} reads the log", 120)
        return self

    def _streams(self):
        assert self.connect.task_state(self.name), self.connect.log.read_text()[-3000:]
        return self.mysql.mysql(
            "SELECT 1 FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"
            f" AND user = '{self.name}'").strip() == "1"

    def offset(self):
        """The stored one; None before the first."""
        offsets = self.connect.call("GET", f"/connectors/{self.name}/offsets")["offsets"]
        return offsets[0]["offset"] if offsets else None

    def covers(self, gtids):
        assert self.connect.task_state(self.name) == "RUNNING"
        offset = self.offset()
        done = (offset or {}).get("gtids", "")
        return self.mysql.mysql(f"SELECT GTID_SUBSET('{gtids}', '{done}')").strip() == "1"


class Shadow(Relay):
    """A relay with one family of event tables for each case."""

    def __init__(self, binary, mysql, kafka, folder, cases):
        self.cases = cases
        super().__init__(binary, mysql, kafka, folder, topics=())
        for case in cases:
            self.sql(f"CREATE TABLE {case.name} {case.columns}")
            self.sql(f"GRANT SELECT ON {self.database}.{case.name} TO {self.user}@'%'")
            for topic in case.topic_names():
                for side in (THEIRS, OURS):
                    kafka.create_topic(side + topic, case.partitions, ANY_TIME)
        for key in [key for key in self.config if key.startswith("outbox.")]:
            del self.config[key]
        self.configure(kafka__linger_ms=None)
        with open(self.path, "a") as file:
            for case in cases:
                file.write(self._family(case))

    def _family(self, case):
        settings = {
            "table": f"{self.database}.{case.name}",
            "topic": OURS + "{aggregatetype}",
            "header": "type:eventType",
            "json": "debezium",
        } | case.outboxd
        lines = [f"[outbox.{case.name}]"]
        for key, value in settings.items():
            lines += [f"{key} = {one}" for one in (value if isinstance(value, list) else [value])]
        return "\n".join(lines) + "\n"

    def run_statements(self):
        for case in self.cases:
            connection = self.connect(autocommit=True)
            try:
                with connection.cursor() as cursor:
                    for statement, arguments in case.sql():
                        cursor.execute(statement, arguments)
            finally:
                connection.close()

    def covers(self, gtids):
        """All of them are acknowledged by Kafka."""
        assert self.process.poll() is None, self.log()[-3000:]
        shown = self.command("position", "show").stdout
        done = shown.split("gtids")[1].split("\n")[0].strip()
        return self.sql("SELECT GTID_SUBSET(%s, %s)", (gtids, done))[0][0] == 1


class SideBySide:
    """Runs every case through both and holds what each has written."""

    def __init__(self, outboxd, mysql, kafka, connect, folder, cases):
        self.mysql, self.kafka, self.cases = mysql, kafka, cases
        self.relay = Shadow(outboxd, mysql, kafka, folder, cases)
        groups = defaultdict(list)
        for case in cases:
            groups[tuple(sorted(case.connector.items()))].append(case)
        base = {"outbox:table.fields.additional.placement": "type:header:eventType"}
        self.connectors = [
            Connector(
                connect, mysql, kafka, f"{self.relay.name}_{number}",
                [f"{self.relay.database}.{case.name}" for case in group],
                base | dict(options),
            )
            for number, (options, group) in enumerate(groups.items())
        ]

    def run(self):
        self.relay.begin_now().start()
        for connector in self.connectors:
            connector.start()
        self.relay.run_statements()
        self.wait_until_both_are_done()
        topics = [side + t for c in self.cases for t in c.topic_names() for side in (THEIRS, OURS)]
        self.messages = read_topics(self.kafka, topics)
        return self

    def wait_until_both_are_done(self):
        gtids = self.relay.executed_gtids()
        wait_until(lambda: self.relay.covers(gtids), f"{gtids}\n{self.relay.log()[-3000:]}", 120)
        for connector in self.connectors:
            wait_until(lambda: self._moved(connector, gtids), f"{connector.name}: {gtids}", 120)

    def _moved(self, connector, gtids):
        """Debezium stores that a transaction is done when a later one comes."""
        self.relay.sql("INSERT INTO orders (note) VALUES ('later')")
        return connector.covers(gtids)

    def of(self, case, side):
        """By topic (without the side's prefix) and partition."""
        return {
            (topic, partition): self.messages[side + topic, partition]
            for topic in case.topic_names()
            for partition in range(case.partitions)
        }


def _by_place(messages, case):
    """A message without a key may be in any partition: those of a topic are sorted by their id."""
    placed = defaultdict(list)
    for (topic, partition), batch in messages.items():
        for message in batch:
            is_anywhere = message.key is None and "partition" not in case.outboxd
            placed[topic, None if is_anywhere else partition].append(message)
    for (_, partition), batch in placed.items():
        if partition is None:
            batch.sort(key=lambda message: message.id)
    return placed


def _show(message):
    if message is None:
        return "nothing"
    return repr({name: value for name, value in vars(message).items() if name != "topic"})[:1500]


def differences(theirs, ours, case, with_timestamps):
    """What a consumer could tell apart, one line each."""
    found = []
    used = set()
    dropped = defaultdict(int)
    ours_alone = {}
    ignored = ["topic"] if with_timestamps else ["topic", "timestamp"]
    theirs, ours = _by_place(theirs, case), _by_place(ours, case)
    for place in sorted({*theirs, *ours}, key=str):
        expected = []
        for message in theirs[place]:
            if dropped[message.id] < case.only_debezium.get(message.id, 0):
                dropped[message.id] += 1
            else:
                expected.append(message)
        got = []
        for message in ours[place]:
            if message.id in case.only_outboxd:
                ours_alone[message.id] = message.value
            else:
                got.append(message)
        for i in range(max(len(expected), len(got))):
            their = expected[i] if i < len(expected) else None
            our = got[i] if i < len(got) else None
            if their is not None and our is not None:
                pair = case.other_values.get(their.id)
                is_known = pair == (their.value, our.value)
                parts = [*ignored, *(["value"] if is_known else [])]
                parts += ["partition"] if place[1] is None else []
                used |= {their.id} if is_known else set()
                if their.without(*parts) == our.without(*parts):
                    continue
            both = f"  Debezium: {_show(their)}\n  outboxd:  {_show(our)}"
            found.append(f"{place} message {i}\n{both}")
    for event_id, count in case.only_debezium.items():
        if dropped[event_id] != count:
            found.append(f"Debezium published {event_id} {dropped[event_id]} times, not {count}")
    found += [f"{event_id}: {ours_alone.get(event_id)}, not {value}"
              for event_id, value in case.only_outboxd.items() if ours_alone.get(event_id) != value]
    found += [f"the values of {event_id} differ no more" for event_id in case.other_values
              if event_id not in used]
    return found
