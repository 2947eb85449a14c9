"""SIGHUP: the configuration is read again under a running relay, and what may change does."""

import signal
import threading

import pytest
from certificates import DAY, Authority, now
from private_servers import PrivateKafka, PrivateMysql, free_port
from relay import Relay, ids, wait_until
from relay_listener import listen_for_relays

REFUSED = "the configuration that was read again is refused, and the former stays in force: "


@pytest.fixture(scope="module")
def server():
    with PrivateMysql() as mysql:
        yield mysql


class ReloadingRelay(Relay):
    def reload(self, answer="the configuration was read again: "):
        """Returns what the log says to it."""
        seen = self.log().count(answer)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log().count(answer) > seen, self.log)
        return self.log().split(answer)[-1].splitlines()[0]

    def second_account(self, name, password, grants=("REPLICATION SLAVE, REPLICATION CLIENT",)):
        self.sql(f"CREATE USER {name}@'%' IDENTIFIED BY '{password}'")
        for grant in grants:
            self.sql(f"GRANT {grant} ON *.* TO {name}@'%'")
        self.sql(f"GRANT SELECT ON {self.database}.outbox TO {name}@'%'")
        path = self.folder / f"{name}.password"
        path.write_text(password)
        return path

    def doing(self):
        return self.command("status").stdout


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path):
    with ReloadingRelay(outboxd, server, kafka, tmp_path) as one:
        one.insert("e-1")
        one.start()
        one.wait_for(1)
        yield one


def test_what_has_changed_is_named_and_in_force(relay):
    relay.configure(log__level="debug", delivery__max_rate=100_000)
    assert relay.reload() == "log.level, delivery.max-rate changed"
    relay.configure(log__level="error")
    assert relay.reload() == "log.level changed"
    before = relay.log()
    relay.insert("e-2")
    relay.wait_for(2)
    assert relay.stop() == 0
    assert relay.log() == before


def test_a_rate_is_lowered_and_lifted_again(relay):
    relay.configure(delivery__max_rate=1)
    relay.reload()
    relay.insert(*[f"slow-{number}" for number in range(60)])
    relay.wait_for(3)
    assert len(relay.received()) < 60
    relay.configure(delivery__max_rate=None)
    relay.reload()
    relay.wait_for(61, seconds=20)


@pytest.mark.parametrize("change, sections", [
    ({"kafka__linger__ms": 7}, "[kafka]"),
    ({"mysql__heartbeat": "2s", "delivery__on_update": "alarm"}, "[delivery], [mysql]"),
    ({"outbox__key": "id"}, "[outbox]"),
    ({"relay__stop_timeout": "7s"}, "[relay]"),
])
def test_what_needs_a_restart_is_refused_as_a_whole(relay, change, sections):
    former = {key: relay.config.get(key.replace("__", ".").replace("_", "-")) for key in change}
    relay.configure(**change, log__level="debug")
    assert relay.reload(REFUSED) == (
        f"what has changed in {sections} needs a restart HINT: restart the relay, or change it"
        " back; nothing of the file was taken")
    wait_until(lambda: "is refused: what has changed in" in relay.doing(), relay.doing)
    relay.configure(**former, log__level="info")
    assert relay.reload() == "the same, with what stands in its files now"
    wait_until(lambda: "is refused" not in relay.doing(), relay.doing)
    relay.insert("e-2")
    relay.wait_for(2)


def test_the_command_says_what_the_relay_refuses(relay):
    relay.configure(log__level="debug")
    taken = relay.command("reload")
    assert (taken.returncode, taken.stdout, taken.stderr) == (0, "log.level changed\n", "")
    assert "log.level changed" in relay.log()
    relay.configure(kafka__linger__ms=7)
    for _ in range(2):
        refused = relay.command("reload")
        assert refused.returncode == 78
        assert refused.stderr == (
            "outboxd: what has changed in [kafka] needs a restart HINT: restart the relay, or"
            " change it back; nothing of the file was taken\n")
    relay.stop()
    assert relay.command("reload").returncode == 69


def test_a_file_with_a_mistake_leaves_the_former_in_force(relay):
    text = relay.path.read_text()
    relay.path.write_text(text + "[delivery]\nmax-rat = 5\n")
    assert "max-rat" in relay.reload(REFUSED)
    relay.path.unlink()
    assert "no such file" in relay.reload(REFUSED)
    relay.insert("e-2")
    relay.wait_for(2)
    relay.path.write_text(text)
    relay.reload()


def test_another_account_is_that_of_the_next_log_in(relay):
    other = f"other_{relay.user}"
    path = relay.second_account(other, "another password")
    relay.configure(mysql__user=other, mysql__password_file=path)
    assert relay.reload() == "mysql.user, mysql.password-file changed"
    relay.sql(f"DROP USER {relay.user}@'%'")
    relay.break_connections()
    relay.insert("e-2")
    relay.wait_for(2)
    assert relay.stop() == 0


def test_an_account_that_cannot_relay_is_refused(relay):
    other = f"other_{relay.user}"
    path = relay.second_account(other, "another password", grants=())
    relay.configure(mysql__user=other, mysql__password_file=path)
    assert "REPLICATION SLAVE" in relay.reload(REFUSED)
    path.write_text("wrong")
    assert "Access denied" in relay.reload(REFUSED)
    path.unlink()
    assert "cannot be read" in relay.reload(REFUSED)
    relay.break_connections()
    relay.insert("e-2")
    relay.wait_for(2)


