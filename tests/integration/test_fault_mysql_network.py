"""The way to MySQL breaks, or MySQL itself, in every manner and at random moments under load:
nothing lost, nothing invented, nothing disordered, and the relay goes on by itself."""

import struct
import time
from contextlib import suppress

import pymysql
import pytest
from fault_proxy import TO_CLIENT, TO_SERVER, FaultProxy, Way
from fault_trial import Trial
from private_servers import PrivateMysql
from relay import Relay, wait_until

WITHOUT_GTIDS = {"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}


@pytest.fixture(scope="module")
def server():
    with PrivateMysql() as server:
        yield server


@pytest.fixture
def proxy(server):
    with FaultProxy(server.host, server.port) as proxy:
        yield proxy


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path, proxy):
    with Relay(outboxd, server, kafka, tmp_path, mysql__port=proxy.port) as relay:
        yield relay


def connects_again(trial, proxy, seconds=60):
    """Waits until the relay makes another connection than those it has now."""
    accepted = proxy.accepted
    return lambda: wait_until(
        lambda: proxy.accepted > accepted, f"a new connection\n{trial.tail()}", seconds
    )


def test_reset_connections(relay, proxy):
    with Trial(relay, "MySQL: connections reset") as trial:

        def inject():
            for _ in range(3):
                reconnected = connects_again(trial, proxy)
                proxy.reset()
                reconnected()
                trial.wait_for_load(trial.random.randrange(20))

        trial.repeat(inject)


@pytest.mark.parametrize("tls", ["required", "disabled"])
@pytest.mark.parametrize("action", ["reset", "close"])
def test_cut_in_mid_frame(relay, proxy, tls, action):
    relay.begin_now().configure(mysql__tls=tls)
    with Trial(relay, f"MySQL: {action} in mid-frame, TLS {tls}") as trial:

        def inject():
            for _ in range(3):
                proxy.cut_after(TO_CLIENT, trial.random.randrange(1, 20_000), action)
                proxy.wait_for_cut(TO_CLIENT)

        trial.repeat(inject)


@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
def test_cut_while_connecting(relay, proxy, way):
    """Within the log-in, the preparation of the session or the request of the dump."""
    with Trial(relay, f"MySQL: reset while connecting, {way.name.lower()}") as trial:

        def inject():
            for _ in range(5):
                proxy.reset()
                cuts = proxy.cuts
                proxy.cut_after(way, trial.random.randrange(1, 4000), "reset")
                trial.wait_for_load(20)
                if proxy.cuts == cuts:
                    proxy.heal()

        trial.repeat(inject)


@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
def test_half_close(relay, proxy, way):
    with Trial(relay, f"MySQL: half-close {way.name.lower()}") as trial:

        def inject():
            reconnected = connects_again(trial, proxy)
            proxy.half_close(way)
            if way is TO_CLIENT:
                reconnected()

        trial.repeat(inject)


def test_silent_drop(relay, proxy):
    """Half-open connections are found by the missing heartbeats."""
    with Trial(relay, "MySQL: silent drop (half-open)") as trial:

        def inject():
            reconnected = connects_again(trial, proxy)
            proxy.drop()
            begin = time.monotonic()
            reconnected()
            assert time.monotonic() - begin < 12  # Three heartbeats, and a busy machine.
            proxy.heal()

        trial.repeat(inject)


def test_silent_drop_while_connecting(relay, proxy):
    """In the greeting, while TLS is agreed on, in the log-in, in the session's first statements."""
    with Trial(relay, "MySQL: silent drop while connecting") as trial:

        def inject():
            for limit in (100, 1500, 2500):
                proxy.cut_after(TO_CLIENT, trial.random.randrange(1, limit), "drop")
                proxy.reset()
                proxy.wait_for_cut(TO_CLIENT)
                connects_again(trial, proxy)()
                trial.wait_until_delivered()

        trial.repeat(inject)


def drop_behind_the_dump_request(relay, proxy, **config):
    """Half-open from where the server has everything it needs to begin to send."""
    server_id = 0x5A415A42
    # In plain text, so that the proxy finds the one request that holds the id.
    relay.begin_now().configure(mysql__tls="disabled", mysql__server_id=server_id, **config)
    proxy.cut_behind(TO_SERVER, struct.pack("<I", server_id), "drop")
    relay.insert("e1")
    relay.start()
    proxy.wait_for_cut(TO_SERVER)


