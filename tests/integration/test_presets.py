"""Each preset makes the messages that the consumers of its layout expect, from a real table of
exactly that layout, whose SQL `outboxd init` prints."""

import base64
import datetime
import json
import pathlib
import re
import subprocess
import uuid

import pytest
from relay import Relay, wait_until

ID = "0190b1f4-7c1e-7000-8000-00000000000a"
TIME = datetime.datetime(2026, 3, 4, 5, 6, 7, 890000)


class Case:
    """A preset, rows for its table, and what the first one becomes; other rows are no events."""

    def __init__(self, preset, rows, topic, key, value, headers, partition=None):
        self.preset, self.rows, self.topic = preset, rows, topic
        self.key, self.value, self.headers, self.partition = key, value, headers, partition


CASES = [
    Case(
        "debezium",
        [{"id": ID, "aggregatetype": "Order", "aggregateid": "42", "type": "Placed",
          "payload": '{"n": 1}'}],
        "outbox.event.Order", b"42", b'{"n":1}', {"id": ID},
    ),
    Case(
        "eventuate",
        [{"id": "m-1", "destination": "orders", "headers": '{"PARTITION_ID": "42", "ID": "m-1"}',
          "payload": '{"n":"é"}', "message_partition": 2},
         {"id": "m-2", "destination": "orders", "headers": "{}", "payload": "x", "published": 1},
         {"id": "m-3", "destination": "CDC-IGNORED", "headers": "{}", "payload": "x"}],
        "orders", b"42",
        '{"payload":"{\\"n\\":\\"é\\"}","headers":{"PARTITION_ID": "42", "ID": "m-1"}}'.encode(),
        {"id": "m-1"}, 2,
    ),
    Case(
        "watermill",
        [{"uuid": ID, "payload": '{"n": 1}', "metadata": '{"name": "placed", "n": 7, "x": null}'}],
        "orders", None, b'{"n":1}',
        {"id": ID, "_watermill_message_uuid": ID, "name": "placed", "n": "7", "x": None},
    ),
    Case(
        "velmie",
        [{"id": uuid.UUID(ID).bytes, "aggregate_type": "order", "aggregate_id": "42",
          "event_type": "placed", "payload": '{"n": 1}', "headers": '{"trace": "t-1"}'},
         {"id": uuid.uuid4().bytes, "aggregate_type": "order", "aggregate_id": "42",
          "event_type": "placed", "payload": "{}", "status": 1}],
        "order", b"42", b'{"n":1}', {"id": ID, "eventType": "placed", "trace": "t-1"},
    ),
    Case(
        "brighter",
        [{"MessageId": ID, "Topic": "greeting", "MessageType": "MT_EVENT", "Timestamp": TIME,
          "ContentType": "application/json", "PartitionKey": "42", "HeaderBag": '{"bag": "b"}',
          "Body": '{"n": 1}', "Source": "/shop", "Type": "greeted", "TraceParent": "00-1-2-01"}],
        "greeting", b"42", b'{"n": 1}',
        {"id": ID, "content-type": "application/json", "ce_specversion": "1.0", "ce_id": ID,
         "ce_source": "/shop", "ce_type": "greeted", "ce_time": "2026-03-04T05:06:07.890Z",
         "traceparent": "00-1-2-01", "messageType": "MT_EVENT", "bag": "b"},
    ),
    Case(
        "symfony-messenger",
        [{"body": '{"n": 1}', "headers": '{"type": "App\\\\Placed"}', "queue_name": "orders",
          "created_at": TIME, "available_at": TIME}],
        "orders", None, b'{"n": 1}', {"id": "1", "type": "App\\Placed"},
    ),
    Case(
        "sbmt-outbox",
        [{"uuid": ID, "event_name": "placed", "event_key": "42", "bucket": 1,
          "payload": b"\x00\xff", "options": '{"headers": {"a": "b"}, "key": "k-1"}',
          "created_at": TIME, "updated_at": TIME},
         {"uuid": str(uuid.uuid4()), "event_name": "placed", "event_key": "42", "bucket": 1,
          "payload": b"x", "status": 2, "created_at": TIME, "updated_at": TIME}],
        "placed", b"k-1", b"\x00\xff", {"id": ID, "a": "b"},
    ),
    Case(
        "axon",
        [{"aggregateIdentifier": "42", "sequenceNumber": 3, "type": "Order", "eventIdentifier": ID,
          "metadata": b'{"m": 1}', "payload": b"<placed/>", "payloadType": "shop.Placed",
          "timeStamp": "2026-03-04T05:06:07.890Z"}],
        "Axon.Events", b"42", b"<placed/>",
        {"id": ID, "payloadType": "shop.Placed", "aggregateType": "Order", "sequenceNumber": "3",
         "timeStamp": "2026-03-04T05:06:07.890Z", "metadata": '{"m": 1}'},
    ),
    Case(
        "tor",
        [{"uuid": ID, "aggregate_type": "order", "aggregate_id": "42", "payload": b"\x00\xff"}],
        "order", b"42", b"\x00\xff", {"id": ID},
    ),
    Case(
        "deltaforge",
        [{"aggregate_type": "order", "aggregate_id": "42", "event_type": "placed",
          "payload": '{"n": 1}'}],
        "order", b"42", b'{"n":1}', {"id": "1", "eventType": "placed"},
    ),
    Case(
        "cloudevents",
        [{"id": ID, "source": "/shop", "type": "placed", "subject": "42", "time": TIME,
          "partitionkey": "k-1", "data": '{"n": 1}'}],
        "placed", b"k-1", b'{"n":1}',
        {"id": ID, "content-type": "application/json", "ce_specversion": "1.0", "ce_id": ID,
         "ce_source": "/shop", "ce_type": "placed", "ce_time": "2026-03-04T05:06:07.890000Z",
         "ce_subject": "42", "ce_partitionkey": "k-1"},
    ),
    Case(
        "cloudevents-structured",
        [{"id": ID, "source": "/shop", "type": "placed", "time": TIME, "data": '{"n": 1}'}],
        "placed", None,
        {"specversion": "1.0", "id": ID, "source": "/shop", "type": "placed",
         "time": "2026-03-04T05:06:07.890000Z", "datacontenttype": "application/json",
         "data": {"n": 1}},
        {"id": ID, "content-type": "application/cloudevents+json; charset=UTF-8"},
    ),
    Case(
        "event-table",
        [{"type": "placed", "content": "any text"}],
        "placed", b"1", b"any text", {"id": "1", "type": "placed"},
    ),
]


