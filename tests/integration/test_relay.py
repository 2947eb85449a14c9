"""What is committed arrives, what is rolled back does not, whatever happens in between."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time

import pytest
from page_blocks import SOURCE, blocks_of
from private_servers import PrivateKafka, PrivateMysql
from relay import TABLE, Relay, wait_until


@pytest.fixture
def fresh(outboxd, mysql, kafka, tmp_path):
    """A relay that has never run."""
    with Relay(outboxd, mysql, kafka, tmp_path) as one:
        yield one


@pytest.fixture
def relay(fresh):
    """A relay that publishes what is inserted from now on."""
    return fresh.begin_now()


def test_a_committed_row_arrives_byte_for_byte(relay):
    payload = '{"text":"Zoë ☂ 😀 \\\\ \\" \\n","n":1.50}'
    relay.start()
    relay.insert("e1", key="key-7", payload=payload)
    (message,) = relay.wait_for(1)
    ((stored, uuid),) = relay.sql("SELECT payload, @@server_uuid FROM outbox")
    assert message.value == stored.encode() == payload.encode()
    assert message.key == b"key-7"
    headers = dict(message.headers)
    assert [name for name, _ in message.headers] == [
        "id", "eventType", "outboxd.table", "outboxd.position",
    ]
    assert headers["id"] == b"e1"
    assert headers["eventType"] == b"Created"
    assert headers["outboxd.table"] == f"{relay.database}.outbox".encode()
    position = headers["outboxd.position"].decode()
    assert position.startswith(uuid) and position.endswith(":1")


def test_json_and_binary_payloads_equal_what_select_says(outboxd, mysql, kafka, tmp_path):
    table = """(id BIGINT UNSIGNED PRIMARY KEY, aggregatetype ENUM('json','blob') NOT NULL,
      aggregateid VARBINARY(32), type VARCHAR(20) CHARACTER SET latin1, document JSON,
      content LONGBLOB)"""
    with Relay(outboxd, mysql, kafka, tmp_path, table, ("json", "blob"),
               outbox__payload="document", delivery__start="now") as relay:
        relay.start()
        wait_until(lambda: "reading the binary log" in relay.log(), "start")
        relay.sql("""INSERT INTO outbox VALUES (18446744073709551615, 'json', 'a', 'Größe',
          '{"b": [1, -2.5, 1e100, true, null, {}], "a": "x\\\\ny", "c d": 12345678901234567890}',
          NULL)""")
        (message,) = relay.wait_for(1, "json")
        ((text,),) = relay.sql("SELECT document FROM outbox")
        assert message.value.decode() == text.replace(", ", ",").replace(": ", ":")
        assert dict(message.headers)["id"] == b"18446744073709551615"
        assert dict(message.headers)["eventType"] == "Größe".encode()
        relay.stop()
        relay.configure(outbox__payload="content").start()
        content = bytes(range(256)) * 100 + b"\0" * 10
        relay.sql("INSERT INTO outbox VALUES (2, 'blob', %s, 'x', NULL, %s)", (b"\0\xff", content))
        (message,) = relay.wait_for(1, "blob")
        assert message.value == content
        assert message.key == b"\0\xff"


STORED = """
class Store {
  public static void main(String[] words) throws java.io.IOException {
    var properties = new java.util.Properties();
    for (int i = 0; i < words.length; i += 2) properties.setProperty(words[i], words[i + 1]);
    properties.store(System.out, "a comment");
  }
}
"""


def test_a_trace_context_passes_through_with_the_stored_values(outboxd, mysql, kafka, tmp_path):
    """As Debezium's Quarkus extension stores it, by Java itself; and in columns of their own."""
    context = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
               "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}
    (tmp_path / "Store.java").write_text(STORED)
    stored = subprocess.run(
        ["java", str(tmp_path / "Store.java"), *sum(context.items(), ())],
        capture_output=True, text=True, check=True).stdout
    assert "rojo\\=" in stored  # It is not the text that was given.
    columns = ", tracingspancontext VARCHAR(1000), traceparent VARCHAR(99))"
    table = TABLE.removesuffix(")") + columns
    header = [f"properties(tracingspancontext)->$.{name}:{name}?" for name in context]
    with Relay(outboxd, mysql, kafka, tmp_path, table=table,
               outbox__header=[*header, "traceparent:own?"]) as relay:
        relay.sql("INSERT INTO outbox VALUES ('a', 'order', 'k', 'Created', '{}', %s, %s),"
                  " ('b', 'order', 'k', 'Created', '{}', NULL, NULL),"
                  " ('c', 'order', 'k', 'Created', '{}', 'other=1', NULL)",
                  [stored, context["traceparent"]])
        relay.start()
        with_context, without, with_another = (dict(m.headers) for m in relay.wait_for(3))
        for name, value in {**context, "own": context["traceparent"]}.items():
            assert with_context[name] == value.encode()
            assert name not in without and name not in with_another


