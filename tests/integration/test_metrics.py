"""The relay's metrics, as Prometheus sees them: promtool finds nothing wrong with them, a real
Prometheus stores them, and they are what the topics and the status say."""

import contextlib
import json
import os
import signal
import socket
import time

import pytest
from private_prometheus import PrivatePrometheus, promtool
from private_servers import PrivateKafka, PrivateMysql, free_port
from relay import Relay, wait_until
from relay_http import get, metrics, status


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.port = free_port()
        relay.configure(http__listen=f"127.0.0.1:{relay.port}")
        yield relay.begin_now()


def start(relay):
    relay.start()
    wait_until(lambda: ask_port(relay, "/readyz")[0] == 200, relay.log)


def ask_port(relay, path):
    """Over TCP."""
    import http.client
    try:
        return get(relay, path, http.client.HTTPConnection("127.0.0.1", relay.port, timeout=10))
    except OSError:
        return None, ""


def test_promtool_finds_nothing_wrong(relay):
    start(relay)
    relay.insert("e-1", "e-2")
    relay.wait_for(2)
    code, text = ask_port(relay, "/metrics")
    assert code == 200
    assert promtool("check", "metrics", input=text) == (0, "")
    assert get(relay, "/metrics")[0] == 200, "over the Unix socket too"


def test_they_count_what_was_published(relay):
    start(relay)
    relay.insert(*(f"e-{i}" for i in range(50)), payload="x" * 100)
    relay.insert("late", payload="x" * 100)
    messages = relay.wait_for(51)
    table = f'{{table="{relay.database}.outbox"}}'
    wait_until(lambda: metrics(relay).get(f"outboxd_published_events_total{table}") == 51,
               relay.log)
    told = metrics(relay)
    size = sum(len(m.key or b"") + len(m.value or b"") for m in messages)
    assert told[f"outboxd_published_bytes_total{table}"] == size
    assert told["outboxd_acknowledged_messages_total"] == 51
    assert told["outboxd_delivery_latency_seconds_count"] == 51
    assert 0 < told["outboxd_delivery_latency_seconds_sum"] < 51 * 20
    assert told["outboxd_in_flight_messages"] == told["outboxd_in_flight_bytes"] == 0
    assert time.time() - told["outboxd_last_acknowledged_timestamp_seconds"] < 30
    wait_until(lambda: time.time() - metrics(relay)["outboxd_last_checkpoint_timestamp_seconds"]
               < 30, "a checkpoint")
    assert told['outboxd_connections_opened_total{side="source"}'] == 1
    assert told['outboxd_connections_opened_total{side="sink"}'] == 1
    assert 0 < told["outboxd_sink_round_trip_seconds"] < 10
    wait_until(lambda: metrics(relay).get("outboxd_source_round_trip_seconds", 0) > 0, "an answer")
    # The server's clock is this machine's.
    assert abs(metrics(relay)["outboxd_clock_difference_seconds"]) < 0.5


def test_what_waits_for_kafka_is_in_flight(outboxd, mysql, tmp_path):
    with PrivateKafka() as kafka, Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.begin_now().start()
        relay.insert("first")
        relay.wait_for(1)
        kafka.stop()
        relay.insert("e-1", "e-2", payload="x" * 1000)
        wait_until(lambda: metrics(relay)["outboxd_in_flight_messages"] == 2, relay.log)
        assert metrics(relay)["outboxd_in_flight_bytes"] > 2000
        wait_until(lambda: metrics(relay)["outboxd_sink_up"] == 0, relay.log, 90)
        told = metrics(relay)
        assert told["outboxd_sink_down_seconds"] > 0 and told["outboxd_ready"] == 0
        assert told['outboxd_sink_errors_total{kind="silent"}'] == 1
        kafka.start()
        wait_until(lambda: metrics(relay)["outboxd_in_flight_messages"] == 0, relay.log, 90)
        wait_until(lambda: metrics(relay)["outboxd_sink_up"] == 1, relay.log, 90)


def test_a_hold_is_told_with_its_reason_and_what_to_do(relay):
    relay.insert("no-topic", kind="nowhere")
    relay.start()
    # It answers there before it has its state directory, where the Unix socket is.
    wait_until(lambda: '"state":"holding"' in ask_port(relay, "/status")[1], relay.log)
    told = status(relay)
    assert told["held"]["id"] == "no-topic" and told["held"]["hint"]
    assert not told["ready"] and told["reasons"][0].startswith("holding at event")
    wait_until(lambda: metrics(relay)["outboxd_held_seconds"] > 1, relay.log)
    assert metrics(relay)['outboxd_state{state="holding"}'] == 1
    code, body = ask_port(relay, "/readyz")
    assert code == 503 and "holding at event" in json.loads(body)["reasons"][0]


