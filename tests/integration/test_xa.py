"""XA transactions: nothing at PREPARE, everything at XA COMMIT, nothing after XA ROLLBACK, however
long the decision takes and whatever restarts in between."""

import subprocess
import time

import pymysql
import pytest
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until


@pytest.fixture(params=["by GTID", "by GTID, compressed", "by file", "by file, compressed"])
def relay(request, outboxd, kafka, tmp_path):
    options = {
        "gtid-mode": "ON" if "GTID" in request.param else "OFF",
        "binlog-transaction-compression": "ON" if "compressed" in request.param else "OFF",
    }
    with (
        PrivateMysql(options=options) as server,
        Relay(outboxd, server, kafka, tmp_path) as relay,
    ):
        relay.by_gtid = options["gtid-mode"] == "ON"
        yield relay


def prepare(relay, xid, *ids):
    """Prepares an XA transaction with these events (or one on another table) and leaves it so."""
    connection = relay.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"XA START {xid}")
        for id in ids:
            cursor.execute(
                "INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')", (id,)
            )
        if not ids:
            cursor.execute("INSERT INTO orders (note) VALUES ('none')")
        cursor.execute(f"XA END {xid}")
        cursor.execute(f"XA PREPARE {xid}")
    # MySQL lets go of a prepared transaction with its session, from then on any may decide it.
    connection.close()


def decide(relay, statement):
    # The session that prepared it may not be gone yet.
    deadline = time.monotonic() + 20
    while True:
        try:
            return relay.sql(statement)
        except pymysql.err.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_decision_publishes_or_drops_whatever_happened_since_the_prepare(relay):
    relay.begin_now().start()
    prepare(relay, "X'6100',X'62',7", "committed-1", "committed-2")
    prepare(relay, "'undone'", "undone")
    prepare(relay, "'other'")
    prepare(relay, "'late'", "late")
    relay.insert("plain")
    relay.wait_for(1)
    wait_until(lambda: relay.command("status").stdout.count("held XA") == 3, "three held")
    if not relay.by_gtid:
        assert "until it is decided the checkpoint stays before it" in relay.log()

    # Another file, and another process.
    relay.sql("FLUSH BINARY LOGS")
    relay.kill()
    relay.start()
    relay.insert("after the restart")
    relay.sql("FLUSH BINARY LOGS")
    wait_until(
        lambda: {"plain", "after the restart"} <= set(ids(relay.received())),
        "all that was committed",
    )
    assert not {"committed-1", "undone", "late"} & set(ids(relay.received()))

    decide(relay, "XA COMMIT X'6100',X'62',7")
    decide(relay, "XA ROLLBACK 'undone'")
    decide(relay, "XA COMMIT 'other'")
    wait_until(lambda: "committed-2" in ids(relay.received()), "the commit")
    assert "undone" not in ids(relay.received()) and "late" not in ids(relay.received())

    relay.kill()
    decide(relay, "XA COMMIT 'late'")
    relay.insert("last")
    relay.start()
    wait_until(lambda: {"late", "last"} <= set(ids(relay.received())), "the late commit")
    wait_until(lambda: "held XA" not in relay.command("status").stdout, "nothing is held any more")
    if relay.by_gtid:
        wait_until(lambda: relay.executed_gtids() in relay.checkpoint(), "done is gtid_executed")
    assert relay.stop() == 0

    arrived = ids(relay.received())
    committed = [row[0] for row in relay.sql("SELECT id FROM outbox")]
    assert set(arrived) == set(committed)
    assert "alarms        0" in relay.command("status").stdout
    order = [id for id in dict.fromkeys(arrived) if id.startswith("committed")]
    assert order == ["committed-1", "committed-2"]


def test_a_prepared_transaction_stays_out_of_done(relay):
    relay.begin_now().start()
    prepare(relay, "'held'", "held")
    relay.insert("behind it")
    relay.wait_for(1)
    wait_until(lambda: "held XA" in relay.checkpoint(), "the checkpoint names it")
    assert not relay.by_gtid or relay.executed_gtids() not in relay.checkpoint()
    assert relay.stop() == 0
    decide(relay, "XA ROLLBACK 'held'")
    relay.start()
    relay.insert("last")
    wait_until(lambda: "last" in ids(relay.received()), "the last")
    # By file the checkpoint stood before the PREPARE: what came behind it is published again.
    assert ids(relay.received()).count("behind it") == (1 if relay.by_gtid else 2)
    assert "held" not in ids(relay.received())


