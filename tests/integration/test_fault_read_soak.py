"""The initial read, again and again, while rows come, go, change and move, and while faults strike
at random in the relay, MySQL, Kafka and the ways to both, failovers among them. After each round
all that arrived is held against what was in the tables when the read began, and what came since.

OUTBOXD_READ_SOAK_SECONDS: how long new rounds begin; not set: the soak is left out, and only its
judge is tested. OUTBOXD_READ_SOAK_SEED: replays the random choices. OUTBOXD_FAULT_REPORT: as in
fault_trial.py.
"""

import collections
import contextlib
import json
import os
import random
import re
import shutil
import time

import fault_trial
import pytest
from fault_broker import SETTINGS, Broker
from fault_proxy import FaultProxy
from fault_trial import LOG_LINES_MAX, TopicReader, report
from private_servers import PrivateMysql
from read_verdict import GtidSet, Verdict, expectation
from recorded_changes import (
    LARGE_BYTES,
    SMALL_TOPIC,
    TABLES,
    Change,
    Commit,
    Content,
    RecordedWriter,
    Rows,
    place,
    version_of,
)
from relay import Received, Relay, wait_until
from replication import catch_up, replicate
from test_fault_soak import DESCRIPTORS_MAX, MEMORY_KIB_MAX, Soak, digest, remember_password

SECONDS = float(os.environ.get("OUTBOXD_READ_SOAK_SECONDS", "0"))
SEED = int(os.environ.get("OUTBOXD_READ_SOAK_SEED", str(fault_trial.SEED)))
WRITERS = 3
ROWS = 2500  # Of each table.
TOPIC_BYTES = LARGE_BYTES // 3
READ_SECONDS_MAX = 180
NOT_HERE = ("disk: full", "disk: read-only", "logs purged")


class Arrival:
    """The first copy of a version."""

    def __init__(self, message, topic):
        headers = dict(message.headers)
        self.topic, self.partition, self.offset = topic, message.partition, message.offset
        self.position = headers["outboxd.position"].decode()
        self.is_dead = topic == "dead"
        if self.is_dead:
            kind = headers["outboxd.dead.topic"].decode().rpartition(".")[2]
        else:
            kind = topic
        key, type, value = message.key, headers["eventType"], digest(message.value)
        self.content = (message.id, kind, key.decode(), type.decode(), value)
        # All but the moment at which it became a dead letter, and the words of the broker.
        rest = [h for h in message.headers if h[0] not in ("outboxd.dead.time",
                                                           "outboxd.dead.reason")]
        self.whole = digest(topic, key, value, rest)

    def shows(self, content):
        value = digest(content.payload.encode())
        expected = (content.id, content.kind, content.key, content.type, value)
        return self.content == expected and self.is_dead == content.is_bad


class Arrivals(TopicReader):
    """Of all topics of a round: versions, and the markers of the table `outbox`."""

    def __init__(self, bootstrap, topics):
        super().__init__(bootstrap, topics.get("order"))
        self.topics = topics  # name -> the whole name
        self.first = {}  # version -> Arrival
        self.copies = self.changed_copies = 0
        self.readers = []
        for name, topic in topics.items():
            reader = TopicReader(bootstrap, topic)
            reader.take = lambda message, name=name: self.take(message, name)
            self.readers.append(reader)

    def read(self):
        for reader in self.readers:
            reader.read()
        return self.ids

    def take(self, message, topic):
        if message.key == b"marker":
            self.ids.add(message.id)
            return
        version, arrival = version_of(message.value), Arrival(message, topic)
        if version in self.first:
            self.copies += 1
            self.changed_copies += self.first[version].whole != arrival.whole
        else:
            self.first[version] = arrival


