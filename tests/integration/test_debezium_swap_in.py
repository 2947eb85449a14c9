"""The swap as docs/debezium.md tells it, below a Quarkus application with Debezium's outbox
extension and above a consumer, which are left as they are: Debezium delivers, then outboxd, then
Debezium again, while orders are placed. The commands are those of the page, and they print what
it shows.

The extension removes each row that it has inserted, which is its default. So a trigger has MySQL
keep a copy, and what MySQL shows of that is what has to arrive. The page's shadow run goes on all
the time: with it, each message of either side is compared with one of outboxd's.
"""

import http.client
import json
import os
import re
import shlex
import subprocess
import threading
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest
from kafka import KafkaConsumer
from page_blocks import SOURCE, blocks_of, commands_of, told
from private_connect import PrivateConnect
from private_quarkus import PrivateQuarkus, opentelemetry
from private_servers import need_program, spawn
from relay import records, wait_until

PAGE = "docs/debezium.md"
NAME = "shop-outbox"
TOPIC, SHADOW = "Order.events", "shadow.Order.events"
BY_DEBEZIUM, BY_OUTBOXD = "__debezium.context.", "outboxd."  # What their own headers begin with.
TRACE = ("traceparent", "tracestate")
EVENTS = 150  # At least as many by each, until the next one takes over.
# OpenTelemetry's library makes spans, and reports them to nobody.
TRACING = {"otel.java.global-autoconfigure.enabled": "true", "otel.traces.exporter": "none",
           "otel.metrics.exporter": "none", "otel.logs.exporter": "none"}
REPEATED_MAX = 2  # The page's "up to one transaction" at each switch; each has one event.
COPY = """
CREATE TABLE copy (n BIGINT AUTO_INCREMENT PRIMARY KEY, id BINARY(16), aggregateid VARCHAR(255),
  type VARCHAR(255), timestamp DATETIME(6), payload VARCHAR(8000), tracingspancontext VARCHAR(256));
CREATE TRIGGER copies AFTER INSERT ON OutboxEvent FOR EACH ROW INSERT INTO copy VALUES (NULL,
  NEW.id, NEW.aggregateid, NEW.type, NEW.timestamp, NEW.payload, NEW.tracingspancontext);
"""


def same(shown, printed):
    """As page_blocks.fits; a long line may stand on several ones of the page."""
    parts = re.split(r"^\.\.\.$", "\n".join(shown), flags=re.M)
    pattern = "(?s:.*)".join(re.escape(told(part)) for part in parts)
    return re.fullmatch(pattern, told(printed)) is not None


