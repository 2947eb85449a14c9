"""Relays as services of a real systemd, each from the package's unit."""

import pathlib
import re

import pytest
from page_blocks import blocks_of
from relay import PASSWORD, wait_until
from service_relay import ServiceRelay

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/installing.md"])
def test_the_commands_of_the_pages_start_a_relay(host, mysql, kafka, tmp_path, page):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    # The page's names, for the relay that is prepared here.
    host.call("mv", relay.password_file, "/etc/outboxd/shop.password")
    host.call("chmod", "600", "/etc/outboxd/shop.password")
    host.call("chown", "root:root", "/etc/outboxd/shop.password")
    relay.become("shop", password_file="/etc/outboxd/shop.password")
    (commands,) = (block.lines for block in blocks_of(page, (SOURCE / page).read_text())
                   if "test_the_commands_of_the_pages_start_a_relay" in block.mark)
    relay.insert("e-1")
    for command in commands:
        if command.startswith("cp "):  # The example names a server that is not here.
            continue
        host.shell(command, stdin=PASSWORD + "\n")
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]


def test_two_relays_run_side_by_side_and_say_how_they_are(host, mysql, kafka,
                                                          tmp_path_factory):
    relays = [ServiceRelay(host, mysql, kafka, tmp_path_factory.mktemp("relay"))
              for _ in range(2)]
    for relay in relays:
        relay.insert("e-1")
        relay.start()
    for relay in relays:
        assert [m.id for m in relay.wait_for(1)] == ["e-1"]
        assert relay.show("User") == "outboxd"
        wait_until(lambda: "1 event delivered" in relay.show("StatusText"), relay.log())
        shown = host.shell(f"systemctl status {relay.unit}")
        assert re.search(r'Status: ".*lag: ', shown), shown
        assert host.shell(f"stat -c '%a %U' {relay.state}").split() == ["700", "outboxd"]