class Round(Soak):
    """One initial read, from a checkpoint that it begins with to the last event of the stream."""

    def __init__(self, number, relay, servers, proxies, broker, epochs):
        super().__init__(relay, servers, proxies, broker, None)
        self.number, self.epochs = number, epochs
        self.random = random.Random(f"{SEED} {number}")
        self.publishes_updates = self.random.random() < 0.4
        self.rows = Rows(TABLES, self.publishes_updates)
        self.writers = [
            RecordedWriter(relay, n, self.stop_writers, self.rows, f"{SEED} {number}")
            for n in range(WRITERS)
        ]
        topics = {name: relay.topic(name) for name in ("order", SMALL_TOPIC)} | {"dead": relay.dead}
        self.reader = Arrivals(relay.kafka.bootstrap, topics)
        self.start_gtids = None
        self.met = 0  # Faults that began before the read was over.
        self.filled = self.held_at_start = None

    # ------------------------------------------------------------------------- preparation

    def configure(self):
        relay, source = self.relay, self.random
        relay.configure(
            delivery__on_update="publish" if self.publishes_updates else "ignore",
            delivery__max_rate=source.choice([1500, 2500, 4000]),
            delivery__in_flight_bytes_max=source.choice(["32MiB", "1MiB"]),
            checkpoint__interval=source.choice(["50ms", "200ms", "1s"]),
        )

    def fill(self):
        for table in TABLES:
            table.create(self.relay)
        self.filled = self.rows.fill(self.relay, ROWS, self.random)

    def begin_read(self):
        """The writers first, so that some of what they prepared is older than the start."""
        self.wait_for_load(30)
        if self.random.random() < 0.5:
            result = self.relay.command("position", "set", "table")
            assert result.returncode == 0, result.stderr
            self.take_start(self.relay.checkpoint())
            self.wait_for_load(self.random.randrange(60))
        self.relay.start()
        wait_until(lambda: (self.relay.state / "checkpoint").exists(), self.tail())
        self.check_start()
        release = time.monotonic() + self.random.uniform(0, 4)
        for writer in self.writers:
            writer.holds = False
            writer.release_at = release

    @staticmethod
    def gtids_of(shown):
        return GtidSet(re.search(r"^gtids +(\S.*)$", shown, re.MULTILINE)[1])

    def take_start(self, shown):
        self.start_gtids = self.gtids_of(shown)

    def check_start(self):
        """The beginning stays until the read is over, with decisions behind it; whether it is."""
        shown = self.relay.checkpoint()
        if "table read    done" in shown:
            return True
        if self.start_gtids is None:
            self.take_start(shown)
        assert self.gtids_of(shown).covers(self.start_gtids), shown
        return False

    # ------------------------------------------------------------------------------ faults

    def pause(self):
        for writer in self.writers:
            writer.turn.acquire()

    def resume(self):
        for writer in self.writers:
            writer.turn.release()

    def while_writers_pause(self, fault):
        """Up to its yield: no answer to a commit is lost."""
        self.pause()
        try:
            next(fault)
        finally:
            self.resume()
        yield
        next(fault, None)

    def crash(self, server):
        return self.paused(server, super().crash(server))

    def restart(self, server):
        return self.paused(server, super().restart(server))

    def paused(self, server, fault):
        """Only where they write: a writer that waits for a frozen server is not waited for."""
        return self.while_writers_pause(fault) if server in self.servers else fault

    def fail_over(self):
        return self.while_writers_pause(super().fail_over())

    def stop_the_relay(self):
        self.check_process()
        self.end_process()
        yield
        self.check_process()

    def rotate(self):
        for server in self.servers:
            server.mysql("FLUSH BINARY LOGS")
        yield

    def faults(self):
        faults = {name: f for name, f in super().faults().items() if name not in NOT_HERE}
        for again in ("2", "3"):
            faults[f"relay: kill -9 {again}"] = faults["relay: kill -9"]
            faults[f"relay: stopped, started {again}"] = faults["relay: stopped, started"]
        return faults | {"logs rotated": ("relay mysql", self.rotate)}

    def inject(self, names):
        faults = self.faults()
        self.met += len(names) * (not self.check_start())
        under_way = []
        for name in names:
            fault = faults[name][1]()
            self.note(f"{name}: begins")
            next(fault)
            under_way.append((name, fault))
            self.counts[re.sub(r" (again|\d)$", "", name)] += 1
            time.sleep(self.random.choice([0.05, 0.5, 2]) * self.random.random())
        self.random.shuffle(under_way)
        for name, fault in under_way:
            next(fault, None)
            self.note(f"{name}: healed")
        self.check_process()
        self.wait_until_it_goes_on()

    def wait_until_it_goes_on(self):
        """Until something new arrives. While transactions that are older than the start are not
        decided, nothing can."""
        healed = time.monotonic()
        self.reader.read()
        count = len(self.reader.first)
        if self.waits_for_decisions():
            wait_until(lambda: not self.waits_for_decisions(), "the decisions", 30)
            healed = time.monotonic()
        deadline = time.monotonic() + READ_SECONDS_MAX
        while not self.reader.read() and len(self.reader.first) == count:
            self.check_process()
            assert time.monotonic() < deadline, f"nothing arrives\n{self.tail()}"
        self.recoveries.append(time.monotonic() - healed)
        self.note(f"goes on after {self.recoveries[-1]:.2f} s")

    def waits_for_decisions(self):
        prepared = [commit.prepared for writer in self.writers
                    for commit, _ in list(writer.prepared.values())]
        return any(gtid in self.start_gtids for gtid in prepared if gtid)

    # ------------------------------------------------------------------------------ the round

    def run(self, draws):
        self.configure()
        self.fill()
        for writer in self.writers:
            writer.start()
        try:
            self.begin_read()
            for _ in range(self.random.randrange(2, 5)):
                time.sleep(self.random.uniform(0, 1.5))
                lines = self.relay.log().count("\n")
                self.inject(next(draws))
                self.lines = max(self.lines, self.relay.log().count("\n") - lines)
            wait_until(self.is_read, f"the end of the read\n{self.tail()}", READ_SECONDS_MAX)
        finally:
            self.end_load()
        self.wait_until_delivered()
        wait_until(self.is_acknowledged, f"the last acknowledgement\n{self.tail()}", 60)
        self.measure()
        status = self.relay.command("status").stdout
        assert self.relay.stop() == 0, self.tail()
        self.reader.read()
        assert "alarms        0" in status and "held  " not in status, status
        return self.judged()

    def is_read(self):
        self.check_process()
        return self.check_start()

    def is_acknowledged(self):
        """Not only the marker: what was refused in another topic is sent again behind it."""
        executed = GtidSet(self.relay.executed_gtids())
        return self.gtids_of(self.relay.checkpoint()).covers(executed)

    def judged(self):
        commits = [commit for writer in self.writers for commit in writer.commits]
        expected = expectation(
            self.filled, commits, self.start_gtids, self.serial, self.publishes_updates
        )
        self.check_record(expected.tables)
        verdict = Verdict(
            expected, self.relay.database, self.reader.first, self.reader.changed_copies
        )
        self.expected, self.verdict = expected, verdict
        return {
            "round": self.number,
            "rows at the start": expected.rows_at_start,
            "rows read": verdict.rows,
            "stream events": verdict.events,
            "dead letters": verdict.bad,
            "XA across the start": expected.straddling,
            "transactions": len(commits),
            "lost": len(verdict.lost),
            "invented": len(verdict.invented),
            "changed": len(verdict.changed) + len(verdict.misplaced) + self.reader.changed_copies,
            "keys out of order": verdict.disordered,
            "duplicates": self.reader.copies,
            "longest recovery s": round(max(self.recoveries, default=0), 2),
            "faults in the read": self.met,
            "faults": dict(sorted(self.counts.items())),
            "exits": dict(self.exits),
            "on-update": "publish" if self.publishes_updates else "ignore",
        }

    def serial(self, gtid):
        """(number of failovers before, number of the transaction): the order of all commits."""
        for epoch, (source, last) in enumerate(self.epochs):
            if source == gtid[0] and gtid[1] <= last:
                return epoch, gtid[1]
        return len(self.epochs), gtid[1]

    def check_record(self, tables):
        """The tables now are what the record says."""
        recorded = {at: row.content.version for at, row in tables.rows.items()}
        stored = {}
        for table in TABLES:
            names = ", ".join((*table.columns, "LEFT(payload, 20)"))
            for *key, payload in self.relay.sql(f"SELECT {names} FROM {table.name}"):
                stored[place(table, key)] = version_of(payload.encode())
        assert stored == recorded, "the test's record"

    def keep(self, folder):
        """What is needed to look into it: the record, what arrived, both servers' logs."""
        for number, server in enumerate(self.servers):
            shutil.copytree(server.datadir, folder / f"server-{number}-log", dirs_exist_ok=True,
                            ignore=lambda d, names: [n for n in names if "binlog." not in n])
        with open(folder / "faults.json", "w") as file:
            json.dump(self.told().splitlines(), file, indent=1)
        if hasattr(self, "verdict"):
            lines = []
            for name, versions in self.verdict.faults.items():
                for version in versions:
                    owed = self.expected.by_version.get(version)
                    came = self.reader.first.get(version)
                    lines.append(f"{name} {version} owed {owed} arrived {came and vars(came)}")
            lines += [f"{w.number} {commit}" for w in self.writers for commit in w.commits]
            lines.insert(0, f"begins at {dict(self.start_gtids.ranges)}")
            (folder / "record.txt").write_text("\n".join(lines))

    def told(self):
        return f"OUTBOXD_READ_SOAK_SEED={SEED} round {self.number}\n" + super().told()


