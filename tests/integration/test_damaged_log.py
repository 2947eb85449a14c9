"""A log that is damaged on the server's disk. The server sends it as it is."""

import signal
import subprocess

import pytest
from private_servers import PrivateMysql
from relay import Relay, wait_until


@pytest.fixture
def server():
    with PrivateMysql() as server:
        yield server


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_a_flipped_bit_in_the_log_ends_the_run_with_the_place_and_loses_nothing(
    outboxd, server, kafka, tmp_path
):
    with Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.begin_now()
        relay.insert("before")
        relay.insert("damaged", payload='{"amount":100}')
        relay.insert("behind")
        log = server.binlogs()[-1]
        damaged = log.read_bytes().index(b'{"amount":100}') + 10
        flip(log, damaged)
        relay.start()
        assert relay.wait() == 65
        assert "checksum" in relay.log() and "read 3 times" in relay.log()
        assert [m.id for m in relay.received()] == ["before"]

        # The command that the message names shows what stands in front of it.
        place = relay.log().split("--from file:")[1].split("'")[0]
        file, offset = place.split(":")
        assert file == log.name and int(offset) < damaged < int(offset) + 200
        inspected = relay.command("inspect", str(log))
        assert inspected.returncode == 65
        assert "id='before'" in inspected.stdout and "amount" not in inspected.stdout
        assert "=> STOP: " in inspected.stdout

        flip(log, damaged)
        relay.start()
        assert [m.id for m in relay.wait_for(3)] == ["before", "damaged", "behind"]
        assert relay.stop() == 0


def test_inspect_tells_of_a_transaction_that_the_file_ends_within(
    outboxd, server, kafka, tmp_path
):
    with Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.insert("whole")
        relay.insert("cut")
        log = server.binlogs()[-1].read_bytes()
        # Each event tells its length in bytes 9 to 12; the last one is the XID of the last insert.
        begins, offset = [], 4
        while offset < len(log):
            begins.append(offset)
            offset += int.from_bytes(log[offset + 9 : offset + 13], "little")
        cut = tmp_path / "binlog.000009"
        cut.write_bytes(log[: begins[-1]])
        inspected = relay.command("inspect", str(cut))
        assert inspected.returncode == 0
        assert "id='whole'" in inspected.stdout and "id='cut'" not in inspected.stdout
        assert " has no end, its rows of event tables do not count: " in inspected.stdout
        assert inspected.stdout.endswith("; 1 without end\n")


def test_damage_that_heals_is_read_again(outboxd, server, kafka, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.begin_now()
        relay.insert("damaged", payload='{"amount":100}')
        log = server.binlogs()[-1]
        damaged = log.read_bytes().index(b'{"amount":100}') + 10
        flip(log, damaged)
        relay.start()
        wait_until(lambda: "reading it again in" in relay.log(), "the first attempt")
        flip(log, damaged)
        assert [m.value for m in relay.wait_for(1)] == [b'{"amount":100}']
        assert relay.stop() == 0


def test_inspect_follows_a_server(outboxd, server, kafka, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.insert("early")
        output = tmp_path / "inspected"
        with open(output, "wb") as file:
            process = subprocess.Popen(
                [outboxd, "inspect", "--server", "--config", relay.path, "--from", "earliest"],
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: "id='early'" in output.read_text(), "what was there")
            relay.insert("late")
            wait_until(lambda: "id='late'" in output.read_text(), "what comes")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        assert output.read_text().splitlines()[-1].count("published (2 rows)") == 1
