"""A relay under load while something breaks and heals: what was lost, invented, disordered?

OUTBOXD_FAULT_ITERATIONS: how often each fault happens in its test (1). OUTBOXD_TEST_SEED: replays
the random choices. OUTBOXD_FAULT_REPORT: a file to which each trial appends a line of JSON.
"""

import json
import os
import random
import threading
import time

import pymysql
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaConfigurationError, KafkaError
from relay import Received, wait_until

ITERATIONS = int(os.environ.get("OUTBOXD_FAULT_ITERATIONS", "1"))
SEED = int(os.environ.get("OUTBOXD_TEST_SEED", str(random.randrange(1 << 30))))
REPORT = os.environ.get("OUTBOXD_FAULT_REPORT")
RECOVERY_SECONDS = 120
WRITERS = 2
KEYS = 5
PAUSE = 0.01  # Of a writer between transactions: it is to be a load, not the machine's limit.
LOG_LINES_MAX = 400  # In one iteration; a hot loop writes more.


class Writer(threading.Thread):
    """Commits and rolls back until told to stop, through crashes of the server. Its keys are its
    own, so that the numbers in its ids tell the order of their commits."""

    def __init__(self, relay, number, stop):
        super().__init__(daemon=True)
        self.relay, self.number, self.stop = relay, number, stop
        self.turn = threading.Lock()  # Held through a transaction, and by who wants none.
        self.random = random.Random(SEED * 100 + number)
        self.count = self.transactions = 0
        self.failure = None

    def run(self):
        connection = None
        while not self.stop.is_set():
            try:
                with self.turn:
                    if connection is None:
                        connection = self.relay.connect(connect_timeout=5)
                    self.transaction(connection)
                    self.transactions += 1
            except pymysql.err.MySQLError as error:
                self.failure = error  # The table tells later whether it was committed.
                connection = None
            except OSError as error:
                self.failure = error
                connection = None
            self.stop.wait(PAUSE)
        if connection is not None:
            connection.close()

    def insert(self, cursor):
        self.count += 1
        cursor.execute(
            "INSERT INTO outbox VALUES (%s, 'order', %s, 'Created', %s)",
            (
                f"w{self.number}-{self.count}",
                f"key-{self.number}-{self.random.randrange(KEYS)}",
                f'{{"n":{self.count},"pad":"{"x" * self.random.randrange(300)}"}}',
            ),
        )

    def transaction(self, connection):
        choice = self.random.random()
        with connection.cursor() as cursor:
            for _ in range(self.random.randrange(1, 8)):
                self.insert(cursor)
            if choice < 0.3:
                cursor.execute("SAVEPOINT s")
                self.insert(cursor)
                cursor.execute("ROLLBACK TO s")
            cursor.execute("INSERT INTO orders (note) VALUES ('business')")
            if choice > 0.85:
                connection.rollback()
            else:
                connection.commit()


class TopicReader:
    """Everything in a topic, read piece by piece by a client that is not librdkafka."""

    def __init__(self, bootstrap, topic):
        self.bootstrap, self.topic = bootstrap, topic
        self.messages = []
        self.next = {}
        self.ids = set()

    def read(self):
        """Takes what is new; not finding the broker is finding nothing."""
        consumer = None
        try:
            consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
            self._read(consumer)
        except KafkaConfigurationError:
            raise
        except (KafkaError, OSError, AssertionError):
            pass
        finally:
            if consumer is not None:
                consumer.close(timeout_ms=1000)
        return self.ids

    def _read(self, consumer):
        numbers = consumer.partitions_for_topic(self.topic) or ()
        partitions = [TopicPartition(self.topic, number) for number in numbers]
        if not partitions:
            return
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, self.next.get(partition, 0))
        deadline = time.monotonic() + 20
        while any(self.next.get(p, 0) < ends[p] for p in partitions):
            for partition, batch in consumer.poll(timeout_ms=500).items():
                for m in batch:
                    self.take(Received(m.partition, m.offset, m.key, m.value, tuple(m.headers)))
                self.next[partition] = batch[-1].offset + 1
            if time.monotonic() > deadline:
                return

    def take(self, message):
        self.messages.append(message)
        self.ids.add(message.id)

    def begin_again(self):
        """The topic is a new one of the same name; what was read stays."""
        self.next = {}


def report(result):
    print(json.dumps(result))
    if REPORT:
        with open(REPORT, "a") as file:
            file.write(json.dumps(result) + "\n")


def stop_with_everything_delivered(relay, wait_until_delivered):
    """A producer can be lost while the relay stops: the rest comes when it is started again."""
    for _ in range(5):
        wait_until_delivered()
        before = len(relay.log())
        assert relay.stop() == 0, relay.log()[-4000:]
        if "not acknowledged: " not in relay.log()[before:]:
            return
        relay.start()
    raise AssertionError(f"it stops with unacknowledged events each time\n{relay.log()[-4000:]}")


