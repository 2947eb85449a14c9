"""A program that prints the password, as for tokens that live for minutes."""

import time

import pytest
from certificates import DAY, Authority, now
from clear_text_server import ClearTextServer
from private_servers import PrivateMysql
from relay import PASSWORD, Relay, wait_until
from token_program import TokenProgram


@pytest.fixture(scope="module")
def server():
    with PrivateMysql() as mysql:
        yield mysql


@pytest.fixture
def program(tmp_path):
    one = TokenProgram(tmp_path)
    one.say(f"echo '{PASSWORD}'")
    return one


@pytest.fixture
def relay(outboxd, server, kafka, program, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path, mysql__password_file=None,
               mysql__password_command=program.command) as one:
        yield one


def test_the_program_is_run_with_its_words_and_what_it_prints_is_the_password(relay, program):
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    assert set(program.calls()) == {"for me"}
    assert PASSWORD not in relay.log()
    assert relay.stop() == 0


def test_each_log_in_asks_anew(relay, program):
    """A token that is too old is not used again."""
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    relay.sql(f"ALTER USER {relay.user}@'%' IDENTIFIED BY 'another token'")
    program.say("echo 'another token'")
    relay.break_connections()
    relay.insert("e-2")
    relay.wait_for(2)
    assert relay.stop() == 0


def test_a_password_that_is_replaced_is_found_though_the_log_in_was_refused(relay, program):
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    relay.sql(f"ALTER USER {relay.user}@'%' IDENTIFIED BY 'another token'")
    relay.break_connections()
    relay.insert("e-2")
    wait_until(lambda: "Access denied" in relay.log(), relay.log)
    program.say("echo 'another token'")
    relay.wait_for(2)


def test_a_program_that_fails_is_waited_for(relay, program):
    program.say("echo 'no network' >&2; exit 3")
    assert relay.command("check").returncode == 69
    relay.insert("e-1")
    relay.start()
    wait_until(lambda: "failed with code 3" in relay.log(), relay.log)
    assert "mysql.password-command: " in relay.log() and "no network" in relay.log()
    program.say(f"echo '{PASSWORD}'")
    relay.wait_for(1)


def test_a_program_that_hangs_is_killed_and_a_stop_does_not_wait_for_it(relay, program):
    program.say("sleep 600; true")
    begun = time.monotonic()
    checked = relay.command("check")
    assert checked.returncode == 69
    assert "did not end within 10000 ms, and was killed" in checked.stdout
    assert time.monotonic() - begun < 60
    relay.start()
    wait_until(lambda: len(program.calls()) == 2, relay.log)
    begun = time.monotonic()
    assert relay.stop() == 0
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("shell", [
    pytest.param("echo one; echo two", id="two lines"),
    pytest.param("true", id="nothing"),
    pytest.param("echo; true", id="an empty line"),
    pytest.param("yes | head -c 99999", id="too much"),
])
def test_what_is_no_password_is_told(relay, program, shell):
    program.say(shell)
    relay.start()
    assert relay.wait() == 78
    assert "mysql.password-command: " in relay.log()
    assert " printed " in relay.log()


def test_a_program_that_is_not_there_is_told(relay, program):
    program.path.unlink()
    relay.start()
    assert relay.wait() == 78
    assert f"mysql.password-command: {program.path} cannot be started" in relay.log()


def test_a_file_and_a_program_at_once_are_refused(relay):
    relay.configure(mysql__password_file=relay.password_file)
    relay.start()
    assert relay.wait() == 78
    assert "mysql.password-command: excludes mysql.password-file" in relay.log()


def test_a_shells_words_are_refused(relay, program):
    relay.configure(mysql__password_command=f"{program.path} $HOME")
    relay.start()
    assert relay.wait() == 78
    assert "no shell reads this" in relay.log()


# ------------------------------------------------------------------------- a token as it is


@pytest.fixture
def cloud(tmp_path):
    """A server that asks for the token as it is, and the file of who vouches for it."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    certificate, key = authority.certify("127.0.0.1", now() + DAY)
    (tmp_path / "server.pem").write_bytes(certificate + key)
    with ClearTextServer(tmp_path / "server.pem", tmp_path / "server.pem") as one:
        yield one, tmp_path / "ca.pem"


def test_a_token_is_shown_to_the_server_that_is_meant_and_to_no_other(relay, cloud):
    server, ca = cloud
    relay.configure(mysql__port=server.port, mysql__tls="required")
    assert relay.command("check").returncode != 0
    relay.configure(mysql__tls="verify-ca", mysql__tls_ca=ca)
    assert relay.command("check").returncode != 0
    assert server.shown == []
    relay.configure(mysql__tls="verify-identity")
    assert relay.command("check").returncode == 77
    assert server.shown == [PASSWORD]


def test_a_password_of_a_file_is_shown_to_nobody(relay, cloud):
    server, ca = cloud
    relay.configure(mysql__port=server.port, mysql__tls="verify-identity", mysql__tls_ca=ca,
                    mysql__password_command=None, mysql__password_file=relay.password_file)
    checked = relay.command("check")
    assert checked.returncode == 78 and "mysql_clear_password" in checked.stdout
    assert server.shown == []