def test_a_restart_of_the_server_leaves_the_decision_open(relay):
    relay.begin_now().start()
    prepare(relay, "'kept'", "kept")
    relay.insert("before")
    relay.wait_for(1)
    relay.mysql.kill9()
    relay.mysql.start()
    relay.insert("after")
    wait_until(lambda: "after" in ids(relay.received()), "what comes behind the crash")
    assert "kept" not in ids(relay.received())
    decide(relay, "XA COMMIT 'kept'")
    wait_until(lambda: "kept" in ids(relay.received()), "the decision")
    assert relay.stop() == 0


def test_one_phase_is_published_at_once(relay):
    relay.begin_now().start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        for statement in (
            "XA START 'one'",
            "INSERT INTO outbox VALUES ('one-phase', 'order', 'k', 'Created', '{}')",
            "XA END 'one'",
            "XA COMMIT 'one' ONE PHASE",
        ):
            cursor.execute(statement)
    connection.close()
    assert ids(relay.wait_for(1)) == ["one-phase"]
    assert relay.stop() == 0


def test_a_commit_whose_prepare_was_not_seen_raises_an_alarm(relay):
    prepare(relay, "'before the start'", "unseen")
    relay.begin_now().start()
    relay.insert("first")
    relay.wait_for(1)
    decide(relay, "XA COMMIT 'before the start'")
    wait_until(lambda: "alarms        1" in relay.command("status").stdout, "the alarm stands")
    assert b"before the start".hex() in relay.command("status").stdout.lower()
    relay.insert("second")
    assert ids(relay.wait_for(2)) == ["first", "second"]
    assert relay.command("alarms", "acknowledge").returncode == 0
    assert "alarms        0" in relay.command("status").stdout
    assert relay.stop() == 0


def test_a_start_with_the_table_waits_for_the_decision(relay):
    prepare(relay, "'open'", "open")
    relay.sql("GRANT XA_RECOVER_ADMIN ON *.* TO %s@'%%'", (relay.user,))
    relay.insert("in the table")
    relay.start()
    wait_until(lambda: "XA" in relay.log(), "it says what it waits for")
    assert relay.received() == []
    decide(relay, "XA COMMIT 'open'")
    assert set(ids(relay.wait_for(2))) == {"open", "in the table"}
    assert relay.stop() == 0


def test_inspect_shows_what_the_relay_decides(relay):
    prepare(relay, "'shown'", "e1")
    decide(relay, "XA COMMIT 'shown'")
    relay.insert("e2")
    printed = subprocess.run(
        [relay.binary, "inspect", *map(str, relay.mysql.binlogs()), "--config", relay.path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert printed.returncode == 0, printed.stderr
    assert "held: XA transaction X'73686F776E',X'',1 is prepared" in printed.stdout
    published = printed.stdout.split("held: XA transaction")[1]
    assert published.index("=> published") < published.index("id='e1'")
    assert published.index("id='e1'") < published.index("id='e2'")
    if "TRANSACTION_PAYLOAD" in printed.stdout:
        inner = printed.stdout.split("TRANSACTION_PAYLOAD")[-1]
        assert "compressed in it" in inner


def test_prepared_transactions_fill_the_spill_directory_together(outboxd, kafka, tmp_path):
    with PrivateMysql() as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.configure(relay__spill_bytes_max="20MiB").begin_now().start()
        # Each fits alone. Memory holds 8 MiB of the first.
        for number in range(5):
            connection = relay.connect()
            with connection.cursor() as cursor:
                cursor.execute(f"XA START 'x{number}'")
                for part in range(16):
                    cursor.execute(
                        "INSERT INTO outbox VALUES"
                        " (%s, 'order', 'k', 'Created', REPEAT('p', 524288))",
                        (f"{number}-{part}",),
                    )
                cursor.execute(f"XA END 'x{number}'")
                cursor.execute(f"XA PREPARE 'x{number}'")
            connection.close()
        wait_until(lambda: "holding: " in relay.log(), "it holds")
        holding = next(line for line in relay.log().splitlines() if "holding: " in line)
        assert f"that wait in {relay.state} would take more than 20971520 bytes; " in holding
        assert " of XA transaction X'7831',X'',1, prepared at binlog.000001:" in holding
        assert "relay.spill-bytes-max" in holding
        assert relay.stop() == 0
        relay.configure(relay__spill_bytes_max="64MiB").start()
        for number in range(5):
            decide(relay, f"XA COMMIT 'x{number}'")
        expected = [f"{number}-{part}" for number in range(5) for part in range(16)]
        assert ids(relay.wait_for(80, seconds=120)) == expected
        assert relay.stop() == 0
