"""How many bytes of the binary log are not acknowledged, as the status tells, agrees with what the
server itself says of its files; where it cannot be known it is not told.

It is asked for every 10 s, and the status is written every 5 s. So a relay that reads by GTID and
one that reads by file run side by side, each with a server of its own, and wait together.
"""

import json

import pytest
from private_servers import PrivateKafka, PrivateMysql
from relay import Relay, wait_until


@pytest.fixture(scope="module")
def kafka():
    """One of its own, that can be stopped."""
    with PrivateKafka() as server:
        yield server


def private_mysql(gtid_mode):
    """Its log is written by nobody else."""
    with PrivateMysql({"gtid-mode": gtid_mode, "enforce-gtid-consistency": "ON"}) as server:
        yield server


@pytest.fixture(scope="module")
def with_gtids():
    yield from private_mysql("ON")


@pytest.fixture(scope="module")
def without_gtids():
    yield from private_mysql("OFF")


@pytest.fixture
def relays(outboxd, with_gtids, without_gtids, kafka, tmp_path):
    (tmp_path / "by-file").mkdir()
    with (Relay(outboxd, with_gtids, kafka, tmp_path) as by_gtid,
          Relay(outboxd, without_gtids, kafka, tmp_path / "by-file") as by_file):
        yield [by_gtid.begin_now(), by_file.begin_now()]


def status(relay):
    path = relay.state / "status"
    return json.loads(path.read_text()) if path.exists() else {}


def lag_bytes(relay):
    """None: it is not told."""
    return status(relay).get("lag_bytes")


def log_files(relay):
    return [(row[0], int(row[1])) for row in relay.sql("SHOW BINARY LOGS")]


def place(relay):
    """The end of the log now."""
    return log_files(relay)[-1]


def bytes_behind(relay, begin):
    """From a place to the end of the log as it is now, by the server's own sizes."""
    files = log_files(relay)
    names = [name for name, _ in files]
    return sum(size for _, size in files[names.index(begin[0]):]) - begin[1]


def wait_for_lag(relays, expected):
    """`expected`: of each."""
    for relay, lag in zip(relays, expected, strict=True):
        wait_until(lambda: lag_bytes(relay) == lag, f"a lag of {lag} bytes; {status(relay)}", 75)


NOTHING = [0, 0]
NOT_TOLD = [None, None]


def start(relays):
    for relay in relays:
        relay.start()


def change_other_rows(relays):
    for relay in relays:
        for i in range(20):
            relay.sql("INSERT INTO orders (note) VALUES (%s)", (f"note {i}",))


def rotate(relays):
    for relay in relays:
        relay.sql("FLUSH BINARY LOGS")


def test_the_lag_grows_while_kafka_is_away_and_is_zero_when_all_is_acknowledged(relays, kafka):
    start(relays)
    wait_for_lag(relays, NOTHING)
    kafka.stop()
    acknowledged = [place(relay) for relay in relays]

    def behind():
        return [bytes_behind(*each) for each in zip(relays, acknowledged, strict=True)]

    for relay in relays:
        relay.insert("e1")
    change_other_rows(relays)
    first = behind()
    assert min(first) > 20 * 100
    wait_for_lag(relays, first)
    # Over a rotation; and one more, so that a whole file lies between.
    rotate(relays)
    change_other_rows(relays)
    rotate(relays)
    change_other_rows(relays)
    second = behind()
    assert all(later > 2 * earlier for earlier, later in zip(first, second, strict=True))
    wait_for_lag(relays, second)
    for relay in relays:
        assert "of binary log" in relay.command("status").stdout
    kafka.start()
    for relay in relays:
        relay.wait_for(1)
    wait_for_lag(relays, NOTHING)
    # All is acknowledged though the log has gone on, with nothing in it.
    rotate(relays)
    rotate(relays)
    assert all(later > earlier for earlier, later in zip(second, behind(), strict=True))
    wait_for_lag(relays, NOTHING)
    for relay in relays:
        assert "lag: 0 s, 0 bytes of binary log" in relay.command("status").stdout


def test_a_relay_that_starts_again_knows_its_lag_though_nothing_happens(relays):
    start(relays)
    for relay in relays:
        relay.insert("e1")
        relay.wait_for(1)
    wait_for_lag(relays, NOTHING)
    for relay in relays:
        assert relay.stop() == 0
        (relay.state / "status").unlink()
    start(relays)
    wait_for_lag(relays, NOTHING)


def test_a_relay_that_holds_at_the_first_event_since_its_start_knows_its_lag(relays):
    acknowledged = [place(relay) for relay in relays]

    def behind():
        return [bytes_behind(*each) for each in zip(relays, acknowledged, strict=True)]

    for relay in relays:
        relay.insert("no-such-topic", kind="nowhere")
    change_other_rows(relays)
    start(relays)
    for relay in relays:
        wait_until(lambda: "holding at event" in relay.command("status").stdout, "a hold")
    wait_for_lag(relays, behind())
    change_other_rows(relays)
    wait_for_lag(relays, behind())


def test_the_lag_is_not_told_without_the_right_to_ask_nor_while_mysql_is_away(relays):
    start(relays)
    wait_for_lag(relays, NOTHING)
    for relay in relays:
        relay.sql(f"REVOKE REPLICATION CLIENT ON *.* FROM {relay.user}@'%'")
        # A session keeps the rights that it began with. This one does not read the log.
        ((session,),) = relay.sql("SELECT id FROM information_schema.processlist WHERE user = %s"
                                  " AND command = 'Sleep'", (relay.user,))
        relay.sql(f"KILL {session}")
    refused = "how many bytes of the binary log are not acknowledged"
    for relay in relays:
        wait_until(lambda: refused in relay.log(), "a refusal")
    wait_for_lag(relays, NOT_TOLD)
    for relay in relays:
        assert "binary log" not in status(relay)["line"]
        relay.sql(f"GRANT REPLICATION CLIENT ON *.* TO {relay.user}@'%'")
    wait_for_lag(relays, NOTHING)
    for relay in relays:
        assert relay.log().count(refused) == 1
        relay.mysql.stop()
    wait_for_lag(relays, NOT_TOLD)
    for relay in relays:
        relay.mysql.start()
    wait_for_lag(relays, NOTHING)