def test_nothing_of_a_rollback_or_a_savepoint_rollback_arrives(relay):
    relay.start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        insert = "INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')"
        cursor.execute(insert, "rolled-back")
        connection.rollback()
        cursor.execute(insert, "kept")
        cursor.execute("SAVEPOINT s")
        cursor.execute(insert, "undone")
        cursor.execute("ROLLBACK TO s")
        cursor.execute(insert, "deleted-again")
        cursor.execute("DELETE FROM outbox WHERE id = 'deleted-again'")
        connection.commit()
        cursor.execute(insert, "last")
        connection.commit()
    connection.close()
    relay.wait_for(3)
    assert sorted(m.id for m in relay.received()) == ["deleted-again", "kept", "last"]


def test_many_rows_of_one_statement_arrive_in_order_per_key(relay):
    relay.start()
    for batch in range(5):
        relay.insert(*[f"{batch}-{i:03}" for i in range(200)])
    messages = relay.wait_for(1000)
    assert [m.id for m in messages] == [f"{b}-{i:03}" for b in range(5) for i in range(200)]
    assert len({m.partition for m in messages}) == 1


def test_the_partition_is_that_of_the_java_client(relay):
    # Partitions of three by Utils.toPositive(murmur2(key)) % 3, computed as org.apache.kafka does.
    def murmur2(key):
        m, h = 0x5BD1E995, (0x9747B28C ^ len(key)) & 0xFFFFFFFF
        for i in range(0, len(key) - 3, 4):
            k = int.from_bytes(key[i : i + 4], "little") * m & 0xFFFFFFFF
            k = (k ^ (k >> 24)) * m & 0xFFFFFFFF
            h = (h * m & 0xFFFFFFFF) ^ k
        rest = key[len(key) & ~3 :]
        if rest:
            h = (h ^ int.from_bytes(rest, "little")) * m & 0xFFFFFFFF
        h = (h ^ (h >> 13)) * m & 0xFFFFFFFF
        return h ^ (h >> 15)

    relay.start()
    for i in range(30):
        relay.insert(f"e{i}", key=f"customer-{i * 7919}")
    for message in relay.wait_for(30):
        assert message.partition == (murmur2(message.key) & 0x7FFFFFFF) % 3


def test_a_clean_stop_under_load_repeats_and_loses_nothing(relay):
    relay.start()
    for i in range(6):
        relay.insert(*[f"{i}-{n}" for n in range(300)])
        if i % 2:
            assert relay.stop() == 0
            relay.start()
    relay.wait_for(1800)
    assert relay.stop() == 0
    ids = [m.id for m in relay.received()]
    assert len(ids) == len(set(ids)) == 1800


