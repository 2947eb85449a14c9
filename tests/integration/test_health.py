"""What those who watch a relay get: outboxd health, a process that is parked, and a log in JSON."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess

from private_servers import PrivateKafka, PrivateMysql, free_port
from relay import PASSWORD, Relay, wait_until
from relay_http import get


def health(relay, *words, **environment):
    """The exit code, and the line."""
    done = subprocess.run(
        [relay.binary, "health", *words, "--config", str(relay.path)],
        capture_output=True, text=True, timeout=20, env=os.environ | environment)
    return done.returncode, done.stdout.strip() or done.stderr.strip()


def is_ready(relay):
    return health(relay)[0] == 0


def test_a_relay_is_ready_when_messages_flow_and_neither_before_nor_after(outboxd, mysql, kafka,
                                                                          tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        code, said = health(relay)
        assert code == 1 and said.startswith("no relay answers")
        relay.insert("e-1")
        relay.start()
        relay.wait_for(1)
        wait_until(lambda: "streaming: 1 event delivered" in health(relay)[1], relay.log)
        assert health(relay, "--live") == (0, "alive")
        assert relay.stop() == 0
        assert health(relay)[0] == 1 and health(relay, "--live")[0] == 1
        assert not list(relay.state.glob("*.sock"))


def test_the_socket_is_in_the_runtime_directory_and_is_found_without_naming_it(
        outboxd, mysql, kafka, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start(RUNTIME_DIRECTORY=str(folder))
        wait_until(lambda: is_ready(relay), relay.log)
        (made,) = folder.iterdir()
        assert made.name == "outboxd.sock"
        assert stat.S_IMODE(made.stat().st_mode) == 0o660
        assert health(relay, RUNTIME_DIRECTORY=str(folder))[0] == 0
        assert health(relay, RUNTIME_DIRECTORY=str(tmp_path))[0] == 1
        assert not list(relay.state.glob("*.sock"))


def test_it_is_http(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start()
        wait_until(lambda: is_ready(relay), relay.log)
        connection = http.client.HTTPConnection("relay", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(relay.state / "outboxd.sock"))
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 200 and "delivered" in answer.read().decode()
        connection.close()


def test_servers_that_are_away_make_a_relay_unready_and_leave_it_alive(outboxd, tmp_path):
    with PrivateMysql() as mysql, PrivateKafka() as kafka, Relay(outboxd, mysql, kafka,
                                                                 tmp_path) as relay:
        relay.start()
        wait_until(lambda: is_ready(relay), relay.log)
        mysql.stop()
        wait_until(lambda: "MySQL does not answer" in health(relay)[1], relay.log)
        assert health(relay)[0] == 1 and health(relay, "--live")[0] == 0
        mysql.start()
        wait_until(lambda: is_ready(relay), relay.log)
        kafka.stop()
        relay.insert("e-1")
        wait_until(lambda: "Kafka does not answer" in health(relay)[1], relay.log, 120)
        assert health(relay)[0] == 1 and health(relay, "--live")[0] == 0


def test_a_relay_that_holds_at_an_event_is_alive_and_says_so(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.insert("e-1", kind="no-such-topic")
        relay.start()
        wait_until(lambda: health(relay)[1].startswith("holding at event"), relay.log)
        assert health(relay)[0] == 1 and health(relay, "--live")[0] == 0


def test_a_process_that_stands_still_answers_nobody_and_nobody_waits_for_long(outboxd, mysql, kafka,
                                                                              tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start()
        wait_until(lambda: is_ready(relay), relay.log)
        relay.process.send_signal(signal.SIGSTOP)
        try:
            code, said = health(relay, "--live")
            assert code == 1 and "does not answer" in said
        finally:
            relay.process.send_signal(signal.SIGCONT)


def test_a_socket_path_that_is_too_long_is_refused(outboxd, mysql, kafka, tmp_path):
    folder = tmp_path / ("x" * 107)
    folder.mkdir()
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start(RUNTIME_DIRECTORY=str(folder))
        assert relay.wait() == 78
        assert "and that of a socket at most 107" in relay.log()
        assert "HINT: set RUNTIME_DIRECTORY" in relay.log()


def test_another_relay_with_the_same_runtime_directory_is_refused(outboxd, mysql, kafka,
                                                                          tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with Relay(outboxd, mysql, kafka, tmp_path / "a") as first, \
            Relay(outboxd, mysql, kafka, tmp_path / "b") as second:
        first.start(RUNTIME_DIRECTORY=str(tmp_path))
        wait_until(lambda: health(first, RUNTIME_DIRECTORY=str(tmp_path))[0] == 0, first.log)
        second.start(RUNTIME_DIRECTORY=str(tmp_path))
        assert second.wait() == 82
        assert "another relay answers at" in second.log()
        assert health(first, RUNTIME_DIRECTORY=str(tmp_path))[0] == 0


# --------------------------------------------------------------------------------------- parked


def test_a_parked_relay_is_alive_explains_itself_and_lets_a_person_work(outboxd, mysql, kafka,
                                                                        tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, relay__on_halt="park",
               delivery__start=None) as relay:
        relay.start()
        wait_until(lambda: health(relay)[1].startswith("parked"), relay.log)
        code, said = health(relay)
        assert code == 1 and "code 84" in said and "there is no checkpoint yet" in said
        assert health(relay, "--live") == (0, "alive")
        assert "with code 84" in relay.command("status").stdout
        relay.begin_now()  # As a person would do inside of the container.
        relay.insert("e-1")
        assert relay.stop() == 84
        relay.start()
        assert [m.id for m in relay.wait_for(1)] == ["e-1"]


def test_a_parked_relay_tries_again_where_that_can_help(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, relay__on_halt="park") as relay:
        relay.password_file.write_text("wrong\n")
        relay.insert("e-1")
        relay.start()
        wait_until(lambda: "code 77" in health(relay)[1], relay.log)
        assert health(relay, "--live") == (0, "alive")
        relay.password_file.write_text(PASSWORD + "\n")
        assert [m.id for m in relay.wait_for(1)] == ["e-1"]
        wait_until(lambda: is_ready(relay), relay.log)
        assert relay.stop() == 0


def test_a_configuration_that_cannot_be_read_is_parked_where_the_command_line_says_so(
        outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, outbox__nonsense="1") as relay:
        relay.start("--relay.on-halt=park", RUNTIME_DIRECTORY=str(tmp_path))
        wait_until(lambda: (tmp_path / "outboxd.sock").exists(), relay.log)
        where = {"RUNTIME_DIRECTORY": str(tmp_path)}
        wait_until(lambda: health(relay, **where)[1].startswith("parked"), relay.log)
        code, said = health(relay, **where)
        assert code == 1 and "code 78" in said and "nonsense" in said
        assert health(relay, "--live", **where) == (0, "alive")
        assert relay.stop() == 78


def test_a_configuration_that_cannot_be_read_is_told_at_the_port_of_the_command_line(
        outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, outbox__nonsense="1") as relay:
        port = free_port()
        relay.start("--relay.on-halt=park", f"--http.listen=127.0.0.1:{port}")

        def answer(path):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                return get(relay, path, connection)
            except OSError:
                return None, ""

        wait_until(lambda: answer("/healthz")[0] == 200, relay.log)
        wait_until(lambda: "nonsense" in answer("/readyz")[1], relay.log)
        assert answer("/readyz")[0] == 503


def test_what_fails_ends_where_nothing_is_said_of_parking(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, delivery__start=None) as relay:
        relay.start()
        assert relay.wait() == 84


# -------------------------------------------------------------------------------------- in JSON


def test_a_log_in_json_has_an_object_a_line_with_the_fields_of_an_event(outboxd, mysql, kafka,
                                                                        tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, log__format="json") as relay:
        relay.begin_now()
        relay.insert("e-1", kind="no-such-topic")
        relay.start()
        wait_until(lambda: "holds-at-event" in relay.log(), relay.log)
        assert relay.stop() == 0
        lines = [json.loads(line) for line in relay.log().splitlines()]
        assert {line["relay"] for line in lines} == {relay.name}
        held = next(line for line in lines if line.get("notice") == "holds-at-event")
        assert held["event_id"] == "e-1" and held["table"] == f"{relay.database}.outbox"
        assert held["level"] == "error" and held["hint"]
        assert held["position"] == held["gtid"] + ":1"


def test_an_event_for_which_a_run_ends_is_named_in_fields(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, log__format="json",
               delivery__on_bad_event="stop") as relay:
        relay.insert("e-1", kind="no-such-topic")
        relay.start()
        assert relay.wait() == 65
        last = json.loads(relay.log().splitlines()[-1])
        assert last["notice"] == "ended-65" and last["code"] == "65"
        assert last["event_id"] == "e-1" and last["table"] == f"{relay.database}.outbox"


def test_a_client_that_says_nothing_does_not_stand_in_the_way(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.start()
        wait_until(lambda: is_ready(relay), relay.log)
        silent = []
        for _ in range(40):  # More than are served at a time.
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            try:
                one.connect(str(relay.state / "outboxd.sock"))
            except BlockingIOError:
                break
            silent.append(one)
        wait_until(lambda: is_ready(relay), relay.log, 30)
        relay.insert("e-1")
        relay.wait_for(1)
        for one in silent:
            one.close()


# ------------------------------------------------------------------------- a server to be written


def test_a_relay_that_wants_a_writable_server_waits_while_it_is_read_only_and_says_so(
        outboxd, kafka, tmp_path):
    with PrivateMysql() as mysql, Relay(outboxd, mysql, kafka, tmp_path,
                                        mysql__require="writable") as relay:
        relay.begin_now()
        relay.sql("SET GLOBAL super_read_only = ON")
        relay.start()
        wait_until(lambda: "the server is read-only" in health(relay)[1], relay.log)
        assert health(relay)[0] == 1 and health(relay, "--live")[0] == 0
        assert "HINT: SET GLOBAL read_only = OFF" in relay.log()
        relay.sql("SET GLOBAL read_only = OFF")
        relay.insert("e-1")
        relay.wait_for(1)
        wait_until(lambda: is_ready(relay), relay.log)
        # The server becomes one that follows another.
        relay.sql("SET GLOBAL read_only = ON")
        wait_until(lambda: "the server is read-only" in health(relay)[1], relay.log)
        assert "is read-only now" in relay.log()
        relay.insert("e-2")  # The account of the tests may.
        relay.sql("SET GLOBAL read_only = OFF")
        assert [m.id for m in relay.wait_for(2)] == ["e-1", "e-2"]
        assert relay.stop() == 0


def test_a_relay_reads_a_server_that_is_read_only_unless_it_is_told_not_to(outboxd, kafka,
                                                                          tmp_path):
    with PrivateMysql() as mysql, Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.insert("e-1")
        relay.sql("SET GLOBAL super_read_only = ON")
        relay.start()
        relay.wait_for(1)
