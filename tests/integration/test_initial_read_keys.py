"""The initial read goes over a table whole, whatever the table's key is and however the server
orders and compares it; also while rows go and keys change under it."""

import random
import struct
from dataclasses import replace
from decimal import Decimal

import pytest
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
from relay import ids

ROWS = 2500  # Several chunks of each table.
ROWS_MIN = 2000  # As some of the keys made at random are the same.
BYTES_PER_SECOND = 60_000  # Not even one table in five seconds.
TRANSACTIONS = 100  # That change tables while the read is so slow; some more come afterwards.


def number(low, high):
    return lambda source: (source.randint(low, high),)


def text(letters, length=12):
    return lambda source: ("".join(source.choices(letters, k=source.randint(1, length))),)


def single(source):
    """What FLOAT stores, from very small to very large."""
    value = source.uniform(-1, 1) * 10 ** source.randint(-30, 30)
    return (struct.unpack("f", struct.pack("f", value))[0],)


def double(source):
    return (source.uniform(-1, 1) * 10 ** source.randint(-300, 300),)


def decimal(source):
    digits = source.randint(-(10**28), 10**28) >> source.randrange(90)
    return (f"{Decimal(f'{digits}E-10'):f}",)


def time(source):
    sign = source.choice(["-", ""])
    hours, minutes, seconds = source.randrange(830), source.randrange(60), source.randrange(60)
    return (f"{sign}{hours:02}:{minutes:02}:{seconds:02}.{source.randrange(1000):03}",)


def date_and_time(source):
    # Many in the same second.
    return (f"2024-02-29 23:59:{source.randrange(60):02}.{source.randrange(10**6):06}",)


def sixteen_bytes(source):
    return (source.randbytes(source.randint(1, 16)).ljust(16, b"\0"),)


def with_number(first, high=10**6):
    return lambda source: (*first(source), source.randint(0, high))


def one_of(*values):
    return lambda source: (source.choice(values),)


def of_set(source):
    return (",".join(source.sample(["z", "a", "m"], source.randrange(4))),)


def keyed(name, column, key, rest="PRIMARY KEY (k)"):
    return KeyedTable(f"e_{name}", f"k {column} NOT NULL, {rest}", ("k",), key)


def keyed_twice(name, columns, key, primary="k, n"):
    return KeyedTable(f"e_{name}", f"{columns}, PRIMARY KEY ({primary})", ("k", "n"), key)


def keyed_by_text(name, collation, letters):
    charset = collation.partition("_")[0]
    return keyed(name, f"VARCHAR(20) CHARACTER SET {charset} COLLATE {collation}", text(letters))


# White space at the end, and what sorts before white space, tell padding from its absence.
LETTERS = "aAäÄàbBßsSzZ09_- \t"

TABLES = [
    keyed_twice("enum", "k ENUM('z','a','m') NOT NULL, n INT NOT NULL",
                with_number(one_of("z", "a", "m"))),
    keyed_twice("set", "k SET('z','a','m') NOT NULL, n INT NOT NULL", with_number(of_set)),
    keyed("float", "FLOAT", single),
    keyed("double", "DOUBLE", double),
    keyed("decimal", "DECIMAL(30,10)", decimal),
    keyed_twice("bit", "k BIT(9) NOT NULL, n INT NOT NULL", with_number(number(0, 511))),
    keyed("bit64", "BIT(64)", number(0, 2**64 - 1)),
    keyed("time", "TIME(3)", time),
    keyed("datetime", "DATETIME(6)", date_and_time),
    keyed("binary16", "BINARY(16)", sixteen_bytes),
    keyed_by_text("text_0900_ai_ci", "utf8mb4_0900_ai_ci", LETTERS + "ﬁ☂😀"),
    keyed_by_text("text_general_ci", "utf8mb4_general_ci", LETTERS + "ﬁ☂😀"),
    keyed_by_text("text_bin", "utf8mb4_bin", LETTERS + "ﬁ☂😀"),
    keyed_by_text("text_latin1", "latin1_swedish_ci", LETTERS),
    keyed("unsigned", "BIGINT UNSIGNED", number(2**63 - 10**6, 2**63 + 10**6)),
    keyed("negative", "INT", number(-(10**6), 10**3)),
    keyed("descending", "INT", number(-(10**6), 10**6), "PRIMARY KEY (k DESC)"),
    keyed_twice(
        "composite",
        "n VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL, k INT NOT NULL",
        lambda source: (source.randrange(40), *text(LETTERS)(source)),
        primary="k DESC, n",
    ),
    replace(
        keyed("partitioned", "INT", number(0, 10**6)), options="PARTITION BY HASH (k) PARTITIONS 4"
    ),
    KeyedTable("e_invisible", "note INT", ("note",), number(0, 10**6),
               session="SET SESSION sql_generate_invisible_primary_key = ON"),
    keyed("unique", "INT", number(-(10**6), 10**6), "UNIQUE KEY (k)"),
]


def fill(relay, tables):
    source = random.Random(SEED)
    for table in tables:
        table.create(relay)
        table.fill(relay, ROWS, source)
        assert len(table.ids(relay)) > ROWS_MIN, table.name


def of_table(table, ids):
    return [id for id in ids if id.split("-")[0] == table.name]


@pytest.fixture(scope="module")
def read(outboxd, mysql, kafka, tmp_path_factory):
    """A relay that has read all tables, and the ids that arrived."""
    with relay_for_all(outboxd, mysql, kafka, tmp_path_factory.mktemp("read")) as relay:
        fill(relay, TABLES)
        relay.start()
        wait_until_read(relay)
        assert relay.stop() == 0
        yield relay, ids(relay.received())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name.removeprefix("e_"))
def test_a_table_at_rest_is_read_whole_and_once(read, table):
    relay, arrived = read
    assert sorted(of_table(table, arrived)) == sorted(table.ids(relay)), f"seed {SEED}"


def test_tables_that_change_arrive_as_they_were_and_with_what_came_later(
    read, outboxd, mysql, kafka, tmp_path
):
    at_rest, _ = read
    with (
        FaultProxy(mysql.host, mysql.port) as proxy,
        relay_for_all(outboxd, mysql, kafka, tmp_path, mysql__port=proxy.port) as relay,
    ):
        for table in TABLES:
            table.create(relay)
            table.copy(relay, at_rest.database)
        expected = {table.name: table.ids(relay) for table in TABLES}
        proxy.throttle(BYTES_PER_SECOND, [TO_CLIENT])
        relay.start()
        relay.wait_for(1)
        with Changes(relay, TABLES, random.Random(SEED)) as changes:
            changes.wait_for(TRANSACTIONS)
            assert not is_read(relay)
            proxy.heal()
            wait_until_read(relay)
        (quiet,) = (table for table in TABLES if table.name == "e_invisible")
        last = publish_last(relay, quiet, random.Random(SEED))
        assert relay.stop() == 0
        arrived = ids(relay.received())
        wrong = {}
        for table in TABLES:
            came = expected[table.name] | set(of_table(table, changes.inserted | {last}))
            here = set(of_table(table, arrived))
            lost, invented = came - here, here - came
            if lost or invented:
                wrong[table.name] = f"{len(lost)} lost, {len(invented)} invented"
        assert not wrong, f"seed {SEED}"
