"""The commands that the pages show are run, in their order, where a relay has run; what they print
is what the page shows. What differs from run to run counts as equal: numbers, times, UUIDs and the
like. A line of '...' on the page stands for any lines. Examples of configurations are read."""

import json
import os
import re
import shlex
import subprocess

import pytest
from page_blocks import all_blocks, blocks_of, commands_of, fits, pages
from private_servers import PrivateMysql, ServerError
from relay import TABLE, Relay, wait_until

SQL = ("CREATE", "GRANT", "SELECT", "SET", "SHOW")
DEAD_LETTERS = "shop.dead-letters"
CONNECTOR = {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "topic.prefix": "shop",
    "database.hostname": "127.0.0.1",
    "database.user": "outboxd",
    "database.password": "secret",
    "table.include.list": "shop.outbox",
    "transforms": "outbox",
    "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
}


class Shop(Relay):
    """With the names that the pages have, and something to see for each command."""

    def __init__(self, binary, mysql, kafka, folder):
        super().__init__(binary, mysql, kafka, folder, topics=())
        self.sql("CREATE DATABASE shop", database=None)
        self.database = "shop"
        self.sql(f"CREATE TABLE outbox {TABLE}")
        self.sql(f"GRANT SELECT ON shop.outbox TO {self.user}@'%'")
        self.sql(f"GRANT XA_RECOVER_ADMIN ON *.* TO {self.user}@'%'")
        for topic in ("outbox.event.order", DEAD_LETTERS):
            kafka.create_topic(topic, partitions=1)
        self.path = self.folder / "shop.conf"
        self.configure(
            relay__name="shop", outbox__table="shop.outbox", outbox__topic=None,
            delivery__on_bad_event="dead-letter", delivery__dead_letter_topic=DEAD_LETTERS,
        )  # fmt: skip
        (self.folder / "connector.json").write_text(json.dumps(CONNECTOR))

    def live_through_a_day(self):
        """An event, a dead letter, an alarm, in another log file an XA transaction, and a stop."""
        self.insert("e-1", key="42")
        self.start()
        self.wait_for_checkpoint()
        self.insert("e-2", kind="refund", key="42")
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION binlog_format = STATEMENT")
            cursor.execute("UPDATE outbox SET payload = 'x' WHERE id = 'e-1'")
        connection.commit()
        with connection.cursor() as cursor:
            cursor.execute("FLUSH BINARY LOGS")
            cursor.execute("SET SESSION binlog_format = ROW, binlog_transaction_compression = ON")
            cursor.execute("XA START X'0061', X'62', 7")
            cursor.execute("INSERT INTO outbox VALUES ('c1', 'order', 'k', 'Created', '{}')")
            cursor.execute("XA END X'0061', X'62', 7")
            cursor.execute("XA PREPARE X'0061', X'62', 7")
            self.sql("INSERT INTO orders (note) VALUES ('no event')", database=self.name)
            cursor.execute("XA COMMIT X'0061', X'62', 7")
        connection.close()
        self.wait_for_checkpoint()
        assert self.stop() == 0

    def wait_for_checkpoint(self):
        executed = self.executed_gtids()
        wait_until(
            lambda: executed in (told := self.checkpoint()) and "table read    done" in told,
            "the checkpoint",
        )


@pytest.fixture(scope="module")
def shop(outboxd, mysql, kafka, tmp_path_factory):
    with Shop(outboxd, mysql, kafka, tmp_path_factory.mktemp("shop")) as shop:
        shop.live_through_a_day()
        yield shop


def as_on_the_page(shop, text):
    """With the names of the page for those of this run."""
    for name, shown in (
        (str(shop.state), "/var/lib/outboxd/shop"),
        (str(shop.mysql.datadir), "/var/lib/mysql"),
        (shop.user, "outboxd"),
    ):
        text = text.replace(name, shown)
    return text


def run(shop, command):
    """The exit code and what was printed; of SQL nothing: it is refused, or it is not."""
    if command.split()[0] in SQL:
        shop.mysql.mysql(command.replace("outboxd@'%'", f"{shop.user}@'%'"))
        return 0, ""
    command = command.replace("/var/lib/mysql", str(shop.mysql.datadir))
    words = shlex.split(command.replace("/etc/outboxd/shop.conf", "shop.conf"))
    target = None
    if ">" in words:  # The configuration that the relay has stays as it is.
        words, target = words[: words.index(">")], shop.folder / f"new-{words[-1]}"
    assert words[0] == "outboxd", command
    done = subprocess.run(
        [shop.binary, *words[1:]], cwd=shop.folder, capture_output=True, text=True, timeout=60
    )
    if target is None:
        return done.returncode, as_on_the_page(shop, done.stdout + done.stderr)
    target.write_text(done.stdout)
    return done.returncode, as_on_the_page(shop, done.stderr)


BLOCKS = [block for block in all_blocks() if block.is_run]
EXAMPLES = [block for block in all_blocks() if block.is_configuration]


