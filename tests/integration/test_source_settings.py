"""One relay reads on while every setting that changes the log's format changes under it; what
arrives equals MySQL's own SELECT, and what mysqlbinlog makes of the same files."""

import decimal
import itertools
import re

import pytest
from private_servers import PrivateMysql
from relay import Relay, wait_until

COLUMNS = {
    "big": "BIGINT UNSIGNED",
    "small": "SMALLINT",
    "amount": "DECIMAL(20,6)",
    "ratio": "DOUBLE",
    "at": "DATETIME(6)",
    "span": "TIME(2)",
    "latin": "VARCHAR(40) CHARACTER SET latin1",
    "uid": "BINARY(8)",
    "doc": "JSON",
    "bits": "BIT(12)",
    "since": "YEAR",
}
TABLE = (
    "(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,"
    " aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL,"
    " payload LONGTEXT CHARACTER SET utf8mb4,"
    + ",".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    + ")"
)
# As SELECT shows them; bytes and bits are base64 in a header, and the parts of JSON have no spaces
# between them.
SELECT = (
    "SELECT id, payload, big, small, amount, ratio, at, span, latin,"
    " TO_BASE64(uid), REPLACE(REPLACE(doc, ', ', ','), ': ', ':'), TO_BASE64(bits),"
    " since"
    " FROM outbox ORDER BY id"
)
HARD_VALUES = [
    (
        18446744073709551615, -32768, "-99999999999999.999999", 1e308,
        "9999-12-31 23:59:59.999999", "-838:59:59.00", "Grüße €", b"\0\0\0\0\0\0\0\0",
        '{"a":[1,null,"x"],"b":1.50}', 4095, 2155,
    ),
    (
        0, 32767, "0.000001", -0.5, "1000-01-01 00:00:00.000000", "-00:00:00.01", "",
        b"abc\0\0\0\0\0", "[]", 0, 0,
    ),
    (None,) * 11,
]  # fmt: skip
SETTINGS = list(itertools.product(("FULL", "MINIMAL"), ("OFF", "ON"), ("CRC32", "NONE")))


def insert_hard_rows(relay, prefix):
    marks = ",".join(["%s"] * (5 + len(COLUMNS)))
    connection = relay.connect()
    with connection.cursor() as cursor:
        for number, values in enumerate(HARD_VALUES):
            fixed = (f"{prefix}-{number}", "order", "k", "Created", f'{{"n": {number}}} "€😀"')
            cursor.execute(f"INSERT INTO outbox VALUES ({marks})", fixed + values)
    connection.commit()
    connection.close()


def text(value):
    if value is None:
        return None
    if isinstance(value, bytes):
        return value
    return str(value).encode()


def selected(relay):
    """id -> (payload, the other columns), as the relay is to publish them."""
    connection = relay.connect()
    with connection.cursor() as cursor:
        # All as the server's own text, which no client library reformats.
        connection.decoders = {}
        cursor.execute(SELECT)
        rows = cursor.fetchall()
    connection.close()
    return {text(row[0]).decode(): tuple(text(value) for value in row[1:]) for row in rows}


def received(relay, count):
    messages = {}
    for message in relay.wait_for(count):
        headers = dict(message.headers)
        assert message.id not in messages, "a message came twice"
        messages[message.id] = (message.value,) + tuple(headers.get(name) for name in COLUMNS)
    return messages


def binlog_rows(relay):
    """id -> (big, amount, at) by mysqlbinlog, which prints no names and quotes what it shows."""
    rows = {}
    for file in relay.mysql.binlogs():
        printed = relay.mysql.mysqlbinlog("--base64-output=DECODE-ROWS", "--verbose", file)
        for row in printed.split(f"### INSERT INTO `{relay.database}`.`outbox`\n")[1:]:
            values = dict(re.findall(r"^###   @(\d+)=(.*)$", row, re.M))
            big, amount, at = (values[number].strip("'") for number in ("6", "8", "10"))
            # The tool shows 64-bit numbers above the signed range in both ways.
            big = re.sub(r"^-\d+ \((\d+)\)$", r"\1", big)
            rows[values["1"].strip("'")] = (big, amount, at)
    return rows


@pytest.mark.parametrize("gtid_mode", ["ON", "OFF"])
def test_every_setting_of_the_log_gives_what_select_says(outboxd, kafka, tmp_path, gtid_mode):
    headers = [f"{name}:{name}" for name in COLUMNS]
    names = ["id", "aggregatetype", "aggregateid", "type", "payload", *COLUMNS]
    with (
        PrivateMysql(options={"gtid-mode": gtid_mode}) as server,
        Relay(outboxd, server, kafka, tmp_path, table=TABLE) as relay,
    ):
        relay.configure(outbox__header=headers, outbox__columns=",".join(names))
        relay.begin_now().start()
        for metadata, compression, checksum in SETTINGS:
            for setting in (
                f"binlog_row_metadata = {metadata}",
                f"binlog_transaction_compression = {compression}",
                f"binlog_checksum = {checksum}",
            ):
                relay.sql(f"SET GLOBAL {setting}")
            insert_hard_rows(relay, f"{metadata}-{compression}-{checksum}")
        expected = selected(relay)
        assert len(expected) == len(SETTINGS) * len(HARD_VALUES)
        messages = received(relay, len(expected))
        for id, values in expected.items():
            assert messages[id] == values, id
        assert messages.keys() == expected.keys()
        rows = binlog_rows(relay)
        assert rows.keys() == expected.keys()
        for id, (big, amount, at) in rows.items():
            values = tuple("NULL" if v is None else v.decode() for v in expected[id])
            assert (big, at) == (values[1], values[5])
            if amount != "NULL":
                assert decimal.Decimal(amount) == decimal.Decimal(values[3])
            else:
                assert values[3] == "NULL"
        assert relay.stop() == 0


