"""GTIDs in every mode, switched under a running relay, in sets of any shape, and file names and
offsets of any size."""

import itertools

import pytest
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until

UUID = "12345678-1234-1234-1234-123456789abc"


def committed(relay):
    return {row[0] for row in relay.sql("SELECT id FROM outbox")}


def test_the_mode_may_change_under_a_running_relay_there_and_back(outboxd, kafka, tmp_path):
    numbers = itertools.count(1)
    with (
        PrivateMysql(options={"gtid-mode": "OFF", "enforce-gtid-consistency": "ON"}) as server,
        Relay(outboxd, server, kafka, tmp_path) as relay,
    ):
        relay.begin_now().start()
        # Each step as the manual asks for it; the relay is restarted after some of them.
        for mode, restart in (
            ("OFF", False),
            ("OFF_PERMISSIVE", True),
            ("ON_PERMISSIVE", False),
            ("ON", True),
            ("ON", False),
            ("ON_PERMISSIVE", True),
            ("OFF_PERMISSIVE", False),
            ("OFF", True),
        ):
            before = relay.sql("SELECT @@global.gtid_mode")[0][0]
            if mode != before:
                relay.sql(f"SET GLOBAL gtid_mode = {mode}")
            for _ in range(3):
                relay.insert(f"{next(numbers)} in {mode}")
            expected = committed(relay)
            wait_until(lambda: set(ids(relay.received())) == expected, f"all of {mode}")
            if restart:
                assert relay.stop() == 0
                relay.insert(f"{next(numbers)} after {mode}")
                relay.start()
        expected = committed(relay)
        wait_until(lambda: set(ids(relay.received())) == expected, "all")
        assert relay.stop() == 0
        assert sorted(ids(relay.received())) == sorted(expected), "none came twice"


def test_anonymous_transactions_unread_when_gtids_were_switched_on_are_a_clear_stop(
    outboxd, kafka, tmp_path
):
    with (
        PrivateMysql(options={"gtid-mode": "OFF", "enforce-gtid-consistency": "ON"}) as server,
        Relay(outboxd, server, kafka, tmp_path) as relay,
    ):
        relay.begin_now()
        relay.insert("anonymous")
        for mode in ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"):
            relay.sql(f"SET GLOBAL gtid_mode = {mode}")
        relay.insert("with a GTID")
        relay.start()
        assert relay.wait() == 78
        assert "SET GLOBAL gtid_mode = ON_PERMISSIVE until it has" in relay.log()
        relay.sql("SET GLOBAL gtid_mode = ON_PERMISSIVE")
        relay.start()
        assert ids(relay.wait_for(2)) == ["anonymous", "with a GTID"]
        relay.sql("SET GLOBAL gtid_mode = ON")
        relay.insert("behind")
        relay.wait_for(3)
        assert relay.stop() == 0


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        yield relay


def insert_as(relay, gtid, id):
    connection = relay.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET gtid_next = %s", (gtid,))
        cursor.execute("INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')", (id,))
        connection.commit()
        cursor.execute("SET gtid_next = AUTOMATIC")
    connection.close()


def test_gtids_with_gaps_of_other_servers_and_tags_make_the_same_set_as_the_servers(relay):
    relay.begin_now().start()
    wanted = []
    for number in (7, 3, 5, 4, 9):
        for tag in ("", "blue:", "a_tag_of_thirty_two_characters_:"):
            gtid = f"{UUID}:{tag}{number}"
            insert_as(relay, gtid, f"{tag}{number}")
            wanted.append(f"{tag}{number}")
    assert sorted(ids(relay.wait_for(len(wanted)))) == sorted(wanted)
    wait_until(lambda: relay.executed_gtids() in relay.checkpoint(), "done is gtid_executed")
    relay.kill()
    relay.start()
    relay.insert("last")
    assert ids(relay.wait_for(len(wanted) + 1)).count("last") == 1
    assert len(relay.received()) == len(wanted) + 1
    assert relay.stop() == 0


def test_empty_transactions_join_the_set(relay):
    relay.begin_now().start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"SET gtid_next = '{UUID}:100'")
        cursor.execute("BEGIN")
        cursor.execute("COMMIT")
        cursor.execute("SET gtid_next = AUTOMATIC")
    connection.close()
    wait_until(lambda: relay.executed_gtids() in relay.checkpoint(), "done is gtid_executed")
    assert relay.stop() == 0


def test_a_position_of_a_hundred_thousand_intervals_serves(relay):
    # As if this server had been set up from a backup of another.
    numbers = ":".join(str(number) for number in range(1, 200_001, 2))
    many = f"00000000-1234-1234-1234-123456789abc:{numbers}"
    relay.sql("SET GLOBAL gtid_purged = %s", ("+" + many,))
    relay.begin_now().start()
    for number in range(20):
        relay.insert(f"e{number}")
    assert ids(relay.wait_for(20)) == [f"e{number}" for number in range(20)]
    relay.kill()
    relay.start()
    relay.insert("last")
    assert "last" in ids(relay.wait_for(21))
    assert relay.stop() == 0


def test_file_numbers_of_seven_digits_follow_those_of_six(outboxd, kafka, tmp_path):
    with PrivateMysql(options={"gtid-mode": "OFF"}) as server:
        # The server counts on from the last line of its index.
        server.stop()
        last = server.datadir / "binlog.999998"
        server.binlogs()[-1].rename(last)
        (server.datadir / "binlog.index").write_text("./binlog.999998\n")
        server.start()
        with Relay(outboxd, server, kafka, tmp_path) as relay:
            relay.begin_now().start()
            expected = []
            for number in range(4):
                relay.insert(f"e{number}")
                expected.append(f"e{number}")
                assert ids(relay.wait_for(len(expected))) == expected
                relay.sql("FLUSH BINARY LOGS")
                if number == 1:
                    assert relay.stop() == 0
                    relay.start()
            wait_until(lambda: "binlog.10000" in relay.checkpoint(), "the checkpoint follows")
            assert relay.stop() == 0
            assert ids(relay.received()) == expected