def test_transactions_on_other_tables_move_the_checkpoint(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    relay.sql("INSERT INTO orders (note) VALUES ('x')")
    ((executed,),) = relay.sql("SELECT @@global.gtid_executed")
    wait_until(lambda: executed.replace("\n", "") in relay.checkpoint(), "checkpoint")


@pytest.mark.parametrize("start, expected", [("table", 5), ("earliest", 5), ("now", 2)])
def test_the_start_decides_what_comes_first(outboxd, kafka, tmp_path, start, expected):
    with PrivateMysql() as server, Relay(
        outboxd, server, kafka, tmp_path, delivery__start=start
    ) as relay:
        relay.insert("old-1", "old-2", "old-3")
        relay.start()
        wait_until(lambda: "reading the binary log" in relay.log(), "start")
        relay.insert("new-1", "new-2")
        messages = relay.wait_for(expected)
        assert {m.id for m in messages} >= {"new-1", "new-2"}
        assert len({m.id for m in messages}) == expected


@pytest.mark.parametrize(
    "key, value",
    [("ENUM('z','a')", "1 + n % 2"), ("SET('z','a')", "1 + n % 3"), ("FLOAT", "n DIV 3 / 7")],
)
def test_the_table_is_read_whole_whatever_its_key(outboxd, mysql, kafka, tmp_path, key, value):
    # More rows than are read at once, by keys that SQL orders and compares differently.
    table = f"""(k {key} NOT NULL, id INT NOT NULL, aggregatetype VARCHAR(9),
      aggregateid VARCHAR(9), type VARCHAR(9), payload TEXT, PRIMARY KEY (k, id))"""
    with Relay(outboxd, mysql, kafka, tmp_path, table) as relay:
        relay.sql(
            f"""INSERT /*+ SET_VAR(cte_max_recursion_depth = 9999) */ INTO outbox
              WITH RECURSIVE s (n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2500)
              SELECT {value}, n, 'order', 'k', 'Created', 'x' FROM s"""
        )
        relay.start()
        messages = relay.wait_for(2500)
        assert sorted(int(m.id) for m in messages) == list(range(1, 2501))


def test_without_a_start_it_names_the_choices(fresh):
    result = fresh.configure(delivery__start=None).command("run")
    assert result.returncode == 84
    for choice in ("table", "earliest", "now", "gtid:", "file:"):
        assert choice in result.stderr


def test_a_server_without_gtids_is_read_by_file_and_offset(outboxd, kafka, tmp_path):
    with PrivateMysql(options={"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}) as server:
        with Relay(outboxd, server, kafka, tmp_path) as relay:
            relay.insert("old")
            relay.start()
            relay.wait_for(1)
            relay.insert("new")
            messages = relay.wait_for(2)
            position = dict(messages[-1].headers)["outboxd.position"].decode()
            relay.sql("FLUSH BINARY LOGS")
            relay.insert("newer")
            relay.wait_for(3)
            assert relay.stop() == 0
            relay.start()
            relay.insert("newest")
            assert [m.id for m in relay.wait_for(4)] == ["old", "new", "newer", "newest"]
            assert position.startswith("binlog.")


def test_a_transaction_larger_than_memory_arrives_whole(relay):
    relay.start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        for start in range(0, 100_000, 10_000):
            rows = ",".join(
                f"('{i}','order','k{i % 50}','Created','{{\"n\":{i},\"pad\":\"{'x' * 150}\"}}')"
                for i in range(start, start + 10_000)
            )
            cursor.execute("INSERT INTO outbox VALUES " + rows)
    connection.commit()
    connection.close()
    messages = relay.wait_for(100_000, seconds=120)
    assert sorted(int(m.id) for m in messages) == list(range(100_000))


def test_a_crash_of_mysql_loses_nothing(outboxd, kafka, tmp_path):
    with PrivateMysql() as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.start()
        relay.insert("before")
        relay.wait_for(1)
        server.kill9()
        server.start()
        relay.insert("after")
        assert [m.id for m in relay.wait_for(2)] == ["before", "after"]


def test_a_restart_of_kafka_loses_nothing_and_keeps_order(outboxd, mysql, tmp_path):
    with PrivateKafka() as server, Relay(outboxd, mysql, server, tmp_path) as relay:
        relay.start()
        relay.insert("0")
        relay.wait_for(1)
        server.kill9()
        for i in range(1, 50):
            relay.insert(str(i))
        server.start()
        ids = [int(m.id) for m in relay.wait_for(50)]
        first = list(dict.fromkeys(ids))
        assert first == list(range(50))


def test_tail_prints_messages_and_stores_nothing(fresh):
    relay = fresh
    relay.insert("old")
    tail = subprocess.Popen(
        [relay.binary, "tail", "--from", "table", "--config", str(relay.path)],
        stdout=subprocess.PIPE, text=True,
    )
    try:
        line = json.loads(tail.stdout.readline())
        assert line["topic"] == relay.topic() and line["value"] == '{"a":1}'
        assert ["id", "old"] in line["headers"]
        relay.insert("new")
        assert ["id", "new"] in json.loads(tail.stdout.readline())["headers"]
    finally:
        tail.terminate()
        assert tail.wait(timeout=30) == 0
    assert not os.path.exists(relay.state / "checkpoint")


def test_tail_explains_each_part_of_a_message(fresh, tmp_path):
    fresh.configure(outbox__key="payload->$.order | aggregateid", outbox__where="type = Created")
    out, err = (tmp_path / "out").open("wb"), (tmp_path / "err").open("wb")
    command = [fresh.binary, "tail", "--explain", "--config", str(fresh.path)]
    with subprocess.Popen(command, stdout=out, stderr=err) as tail:
        try:
            wait_until(lambda: "reading the binary log" in (tmp_path / "err").read_text(), "start")
            fresh.insert("e1", key="k1", payload='{"order":"42"}')
            line = wait_until(lambda: (tmp_path / "out").read_text(), "a message")
        finally:
            tail.terminate()
    assert json.loads(line)["key"] == "42"
    explained = {
        part.strip(): (setting, value)
        for part, setting, value in (
            re.split(r"  +", text.strip(), maxsplit=2)
            for text in (tmp_path / "err").read_text().splitlines()
            if text.startswith("  ") and len(re.split(r"  +", text.strip())) >= 3
        )
    }
    assert explained["where"] == ("type = Created", "holds")
    assert explained["topic"] == (f"{fresh.topic_prefix}{{aggregatetype}}", fresh.topic())
    assert explained["key"] == ("payload->$.order | aggregateid", "42")
    assert explained["header id"] == ("id", "e1")
    assert explained["header eventType"] == ("type", "Created")
    assert explained["value"][0] == "payload"


def test_a_hangup_signal_is_ignored(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    relay.process.send_signal(signal.SIGHUP)
    relay.insert("e2")
    assert len(relay.wait_for(2)) == 2
    assert relay.stop() == 0


def test_the_service_manager_hears_of_readiness_state_and_stop(relay, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(30)
        relay.start(NOTIFY_SOCKET=address, WATCHDOG_USEC="10000000")
        heard = ""
        while not all(word in heard for word in ("READY=1", "WATCHDOG=1", "events delivered")):
            heard += listener.recv(4096).decode() + "\n"
        relay.process.terminate()
        while "STOPPING=1" not in heard:
            heard += listener.recv(4096).decode() + "\n"
        assert relay.wait() == 0


def test_a_tagged_gtid_stands_in_the_position_and_is_not_repeated(relay):
    relay.start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION gtid_next = 'AUTOMATIC:blue'")
        cursor.execute("INSERT INTO outbox VALUES ('tagged', 'order', 'k', 'Created', '{}')")
        connection.commit()
    connection.close()
    (message,) = relay.wait_for(1)
    assert ":blue:" in dict(message.headers)["outboxd.position"].decode()
    assert relay.stop() == 0
    assert ":blue:" in relay.checkpoint()
    relay.start()
    relay.insert("untagged")
    assert [m.id for m in relay.wait_for(2)] == ["tagged", "untagged"]


@pytest.mark.parametrize("checksum", ["NONE", "CRC32"])
def test_checksums_may_change_in_mid_stream(outboxd, kafka, tmp_path, checksum):
    with PrivateMysql(options={"binlog-checksum": checksum}) as server:
        with Relay(outboxd, server, kafka, tmp_path).begin_now() as relay:
            relay.start()
            relay.insert("before")
            relay.wait_for(1)
            other = "CRC32" if checksum == "NONE" else "NONE"
            relay.sql(f"SET GLOBAL binlog_checksum = {other}")
            relay.insert("after")
            assert [m.id for m in relay.wait_for(2)] == ["before", "after"]


def test_a_unix_socket_needs_no_tls(relay):
    relay.configure(mysql__host=None, mysql__port=None, mysql__socket=relay.mysql.socket)
    assert relay.command("check").returncode == 0
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)


def test_a_server_that_falls_silent_is_noticed_within_three_heartbeats(outboxd, kafka, tmp_path):
    with PrivateMysql() as server, Relay(outboxd, server, kafka, tmp_path).begin_now() as relay:
        relay.start()
        relay.insert("before")
        relay.wait_for(1)
        server.freeze()
        begin = time.monotonic()
        try:
            wait_until(lambda: "trying again" in relay.log(), "the silence is noticed", 15)
            assert time.monotonic() - begin < 8  # Three seconds, and a busy machine.
        finally:
            server.thaw()
        relay.insert("after")
        assert [m.id for m in relay.wait_for(2)] == ["before", "after"]


def test_an_idle_relay_stops_at_once(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    begin = time.monotonic()
    assert relay.stop() == 0
    assert time.monotonic() - begin < 3


def test_another_relay_of_the_same_name_takes_over_the_dump(relay, tmp_path):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    first = relay.process
    relay.configure(relay__state_directory=tmp_path / "elsewhere", delivery__start="now")
    relay.start()
    assert first.wait(timeout=60) == 82
    (told,) = [line for line in relay.log().splitlines() if " critical " in line]
    assert "ended with code 82: " in told
    assert f"127.0.0.1:{relay.mysql.port} stopped sending its log to this relay" in told
    assert " HINT: if a second relay of this name runs, stop one of the two" in told
    # As the message says.
    dumps = [row for row in relay.sql("SHOW PROCESSLIST") if row[4] == "Binlog Dump GTID"]
    assert any(user == relay.user and host for _, user, host, *_ in dumps), dumps
    # It stands where the first one worked, too.
    relay.configure(relay__state_directory=relay.state)
    status = relay.command("status").stdout
    assert "ended  " in status and " UTC with code 82: the server at " in status, status
    relay.configure(relay__state_directory=tmp_path / "elsewhere")
    assert "\ndoing  " in relay.command("status").stdout
    relay.insert("e2")
    wait_until(lambda: "e2" in [m.id for m in relay.received()], "e2")


def test_a_place_is_chosen_from_the_header_of_the_last_message(outboxd, mysql, kafka, tmp_path):
    """As docs/choosing-a-place.md tells it, where the state directory is gone."""
    with Relay(outboxd, mysql, kafka, tmp_path, topics=()).begin_now() as relay:
        kafka.create_topic(relay.topic(), partitions=1)
        relay.start()
        for id in ("e1", "e2", "e3"):
            relay.insert(id)
        last = relay.wait_for(3)[-1]
        relay.kill()
        relay.insert("e4")
        for file in relay.state.iterdir():
            file.unlink()
        uuid, number, _ = dict(last.headers)["outboxd.position"].decode().split(":")
        executed = relay.executed_gtids()
        first = re.search(rf"{uuid}:(\d+)-\d+", executed)
        cut = executed.replace(first[0], f"{uuid}:{first[1]}-{int(number) - 1}")
        moved = relay.command("position", "set", f"gtid:{cut}")
        assert moved.returncode == 0, moved.stderr
        relay.start()
        assert [m.id for m in relay.wait_for(5)] == ["e1", "e2", "e3", "e3", "e4"]


def test_the_ids_of_the_table_are_compared_with_those_of_the_topics(relay, tmp_path):
    """The commands of docs/was-anything-lost.md, in a shell, with the real clients."""
    clients = tmp_path / "clients"
    clients.mkdir()
    consumer = relay.kafka.tool_command("org.apache.kafka.tools.consumer.ConsoleConsumer")
    for name, command in (("mysql", relay.mysql.client_command()),
                          ("kafka-console-consumer.sh", consumer)):
        (clients / name).write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n')
        (clients / name).chmod(0o755)
    relay.start()
    relay.insert("arrived-1", "arrived-2", "deleted")
    relay.wait_for(3)
    relay.sql("DELETE FROM outbox WHERE id = 'deleted'")
    relay.kill()
    (relay.state / "checkpoint").unlink()
    relay.command("position", "set", "earliest")
    relay.start()
    wait_until(lambda: len(relay.received()) >= 6, "the duplicates")
    assert relay.stop() == 0
    relay.insert("missing")

    page = (SOURCE / "docs/was-anything-lost.md").read_text()
    (block,) = [b for b in blocks_of("page", page) if b.lines[0].startswith("mysql ")]
    script = "\n".join(block.lines).replace("localhost:9092", relay.kafka.bootstrap)
    script = script.replace("shop.outbox", f"{relay.database}.outbox")
    script = script.replace("outbox[.]event[.].*", relay.topic()).replace("20000", "5000")
    path = f"{clients}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True,
                          text=True, env=os.environ | {"PATH": path}, timeout=120)
    assert (tmp_path / "arrived").read_text().splitlines()[:2] == ["arrived-1"] * 2, done.stderr
    assert done.stdout.splitlines() == ["missing", "arrived-1", "arrived-2", "deleted"], done.stderr


def test_the_position_is_not_changed_under_a_running_relay(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    result = relay.command("position", "set", "earliest")
    assert result.returncode == 82
    assert str(relay.process.pid) in result.stderr


def test_memory_stays_bounded_while_kafka_is_away(outboxd, mysql, tmp_path):
    with PrivateKafka() as server, Relay(outboxd, mysql, server, tmp_path).begin_now() as relay:
        relay.start()
        relay.insert("0")
        relay.wait_for(1)
        server.freeze()
        try:
            for batch in range(40):
                relay.insert(*[f"{batch}-{i}" for i in range(1000)], payload="x" * 2000)
            assert relay.memory_kib("VmHWM") < 150 * 1024  # 80 MB are waiting; the bound is 32 MiB.
        finally:
            server.thaw()
        assert len({m.id for m in relay.wait_for(40_001, seconds=120)}) == 40_001
