"""Every error of docs/server-errors.md, as the client library meets it: in the log-in, in place of
a statement's answer, of the binary log, and in the middle of the stream."""

import contextlib
import itertools
import pathlib
import threading
import time
from dataclasses import dataclass

import pymysql
import pytest
from error_proxy import DUMP, LOG_IN, OK, ONE_COLUMN, STATEMENT, STREAM, ErrorProxy
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until
from replication import copy_account

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/server-errors.md"
UNKNOWN = 12345


@dataclass(frozen=True)
class Row:
    number: int
    name: str
    sign: str
    place: str
    before: str
    after: str

    @property
    def text(self):
        return f"injected, {self.sign}, by a proxy"


def rows():
    found = []
    for line in DOCUMENT.read_text().splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        if line.startswith("| ") and fields[0].isdigit():
            found.append(Row(int(fields[0]), *fields[1:]))
    assert len(found) > 80
    return found


ROWS = rows()
WAITED_OUT = [row for row in ROWS if row.after == "wait"]
ENDING = [row for row in ROWS if row.after != "wait"]


@pytest.fixture
def proxy(mysql):
    with ErrorProxy(mysql.port) as proxy:
        yield proxy


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path, proxy):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.begin_now()  # With TLS: from then on the server has the password cached.
        yield relay.configure(mysql__tls="disabled", mysql__port=proxy.port)


class Writer(threading.Thread):
    """Inserts rows one after the other until told to stop."""

    def __init__(self, relay):
        super().__init__(daemon=True)
        self.relay, self.ids = relay, []
        self.stops = threading.Event()

    def run(self):
        connection = self.relay.connect(autocommit=True)
        with contextlib.closing(connection), connection.cursor() as cursor:
            while not self.stops.wait(0.02):
                self.ids.append(f"w{len(self.ids)}")
                cursor.execute(
                    "INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')", self.ids[-1]
                )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stops.set()
        self.join()


def former(name):
    return getattr(pymysql.constants.ER, name.removeprefix("ER_"), None)


def test_numbers_and_names_are_the_servers_own(mysql):
    """Those that this version of the server has no longer are told by a client of earlier ones."""
    table = "performance_schema.events_errors_summary_global_by_error"
    lines = mysql.mysql(f"SELECT error_number, error_name FROM {table}").splitlines()
    names = dict(line.split("\t") for line in lines if not line.startswith("NULL"))
    for row in ROWS:
        if row.name.startswith("ER_"):
            known = names.get(str(row.number))
            assert known == row.name or (known is None and former(row.name) == row.number)


def test_a_running_relay_waits_out_what_passes_and_loses_nothing(relay, proxy):
    """One error ends the stream, and another one the next connection."""
    half = len(WAITED_OUT) // 2
    by_place = sorted(WAITED_OUT, key=lambda row: [DUMP, STATEMENT, LOG_IN].index(row.place))
    in_stream, others = by_place[:half], by_place[half:]
    relay.start()
    wait_until(lambda: "reading the binary log" in relay.log(), "the stream")
    with Writer(relay) as writer:
        for first, second in itertools.zip_longest(in_stream, others, fillvalue=in_stream[0]):
            meet(relay, proxy, first, second)
            assert relay.process.poll() is None, (first, second, relay.log()[-3000:])
    assert not [row for row in WAITED_OUT if f"error {row.number}: injected" not in relay.log()]
    expected = set(writer.ids)
    relay.wait_for(len(expected))
    wait_until(lambda: set(ids(relay.received())) == expected, "the last")
    assert relay.stop() == 0


def meet(relay, proxy, first, second):
    marks = {row: relay.log().count(f"error {row.number}: ") for row in (first, second)}
    proxy.answer(STREAM, first.number, first.text)
    proxy.answer(second.place, second.number, second.text)
    begin = time.monotonic()

    def is_told():
        nonlocal begin
        untold = [r for r in marks if relay.log().count(f"error {r.number}: ") == marks[r]]
        # It may have come to the stream that the relay only compares the last transaction in.
        if first in untold and time.monotonic() - begin > 1:
            proxy.answer(STREAM, first.number, first.text)
            begin = time.monotonic()
        return not untold

    wait_until(is_told, f"{first}, {second}; log:\n{relay.log()[-3000:]}")
    proxy.heal()


