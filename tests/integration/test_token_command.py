"""A program that prints a token for Kafka (SASL OAUTHBEARER)."""

import pathlib
import signal
import sys
import time

import pytest
from private_servers import PrivateKafka
from relay import Relay, wait_until
from relay_listener import listen_for_relays
from token_program import TokenProgram, web_token

LOGIN = ("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
         ' unsecuredLoginStringClaim_sub="broker";')
COMMAND = "sasl.oauthbearer.token-command"


@pytest.fixture(scope="module")
def broker():
    """A token for "relay" may write; it has to be shown anew every few seconds."""
    kafka = PrivateKafka({
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:relay",
    })
    kafka.relay_port = listen_for_relays(kafka, "SASL_PLAINTEXT", {
        "sasl.enabled.mechanisms": "OAUTHBEARER",
        "oauthbearer.sasl.jaas.config": LOGIN,
        "oauthbearer.connections.max.reauth.ms": "4000",
    })
    kafka.start()
    yield kafka
    kafka.close()


@pytest.fixture
def program(tmp_path):
    one = TokenProgram(tmp_path)
    one.say(f"echo {web_token()}")
    return one


@pytest.fixture
def relay(outboxd, mysql, broker, program, tmp_path):
    with Relay(outboxd, mysql, broker, tmp_path) as one:
        yield one.configure(**{
            "kafka.bootstrap.servers": f"127.0.0.1:{broker.relay_port}",
            "kafka.security.protocol": "sasl_plaintext",
            "kafka.sasl.mechanism": "OAUTHBEARER",
            f"kafka.{COMMAND}": program.command,
        })


def test_the_program_is_run_with_its_words_and_what_it_prints_is_the_token(relay, program):
    assert relay.command("check").returncode == 0
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    assert set(program.calls()) == {"for me"}
    assert relay.stop() == 0
    assert web_token().split(".")[0] not in relay.log()


def test_a_token_is_asked_for_anew_before_the_last_has_expired(relay, program):
    here = pathlib.Path(__file__).parent
    program.say(f"PYTHONPATH={here} {sys.executable} -c"
              " 'from token_program import web_token; print(web_token(lifetime=10))'")
    relay.insert("e-0")
    relay.start()
    relay.wait_for(1)
    first = len(program.calls())
    number = 1
    while len(program.calls()) < first + 2:  # Twenty seconds, and a token lives for ten.
        relay.insert(f"e-{number}")
        number += 1
        relay.wait_for(number)
        time.sleep(0.1)
    relay.insert("last")
    relay.wait_for(number + 1)
    assert relay.stop() == 0
    assert len(relay.received()) == number + 1


def test_a_token_for_somebody_else_is_not_enough(relay, program):
    program.say(f"echo {web_token('other')}")
    relay.insert("e-1")
    relay.start()
    wait_until(lambda: "holding at event" in relay.log(), relay.log)
    program.say(f"echo {web_token()}")
    relay.process.send_signal(signal.SIGHUP)  # With a new token at once.
    relay.wait_for(1)


def test_a_program_that_fails_is_waited_for(relay, program):
    program.say("echo 'no network' >&2; exit 3")
    checked = relay.command("check")
    assert checked.returncode == 69
    assert f"{COMMAND}: " in checked.stdout and "failed with code 3" in checked.stdout
    relay.insert("e-1")
    relay.start()
    wait_until(lambda: "failed with code 3" in relay.log(), relay.log)
    program.say(f"echo {web_token()}")
    relay.wait_for(1)
    assert relay.stop() == 0


@pytest.mark.parametrize("shell, said", [
    pytest.param("echo one; echo two", "printed no token: that is one line", id="two lines"),
    pytest.param("true", "printed no token: that is one line", id="nothing"),
    pytest.param(f"echo {web_token(lifetime=-5)}", "the token has expired already", id="too old"),
])
def test_what_is_no_token_is_refused_with_the_reason(relay, program, shell, said):
    program.say(shell)
    checked = relay.command("check")
    assert checked.returncode in (69, 78)
    assert said in checked.stdout


def test_a_missing_program_ends_the_start(relay, program):
    program.path.unlink()
    assert relay.command("check").returncode == 78
    relay.start()
    assert relay.process.wait(60) == 78
    assert COMMAND in relay.log()


def test_a_program_that_hangs_is_killed(relay, program):
    program.say("sleep 600; true")
    begun = time.monotonic()
    assert relay.command("check").returncode == 69
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("change, said", [
    ({"kafka.sasl.mechanism": "PLAIN"}, "only sasl.mechanism = OAUTHBEARER asks for a token"),
    ({"kafka.sasl.oauthbearer.config": "x"}, f"the token comes from {COMMAND}"),
    ({f"kafka.{COMMAND}": "'program'"}, "no shell reads this"),
])
def test_a_wrong_configuration_is_told_without_running_the_program(relay, program, change, said):
    relay.configure(**change)
    checked = relay.command("check")
    assert checked.returncode == 78
    assert said in checked.stdout + checked.stderr
    assert program.calls() is None
