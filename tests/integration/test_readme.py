"""The README's six steps, as a newcomer types them, lead to a message in the topic; and the
demonstration prints what the README shows of it."""

import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from page_blocks import blocks_of, fits
from private_servers import PrivateKafka, PrivateMysql, spawn
from relay import wait_until

README = pathlib.Path(__file__).parents[2] / "README.md"
PASSWORD = "a-password-7"
INSERT = """INSERT INTO shop.outbox
  VALUES (UUID(), 'order', '1001', 'OrderPlaced', '{"item": "teapot"}')"""


def code_of_step(number: int, place: int = 0) -> str:
    """A block of code of a step: the first one, or a later one."""
    step = README.read_text().split(f"**{number}. ", 1)[1]
    return "\n".join(blocks_of("README.md", step)[place].lines)


@pytest.fixture
def servers():
    """A server as it is when new, without what other tests set and create."""
    with PrivateMysql() as mysql, PrivateKafka() as kafka:
        yield mysql, kafka


def test_the_six_steps_lead_to_a_message(outboxd, servers, tmp_path):
    mysql, kafka = servers
    mysql.mysql("CREATE DATABASE shop")
    for number in (2, 3, 4):
        sql = code_of_step(number)
        mysql.mysql(sql.replace("'...'", f"'{PASSWORD}'"))
    (tmp_path / "shop.password").touch(0o640)
    (tmp_path / "shop.password").write_text(PASSWORD + "\n")
    (tmp_path / "shop.conf").write_text(code_of_step(5))
    program, *words = shlex.split(code_of_step(5, 1).replace("localhost:9092", kafka.bootstrap))
    assert program == "kafka-topics.sh"
    kafka.tool("org.apache.kafka.tools.TopicCommand", *words)
    assert kafka.topics()["outbox.event.order"] == 3

    # Only places differ from what is in the README.
    def command(line: str) -> list:
        program, *words = line.replace("/etc/outboxd", str(tmp_path)).split()
        assert program == "outboxd"
        return [outboxd, *words, f"--mysql.port={mysql.port}",
                f"--kafka.bootstrap.servers={kafka.bootstrap}",
                f"--mysql.password-file={tmp_path}/shop.password",
                f"--relay.state-directory={tmp_path}/state"]

    check, run, status = map(command, code_of_step(6).strip().splitlines())
    checked = subprocess.run(check, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "PROBLEM" not in checked.stdout and "warning" not in checked.stdout
    mysql.mysql(INSERT)
    with contextlib.ExitStack() as stack:
        relay = spawn(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(relay.wait)
        stack.callback(relay.kill)
        consumer = kafka.console_consumer("outbox.event.order", "--timeout-ms", "60000")
        stack.callback(consumer.wait)
        stack.callback(consumer.kill)

        def key_and_value() -> list:
            return consumer.stdout.readline().rstrip("\n").split("\t")[-2:]

        assert key_and_value() == ["1001", '{"item":"teapot"}']  # From the table.
        mysql.mysql(INSERT)
        assert key_and_value() == ["1001", '{"item":"teapot"}']  # From the log.

        def told():
            return subprocess.run(status, capture_output=True, text=True, check=True).stdout

        wait_until(lambda: f"process       {relay.pid}" in told(), "the status")
        relay.terminate()
        assert relay.wait() == 0


def shown_of_the_demonstration() -> list:
    """The lines in the README, without the times and with any number of blanks."""
    blocks = blocks_of("README.md", README.read_text())
    (block,) = [b for b in blocks if "test_the_demonstration_prints_what_is_shown" in b.mark]
    return block.lines


def without_times(line: str) -> str:
    return re.sub(r"\d+ ms later|at once", "soon", line)


def test_the_demonstration_prints_what_is_shown(outboxd, tmp_path):
    # It leaves what it made beside the program.
    build = tmp_path / "build"
    build.mkdir()
    (build / "outboxd").symlink_to(outboxd)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, README.parent / "packaging/quickstart.py", build],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [without_times(line) for line in shown_of_the_demonstration()]
    printed = "\n".join(without_times(line) for line in done.stdout.splitlines())
    assert fits(["...", *shown, "..."], printed), printed
