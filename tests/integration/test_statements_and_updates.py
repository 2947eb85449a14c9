"""What the log shows of an event table besides inserted rows is told, never silently lost."""

import contextlib

import pytest
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until

LOST = "('lost', 'order', 'k', 'Created', 'a secret')"


@pytest.fixture(scope="module")
def mysql():
    with PrivateMysql(options={"local-infile": "ON"}) as server:
        yield server


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    """A relay that publishes what is inserted from now on."""
    with Relay(outboxd, mysql, kafka, tmp_path) as one:
        yield one.begin_now()


@contextlib.contextmanager
def session(relay, **settings):
    """A cursor in a session of these settings; committed at the end at the latest."""
    connection = relay.connect(local_infile=True, autocommit=settings.pop("autocommit", False))
    try:
        with connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute(f"SET SESSION {name} = {value}")
            yield cursor
        connection.commit()
    finally:
        connection.close()


def transaction(relay, *statements, **settings):
    """Commits the statements as one transaction of a session of its own; returns its GTID."""
    before = relay.executed_gtids()
    with session(relay, **settings) as cursor:
        for statement in statements:
            cursor.execute(statement)
    ((gtid,),) = relay.sql(f"SELECT GTID_SUBTRACT(@@global.gtid_executed, '{before}')")
    assert gtid.count(":") == 1 and "-" not in gtid.partition(":")[2]
    return gtid


def alarms(relay):
    """The standing alarms as `status` shows them."""
    return [line for line in relay.command("status").stdout.splitlines() if line.startswith("  ")]


def by_trigger(relay, _):
    insert = f"INSERT INTO outbox VALUES {LOST}"
    relay.sql(f"CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW {insert}")
    return "INSERT INTO orders (note) VALUES ('x')"


def by_function(relay, _):
    relay.sql(f"""CREATE FUNCTION publish() RETURNS INT DETERMINISTIC MODIFIES SQL DATA
      BEGIN INSERT INTO outbox VALUES {LOST}; RETURN 1; END""")
    return "SELECT publish()"


def by_load_data(_, folder):
    path = folder / "rows"
    path.write_text("lost\torder\tk\tCreated\ta secret\n")
    return f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE outbox"


def by_insert(*_):
    return f"INSERT INTO outbox VALUES {LOST}"


@pytest.mark.parametrize("way", [by_insert, by_trigger, by_function, by_load_data])
def test_a_change_in_statement_format_is_an_alarm_until_it_is_acknowledged(relay, tmp_path, way):
    statement = way(relay, tmp_path)
    relay.start()
    relay.insert("before")
    gtid = transaction(relay, statement, binlog_format="STATEMENT")
    relay.insert("after")
    assert ids(relay.wait_for(2)) == ["before", "after"]
    assert relay.sql("SELECT COUNT(*) FROM outbox") == ((3,),)
    (alarm,) = alarms(relay)
    assert "statement" in alarm and gtid in alarm
    assert relay.stop() == 0
    assert "ALARM at transaction " + gtid in relay.log()
    assert "1 changes in statement format" in relay.log()
    assert "a secret" not in relay.log() + alarm

    relay.start()
    relay.insert("later")
    relay.wait_for(3)
    assert alarms(relay) == [alarm]
    assert "1 alarms acknowledged" in relay.command("alarms", "acknowledge").stdout
    assert alarms(relay) == []
    assert relay.stop() == 0
    assert ids(relay.received()) == ["before", "after", "later"]


def test_the_rows_of_a_transaction_that_also_holds_a_statement_are_delivered(relay):
    relay.start()
    # UUID() makes the second insert a row, since every replica would have another.
    gtid = transaction(
        relay,
        f"INSERT INTO outbox VALUES {LOST}",
        "INSERT INTO outbox VALUES ('row', 'order', 'k', 'Created', UUID())",
        binlog_format="MIXED",
    )
    assert ids(relay.wait_for(1)) == ["row"]
    (alarm,) = alarms(relay)
    assert gtid in alarm


def test_where_configured_a_statement_ends_the_run_and_nothing_of_it_passes(relay):
    relay.configure(delivery__on_statement="stop").start()
    relay.insert("before")
    relay.wait_for(1)
    gtid = transaction(
        relay,
        f"INSERT INTO outbox VALUES {LOST}",
        "INSERT INTO outbox VALUES ('row', 'order', 'k', 'Created', UUID())",
        binlog_format="MIXED",
    )
    relay.insert("after")
    assert relay.wait() == 65
    last = relay.log().splitlines()[-1]
    assert gtid in last and "statement format" in last and "binlog_format" in last
    assert "HINT" in last and "delivery.on-statement = alarm" in last and "a secret" not in last
    assert ids(relay.received()) == ["before"]
    assert alarms(relay) == []

    relay.configure(delivery__on_statement="alarm").start()
    assert ids(relay.wait_for(3)) == ["before", "row", "after"]
    assert len(alarms(relay)) == 1