class Trial:
    """Use as context; at its end everything committed must be in the topic."""

    def __init__(self, relay, fault, ordered=True, iterations=ITERATIONS):
        self.relay, self.fault, self.ordered = relay, fault, ordered
        self.iterations = iterations
        self.random = random.Random(f"{SEED} {fault}")
        self.reader = TopicReader(relay.kafka.bootstrap, relay.topic())
        self.recoveries = []
        self.markers = 0
        self.lines = 0
        self.is_paused = False
        self.stop_writers = threading.Event()
        self.writers = [Writer(relay, n, self.stop_writers) for n in range(WRITERS)]

    def __enter__(self):
        print(f"\nseed {SEED}")
        if not (self.relay.state / "checkpoint").exists():
            self.relay.begin_now()
        self.relay.start()
        for writer in self.writers:
            writer.start()
        try:
            self.wait_until_delivered()
        except BaseException:
            self.end_load()
            raise
        return self

    def __exit__(self, kind, *_):
        self.end_load()
        if kind is None:
            self.judge()

    def end_load(self):
        self.stop_writers.set()
        self.resume()
        for writer in self.writers:
            writer.join(30)

    def wait_for_load(self, transactions):
        """Until the writers have committed or rolled back so many more."""
        goal = self.transactions() + transactions
        wait_until(lambda: self.transactions() >= goal, f"load; {self.failures()}", 300)

    def pause(self):
        """No transaction is under way and none begins until resume()."""
        for writer in self.writers:
            writer.turn.acquire()
        self.is_paused = True

    def resume(self):
        if self.is_paused:
            self.is_paused = False
            for writer in self.writers:
                writer.turn.release()

    def transactions(self):
        return sum(writer.transactions for writer in self.writers)

    def failures(self):
        return [writer.failure for writer in self.writers]

    def wait_until_delivered(self, seconds=RECOVERY_SECONDS):
        """Until what is inserted now is in the topic: the relay has caught up."""
        self.markers += 1
        marker = f"marker-{self.markers}"
        self.relay.insert(marker, key="marker")
        deadline = time.monotonic() + seconds
        while marker not in self.reader.read():
            self.check_process()
            assert time.monotonic() < deadline, f"{marker} did not arrive\n{self.tail()}"

    def wait_until_all_is_read(self, seconds=RECOVERY_SECONDS):
        """Until the reader has every row, while the writers pause: a marker can arrive in its
        partition before an older event in another one."""
        assert self.is_paused
        rows = {i for (i,) in self.relay.sql("SELECT id FROM outbox")}
        deadline = time.monotonic() + seconds
        while missing := rows - self.reader.read():
            self.check_process()
            assert time.monotonic() < deadline, (
                f"{sorted(missing)[:20]} did not arrive\n{self.relay.command('status').stdout}"
                f"{self.reader.next}\n{self.tail()}")

    def check_process(self):
        assert self.relay.process.poll() is None, self.tail()

    def tail(self):
        return self.relay.log()[-4000:]

    def repeat(self, inject):
        """`inject` breaks something under load, and heals it before it returns."""
        for _ in range(self.iterations):
            self.wait_for_load(self.random.randrange(5, 60))
            lines = self.relay.log().count("\n")
            time.sleep(self.random.uniform(0, 0.2))  # The random moment itself.
            inject()
            healed = time.monotonic()
            self.wait_until_delivered()
            self.recoveries.append(time.monotonic() - healed)
            self.lines = max(self.lines, self.relay.log().count("\n") - lines)

    def judge(self):
        stop_with_everything_delivered(self.relay, self.wait_until_delivered)
        self.reader.read()
        rows = {i: (k, v) for i, k, v in
                self.relay.sql("SELECT id, aggregateid, payload FROM outbox")}
        received = {}
        changed = 0
        order = {}
        for message in self.reader.messages:
            content = (message.key.decode(), message.value.decode())
            changed += received.setdefault(message.id, content) != content
            order.setdefault(content[0], {}).setdefault(message.id)
        lost = set(rows) - set(received)
        invented = set(received) - set(rows)
        changed += sum(rows[i] != content for i, content in received.items() if i in rows)
        disordered = sum(
            list(ids) != sorted(ids, key=lambda i: int(i.rpartition("-")[2]))
            for ids in order.values()
        )
        result = {
            "fault": self.fault,
            "iterations": len(self.recoveries),
            "written": len(rows),
            "lost": len(lost),
            "invented": len(invented),
            "changed": changed,
            "keys out of order": disordered,
            "duplicates": len(self.reader.messages) - len(received),
            "longest recovery s": round(max(self.recoveries, default=0), 2),
            "most log lines": self.lines,
            "seed": SEED,
        }
        report(result)
        tail = self.tail()
        assert not lost, (sorted(lost)[:20], tail)
        assert not invented, (sorted(invented)[:20], tail)
        assert not changed, tail
        assert not self.ordered or not disordered, tail
        assert self.lines < LOG_LINES_MAX, tail
