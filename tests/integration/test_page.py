"""The page at /, as a real browser shows it: in each state it says in words what the relay does,
and nothing that comes from rows or errors becomes a part of the page."""

import os
import re
import subprocess

import pytest
from private_servers import PrivateKafka, PrivateMysql, free_port
from relay import Relay, wait_until
from relay_http import get, status

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


def show(relay, folder, width=1280, dark=False):
    """The text of the page, its document, and what the browser complains of, after some seconds."""
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", f"--user-data-dir={folder}/browser-{width}-{dark}",
             f"--window-size={width},1600", "--enable-logging=stderr", "--virtual-time-budget=4000",
             *(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []),
             "--dump-dom", f"http://127.0.0.1:{relay.port}/"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=90,
                          env=os.environ | {"HOME": str(folder)})
    assert done.returncode == 0, done.stderr[-3000:]
    dom = done.stdout
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", dom, flags=re.S)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return re.sub(r"\s+", " ", text), dom, complaints


def make(outboxd, mysql, kafka, folder, **config):
    relay = Relay(outboxd, mysql, kafka, folder)
    relay.port = free_port()
    relay.configure(http__listen=f"127.0.0.1:{relay.port}", **config)
    return relay


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with make(outboxd, mysql, kafka, tmp_path) as relay:
        yield relay.begin_now()


def start(relay):
    relay.start()
    wait_until(lambda: answers(relay), relay.log)


def answers(relay):
    try:
        return get(relay, "/status")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("width, dark", [(1280, False), (390, False), (1280, True), (390, True)])
def test_a_relay_that_does_well(relay, tmp_path, width, dark):
    start(relay)
    relay.insert("e-1")
    relay.wait_for(1)
    wait_until(lambda: status(relay)["lag_seconds"] == 0, relay.log)
    text, _, complaints = show(relay, tmp_path, width, dark)
    assert "Everything that is committed is delivered." in text
    assert relay.name in text and "safe outage" in text
    assert complaints == []


def test_kafka_is_away(outboxd, mysql, tmp_path):
    with PrivateKafka() as kafka, make(outboxd, mysql, kafka, tmp_path) as relay:
        relay.begin_now()
        start(relay)
        kafka.stop()
        relay.insert("e-1")
        wait_until(lambda: status(relay)["sink_down"], relay.log)
        text, _, complaints = show(relay, tmp_path)
        assert "Waiting for Kafka, which does not answer." in text
        assert complaints == []


def test_an_event_that_is_held_and_what_stands_in_it_is_text(relay, tmp_path):
    start(relay)
    relay.insert("<img src=x onerror=alert(1)>", kind=HOSTILE)
    wait_until(lambda: status(relay)["held"], relay.log)
    text, dom, complaints = show(relay, tmp_path)
    assert "Holding at an event that cannot be delivered." in text
    assert f"outboxd skip {status(relay)['held']['position']}" in text
    assert "<img" not in dom and "owned</title>" not in dom
    assert dom.count("<script") == 1, "its own"
    assert complaints == []


def test_one_that_is_parked(relay, tmp_path):
    relay.configure(relay__on_halt="park", outbox__id="no_such_column")
    start(relay)
    wait_until(lambda: status(relay)["state"] == "parked", relay.log)
    text, _, complaints = show(relay, tmp_path)
    assert "Ended, and waiting for a person. Nothing is published." in text
    assert "no_such_column" in text
    assert complaints == []


def test_an_initial_read(outboxd, mysql, kafka, tmp_path):
    with make(outboxd, mysql, kafka, tmp_path, delivery__max_rate="20") as relay:
        relay.insert(*(f"r-{i}" for i in range(1000)))
        relay.sql("ANALYZE TABLE outbox")
        start(relay)
        wait_until(lambda: (status(relay)["initial_read"] or {}).get("rows"), relay.log)
        text, _, complaints = show(relay, tmp_path)
        assert "Reading the tables for the first time." in text
        assert re.search(r"\d+ rows delivered, about \d+ % of ", text), text
        assert complaints == []


def test_mysql_is_away(outboxd, kafka, tmp_path):
    with PrivateMysql() as mysql, make(outboxd, mysql, kafka, tmp_path) as relay:
        relay.begin_now()
        start(relay)
        wait_until(lambda: status(relay)["ready"], relay.log)
        mysql.stop()
        wait_until(lambda: status(relay)["source_down"], relay.log)
        text, _, complaints = show(relay, tmp_path)
        assert "Waiting for MySQL, which does not answer." in text
        assert complaints == []
