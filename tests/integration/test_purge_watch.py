"""How long MySQL keeps the log that a relay needs, and that the relay says so before it is gone."""

import time

import pytest
from private_prometheus import promtool
from private_servers import PrivateKafka, PrivateMysql
from relay import Relay, wait_until
from relay_http import get, metrics, status


@pytest.fixture
def relay(outboxd, kafka, tmp_path):
    """Of a server of its own."""
    with PrivateMysql() as mysql:
        with Relay(outboxd, mysql, kafka, tmp_path) as relay:
            yield relay.begin_now()


def start(relay):
    relay.start()
    wait_until(lambda: "outboxd_purge_margin_seconds" in metrics_if_any(relay), relay.log)


def metrics_if_any(relay):
    try:
        return metrics(relay)
    except OSError:
        return {}


def files(relay):
    return [row[0] for row in relay.sql("SHOW BINARY LOGS")]


def purge_to_the_last(relay):
    relay.sql("FLUSH BINARY LOGS")
    relay.sql(f"PURGE BINARY LOGS TO '{files(relay)[-1]}'")


def test_the_margin_is_what_the_server_is_set_to_keep(relay):
    relay.sql("SET GLOBAL binlog_expire_logs_seconds = 7200")
    start(relay)
    told = metrics(relay)
    assert told["outboxd_log_kept_seconds"] == 7200
    assert 7000 < told["outboxd_purge_margin_seconds"] <= 7200
    log = status(relay)["log"]
    assert log["oldest_file"] == files(relay)[0]
    assert log["needed_file"] == files(relay)[-1]
    assert (log["is_gone"], log["is_seen"]) == (False, False)
    assert "as MySQL is set" in relay.command("status").stdout


def test_for_ever_is_told_as_such(relay):
    relay.sql("SET GLOBAL binlog_expire_logs_auto_purge = OFF")
    start(relay)
    assert metrics(relay)["outboxd_purge_margin_seconds"] == float("inf")
    assert promtool("check", "metrics", input=get(relay, "/metrics")[1]) == (0, "")
    assert status(relay)["purge_margin_seconds"] is None
    assert "no end: MySQL keeps its log for ever" in relay.command("status").stdout


# As a managed server does: its setting says 30 days, and its files go within minutes.
def test_a_server_that_removes_files_sooner_is_found_out(relay):
    begun = time.time()
    purge_to_the_last(relay)
    start(relay)
    # The server's log has times to the second.
    assert metrics(relay)["outboxd_log_kept_seconds"] <= time.time() - begun + 1
    assert status(relay)["log"]["is_seen"]
    assert f"by MySQL's oldest log, {files(relay)[0]}" in relay.command("status").stdout


def test_a_file_that_is_needed_and_gone_is_said_while_the_relay_still_runs(outboxd, tmp_path):
    with PrivateMysql() as mysql, PrivateKafka() as kafka:
        with Relay(outboxd, mysql, kafka, tmp_path) as relay:
            relay.configure(delivery__max_stall="5s")
            relay.begin_now()
            start(relay)
            relay.insert("first")
            relay.wait_for(1)
            needed = status(relay)["log"]["needed_file"]
            kafka.stop()
            relay.insert(*(f"e-{i}" for i in range(100)))

            # The relay's own dump keeps the server from it, until the stall ends the dump.
            def is_gone():
                purge_to_the_last(relay)
                return needed not in files(relay)

            wait_until(is_gone, relay.log)
            # The list is asked for once a minute at most.
            wait_until(lambda: metrics(relay)["outboxd_purge_margin_seconds"] == 0, relay.log,
                       seconds=120)
            said = f"MySQL has removed {needed}, which a start would need"
            assert said in status(relay)["line"]
            assert status(relay)["purge_warning"] == said
            wait_until(lambda: said in relay.log(), relay.log)
            assert "do not stop the relay" in relay.log()
            shown = relay.command("status")
            assert said in shown.stdout
            assert shown.returncode == 1
            # What was read before is delivered all the same.
            kafka.start()
            relay.wait_for(101, seconds=120)
            wait_until(lambda: metrics(relay)["outboxd_purge_margin_seconds"] > 0, relay.log,
                       seconds=120)