@pytest.mark.parametrize("number", [1135, 1047, 9001, 1038, UNKNOWN])
def test_a_running_relay_waits_wherever_it_meets_the_error(relay, proxy, number):
    relay.start()
    relay.insert("before")
    relay.wait_for(1)
    for place in (LOG_IN, STATEMENT, DUMP, STREAM):
        proxy.answer(place, number)
    relay.insert("met")
    proxy.wait(f"all four; log:\n{relay.log()[-3000:]}")
    assert ids(relay.wait_for(2)) == ["before", "met"]
    assert f"mysql server error {number}: injected" in relay.log()
    assert relay.stop() == 0


def test_an_unknown_error_is_told_waited_out_and_shown_by_status(relay, proxy):
    relay.start()
    relay.insert("before")
    relay.wait_for(1)
    proxy.answer(DUMP, UNKNOWN, "of a later version", times=None)
    proxy.reset()
    relay.insert("behind")
    wait_until(lambda: proxy.answered[DUMP] >= 5, "some tries")
    told = [line for line in relay.log().splitlines() if "error 12345" in line]
    assert len(told) == 1 and "waiting until this has passed" in told[0] and "HINT" in told[0]
    wait_until(lambda: "mysql server error 12345" in relay.command("status").stdout, "the status")
    assert ids(relay.received()) == ["before"]
    proxy.heal()
    assert ids(relay.wait_for(2)) == ["before", "behind"]
    assert relay.stop() == 0


def test_before_the_first_success_check_tells_what_each_error_means(relay, proxy):
    relay.configure(sink__type="stdout")
    for row in ROWS:
        if row.place == DUMP:
            continue
        proxy.answer(row.place, row.number, row.text, sql=b"SHOW GLOBAL" * (row.place != LOG_IN))
        check = relay.command("check")
        proxy.wait(row)
        code = 69 if row.before == "wait" else int(row.before.removeprefix("end, "))
        assert check.returncode == code, (row, check.stdout, check.stderr)
        assert f"mysql server error {row.number}: " in check.stdout


@pytest.mark.parametrize("place", [LOG_IN, STATEMENT])
def test_an_unknown_error_ends_the_start_and_names_the_number(relay, proxy, place):
    proxy.answer(place, UNKNOWN, "of a later version", times=None)
    for code, shown in (
        ((check := relay.command("check")).returncode, check.stdout),
        (relay.start().wait(), relay.log()),
    ):
        assert code == 78
        assert "mysql server error 12345: of a later version" in shown
        assert "does not know this number" in shown


@pytest.mark.parametrize("number", [1135, 1047, 9001])
def test_a_start_waits_out_what_passes(relay, proxy, number):
    proxy.answer(LOG_IN, number)
    proxy.answer(STATEMENT, number, sql=b"information_schema.columns")
    relay.start()
    relay.insert("first")
    assert ids(relay.wait_for(1)) == ["first"]
    proxy.wait()
    assert relay.log().count(f"mysql server error {number}: injected; trying again") == 2
    assert relay.stop() == 0


def test_what_does_not_heal_ends_a_running_relay_with_its_code(relay, proxy):
    """Of those of a statement some: `check` meets all, and they mean the same later."""
    relay.configure(sink__type="stdout")
    for row in ENDING:
        if row.place == STATEMENT and row.number not in (1054, 1193):
            assert row.before == row.after
            continue
        proxy.heal()
        relay.log_path.unlink(missing_ok=True)
        relay.start()
        wait_until(lambda: "reading the binary log" in relay.log(), "the stream")
        proxy.answer(row.place, row.number, row.text, times=None)
        proxy.reset()
        assert relay.wait() == int(row.after.split("end, ")[1]), (row, relay.log()[-3000:])
        # Another relay of the name is told in words of our own.
        told = f"mysql server error {row.number}: injected" in relay.log()
        assert told or "stopped sending its log to this relay" in relay.log()
        assert ("(read 3 times)" in relay.log()) == row.after.startswith("read again")