LOOKALIKES = """(id INT NOT NULL PRIMARY KEY, aggregatetype VARCHAR(20) NOT NULL,
aggregateid VARCHAR(30), type VARCHAR(40) NOT NULL, payload JSON)"""


@pytest.fixture(scope="module")
def nameless():
    with PrivateMysql(options={"binlog-row-metadata": "MINIMAL"}) as server:
        yield server


@pytest.fixture
def told_apart(outboxd, nameless, kafka, tmp_path):
    """A relay on a table each of whose columns is the only one of its kind."""
    with Relay(outboxd, nameless, kafka, tmp_path, table=LOOKALIKES) as relay:
        yield relay.begin_now()


def add(relay, id, payload="{}"):
    relay.sql("INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', %s)", (id, payload))


def test_a_log_without_names_is_read_where_no_two_columns_look_alike(told_apart):
    check = told_apart.command("check")
    assert check.returncode == 0 and "columns are told by their types" in check.stdout, check.stdout
    add(told_apart, 1, '{"a":1}')
    told_apart.start()
    message = told_apart.wait_for(1)[0]
    assert (message.id, message.key, message.value) == ("1", b"k", b'{"a":1}')
    assert dict(message.headers)["eventType"] == b"Created"


@pytest.mark.parametrize(
    "change, reason",
    [
        ("ADD COLUMN more BIGINT", "it had 5 columns when the row was written and has 6 now"),
        (
            "MODIFY type VARCHAR(41) NOT NULL",
            "now that is 'type', varchar(41) (VARCHAR of 164 bytes of collation 255, NOT NULL)",
        ),
        ("MODIFY aggregateid VARCHAR(30) AFTER id", "column 2 was VARCHAR"),
        ("MODIFY payload LONGTEXT", "column 5 was JSON"),
        ("MODIFY aggregateid VARCHAR(30) NOT NULL", "collation 255 when the row was written; now"),
        ("RENAME COLUMN type TO kind", "no column 'type'"),
    ],
)
def test_an_altered_table_does_not_name_older_rows(told_apart, change, reason):
    relay = told_apart
    add(relay, 1)
    relay.sql(f"ALTER TABLE outbox {change}")
    relay.start()
    assert relay.wait() == 78
    assert reason in relay.log() and "HINT" in relay.log()
    assert relay.received() == []


def test_declared_columns_read_what_an_altered_table_cannot_name(told_apart):
    relay = told_apart
    add(relay, 1)
    relay.sql("ALTER TABLE outbox ADD COLUMN more INT FIRST")
    relay.configure(outbox__columns="id,aggregatetype,aggregateid,type,payload").start()
    assert [m.id for m in relay.wait_for(1)] == ["1"]
    relay.sql("INSERT INTO outbox VALUES (7, 2, 'order', 'k', 'Created', '{}')")
    assert relay.wait() == 78
    assert "had 6 columns when this row was written, but 'columns' declares 5" in relay.log()
    relay.configure(outbox__columns="more,id,aggregatetype,aggregateid,type,payload").start()
    assert [m.id for m in relay.wait_for(2)] == ["1", "2"]


def test_declared_columns_in_another_order_than_the_tables_are_refused(told_apart):
    told_apart.configure(outbox__columns="id,aggregateid,aggregatetype,type,payload").start()
    assert told_apart.wait() == 78
    assert "differs from the table as it is now" in told_apart.log()


def test_columns_that_look_alike_need_names_or_a_declaration(outboxd, nameless, kafka, tmp_path):
    with Relay(outboxd, nameless, kafka, tmp_path) as relay:
        check = relay.command("check")
        assert check.returncode == 78
        assert "'aggregatetype' and 'aggregateid' look alike" in check.stdout
        relay.insert("e1")
        relay.start()
        assert relay.wait() == 78
        assert "binlog_row_metadata = FULL" in relay.log()
        relay.configure(outbox__columns="id,aggregatetype,aggregateid,type,payload").start()
        assert [m.id for m in relay.wait_for(1)] == ["e1"]


def test_names_are_read_again_after_the_table_was_altered_under_the_relay(told_apart):
    relay = told_apart.start()
    add(relay, 1)
    relay.wait_for(1)
    relay.sql("ALTER TABLE outbox ADD COLUMN first_of_all BIGINT FIRST")
    relay.sql("INSERT INTO outbox VALUES (7, 2, 'order', 'k', 'Created', '{}')")
    assert [m.id for m in relay.wait_for(2)] == ["1", "2"]
    assert wait_until(lambda: relay.stop() == 0, "the stop")
