"""The metrics under Debezium's names: its published dashboard goes on with them."""

import pytest
from private_prometheus import PrivatePrometheus, promtool
from private_servers import free_port
from relay import Relay, wait_until
from relay_http import get, is_ready

# What the panels of the dashboard ask for that Debezium publishes for its MySQL connector
# (debezium-examples, monitoring/debezium-grafana/debezium-mysql-connector-dashboard.json, commit
# 7a122cbc), but for those of the schema history. Each query is
# debezium_metrics_NAME{context="$context",instance="$instance",job="prometheus",name="$name",
# plugin="$plugin"}, and the variables are labels of BinlogPosition, the context one of
# MilliSecondsSinceLastEvent.
ASKED_FOR = """
    Connected BinlogPosition IsGtidModeEnabled NumberOfCommittedTransactions
    NumberOfRolledBackTransactions NumberOfNotWellFormedTransactions TotalNumberOfEventsSeen
    NumberOfSkippedEvents NumberOfEventsFiltered SecondsSinceLastEvent QueueTotalCapacity
    QueueRemainingCapacity SecondsBehindMaster MilliSecondsBehindSource NumberOfDisconnects
    NumberOfLargeTransactions TotalTableCount RemainingTableCount HoldingGlobalLock
    SnapshotRunning SnapshotAborted SnapshotCompleted SnapshotDurationInSeconds
    MilliSecondsSinceLastEvent NumberOfErroneousEvents
""".split()


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.port = free_port()
        relay.configure(http__listen=f"127.0.0.1:{relay.port}", http__debezium_metrics="yes")
        yield relay.begin_now()


def start(relay):
    relay.start()
    wait_until(lambda: is_ready(relay), relay.log)


def test_every_query_of_its_dashboard_returns_a_series(relay):
    start(relay)
    relay.insert("e-1", "e-2", "e-3")
    relay.wait_for(3)
    target = f"127.0.0.1:{relay.port}"
    # Two jobs may ask one relay; the second name is what others call it.
    with PrivatePrometheus({"prometheus": target, "debezium": target},
                           path="/metrics/debezium") as prometheus:
        prometheus.start()
        wait_until(lambda: len(prometheus.query("debezium_metrics_BinlogPosition")) == 4,
                   prometheus.log)
        for job in ("prometheus", "debezium"):
            known = prometheus.query(f'debezium_metrics_MilliSecondsSinceLastEvent{{job="{job}"}}')
            for labels in map(dict, known):
                for name in ASKED_FOR:
                    query = (f'debezium_metrics_{name}{{context="{labels["context"]}",'
                             f'instance="{labels["instance"]}",job="{job}",'
                             f'name="{labels["name"]}",plugin="{labels["plugin"]}"}}')
                    assert len(prometheus.query(query)) == 1, query

        def value(name):
            (one,) = prometheus.query(f'debezium_metrics_{name}{{job="debezium",'
                                      'context="streaming"}').values()
            return one

        wait_until(lambda: value("TotalNumberOfEventsSeen") == 3, prometheus.log)
        assert value("Connected") == 1
        # Each insert of the helper commits once, and the three went together or one by one.
        assert 1 <= value("NumberOfCommittedTransactions") <= 20
        assert value("QueueTotalCapacity") == 30000
        assert 0 <= value("MilliSecondsSinceLastEvent") < 60_000


def test_promtool_takes_them(relay):
    start(relay)
    code, text = get(relay, "/metrics/debezium")
    assert code == 200
    code, said = promtool("check", "metrics", input=text)
    # It would name them otherwise: these are Debezium's names.
    assert code in (0, 3)
    assert all("camelCase" in line or "unit" in line or "non-counter" in line
               for line in said.splitlines()), said


def test_they_are_not_there_unless_asked_for(relay):
    relay.configure(http__debezium_metrics="no")
    start(relay)
    assert get(relay, "/metrics/debezium")[0] == 404
    assert get(relay, "/metrics")[0] == 200
