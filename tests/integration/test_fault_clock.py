"""The wall clock of the relay's machine jumps, forward and backward by hours: timers do not care,
and nothing is lost, held, alarming or in a hot loop."""

import contextlib
import datetime
import os
import pathlib
import socket
import struct
import threading
import time

import pytest
from fault_trial import Trial
from relay import Relay, wait_until
from test_xa import decide, prepare

HOUR = 3600
DAY = 24 * HOUR
# A broker takes no message from more than an hour ahead (message.timestamp.after.max.ms).
JUMPS = (0.9 * HOUR, -3 * HOUR, 0.8 * HOUR, -3 * DAY, 0)


class WallClock:
    """What one process takes for the time of day."""

    def __init__(self, library, file):
        self.file = file
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "OUTBOXD_WALL_CLOCK_FILE": str(file)}

    def jump(self, seconds):
        """To so many seconds from the true time."""
        self.seconds = seconds
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", int(seconds * 1_000_000)))


class Manager(threading.Thread):
    """What systemd hears: when the watchdog was fed, and the last status."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        # It is fed four times in this time, so ten times a second.
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}
        self.fed = 0
        self.status = ""
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while message := self.socket.recv(4096).decode():
                if message == "WATCHDOG=1":
                    self.fed += 1
                elif message.startswith("STATUS="):
                    self.status = message.removeprefix("STATUS=")

    def wait_for_signs(self, count=20):
        """Until the loop that feeds the watchdog has gone round so often."""
        goal = self.fed + count
        wait_until(lambda: self.fed >= goal, "signs of life", 10)


def wall_clock_library(outboxd):
    built = pathlib.Path(outboxd).parent / "tests/integration/libwall_clock.so"
    library = pathlib.Path(os.environ.get("OUTBOXD_WALL_CLOCK", built))
    assert library.exists(), f"there is no {library}"
    return library


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    library = wall_clock_library(outboxd)
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.clock = WallClock(library, tmp_path / "clock")
        relay.manager = Manager(tmp_path / "manager")
        start = relay.start
        relay.start = lambda: start(**relay.clock.environment, **relay.manager.environment)
        yield relay


def written(relay):
    """When the checkpoint was, by the relay's clock, in seconds from the true time."""
    line = relay.checkpoint().split("written ")[1].split("UTC")[0].strip()
    return datetime.datetime.fromisoformat(line + "+00:00").timestamp() - time.time()


def is_stored(relay, gtids):
    stored = relay.checkpoint().split("gtids ")[1].split()[0]
    return relay.sql("SELECT GTID_SUBSET(%s, %s)", (gtids, stored))[0][0]


def processor_seconds(relay):
    fields = pathlib.Path(f"/proc/{relay.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_jumps_under_load(relay):
    with Trial(relay, "relay: wall clock jumps", iterations=len(JUMPS)) as trial:
        jumps = iter(JUMPS)

        def inject():
            relay.clock.jump(next(jumps))
            trial.wait_for_load(50)
            # Checkpoints go on being written, by the new time.
            goal = relay.executed_gtids()
            wait_until(lambda: is_stored(relay, goal), "the checkpoint")
            assert abs(written(relay) - relay.clock.seconds) < 60

        trial.repeat(inject)
        assert "alarms        0" in relay.command("status").stdout
    assert "holding" not in relay.log() and "trying again" not in relay.log()


def test_jumps_while_idle(relay):
    """Nothing comes that would wake a wait: it must end by itself."""
    relay.begin_now().start()
    relay.insert("before")
    relay.wait_for(1)
    for seconds in (-3 * HOUR, 5 * HOUR, 4 * HOUR, -DAY):
        relay.clock.jump(seconds)
        relay.manager.wait_for_signs()
    before = processor_seconds(relay)
    relay.manager.wait_for_signs(30)
    assert processor_seconds(relay) - before < 1  # In about 3 s.
    relay.insert("after")
    assert [m.id for m in relay.wait_for(2)] == ["before", "after"]
    relay.clock.jump(-2 * DAY)
    assert relay.stop() == 0


def test_a_clock_too_far_ahead_for_the_broker_holds_until_it_is_right(relay):
    relay.begin_now().start()
    relay.insert("before")
    relay.wait_for(1)
    relay.clock.jump(5 * HOUR)
    relay.insert("ahead")
    wait_until(lambda: "holding at event" in relay.log(), "the hold")
    assert "HINT: see the clock of this machine" in relay.log()
    relay.clock.jump(0)
    relay.insert("after")
    assert [m.id for m in relay.wait_for(3)] == ["before", "ahead", "after"]
    assert relay.stop() == 0


def test_the_age_of_what_is_held_is_never_negative(relay):
    relay.begin_now().start()
    prepare(relay, "'held'", "held")
    try:
        wait_until(lambda: "1 prepared XA transaction held" in relay.manager.status, "held")
        for jump, least, most in ((5 * HOUR, 5 * HOUR, 5 * HOUR + 120), (-5 * HOUR, 0, 0)):
            relay.clock.jump(jump)

            def age(least=least, most=most):
                text = relay.manager.status.partition(" for ")[2]
                return text and least <= int(text.split()[0]) <= most

            wait_until(age, f"an age between {least} and {most} s", 30)
    finally:
        decide(relay, "XA COMMIT 'held'")
    assert [m.id for m in relay.wait_for(1)] == ["held"]
    assert relay.stop() == 0