def test_columns_are_asked_for_again_until_the_server_tells_them(outboxd, kafka, tmp_path):
    """Of a log without names: the row in hand waits for the answer."""
    table = """(id BINARY(16) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(40) NOT NULL,
        aggregateid VARCHAR(30), type VARCHAR(20) NOT NULL, payload JSON)"""
    with PrivateMysql(options={"binlog-row-metadata": "MINIMAL"}) as server, ErrorProxy(
        server.port
    ) as proxy, Relay(outboxd, server, kafka, tmp_path, table=table) as relay:
        relay.begin_now().configure(mysql__tls="disabled", mysql__port=proxy.port).start()
        wait_until(lambda: "reading the binary log" in relay.log(), "the stream")
        for number, text in ((1135, "no thread"), (UNKNOWN, "of a later version")):
            answered = proxy.answered[STATEMENT]
            proxy.answer(STATEMENT, number, text, sql=b"information_schema.columns")
            relay.sql(f"ALTER TABLE outbox MODIFY type VARCHAR({number}) NOT NULL")
            relay.insert(str(number))
            wait_until(lambda: proxy.answered[STATEMENT] > answered, relay.log()[-3000:])
            relay.wait_for(1 if number == 1135 else 2)
            assert f"mysql server error {number}: {text}" in relay.log()
        assert relay.stop() == 0


SHAPES = [
    ("check", b"SHOW GLOBAL VARIABLES"),
    ("check", b"SHOW BINARY LOG STATUS"),
    ("check", b"SHOW GRANTS"),
    ("check", b"information_schema.tables"),
    ("check", b"information_schema.columns"),
    ("check", b"key_column_usage"),
    ("check", b"referential_constraints"),
    ("run", b"information_schema.collations"),
    ("run", b"@@server_uuid"),
]


@pytest.mark.parametrize("bodies", [OK, ONE_COLUMN], ids=["no rows", "one column"])
def test_an_answer_of_another_shape_is_an_error(relay, proxy, bodies):
    relay.configure(sink__type="stdout")
    relay.command("position", "set", "table")
    for word, sql in SHAPES:
        if bodies is ONE_COLUMN and sql in (b"SHOW GRANTS", b"key_column_usage"):
            continue  # They have one.
        proxy.heal()
        relay.log_path.unlink(missing_ok=True)
        proxy.answer_with(STATEMENT, bodies, sql=sql)
        if word == "check":
            result = relay.command("check")
            code, shown = result.returncode, result.stdout
        else:
            relay.start()
            wait_until(lambda: "the server answers '" in relay.log(), relay.log())
            code, shown = (relay.process.poll() and relay.wait()), relay.log()
            relay.close()
        assert "the server answers '" in shown, (sql, shown)
        assert code in (78, None), (sql, code, shown)
        proxy.wait(sql)


class Hosts:
    """A relay with two hosts, each a proxy before one server."""

    def __init__(self, relay, mysql, stack):
        self.relay = relay
        self.proxies = [stack.enter_context(ErrorProxy(mysql.port)) for _ in range(2)]
        relay.configure(
            mysql__host=", ".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies),
            mysql__lag_timeout="1s",
        )


@pytest.fixture
def hosts(relay, mysql):
    with contextlib.ExitStack() as stack:
        yield Hosts(relay, mysql, stack)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
