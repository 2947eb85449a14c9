"""The README's six steps, as a newcomer types them, lead to a message in the topic."""

import contextlib
import pathlib
import subprocess

import pytest
from private_servers import PrivateKafka, PrivateMysql, spawn
from relay import wait_until

README = pathlib.Path(__file__).parents[2] / "README.md"
PASSWORD = "a-password-7"
INSERT = """INSERT INTO shop.outbox
  VALUES (UUID(), 'order', '1001', 'OrderPlaced', '{"item": "teapot"}')"""


def code_of_step(number: int) -> str:
    """The first block of code of a step."""
    lines = README.read_text().split(f"**{number}. ", 1)[1].splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("    "))
    end = next(i for i, line in enumerate(lines[begin:], begin) if line and line[0] != " ")
    return "\n".join(line[4:] for line in lines[begin:end])


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
    (tmp_path / "shop.password").write_text(PASSWORD + "\n")
    (tmp_path / "shop.conf").write_text(code_of_step(5))
    kafka.create_topic("outbox.event.order", partitions=3)

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