class Rounds:
    """The servers, one round after the other on them, and the sum of all."""

    def __init__(self, outboxd, folder, stack):
        self.outboxd, self.folder = outboxd, folder
        self.broker = stack.enter_context(Broker())
        self.servers = [stack.enter_context(PrivateMysql()) for _ in range(2)]
        self.proxies = [stack.enter_context(FaultProxy(s.host, s.port)) for s in self.servers]
        self.source = self.servers[0]
        self.servers[1].options["read-only"] = "ON"
        replicate(self.servers[1], self.source)
        self.epochs = []
        self.draws = None
        self.total = collections.Counter()
        self.faults = collections.Counter()
        self.slowest = self.memory_kib = self.descriptors = self.lines = 0

    @property
    def replica(self):
        return next(server for server in self.servers if server is not self.source)

    def relay(self, number):
        folder = self.folder / f"round-{number}"
        folder.mkdir()
        relay = Relay(
            self.outboxd, self.source, self.broker.kafka, folder, **SETTINGS,
            kafka__bootstrap__servers=f"127.0.0.1:{self.broker.proxy.port}",
            mysql__host=", ".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies),
            relay__stop_timeout="3s",
            delivery__on_bad_event="dead-letter",
        )  # fmt: skip
        relay.dead = relay.name + "-dead"
        relay.kafka.create_topic(relay.dead)
        relay.kafka.create_topic(
            relay.topic(SMALL_TOPIC), configs={"max.message.bytes": str(TOPIC_BYTES)}
        )
        relay.configure(
            outbox__table=[f"{relay.database}.e_*", f"{relay.database}.outbox"],
            delivery__dead_letter_topic=relay.dead,
        )
        relay.sql(f"GRANT SELECT ON {relay.database}.* TO {relay.user}@'%'")
        relay.sql(f"GRANT XA_RECOVER_ADMIN ON *.* TO {relay.user}@'%'")
        catch_up(self.replica, self.source)
        for server in self.servers:
            remember_password(server, relay.user)
        return relay

    def run(self, number):
        with self.relay(number) as relay:
            one = Round(number, relay, self.servers, self.proxies, self.broker, self.epochs)
            self.draws = self.draws or one.draws()
            try:
                result = one.run(self.draws)
                print(json.dumps(result), flush=True)
                self.add(one, result)
                one.verdict.check()
            except BaseException:
                print(one.told(), flush=True)
                one.keep(relay.folder)
                raise
            self.source = relay.mysql
            self.clear(relay, one)

    def add(self, one, result):
        self.faults += one.counts
        for name, figure in result.items():
            if isinstance(figure, int):
                self.total[name] += figure
        self.slowest = max(self.slowest, result["longest recovery s"])
        self.memory_kib = max(self.memory_kib, one.memory_kib)
        self.descriptors = max(self.descriptors, one.descriptors)
        self.lines = max(self.lines, one.lines)

    def clear(self, relay, one):
        relay.sql(f"DROP DATABASE {relay.database}", database=None)
        relay.sql(f"DROP USER {relay.user}@'%'", database=None)
        catch_up(self.replica, self.source)
        for server in self.servers:
            server.mysql("FLUSH BINARY LOGS")
            server.mysql(f"PURGE BINARY LOGS TO '{server.binlogs()[-1].name}'")
        for topic in one.reader.topics.values():
            relay.kafka.delete_topic(topic)

    def report(self, rounds, seconds):
        total = dict(self.total)
        del total["round"]
        report({
            "fault": "initial read: soak",
            "iterations": sum(self.faults.values()),
            "rounds": rounds,
            "seconds": round(seconds),
            "written": total["rows read"] + total["stream events"] + total["lost"],
            **total,
            "longest recovery s": self.slowest,
            "most log lines": self.lines,
            "most memory KiB": self.memory_kib,
            "most descriptors": self.descriptors,
            "faults": dict(sorted(self.faults.items())),
            "seed": SEED,
        })  # fmt: skip