def test_health_is_asked_by_the_name_of_the_unit(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    ask = ("outboxd", "--unit", relay.instance, "health")
    assert host.call(*ask, check=False).returncode == 1
    relay.start()
    wait_until(lambda: host.call(*ask, check=False).returncode == 0, relay.log)
    socket = f"/run/outboxd/{relay.instance}/outboxd.sock"
    assert host.shell(f"stat -c '%a %U %G' {socket}").split() == ["660", "outboxd", "outboxd"]
    # The same without the unit's name, as a person does who follows an older page.
    assert "delivered" in relay.command("health").stdout
    relay.stop()
    assert host.call(*ask, check=False).returncode == 1
    assert host.call("test", "-e", socket, check=False).returncode == 1


def test_the_watchdog_restarts_a_relay_that_hangs(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    relay.drop_in("WatchdogSec=5\nRestartSec=100ms")
    relay.start()
    relay.insert("e-1")
    relay.wait_for(1)
    first, restarts = relay.show("MainPID"), int(relay.show("NRestarts"))
    host.shell(f"kill -STOP {first}")
    relay.insert("e-2")
    wait_until(lambda: int(relay.show("NRestarts")) > restarts, "a restart")
    assert "e-2" in [m.id for m in relay.wait_for(2)]
    assert relay.show("MainPID") != first


def test_a_stop_drains(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.insert(*(f"e-{i}" for i in range(2000)))
    relay.wait_for(1)
    relay.stop()
    assert relay.show("Result") == "success"
    assert re.search(r"stopped: \d+ events delivered", relay.log()), relay.log()[-500:]
    assert "not acknowledged" not in relay.log()


@pytest.mark.parametrize("change, code", [
    ({"outbox__nonsense": "1"}, 78),  # As after an upgrade that gives up a key.
    ({"delivery__start": None}, 84),
], ids=["an unknown key", "no place to begin"])
def test_what_needs_a_person_is_not_restarted(host, mysql, kafka, tmp_path, change,
                                              code):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).configure(**change)
    relay.systemctl("start", check=False)
    relay.wait_for_state("failed")
    assert relay.show("ExecMainStatus") == str(code)
    assert relay.show("NRestarts") == "0"
    errors = host.shell(f"journalctl --no-pager -o cat -p err -u {relay.unit}")
    assert next(iter(change)).rpartition("__")[2] in errors, errors


def test_a_reload_keeps_the_process_and_says_what_it_takes_and_what_not(host, mysql, kafka,
                                                                        tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    process = relay.show("MainPID")
    relay.configure(log__level="debug")
    relay.systemctl("reload")
    assert "was read again: log.level changed" in relay.log()
    relay.configure(kafka__linger__ms=7)
    assert relay.systemctl("reload", check=False).returncode != 0
    wait_until(lambda: "needs a restart" in relay.show("StatusText"), relay.log)
    assert "[kafka] needs a restart" in host.shell(f"journalctl -p err -u {relay.unit}")
    asked = host.call("outboxd", "--unit", relay.instance, "reload", check=False)
    assert asked.returncode == 78 and "[kafka] needs a restart" in asked.stderr
    relay.insert("e-1")
    relay.wait_for(1)
    relay.wait_for_state("active")
    assert relay.show("MainPID") == process and relay.show("NRestarts") == "0"


def test_what_may_mend_itself_is_restarted(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    relay.drop_in("RestartSec=200ms")
    host.write(relay.password_file, "wrong\n")
    relay.systemctl("start", check=False)
    wait_until(lambda: int(relay.show("NRestarts")) >= 2, "restarts")
    host.write(relay.password_file, PASSWORD + "\n")
    relay.insert("e-1")
    relay.wait_for(1)


def test_two_units_with_one_name_are_told_and_the_first_goes_on(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    host.shell(f"cp {relay.config_file} /etc/outboxd/other.conf")
    host.call("systemctl", "start", "outboxd@other", check=False)
    other = "outboxd@other.service"
    wait_until(lambda: "failed" in host.shell(f"systemctl is-active {other}", check=False), "it")
    said = host.shell(f"journalctl --no-pager -o cat -p err -u {other}")
    assert "ended with code 78" in said and "relay.name has to be the name of" in said
    relay.insert("e-1")
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]


def test_a_state_directory_of_another_owner_is_taken_over(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).begin_now().start()
    relay.stop()
    host.shell(f"chown -R root:root {relay.state}")
    relay.insert("e-1")
    relay.start()
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]


# ------------------------------------------------------------------------------- credentials


def settings_on_the_page(key):
    """What docs/installing.md tells to write into a drop-in."""
    (lines,) = (block.lines for block in
                blocks_of("installing.md", (SOURCE / "docs/installing.md").read_text())
                if block.lines[0] == "[Service]" and block.lines[1].startswith(key))
    return "\n".join(lines[1:])


def with_credential(relay, setting):
    relay.configure(mysql__password_file="${CREDENTIALS_DIRECTORY}/mysql-password")
    relay.drop_in(setting)
    relay.insert("e-1")
    relay.start()
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]


def test_a_credential_that_only_root_can_read_is_the_password(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    host.write("/etc/outboxd/shop.mysql-password", PASSWORD + "\n", 0o600, "root:root")
    with_credential(relay, settings_on_the_page("LoadCredential="))


def test_an_encrypted_credential_is_the_password(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    host.call("systemd-creds", "encrypt", "--name=mysql-password", "-", "/etc/outboxd/secret",
              stdin=PASSWORD)
    assert PASSWORD not in host.shell("tr -d '\\0' < /etc/outboxd/secret")
    with_credential(relay, "LoadCredentialEncrypted=mysql-password:/etc/outboxd/secret")


def test_a_missing_credential_is_named(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    relay.configure(mysql__password_file="${CREDENTIALS_DIRECTORY}/mysql-password")
    relay.systemctl("start", check=False)
    relay.wait_for_state("failed")
    assert relay.show("ExecMainStatus") == "78"
    assert "CREDENTIALS_DIRECTORY" in relay.log()


# -------------------------------------------------------------------------------------- memory


def test_a_limit_for_the_memory_is_that_of_the_unit(host, mysql, kafka, tmp_path):
    """What the relay does about it is shown by tests/integration/test_memory_limit.py."""
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    relay.drop_in(settings_on_the_page("MemoryMax="))
    relay.start()
    assert relay.show("MemoryMax") == str(224 << 20)
