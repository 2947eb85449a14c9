"""The alerts and the dashboard: promtool takes the rules and their tests, each alert is fired once
by its fault, seen by a real Prometheus, and each query of the dashboard returns something there."""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
from private_prometheus import PrivatePrometheus, promtool
from private_servers import SOURCE, PrivateKafka, PrivateMysql, free_port
from relay import Relay, wait_until
from relay_http import is_ready
from test_fault_clock import HOUR, WallClock, wall_clock_library
from test_xa import decide, prepare

RULES = SOURCE / "packaging/prometheus/outboxd.rules.yml"
DASHBOARD = SOURCE / "packaging/grafana/outboxd.json"


def alerts():
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def known_metrics():
    page = (SOURCE / "docs/metrics.md").read_text()
    return set(re.findall(r"^\| `(outboxd_\w+)`", page, flags=re.M))


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"]
            if panel["type"] != "row"]


def test_promtool_takes_the_rules_and_their_tests_succeed():
    assert promtool("check", "rules", RULES)[0] == 0
    code, said = promtool("test", "rules", RULES.with_name("outboxd.rules.test.yml"))
    assert code == 0, said


def test_the_rules_ask_for_metrics_that_there_are():
    asked = set(re.findall(r"outboxd_\w+", RULES.read_text()))
    assert asked and asked <= known_metrics()


def test_each_alert_has_a_test_and_an_entry_in_the_runbook():
    tests = RULES.with_name("outboxd.rules.test.yml").read_text()
    runbook = (SOURCE / "docs/operations.md").read_text()
    for alert in alerts():
        assert alert in tests
        assert f"### {alert}\n" in runbook
    assert re.findall(r"#(\w+)$", RULES.read_text(), flags=re.M) == [a.lower() for a in alerts()]


def test_the_dashboard_is_made_from_the_table_of_metrics(tmp_path):
    made = tmp_path / "outboxd.json"
    subprocess.run([sys.executable, SOURCE / "packaging/grafana/write", made], check=True)
    assert made.read_text() == DASHBOARD.read_text(), "type packaging/grafana/write"


def test_the_dashboard_is_one_that_grafana_can_show():
    dashboard = json.loads(DASHBOARD.read_text())
    all_panels = dashboard["panels"]
    assert len({panel["id"] for panel in all_panels}) == len(all_panels)
    taken = set()
    for panel in all_panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} lies on another one"
        taken |= cells
    for panel in panels():
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


# --------------------------------------------------------------------------- each by its fault


def in_a_hurry(rules):
    """The rules with seconds in place of minutes, so that nobody waits for them that long. A relay
    tries again after growing pauses, so that few errors fit into a quarter of a minute."""
    rules = re.sub(r"> 10$", "> 1", rules, flags=re.M)
    rules = re.sub(r"\b1h\b", "1s", rules)
    rules = re.sub(r"\b(\d+)m\b", r"\1s", rules)
    return re.sub(r"([<>]) (\d{2,})\b",
                  lambda m: m[0] if int(m[2]) < 60 else f"{m[1]} {int(m[2]) / 60:g}", rules)


