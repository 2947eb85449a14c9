"""The commands that the reference pages of docs/ show are run, in their order, where a relay has
run; what they print is what the page shows. What differs from run to run counts as equal: numbers,
times, UUIDs and the like. A line of '...' on the page stands for any lines."""

import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest
from relay import TABLE, Relay, wait_until

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGES = ("commands.md", "configuration.md", "exit-codes.md", "messages.md")
RUN = re.compile(r"<!-- run(?:: exit code (\d+))? -->")
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
# What a run decides by chance.
VARYING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)", "TIME"),
    (r"\b(?=[\w-]*\d)[0-9a-f]{22}\b", "CLUSTER"),
    (r"\d+", "N"),
    (r"\s+", " "),
)


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
        """An event, a dead letter, an alarm, and a stop."""
        self.insert("e-1", key="42")
        self.start()
        self.wait_for_checkpoint()
        self.insert("e-2", kind="refund", key="42")
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION binlog_format = STATEMENT")
            cursor.execute("UPDATE outbox SET payload = 'x' WHERE id = 'e-1'")
        connection.commit()
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


def blocks_to_run():
    """Of the pages: page, exit code, and the lines of each block that is marked to be run."""
    for page in PAGES:
        lines = (DOCS / page).read_text().splitlines()
        for at, line in enumerate(lines):
            marked = RUN.fullmatch(line)
            if not marked:
                continue
            begin = at + 2
            end = begin
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end]):
                end += 1
            block = [one[4:] for one in lines[begin:end]]
            yield f"{page}:{begin + 1}", int(marked[1] or 0), "\n".join(block).strip().split("\n")


def commands_of(block):
    """Each '$ command' with the lines behind it."""
    commands = []
    for line in block:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def told(shop, text):
    """Without what differs from run to run."""
    for path, name in (
        (shop.state, "/var/lib/outboxd/shop"),
        (shop.mysql.datadir, "/var/lib/mysql"),
        (shop.user, "outboxd"),
    ):
        text = text.replace(str(path), name)
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text.strip()


def run(shop, command):
    words = shlex.split(command.replace("/var/lib/mysql", str(shop.mysql.datadir)))
    assert words[0] == "outboxd", command
    return subprocess.run(
        [shop.binary, *words[1:]], cwd=shop.folder, capture_output=True, text=True, timeout=60
    )


def fits(shop, shown, printed):
    """Whether `printed` is what the page shows, '...' being any lines."""
    wanted = ["..." if line.strip() == "..." else told(shop, line) for line in shown]
    pattern = r"\n".join(r"(?s:.*)" if line == "..." else re.escape(line) for line in wanted)
    found = "\n".join(told(shop, line) for line in printed.rstrip("\n").split("\n"))
    return re.fullmatch(pattern, found) is not None


BLOCKS = list(blocks_to_run())


def test_there_is_something_to_run():
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize(("place", "exit_code", "block"), BLOCKS, ids=[b[0] for b in BLOCKS])
def test_a_command_prints_what_the_page_shows(shop, place, exit_code, block):
    for command, shown in commands_of(block):
        done = run(shop, command)
        printed = done.stdout + done.stderr
        if os.environ.get("OUTBOXD_SHOW_PAGES"):
            print(f"$ {command}\n{printed}")
        assert done.returncode == exit_code, printed
        assert fits(shop, shown, printed), f"{place}: {command} prints:\n{printed}"


def test_another_output_is_noticed(shop):
    assert fits(shop, ["process  none", "...", "alarms 1"], "process none\na\nalarms 2")
    assert not fits(shop, ["process  none"], "process none\nmore")
    assert not fits(shop, ["...", "alarms 1"], "alarms 1\nmore")
