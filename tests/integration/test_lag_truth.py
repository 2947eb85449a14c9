"""The lag that the relay tells, held against the truth: the age of the oldest commit that the
broker does not have. What it tells may never be less, 0 least of all, and where nothing is left it
comes to 0.

The truth is known from outside: the test commits the rows, the broker writes into each message when
it took it, and an independent consumer reads that. OUTBOXD_LAG_SAMPLES names a folder for the
samples of each test, from which a plot can be drawn.
"""

import contextlib
import json
import os
import pathlib
import signal
import threading
import time

import pytest
from private_servers import PrivateKafka, PrivateMysql
from relay import Relay, records, wait_until
from relay_http import metrics
from replication import replicate
from test_fault_clock import HOUR, WallClock, wall_clock_library

# The relay tells what was true up to a second ago, and this machine is busy.
MARGIN = 2.0
# For how long a proof holds, and that much more until it is told.
PROOF = 10.0


@pytest.fixture(scope="module")
def servers():
    with PrivateMysql() as mysql, PrivateKafka() as kafka:
        yield mysql, kafka


class Watch:
    """Samples what the relay tells, four times a second; at the end it knows the truth of each."""

    def __init__(self, relay, source=None):
        self.relay = relay
        self.source = source or relay
        self.committed = {}  # When each row may have been committed, by its id.
        self.samples = []  # (time, told or None, all metrics)
        self.stopped = threading.Event()
        self.began = time.time()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def insert(self):
        id = f"row-{len(self.committed) + 1}"
        at = time.time()
        self.source.insert(id)
        self.committed[id] = at

    def sample(self):
        while not self.stopped.wait(0.25):
            now = time.time()
            try:
                told = metrics(self.relay)
            except OSError:
                continue  # It does not run, or stands still.
            lag = told.get("outboxd_lag_seconds")
            assert (lag is None) == (told["outboxd_lag_unknown"] == 1)
            self.samples.append((now, lag, told))

    @property
    def last(self):
        return self.samples[-1]

    def metric(self, name):
        return self.last[2][name]

    def waiting(self):
        """How long the oldest row waits, of which the test knows that none is delivered yet."""
        return time.time() - min(self.committed.values())

    def told(self):
        """The last sample of those that begin now."""
        count = len(self.samples)
        wait_until(lambda: len(self.samples) > count + 1, "another sample")
        return self.last[1]

    def wait_for(self, condition, what, seconds=60):
        """Of a sample that is not made yet."""
        count = len(self.samples)
        wait_until(lambda: len(self.samples) > count and condition(self.last[1]),
                   lambda: f"{what}; told {self.last[:2]}\n{self.relay.log()[-2000:]}", seconds)

    def wait_for_zero(self, seconds=40):
        self.wait_for(lambda lag: lag == 0, "a lag of 0", seconds)

    def truths(self):
        """The age of the oldest commit at the time of each sample that was not in the topic."""
        appended = {dict(m.headers)["id"].decode(): m.timestamp / 1000
                    for m in records(self.relay.kafka, [self.relay.topic()])}
        assert set(appended) == set(self.committed)
        for at, _, _ in self.samples:
            waiting = [committed for id, committed in self.committed.items()
                       if committed <= at < appended[id]]
            yield at - min(waiting, default=at)

    def check(self):
        """Nothing that was told was too little."""
        self.stopped.set()
        self.thread.join()
        rows = [(at - self.began, lag, truth)
                for (at, lag, _), truth in zip(self.samples, self.truths(), strict=True)]
        folder = os.environ.get("OUTBOXD_LAG_SAMPLES")
        if folder:
            name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
            pathlib.Path(folder, f"{name}.json").write_text(json.dumps(rows))
        assert len(rows) > 8
        for at, lag, truth in rows:
            if lag == 0:
                assert truth <= PROOF + MARGIN, f"at {at:.1f} s: told 0, the truth is {truth:.1f} s"
            elif lag is not None:
                assert lag >= truth - MARGIN, f"at {at:.1f} s: told {lag}, the truth is {truth:.1f}"


@contextlib.contextmanager
def watched(relay, source=None):
    watch = Watch(relay, source)
    try:
        yield watch
    finally:
        watch.stopped.set()
    watch.check()


@contextlib.contextmanager
def new_relay(outboxd, mysql, kafka, folder):
    """The broker writes into each message when it took it."""
    with Relay(outboxd, mysql, kafka, folder, topics=()) as relay:
        kafka.create_topic(relay.topic(), 1, {"message.timestamp.type": "LogAppendTime"})
        yield relay.begin_now()


