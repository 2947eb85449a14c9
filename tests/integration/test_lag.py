"""How many bytes of the binary log are not acknowledged, as the status tells, agrees with what the
server itself says of its files; where it cannot be known it is not told."""

import json

import pytest
from private_servers import PrivateKafka, PrivateMysql
from relay import Relay, wait_until


@pytest.fixture
def kafka():
    """One of its own, that can be stopped."""
    with PrivateKafka() as server:
        yield server


@pytest.fixture(params=["ON", "OFF"])
def server(request):
    """Its log is written by nobody else."""
    with PrivateMysql({"gtid-mode": request.param, "enforce-gtid-consistency": "ON"}) as server:
        yield server


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path) as one:
        yield one.begin_now()


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


def wait_for_lag(relay, expected):
    """It is asked for every 10 s, and the status is written every 5 s."""
    wait_until(lambda: lag_bytes(relay) == expected,
               f"a lag of {expected} bytes; {status(relay)}", 75)


def change_other_rows(relay):
    for i in range(20):
        relay.sql("INSERT INTO orders (note) VALUES (%s)", (f"note {i}",))


def test_the_lag_grows_while_kafka_is_away_and_is_zero_when_all_is_acknowledged(relay, kafka):
    relay.start()
    wait_for_lag(relay, 0)
    kafka.stop()
    acknowledged = place(relay)
    relay.insert("e1")
    change_other_rows(relay)
    first = bytes_behind(relay, acknowledged)
    assert first > 20 * 100
    wait_for_lag(relay, first)
    # Over a rotation; and one more, so that a whole file lies between.
    relay.sql("FLUSH BINARY LOGS")
    change_other_rows(relay)
    relay.sql("FLUSH BINARY LOGS")
    change_other_rows(relay)
    second = bytes_behind(relay, acknowledged)
    assert second > 2 * first
    wait_for_lag(relay, second)
    assert "of binary log" in relay.command("status").stdout
    kafka.start()
    relay.wait_for(1)
    wait_for_lag(relay, 0)
    # All is acknowledged though the log has gone on, with nothing in it.
    relay.sql("FLUSH BINARY LOGS")
    relay.sql("FLUSH BINARY LOGS")
    assert bytes_behind(relay, acknowledged) > second
    wait_for_lag(relay, 0)
    assert "lag: 0 bytes of binary log" in relay.command("status").stdout


def test_a_relay_that_starts_again_knows_its_lag_though_nothing_happens(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    wait_for_lag(relay, 0)
    assert relay.stop() == 0
    (relay.state / "status").unlink()
    relay.start()
    wait_for_lag(relay, 0)


def test_a_relay_that_holds_at_the_first_event_since_its_start_knows_its_lag(relay):
    acknowledged = place(relay)
    relay.insert("no-such-topic", kind="nowhere")
    change_other_rows(relay)
    relay.start()
    wait_until(lambda: "holding at event" in relay.command("status").stdout, "a hold")
    wait_for_lag(relay, bytes_behind(relay, acknowledged))
    change_other_rows(relay)
    wait_for_lag(relay, bytes_behind(relay, acknowledged))


def test_the_lag_is_not_told_without_the_right_to_ask_nor_while_mysql_is_away(relay, server):
    relay.start()
    wait_for_lag(relay, 0)
    relay.sql(f"REVOKE REPLICATION CLIENT ON *.* FROM {relay.user}@'%'")
    # A session keeps the rights that it began with. This one does not read the log.
    ((session,),) = relay.sql("SELECT id FROM information_schema.processlist WHERE user = %s AND"
                              " command = 'Sleep'", (relay.user,))
    relay.sql(f"KILL {session}")
    refused = "how many bytes of the binary log are not acknowledged"
    wait_until(lambda: refused in relay.log(), "a refusal")
    wait_for_lag(relay, None)
    assert "binary log" not in status(relay)["line"]
    relay.sql(f"GRANT REPLICATION CLIENT ON *.* TO {relay.user}@'%'")
    wait_for_lag(relay, 0)
    assert relay.log().count(refused) == 1
    server.stop()
    wait_for_lag(relay, None)
    server.start()
    wait_for_lag(relay, 0)