def test_silent_drop_before_the_first_event(relay, proxy):
    """Heartbeats are due from the first event on; until it there is a deadline of its own."""
    begin = time.monotonic()
    drop_behind_the_dump_request(relay, proxy, mysql__first_event_timeout="5s")
    assert [m.id for m in relay.wait_for(1)] == ["e1"]
    assert 5 < time.monotonic() - begin < 20
    assert "the server did not begin to send within 5000 ms" in relay.log()
    assert relay.stop() == 0


def test_a_stop_does_not_wait_for_the_first_event(relay, proxy):
    drop_behind_the_dump_request(relay, proxy)
    begin = time.monotonic()
    assert relay.stop() == 0
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("seconds", [1, 6])
def test_stall(relay, proxy, seconds):
    """Shorter and longer than three heartbeats."""
    with Trial(relay, f"MySQL: stalled for {seconds} s") as trial:

        def inject():
            proxy.stall()
            end = time.monotonic() + seconds
            trial.wait_for_load(20)
            wait_until(lambda: time.monotonic() >= end, "the stall's time")
            proxy.heal()

        trial.repeat(inject)


def test_refused_for_long(relay, proxy):
    with Trial(relay, "MySQL: unreachable") as trial:

        def inject():
            proxy.refuse()
            proxy.reset()
            trial.wait_for_load(trial.random.randrange(100, 600))
            proxy.heal()

        trial.repeat(inject)


def times_opened(relay):
    """How often the relay has begun to read the log. It has other connections as well."""
    return relay.log().count("reading the binary log of server")


def test_jitter_of_half_a_second(relay, proxy):
    with Trial(relay, "MySQL: 100 to 500 ms delay") as trial:

        def inject():
            opened = times_opened(relay)
            proxy.delay(0.1, 0.4)
            trial.wait_for_load(400)
            assert times_opened(relay) == opened, trial.tail()  # Slow is not dead.
            proxy.heal()

        trial.repeat(inject)


def test_throttled_to_64_kbit_per_second(relay, proxy):
    with Trial(relay, "MySQL: 64 kbit/s") as trial:

        def inject():
            opened = times_opened(relay)
            proxy.throttle(8000)
            trial.wait_for_load(600)
            assert times_opened(relay) == opened, trial.tail()
            proxy.heal()

        trial.repeat(inject)


def corrupt_stream(trial, proxy, pattern=None):
    for _ in range(3):
        reconnected = connects_again(trial, proxy)
        proxy.corrupt(
            TO_CLIENT,
            pattern,
            after=trial.random.randrange(10_000),
            mask=trial.random.randrange(1, 256),
        )
        proxy.wait_for_corruption(TO_CLIENT)
        reconnected()
        trial.wait_until_delivered()


def test_corrupt_row_in_plain_text(relay, proxy):
    relay.begin_now().configure(mysql__tls="disabled")  # The server has the password cached now.
    with Trial(relay, "MySQL: corrupt row, plain text") as trial:
        trial.repeat(lambda: corrupt_stream(trial, proxy, b'"pad":"xx'))
        assert "checksum" in relay.log()


@pytest.mark.parametrize("tls", ["required", "disabled"])
def test_corrupt_stream(relay, proxy, tls):
    relay.begin_now().configure(mysql__tls=tls)
    with Trial(relay, f"MySQL: any byte corrupt, TLS {tls}") as trial:
        trial.repeat(lambda: corrupt_stream(trial, proxy))


def test_corrupt_while_connecting(relay, proxy):
    """TLS sees every change, once it is agreed on; before, the handshake fails in many ways."""
    with Trial(relay, "MySQL: any byte corrupt while connecting, TLS") as trial:

        def inject():
            for _ in range(5):
                corruptions = proxy.corruptions
                proxy.corrupt(
                    trial.random.choice(list(Way)),
                    after=trial.random.randrange(3000),
                    mask=trial.random.randrange(1, 256),
                )
                proxy.reset()
                trial.wait_for_load(50)
                proxy.heal()
                trial.wait_until_delivered()
                print(proxy.corruptions - corruptions, end=" ")

        trial.repeat(inject)


