"""Rows are read by the names of their columns, as the table was when they were written."""

import itertools

import pytest
from relay import Relay

TABLE = """(id INT NOT NULL PRIMARY KEY, aggregatetype VARCHAR(20) NOT NULL,
aggregateid VARCHAR(32), type CHAR(20) CHARACTER SET latin1, payload VARCHAR(500), extra INT,
other VARCHAR(10))"""


class Writer:
    """Inserts rows of different values and knows what has to arrive."""

    def __init__(self, relay):
        self.relay = relay
        self.numbers = itertools.count(1)
        self.expected = {}

    def insert(self, first=0, kind="Größe", payload=None):
        number = first + next(self.numbers)
        key = f"key-{number}"
        payload = payload or f'{{"n": {number}, "text": "Zoë {number} \\\\ ☂ 😀"}}'
        self.relay.sql(
            "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)"
            " VALUES (%s, 'order', %s, %s, %s)",
            (number, key, kind, payload),
        )
        self.expected[str(number)] = (key, kind, payload)

    def after(self, *statements, **values):
        for statement in statements:
            self.relay.sql(statement)
        self.insert(**values)

    def check(self):
        """Waits until all has arrived: that, in this order for each key, and nothing else."""
        messages = self.relay.wait_for(len(self.expected))
        arrived = {
            m.id: (m.key.decode(), dict(m.headers)["eventType"].decode(), m.value.decode())
            for m in messages
        }
        assert arrived == self.expected
        assert len(messages) == len(self.expected)


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    """A relay that will publish what is inserted from now on; it does not run yet."""
    with Relay(outboxd, mysql, kafka, tmp_path, TABLE) as one:
        yield one.begin_now()


def alter(writer):
    """Rows between all kinds of ALTER TABLE."""
    writer.insert()
    for change in (
        "ADD COLUMN first_one DATETIME(6) DEFAULT NOW(6) FIRST",
        "ADD COLUMN added JSON AFTER id",
        "ADD COLUMN hidden INT INVISIBLE DEFAULT 7 FIRST",
        "RENAME COLUMN extra TO renamed",
        "DROP COLUMN first_one",
        "MODIFY payload VARCHAR(500) FIRST",
        "MODIFY id INT NOT NULL AFTER other",
        "MODIFY renamed DECIMAL(30,10)",
        "MODIFY other LONGBLOB",
        "MODIFY payload TEXT",
        "MODIFY payload LONGTEXT CHARACTER SET utf16",
        "MODIFY aggregatetype ENUM('invoice','order') NOT NULL",
        "FORCE",
        "RENAME COLUMN other TO aggregatekey, ADD COLUMN computed INT AS (id % 7) VIRTUAL FIRST",
    ):
        writer.after(f"ALTER TABLE outbox {change}")
    writer.after("ALTER TABLE outbox MODIFY id BIGINT NOT NULL", first=3_000_000_000)
    writer.after("ALTER TABLE outbox MODIFY id BIGINT UNSIGNED NOT NULL", first=2**63)
    for characters in ("utf8mb4", "cp1251", "utf8mb3"):
        kind = "Заказ" if characters != "utf8mb4" else "Größe ☂ 😀"
        change = f"MODIFY type CHAR(20) CHARACTER SET {characters}"
        writer.relay.sql("UPDATE outbox SET type = NULL")
        writer.after(f"ALTER TABLE outbox {change}", kind=kind)
    writer.after("TRUNCATE TABLE outbox")


def test_a_relay_that_was_away_reads_rows_from_before_and_after_each_change(relay):
    writer = Writer(relay)
    alter(writer)
    relay.start()
    writer.check()
    assert relay.stop() == 0
    assert "DDL statements" in relay.log()


def test_a_running_relay_follows_each_change(relay):
    writer = Writer(relay)
    relay.start()
    alter(writer)
    writer.check()


def test_a_table_swapped_in_by_rename_is_read_from_then_on_and_its_copied_rows_are_not(relay):
    # What gh-ost does: it copies and follows on its own connection, then swaps atomically.
    writer = Writer(relay)
    writer.insert()
    writer.after(
        "CREATE TABLE _outbox_gho LIKE outbox",
        "ALTER TABLE _outbox_gho ADD COLUMN added INT FIRST, MODIFY id BIGINT NOT NULL",
        "CREATE TABLE _outbox_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, hint VARCHAR(64))",
    )
    columns = "id, aggregatetype, aggregateid, type, payload"
    relay.sql(f"INSERT IGNORE INTO _outbox_gho ({columns}) SELECT {columns} FROM outbox")
    writer.insert()
    relay.sql(f"REPLACE INTO _outbox_gho ({columns}) SELECT {columns} FROM outbox")
    writer.after("RENAME TABLE outbox TO _outbox_del, _outbox_gho TO outbox", first=3_000_000_000)
    writer.after("DROP TABLE _outbox_del")
    relay.start()
    writer.check()


