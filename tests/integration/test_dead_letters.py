"""Events that their own topic does not take go to the dead-letter topic, whole, and from there
where they belong; and nothing else goes with them."""

import fcntl
import json
import os

import pytest
from fault_broker import Broker, set_topic_config
from relay import TABLE, Relay, ids, read_topic, wait_until

PREFIX = "outboxd.dead."
TABLE_WITH_PARTITION = TABLE.replace("payload", "part INT, at BIGINT, payload")


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        yield ready(relay)


def ready(relay, partitions=1, **configs):
    """With a dead-letter topic, and a checkpoint before everything that is inserted."""
    relay.dead = relay.name + "-dead"
    relay.kafka.create_topic(relay.dead, partitions=partitions, configs=configs)
    relay.configure(delivery__on_bad_event="dead-letter", delivery__dead_letter_topic=relay.dead)
    return relay.begin_now()


def dead_letters(relay, count):
    """Waits for so many; with the headers of dead letters as a dict, the others in order."""
    letters = wait_until(
        lambda: (all := read_topic(relay.kafka, relay.dead))[count - 1:] and all,
        f"{count} dead letters; log:\n{relay.log()[-3000:]}",
    )
    assert len(letters) == count
    split = []
    for letter in letters:
        dead = {k: v.decode() for k, v in letter.headers if k.startswith(PREFIX)}
        rest = [(k, v) for k, v in letter.headers if not k.startswith(PREFIX)]
        split.append((letter, {k.removeprefix(PREFIX): v for k, v in dead.items()}, rest))
    return split


def replay(relay, *words):
    return relay.command("dead-letters", "replay", *words)