@pytest.fixture
def relay(outboxd, servers, tmp_path):
    with new_relay(outboxd, *servers, tmp_path) as relay:
        yield relay


def test_it_is_not_known_after_a_start_and_then_0_however_long_nothing_comes(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        time.sleep(25)
    known = [lag for _, lag, _ in watch.samples if lag is not None]
    assert set(known) == {0}


def test_it_grows_while_kafka_is_away_though_no_other_row_comes(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        relay.kafka.stop()
        watch.insert()
        time.sleep(20)
        assert watch.told() == pytest.approx(watch.waiting(), abs=MARGIN)
        assert watch.last[1] > 19
        relay.kafka.start()
        watch.wait_for_zero(90)


def test_it_grows_while_kafka_is_away_though_no_row_comes_at_all(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        relay.kafka.stop()
        watch.wait_for(lambda lag: lag is not None and lag > 5, "an outage that is noticed", 40)
        first = watch.last[1]
        time.sleep(5)
        assert watch.told() > first + 3
        assert watch.metric("outboxd_sink_up") == 0
        relay.kafka.start()
        watch.wait_for_zero(90)
        assert watch.metric("outboxd_sink_up") == 1


def test_it_grows_while_mysql_is_away(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        relay.mysql.stop()
        time.sleep(15)
        assert watch.told() > 12
        assert watch.metric("outboxd_source_up") == 0
        relay.mysql.start()
        watch.insert()
        watch.wait_for_zero(60)


def test_after_a_restart_with_a_backlog_it_is_never_too_little(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        assert relay.stop() == 0
        relay.kafka.stop()
        for _ in range(5):
            watch.insert()
            time.sleep(1)
        relay.kafka.start()
        relay.start()
        count = len(watch.samples)
        watch.wait_for_zero(90)
        assert any(lag is None or lag > 1 for _, lag, _ in watch.samples[count:])


def test_a_process_that_stood_still_tells_no_old_0(relay):
    relay.start()
    with watched(relay) as watch:
        watch.wait_for_zero()
        relay.process.send_signal(signal.SIGSTOP)
        watch.insert()
        time.sleep(15)
        relay.process.send_signal(signal.SIGCONT)
        watch.wait_for_zero()
        relay.wait_for(1)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_an_hour_off_changes_nothing(outboxd, servers, tmp_path, hours):
    mysql, kafka = servers
    clock = WallClock(wall_clock_library(outboxd), tmp_path / "clock")
    # A broker takes no message from more than an hour ahead.
    clock.jump(0.9 * hours * HOUR)
    with new_relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start(**clock.environment)
        with watched(relay) as watch:
            watch.wait_for_zero()
            kafka.stop()
            watch.insert()
            outage = time.time()
            time.sleep(8)
            assert watch.told() == pytest.approx(time.time() - outage, abs=MARGIN)
            difference = watch.metric("outboxd_clock_difference_seconds")
            assert difference == pytest.approx(-0.9 * hours * HOUR, abs=1)
            kafka.start()
            watch.wait_for_zero(90)
            # While Kafka is away, librdkafka would wait as much longer as it is set back.
            clock.jump(0)
            watch.insert()
            watch.wait_for_zero(30)
            wait_until(lambda: "agree again" in relay.log(), relay.log)
        assert "the clock of MySQL's machine is 3240" in relay.log()


def test_of_a_replica_that_is_behind_it_is_the_age_by_the_source(outboxd, servers, tmp_path):
    source, kafka = servers
    with PrivateMysql() as replica:
        with new_relay(outboxd, source, kafka, tmp_path) as relay:
            replicate(replica, source)
            wait_until(lambda: replica.mysql(f"SHOW DATABASES LIKE '{relay.database}'").strip(),
                       "the replica has the table")
            replica.mysql("STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 12;"
                          " START REPLICA")
            relay.configure(mysql__port=replica.port)
            relay.start()
            with watched(relay) as watch:
                watch.wait_for_zero(60)
                for _ in range(3):
                    watch.insert()
                    time.sleep(2)
                watch.wait_for(lambda lag: lag is not None and lag > 10, "the delay", 40)
                watch.wait_for_zero(60)
                replica.mysql("STOP REPLICA SQL_THREAD")
                watch.insert()
                watch.wait_for(lambda lag: lag is not None and lag > 15, "a replica that stands",
                               60)
                replica.mysql("START REPLICA SQL_THREAD")
                watch.wait_for_zero(60)
