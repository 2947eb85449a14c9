"""What a person at a terminal sees: the status of a relay that runs, again and again, and how far a
long piece of work is; and what programs get instead."""

import contextlib
import json
import os
import pty
import select
import subprocess
import threading
import time

import pytest
from relay import Relay, wait_until
from relay_http import is_ready


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        yield relay.begin_now()


def start(relay):
    relay.start()
    wait_until(lambda: is_ready(relay), relay.log)


def at_a_terminal(command, until, **environment):
    """What is written to a terminal, up to the moment when `until` is true of it or it ends.
    `stdout` elsewhere: only standard error is the terminal."""
    stdout = environment.pop("stdout", None)
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=stdout or terminal,
        stderr=terminal, env=os.environ | {"TERM": "xterm"} | environment)
    os.close(terminal)
    written = b""
    deadline = time.monotonic() + 60
    with contextlib.suppress(OSError):  # The other end is closed.
        while time.monotonic() < deadline and not until(written.decode(errors="replace")):
            if select.select([master], [], [], 0.2)[0]:
                written += os.read(master, 65536)
    process.terminate()
    process.wait()
    os.close(master)
    return written.decode(errors="replace")


def status(relay, *words):
    return [relay.binary, "status", "--config", relay.path, *words]


def test_the_exit_code_says_healthy_degraded_or_down(relay):
    assert relay.command("status").returncode == 3
    start(relay)
    wait_until(lambda: relay.command("status").returncode == 0, relay.log)
    relay.insert("bad", kind="topic-that-is-not-there")
    wait_until(lambda: relay.command("status").returncode == 1, relay.log)
    assert "holding" in relay.command("status").stdout
    relay.kill()
    killed = relay.command("status")
    assert killed.returncode == 3
    assert "ended         without a word" in killed.stdout


def test_for_programs_it_is_one_object_with_what_the_relay_itself_says(relay):
    start(relay)
    relay.insert("e-1")
    relay.wait_for(1)

    def told():
        return json.loads(relay.command("status", "--json").stdout)

    wait_until(lambda: told()["status"]["delivered"] == 1, relay.log)
    assert told()["process"] == relay.process.pid
    assert told()["ended"] is None
    relay.stop()
    assert told()["verdict"] == "down" and told()["status"] is None
    assert told()["ended"]["code"] == 0


def test_watched_at_a_terminal_it_is_drawn_over_what_stood_there(relay):
    start(relay)
    seen = at_a_terminal(status(relay, "--watch"), lambda text: text.count("process ") >= 3)
    assert seen.count("\x1b[2J") == 1 and seen.count("\x1b[H") >= 3
    assert "\x1b[32m" in seen, "in colours"
    assert "doing         streaming" in seen


def test_without_colours_where_no_color_says_so(relay):
    start(relay)
    seen = at_a_terminal(status(relay), lambda text: "alarms " in text, NO_COLOR="1")
    assert "\x1b[3" not in seen and "streaming" in seen


def test_watched_by_a_program_it_is_an_object_a_line(relay):
    start(relay)
    process = subprocess.Popen(list(map(str, status(relay, "--watch", "--json"))),
                               stdout=subprocess.PIPE, text=True)
    lines = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.terminate()
    process.wait()
    assert all(line["relay"] == relay.name for line in lines)


def test_a_long_inspection_shows_how_far_it_is_and_leaves_nothing_behind(relay):
    relay.insert(*(f"e-{i}" for i in range(2000)), payload="x" * 2000)
    relay.sql("FLUSH BINARY LOGS")
    reading, writing = os.pipe()
    printed = bytearray()

    # As a pager does: what reads it makes it wait, for longer than it takes until there is a bar.
    def read_slowly():
        time.sleep(1)
        while part := os.read(reading, 65536):
            printed.extend(part)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    seen = at_a_terminal([relay.binary, "inspect", *relay.mysql.binlogs()],
                         lambda text: False, stdout=writing)
    os.close(writing)
    reader.join()
    assert "% of the log" in seen and "[#" in seen
    assert seen.endswith("\r\x1b[K"), "it is wiped out"
    assert b"of the log" not in printed and b"e-1999" in printed


def test_help_of_a_command_has_its_options_and_examples(relay):
    for words in (["status", "--help"], ["help", "status"]):
        said = subprocess.run([relay.binary, *words], capture_output=True, text=True)
        assert (said.returncode, said.stderr) == (0, "")
        assert "--watch" in said.stdout and "$ outboxd status" in said.stdout
