"""Everything at once, for as long as wanted: one relay, writers that never stop, and faults drawn
at random in the relay, MySQL, Kafka, the ways to both and the disk, failovers among them. At the
end each committed row is held against what an independent consumer reads.

OUTBOXD_SOAK_SECONDS: how long faults are injected (8). The rest as in fault_trial.py.
"""

import collections
import contextlib
import hashlib
import itertools
import os
import pathlib
import random
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import pymysql
import pytest
from fault_broker import SETTINGS, Broker
from fault_proxy import PRODUCE, TO_CLIENT, TO_SERVER, FaultProxy, Way
from fault_trial import (LOG_LINES_MAX, SEED, TopicReader, Trial, report,
                         stop_with_everything_delivered)
from private_servers import PrivateMysql
from relay import PASSWORD, Received, Relay, wait_until
from replication import catch_up, executed, promote, replicate, value

SECONDS = float(os.environ.get("OUTBOXD_SOAK_SECONDS", "8"))
WRITERS = 3
KEYS = 4
PAUSE = 0.03
HELD_MAX = 3  # Prepared XA transactions of one writer at a time.
MEMORY_KIB_MAX = 200_000
DESCRIPTORS_MAX = 100

SESSION_TRACK = 1 << 23  # CLIENT_SESSION_TRACK of MySQL's protocol.
GTID = re.compile(rb"([0-9a-f]{8}-[0-9a-f-]{27}):(\d+)")


@dataclass
class Commit:
    """A transaction whose commit was asked for; whether it happened, its row in `orders` tells."""

    events: list  # (id, key, digest of key, value and the mapped headers), in order
    gtid: tuple = None  # (server's UUID, number) as the server answered; None: no answer.


def digest(*parts):
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).digest()


