"""From Debezium to outboxd and back on a running table: by the real connector's stored offset and
Connect's own interface, with nothing lost and nothing out of order."""

import json
import threading

import pytest
from debezium_peer import Connector
from private_servers import PrivateMysql
from relay import Relay, wait_until

ROWS = 3  # In each transaction.


class Writer:
    """Inserts transactions of several rows until it is stopped; ids are in commit order."""

    def __init__(self, relay):
        self.relay = relay
        self.inserted = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        connection = self.relay.connect()
        insert = "INSERT INTO outbox VALUES (%s, 'order', %s, 'Created', '{}')"
        with connection.cursor() as cursor:
            while not self._stop.wait(0.005):
                numbers = range(len(self.inserted), len(self.inserted) + ROWS)
                ids = [f"{number:08}" for number in numbers]
                for event_id in ids:
                    cursor.execute(insert, (event_id, f"key{int(event_id) % 7}"))
                connection.commit()
                self.inserted += ids
        connection.close()

    def go_on(self, count=150):
        """Waits until as many more rows are there."""
        target = len(self.inserted) + count
        wait_until(lambda: len(self.inserted) >= target, f"{target} rows")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


@pytest.fixture(params=["ON", "OFF"])
def server(request, mysql):
    """With GTIDs and without."""
    if request.param == "ON":
        yield mysql
        return
    with PrivateMysql({"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}) as own:
        yield own


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path, delivery__start=None) as one:
        yield one


@pytest.fixture
def connector(relay, server, kafka, connect):
    """Of the same table, into the same topics."""
    one = Connector(connect, server, kafka, f"take_over_{relay.name}",
                    [f"{relay.database}.outbox"],
                    {"outbox:route.topic.replacement": relay.topic_prefix + "${routedByValue}",
                     "outbox:table.fields.additional.placement": "type:header:eventType"})
    yield one
    connect.call("DELETE", f"/connectors/{one.name}")


def missing(relay, ids):
    return sorted(set(ids) - {message.id for message in relay.received()})


def wait_for_all(relay, connector, ids):
    try:
        wait_until(lambda: not missing(relay, ids), "every row")
    except AssertionError as error:
        state = connector.connect.task_state(connector.name)
        lost = missing(relay, ids)
        raise AssertionError(
            f"{len(lost)} of {len(ids)} missing: {lost[:9]}; Debezium is {state} at"
            f" {connector.offset()}; outboxd:\n{relay.log()[-3000:]}"
        ) from error


def first_occurrences(messages):
    """The ids of each partition, repeats left out."""
    seen = {}
    for message in messages:
        seen.setdefault(message.partition, {}).setdefault(message.id)
    return [list(ids) for ids in seen.values()]


def test_nothing_is_lost_on_the_way_to_outboxd_and_back(relay, connector, connect):
    connector.start()
    with Writer(relay) as writer:
        writer.go_on()
        connect.stop_connector(connector.name)
        offsets = connect.call("GET", f"/connectors/{connector.name}/offsets")
        by_debezium = len(relay.received())
        assert by_debezium > 0

        taken = relay.command("position", "import", "--debezium", json.dumps(offsets))
        assert taken.returncode == 0, taken.stderr
        relay.start()
        writer.go_on()
        wait_for_all(relay, connector, list(writer.inserted))
        assert relay.stop() == 0
        by_outboxd = len(relay.received()) - by_debezium
        given = relay.command("position", "export", "--debezium", connector.name)
        assert given.returncode == 0, given.stderr
        stored = json.loads(given.stdout)
        connect.call("PATCH", f"/connectors/{connector.name}/offsets", stored)
        connect.call("PUT", f"/connectors/{connector.name}/resume")
        connector.wait_until_streaming()
        writer.go_on()
    wait_for_all(relay, connector, writer.inserted)
    messages = relay.received()
    assert {message.id for message in messages} == set(writer.inserted)
    for ids in first_occurrences(messages):
        assert ids == sorted(ids)
    # Debezium stores where it is in a transaction: what it published of that one comes again.
    assert len(messages) - len(writer.inserted) <= 2 * ROWS
    assert by_outboxd > 0 and len(messages) > by_debezium + by_outboxd


def test_an_offset_file_and_the_topics_records_are_taken(relay, tmp_path):
    file, offset = relay.sql("SHOW BINARY LOG STATUS")[0][:2]
    gtids = relay.executed_gtids()
    stored = {"ts_sec": 1, "file": file, "pos": offset, "gtids": gtids, "row": 1, "event": 2}
    record = '["shop",{"server":"shop"}]\t' + json.dumps(stored | {"server_id": 1})
    path = tmp_path / "offset.json"
    path.write_text('["shop",{"server":"shop"}]\t{"file":"binlog.000001","pos":4}\n' + record)
    taken = relay.command("position", "import", "--debezium", str(path))
    assert taken.returncode == 0, taken.stderr
    assert (gtids or f"{file}:{offset}") in taken.stdout


def test_what_is_no_offset_of_a_finished_snapshot_is_refused(relay, tmp_path):
    java = tmp_path / "offsets"
    java.write_bytes(b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap")
    for word, why in (
        (str(java), "GET /connectors/NAME/offsets"),
        ('{"offsets":[]}', "there are 0 offsets"),
        ('{"snapshot":"INITIAL","snapshot_completed":false,"file":"b.1","pos":4}', "snapshot"),
        ('{"lsn":1}', "is it that of a MySQL connector?"),
        (str(tmp_path / "missing"), "no such file"),
    ):
        refused = relay.command("position", "import", "--debezium", word)
        assert refused.returncode == 78, (word, refused.stderr)
        assert why in refused.stderr
    assert relay.command("position", "show").returncode == 84
