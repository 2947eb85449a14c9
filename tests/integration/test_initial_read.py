"""The initial read (`start = table`): the table as it was when the relay began, then the stream,
each event at least once, none lost and none invented."""


import pytest
from changing_tables import EVENT_COLUMNS, wait_until_read
from private_servers import PrivateMysql
from relay import Relay, ids, read_topic, records, wait_until
from test_dead_letters import dead_letters, random_text
from test_xa import decide, prepare

WITHOUT_GTIDS = {"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}
ROWS = 3000
LARGE = ROWS - 11  # Ten rows stand behind it.
LARGE_BYTES = 400_000
TOPIC_BYTES = "100000"


@pytest.fixture
def fresh(outboxd, mysql, kafka, tmp_path):
    """A relay that has never run."""
    with Relay(outboxd, mysql, kafka, tmp_path) as one:
        yield one


@pytest.fixture
def with_a_large_row(fresh):
    """Many rows, one of which is too large for their topic."""
    relay = fresh
    relay.kafka.create_topic(relay.topic("small"), 1, configs={"max.message.bytes": TOPIC_BYTES})
    relay.names = [f"{n:04}" for n in range(ROWS)]
    relay.large = relay.names[LARGE]
    relay.others = [name for name in relay.names if name != relay.large]
    relay.insert(*relay.others, kind="small")
    relay.insert(relay.large, kind="small", payload=random_text(LARGE_BYTES))
    return relay


def wait_for_ids(relay, names, topic="order", seconds=30):
    missing = set()

    def have_arrived():
        missing.clear()
        missing.update(set(names) - set(ids(relay.received(topic))))
        return not missing

    try:
        wait_until(have_arrived, "all that was inserted", seconds)
    except AssertionError as error:
        told = relay.log()[-3000:] + relay.command("status").stdout
        raise AssertionError(f"{len(missing)} missing; {told}") from error


def test_a_row_that_is_too_large_becomes_one_dead_letter_and_the_read_ends(with_a_large_row):
    relay = with_a_large_row
    relay.dead = relay.name + "-dead"
    relay.kafka.create_topic(relay.dead)
    relay.configure(delivery__on_bad_event="dead-letter", delivery__dead_letter_topic=relay.dead)
    relay.start()
    wait_for_ids(relay, relay.others, "small")
    wait_until_read(relay, 20)
    ((_, dead, rest),) = dead_letters(relay, 1)
    assert dict(rest)["id"].decode() == relay.large
    assert "MSG_SIZE_TOO_LARGE" in dead["reason"]
    relay.insert("new", kind="small")
    wait_for_ids(relay, ["new"], "small")
    assert set(ids(relay.received("small"))) == {*relay.others, "new"}
    assert relay.stop() == 0


def test_a_row_that_is_too_large_holds_the_read_until_it_is_skipped(with_a_large_row):
    relay = with_a_large_row
    relay.start()
    held = wait_until(lambda: held_of(relay), "the hold is shown", 20)
    position, id = held.split()[1], held.split("(id ")[1].partition(")")[0]
    assert id == relay.large
    wait_for_ids(relay, relay.names[:LARGE], "small")
    assert "table read    under way" in relay.command("status").stdout
    assert relay.command("skip", position).returncode == 0
    wait_for_ids(relay, relay.others, "small")
    wait_until_read(relay, 20)
    wait_until(lambda: held_of(relay) is None, "the hold is over")
    relay.insert("new", kind="small")
    wait_for_ids(relay, ["new"], "small")
    assert set(ids(relay.received("small"))) == {*relay.others, "new"}
    assert relay.stop() == 0
    assert "table read    done" in relay.checkpoint()


def held_of(relay):
    """What status says about the event that is held."""
    lines = relay.command("status").stdout.splitlines()
    return next((line for line in lines if line.startswith("held  ")), None)


@pytest.mark.parametrize("options", [{}, WITHOUT_GTIDS], ids=["gtid", "file"])
def test_what_was_prepared_before_the_start_and_is_committed_then_arrives(
    outboxd, kafka, tmp_path, options
):
    with (
        PrivateMysql(options=options) as server,
        Relay(outboxd, server, kafka, tmp_path) as relay,
    ):
        relay.sql(f"GRANT XA_RECOVER_ADMIN ON *.* TO {relay.user}@'%'")
        prepare(relay, "'open'", "open")
        prepare(relay, "'undone'", "undone")
        relay.insert("in the table")
        relay.start()
        wait_until(lambda: "XA" in relay.log(), "it says what it waits for")
        relay.insert("while it waits")
        decide(relay, "XA COMMIT 'open'")
        decide(relay, "XA ROLLBACK 'undone'")
        wait_for_ids(relay, ["in the table", "while it waits", "open"])
        relay.insert("last")
        wait_for_ids(relay, ["last"])
        expected = {"in the table", "while it waits", "open", "last"}
        assert set(ids(relay.received())) == expected
        assert "alarms        0" in relay.command("status").stdout
        assert relay.stop() == 0


def test_a_start_that_may_not_ask_for_prepared_transactions_says_what_it_may_miss(fresh):
    fresh.insert("e1")
    fresh.start()
    fresh.wait_for(1)
    wait_until(lambda: "reading the binary log" in fresh.log(), "start")
    assert fresh.stop() == 0
    line = next((line for line in fresh.log().splitlines() if "XA_RECOVER_ADMIN" in line), "")
    assert " warn" in line and "GRANT XA_RECOVER_ADMIN ON *.* TO" in line, fresh.log()


def test_keys_that_differ_in_where_a_comma_stands_are_two_positions(
    outboxd, mysql, kafka, tmp_path
):
    table = f"(a VARCHAR(9), b VARCHAR(9), {EVENT_COLUMNS}, PRIMARY KEY (a, b))"
    with Relay(outboxd, mysql, kafka, tmp_path, table) as relay:
        relay.dead = relay.name + "-dead"
        kafka.create_topic(relay.dead)
        relay.configure(
            delivery__on_bad_event="dead-letter", delivery__dead_letter_topic=relay.dead
        )
        # Their topic is missing.
        insert = "INSERT INTO outbox (a, b, id, aggregatetype) VALUES (%s, %s, %s, 'late')"
        relay.sql(insert, ("a,b", "c", "first"))
        relay.sql(insert, ("a", "b,c", "second"))
        relay.start()
        wait_until_read(relay, 20)
        assert len(read_topic(kafka, relay.dead)) == 2, relay.log()
        letters = dead_letters(relay, 2)
        assert {dict(rest)["id"] for _, _, rest in letters} == {b"first", b"second"}
        assert len({dead["position"] for _, dead, _ in letters}) == 2
        assert relay.stop() == 0


def test_memory_stays_bounded_while_large_rows_are_read(fresh):
    topic = fresh.topic("large")
    fresh.kafka.create_topic(topic, 1, configs={"max.message.bytes": "2000000"})
    fresh.configure(kafka__message__max__bytes=2_000_000)
    names = [f"{n:03}" for n in range(250)]
    row = "(%s, 'large', 'k', 'Created', REPEAT('x', 1000000))"
    for start in range(0, len(names), 10):
        fresh.sql(f"INSERT INTO outbox VALUES {', '.join([row] * 10)}", names[start : start + 10])
    fresh.start()
    fresh.wait_for(len(names), "large", seconds=120)
    assert fresh.memory_kib("VmHWM") < 150 * 1024
    assert fresh.stop() == 0
    arrived = fresh.received("large")
    assert set(ids(arrived)) == set(names)
    assert {message.value for message in arrived} == {b"x" * 1_000_000}


def test_the_greatest_rate_bounds_the_initial_read(fresh):
    names = [f"{n:04}" for n in range(2000)]
    fresh.insert(*names)
    fresh.configure(delivery__max_rate=500).start()
    fresh.wait_for(len(names))
    assert fresh.stop() == 0
    sent = [record.timestamp for record in records(fresh.kafka, [fresh.topic()])]
    assert max(sent) - min(sent) >= 3000  # Milliseconds.
    assert set(ids(fresh.received())) == set(names)


def test_families_that_claim_the_same_table_are_refused(fresh):
    everything = f"{fresh.database}.*"
    fresh.sql("DROP TABLE orders")  # It is no event table.
    fresh.sql(f"GRANT SELECT ON {everything} TO {fresh.user}@'%'")
    with fresh.path.open("a") as file:
        file.write(f"[outbox.all]\ntable = {everything}\n")
    check = fresh.command("check")
    assert check.returncode == 78, check.stdout + check.stderr
    fresh.start()
    wait_until(lambda: fresh.process.poll() is not None, "the end of the run", 20)
    assert fresh.wait() == 78
    for printed in (check.stdout + check.stderr, fresh.log()):
        assert everything in printed and f"{fresh.database}.outbox" in printed


def test_a_table_that_is_dropped_while_the_relay_is_down_is_told(fresh):
    fresh.sql("CREATE TABLE other LIKE outbox")
    fresh.sql("INSERT INTO other VALUES ('lost', 'order', 'k', 'Created', '{}')")
    fresh.sql(f"GRANT SELECT ON {fresh.database}.other TO {fresh.user}@'%'")
    fresh.configure(outbox__table=[f"{fresh.database}.outbox", f"{fresh.database}.oth*"])
    fresh.insert("no topic", kind="missing")
    fresh.start()
    wait_until(lambda: held_of(fresh), "the hold is shown", 20)
    assert f"{fresh.database}.other  not begun" in fresh.checkpoint()
    assert fresh.stop() == 0
    fresh.sql("DROP TABLE other")
    fresh.configure(outbox__topic=fresh.topic())
    fresh.start()
    wait_until_read(fresh, 20)
    status = fresh.command("status").stdout
    assert f"table {fresh.database}.other is gone" in status
    assert fresh.stop() == 0


def test_a_row_that_the_log_has_a_part_of_only_is_named(fresh):
    names = [f"{n:04}" for n in range(2000)]
    fresh.insert(*names)
    fresh.configure(delivery__max_rate=300).start()
    fresh.wait_for(10)
    gone = names[-1]
    connection = fresh.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION binlog_row_image = MINIMAL")
        cursor.execute("DELETE FROM outbox WHERE id = %s", [gone])
        connection.commit()
    wait_until_read(fresh, 30)
    alarm = next(line for line in fresh.command("status").stdout.splitlines() if gone in line)
    assert f"table {fresh.database}.outbox" in alarm and "binlog_row_image" in alarm
    assert set(ids(fresh.received())) == set(names[:-1])
    assert fresh.stop() == 0
