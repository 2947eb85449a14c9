"""The initial read while servers are slow, silent or behind, and while the table changes."""

import contextlib
import random
import signal
import socket
import threading
import time

from changing_tables import (
    Changes,
    KeyedTable,
    is_read,
    publish_last,
    relay_for_all,
    wait_until_read,
)
from fault_proxy import TO_CLIENT, FaultProxy
from fault_trial import SEED
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until
from replication import catch_up, replicate

PAUSE_MAX = 15  # Seconds between two signs of life.
SILENCE = 25  # Longer than the interval of the service manager.
STOP_MAX = 15
BYTES_PER_SECOND = 60_000
BY_ID = KeyedTable(
    "e_by_id",
    "PRIMARY KEY (id)",
    ("id",),
    lambda source: (f"e_by_id-moved-{source.randrange(10**9)}",),
)


def test_a_replica_that_is_behind_is_not_read_in_place_of_its_source(outboxd, kafka, tmp_path):
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(PrivateMysql())
        replica = stack.enter_context(PrivateMysql())
        proxy = stack.enter_context(FaultProxy(source.host, source.port))
        relay = stack.enter_context(Relay(outboxd, source, kafka, tmp_path))
        hosts = f"127.0.0.1:{proxy.port}, 127.0.0.1:{replica.port}"
        relay.configure(mysql__host=hosts, mysql__lag_timeout="600s")
        replicate(replica, source)
        relay.insert(*[f"early-{n}" for n in range(101)])
        catch_up(replica, source)
        replica.mysql("STOP REPLICA SQL_THREAD")
        relay.insert(*[f"late-{n}" for n in range(1000)])
        expected = {id for (id,) in relay.sql("SELECT id FROM outbox")}
        # The start is where the source is; from then on it lets the relay in no more.
        assert relay.command("position", "set", "table").returncode == 0
        proxy.refuse()
        connections = (
            "SELECT COALESCE(SUM(total_connections), 0) FROM performance_schema.accounts"
            f" WHERE user = '{relay.user}'"
        )
        relay.start()
        wait_until(lambda: int(replica.mysql(connections)) >= 3, "it tries the replica")
        replica.mysql("START REPLICA SQL_THREAD")
        catch_up(replica, source)
        relay.insert("new")
        wait_until(lambda: "new" in ids(relay.received()), f"the stream; {relay.log()[-3000:]}")
        assert relay.stop() == 0
        assert len(expected - set(ids(relay.received()))) == 0
        assert "table read    done" in relay.checkpoint()


def test_rows_that_go_or_move_while_the_table_is_read_arrive(outboxd, mysql, kafka, tmp_path):
    source = random.Random(SEED)
    with (
        FaultProxy(mysql.host, mysql.port) as proxy,
        relay_for_all(outboxd, mysql, kafka, tmp_path, mysql__port=proxy.port) as relay,
    ):
        BY_ID.create(relay)
        BY_ID.fill(relay, 8000, source)
        expected = BY_ID.ids(relay)
        proxy.throttle(BYTES_PER_SECOND, [TO_CLIENT])
        relay.start()
        relay.wait_for(1)
        with Changes(relay, [BY_ID], source) as changes:
            changes.wait_for(50)
            assert not is_read(relay)
            proxy.heal()
            wait_until_read(relay)
        expected |= changes.inserted | {publish_last(relay, BY_ID, source)}
        assert relay.stop() == 0
        arrived = set(ids(relay.received()))
        assert (len(expected - arrived), len(arrived - expected)) == (0, 0), f"seed {SEED}"