def init(outboxd, preset):
    """The CREATE TABLE that `outboxd init` prints, and the table's name."""
    printed = subprocess.run(
        [outboxd, "init", "--preset", preset], capture_output=True, text=True, check=True
    ).stdout
    sql = re.search(r"^CREATE TABLE .*?;$", printed, re.DOTALL | re.MULTILINE).group()
    schema, table = sql.split()[2].split(".")
    return sql.replace(f"{schema}.{table}", table, 1), table


def insert(relay, table, row):
    columns = ", ".join(f"`{name}`" for name in row)
    values = ", ".join(["%s"] * len(row))
    relay.sql(f"INSERT INTO `{table}` ({columns}) VALUES ({values})", list(row.values()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.preset)
def test_a_preset_makes_the_messages_of_its_layout(outboxd, mysql, kafka, tmp_path, case):
    sql, table = init(outboxd, case.preset)
    with Relay(outboxd, mysql, kafka, tmp_path, topics=(), outbox__topic=None,
               outbox__header=None, outbox__preset=case.preset, delivery__start="now") as relay:
        # A topic of its own for each run: the preset's, with a prefix.
        listed = subprocess.run([outboxd, "presets"], capture_output=True, text=True).stdout
        settings = listed.split(f"\n{case.preset}: ")[-1] if case.preset != "debezium" else listed
        topic = re.search(r"^  topic = (.*)$", settings, re.MULTILINE).group(1)
        if case.preset == "watermill":
            relay.configure(outbox__topic_replacement=relay.topic_prefix + "$1")
        else:
            relay.configure(outbox__topic=relay.topic_prefix + topic)
        kafka.create_topic(relay.topic(case.topic), partitions=3)
        relay.configure(outbox__table=f"{relay.database}.{table}")
        relay.sql("DROP TABLE IF EXISTS outbox")
        relay.sql(sql)
        relay.sql(f"GRANT SELECT ON `{relay.database}`.`{table}` TO {relay.user}@'%'")
        relay.begin_now().start()
        for row in case.rows:
            insert(relay, table, row)
        relay.wait_for(1, case.topic)
        # What is no event has been read when the checkpoint is behind it.
        executed = relay.executed_gtids()
        wait_until(lambda: executed in relay.checkpoint().replace("\n", ""), "the checkpoint")
        assert relay.stop() == 0
        (message,) = relay.received(case.topic)
        assert message.key == case.key
        if isinstance(case.value, dict):
            assert json.loads(message.value) == case.value
            assert list(json.loads(message.value)) == list(case.value)
        else:
            assert message.value == case.value
        headers = {name: value and value.decode() for name, value in message.headers}
        assert headers.pop("outboxd.table") == f"{relay.database}.{table}"
        assert headers.pop("outboxd.position")
        assert headers == case.headers
        if case.partition is not None:
            assert message.partition == case.partition
        others = len(case.rows) - 1
        assert others == 0 or f"{others} rows that are no events" in relay.log()


def test_every_row_of_a_blackhole_table_has_the_same_id(outboxd, mysql, kafka, tmp_path):
    sql, table = init(outboxd, "deltaforge")
    with Relay(outboxd, mysql, kafka, tmp_path, outbox__topic=None, outbox__header=None,
               outbox__preset="deltaforge") as relay:
        relay.configure(outbox__topic=relay.topic_prefix + "{aggregate_type}")
        relay.sql("DROP TABLE outbox")
        relay.sql(sql)
        relay.begin_now().start()
        insert(relay, table, {"aggregate_type": "order"})
        insert(relay, table, {"aggregate_type": "order"})
        messages = relay.wait_for(2)
        assert [m.id for m in messages] == ["1", "1"]
        assert len({dict(m.headers)["outboxd.position"] for m in messages}) == 2


def own_table(relay, name, topic, columns):
    """In place of the outbox that every relay's database begins with."""
    relay.configure(outbox__table=f"{relay.database}.{name}",
                    outbox__topic=relay.topic_prefix + topic)  # fmt: skip
    relay.sql("DROP TABLE outbox")
    relay.sql(f"CREATE TABLE `{name}` ({columns})")
    relay.sql(f"GRANT SELECT ON {relay.database}.`{name}` TO {relay.user}@'%'")


def test_a_layout_without_preset_is_told_in_the_language(outboxd, mysql, kafka, tmp_path):
    """CAP's table: its name has a dot, its content is an envelope, a retry is an update."""
    with Relay(
        outboxd, mysql, kafka, tmp_path, outbox__header=None,
        outbox__id="Id",
        outbox__key='Content->$.Headers."cap-kafka-key" | Id',
        outbox__payload="Content->$.Value",
        outbox__header_object="Content->$.Headers",
        outbox__where=["StatusName in (Scheduled, Queued)", "Version = v1"],
        outbox__update_where="StatusName = Queued",
    ) as relay:  # fmt: skip
        own_table(relay, "cap.published", "{Name}",
                  "Id BIGINT PRIMARY KEY, Version VARCHAR(20), Name VARCHAR(200) NOT NULL,"
                  " Content LONGTEXT, StatusName VARCHAR(40) NOT NULL")
        relay.begin_now().start()
        content = '{"Headers": {"cap-kafka-key": "42", "cap-msg-name": "order"}, "Value": {"n": 1}}'
        rows = [
            (1, "v1", content, "Scheduled"),
            (2, "v0", content, "Scheduled"),
            (3, "v1", content, "Delayed"),
            (4, "v1", '{"Headers": {}, "Value": "text"}', "Scheduled"),
        ]
        for number, version, text, status in rows:
            relay.sql("INSERT INTO `cap.published` VALUES (%s, %s, 'order', %s, %s)",
                      (number, version, text, status))
        relay.sql("UPDATE `cap.published` SET StatusName = 'Failed' WHERE Id = 1")
        relay.sql("UPDATE `cap.published` SET StatusName = 'Queued' WHERE Id = 3")
        messages = {m.id: m for m in relay.wait_for(3)}
        assert sorted(messages) == ["1", "3", "4"]
        assert (messages["1"].key, messages["1"].value) == (b"42", b'{"n": 1}')
        assert (messages["4"].key, messages["4"].value) == (b"4", b"text")
        assert dict(messages["3"].headers)["cap-msg-name"] == b"order"
        # The value is nowhere: a bad event.
        relay.sql("INSERT INTO `cap.published` VALUES (5, 'v1', 'order', '{}', 'Scheduled')")
        wait_until(lambda: "$.Value: there is nothing" in relay.log(), "the hold")
        assert relay.stop() == 0
        assert "3 rows that are no events" in relay.log()


def test_a_row_may_hold_several_messages(outboxd, mysql, kafka, tmp_path):
    """The outbox of NServiceBus: filled by an update, emptied by another."""
    with Relay(
        outboxd, mysql, kafka, tmp_path, outbox__header=None,
        outbox__each="Operations",
        outbox__id="@item->$.MessageId",
        outbox__key="MessageId",
        outbox__payload="unbase64(@item->$.Body)",
        outbox__header_object="@item->$.Headers",
        outbox__where="Dispatched = 0",
        outbox__update_where="Dispatched = 0",
    ) as relay:  # fmt: skip
        own_table(relay, "OutboxData", "order",
                  "MessageId VARCHAR(200) PRIMARY KEY, Dispatched TINYINT NOT NULL DEFAULT 0,"
                  " Operations JSON NOT NULL")
        relay.begin_now().start()

        def operations(*names):
            return json.dumps([
                {"MessageId": name, "Headers": {"n": name}, "Body": base64.b64encode(
                    b"body of " + name.encode()).decode()} for name in names
            ])  # fmt: skip

        relay.sql("INSERT INTO OutboxData VALUES ('a', 0, '[]')")
        relay.sql("UPDATE OutboxData SET Operations = %s", (operations("a1", "a2", "a3"),))
        relay.sql("UPDATE OutboxData SET Dispatched = 1, Operations = '[]'")
        relay.sql("INSERT INTO OutboxData VALUES ('b', 0, %s)", (operations("b1"),))
        relay.wait_for(4)
        relay.kill()
        relay.start()
        relay.sql("INSERT INTO OutboxData VALUES ('c', 0, '[{}]')")
        wait_until(lambda: "there is nothing" in relay.log(), "the hold")
        held = re.search(r"outboxd skip (\S+)'", relay.log()).group(1)
        assert held.endswith(":1.1")
        assert relay.command("skip", held).returncode == 0
        relay.sql("INSERT INTO OutboxData VALUES ('d', 0, %s)", (operations("d1", "d2"),))
        wait_until(lambda: len({m.id for m in relay.received()}) == 6, "all")
        assert relay.stop() == 0
        first = {m.id: m for m in reversed(relay.received())}
        for name, message in first.items():
            assert message.value == b"body of " + name.encode()
            assert message.key == name[0].encode()
            assert dict(message.headers)["n"] == name.encode()
            position = dict(message.headers)["outboxd.position"].decode()
            assert position.endswith(f":1.{name[1:]}")
        order = [m.id for m in sorted(first.values(), key=lambda m: m.offset) if m.key == b"a"]
        assert order == ["a1", "a2", "a3"]


def test_every_preset_is_listed_and_tested(outboxd):
    listed = subprocess.run([outboxd, "presets"], capture_output=True, text=True, check=True)
    names = re.findall(r"^([a-z-]+): ", listed.stdout, re.MULTILINE)
    assert names == [case.preset for case in CASES]
    for name in names:
        assert f"preset = {name}" in subprocess.run(
            [outboxd, "init", "--preset", name], capture_output=True, text=True, check=True
        ).stdout
    wrong = subprocess.run([outboxd, "init", "--preset", "x"], capture_output=True, text=True)
    assert wrong.returncode == 64 and "there is no preset 'x' HINT: debezium," in wrong.stderr


def test_init_prints_what_the_readme_says(outboxd):
    printed = subprocess.run([outboxd, "init", "--table", "shop.outbox"],
                             capture_output=True, text=True, check=True).stdout
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    shown = {line.strip().split("   --")[0] for line in readme.splitlines()
             if line.startswith("    ")}
    for line in printed.splitlines():
        is_code = line.strip() and not line.startswith(("--", "#", "/*", "*/"))
        assert not is_code or line.strip() in shown, line
    # The README says how the column type is sent; so does what is pasted from here.
    assert "`header = type:eventType`" in readme
    assert "\n# This would send what no part of the message has so far:\n" \
           "#   header = type:eventType\n" in printed


@pytest.mark.parametrize("preset", [case.preset for case in CASES])
def test_init_takes_a_table_and_a_name(outboxd, preset):
    printed = subprocess.run(
        [outboxd, "init", "--preset", preset, "--table=my_db.my_table", "--name", "mine"],
        capture_output=True, text=True, check=True).stdout
    for wanted in ("CREATE TABLE my_db.my_table (", "GRANT SELECT ON my_db.my_table TO",
                   "table = my_db.my_table", "name = mine", "/etc/outboxd/mine.conf"):
        assert wanted in printed
    wrong = subprocess.run([outboxd, "init", "--table", "a b"], capture_output=True, text=True)
    assert wrong.returncode == 64 and "SCHEMA.TABLE" in wrong.stderr


def test_the_whole_row_is_what_select_shows(outboxd, mysql, kafka, tmp_path):
    """@row, of a table that gets another column on the way: from the table and from the log."""
    with Relay(outboxd, mysql, kafka, tmp_path, outbox__header=None, outbox__key="id",
               outbox__id="id", outbox__payload="@row") as relay:  # fmt: skip
        own_table(
            relay, "outbox", "order",
            "id BIGINT UNSIGNED PRIMARY KEY, n INT, price DECIMAL(10,2),"
            " ratio DOUBLE, filled INT(6) ZEROFILL, name VARCHAR(40), latin VARCHAR(40)"
            " CHARACTER SET latin1, doc JSON, raw VARBINARY(20), at DATETIME(3), day DATE,"
            " kind ENUM('a','b'), flags SET('x','y'), bits BIT(9), born YEAR,"
            " twice INT AS (n * 2), thrice INT AS (n * 3) STORED, secret INT INVISIBLE,"
            " INDEX ((n + 1))",
        )  # fmt: skip
        columns = ["id", "n", "price", "ratio", "filled", "name", "latin", "doc", "raw", "at",
                   "day", "kind", "flags", "bits", "born", "twice", "thrice", "secret"]  # fmt: skip
        full = (
            """(%s, -7, 1234.50, 0.25, 42, 'a"b\\\\ \U0001f600', 'caf\u00e9',"""
            """ '{"b": [1, 2.50], "a": null}', 0xFF0041, '2026-03-04 05:06:07.890', '2026-03-04',"""
            " 'b', 'x,y', b'101', 2026, 5)"
        )
        settable = ", ".join(c for c in columns if c not in ("twice", "thrice"))
        relay.sql(f"INSERT INTO outbox ({settable}) VALUES " + full, (1,))
        relay.sql("INSERT INTO outbox (id) VALUES (2)")
        relay.start()
        relay.wait_for(2)
        relay.sql(f"INSERT INTO outbox ({settable}) VALUES " + full, (3,))
        relay.sql("INSERT INTO outbox (id) VALUES (4)")
        relay.sql("ALTER TABLE outbox ADD COLUMN more TIME FIRST, DROP COLUMN day")
        relay.sql("INSERT INTO outbox (id, more) VALUES (5, '-01:02:03')")
        messages = {int(m.id): m.value.decode() for m in relay.wait_for(5)}
        assert relay.stop() == 0

        numbers = ["id", "n", "price", "ratio", "filled", "born", "twice", "thrice", "secret"]

        def as_text(name):
            if name in ("raw", "bits"):
                return f"REPLACE(TO_BASE64({name}), '\n', '')"
            return name if name in [*numbers, "doc"] else f"CAST({name} AS CHAR)"

        def shown(number, names):
            pairs = ", ".join(f"'{name}', {as_text(name)}" for name in names)
            (text,), = relay.sql(f"SELECT JSON_OBJECT({pairs}) FROM outbox WHERE id = {number}")
            return json.loads(text)

        later = [c for c in columns if c != "day"]
        for number in (1, 2, 3, 4):
            value = json.loads(messages[number])
            assert list(value) == columns
            day = value.pop("day")
            assert day == ("2026-03-04" if number in (1, 3) else None)
            assert value == shown(number, later)
        assert list(json.loads(messages[5])) == ["more", *later]
        assert json.loads(messages[5]) == shown(5, ["more", *later])
        assert '"price":1234.50' in messages[1]
        assert '"filled":42' in messages[3]