def test_without_gtids_an_alarm_names_the_place_that_inspect_begins_at(outboxd, kafka, tmp_path):
    options = {"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}
    with PrivateMysql(options=options) as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.begin_now().start()
        with session(relay, binlog_format="STATEMENT") as cursor:
            cursor.execute(f"INSERT INTO outbox VALUES {LOST}")
        relay.insert("after")
        assert ids(relay.wait_for(1)) == ["after"]
        (alarm,) = alarms(relay)
        file, _, offset = alarm.split()[1].partition(":")
        shown = relay.command("inspect", server.datadir / file, "--from", offset).stdout
        assert shown.splitlines()[0].split()[1] == "ANONYMOUS_GTID"
        assert "=> ALARM: a change in statement format" in shown
        assert shown.splitlines()[-1].startswith("2 transactions: 1 published (1 rows)")


def test_a_statement_that_cannot_concern_an_event_table_is_no_alarm(relay):
    other = f"{relay.database}_other"
    relay.sql(f"CREATE DATABASE {other}")
    relay.sql(f"CREATE TABLE {other}.outbox (id INT)")
    relay.sql("CREATE TABLE IF NOT EXISTS mysql.rds_heartbeat2 (id INT PRIMARY KEY, value BIGINT)")
    relay.start()
    transaction(relay, f"INSERT INTO {other}.outbox VALUES (1)", binlog_format="STATEMENT")
    transaction(
        relay,
        "INSERT INTO mysql.rds_heartbeat2 VALUES (1, 2) ON DUPLICATE KEY UPDATE value = 2",
        binlog_format="STATEMENT",
    )
    transaction(relay, "CREATE TABLE copy SELECT * FROM orders")
    with session(relay, autocommit=True, binlog_format="STATEMENT") as cursor:
        cursor.execute("CREATE TEMPORARY TABLE scratch (id INT)")
        cursor.execute("DROP TEMPORARY TABLE scratch")
        cursor.execute("CREATE TEMPORARY TABLE left_to_the_server (id INT)")
    relay.insert("after")
    relay.wait_for(1)
    assert alarms(relay) == []
    assert relay.stop() == 0
    assert "ALARM" not in relay.log()


def change_four_times(relay):
    """Each kind of change of the row 'e1'; returns its payload as SELECT shows it after each."""
    payloads = []
    for statement in (
        "INSERT INTO outbox VALUES ('e1', 'order', 'k', 'Created', '{\"v\": 1}')",
        "UPDATE outbox SET payload = '{\"v\": 2, \"t\": \"Zoë\"}'",
        "REPLACE INTO outbox VALUES ('e1', 'order', 'k', 'Replaced', '{\"v\": 3}')",
        """INSERT INTO outbox VALUES ('e1', 'order', 'k', 'Created', 'unused')
           ON DUPLICATE KEY UPDATE type = 'Upserted', payload = '{\"v\": 4}'""",
    ):
        relay.sql(statement)
        payloads.append(relay.sql("SELECT payload, type FROM outbox")[0])
    return payloads


def shown(messages):
    return [(m.value.decode(), dict(m.headers)["eventType"].decode()) for m in messages]


def test_by_default_updates_and_upserts_are_counted_and_publish_nothing(relay):
    relay.start()
    payloads = change_four_times(relay)
    relay.insert("last")
    messages = relay.wait_for(2)
    assert ids(messages) == ["e1", "last"]
    assert shown(messages)[0] == payloads[0]
    assert relay.stop() == 0
    assert "3 updates of event tables" in relay.log()
    assert alarms(relay) == []


def test_where_configured_updates_and_upserts_are_published_as_select_shows_them(relay):
    relay.configure(delivery__on_update="publish").start()
    payloads = change_four_times(relay)
    messages = relay.wait_for(4)
    assert ids(messages) == ["e1"] * 4
    assert shown(messages) == payloads
    assert len({dict(m.headers)["outboxd.position"] for m in messages}) == 4
    relay.sql("DELETE FROM outbox")
    relay.insert("last")
    assert ids(relay.wait_for(5)) == ["e1"] * 4 + ["last"]


def test_an_update_of_many_rows_publishes_each(relay):
    relay.configure(delivery__on_update="publish").start()
    relay.insert(*[f"e{i:03}" for i in range(500)])
    relay.sql("UPDATE outbox SET payload = CONCAT('new-', id), type = 'Changed'")
    messages = relay.wait_for(1000)[500:]
    assert [m.value.decode() for m in messages] == [
        payload for (payload,) in relay.sql("SELECT payload FROM outbox ORDER BY id")
    ]


def test_where_configured_updates_and_upserts_are_alarms(relay):
    relay.configure(delivery__on_update="alarm").start()
    before = relay.executed_gtids()
    change_four_times(relay)
    relay.insert("last")
    assert ids(relay.wait_for(2)) == ["e1", "last"]
    standing = alarms(relay)
    assert len(standing) == 3
    for alarm in standing:
        kind, gtid = alarm.split()[:2]
        assert kind == "update"
        assert relay.sql(f"SELECT GTID_SUBSET('{gtid}', '{before}')") == ((0,),)


def test_a_replace_and_an_upsert_of_a_new_row_are_inserts(relay):
    relay.configure(delivery__on_update="alarm").start()
    relay.sql("REPLACE INTO outbox VALUES ('e1', 'order', 'k', 'Created', '1')")
    relay.sql("""INSERT INTO outbox VALUES ('e2', 'order', 'k', 'Created', '2')
      ON DUPLICATE KEY UPDATE payload = 'x'""")
    assert ids(relay.wait_for(2)) == ["e1", "e2"]
    assert alarms(relay) == []


def test_a_document_that_the_log_holds_in_parts_is_not_published_as_if_it_were_whole(
    outboxd, mysql, kafka, tmp_path
):
    table = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
      aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload JSON)"""
    with Relay(outboxd, mysql, kafka, tmp_path, table) as relay:
        relay.configure(delivery__on_update="publish").begin_now().start()
        relay.insert("e1", payload='{"a": "a long text", "b": 1}')
        relay.wait_for(1)
        update = "UPDATE outbox SET payload = JSON_SET(payload, '$.a', 'b')"
        gtid = transaction(relay, update, binlog_row_value_options="'PARTIAL_JSON'")
        assert relay.wait() == 65
        last = relay.log().splitlines()[-1]
        assert gtid in last and f"{relay.database}.outbox" in last
        assert "HINT: SET PERSIST binlog_row_value_options = ''" in last
        # Where updates are not published it is counted like any other.
        relay.configure(delivery__on_update="ignore").start()
        relay.insert("e2")
        assert ids(relay.wait_for(2)) == ["e1", "e2"]


WITH_DEFAULTS = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL DEFAULT 'Created: é', payload LONGTEXT)"""


