"""A relay whose memory is limited, as MemoryMax= of a unit and the limit of a container do it: the
kernel kills what takes more, so that an event which does not fit has to be held at."""

import os
import pathlib
import re

import pytest
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until

TABLE = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload LONGTEXT, filler LONGTEXT)"""
INSERT = "INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', {}, {})"
MIB = 1 << 20


class Group:
    """A control group with a limit of memory, in whichever version this machine has."""

    def __init__(self, name):
        mounts = pathlib.Path("/proc/self/mounts").read_text().splitlines()
        for _, folder, kind, options, *_ in map(str.split, mounts):
            if kind == "cgroup" and "memory" in options.split(","):
                self.limit_name = "memory.limit_in_bytes"
                break
            controllers = pathlib.Path(folder) / "cgroup.controllers"
            if kind == "cgroup2" and "memory" in controllers.read_text().split():
                self.limit_name = "memory.max"
                (pathlib.Path(folder) / "cgroup.subtree_control").write_text("+memory")
                break
        else:
            raise AssertionError("this machine limits no memory: no cgroup with that controller")
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()

    def limit(self, size):
        (self.folder / self.limit_name).write_text(str(size))

    def program(self, file, program):
        """A file that runs the program in this group."""
        file.write_text(f"#!/bin/sh\necho $$ > {self.folder}/cgroup.procs\nexec {program} \"$@\"\n")
        file.chmod(0o755)
        return str(file)

    def remove(self):
        wait_until(lambda: not (self.folder / "cgroup.procs").read_text(), "no process")
        self.folder.rmdir()


@pytest.fixture(scope="module")
def server():
    with PrivateMysql(options={"max-allowed-packet": "1G"}) as mysql:
        yield mysql


@pytest.fixture
def group():
    one = Group(f"outboxd-test-{os.getpid()}")
    yield one
    one.remove()


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path, group):
    with Relay(group.program(tmp_path / "limited", outboxd), server, kafka, tmp_path,
               table=TABLE) as one:
        yield one.begin_now()


def test_an_event_beyond_the_limit_is_held_at_and_goes_through_when_there_is_more(relay, group):
    group.limit(300 * MIB)
    relay.start()
    relay.sql(INSERT.format("'{}'", "NULL"), ("before",))
    relay.wait_for(1)
    relay.sql(INSERT.format("'{}'", f"REPEAT('x', {250 * MIB})"), ("large",))
    relay.sql(INSERT.format("'{}'", "NULL"), ("behind",))
    wait_until(lambda: "holding: what comes next, after" in relay.log(), "the hold")
    assert "HINT: raise that limit, for example MemoryMax=" in relay.log()
    wait_until(lambda: re.search(r"holding for \d+ s: what comes next",
                                 relay.command("status").stdout), "the status")
    assert relay.process.poll() is None
    assert relay.stop() == 0
    group.limit(1 << 30)
    relay.start()
    assert ids(relay.wait_for(3)) == ["before", "large", "behind"]


@pytest.mark.parametrize("column", ["filler", "payload"])
def test_what_check_prints_is_enough_for_a_row_of_max_allowed_packet(relay, group, column):
    """As a column that nothing uses, and as the value of a message."""
    packet = 64 * MIB
    relay.sql(f"SET GLOBAL max_allowed_packet = {packet}")
    try:
        printed = relay.command("check").stdout
    finally:
        relay.sql(f"SET GLOBAL max_allowed_packet = {1 << 30}")
    limit = int(re.search(r"MemoryMax=(\d+)M$", printed, re.M)[1])
    group.limit(limit * MIB)
    relay.configure(kafka__message_max_bytes=None, delivery__on_bad_event="hold").start()
    relay.sql(INSERT.format("'{}'", "NULL"), ("before",))
    relay.wait_for(1)
    text = f"CONCAT('{{\"a\":\"', REPEAT('x', {packet - 2000}), '\"}}')"
    values = {"filler": ("'{}'", text), "payload": (text, "NULL")}[column]
    relay.sql(INSERT.format(*values), ("large",))
    if column == "payload":  # Which no topic takes: what is to be shown is that the relay lives.
        wait_until(lambda: "holding at event" in relay.log(), "the hold")
        assert relay.stop() == 0
    else:
        assert ids(relay.wait_for(2)) == ["before", "large"]
        assert relay.stop() == 0