def test_a_table_swapped_in_with_triggers_brings_each_row_once(relay):
    # What pt-online-schema-change does: triggers carry each change over to the copy.
    columns = "id, aggregatetype, aggregateid, type, payload"
    values = ", ".join(f"NEW.{column}" for column in columns.split(", "))
    writer = Writer(relay)
    writer.insert()
    writer.after(
        "CREATE TABLE _outbox_new LIKE outbox",
        "ALTER TABLE _outbox_new DROP COLUMN extra, MODIFY payload LONGTEXT FIRST",
        "CREATE TRIGGER pt_del AFTER DELETE ON outbox FOR EACH ROW"
        " DELETE IGNORE FROM _outbox_new WHERE id <=> OLD.id",
        "CREATE TRIGGER pt_ins AFTER INSERT ON outbox FOR EACH ROW"
        f" REPLACE INTO _outbox_new ({columns}) VALUES ({values})",
    )
    relay.sql(
        f"INSERT LOW_PRIORITY IGNORE INTO _outbox_new ({columns})"
        f" SELECT {columns} FROM outbox LOCK IN SHARE MODE"
    )
    writer.insert()
    writer.after("RENAME TABLE outbox TO _outbox_old, _outbox_new TO outbox")
    writer.after("DROP TABLE _outbox_old")
    relay.start()
    writer.check()
    assert len(relay.sql("SELECT id FROM outbox")) == len(writer.expected)


def test_a_table_that_is_dropped_and_made_anew_is_the_same_event_table(relay):
    writer = Writer(relay)
    writer.insert()
    writer.after(
        "DROP TABLE outbox",
        "CREATE TABLE outbox (payload JSON, id BIGINT UNSIGNED PRIMARY KEY, type TINYTEXT,"
        " aggregatetype CHAR(5), aggregateid VARCHAR(40))",
        payload='{"n":2}',
    )
    relay.start()
    writer.check()


def test_partitions_come_and_go(relay):
    writer = Writer(relay)
    writer.after(
        "ALTER TABLE outbox PARTITION BY RANGE (id)"
        " (PARTITION a VALUES LESS THAN (3), PARTITION b VALUES LESS THAN (1000000))"
    )
    writer.insert()
    writer.insert()
    for change in (
        "REORGANIZE PARTITION b INTO"
        " (PARTITION c VALUES LESS THAN (6), PARTITION d VALUES LESS THAN (1000000))",
        "REORGANIZE PARTITION a, c INTO (PARTITION e VALUES LESS THAN (6))",
        "DROP PARTITION e",
        "ADD PARTITION (PARTITION f VALUES LESS THAN MAXVALUE)",
        "PARTITION BY HASH (id) PARTITIONS 3",
        "REMOVE PARTITIONING",
    ):
        writer.after(f"ALTER TABLE outbox {change}")
    relay.start()
    writer.check()


def test_a_mapped_column_may_be_generated(relay):
    writer = Writer(relay)
    relay.start()
    writer.after(
        "ALTER TABLE outbox ADD COLUMN document JSON AS (JSON_OBJECT('p', payload)) VIRTUAL FIRST,"
        " ADD COLUMN kind VARCHAR(30) AS (CONCAT(type, '!')) STORED FIRST"
    )
    writer.check()
    assert relay.stop() == 0
    relay.configure(outbox__payload="document", outbox__header="kind:eventType").start()
    columns = "id, aggregatetype, type, payload"
    relay.sql(f"INSERT INTO outbox ({columns}) VALUES (7, 'order', 'Zoë', 'p')")
    (message,) = [m for m in relay.wait_for(2) if m.id == "7"]
    assert message.value == b'{"p":"p"}'
    assert dict(message.headers)["eventType"] == "Zoë!".encode()


def test_columns_are_named_in_any_case(relay):
    writer = Writer(relay)
    relay.configure(outbox__id="ID", outbox__payload="PayLoad", outbox__header="TYPE:eventType")
    relay.start()
    writer.insert()
    writer.after("ALTER TABLE outbox RENAME COLUMN payload TO PAYLOAD")
    writer.check()


@pytest.mark.parametrize("change", ["DROP COLUMN type", "RENAME COLUMN type TO kind"])
def test_a_mapped_column_that_is_gone_ends_the_run_and_loses_nothing(relay, change):
    writer = Writer(relay)
    relay.start()
    writer.insert()
    writer.check()
    relay.sql(f"ALTER TABLE outbox {change}")
    relay.sql("INSERT INTO outbox (id, aggregatetype, payload) VALUES (7, 'order', 'p')")
    assert relay.wait() == 78
    last = relay.log().splitlines()[-1]
    assert f"table {relay.database}.outbox had no column 'type'" in last and "HINT" in last
    # Once it is known that the table lacks it, a start says so.
    result = relay.command("run")
    assert result.returncode == 78 and "no column 'type'" in result.stderr
    relay.configure(outbox__header=None).start()
    assert {m.id for m in relay.wait_for(2)} == {"1", "7"}