class SoakWriter(threading.Thread):
    """Commits, rolls back, undoes to savepoints, deletes, prepares and decides later, through
    crashes and failovers. Its keys are its own: the order of its commits is the order of their
    events."""

    def __init__(self, relay, number, stop):
        super().__init__(daemon=True)
        self.relay, self.number, self.stop = relay, number, stop
        self.random = random.Random(SEED * 100 + number)
        self.count = self.transactions = 0
        self.labels = itertools.count(1)
        self.commits = {}  # label -> Commit, in the order of the commits
        self.prepared = {}  # label -> events
        self.deleted = set()
        self.recent = collections.deque(maxlen=50)
        self.failure = self.bug = None

    def run(self):
        connection = None
        try:
            while not (self.stop.is_set() and connection is not None and not self.prepared):
                try:
                    if connection is None:
                        connection = self.connect()
                    self.step(connection)
                except (pymysql.err.MySQLError, OSError) as error:
                    self.failure = error
                    if connection is not None:
                        with contextlib.suppress(pymysql.err.Error, OSError):
                            connection.close()
                    connection = None
                time.sleep(PAUSE)
        except BaseException as error:
            self.bug = error
            raise

    def connect(self):
        connection = self.relay.connect(
            connect_timeout=5,
            client_flag=SESSION_TRACK,
            # Prepared transactions must lock no gaps, into which others insert.
            init_command="SET SESSION session_track_gtids = OWN_GTID,"
            " SESSION transaction_isolation = 'READ-COMMITTED'",
        )
        # What an answer was lost for is decided already, or still prepared.
        with connection.cursor() as cursor:
            cursor.execute("XA RECOVER")
            known = {row[3] for row in cursor.fetchall()}
        self.prepared = {label: e for label, e in self.prepared.items() if label in known}
        return connection

    def step(self, connection):
        with connection.cursor() as cursor:
            is_full = len(self.prepared) >= HELD_MAX or self.stop.is_set()
            if self.prepared and (is_full or self.random.random() < 0.1):
                self.decide(cursor, self.random.choice(list(self.prepared)))
            elif not self.stop.is_set():
                self.transaction(cursor)
        self.transactions += 1

    def transaction(self, cursor):
        label = f"w{self.number}-t{next(self.labels)}"
        choice = self.random.random()
        is_xa = choice > 0.9
        cursor.execute(f"XA START '{label}'" if is_xa else "BEGIN")
        events = self.changes(cursor)
        cursor.execute("INSERT INTO orders (note) VALUES (%s)", (label,))
        if is_xa:
            cursor.execute(f"XA END '{label}'")
            self.prepared[label] = events
            cursor.execute(f"XA PREPARE '{label}'")
        elif choice < 0.15:
            cursor.execute("ROLLBACK")
        else:
            self.commit(cursor, label, events, "COMMIT")

    def changes(self, cursor):
        events = []
        if self.random.random() < 0.1:
            return events  # Of no event table.
        for _ in range(self.random.randrange(1, 4)):
            is_large = self.random.random() < 0.001
            events += self.insert(cursor, 2000 if is_large else self.random.randrange(1, 4))
        if self.random.random() < 0.15:
            cursor.execute("SAVEPOINT s")
            self.insert(cursor, 2)
            cursor.execute("ROLLBACK TO s")
            events += self.insert(cursor, 1)
        if self.random.random() < 0.3 and self.recent:
            gone = self.recent.popleft()
            self.deleted.add(gone)
            cursor.execute("DELETE FROM outbox WHERE id = %s", (gone,))
        return events

    def insert(self, cursor, rows):
        events, values = [], []
        for _ in range(rows):
            self.count += 1
            event = f"w{self.number}-{self.count}"
            key = f"key-{self.number}-{self.random.randrange(KEYS)}"
            value = f'{{"n":{self.count},"pad":"{"x" * self.random.randrange(300)}"}}'
            values.append((event, key, value))
            events.append((event, key, digest(key, value, "Created")))
        cursor.executemany(
            "INSERT INTO outbox VALUES (%s, 'order', %s, 'Created', %s)", values
        )
        return events

    def decide(self, cursor, label):
        events = self.prepared[label]
        if self.random.random() < 0.2:
            cursor.execute(f"XA ROLLBACK '{label}'")
        else:
            self.commit(cursor, label, events, f"XA COMMIT '{label}'")
        del self.prepared[label]

    def commit(self, cursor, label, events, statement):
        # Asked again, its place is the latter one.
        self.commits.pop(label, None)
        commit = self.commits[label] = Commit(events)
        cursor.execute(statement)
        found = GTID.search(cursor._result.message or b"")
        commit.gtid = (found[1].decode(), int(found[2]))
        self.recent.extend(event for event, _, _ in events)


class SoakReader(TopicReader):
    """Keeps of each message what the judgement needs, in little memory."""

    def __init__(self, bootstrap, topic):
        super().__init__(bootstrap, topic)
        self.first = {}  # id -> (digest, position, digest of all)
        self.order = collections.defaultdict(list)  # partition -> ids as they came first
        self.copies = self.changed_copies = 0

    def take(self, message):
        headers = dict(message.headers)
        key, value = message.key.decode(), message.value.decode()
        content = (
            digest(key, value, headers["eventType"].decode()),
            headers["outboxd.position"].decode(),
            digest(message.key, message.value, message.headers),
        )
        if message.id in self.first:
            self.copies += 1
            self.changed_copies += self.first[message.id] != content
        else:
            self.first[message.id] = content
            self.order[message.partition].append(message.id)
            if key == "marker":
                self.ids.add(message.id)


