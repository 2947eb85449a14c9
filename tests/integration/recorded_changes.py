"""Writers that change event tables in every way, and a record of what each of their transactions
did, by which the tables can be told as they were at any GTID."""

import collections
import itertools
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pymysql

BATCH = 500
SESSION_TRACK = 1 << 23  # CLIENT_SESSION_TRACK of MySQL's protocol.
GTID = re.compile(rb"([0-9a-f]{8}-[0-9a-f-]{27}):(\d+)")
PAUSE = 0.04  # Of a writer between transactions.
HELD_MAX = 3  # Prepared XA transactions of one writer at a time.
COLLISIONS = (1205, 1213)  # Waited too long for a lock; deadlock.
DUPLICATE_KEY = 1062
LARGE_BYTES = 60_000
SMALL_TOPIC = "small"  # It takes no message so large.


@dataclass(frozen=True)
class Content:
    """What a row publishes. Each change of it has a version of its own, as no other row has."""

    version: int
    id: str
    kind: str
    key: str
    is_large: bool = False

    @property
    def type(self):
        return f"Type{self.version % 7}"

    @property
    def payload(self):
        if self.is_large:
            pad = random.Random(self.version).randbytes(LARGE_BYTES // 2).hex()
        else:
            pad = "x" * (self.version * 7919 % 300)
        return f'{{"v":{self.version},"pad":"{pad}"}}'

    @property
    def is_bad(self):
        return self.is_large and self.kind == SMALL_TOPIC


def version_of(payload):
    return int(payload[5 : payload.index(b",")])


@dataclass(frozen=True)
class RecordedTable:
    name: str
    definition: str
    columns: tuple  # Of the key; where the id is the key, it alone.
    key: Callable[[random.Random], tuple]
    trigger: bool = False  # With it the server logs a REPLACE as a delete and an insert.

    @property
    def id_is_key(self):
        return self.columns == ("id",)

    @property
    def match(self):
        return " AND ".join(f"{column} = %s" for column in self.columns)

    def create(self, relay):
        id = "" if self.id_is_key else "id VARCHAR(40) NOT NULL,"
        relay.sql(
            f"CREATE TABLE {self.name} ({self.definition}, {id} aggregatetype VARCHAR(20) NOT NULL,"
            " aggregateid VARCHAR(20), type VARCHAR(20) NOT NULL, payload LONGTEXT,"
            " note INT NOT NULL DEFAULT 0) DEFAULT CHARACTER SET utf8mb4"
        )
        if self.trigger:
            relay.sql(
                f"CREATE TRIGGER {self.name}_gone AFTER DELETE ON {self.name} FOR EACH ROW"
                " SET @gone = 1"
            )

    def names(self, has_key=True):
        own = self.columns if has_key and not self.id_is_key else ()
        return (*own, "id", "aggregatetype", "aggregateid", "type", "payload")

    def values(self, key, content):
        own = key if key is not None and not self.id_is_key else ()
        return (*own, content.id, content.kind, content.key, content.type, content.payload)

    def insert(self, verb="INSERT", has_key=True):
        names = self.names(has_key)
        return (
            f"{verb} INTO {self.name} ({', '.join(names)})"
            f" VALUES ({', '.join(['%s'] * len(names))})"
        )


def place(table, key):
    """Keys that the server takes for the same have the same place."""
    return (table.name, *(part.lower() if isinstance(part, str) else part for part in key))


def some_uuid(source):
    text = str(uuid.UUID(bytes=source.randbytes(16), version=4))
    return (text.upper() if source.random() < 0.3 else text,)


KEYS_MAX = 9000
TABLES = [
    RecordedTable("e_number", "k BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", ("k",),
                  lambda source: (source.randint(1, KEYS_MAX),)),
    RecordedTable("e_uuid", "id CHAR(36) NOT NULL PRIMARY KEY", ("id",), some_uuid),
    RecordedTable("e_bytes", "k BINARY(16) NOT NULL PRIMARY KEY", ("k",),
                  lambda source: (source.randbytes(16),)),
    RecordedTable("e_pair", "region VARCHAR(8) NOT NULL, n INT NOT NULL, PRIMARY KEY (region, n)",
                  ("region", "n"),
                  lambda source: (source.choice(("eu", "EU", "us", "ap")),
                                  source.randint(1, KEYS_MAX)),
                  trigger=True),
]  # fmt: skip


class Change(NamedTuple):
    """Of one row, as it happened. `version` of an update: its new one, None: what is published of
    it did not change."""

    kind: str  # insert, delete, update, move, replace
    table: RecordedTable
    key: tuple
    key_after: tuple = None
    content: Content = None
    version: int = None


@dataclass
class Commit:
    changes: list
    gtid: tuple = None  # (server's UUID, number)
    prepared: tuple = None  # The GTID of its XA PREPARE.


@dataclass
class Rows:
    """What all writers of a round share: the keys that they know of, and the versions."""

    tables: list
    publishes_updates: bool
    versions: itertools.count = field(default_factory=lambda: itertools.count(1))
    keys: dict = field(default_factory=lambda: collections.defaultdict(list))
    gone: dict = field(
        default_factory=lambda: collections.defaultdict(lambda: collections.deque(maxlen=50))
    )

    def content(self, table, key, source):
        version = next(self.versions)
        is_small = source.random() < 0.01
        return Content(
            version,
            key[0] if table.id_is_key else f"{table.name}-{version}",
            SMALL_TOPIC if is_small else "order",
            f"k{source.randrange(50)}",
            is_small and source.random() < 0.03,
        )

    def fill(self, relay, count, source):
        """The changes that it makes, in one transaction for each table."""
        changes = []
        for table in self.tables:
            rows = {}
            while len(rows) < count:
                key = table.key(source)
                rows.setdefault(place(table, key), key)
            with relay.connect() as connection, connection.cursor() as cursor:
                batch = []
                for key in rows.values():
                    content = self.content(table, key, source)
                    changes.append(Change("insert", table, key, content=content))
                    batch.append(table.values(key, content))
                for start in range(0, count, BATCH):
                    cursor.executemany(table.insert(), batch[start : start + BATCH])
                connection.commit()
            self.keys[table.name] = list(rows.values())
        return changes


class RecordedWriter(threading.Thread):
    """Commits, rolls back, prepares and decides later, until it is stopped; then it decides what is
    left. Nothing may happen to its server while `turn` is not held by who lets it happen: then the
    outcome of each of its transactions is known."""

    def __init__(self, relay, number, stop, rows, seed):
        super().__init__(daemon=True)
        self.relay, self.number, self.stop, self.rows = relay, number, stop, rows
        self.random = random.Random(f"{seed} {number}")
        self.turn = threading.Lock()
        self.labels = itertools.count(1)
        self.commits = []
        self.prepared = {}  # label -> (Commit, whether it waits for the release)
        self.holds = True  # What it prepares now waits for the release.
        self.release_at = None
        self.transactions = self.collisions = 0
        self.is_deciding = False
        self.failure = self.bug = None

    def run(self):
        connection = None
        try:
            while not (self.stop.is_set() and not self.prepared):
                with self.turn:
                    connection = self.step(connection)
                time.sleep(PAUSE * (0.5 + self.random.random()))
        except BaseException as error:
            self.bug = error
            raise
        finally:
            if connection is not None:
                connection.close()

    def step(self, connection):
        """One transaction or decision; the connection to go on with."""
        try:
            if connection is None:
                connection = self.connect()
            with connection.cursor() as cursor:
                self.act(cursor)
            self.transactions += 1
            return connection
        except (pymysql.err.MySQLError, OSError) as error:
            if self.is_deciding:
                raise
            self.failure = error
            self.collisions += error.args[0] in COLLISIONS
            if connection is not None:
                connection._force_close()
            return None

    def connect(self):
        return self.relay.connect(
            connect_timeout=5,
            client_flag=SESSION_TRACK,
            # Prepared transactions must lock no gaps, into which others insert.
            init_command="SET SESSION session_track_gtids = OWN_GTID,"
            " SESSION innodb_lock_wait_timeout = 1,"
            f" SESSION binlog_transaction_compression = {self.number % 2},"
            " SESSION transaction_isolation = 'READ-COMMITTED'",
        )

    def act(self, cursor):
        is_released = self.stop.is_set() or (
            self.release_at is not None and time.monotonic() >= self.release_at
        )
        ready = [label for label, (_, waits) in self.prepared.items() if is_released or not waits]
        is_full = len(self.prepared) >= HELD_MAX or self.stop.is_set()
        if ready and (is_full or self.random.random() < 0.1):
            self.decide(cursor, self.random.choice(ready))
        elif not self.stop.is_set():
            may_prepare = len(self.prepared) < HELD_MAX
            self.transaction(cursor, may_prepare and self.random.random() < 0.1)

    def transaction(self, cursor, is_xa):
        label = f"{self.relay.name}-w{self.number}-{next(self.labels)}"
        cursor.execute(f"XA START '{label}'" if is_xa else "BEGIN")
        changes = self.changes(cursor)
        if is_xa:
            cursor.execute(f"XA END '{label}'")
        if is_xa and not changes:
            # The server forgets what was prepared without changes when it restarts.
            cursor.execute(f"XA ROLLBACK '{label}'")
        elif not is_xa and self.random.random() < 0.1:
            cursor.execute("ROLLBACK")
        elif is_xa:
            gtid = self.asked(cursor, f"XA PREPARE '{label}'")
            self.prepared[label] = (Commit(changes, prepared=gtid), self.holds)
        else:
            self.record(Commit(changes, self.asked(cursor, "COMMIT")))

    def decide(self, cursor, label):
        cursor.execute("DO 0")  # The server may have been away since.
        commit, _ = self.prepared[label]
        if self.random.random() < 0.25:
            self.asked(cursor, f"XA ROLLBACK '{label}'")
        else:
            commit.gtid = self.asked(cursor, f"XA COMMIT '{label}'")
            self.record(commit)
        del self.prepared[label]

    def record(self, commit):
        if commit.changes:
            assert commit.gtid, "the server says by which GTID it committed"
            self.commits.append(commit)

    def asked(self, cursor, statement):
        """The GTID of what the statement logged; None: nothing."""
        self.is_deciding = True
        cursor.execute(statement)
        self.is_deciding = False
        found = GTID.search(cursor._result.message or b"")
        return found and (found[1].decode(), int(found[2]))

    def changes(self, cursor):
        changes = []
        count = 150 if self.random.random() < 0.005 else self.random.randrange(1, 5)
        for _ in range(count):
            table = self.random.choice(self.rows.tables)
            act = self.random.choice(self.acts if count < 10 else [RecordedWriter.insert])
            changes += act(self, cursor, table)
        if self.random.random() < 0.1:
            cursor.execute("SAVEPOINT s")
            self.insert(cursor, self.random.choice(self.rows.tables))
            self.delete(cursor, self.random.choice(self.rows.tables))
            cursor.execute("ROLLBACK TO s")
        return changes

    # ------------------------------------------------------- each: the changes that happened

    def done(self, cursor, statement, arguments):
        """How many rows it changed; a duplicate key is none."""
        try:
            cursor.execute(statement, arguments)
            return cursor.rowcount
        except pymysql.err.IntegrityError as error:
            if error.args[0] != DUPLICATE_KEY:
                raise
            return 0

    def some_key(self, table):
        return self.random.choice(self.rows.keys[table.name])

    def insert(self, cursor, table, key=None):
        by_server = table.name == "e_number" and key is None
        key = key or table.key(self.random)
        content = self.rows.content(table, key, self.random)
        values = table.values(None if by_server else key, content)
        if not self.done(cursor, table.insert(has_key=not by_server), values):
            return []
        if by_server:
            key = (cursor.lastrowid,)
        self.rows.keys[table.name].append(key)
        return [Change("insert", table, key, content=content)]

    def insert_where_one_was(self, cursor, table):
        gone = self.rows.gone[table.name]
        key = self.random.choice(list(gone)) if gone else None
        return self.insert(cursor, table, key)

    def delete(self, cursor, table, key=None):
        key = key or self.some_key(table)
        if not self.done(cursor, f"DELETE FROM {table.name} WHERE {table.match}", key):
            return []
        self.rows.gone[table.name].append(key)
        return [Change("delete", table, key)]

    def delete_and_insert(self, cursor, table):
        key = self.some_key(table)
        return self.delete(cursor, table, key) + self.insert(cursor, table, key)

    def insert_and_delete(self, cursor, table):
        changes = self.insert(cursor, table)
        return changes + (self.delete(cursor, table, changes[0].key) if changes else [])

    def update(self, cursor, table):
        key, content = self.some_key(table), self.next_content()
        statement = f"UPDATE {table.name} SET type = %s, payload = %s WHERE {table.match}"
        if not self.done(cursor, statement, (content.type, content.payload, *key)):
            return []
        return [Change("update", table, key, version=content.version)]

    def next_content(self):
        return Content(next(self.rows.versions), "", "", "")

    def update_what_is_not_published(self, cursor, table):
        if self.rows.publishes_updates:
            return self.update(cursor, table)
        key = self.some_key(table)
        self.done(cursor, f"UPDATE {table.name} SET note = note + 1 WHERE {table.match}", key)
        return []

    def move(self, cursor, table, key=None, after=None):
        key = key or self.some_key(table)
        after = after or self.new_key(table, key)
        assignments = [f"{column} = %s" for column in table.columns]
        arguments, version = [*after], None
        if self.rows.publishes_updates or self.random.random() < 0.5:
            content = self.next_content()
            version = content.version
            assignments += ["type = %s", "payload = %s"]
            arguments += [content.type, content.payload]
        if not self.done(
            cursor,
            f"UPDATE {table.name} SET {', '.join(assignments)} WHERE {table.match}",
            (*arguments, *key),
        ):
            return []
        self.rows.keys[table.name].append(after)
        self.rows.gone[table.name].append(key)
        return [Change("move", table, key, key_after=after, version=version)]

    def new_key(self, table, key):
        """Another one; now and then one that the server takes for the same."""
        if isinstance(key[0], str) and self.random.random() < 0.1:
            return (key[0].swapcase(), *key[1:])
        return table.key(self.random)

    def exchange(self, cursor, table):
        first, second, between = self.some_key(table), self.some_key(table), table.key(self.random)
        changes = self.move(cursor, table, first, between)
        changes += self.move(cursor, table, second, first)
        return changes + self.move(cursor, table, between, second)

    def replace(self, cursor, table):
        key = self.some_key(table)
        content = self.rows.content(table, key, self.random)
        count = self.done(cursor, table.insert("REPLACE"), table.values(key, content))
        kind = "insert" if count == 1 else "replace"
        return [Change(kind, table, key, content=content)]

    def upsert(self, cursor, table):
        key = self.some_key(table)
        content = replace(self.rows.content(table, key, self.random), is_large=False)
        statement = (
            table.insert() + " ON DUPLICATE KEY UPDATE type = %s, payload = %s"
        )
        arguments = (*table.values(key, content), content.type, content.payload)
        if self.done(cursor, statement, arguments) == 1:
            return [Change("insert", table, key, content=content)]
        return [Change("update", table, key, version=content.version)]

    acts = [insert, insert, insert_where_one_was, insert_where_one_was, delete, delete,
            delete_and_insert, insert_and_delete, update, update_what_is_not_published, move, move,
            exchange, replace, replace, upsert]  # fmt: skip
