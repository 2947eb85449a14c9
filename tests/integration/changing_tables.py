"""Event tables with keys of every sort, and a writer that changes them under the initial read."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from relay import Relay, ids, wait_until

BATCH = 500
CHANGES_MAX = 20  # Of each kind in one transaction.

EVENT_COLUMNS = """id VARCHAR(40) CHARACTER SET ascii NOT NULL,
aggregatetype VARCHAR(20) NOT NULL DEFAULT 'order', aggregateid VARCHAR(20) DEFAULT 'k',
type VARCHAR(20) NOT NULL DEFAULT 'Created', payload TEXT DEFAULT (REPEAT('x', 200)),
KEY (id)"""


@dataclass(frozen=True)
class KeyedTable:
    """An event table whose rows move in its key's order when that key changes.

    `key` makes one key, a value for each of `columns`; two calls may make the same. Its events all
    go to one topic, and their ids begin with `name`."""

    name: str
    definition: str  # Of the key's columns, and of the key itself.
    columns: tuple  # Of the key; the id may be one.
    key: Callable[[random.Random], tuple]
    options: str = ""  # Of the table.
    session: str | None = None  # A statement before it is created.

    def create(self, relay):
        statement = f"CREATE TABLE {self.name} ({EVENT_COLUMNS}, {self.definition}) {self.options}"
        connection = relay.connect(init_command=self.session)
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def fill(self, relay, count, source):
        """Inserts at most `count` rows, fewer where keys are the same for the server."""
        connection = relay.connect()
        with connection.cursor() as cursor:
            for start in range(0, count, BATCH):
                ids = (f"{self.name}-{n}" for n in range(start, min(start + BATCH, count)))
                cursor.executemany(self.insert(), [self.row(id, source) for id in ids])
        connection.commit()
        connection.close()

    def copy(self, relay, database):
        """Inserts the rows of the table of this name in another database."""
        names = ", ".join([*self.own_columns(), "id"])
        relay.sql(f"INSERT INTO {self.name} ({names}) SELECT {names} FROM {database}.{self.name}")

    def insert(self):
        names = [*self.own_columns(), "id"]
        places = ", ".join(["%s"] * len(names))
        return f"INSERT IGNORE INTO {self.name} ({', '.join(names)}) VALUES ({places})"

    def row(self, id, source):
        """The arguments of insert()."""
        return (*self.key(source), id) if self.own_columns() else (id,)

    def own_columns(self):
        return [column for column in self.columns if column != "id"]

    def move(self):
        assignments = ", ".join(f"{column} = %s" for column in self.columns)
        return f"UPDATE IGNORE {self.name} SET {assignments} WHERE id = %s"

    def ids(self, relay):
        return {id for (id,) in relay.sql(f"SELECT id FROM {self.name}")}


def relay_for_all(outboxd, mysql, kafka, folder, **config):
    """A relay for all event tables of its database whose names begin with e_."""
    relay = Relay(outboxd, mysql, kafka, folder, **config)
    relay.configure(outbox__table=f"{relay.database}.e_*")
    relay.sql(f"GRANT SELECT ON {relay.database}.* TO {relay.user}@'%'")
    return relay


def is_read(relay):
    return "table read    done" in relay.command("status").stdout


def wait_until_read(relay, seconds=60):
    wait_until(
        lambda: relay.process.poll() is not None or is_read(relay),
        f"the end of the read; log:\n{relay.log()[-3000:]}",
        seconds,
    )
    assert relay.process.poll() is None, relay.log()[-3000:]


def publish_last(relay, table, source):
    """Inserts a row and waits for it: everything before it is in the topic then."""
    id = f"{table.name}-last"
    relay.sql(table.insert(), table.row(id, source))
    wait_until(lambda: id in ids(relay.received()), "the stream")
    return id


class Changes(threading.Thread):
    """Deletes rows that are in the tables, gives others another key, and inserts new ones, some of
    which it deletes at once; in small transactions, until it is stopped.

    Use as context. `inserted`: the ids of all that it inserted."""

    def __init__(self, relay, tables, source):
        super().__init__(daemon=True)
        self.relay, self.tables, self.random = relay, tables, source
        self.ends = threading.Event()
        self.inserted = set()
        self.transactions = 0
        self.failure = None
        self.ids = {table.name: sorted(table.ids(relay)) for table in tables}

    def wait_for(self, transactions):
        wait_until(
            lambda: self.transactions >= transactions or not self.is_alive(),
            f"{transactions} transactions",
        )

    def run(self):
        connection = self.relay.connect()
        try:
            while not self.ends.is_set():
                self.transaction(connection)
        except Exception as error:
            self.failure = error
        finally:
            connection.close()

    def transaction(self, connection):
        table = self.random.choice(self.tables)
        with connection.cursor() as cursor:
            for _ in range(self.random.randrange(1, CHANGES_MAX)):
                self.delete(cursor, table)
                self.move(cursor, table)
            self.insert(cursor, table)
        connection.commit()
        self.transactions += 1

    def delete(self, cursor, table):
        cursor.execute(f"DELETE FROM {table.name} WHERE id = %s", (self.some_id(table),))

    def move(self, cursor, table):
        cursor.execute(table.move(), (*table.key(self.random), self.some_id(table)))

    def insert(self, cursor, table):
        id = f"{table.name}-new-{self.transactions}"
        if cursor.execute(table.insert(), table.row(id, self.random)) == 1:
            self.inserted.add(id)
            if self.random.random() < 0.5:
                cursor.execute(f"DELETE FROM {table.name} WHERE id = %s", (id,))

    def some_id(self, table):
        return self.random.choice(self.ids[table.name])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join(60)
        assert self.failure is None, self.failure