SERVER = "01234567-89ab-cdef-0123-456789abcdef"
START = 5  # The last number of the beginning.


class Scene:
    """Six rows at the start; then one is deleted, one changed, two inserted, one moved; and a
    transaction that was prepared before inserts one, deletes one and changes one."""

    def __init__(self, publishes_updates=False):
        self.table = next(table for table in TABLES if table.name == "e_bytes")
        filled = [self.inserted(n) for n in range(1, 7)]
        moved = 15 if publishes_updates else None
        prepared = Commit(
            [self.inserted(20), self.change("delete", 4), self.change("update", 5, version=25)],
            (SERVER, 9), prepared=(SERVER, 3),
        )
        commits = [
            Commit([self.change("update", 1, version=11)], (SERVER, 4)),
            Commit([self.change("delete", 1), self.inserted(1, 12)], (SERVER, 6)),
            Commit([self.change("update", 2, version=13), self.inserted(14)], (SERVER, 7)),
            Commit([self.change("move", 3, key_after=self.key(33), version=moved)], (SERVER, 8)),
            prepared,
            Commit([self.change("delete", 20)], (SERVER, 10)),
        ]
        self.expected = expectation(
            filled, commits, GtidSet(f"{SERVER}:1-{START}"), lambda gtid: (0, gtid[1]),
            publishes_updates,
        )
        self.reader = Arrivals(None, {"order": "o"})
        self.contents = {c.version: c for one in self.expected.by_version.values()
                         for c in one.contents}
        self.offset = 0

    def key(self, number):
        return (number.to_bytes(16, "big"),)

    def content(self, version):
        return Content(version, f"id-{version % 10}", "order", "k")

    def inserted(self, number, version=None):
        content = self.content(version or number)
        return Change("insert", self.table, self.key(number), content=content)

    def change(self, kind, number, **rest):
        return Change(kind, self.table, self.key(number), **rest)

    def arrives(self, version, gtid=None, key="k", row=1):
        content = self.contents.get(version, self.content(version))
        at = f"{SERVER}:{gtid}:{row}" if gtid else f"table:shop.e_bytes:{key}"
        headers = (("id", content.id.encode()), ("eventType", content.type.encode()),
                   ("outboxd.position", at.encode()))
        self.offset += 1
        self.reader.take(Received(0, self.offset, b"k", content.payload.encode(), headers), "order")

    def verdict(self):
        return Verdict(self.expected, "shop", self.reader.first, self.reader.changed_copies)