def test_a_column_that_is_missing_from_the_row_image_needs_its_default_declared(
    outboxd, mysql, kafka, tmp_path
):
    with Relay(outboxd, mysql, kafka, tmp_path, WITH_DEFAULTS) as relay:
        relay.begin_now().start()
        relay.insert("whole")
        relay.wait_for(1)
        gtid = transaction(
            relay,
            "INSERT INTO outbox (id, aggregatetype, payload) VALUES ('partial', 'order', '{}')",
            binlog_row_image="MINIMAL",
        )
        assert relay.wait() == 65
        last = relay.log().splitlines()[-1]
        assert "column 'type' is missing" in last or "column 'aggregateid' is missing" in last
        for part in (gtid, f"{relay.database}.outbox", "binlog_row_image = FULL",
                     "default = COLUMN:VALUE"):
            assert part in last
        assert ids(relay.received()) == ["whole"]

        relay.configure(outbox__default="type:Created: é\ndefault = aggregateid").start()
        (message,) = [m for m in relay.wait_for(2) if m.id == "partial"]
        select = "SELECT id, aggregateid, type, payload FROM outbox WHERE id = 'partial'"
        ((event, key, kind, payload),) = relay.sql(select)
        assert (message.id, message.key, message.value) == (event, key, payload.encode())
        assert dict(message.headers)["eventType"] == kind.encode()
        # `inspect` gives the same verdict.
        shown = relay.command("inspect", mysql.binlogs()[-1]).stdout
        (line,) = [line for line in shown.splitlines() if ".outbox  id='partial'" in line]
        assert f"type='{kind}'" in line and "aggregateid=NULL" in line
        # A later row that has the columns is not given the defaults.
        relay.insert("later", key="other")
        wait_until(lambda: len(relay.received()) == 3, "the later row")
        (later,) = [m for m in relay.received() if m.id == "later"]
        assert later.key == b"other"