def test_killed_dump(relay, server):
    with Trial(relay, "MySQL: dump killed by an administrator") as trial:

        def inject():
            for word in ("CONNECTION", "QUERY"):
                query = "SELECT id FROM information_schema.processlist WHERE user = %s"
                threads = wait_until(lambda: relay.sql(query, relay.user), "a connection")
                for (number,) in threads:
                    with suppress(pymysql.err.OperationalError):  # It has just ended by itself.
                        relay.sql(f"KILL {word} {number}")
                trial.wait_for_load(30)

        trial.repeat(inject)


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
def test_crash_of_the_server(outboxd, kafka, tmp_path, options):
    with PrivateMysql(options=options) as server, Relay(
        outboxd, server, kafka, tmp_path
    ) as relay, Trial(relay, f"mysqld kill -9, by {'file' if options else 'GTID'}") as trial:

        def inject():
            relay.sql(f"SET GLOBAL sync_binlog = {trial.random.choice([0, 1])}")
            trial.wait_for_load(20)
            server.kill9()
            server.start()
            trial.wait_for_load(20)

        trial.repeat(inject)


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
def test_restart_and_freeze_of_the_server(outboxd, kafka, tmp_path, options):
    with PrivateMysql(options=options) as server, Relay(
        outboxd, server, kafka, tmp_path
    ) as relay, Trial(
        relay, f"mysqld stopped, started, frozen, by {'file' if options else 'GTID'}"
    ) as trial:

        def inject():
            server.restart()
            trial.wait_for_load(20)
            # What comes first after a request for the log may take mysql.first-event-timeout.
            trial.wait_until_delivered()
            lines = relay.log().count("trying again")
            server.freeze()
            try:
                wait_until(lambda: relay.log().count("trying again") > lines, "it is noticed")
            finally:
                server.thaw()

        trial.repeat(inject)


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
def test_logs_rotated_and_purged_under_the_relay(outboxd, kafka, tmp_path, options):
    """Files that are read already may go at any time."""
    with PrivateMysql(options=options) as server, FaultProxy(
        server.host, server.port
    ) as proxy, Relay(outboxd, server, kafka, tmp_path, mysql__port=proxy.port) as relay, Trial(
        relay, f"MySQL: logs rotated and purged, by {'file' if options else 'GTID'}"
    ) as trial:

        def inject():
            for _ in range(3):
                trial.wait_until_delivered()
                relay.sql("FLUSH BINARY LOGS")
                trial.wait_until_delivered()
                relay.sql(f"PURGE BINARY LOGS TO '{server.binlogs()[-1].name}'")
                proxy.reset()
                trial.wait_for_load(20)

        trial.repeat(inject)


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_purge_of_unread_logs_is_a_gap_and_told(outboxd, kafka, tmp_path, options, running):
    with PrivateMysql(options=options) as server, FaultProxy(
        server.host, server.port
    ) as proxy, Relay(outboxd, server, kafka, tmp_path, mysql__port=proxy.port) as relay:
        relay.begin_now().start()
        relay.insert("before")
        relay.wait_for(1)
        if running:
            proxy.refuse()
            proxy.reset()
            wait_until(lambda: "trying again" in relay.log(), "the loss is noticed")
        else:
            assert relay.stop() == 0
        relay.insert("purged")
        relay.sql("FLUSH BINARY LOGS")
        relay.insert("behind")
        # The server keeps a file that a dump still reads.
        last = server.binlogs()[-1].name
        purge = f"PURGE BINARY LOGS TO '{last}'"
        wait_until(lambda: (relay.sql(purge), len(server.binlogs()) == 1)[1], "the purge")
        proxy.heal()
        if not running:
            relay.start()
        assert relay.wait() == 80
        assert "HINT" in relay.log() and "position set table" in relay.log()
        assert [m.id for m in relay.received()] == ["before"]
        # The way out that the message names publishes what is still in the table.
        assert relay.command("position", "set", "table").returncode == 0
        relay.start()
        assert {m.id for m in relay.wait_for(4)} == {"before", "purged", "behind"}
        assert relay.stop() == 0


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
def test_a_reset_of_the_logs_is_another_history(outboxd, kafka, tmp_path, options):
    reset = "RESET BINARY LOGS AND GTIDS"
    with PrivateMysql(options=options) as server, FaultProxy(
        server.host, server.port
    ) as proxy, Relay(outboxd, server, kafka, tmp_path, mysql__port=proxy.port) as relay:
        relay.begin_now().start()
        relay.insert("before", payload="x" * 2000)
        relay.wait_for(1)
        proxy.refuse()
        proxy.reset()
        wait_until(lambda: "trying again" in relay.log(), "the loss is noticed")
        relay.sql(reset)
        relay.insert("another history")
        proxy.heal()
        assert relay.wait(120) in (80, 81)
        assert "HINT" in relay.log()
        assert [m.id for m in relay.received()] == ["before"]