class Verdict:
    """What the writers committed, held against what arrived."""

    def __init__(self, writers, happened, epochs, reader):
        self.epochs, self.reader = epochs, reader
        self.committed = {}  # id -> digest
        self.serials = {}  # id -> place among all commits, where the server told it
        self.positions = {}  # id -> header outboxd.position, where the server told the GTID
        self.disordered_keys = 0
        for writer in writers:
            self._take(writer, happened)
        first = {event: content for event, content in reader.first.items()
                 if event not in reader.ids}
        self.lost = set(self.committed) - set(first)
        self.invented = set(first) - set(self.committed)
        self.changed = reader.changed_copies + sum(
            self.committed.get(event, value) != value
            or self.positions.get(event, position) != position
            for event, (value, position, _) in first.items()
        )
        self.overtaken = self._overtaken()

    def check(self):
        assert not self.lost, sorted(self.lost)[:20]
        assert not self.invented, sorted(self.invented)[:20]
        assert not self.changed and not self.disordered_keys and not self.overtaken

    def _take(self, writer, happened):
        keys = collections.defaultdict(list)
        for label, commit in writer.commits.items():
            if label not in happened:
                assert commit.gtid is None, f"{label} was acknowledged, and is not there"
                continue
            for number, (event, key, content) in enumerate(commit.events, 1):
                self.committed[event] = content
                keys[key].append(event)
                if commit.gtid:
                    self.serials[event] = (*self._serial(commit.gtid), number)
                    self.positions[event] = f"{commit.gtid[0]}:{commit.gtid[1]}:{number}"
        places = {event: place for order in self.reader.order.values()
                  for place, event in enumerate(order)}
        for events in keys.values():
            arrived = [places[event] for event in events if event in places]
            self.disordered_keys += arrived != sorted(arrived)

    def _serial(self, gtid):
        """(number of failovers before, number of the transaction): the order of all commits."""
        uuid, number = gtid
        for epoch, (source, last) in enumerate(self.epochs):
            if source == uuid and number <= last:
                return epoch, number
        return len(self.epochs), number

    def _overtaken(self):
        """First occurrences behind one of a later commit of their partition, whoever wrote it."""
        count = 0
        for order in self.reader.order.values():
            known = [self.serials[event] for event in order if event in self.serials]
            count += sum(later < former for former, later in itertools.pairwise(known))
        return count


def remember_password(server, user):
    """Without TLS a server takes only a password that it has seen since its start."""
    server.mysql("DO 0", user=user, password=PASSWORD)