def test_there_is_something_to_run():
    assert len(BLOCKS) >= 20
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_a_command_prints_what_the_page_shows(shop, block):
    for command, shown in commands_of(block.lines):
        code, printed = run(shop, command)
        if os.environ.get("OUTBOXD_SHOW_PAGES"):
            print(f"$ {command}\n{printed}")
        assert code == block.exit_code, printed
        assert fits(shown, printed), f"{block.place}: {command} prints:\n{printed}"


@pytest.fixture(scope="module")
def other_server():
    """One whose settings may be changed."""
    with PrivateMysql() as server:
        yield server


def test_settings_of_mysql_exist_and_can_have_the_value_that_a_page_names(other_server):
    named = {
        pair
        for path in pages()
        for pair in re.findall(r"`(\w+_\w+) = ([\w-]+)`", path.read_text())
    }
    assert ("binlog_row_metadata", "FULL") in named and len(named) > 5
    for name, value in named:
        session, everywhere = f"SET SESSION {name} = {value}", f"SET GLOBAL {name} = {value}"
        told = [refusal(other_server, statement) for statement in (session, everywhere)]
        # Some can be changed at the start only, or not from here to there.
        is_known = None in told or any("ERROR 1238" in one or "ERROR 1788" in one for one in told)
        assert is_known, (name, value, told)


def test_a_setting_that_mysql_does_not_have_is_noticed(other_server):
    assert "ERROR 1193" in refusal(other_server, "SET GLOBAL binlog_row_metadatum = FULL")
    assert "ERROR 1231" in refusal(other_server, "SET GLOBAL binlog_row_metadata = WHOLE")


def refusal(mysql, statement):
    """None, or what MySQL says against it."""
    try:
        mysql.mysql(statement)
    except ServerError as error:
        return str(error)
    return None


def sections_of(lines):
    """The lines of each section; those without one belong to [outbox]."""
    sections, name = {}, "outbox"
    for line in lines:
        if line.startswith("["):
            name = line.strip("[]")
        elif line:
            sections.setdefault(name, []).append(line)
    return sections


def configurations_of(block):
    """The example with what it lacks to be one. Lines with the same key are examples of their own,
    but for keys that may stand several times."""
    keys = [line.split(" = ")[0] for line in block.lines if " = " in line]
    once = [key for key in keys if key not in ("table", "header", "member", "where")]
    alone = not block.lines[0].startswith("[") and len(set(once)) < len(once)
    for lines in [[line] for line in block.lines] if alone else [block.lines]:
        sections = sections_of(lines)
        for section, needed in (
            ("relay", "name = shop"),
            ("outbox", "table = shop.outbox"),
            ("kafka", "bootstrap.servers = localhost:9092"),
        ):
            key = needed.split(" = ")[0]
            given = sections.setdefault(section, [])
            if not any(line.startswith(f"{key} = ") for line in given):
                given.append(needed)
        yield "".join(f"[{name}]\n" + "\n".join(of) + "\n" for name, of in sections.items())


def reads(outboxd, folder, text):
    """None, or what `outboxd status`, which asks no server, says of the configuration."""
    (folder / "shop.conf").write_text(text)
    state = f"--relay.state-directory={folder}/state"
    done = subprocess.run(
        [outboxd, "status", "--config", folder / "shop.conf", state],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    not_running = 3
    return None if done.returncode == not_running else done.stderr


@pytest.mark.parametrize("block", EXAMPLES, ids=[block.place for block in EXAMPLES])
def test_an_example_of_a_configuration_can_be_read(outboxd, tmp_path, block):
    for text in configurations_of(block):
        assert reads(outboxd, tmp_path, text) is None, text


def test_an_example_that_is_wrong_is_noticed(outboxd, tmp_path):
    for line in ("whree = a = 1", "key = no-function(a)", "topic = orders.{region"):
        (block,) = blocks_of("a.md", f"Text.\n\n    {line}\n")
        assert block.is_configuration
        (text,) = configurations_of(block)
        assert "shop.conf:" in reads(outboxd, tmp_path, text), line


def test_a_block_has_the_mark_above_it_and_no_indentation():
    page = "<!-- run: exit code 7 -->\n\n    $ a\n      b\n\nText.\n\n1. x\n\n       key = v\n"
    first, second = blocks_of("a.md", page)
    assert (first.is_run, first.exit_code, first.lines) == (True, 7, ["$ a", "  b"])
    assert (second.place, second.is_run, second.lines) == ("a.md:10", False, ["key = v"])
    assert second.is_configuration and not first.is_configuration


def test_commands_go_on_behind_a_backslash():
    assert commands_of(["a \\", "  b", "c"]) == [("a    b", ["..."]), ("c", ["..."])]
    assert commands_of(["$ a \\", "    b", "x", "$ c"]) == [("a b", ["x"]), ("c", [])]
    assert commands_of(["$ a", "x", "$ b"]) == [("a", ["x"]), ("b", [])]


def test_another_output_is_noticed():
    assert fits(["process  none", "...", "alarms 1"], "process none\na\nalarms 2")
    assert not fits(["process  none"], "process none\nmore")
    assert not fits(["...", "alarms 1"], "alarms 1\nmore")