def listed(relay):
    result = relay.command("dead-letters", "list", "--json")
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def random_text(size):
    """What no compression makes small."""
    return os.urandom(size // 2).hex()


def test_a_missing_topic_becomes_a_dead_letter_and_is_replayed_once(relay):
    relay.start()
    relay.insert("e1", kind="late", key="k1", payload='{"n":1}')
    relay.insert("e2")
    ((letter, dead, rest),) = dead_letters(relay, 1)
    assert (letter.key, letter.value) == (b"k1", b'{"n":1}')
    assert ids(relay.wait_for(1)) == ["e2"]
    assert rest[0] == ("id", b"e1") and ("eventType", b"Created") in rest
    position = dict(rest)["outboxd.position"].decode()
    assert dead == {
        "topic": relay.topic("late"),
        "reason": dead["reason"],
        "position": position,
        "table": f"{relay.database}.outbox",
        "time": dead["time"],
    }
    assert "does not exist" in dead["reason"]
    assert relay.log().count(f"dead letter in topic {relay.dead}: event {position} (id e1)") == 1
    assert f"dead letters  1, the last one {position} (id e1)" in relay.command("status").stdout
    executed = relay.executed_gtids()
    wait_until(lambda: executed in relay.checkpoint(), "the checkpoint passes the dead letter")

    table = relay.command("dead-letters", "list")
    assert table.returncode == 0 and "1 dead letters, 0 of them replayed" in table.stdout
    assert position in table.stdout and "e1" in table.stdout
    refused = replay(relay, "--all")
    assert refused.returncode == 65 and "refused again" in refused.stdout, refused.stdout
    assert [one["replayed"] for one in listed(relay)] == [False]
    relay.kafka.create_topic(relay.topic("late"), partitions=1)
    assert replay(relay, "--all").returncode == 0
    (replayed,) = relay.received("late")
    assert (replayed.key, replayed.value) == (b"k1", b'{"n":1}')
    assert list(replayed.headers) == rest
    assert [one["replayed"] for one in listed(relay)] == [True]
    assert replay(relay, "--all").returncode == 0
    assert len(relay.received("late")) == 1
    assert replay(relay, "no:such:1").returncode == 64
    with open(relay.state / "replay" / "lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert replay(relay, "--all").returncode == 82
    assert relay.stop() == 0


def test_of_a_batch_exactly_the_message_that_is_too_large_becomes_a_dead_letter(relay):
    """The client does not know the topic's limit, the broker refuses the batch as a whole."""
    topic = relay.topic("small")
    relay.kafka.create_topic(topic, partitions=1, configs={"max.message.bytes": "20000"})
    names = [f"n{i:03}" for i in range(60)]
    large = {"n017", "n018", "n040"}
    values = [
        (name, "small", "k", "Created", random_text(60_000 if name in large else 300))
        for name in names
    ]
    rows = ",".join(["(%s,%s,%s,%s,%s)"] * len(values))
    relay.sql(f"INSERT INTO outbox VALUES {rows}", [x for value in values for x in value])
    relay.start()
    letters = dead_letters(relay, 3)
    assert [dict(rest)["id"].decode() for _, _, rest in letters] == sorted(large)
    for letter, dead, _ in letters:
        assert len(letter.value) == 60_000 and "MSG_SIZE_TOO_LARGE" in dead["reason"]
    neighbours = [name for name in names if name not in large]
    wait_until(lambda: set(ids(relay.received("small"))) >= set(neighbours), "the neighbours")
    first = list(dict.fromkeys(ids(relay.received("small"))))
    assert first == neighbours
    assert relay.stop() == 0


def test_what_the_broker_takes_compressed_is_not_refused_for_its_size(relay):
    """The limit counts the batch as it is sent: 25 times as large is no reason to refuse it."""
    topic = relay.topic("small")
    relay.kafka.create_topic(topic, partitions=1, configs={"max.message.bytes": "20000"})
    relay.start()
    relay.insert("fits", kind="small", payload="x" * 500_000)
    relay.insert("large", kind="small", payload=random_text(30_000))
    relay.insert("last", kind="small")
    ((_, _, rest),) = dead_letters(relay, 1)
    assert dict(rest)["id"] == b"large"
    assert ids(relay.wait_for(2, "small")) == ["fits", "last"]
    assert len(relay.received("small")[0].value) == 500_000


def test_a_dead_letter_that_is_too_large_itself_holds_until_its_topic_takes_it(
    outboxd, mysql, kafka, tmp_path
):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        ready(relay, **{"max.message.bytes": "20000"})
        topic = relay.topic("small")
        kafka.create_topic(topic, partitions=1, configs={"max.message.bytes": "20000"})
        relay.start()
        relay.insert("large", kind="small", payload=random_text(60_000))
        relay.insert("behind", kind="small")
        wait_until(lambda: "holding at event" in relay.log(), "hold")
        line = next(line for line in relay.log().splitlines() if "holding at event" in line)
        assert "as a dead letter it was refused too" in line
        assert f"topic {relay.dead}" in line and "max.message.bytes" in line
        assert relay.received("small") == [] and read_topic(kafka, relay.dead) == []
        set_topic_config(kafka, relay.dead, "max.message.bytes", "200000")
        ((_, _, rest),) = dead_letters(relay, 1)
        assert dict(rest)["id"] == b"large"
        assert ids(relay.wait_for(1, "small")) == ["behind"]
        wait_until(lambda: not (relay.state / "held").exists(), "the hold is over")


def test_an_event_without_a_message_holds(relay):
    relay.configure(outbox__partition="aggregateid")
    relay.start()
    relay.insert("e1", key="not a number")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    assert "no dead letter can be made" in relay.log()
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 0
    wait_until(lambda: (relay.state / "skipped.jsonl").exists(), "skip")
    assert read_topic(relay.kafka, relay.dead) == []


def test_partition_and_timestamp_of_the_row_come_back_by_a_replay(
    outboxd, mysql, kafka, tmp_path
):
    with Relay(outboxd, mysql, kafka, tmp_path, table=TABLE_WITH_PARTITION) as relay:
        ready(relay.configure(outbox__partition="part", outbox__timestamp="at"))
        relay.start()
        statement = "INSERT INTO outbox VALUES (%s,'late','k','Created',%s,%s,'v')"
        relay.sql(statement, ("e1", 2, 1_700_000_000_123))
        relay.sql(statement, ("e2", 0, 1_700_000_000_456))
        letters = dead_letters(relay, 2)
        assert [dead["partition"] for _, dead, _ in letters] == ["2", "0"]
        kafka.create_topic(relay.topic("late"), partitions=3)
        assert replay(relay, letters[0][1]["position"]).returncode == 0
        assert ids(relay.received("late")) == ["e1"]
        assert [one["replayed"] for one in listed(relay)] == [True, False]
        assert replay(relay, "--all").returncode == 0
        assert [(m.id, m.partition) for m in relay.received("late")] == [("e2", 0), ("e1", 2)]
        with kafka.console_consumer(
            relay.topic("late"), "--property", "print.timestamp=true", "--max-messages", "2"
        ) as consumer:
            lines = consumer.communicate(timeout=60)[0]
        assert "CreateTime:1700000000123" in lines and "CreateTime:1700000000456" in lines


def test_a_topic_that_the_relay_may_not_write_to(outboxd, mysql, tmp_path):
    with Broker(sasl=True) as broker:
        settings = broker.relay_settings(tmp_path)
        with Relay(outboxd, mysql, broker.kafka, tmp_path, **settings) as relay:
            ready(relay)
            denied = relay.command("run")
            assert denied.returncode == 78 and relay.dead in denied.stderr, denied.stderr
            allow(broker.kafka, relay.dead, "Write", "Describe")
            relay.start()
            relay.insert("e1")
            ((_, dead, rest),) = dead_letters(relay, 1)
            assert dict(rest)["id"] == b"e1" and "authori" in dead["reason"].lower()
            denied = relay.command("dead-letters", "list")
            assert denied.returncode == 77 and "operation Read" in denied.stderr, denied.stderr
            allow(broker.kafka, relay.dead, "Read")
            assert replay(relay, "--all").returncode == 65
            allow(broker.kafka, relay.topic(), "Write", "Describe")
            assert replay(relay, "--all").returncode == 0
            assert ids(relay.received()) == ["e1"]


def allow(kafka, topic, *operations):
    words = [word for operation in operations for word in ("--operation", operation)]
    kafka.tool(
        "org.apache.kafka.tools.AclCommand", "--bootstrap-server", kafka.bootstrap, "--add",
        "--allow-principal", "User:relay", *words, "--topic", topic,
    )


def test_a_kill_between_the_dead_letter_and_the_checkpoint_loses_nothing(relay):
    relay.configure(checkpoint__interval="60s").start()
    relay.insert("bad", kind="late")
    dead_letters(relay, 1)
    relay.kill()
    relay.insert("good")
    relay.start()
    letters = wait_until(lambda: read_topic(relay.kafka, relay.dead)[1:], "it comes again")
    assert ids(letters) == ["bad"]
    assert ids(relay.wait_for(1)) == ["good"]
    assert "dead letters  1," in relay.command("status").stdout
    relay.kafka.create_topic(relay.topic("late"), partitions=1)
    assert replay(relay, "--all").returncode == 0
    assert ids(relay.received("late")) == ["bad"]


def test_the_dead_letter_topic_must_be_there_and_be_for_nothing_else(relay):
    def fails(*parts, **settings):
        relay.configure(**settings)
        for command in ("run", "check"):
            result = relay.command(command)
            assert result.returncode == 78, result.stdout + result.stderr
            for part in parts:
                assert part in result.stdout + result.stderr

    fails("does not exist", "kafka-topics.sh", delivery__dead_letter_topic=relay.dead + "-not")
    fails("internal to Kafka", delivery__dead_letter_topic="__dead")
    fails("lets events go there too", delivery__dead_letter_topic=relay.topic("dead"))
    fails("lets events go there too", delivery__dead_letter_topic=relay.dead, topics__allow="*")
    fails("needs delivery.dead-letter-topic", delivery__dead_letter_topic=None, topics__allow=None)
    assert relay.command("dead-letters", "list").returncode == 78
    created = relay.dead + "-made"
    relay.configure(
        delivery__dead_letter_topic=created, topics__create="yes", topics__replication=1
    )
    relay.start()
    wait_until(lambda: created in relay.kafka.topics(), "the relay creates it")
    assert relay.stop() == 0
    set_topic_config(relay.kafka, relay.dead, "cleanup.policy", "compact")
    relay.configure(delivery__dead_letter_topic=relay.dead)
    assert "is compacted" in relay.command("check").stdout