@pytest.mark.parametrize(
    "fault",
    ["", "optional", "row lost", "event lost", "row as it is now", "row gone before the start",
     "by the stream and the read", "both alternatives", "no alternative", "another copy",
     "too early", "overtaken", "prepared insert lost"],
)  # fmt: skip
def test_the_verdict_notices(fault):
    scene = Scene()
    read = {11, 2, 3, 6, 20, 25}
    if fault == "optional":
        read = read - {25} | {4, 5}
    elif fault in ("row lost", "prepared insert lost", "no alternative"):
        read.remove({"row lost": 2, "prepared insert lost": 20, "no alternative": 25}[fault])
    elif fault == "row as it is now":
        read = read - {2} | {13}
    elif fault == "row gone before the start":
        read.add(1)
    elif fault == "both alternatives":
        read.add(5)
    if fault == "too early":
        scene.arrives(12, 6, row=2)
    for version in sorted(read):
        scene.arrives(version)
    if fault == "by the stream and the read":
        scene.arrives(14)
    if fault == "overtaken":
        scene.arrives(14, 7, row=2)
    scene.arrives(12, 6, row=2)
    if fault != "event lost":
        scene.arrives(14, 7, row=2)
    scene.arrives(2, key="other" if fault == "another copy" else "k")
    verdict = scene.verdict()
    if fault in ("", "optional"):
        verdict.check()
        assert (verdict.rows, verdict.events) == (6 + (fault == "optional"), 2)
        assert scene.reader.copies == 1
    else:
        with pytest.raises(AssertionError):
            verdict.check()


def test_the_verdict_wants_updates_where_they_are_published():
    scene = Scene(publishes_updates=True)
    events = {v for v, one in scene.expected.by_version.items() if one.commit}
    assert events == {12, 13, 14, 15}


@pytest.mark.skipif(SECONDS == 0, reason="OUTBOXD_READ_SOAK_SECONDS is not set")
def test_every_row_of_the_start_and_every_later_one_arrives_whatever_strikes(outboxd, tmp_path):
    print(f"\nOUTBOXD_READ_SOAK_SEED={SEED}", flush=True)
    with contextlib.ExitStack() as stack:
        rounds = Rounds(outboxd, tmp_path, stack)
        begin = time.monotonic()
        done = 0
        try:
            while done == 0 or time.monotonic() - begin < SECONDS:
                rounds.run(done + 1)
                done += 1
        finally:
            if done:
                rounds.report(done, time.monotonic() - begin)
        assert rounds.lines < LOG_LINES_MAX
        assert rounds.memory_kib < MEMORY_KIB_MAX and rounds.descriptors < DESCRIPTORS_MAX
