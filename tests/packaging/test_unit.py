"""outboxd --unit NAME, typed on a machine where the unit is: nothing else has to be known."""

import pytest
from relay import PASSWORD, wait_until
from service_relay import ServiceRelay

SECRET = "/etc/outboxd/secret"


@pytest.fixture
def relay(host, mysql, kafka, tmp_path):
    """Its password is a credential that only root can read."""
    one = ServiceRelay(host, mysql, kafka, tmp_path)
    host.write(SECRET, PASSWORD + "\n", 0o600, "root:root")
    host.call("rm", one.password_file)
    one.configure(mysql__password_file="${CREDENTIALS_DIRECTORY}/mysql-password")
    one.drop_in(f"LoadCredential=mysql-password:{SECRET}")
    return one


def by_unit(relay, *words, user="root"):
    name = relay.instance
    done = relay.lab.call("runuser", "-u", user, "--", "outboxd", "--unit", name, *words,
                          check=False)
    assert "outboxd-" not in relay.lab.shell("ls /run")  # No folder with credentials is left.
    return done


def test_root_sees_how_a_relay_is(relay):
    relay.insert("e-1")
    relay.start()
    relay.wait_for(1)
    wait_until(lambda: "1 event delivered" in by_unit(relay, "status").stdout, "the status")
    relay.stop()
    assert "it was stopped" in by_unit(relay, "status").stdout


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "while it is stopped"])
def test_check_finds_the_credentials(relay, runs):
    relay.start()
    if not runs:
        relay.stop()
    checked = by_unit(relay, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"relay {relay.instance} is ready to run" in checked.stdout


def test_check_names_the_credential_that_is_missing(relay):
    relay.lab.call("rm", SECRET)
    relay.systemctl("start", check=False)  # Of which systemd says 243/CREDENTIALS only.
    checked = by_unit(relay, "check")
    assert checked.returncode == 78
    assert SECRET in checked.stderr


def test_check_finds_an_encrypted_credential_while_the_relay_is_stopped(relay):
    relay.lab.call("systemd-creds", "encrypt", "--name=mysql-password", "-", SECRET, stdin=PASSWORD)
    relay.drop_in(f"LoadCredentialEncrypted=mysql-password:{SECRET}")
    checked = by_unit(relay, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_root_skips_the_event_that_the_relay_holds_at(relay):
    relay.start()
    relay.insert("bad", kind="nowhere")
    relay.insert("good")
    wait_until(lambda: "holding at event" in relay.log(), "the hold")
    position = relay.log().partition("holding at event ")[2].split()[0]
    skipped = by_unit(relay, "skip", position)
    assert skipped.returncode == 0, skipped.stderr
    assert [m.id for m in relay.wait_for(1)] == ["good"]
    owners = relay.lab.shell(f"stat -c '%U %n' {relay.state}/*")
    assert all(line.startswith("outboxd ") for line in owners.splitlines()), owners


def test_what_is_made_belongs_to_the_service(relay):
    relay.configure(delivery__start=None)
    done = by_unit(relay, "position", "set", "now")
    assert done.returncode == 0, done.stderr
    assert relay.lab.shell(f"stat -c %U {relay.state} {relay.state}/checkpoint").split() == [
        "outboxd", "outboxd"]
    relay.start()
    relay.insert("e-1")
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]


def test_others_are_told_to_be_root_and_the_name_is_looked_at(relay):
    relay.start()
    refused = by_unit(relay, "check", user="nobody")
    assert refused.returncode == 77
    assert f"HINT: sudo outboxd --unit {relay.instance} check" in refused.stderr
    wrong = relay.lab.call("outboxd", "--unit", "nowhere", "status", check=False)
    assert wrong.returncode in (64, 78)
    assert relay.instance in wrong.stderr  # Which units there are.
    assert relay.lab.call("outboxd", "--unit", "nowhere", "run", check=False).returncode == 64
