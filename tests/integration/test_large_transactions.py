"""Very large events and transactions in bounded memory, and offsets beyond 4 GiB."""

import re
import threading
import zlib

import pytest
from private_servers import PrivateMysql
from relay import Relay, ids, wait_until

MIB = 1 << 20
# An event table with a column that no mapping uses, and a table of another use. BLACKHOLE writes
# to the log and stores nothing.
TABLE = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload LONGTEXT CHARACTER SET utf8mb4,
attachment LONGBLOB)"""
FILLER = "CREATE TABLE filler (content LONGBLOB) ENGINE=BLACKHOLE"


@pytest.fixture(scope="module")
def server():
    options = {"max-allowed-packet": "1G", "sync-binlog": "0", "max-binlog-size": "1G"}
    with PrivateMysql(options=options) as server:
        yield server


@pytest.fixture
def relay(outboxd, server, kafka, tmp_path):
    with Relay(outboxd, server, kafka, tmp_path, table=TABLE) as relay:
        relay.sql(FILLER)
        relay.configure(relay__spill_directory=tmp_path)
        yield relay.begin_now()


def rss_mib(relay, field="VmRSS"):
    return relay.memory_kib(field) // 1024


INSERT = "INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', %s, {})"


@pytest.mark.parametrize("mib", [20, 80])
def test_a_large_event_passes_and_its_memory_is_given_back(relay, mib):
    relay.start()
    relay.sql(INSERT.format("NULL"), ("before", "{}"))
    relay.wait_for(1)
    before = rss_mib(relay)
    relay.sql(INSERT.format(f"REPEAT('x', {mib} * 1024 * 1024)"), ("large", '{"n":1}'))
    relay.sql(f"INSERT INTO filler VALUES (REPEAT('y', {mib} * 1024 * 1024))")
    relay.sql(INSERT.format("NULL"), ("after", "{}"))
    messages = relay.wait_for(3)
    assert ids(messages) == ["before", "large", "after"]
    assert messages[1].value == b'{"n":1}'
    # The event itself has to be in memory once: the client library hands it over as a whole.
    wait_until(lambda: rss_mib(relay) < before + 16, f"{mib} MiB are given back", 20)
    assert relay.stop() == 0


def test_a_compressed_large_event_is_read_in_pieces(relay):
    relay.sql("SET GLOBAL binlog_transaction_compression = ON")
    try:
        relay.start()
        relay.sql(INSERT.format("NULL"), ("before", "{}"))
        relay.wait_for(1)
        before = rss_mib(relay)
        # One payload of about 800 MiB in 40 events; compressed it has next to nothing.
        connection = relay.connect()
        with connection.cursor() as cursor:
            for number in range(40):
                cursor.execute("INSERT INTO filler VALUES (REPEAT('y', 20 * 1024 * 1024))")
            cursor.execute(INSERT.format("NULL"), ("within", "{}"))
        connection.commit()
        connection.close()
        relay.sql(INSERT.format("NULL"), ("after", "{}"))
        assert ids(relay.wait_for(3)) == ["before", "within", "after"]
        assert rss_mib(relay, "VmHWM") < before + 64
        assert relay.stop() == 0
    finally:
        relay.sql("SET GLOBAL binlog_transaction_compression = OFF")


# A plain event is in memory once: the client library hands it over as a whole.
@pytest.mark.parametrize("compression, most_mib", [("ON", 48), ("OFF", 300 + 48)])
def test_a_large_event_that_nobody_needs_is_in_memory_once_at_most(relay, compression, most_mib):
    relay.sql(f"SET GLOBAL binlog_transaction_compression = {compression}")
    try:
        relay.start()
        relay.sql(INSERT.format("NULL"), ("before", "{}"))
        relay.wait_for(1)
        before = rss_mib(relay)
        relay.sql("INSERT INTO filler VALUES (REPEAT('y', 300 * 1024 * 1024))")
        relay.sql(INSERT.format("NULL"), ("after", "{}"))
        assert ids(relay.wait_for(2)) == ["before", "after"]
        assert rss_mib(relay, "VmHWM") < before + most_mib
        assert relay.stop() == 0
    finally:
        relay.sql("SET GLOBAL binlog_transaction_compression = OFF")


def test_a_compressed_event_that_is_needed_is_in_memory_once(relay):
    relay.sql("SET GLOBAL binlog_transaction_compression = ON")
    try:
        relay.start()
        relay.sql(INSERT.format("NULL"), ("before", "{}"))
        relay.wait_for(1)
        before = rss_mib(relay)
        relay.sql(INSERT.format("REPEAT('x', 300 * 1024 * 1024)"), ("large", '{"n":1}'))
        assert ids(relay.wait_for(2)) == ["before", "large"]
        assert rss_mib(relay, "VmHWM") < before + 300 + 48
        assert relay.stop() == 0
    finally:
        relay.sql("SET GLOBAL binlog_transaction_compression = OFF")


def test_a_transaction_of_millions_of_rows_spills_and_arrives_in_order(relay):
    rows = 1_000_000
    relay.configure(outbox__header=None).start()
    relay.sql(INSERT.format("NULL"), ("0", "{}"))
    relay.wait_for(1)
    before = rss_mib(relay)
    digits = " CROSS JOIN ".join(
        f"(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4"
        f" UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL"
        f" SELECT 9) t{n}"
        for n in range(6)
    )
    relay.sql(
        "INSERT INTO outbox SELECT 1 + t0.d + 10 * t1.d + 100 * t2.d + 1000 * t3.d + 10000 * t4.d"
        f" + 100000 * t5.d AS n, 'order', 'k', 'Created', '{{}}', NULL FROM {digits} ORDER BY n"
    )
    peak = []
    done = threading.Event()

    def watch():
        while not done.wait(0.2):
            peak.append(rss_mib(relay))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        messages = relay.wait_for(rows + 1, seconds=240)
    finally:
        done.set()
        watcher.join()
    assert ids(messages) == [str(number) for number in range(rows + 1)]
    # 8 MiB of rows in memory, the queue to Kafka, and what the allocator keeps.
    assert max(peak) < before + 160
    assert relay.stop() == 0


def test_a_transaction_beyond_the_spill_cap_holds_until_there_is_room(relay):
    relay.configure(relay__spill_bytes_max="1MiB").start()
    relay.sql(INSERT.format("NULL"), ("before", "{}"))
    connection = relay.connect()
    with connection.cursor() as cursor:
        for number in range(40):
            text = "x" * (MIB // 2)
            cursor.execute(INSERT.format("NULL"), (f"large {number}", text))
    connection.commit()
    connection.close()
    wait_until(lambda: "holding: " in relay.log(), "it holds")
    assert "relay.spill-bytes-max" in relay.log()
    assert ids(relay.received()) == ["before"]
    assert relay.stop() == 0
    relay.configure(relay__spill_bytes_max="1GiB").start()
    expected = ["before"] + [f"large {number}" for number in range(40)]
    assert ids(relay.wait_for(41)) == expected
    assert relay.stop() == 0


def fill(relay, gib, id):
    """One transaction of so many GiB with one event in its middle."""
    connection = relay.connect()
    with connection.cursor() as cursor:
        chunks = gib * 8
        for number in range(chunks):
            if number == chunks // 2:
                cursor.execute(INSERT.format("NULL"), (id, "{}"))
            cursor.execute("INSERT INTO filler VALUES (REPEAT('y', 128 * 1024 * 1024))")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("gtid_mode", ["ON", "OFF"])
def test_a_transaction_of_five_gib_and_offsets_behind_it(outboxd, kafka, tmp_path, gtid_mode):
    options = {"max-allowed-packet": "1G", "sync-binlog": "0", "gtid-mode": gtid_mode}
    with (
        PrivateMysql(options=options) as server,
        Relay(outboxd, server, kafka, tmp_path, table=TABLE) as relay,
    ):
        relay.sql(FILLER)
        relay.begin_now().start()
        relay.sql(INSERT.format("NULL"), ("before", "{}"))
        relay.wait_for(1)
        fill(relay, 5, "within")
        wait_until(lambda: "within" in ids(relay.received()), "the transaction", 240)
        size = int(relay.sql("SHOW BINARY LOGS")[0][1])
        assert size > 5 << 30
        if gtid_mode == "ON":
            # Nothing came behind it but the end of the file.
            def offset():
                return int(re.search(r"binlog.000001:(\d+)\n", relay.checkpoint()).group(1))

            wait_until(lambda: size - 100 < offset() < size, "the checkpoint behind it")
        relay.sql(INSERT.format("NULL"), ("behind", "{}"))
        assert ids(relay.wait_for(3)) == ["before", "within", "behind"]
        # Each event of 128 MiB is in memory once, and once more while the library joins packets.
        assert rss_mib(relay, "VmHWM") < 600
        assert relay.stop() == 0


def test_an_offset_beyond_four_gib_is_refused_where_the_protocol_would_cut_it(
    outboxd, kafka, tmp_path
):
    with (
        PrivateMysql(options={"gtid-mode": "OFF"}) as server,
        Relay(outboxd, server, kafka, tmp_path) as relay,
    ):
        relay.begin_now()
        beyond = relay.command("position", "set", f"file:binlog.000001:{5 << 30}")
        assert beyond.returncode == 64 and "from 4 to 4294967295" in beyond.stderr
        # A checkpoint behind a very large transaction stands there.
        path = relay.state / "checkpoint"
        kept = path.read_bytes().rsplit(b"crc32", 1)[0]
        kept = re.sub(rb'"offset":\d+', b'"offset":%d' % (5 << 30), kept)
        path.write_bytes(kept + b"crc32 %08x\n" % zlib.crc32(kept))
        relay.start()
        assert relay.wait() == 78
        assert "beyond 4 GiB, which the protocol cannot ask for" in relay.log()
        assert "HINT" in relay.log()