class Soak(Trial):
    """A source and a replica that change places, a broker, a relay; and what happens to them."""

    def __init__(self, relay, servers, proxies, broker, disk):
        super().__init__(relay, "soak")
        self.servers, self.proxies, self.broker, self.disk = servers, proxies, broker, disk
        self.reader = SoakReader(relay.kafka.bootstrap, relay.topic())
        self.writers = [SoakWriter(relay, n, self.stop_writers) for n in range(WRITERS)]
        self.epochs = []  # (server's UUID, its last number as the source), of former sources
        self.begin = time.monotonic()
        self.history = []  # (seconds, text)
        self.counts = collections.Counter()
        self.slowest = {}  # name -> longest recovery, alone or with another
        self.memory_kib = self.descriptors = 0
        self.state_fails = False
        self.exits = collections.Counter()

    @property
    def replica(self):
        return next(server for server in self.servers if server is not self.relay.mysql)

    def end_load(self):
        self.stop_writers.set()
        for writer in self.writers:
            writer.join(60)
            assert not writer.is_alive() and not writer.bug, (writer.failure, writer.bug)

    def note(self, text):
        self.history.append((round(time.monotonic() - self.begin, 2), text))

    # ------------------------------------------------------------------------- the process

    def check_process(self):
        """As systemd would: a relay whose state directory failed is started again."""
        bugs = [writer.bug for writer in self.writers if writer.bug]
        assert not bugs, bugs
        if self.relay.process is not None and self.relay.process.poll() is not None:
            self.take_exit(self.relay.wait())
        if self.relay.process is None:
            self.relay.start()

    def take_exit(self, code):
        self.note(f"the relay ended with {code}")
        self.exits[code] += 1
        assert code == 0 or (code == 74 and self.state_fails), self.tail()

    def end_process(self):
        if self.relay.process is not None:
            self.take_exit(self.relay.stop())

    def kill_process(self):
        if self.relay.process is None:
            return
        if self.relay.process.poll() is None:
            self.relay.kill()
        else:
            self.take_exit(self.relay.wait())

    def measure(self):
        self.memory_kib = max(self.memory_kib, self.relay.memory_kib("VmHWM"))
        folder = pathlib.Path(f"/proc/{self.relay.process.pid}/fd")
        self.descriptors = max(self.descriptors, len(list(folder.iterdir())))

    # ------------------------------------------------------------- faults of the two networks
    #
    # Each fault is a generator: up to its yield it breaks something, behind it it heals it.

    def break_network(self, proxies, action, way, pattern):
        """One action on some proxies, until the yield returns."""
        random = self.random
        for proxy in proxies:
            if action == "reset":
                proxy.reset()
            elif action == "stall":
                proxy.stall()
            elif action == "half-close":
                proxy.half_close(random.choice(list(Way)))
            elif action == "cut":
                how = random.choice(["reset", "close", "drop"])
                proxy.cut_after(random.choice(list(Way)), random.randrange(1, 20_000), how)
            elif action == "corrupt":
                proxy.corrupt(way, pattern, random.randrange(10_000), random.randrange(1, 256))
            elif action == "throttle":
                proxy.throttle(random.randrange(5_000, 50_000))
            elif action == "delay":
                proxy.delay(0.05, 0.3)
            elif action == "drop":
                proxy.drop()
            elif action == "refuse":
                proxy.refuse()
                proxy.reset()
        yield
        for proxy in proxies:
            proxy.heal()

    def break_way_to_mysql(self, action):
        is_plain = self.relay.config.get("mysql.tls") == "disabled"
        source = self.servers.index(self.relay.mysql)
        # With the way to one of them left whole, the relay may go on at the other.
        proxies = self.random.choice([[self.proxies[source]], self.proxies])
        # Without TLS only the events have a checksum.
        pattern = b'"pad":"xx' if is_plain else None
        return self.break_network(proxies, action, TO_CLIENT, pattern)

    def break_way_to_kafka(self, action):
        proxy = self.broker.proxy
        if action in ("hold", "lose"):
            frames = proxy.hold_frames if action == "hold" else proxy.drop_frames
            frames(PRODUCE, self.random.choice(list(Way)), times=self.random.randrange(1, 5))
            action = "none"
        return self.break_network([proxy], action, TO_SERVER, b'"pad":"xx')

    # ------------------------------------------------------------------ faults of the relay

    def kill_the_relay(self):
        for _ in range(self.random.choice([1, 1, 4])):
            self.check_process()
            time.sleep(self.random.uniform(0, 0.7))
            self.kill_process()
        yield
        self.check_process()

    def stop_the_relay(self):
        self.check_process()
        self.end_process()
        tls = self.random.choice(["required", "disabled"])
        self.relay.configure(mysql__tls=tls)
        yield
        self.check_process()

    def suspend_the_relay(self):
        self.check_process()
        self.relay.process.send_signal(signal.SIGSTOP)
        yield
        self.relay.process.send_signal(signal.SIGCONT)

    # ---------------------------------------------------------------- faults of the servers

    def start(self, server):
        server.start()
        if server in self.servers:
            remember_password(server, self.relay.user)

    def crash(self, server):
        server.kill9()
        yield
        self.start(server)

    def restart(self, server):
        server.stop()
        yield
        self.start(server)

    def suspend(self, server):
        server.freeze()
        yield
        server.thaw()

    def kill_the_dumps(self):
        for server in self.servers:
            threads = server.mysql(
                "SELECT id FROM performance_schema.processlist"
                f" WHERE user = '{self.relay.user}'"
            )
            for thread in threads.split():
                with contextlib.suppress(RuntimeError):  # Gone by itself.
                    server.mysql(f"KILL {thread}")
        yield

    # ------------------------------------------------------------------- faults of the disk

    def fill_the_disk(self):
        self.state_fails = True
        filler = self.disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        yield
        filler.unlink()

    def make_the_disk_read_only(self):
        """Around a restart: while the relay has files open the kernel refuses it."""
        self.check_process()
        self.end_process()
        self.state_fails = True
        subprocess.run(["mount", "-o", "remount,ro", str(self.disk)], check=True)
        self.relay.start()
        yield
        subprocess.run(["mount", "-o", "remount,rw", str(self.disk)], check=True)

    # ------------------------------------------------------------------ what operators do

    def purge(self):
        """Everything that the checkpoint has passed."""
        replica, source = self.replica, self.relay.mysql
        ends = []
        for server in (source, replica):
            server.mysql("FLUSH BINARY LOGS")
            ends.append((server, executed(server), server.binlogs()[-1].name))
        for server, gtids, name in ends:
            wait_until(
                lambda gtids=gtids: self.is_passed(gtids)
                and replica.mysql(f"SELECT GTID_SUBSET('{gtids}', @@global.gtid_executed)") ==
                "1\n",
                f"the checkpoint passes {gtids}\n{self.tail()}",
            )
            server.mysql(f"PURGE BINARY LOGS TO '{name}'")
        if self.random.random() < 0.5:
            for proxy in self.proxies:
                proxy.reset()
        yield

    def is_passed(self, gtids):
        self.check_process()
        found = re.search(r"^gtids +(\S+)$", self.relay.checkpoint(), re.MULTILINE)
        return found and self.relay.sql(f"SELECT GTID_SUBSET('{gtids}', '{found[1]}')")[0][0]

    def fail_over(self):
        """Nothing is lost: the source takes nothing more until the replica has all of it."""
        source, replica = self.relay.mysql, self.replica
        source.mysql("SET GLOBAL super_read_only = ON")
        catch_up(replica, source)
        uuid = value(source, "server_uuid")
        own = re.search(rf"{uuid}[:\d-]*[:-](\d+)", executed(source))
        self.epochs.append((uuid, int(own[1]) if own else 0))
        source.kill9() if self.random.random() < 0.7 else source.stop()
        promote(replica)
        replica.options["read-only"] = "OFF"
        self.relay.mysql = replica
        source.options["read-only"] = "ON"
        yield
        self.start(source)
        replicate(source, replica)

    # ------------------------------------------------------------------------------ the run

    def faults(self):
        """name -> (what it touches, separated by spaces, and the fault)"""
        faults = {
            "relay: kill -9": ("relay", self.kill_the_relay),
            "relay: kill -9 again": ("relay", self.kill_the_relay),
            "relay: stopped, started": ("relay", self.stop_the_relay),
            "relay: suspended": ("relay", self.suspend_the_relay),
            "mysqld: kill -9": ("mysql", lambda: self.crash(self.relay.mysql)),
            "mysqld: restarted": ("mysql", lambda: self.restart(self.relay.mysql)),
            "mysqld: frozen": ("mysql", lambda: self.suspend(self.relay.mysql)),
            "replica: kill -9": ("mysql", lambda: self.crash(self.replica)),
            "MySQL: dumps killed": ("mysql", self.kill_the_dumps),
            "Kafka: kill -9": ("kafka", lambda: self.crash(self.broker.kafka)),
            "Kafka: restarted": ("kafka", lambda: self.restart(self.broker.kafka)),
            "Kafka: frozen": ("kafka", lambda: self.suspend(self.broker.kafka)),
            "disk: full": ("disk", self.fill_the_disk),
            "disk: read-only": ("disk relay", self.make_the_disk_read_only),
            "logs purged": ("relay mysql kafka disk", self.purge),
            "failover": ("relay mysql kafka disk", self.fail_over),
            "failover again": ("relay mysql kafka disk", self.fail_over),
        }
        actions = ("reset", "stall", "half-close", "cut", "corrupt", "throttle", "delay", "drop")
        for action in (*actions, "refuse"):
            faults[f"way to MySQL: {action}"] = (
                "mysql", lambda action=action: self.break_way_to_mysql(action)
            )
        for action in (*actions, "hold", "lose"):
            faults[f"way to Kafka: {action}"] = (
                "kafka", lambda action=action: self.break_way_to_kafka(action)
            )
        return faults

    def draws(self):
        """Lists of one or two names without end: each comes once before any comes again."""
        faults = self.faults()
        while True:
            names = list(faults)
            self.random.shuffle(names)
            while names:
                drawn = [names.pop()]
                touched = set(faults[drawn[0]][0].split())
                others = [n for n in names if touched.isdisjoint(faults[n][0].split())]
                if others and self.random.random() < 0.4:
                    names.remove(others[0])
                    drawn.append(others[0])
                yield drawn

    def run(self):
        faults = self.faults()
        for names in self.draws():
            if time.monotonic() - self.begin >= SECONDS:
                return
            time.sleep(self.random.uniform(0, 1))
            lines = self.relay.log().count("\n")
            under_way = []
            for name in names:
                fault = faults[name][1]()
                self.note(f"{name}: begins")
                next(fault)
                under_way.append((name, fault))
                self.counts[name] += 1
                time.sleep(self.random.choice([0.05, 0.5, 2, 5]) * self.random.random())
            self.random.shuffle(under_way)
            for name, fault in under_way:
                next(fault, None)
                self.note(f"{name}: healed")
            self.check_process()
            healed = time.monotonic()
            self.wait_until_delivered()
            self.recoveries.append(time.monotonic() - healed)
            self.note(f"caught up after {self.recoveries[-1]:.2f} s")
            for name in names:
                seconds = max(self.slowest.get(name, 0), self.recoveries[-1])
                self.slowest[name] = round(seconds, 2)
            self.lines = max(self.lines, self.relay.log().count("\n") - lines)
            self.state_fails = False
            self.measure()

    def told(self):
        """What is needed to do it again."""
        lines = "\n".join(f"{seconds:9.2f}  {text}" for seconds, text in self.history)
        return f"OUTBOXD_TEST_SEED={SEED}\n{lines}"

    # ------------------------------------------------------------------------ the judgement

    def judge(self):
        self.wait_until_delivered()
        status = self.relay.command("status").stdout
        stop_with_everything_delivered(self.relay, self.wait_until_delivered)
        self.reader.read()
        happened = {note for (note,) in self.relay.sql("SELECT note FROM orders")}
        stored = {row[0] for row in self.relay.sql("SELECT id FROM outbox WHERE aggregateid <>"
                                                   " 'marker'")}
        verdict = Verdict(self.writers, happened, self.epochs, self.reader)
        deleted = set().union(*(writer.deleted for writer in self.writers))
        committed = set(verdict.committed)
        assert stored <= committed and committed - deleted <= stored, "the test's record"
        result = {
            "fault": "soak",
            "iterations": sum(self.counts.values()),
            "seconds": round(time.monotonic() - self.begin),
            "transactions": len(happened),
            "written": len(committed),
            "in known order": len(verdict.serials),
            "lost": len(verdict.lost),
            "invented": len(verdict.invented),
            "changed": verdict.changed,
            "keys out of order": verdict.disordered_keys,
            "out of order": verdict.overtaken,
            "duplicates": self.reader.copies,
            "longest recovery s": round(max(self.recoveries, default=0), 2),
            "longest by fault": dict(sorted(self.slowest.items())),
            "most log lines": self.lines,
            "most memory KiB": self.memory_kib,
            "most descriptors": self.descriptors,
            "exits": dict(self.exits),
            "faults": dict(sorted(self.counts.items())),
            "seed": SEED,
        }
        report(result)
        verdict.check()
        assert "alarms        0" in status and "held  " not in status, status
        assert self.lines < LOG_LINES_MAX
        assert self.memory_kib < MEMORY_KIB_MAX and self.descriptors < DESCRIPTORS_MAX