class Transcript:
    """The page's blocks, which are run as they stand there: only places have other names."""

    def __init__(self, outboxd, mysql, folder, places):
        self.folder, self.places = folder, places
        self.relays = {}  # The processes, by the names of their files.
        blocks = blocks_of(PAGE, (SOURCE / PAGE).read_text())
        self.waiting = [block for block in blocks if "test_debezium_swap_in.py" in block.mark]
        self.unlike = []
        (folder / "bin").mkdir()
        self._add_program("mysql", f'exec {shlex.join(mysql.client_command())} "$@"')
        # The folders of the page are no folders of a test, and its cluster has one broker.
        self._add_program("outboxd", f"""
for word; do [[ $word == *.conf ]] && name=$(basename "$word" .conf); done
[[ $name ]] && set -- "$@" "--relay.state-directory={folder}/state/$name" \\
  "--mysql.password-file={folder}/etc/{NAME}.password" --topics.replication=1
exec {shlex.quote(str(outboxd))} "$@"
""")

    def _add_program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def block(self, word):
        """The next block of the page, in which `word` stands."""
        block = self.waiting.pop(0)
        assert word in "\n".join(block.lines), f"{block.place} has no {word}"
        return block

    def run(self, word):
        block = self.block(word)
        for command, shown in commands_of(block.lines):
            self._run(block.place, self.here(command), shown)

    def here(self, text):
        for there, here in self.places:
            text = text.replace(there, here)
        return text

    def _run(self, place, command, shown):
        if command.startswith("outboxd run "):
            self._start(command)
        elif "/status" in command:
            wait_until(lambda: same(shown, self._output(command)), f"{place}: {shown}")
        elif not same(shown, printed := self._output(command)):
            self.unlike.append(f"{place}: {command}\nprints:\n{printed}")

    def _output(self, command):
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=os.environ | {"PATH": path},
            capture_output=True, text=True, timeout=60)
        text = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}: {text}"
        for there, here in self.places:
            text = text.replace(here, there)
        if os.environ.get("OUTBOXD_SHOW_PAGES"):
            print(f"$ {command}\n{text}")
        return text

    def _start(self, command):
        name = re.search(r"([\w-]+)\.conf", command)[1]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.relays[name] = spawn(
                [self.folder / "bin/outboxd", *shlex.split(command)[1:]], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def logs(self):
        return "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))

    def stop_relay(self, name):
        process = self.relays.pop(name)
        process.terminate()
        assert process.wait(60) == 0, self.logs()

    def close(self):
        for process in self.relays.values():
            process.kill()
            process.wait()


class Worker(threading.Thread):
    """A thread whose error becomes that of the test."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended, self.error = threading.Event(), None

    def run(self):
        try:
            self.work()
        except BaseException as error:  # Raised by the thread that waits.
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        if self.error is not None:
            raise self.error


class Customers(Worker):
    """Place orders in turn. `placed`: the numbers of a customer's orders, by that of the customer;
    `sent`: the headers that an order came with, by its number."""

    COUNT = 6
    HEADERS = (
        lambda n: {},
        lambda n: {"traceparent": f"00-{n:032x}-{n:016x}-01"},
        lambda n: {"traceparent": f"00-{n:032x}-{n:016x}-01", "tracestate": f"a=b:{n},c=d"},
    )

    def __init__(self, port):
        super().__init__()
        self.port, self.placed, self.sent = port, defaultdict(list), {}

    def work(self):
        shop = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        n = 0
        while not self.ended.wait(0.005):
            n += 1
            customer = n % self.COUNT
            headers = self.HEADERS[n // self.COUNT % len(self.HEADERS)](n)
            order = {"customer": customer, "item": f'Käse "{n}" 😀', "quantity": n}
            shop.request("POST", "/orders", json.dumps(order).encode(),
                         headers | {"Content-Type": "application/json"})
            answer = shop.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            number = json.loads(text)["id"]
            self.placed[str(customer).encode()].append(number)
            self.sent[number] = headers
        shop.close()


class Message:
    """What a consumer gets, and who sent it."""

    def __init__(self, record):
        self.partition, self.key, self.value = record.partition, record.key, record.value
        self.timestamp = record.timestamp
        senders = {one for one in (BY_DEBEZIUM, BY_OUTBOXD)
                   for name, _ in record.headers if name.startswith(one)}
        assert len(senders) == 1, record.headers
        (self.sender,) = senders
        # Those that tell of the event, and not of the sender.
        headers = [h for h in record.headers if not h[0].startswith(self.sender)]
        self.id = dict(headers)["id"]
        self.trace = {name: value.decode() for name, value in headers if name in TRACE}
        self.parts = {
            "partition": self.partition, "key": self.key, "value": self.value,
            "timestamp": self.timestamp, "headers": [h for h in headers if h[0] not in TRACE]}


class Consumer(Worker):
    """One member of one group, which reads through all phases and is told of none."""

    def __init__(self, kafka, transcript):
        super().__init__()
        self.kafka, self.transcript, self.seen = kafka, transcript, []

    def work(self):
        consumer = KafkaConsumer(
            TOPIC, bootstrap_servers=self.kafka.bootstrap, group_id="shipment",
            auto_offset_reset="earliest")
        while not self.ended.is_set():
            for batch in consumer.poll(timeout_ms=100).values():
                self.seen += map(Message, batch)
        consumer.close()

    def wait_for(self, condition):
        def is_there():
            assert self.error is None, self.error
            return condition(self.seen)

        wait_until(is_there, lambda: f"{len(self.seen)} seen; {self.transcript.logs()}", 120)

    def wait_for_more_by(self, sender):
        count = len(self.seen)
        self.wait_for(lambda seen: sum(m.sender == sender for m in seen[count:]) >= EVENTS)


def add_connector(connect, mysql, kafka, transcript):
    config = json.loads(transcript.here("\n".join(transcript.block("connector.class").lines)))
    mysql.mysql("CREATE USER debezium@'%' IDENTIFIED BY '{}'; GRANT SELECT, RELOAD, SHOW DATABASES,"
                " REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO debezium@'%'"
                .format(config["database.password"]))
    for topic, partitions in ((TOPIC, 3), (config["topic.prefix"], 1)):
        kafka.create_topic(topic, partitions)
    (transcript.folder / "etc").mkdir()
    password = transcript.folder / f"etc/{NAME}.password"
    password.touch(0o600)
    password.write_text(config["database.password"] + "\n")
    worker = (connect.folder / "worker.properties").read_text()
    (transcript.folder / "worker.properties").write_text(worker)
    connect.add(NAME, config)
    wait_for_readers(mysql, 1)
    return config


def wait_for_readers(mysql, count):
    """The server's own list of who reads its log is the proof."""
    wait_until(lambda: mysql.mysql(
        "SELECT COUNT(*) FROM information_schema.processlist"
        " WHERE command LIKE 'Binlog Dump%' AND user = 'debezium'").strip() == str(count),
        f"{count} readers", 120)


def copied_rows(mysql):
    """Every row that was inserted, by what its header id has to say, in their order."""
    text = mysql.mysql(
        "SELECT TO_BASE64(id), aggregateid, type, HEX(payload), HEX(tracingspancontext),"
        " FLOOR(UNIX_TIMESTAMP(timestamp) * 1000), payload->>'$.id' FROM copy ORDER BY n", "shop")
    rows = {}
    for line in text.splitlines():
        event, key, kind, payload, context, time, order = line.split("\t")
        rows[event.encode()] = SimpleNamespace(
            key=key.encode(), type=kind.encode(), value=bytes.fromhex(payload),
            context=bytes.fromhex(context).decode(), timestamp=int(time), order=int(order))
    return rows


def go_there_and_back(transcript, consumer):
    consumer.wait_for_more_by(BY_DEBEZIUM)
    transcript.run("stop")
    transcript.run("position import")
    consumer.wait_for_more_by(BY_OUTBOXD)
    transcript.stop_relay(NAME)
    transcript.run("position export")
    consumer.wait_for_more_by(BY_DEBEZIUM)


@pytest.fixture(scope="module")
def swap(outboxd, mysql, kafka, connect, tmp_path_factory):
    """There and back: what was ordered and inserted, and what the consumer saw."""
    need_program("curl", "curl")
    folder = tmp_path_factory.mktemp("swap")
    transcript = Transcript(outboxd, mysql, folder, [
        ("/etc/outboxd", f"{folder}/etc"), ("connect:8083", f"127.0.0.1:{connect.port}"),
        ("kafka:9092", kafka.bootstrap), ("mysql.example", mysql.host), ("3306", str(mysql.port))])
    mysql.mysql("CREATE DATABASE shop")
    with PrivateQuarkus(mysql, "shop") as shop:
        mysql.mysql(COPY, "shop")
        customers, consumer = Customers(shop.port), Consumer(kafka, transcript)
        try:
            transcript.run("DESCRIBE")
            config = add_connector(connect, mysql, kafka, transcript)
            transcript.run("import-config")
            transcript.run("shadow.conf")
            wait_for_readers(mysql, 2)
            with consumer:
                with customers:
                    go_there_and_back(transcript, consumer)
                rows = copied_rows(mysql)
                # What is missing before the last ones of a partition does not come any more.
                last = {row.key: event for event, row in rows.items()}
                consumer.wait_for(lambda seen: {m.id for m in seen}.issuperset(last.values()))
            wait_until(lambda: len(messages_of(kafka, SHADOW)) >= len(rows), transcript.logs)
            yield SimpleNamespace(rows=rows, placed=customers.placed, sent=customers.sent,
                                  seen=consumer.seen, shadow=messages_of(kafka, SHADOW),
                                  transcript=transcript, config=config, port=shop.port)
        finally:
            transcript.close()
            connect.call("DELETE", f"/connectors/{NAME}")
            mysql.mysql("DROP DATABASE shop; DROP USER debezium@'%'")


def messages_of(kafka, topic):
    return [Message(record) for record in records(kafka, [topic])]


def by_partition(messages):
    found = defaultdict(list)
    for message in messages:
        found[message.partition].append(message)
    return found.values()


def test_nothing_is_lost_on_the_way_there_and_on_the_way_back(swap):
    assert swap.rows.keys() - {message.id for message in swap.seen} == set()
    assert {message.id for message in swap.seen} <= swap.rows.keys()
    ordered = sorted(number for numbers in swap.placed.values() for number in numbers)
    assert sorted(row.order for row in swap.rows.values()) == ordered
    sent = Counter(message.sender for message in swap.seen)
    assert sent[BY_DEBEZIUM] >= 2 * EVENTS and sent[BY_OUTBOXD] >= EVENTS


def test_each_partition_has_debezium_then_outboxd_then_debezium_again(swap):
    for messages in by_partition(swap.seen):
        senders = [message.sender for message in messages]
        turns = [one for one, before in zip(senders, [None, *senders]) if one != before]
        assert turns == [BY_DEBEZIUM, BY_OUTBOXD, BY_DEBEZIUM]
    assert len(by_partition(swap.seen)) == 3


def test_what_comes_twice_is_sent_once_by_each_at_a_switch_with_the_same_bytes(swap):
    by_id = defaultdict(list)
    for message in swap.seen:
        by_id[message.id].append(message)
    repeated = [messages for messages in by_id.values() if len(messages) > 1]
    assert len(repeated) <= REPEATED_MAX
    for one, other in repeated:
        assert {one.sender, other.sender} == {BY_DEBEZIUM, BY_OUTBOXD}
        assert one.parts == other.parts


def test_a_customers_orders_come_in_their_order(swap):
    seen = defaultdict(dict)
    for message in swap.seen:
        seen[message.key].setdefault(swap.rows[message.id].order)
    assert {key: list(numbers) for key, numbers in seen.items()} == swap.placed


def test_a_message_has_what_mysql_shows_of_its_row(swap):
    for message in swap.seen:
        row = swap.rows[message.id]
        headers = [("id", message.id), ("eventType", row.type)]
        assert message.parts == {
            "partition": message.partition, "key": row.key, "value": row.value,
            "timestamp": row.timestamp, "headers": headers}


def test_both_write_the_same_bytes_into_the_same_partitions(swap):
    shadow = {message.id: message for message in swap.shadow}
    assert len(shadow) == len(swap.shadow) == len(swap.rows)
    for message in swap.seen:
        assert message.parts == shadow[message.id].parts
        if message.sender == BY_OUTBOXD:
            assert message.trace == shadow[message.id].trace


def stored_trace(row):
    """Of what java.util.Properties wrote: a comment, and a line with a backslash before some
    characters."""
    comment, line = row.context.splitlines()
    assert comment.startswith("#")
    name, value = line.split("=", 1)
    return {name: re.sub(r"\\(.)", r"\1", value)}


def test_outboxd_passes_the_stored_trace_context_on(swap):
    """The extension keeps the last header that OpenTelemetry gives it: the tracestate where an
    order came with one, and else the traceparent."""
    counts = Counter()
    for message in swap.shadow + [m for m in swap.seen if m.sender == BY_OUTBOXD]:
        row = swap.rows[message.id]
        sent = swap.sent[row.order]
        assert message.trace == stored_trace(row)
        if "tracestate" in sent:
            assert message.trace == {"tracestate": sent["tracestate"]}
        elif sent:
            of_sent, of_message = sent["traceparent"], message.trace["traceparent"]
            assert of_message.split("-")[1] == of_sent.split("-")[1]  # The same trace,
            assert of_message != of_sent  # and the span is the application's.
        counts[len(sent)] += 1
    assert min(counts[0], counts[1], counts[2]) > EVENTS // len(Customers.HEADERS)


def test_debezium_passes_none_on_without_the_library_of_opentelemetry(swap):
    assert all(not m.trace for m in swap.seen if m.sender == BY_DEBEZIUM)


def test_debezium_makes_a_span_of_its_own_where_the_library_is(swap, mysql, kafka):
    """In the row's trace, if the row holds a traceparent."""
    config = swap.config | {
        "topic.prefix": "traced", "database.server.id": "184055", "snapshot.mode": "no_data",
        "schema.history.internal.kafka.topic": "schema-history.traced",
        "transforms.outbox.route.topic.replacement": "traced.${routedByValue}"}
    for topic in ("traced", "traced.Order"):
        kafka.create_topic(topic)
    with PrivateConnect(kafka, libraries=opentelemetry(), settings=TRACING) as connect:
        connect.add("traced", config)
        wait_for_readers(mysql, 3)
        with Customers(swap.port):
            count = 2 * len(Customers.HEADERS) * Customers.COUNT
            wait_until(lambda: len(messages_of(kafka, "traced.Order")) >= count, f"{count} orders")
    rows, in_trace = copied_rows(mysql), Counter()
    for message in messages_of(kafka, "traced.Order"):
        stored = stored_trace(rows[message.id]).get("traceparent", "")
        assert message.trace.keys() == {"traceparent"}
        assert message.trace["traceparent"] != stored
        in_trace[stored != "", message.trace["traceparent"].split("-")[1] in stored] += 1
    assert in_trace.keys() == {(True, True), (False, False)}


def test_the_page_shows_what_is_printed(swap):
    assert not swap.transcript.waiting
    assert not swap.transcript.unlike, "\n".join(swap.transcript.unlike)


def test_another_output_than_the_pages_is_noticed():
    assert same(["a", "...", "b 7 c"], "a\nx\ny\nb\n8 c")
    assert not same(["a", "...", "b 7 c"], "a\nx\nb 8 c\nd")
    assert not same(["a", "b"], "a\nx\nb")