def test_while_its_server_is_away_the_whole_file_counts(outboxd, server, kafka, tmp_path):
    with ReloadingRelay(outboxd, server, kafka, tmp_path) as relay:
        relay.configure(mysql__port=free_port())
        relay.insert("e-1")
        relay.start()
        wait_until(lambda: "trying again in" in relay.log(), relay.log)
        relay.configure(mysql__port=server.port, outbox__key="id")
        relay.reload("the configuration was read again; beginning anew with it")
        assert relay.wait_for(1)[0].key == b"e-1"


def test_a_parked_relay_begins_anew(outboxd, server, kafka, tmp_path):
    with ReloadingRelay(outboxd, server, kafka, tmp_path, relay__on_halt="park",
                        outbox__payload="no_such_column") as relay:
        relay.insert("e-1")
        relay.start()
        wait_until(lambda: "parked" in relay.log(), relay.log)
        relay.configure(outbox__payload="no_such_either")
        relay.reload("the configuration was read again; beginning anew with it")
        wait_until(lambda: "no_such_either" in relay.log(), relay.log)
        relay.configure(outbox__payload="payload")
        relay.reload("the configuration was read again; beginning anew with it")
        relay.wait_for(1)
        assert relay.stop() == 0


class TlsBroker:
    """A broker that asks a relay for a certificate, and lets tests in without."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.kafka = PrivateKafka()
        certificate, key = authority.certify("127.0.0.1", now() + DAY)
        (folder / "broker.pem").write_bytes(key + certificate)
        self.port = listen_for_relays(self.kafka, "SSL", {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": folder / "broker.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": folder / "trusted.pem",
            "ssl.client.auth": "required",
        })

    def trust(self, *authorities):
        (self.folder / "trusted.pem").write_bytes(b"".join(one.pem for one in authorities))


def give(folder, authority):
    """The relay's own certificate, from this authority."""
    certificate, key = authority.certify("127.0.0.1", now() + DAY)
    (folder / "relay.pem").write_bytes(certificate)
    (folder / "relay.key").write_bytes(key)


@pytest.fixture
def authorities():
    return Authority("one"), Authority("two")


@pytest.fixture
def tls_relay(outboxd, server, tmp_path, authorities):
    """A relay, known by a certificate of the first authority, and its broker."""
    broker = TlsBroker(tmp_path, authorities[0])
    broker.trust(*authorities)
    give(tmp_path, authorities[0])
    (tmp_path / "ca.pem").write_bytes(authorities[0].pem)
    broker.kafka.start()
    try:
        with ReloadingRelay(
            outboxd, server, broker.kafka, tmp_path,
            kafka__bootstrap__servers=f"127.0.0.1:{broker.port}",
            kafka__security__protocol="ssl",
            kafka__ssl__ca__location=tmp_path / "ca.pem",
            kafka__ssl__certificate__location=tmp_path / "relay.pem",
            kafka__ssl__key__location=tmp_path / "relay.key",
        ) as relay:
            relay.broker = broker
            relay.insert("e-1")
            relay.start()
            relay.wait_for(1)
            yield relay
    finally:
        broker.kafka.close()


def test_a_new_certificate_in_the_same_file_is_used_at_once(tls_relay, authorities, tmp_path):
    give(tmp_path, authorities[1])
    assert tls_relay.reload() == "the same, with what stands in its files now"
    wait_until(lambda: "sink: a new producer" in tls_relay.log(), tls_relay.log)
    tls_relay.insert("e-2")
    tls_relay.wait_for(2)
    # Now the former would be of no use.
    tls_relay.broker.kafka.stop()
    tls_relay.broker.trust(authorities[1])
    tls_relay.broker.kafka.start()
    tls_relay.insert("e-3")
    assert ids(tls_relay.wait_for(3)) == ["e-1", "e-2", "e-3"]
    assert tls_relay.stop() == 0


def test_a_certificate_that_the_broker_refuses_is_refused_and_events_flow(tls_relay, tmp_path):
    own = {name: (tmp_path / name).read_bytes() for name in ("relay.pem", "relay.key")}
    give(tmp_path, Authority("a third"))
    assert "kafka brokers" in tls_relay.reload(REFUSED)
    (tmp_path / "relay.pem").write_bytes(b"no certificate")
    assert "ssl.certificate.location" in tls_relay.reload(REFUSED)
    tls_relay.insert("e-2")
    tls_relay.wait_for(2)
    assert "a new producer" not in tls_relay.log()
    for name, content in own.items():
        (tmp_path / name).write_bytes(content)
    tls_relay.reload()
    tls_relay.insert("e-3")
    tls_relay.wait_for(3)


def test_nothing_is_lost_repeated_or_out_of_order_under_load(tls_relay, authorities, tmp_path):
    """A new producer takes over again and again while events are on their way."""
    inserted = ["e-1"]
    is_over = threading.Event()

    def write():
        connection = tls_relay.connect()
        with connection.cursor() as cursor:
            while not is_over.is_set():
                name = f"w-{len(inserted):06}"
                cursor.execute("INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')",
                               [name])
                connection.commit()
                inserted.append(name)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(30):
            give(tmp_path, authorities[number % 2])
            tls_relay.reload()
    finally:
        is_over.set()
        writer.join()
    assert ids(tls_relay.wait_for(len(inserted))) == inserted
    assert tls_relay.stop() == 0
    assert len(tls_relay.received()) == len(inserted)
    assert tls_relay.log().count("sending again") == 0
    # One that could not be opened while the files changed is no other one for the next reload.
    assert tls_relay.log().count("a new producer") > 10