class Listener(threading.Thread):
    """The service manager's socket: measures the longest pause between two signs of life."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.address = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.socket.settimeout(0.1)
        self.ends = threading.Event()
        self.last = None
        self.longest = 0.0
        self.has_status = threading.Event()

    def run(self):
        while not self.ends.is_set():
            with contextlib.suppress(TimeoutError):
                message = self.socket.recv(4096)
                if message == b"WATCHDOG=1":
                    self.hear(time.monotonic())
                elif message.startswith(b"STATUS="):
                    self.has_status.set()

    def hear(self, now):
        if self.last is not None:
            self.longest = max(self.longest, now - self.last)
        self.last = now

    def longest_pause(self):
        """Between two signs, or behind the last."""
        return max(self.longest, time.monotonic() - self.last)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()
        self.socket.close()

    def environment(self):
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "20000000"}


def insert_for_long(relay):
    """So much that the throttled read of it lasts for half a minute."""
    names = [f"{n:04}" for n in range(6000)]
    relay.insert(*names, payload="x" * 300)
    return names


def stay_silent(proxy, listener):
    """The server answers nothing for longer than the service manager waits."""
    proxy.stall()
    end = time.monotonic() + SILENCE
    wait_until(
        lambda: time.monotonic() > end or listener.longest_pause() > PAUSE_MAX, "the silence"
    )
    proxy.heal()


def test_signs_of_life_go_on_while_a_server_is_silent_under_the_preparation(
    outboxd, mysql, kafka, tmp_path
):
    with (
        FaultProxy(mysql.host, mysql.port) as proxy,
        Relay(outboxd, mysql, kafka, tmp_path, mysql__port=proxy.port) as relay,
        Listener(tmp_path) as listener,
    ):
        relay.insert("e1")
        # The greeting and the log-in pass, the answers behind them do not come.
        proxy.throttle(BYTES_PER_SECOND, [TO_CLIENT])
        relay.start(**listener.environment())
        proxy.wait(lambda it: it.forwarded[TO_CLIENT] > 4000, "questions about the server")
        listener.hear(time.monotonic())
        stay_silent(proxy, listener)
        relay.wait_for(1)
        assert listener.longest_pause() < PAUSE_MAX
        assert relay.stop() == 0


def test_signs_of_life_go_on_while_a_server_is_silent_under_the_read(
    outboxd, mysql, kafka, tmp_path
):
    with (
        FaultProxy(mysql.host, mysql.port) as proxy,
        Relay(outboxd, mysql, kafka, tmp_path, mysql__port=proxy.port) as relay,
        Listener(tmp_path) as listener,
    ):
        names = insert_for_long(relay)
        proxy.throttle(BYTES_PER_SECOND, [TO_CLIENT])
        relay.start(**listener.environment())
        relay.wait_for(1)
        wait_until(lambda: listener.last is not None, "the first sign of life")
        assert not is_read(relay)
        stay_silent(proxy, listener)
        wait_until_read(relay)
        assert listener.longest_pause() < PAUSE_MAX
        assert relay.stop() == 0
        assert set(ids(relay.received())) == set(names)


@contextlib.contextmanager
def silent_host():
    """Its address: what connects there is never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def stops(relay):
    """How long it took after SIGTERM."""
    begin = time.monotonic()
    relay.process.send_signal(signal.SIGTERM)
    assert relay.wait(120) == 0
    return time.monotonic() - begin


def test_a_stop_does_not_wait_for_silent_hosts_under_the_preparation(
    outboxd, mysql, kafka, tmp_path
):
    with (
        silent_host() as first,
        silent_host() as second,
        Relay(outboxd, mysql, kafka, tmp_path, mysql__host=f"{first}, {second}") as relay,
        Listener(tmp_path) as listener,
    ):
        relay.start(**listener.environment())
        assert listener.has_status.wait(60)  # It connects to MySQL.
        assert stops(relay) < STOP_MAX


def test_a_stop_does_not_wait_for_silent_hosts_under_the_read(outboxd, mysql, kafka, tmp_path):
    with (
        FaultProxy(mysql.host, mysql.port) as proxy,
        silent_host() as second,
        Relay(outboxd, mysql, kafka, tmp_path) as relay,
    ):
        relay.configure(mysql__host=f"127.0.0.1:{proxy.port}, {second}")
        insert_for_long(relay)
        proxy.throttle(BYTES_PER_SECOND, [TO_CLIENT])
        relay.start()
        relay.wait_for(1)
        proxy.drop()
        assert stops(relay) < STOP_MAX
        assert not is_read(relay)