def test_prometheus_stores_each_metric_that_is_told(relay):
    start(relay)
    relay.insert("e-1")
    relay.wait_for(1)
    told = metrics(relay)
    with PrivatePrometheus({"outboxd": f"127.0.0.1:{relay.port}"}) as prometheus:
        wait_until(lambda: list(prometheus.query("up").values()) == [1.0], "a scrape")
        for name in {name.split("{")[0] for name in told}:
            assert prometheus.query(name), name
        assert len(prometheus.query("outboxd_state == 1")) == 1


# ------------------------------------------------------------------------------ what is not right


def test_a_port_that_another_process_has_is_taken_when_it_is_free(relay):
    with socket.create_server(("127.0.0.1", relay.port)):
        relay.start()
        relay.insert("e-1")
        relay.wait_for(1)
        assert "Address already in use" in relay.log()
        assert "events flow all the same" in relay.log()
    wait_until(lambda: ask_port(relay, "/readyz")[0] == 200, relay.log)


def test_a_host_that_there_is_not_is_said_and_events_flow(relay):
    relay.configure(http__listen="no-such-host.invalid:9464").start()
    relay.insert("e-1")
    relay.wait_for(1)
    assert "http.listen: no-such-host.invalid:9464: " in relay.log()


@pytest.mark.parametrize("address", ["9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "a b:1"])
def test_an_address_that_is_none_is_refused(relay, address):
    relay.configure(http__listen=address).start()
    assert relay.wait() == 78
    assert "http.listen" in relay.log()


def test_large_requests_and_slow_clients_do_not_stop_the_relay(relay):
    start(relay)
    with contextlib.ExitStack() as stack:
        def client():
            return stack.enter_context(socket.create_connection(("127.0.0.1", relay.port), 10))

        large = client()
        with contextlib.suppress(OSError):
            large.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (1 << 20)
                          + b"\r\n\r\n")
            assert large.recv(100).split()[1] in (b"413", b"431", b"400")
        body = client()
        with contextlib.suppress(OSError):
            body.sendall(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n"
                         + b"x" * (1 << 20))
        slow = [client() for _ in range(100)]
        for one in slow:
            with contextlib.suppress(OSError):
                one.sendall(b"GET /met")
        relay.insert("e-1")
        relay.wait_for(1)
        wait_until(lambda: ask_port(relay, "/metrics")[0] == 200, "a scrape among slow clients", 20)
        assert get(relay, "/healthz")[0] == 200


def test_ten_scrapes_a_second_change_nothing(relay):
    start(relay)
    begun = time.monotonic()
    for i in range(100):
        if i % 10 == 0:
            relay.insert(f"e-{i}")
        assert ask_port(relay, "/metrics")[0] == 200
        time.sleep(max(0, begun + (i + 1) / 10 - time.monotonic()))
    relay.wait_for(10)


def test_hostile_names_and_texts_are_data(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        name = 'o"u\\t<script>\n{x="1"}'
        relay.sql(f"CREATE TABLE `{name}` LIKE outbox")
        relay.sql(f"GRANT SELECT ON {relay.database}.* TO {relay.user}@'%'")
        relay.configure(outbox__table=f"{relay.database}.*script*", delivery__start="now")
        relay.begin_now().start()
        wait_until(lambda: get_quietly(relay, "/readyz") == 200, relay.log)
        relay.sql(f"INSERT INTO `{name}` VALUES ('e-1', 'order', 'k', 'Created', '1')")
        relay.wait_for(1)
        wait_until(lambda: any(table["events"] for table in status(relay)["tables"]), relay.log)
        assert status(relay)["tables"][0]["table"] == f"{relay.database}.{name}"
        code, text = get(relay, "/metrics")
        assert promtool("check", "metrics", input=text) == (0, "")
        told = metrics(relay)
        assert told[f'outboxd_published_events_total{{table="{relay.database}.{name}"}}'] == 1


def get_quietly(relay, path):
    try:
        return get(relay, path)[0]
    except OSError:
        return None


def test_a_parked_relay_tells_so(relay):
    relay.configure(relay__on_halt="park", mysql__user="nobody-of-this-name")
    relay.start()
    wait_until(lambda: ask_port(relay, "/status")[0] == 200 and
               json.loads(ask_port(relay, "/status")[1])["state"] == "parked", relay.log)
    told = json.loads(ask_port(relay, "/status")[1])
    assert "parked, after the run ended with code 77" in told["reasons"][0]
    relay.process.send_signal(signal.SIGTERM)
    relay.wait()


def test_it_costs_little_to_be_scraped_every_second(relay):
    start(relay)

    def processor_seconds():
        ticks = os.sysconf("SC_CLK_TCK")
        fields = open(f"/proc/{relay.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    used = processor_seconds()
    for _ in range(20):
        assert ask_port(relay, "/metrics")[0] == 200
        time.sleep(1)
    # Of one core, with all that an idle relay does besides.
    assert (processor_seconds() - used) / 20 < 0.03