@pytest.mark.parametrize(
    "fault",
    ["", "lost", "invented", "another value", "another copy", "wrong position", "key disordered",
     "overtaken", "rolled back"],
)  # fmt: skip
def test_the_verdict_notices(fault):
    writers = [SoakWriter(None, number, None) for number in range(2)]
    reader = SoakReader(None, None)

    def take(event, key, value, gtid, number):
        headers = (("id", event.encode()), ("eventType", b"Created"),
                   ("outboxd.position", f"{gtid[0]}:{gtid[1]}:{number}".encode()))
        reader.take(Received(0, 0, key.encode(), value.encode(), headers))

    def commit(writer, gtid, *events):
        content = [(e, f"key-{writer}", digest(f"key-{writer}", "v", "Created")) for e in events]
        writers[writer].commits[f"w{writer}-t{gtid}"] = Commit(content, gtid)

    first, second, third = ("a", 9), ("b", 4), ("b", 5)
    commit(0, first, "w0-1", "w0-2")
    commit(1, second, "w1-1")
    commit(0, third, "w0-3")
    sent = [("w0-1", "key-0", "v", first, 1), ("w0-2", "key-0", "v", first, 2),
            ("w1-1", "key-1", "v", second, 1), ("w0-3", "key-0", "v", third, 1)]
    happened = {label for writer in writers for label in writer.commits}
    if fault == "lost":
        del sent[1]
    elif fault == "invented":
        sent.append(("w0-4", "key-0", "v", third, 2))
    elif fault == "another value":
        sent[1] = ("w0-2", "key-0", "w", first, 2)
    elif fault == "another copy":
        sent.append(("w0-1", "key-0", "w", first, 1))
    elif fault == "wrong position":
        sent[1] = ("w0-2", "key-0", "v", first, 3)
    elif fault == "key disordered":
        sent[0], sent[1] = sent[1], sent[0]
    elif fault == "overtaken":
        sent[2], sent[3] = sent[3], sent[2]
    elif fault == "rolled back":
        writers[0].commits[f"w0-t{third}"].gtid = None
        happened.remove(f"w0-t{third}")
    for message in [*sent, sent[0]]:  # A copy is none of these.
        take(*message)
    verdict = Verdict(writers, happened, [("a", 9)], reader)
    if fault:
        with pytest.raises(AssertionError):
            verdict.check()
    else:
        verdict.check()
        assert reader.copies == 1


def test_soak(outboxd, tmp_path, small_disk):
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Broker())
        servers = [stack.enter_context(PrivateMysql()) for _ in range(2)]
        proxies = [stack.enter_context(FaultProxy(s.host, s.port)) for s in servers]
        relay = stack.enter_context(
            Relay(outboxd, servers[0], broker.kafka, tmp_path, **SETTINGS,
                  kafka__bootstrap__servers=f"127.0.0.1:{broker.proxy.port}",
                  checkpoint__journal_bytes_max="64KiB", relay__stop_timeout="3s")
        )
        relay.state = small_disk / "state"
        relay.configure(
            relay__state_directory=relay.state,
            mysql__host=", ".join(f"127.0.0.1:{proxy.port}" for proxy in proxies),
        )
        servers[1].options["read-only"] = "ON"
        replicate(servers[1], servers[0])
        catch_up(servers[1], servers[0])
        for server in servers:
            remember_password(server, relay.user)
        soak = Soak(relay, servers, proxies, broker, small_disk)
        try:
            with soak:
                soak.run()
        except BaseException:
            print(soak.told())
            raise