@pytest.mark.parametrize("number", [1045, 1193])
def test_a_start_waits_for_a_host_that_is_away_whatever_the_other_answers(
    hosts, number, is_first
):
    definite, away = hosts.proxies if is_first else hosts.proxies[::-1]
    definite.answer(STATEMENT, number, times=None)
    away.refuse()
    hosts.relay.start()
    hosts.relay.insert("first")
    wait_until(lambda: hosts.relay.log().count("trying again") >= 2, hosts.relay.log())
    assert f"mysql server error {number}" in hosts.relay.log()
    assert hosts.relay.process.poll() is None
    away.heal()
    assert ids(hosts.relay.wait_for(1)) == ["first"]
    assert hosts.relay.stop() == 0


def test_a_running_relay_waits_for_a_host_that_is_away_and_then_ends_where_none_is(hosts):
    relay, (purged, away) = hosts.relay, hosts.proxies
    relay.start()
    relay.insert("before")
    relay.wait_for(1)
    text = "the source purged required binary logs"
    purged.answer(DUMP, 1236, text, times=None)
    away.refuse()
    purged.reset()
    relay.insert("meanwhile")
    wait_until(lambda: purged.answered[DUMP] >= 4, f"some tries\n{relay.log()[-3000:]}")
    assert relay.process.poll() is None
    away.heal()
    assert ids(relay.wait_for(2)) == ["before", "meanwhile"]
    away.answer(DUMP, 1236, text, times=None)
    away.reset()
    assert relay.wait() == 80
    assert all(f"127.0.0.1:{proxy.port}: mysql server error 1236" in relay.log().splitlines()[-1]
               for proxy in hosts.proxies)


def test_check_asks_the_next_host_and_fails_only_when_each_has_an_unknown_error(hosts):
    relay, (failing, good) = hosts.relay, hosts.proxies
    failing.answer(STATEMENT, UNKNOWN, times=None, sql=b"SHOW GLOBAL VARIABLES")
    check = relay.command("check")
    assert check.returncode == 0, check.stdout
    good.answer(STATEMENT, UNKNOWN + 1, times=None, sql=b"SHOW GLOBAL VARIABLES")
    check = relay.command("check")
    assert check.returncode == 78, check.stdout
    for proxy, number in ((failing, UNKNOWN), (good, UNKNOWN + 1)):
        assert f"127.0.0.1:{proxy.port}: mysql server error {number}: injected" in check.stdout


def test_a_host_that_does_not_give_its_log_is_left_for_the_next_one(hosts):
    relay, (silent, good) = hosts.relay, hosts.proxies
    silent.answer(DUMP, UNKNOWN, times=None)
    relay.start()
    relay.insert("first")
    assert ids(relay.wait_for(1)) == ["first"]
    assert f"127.0.0.1:{silent.port}: mysql server error 12345" in relay.log()
    assert relay.stop() == 0


def test_a_host_that_must_not_be_read_is_left_out_while_the_other_is_away(relay, proxy):
    with PrivateMysql(options={"binlog-format": "STATEMENT"}) as unfit:
        copy_account(relay, unfit)
        # With TLS, so that this one has the password cached as well.
        relay.configure(mysql__port=unfit.port, mysql__tls="required")
        assert "binlog_format" in relay.command("check").stdout
        relay.configure(mysql__tls="disabled")
        relay.configure(mysql__host=f"127.0.0.1:{unfit.port}, 127.0.0.1:{proxy.port}")
        proxy.refuse()
        relay.start()
        relay.insert("first")
        wait_until(lambda: relay.log().count("trying again") >= 2, relay.log())
        assert "binlog_format: STATEMENT" in relay.log()
        proxy.heal()
        assert ids(relay.wait_for(1)) == ["first"]
        assert f"left out until the next start: mysql at 127.0.0.1:{unfit.port}" in relay.log()
        # Neither is it read from later.
        proxy.reset()
        relay.insert("second")
        assert ids(relay.wait_for(2)) == ["first", "second"]
        assert relay.log().count(f"127.0.0.1:{unfit.port}") == relay.log().count("STATEMENT")
        assert relay.stop() == 0
