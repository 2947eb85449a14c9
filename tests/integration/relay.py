"""One relay under test: its account, its configuration, its process; and a consumer that owes
nothing to librdkafka."""

import contextlib
import itertools
import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass

import pymysql
from kafka import KafkaConsumer, TopicPartition

PASSWORD = "s3cret-Passw0rd"
TABLE = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload LONGTEXT CHARACTER SET utf8mb4)"""

numbers = itertools.count(1)


def wait_until(condition, what, seconds=60):
    """Polls until `condition` is true; its value is returned. `what`: for the one who reads that it
    is not; a function is asked then."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


@dataclass(frozen=True)
class Received:
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple

    @property
    def id(self):
        return dict(self.headers)["id"].decode()


def records(kafka, topics):
    """Each record of the topics up to their ends as of now; in order within a partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=64 << 20,
        fetch_max_bytes=64 << 20,
    )
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(p) < ends[p] for p in partitions):
            for batch in consumer.poll(timeout_ms=500).values():
                yield from batch
    finally:
        consumer.close()


def read_topic(kafka, topic):
    """Everything in the topic up to its end as of now, by partition and offset."""
    messages = [
        Received(m.partition, m.offset, m.key, m.value, tuple(m.headers))
        for m in records(kafka, [topic])
    ]
    return sorted(messages, key=lambda m: (m.partition, m.offset))


def ids(messages):
    return [m.id for m in messages]


class Relay:
    """A database with an event table, an account with just the documented grants, and a relay."""

    def __init__(self, binary, mysql, kafka, folder, table=TABLE, topics=("order",), **config):
        number = next(numbers)
        self.binary, self.mysql, self.kafka = binary, mysql, kafka
        self.folder = pathlib.Path(folder)
        self.name = self.database = f"shop{os.getpid()}_{number}"
        self.user = f"outboxd{os.getpid()}_{number}"
        self.topic_prefix = f"{self.name}."
        self.process = None
        self.sql(f"CREATE DATABASE {self.database}", database=None)
        self.sql(f"CREATE TABLE outbox {table}")
        self.sql("CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(64))")
        self.sql(f"CREATE USER {self.user}@'%' IDENTIFIED BY '{PASSWORD}'")
        self.sql(f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {self.user}@'%'")
        self.sql(f"GRANT SELECT ON {self.database}.outbox TO {self.user}@'%'")
        for topic in topics:
            kafka.create_topic(self.topic(topic), partitions=3)
        self.password_file = self.folder / "password"
        self.password_file.touch(0o600)
        self.password_file.write_text(PASSWORD + "\n")
        self.path = self.folder / "relay.conf"
        self.log_path = self.folder / "relay.log"
        self.state = self.folder / "state"
        self.config = {
            "relay.name": self.name,
            "relay.state-directory": self.state,
            "mysql.host": "127.0.0.1",
            "mysql.port": mysql.port,
            "mysql.user": self.user,
            "mysql.password-file": self.password_file,
            "outbox.table": f"{self.database}.outbox",
            "outbox.topic": self.topic_prefix + "{aggregatetype}",
            "outbox.header": "type:eventType",
            "kafka.bootstrap.servers": kafka.bootstrap,
            "delivery.start": "table",
            "checkpoint.interval": "200ms",
        }
        self.configure(**config)

    def configure(self, **changes):
        """Keys with '__' for '.' and '_' for '-'; a list repeats a key, None takes it away."""
        for key, value in changes.items():
            key = key.replace("__", ".").replace("_", "-")
            self.config[key] = value
        sections = {}
        for key, value in self.config.items():
            section, _, name = key.partition(".")
            values = value if isinstance(value, list) else [value]
            lines = [f"{name} = {one}" for one in values if one is not None]
            sections.setdefault(section, []).extend(lines)
        self.path.write_text(
            "\n".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items())
        )
        return self

    def topic(self, name="order"):
        return self.topic_prefix + name

    def connect(self, database="", **options):
        return pymysql.connect(
            host="127.0.0.1",
            port=self.mysql.port,
            user=self.mysql.user,
            password=self.mysql.password,
            database=self.database if database == "" else database,
            **options,
        )

    def sql(self, statement, arguments=None, database=""):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                rows = cursor.fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()

    def break_connections(self):
        """Those of its account to the server."""
        for (number,) in self.sql("SELECT id FROM performance_schema.processlist WHERE user = %s",
                                  [self.user]):
            # It asks for the age of a log over a connection for a moment.
            with contextlib.suppress(pymysql.err.OperationalError):
                self.sql(f"KILL {number}")

    def executed_gtids(self):
        """The server's, in one line."""
        return self.sql("SELECT @@global.gtid_executed")[0][0].replace("\n", "")

    def memory_kib(self, field="VmRSS"):
        """What the process takes now, or took at most (VmHWM)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{field}:")[1].split()[0])

    def insert(self, *ids, kind="order", key="k", payload='{"a":1}'):
        values = ",".join(["(%s,%s,%s,'Created',%s)"] * len(ids))
        arguments = [x for i in ids for x in (i, kind, key, payload)]
        self.sql(f"INSERT INTO outbox VALUES {values}", arguments)

    def begin_now(self):
        """Stores the checkpoint: all that is inserted from here on is published."""
        result = self.command("position", "set", "now")
        assert result.returncode == 0, result.stderr
        return self

    def command(self, *words):
        return subprocess.run(
            [self.binary, *words, "--config", str(self.path)],
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *words, **environment):
        """`outboxd run`, with keys of the configuration as further words."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [self.binary, "run", "--config", str(self.path), *words],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=os.environ | environment,
        )
        log.close()
        return self

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def wait(self, seconds=60):
        code = self.process.wait(timeout=seconds)
        self.process = None
        return code

    def close(self):
        if self.process is not None:
            self.kill()

    def received(self, name="order"):
        return read_topic(self.kafka, self.topic(name))

    def wait_for(self, count, name="order", seconds=60):
        """Waits until at least `count` messages are in the topic; returns all of them."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap)
        try:
            topic = self.topic(name)
            partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
            wait_until(
                lambda: sum(consumer.end_offsets(partitions).values()) >= count,
                f"{count} messages in {topic}; log:\n{self.log()[-3000:]}",
                seconds,
            )
        finally:
            consumer.close()
        return self.received(name)

    def checkpoint(self):
        return self.command("position", "show").stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