def stop_main_thread(pid):
    """As if what it waits for never came; the other threads go on."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    seize, interrupt = 0x4206, 0x4207
    for request in (seize, interrupt):
        if ptrace(request, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")


class Doors:
    """In front of a port: every other one who comes finds the door shut, as if the process behind
    it had ended."""

    def __init__(self, port):
        self.behind = port
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        for number in itertools.count():
            client, _ = self.listening.accept()
            with client:
                if number % 2:
                    continue
                request = client.recv(65536)
                with socket.create_connection(("127.0.0.1", self.behind)) as server:
                    server.sendall(request)
                    while part := server.recv(65536):
                        client.sendall(part)


class World:
    """Relays that each have a fault of their own, and a Prometheus that scrapes them all."""

    def __init__(self, outboxd, mysql, kafka, folder, stack):
        self.outboxd, self.mysql, self.kafka = outboxd, mysql, kafka
        self.folder, self.stack = folder, stack
        self.relays = {}

    def relay(self, name, mysql=None, kafka=None, **config):
        folder = self.folder / name
        folder.mkdir()
        relay = self.stack.enter_context(
            Relay(self.outboxd, mysql or self.mysql, kafka or self.kafka, folder))
        relay.port = free_port()
        relay.configure(http__listen=f"127.0.0.1:{relay.port}", **config)
        self.relays[name] = relay
        return relay

    def scrape(self):
        rules = self.folder / "rules.yml"
        rules.write_text(in_a_hurry(RULES.read_text()))
        self.doors = Doors(self.relays["good"].port)
        targets = [f"127.0.0.1:{relay.port}" for relay in self.relays.values()]
        targets.append(f"127.0.0.1:{self.doors.port}")
        self.prometheus = self.stack.enter_context(
            PrivatePrometheus({"outboxd": targets}, rules=[rules]))
        self.without_relays = self.stack.enter_context(
            PrivatePrometheus({"another": targets[:1]}, rules=[rules]))

    def fires(self, alert, name):
        instance = f"127.0.0.1:{self.relays[name].port}"
        return self.prometheus.query(
            f'ALERTS{{alertname="{alert}",instance="{instance}",alertstate="firing"}}')

    def assert_fires(self, alert, name, meanwhile=None):
        def fires():
            if meanwhile:
                meanwhile()
            return self.fires(alert, name)
        wait_until(fires, lambda: f"{alert} of {name}: {self.relays[name].log()[-3000:]}", 90)


def start(relay, **environment):
    relay.start(**environment)
    wait_until(lambda: is_ready(relay), relay.log)
    return relay


@pytest.fixture(scope="module")
def world(outboxd, mysql, kafka, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alerts")
    with contextlib.ExitStack() as stack:
        made = World(outboxd, mysql, kafka, folder, stack)
        own_mysql = stack.enter_context(PrivateMysql())
        own_kafka = stack.enter_context(PrivateKafka())
        made.own_kafka = own_kafka
        start(made.relay("good").begin_now())
        start(made.relay("down").begin_now())
        start(made.relay("holding").begin_now())
        kafka.create_topic("alerts-dead")
        start(made.relay("dead-letters", delivery__on_bad_event="dead-letter",
                         delivery__dead_letter_topic="alerts-dead").begin_now())
        start(made.relay("failing").begin_now())
        start(made.relay("full").begin_now())
        start(made.relay("stuck").begin_now())
        clock = WallClock(wall_clock_library(outboxd), folder / "clock")
        start(made.relay("late", kafka=kafka).begin_now(), **clock.environment)
        clock.jump(0.9 * HOUR)
        start(made.relay("behind", mysql=own_mysql, kafka=own_kafka).begin_now())
        reading = made.relay("reading", kafka=own_kafka, delivery__start="table",
                             delivery__max_rate="5")
        reading.insert(*(f"r-{i}" for i in range(3000)))
        start(reading)
        with_no_server = made.relay("without-server")
        with_no_server.begin_now().configure(mysql__port=str(free_port()))
        with_no_server.start()
        made.scrape()
        yield made


def test_a_relay_that_does_well_fires_nothing(world):
    wait_until(lambda: world.prometheus.query("outboxd_ready == 1"), world.prometheus.log)
    instance = f"127.0.0.1:{world.relays['good'].port}"
    assert not world.prometheus.query(f'ALERTS{{instance="{instance}",alertstate="firing"}}')


def test_one_that_was_killed_does_not_run(world):
    world.relays["down"].kill()
    world.assert_fires("OutboxdNotRunning", "down")


def test_one_that_ends_and_is_started_again_and_again(world):
    instance = f"127.0.0.1:{world.doors.port}"
    wait_until(lambda: world.prometheus.query(
        f'ALERTS{{alertname="OutboxdRestarting",instance="{instance}",alertstate="firing"}}'),
        world.prometheus.log, 90)


def test_a_prometheus_that_knows_no_relay(world):
    wait_until(lambda: world.without_relays.query(
        'ALERTS{alertname="OutboxdMissing",alertstate="firing"}'), world.prometheus.log, 90)


def test_one_that_holds_and_keeps_a_prepared_transaction(world):
    relay = world.relays["holding"]
    prepare(relay, "'alert'", "x-1")
    world.assert_fires("OutboxdHeldXa", "holding")
    relay.insert("bad", kind="topic-that-is-not-there")
    world.assert_fires("OutboxdHeld", "holding")
    world.assert_fires("OutboxdNotReady", "holding")
    decide(relay, "XA ROLLBACK 'alert'")


def test_dead_letters_alarms_and_a_refused_configuration(world):
    relay = world.relays["dead-letters"]
    # The counter has to be seen before it moves.
    wait_until(lambda: world.prometheus.query("outboxd_dead_letters_total"), "the counter")
    relay.insert("bad", kind="topic-that-is-not-there")
    world.assert_fires("OutboxdDeadLetters", "dead-letters")
    connection = relay.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION binlog_format = STATEMENT")
        cursor.execute("UPDATE outbox SET payload = '{}' WHERE id = 'bad'")
    connection.commit()
    connection.close()
    world.assert_fires("OutboxdAlarms", "dead-letters")
    relay.configure(kafka__bootstrap_servers="127.0.0.1:1")
    relay.command("reload")
    world.assert_fires("OutboxdReloadRefused", "dead-letters")


def test_errors_that_are_waited_out(world):
    world.assert_fires("OutboxdErrorsWaitedOut", "failing",
                       world.relays["failing"].break_connections)


def test_a_state_directory_that_takes_no_checkpoint(world):
    relay = world.relays["full"]
    directory = pathlib.Path(relay.config["relay.state-directory"])
    directory.rename(directory.with_name("away"))
    number = iter(range(1000))
    world.assert_fires("OutboxdCheckpointStale", "full",
                       lambda: relay.insert(f"f-{next(number)}"))


def test_a_main_loop_that_is_stuck(world):
    pid = world.relays["stuck"].process.pid
    stop_main_thread(pid)
    world.assert_fires("OutboxdStuck", "stuck")
    # What waits for it takes the stop of its thread for its end, and would leave it alone.
    os.kill(pid, signal.SIGKILL)


def test_clocks_that_differ(world):
    world.assert_fires("OutboxdClockDifference", "late")


def test_a_server_that_never_answered(world):
    world.assert_fires("OutboxdLagUnknown", "without-server")


def test_kafka_that_is_away_with_a_log_that_is_not_kept_for_long(world):
    relay = world.relays["behind"]
    relay.sql("SET GLOBAL binlog_expire_logs_seconds = 30")
    relay.insert("e-1")
    world.own_kafka.stop()
    relay.insert("e-2")
    # The setting is looked at again with the list of files, which a rotation asks for.
    relay.sql("FLUSH BINARY LOGS")
    world.assert_fires("OutboxdLag", "behind")
    world.assert_fires("OutboxdNoProgress", "behind")
    world.assert_fires("OutboxdInitialReadStuck", "reading")
    world.assert_fires("OutboxdLogKeptShort", "behind")
    world.assert_fires("OutboxdPurgeAhead", "behind")


def test_each_alert_was_fired(world):
    fired = {dict(labels)["alertname"] for prometheus in (world.prometheus, world.without_relays)
             for labels in prometheus.query('max_over_time(ALERTS{alertstate="firing"}[1h])')}
    assert fired == set(alerts())


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: f"{panel['id']}-{panel['title']}")
def test_each_query_of_the_dashboard_returns_something(world, panel):
    for target in panel["targets"]:
        query = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1h")
        # What there is for a time only was there.
        found = world.prometheus.query(query) or world.prometheus.query(
            f"last_over_time(({query})[1h:1s])")
        assert found, query
