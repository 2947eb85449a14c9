"""A program that prints a token for Kafka (SASL OAUTHBEARER)."""

import base64
import json
import time

import pytest
from private_servers import PrivateKafka
from relay import Relay, wait_until
from relay_listener import listen_for_relays

LOGIN = ("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
         ' unsecuredLoginStringClaim_sub="broker";')
COMMAND = "sasl.oauthbearer.token-command"


def token(subject="relay", lifetime=3600):
    """A JSON Web Token without signature, which this broker takes."""
    now = int(time.time())
    parts = [{"alg": "none"}, {"sub": subject, "iat": now - 60, "exp": now + lifetime}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
               for part in parts]
    return ".".join(encoded) + "."


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


class TokenRelay(Relay):
    """Its token is what `say` makes of it."""

    def __init__(self, binary, mysql, kafka, folder):
        super().__init__(binary, mysql, kafka, folder)
        self.program = self.folder / "token"
        self.configure(**{
            "kafka.bootstrap.servers": f"127.0.0.1:{kafka.relay_port}",
            "kafka.security.protocol": "sasl_plaintext",
            "kafka.sasl.mechanism": "OAUTHBEARER",
            f"kafka.{COMMAND}": f"{self.program} for me",
        })
        self.say(f"echo {token()}")

    def say(self, shell):
        self.program.write_text(f"#!/bin/sh\necho \"$@\" >> {self.folder}/calls\n{shell}\n")
        self.program.chmod(0o755)

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def relay(outboxd, mysql, broker, tmp_path):
    with TokenRelay(outboxd, mysql, broker, tmp_path) as one:
        yield one


def test_the_program_is_run_with_its_words_and_what_it_prints_is_the_token(relay):
    assert relay.command("check").returncode == 0
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    assert set(relay.calls()) == {"for me"}
    assert relay.stop() == 0
    assert token().split(".")[0] not in relay.log()


def test_a_token_is_asked_for_anew_before_the_last_has_expired(relay):
    relay.say(f"{__import__('sys').executable} {relay.folder}/make.py")
    (relay.folder / "make.py").write_text(
        "import base64, json, time\nnow = int(time.time())\n"
        "print('.'.join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip('=')"
        " for p in [{'alg': 'none'}, {'sub': 'relay', 'exp': now + 10}]) + '.')\n")
    relay.insert("e-0")
    relay.start()
    relay.wait_for(1)
    first = len(relay.calls())
    number = 1
    while len(relay.calls()) < first + 2:  # Twenty seconds, and a token lives for ten.
        relay.insert(f"e-{number}")
        number += 1
        relay.wait_for(number)
        time.sleep(0.1)
    relay.insert("last")
    relay.wait_for(number + 1)
    assert relay.stop() == 0
    assert len(relay.received()) == number + 1


def test_a_token_for_somebody_else_is_not_enough(relay):
    relay.say(f"echo {token('other')}")
    relay.insert("e-1")
    relay.start()
    wait_until(lambda: "holding at event" in relay.log(), relay.log)
    relay.say(f"echo {token()}")
    relay.process.send_signal(1)  # SIGHUP: with a new token at once.
    relay.wait_for(1)


def test_a_program_that_fails_is_waited_for(relay):
    relay.say("echo 'no network' >&2; exit 3")
    checked = relay.command("check")
    assert checked.returncode == 69
    assert f"{COMMAND}: " in checked.stdout and "failed with code 3" in checked.stdout
    relay.insert("e-1")
    relay.start()
    wait_until(lambda: "failed with code 3" in relay.log(), relay.log)
    relay.say(f"echo {token()}")
    relay.wait_for(1)
    assert relay.stop() == 0


@pytest.mark.parametrize("shell, said", [
    pytest.param("echo one; echo two", "printed no token: that is one line", id="two lines"),
    pytest.param("true", "printed no token: that is one line", id="nothing"),
    pytest.param(f"echo {token(lifetime=-5)}", "the token has expired already", id="too old"),
])
def test_what_is_no_token_is_refused_with_the_reason(relay, shell, said):
    relay.say(shell)
    checked = relay.command("check")
    assert checked.returncode in (69, 78)
    assert said in checked.stdout


def test_a_missing_program_ends_the_start(relay):
    relay.program.unlink()
    assert relay.command("check").returncode == 78
    relay.start()
    assert relay.process.wait(60) == 78
    assert COMMAND in relay.log()


def test_a_program_that_hangs_is_killed(relay):
    relay.say("sleep 600; true")
    begun = time.monotonic()
    assert relay.command("check").returncode == 69
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("change, said", [
    ({"kafka.sasl.mechanism": "PLAIN"}, "only sasl.mechanism = OAUTHBEARER asks for a token"),
    ({"kafka.sasl.oauthbearer.config": "x"}, f"the token comes from {COMMAND}"),
    ({f"kafka.{COMMAND}": "'program'"}, "no shell reads this"),
])
def test_a_wrong_configuration_is_told_without_running_the_program(relay, change, said):
    relay.configure(**change)
    checked = relay.command("check")
    assert checked.returncode == 78
    assert said in checked.stdout + checked.stderr
    assert not (relay.folder / "calls").exists()
