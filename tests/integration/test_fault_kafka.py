"""Kafka breaks, or the way to it, in every manner and at random moments under load: nothing lost,
nothing invented, nothing disordered, and the relay goes on by itself."""

import contextlib
import pathlib
import re
import time

import pytest
from fault_broker import SETTINGS, Broker, set_topic_config
from fault_proxy import (
    API_VERSIONS,
    INIT_PRODUCER_ID,
    METADATA,
    PRODUCE,
    TO_CLIENT,
    TO_SERVER,
    Way,
)
from fault_trial import Trial
from private_servers import PrivateKafka
from relay import PASSWORD, Relay, wait_until


@pytest.fixture(scope="module")
def broker():
    with Broker() as broker:
        yield broker


@pytest.fixture
def proxy(broker):
    yield broker.proxy
    broker.proxy.heal()
    broker.proxy.reset()


@pytest.fixture
def relay(outboxd, mysql, broker, tmp_path, proxy):
    settings = broker.relay_settings(tmp_path)
    with Relay(outboxd, mysql, broker.kafka, tmp_path, **settings) as relay:
        yield relay


# ------------------------------------------------------------------------------ the broker


def test_kill_9_of_the_broker(relay, broker):
    with Trial(relay, "Kafka: kill -9 and start") as trial:

        def inject():
            broker.kafka.kill9()
            trial.wait_for_load(trial.random.randrange(10, 200))
            broker.kafka.start()

        trial.repeat(inject)


def test_restart_of_the_broker(relay, broker):
    with Trial(relay, "Kafka: orderly restart") as trial:
        trial.repeat(broker.kafka.restart)


def test_frozen_broker(relay, broker):
    with Trial(relay, "Kafka: broker frozen") as trial:

        def inject():
            broker.kafka.freeze()
            try:
                trial.wait_for_load(trial.random.randrange(50, 800))
            finally:
                broker.kafka.thaw()

        trial.repeat(inject)


def test_away_for_longer_than_the_queue(relay, broker):
    """Reading stops where the queue is full, and memory stays what it was."""
    relay.configure(kafka__queue__buffering__max__messages="200")
    with Trial(relay, "Kafka: away for longer than the queue") as trial:

        def inject():
            before = relay.memory_kib()
            broker.kafka.kill9()
            trial.wait_for_load(trial.random.randrange(500, 1500))
            assert relay.memory_kib() < before + (16 << 10)
            broker.kafka.start()

        trial.repeat(inject)


# ----------------------------------------------------------------------------- the network


def test_stalled_network(relay, proxy):
    with Trial(relay, "Kafka: network stalled") as trial:

        def inject():
            proxy.stall()
            trial.wait_for_load(trial.random.randrange(50, 800))
            proxy.heal()

        trial.repeat(inject)


def test_unreachable(relay, proxy):
    """Long enough for the pauses between attempts to have grown to their longest."""
    with Trial(relay, "Kafka: unreachable for 12 s") as trial:

        def inject():
            proxy.refuse()
            proxy.reset()
            end = time.monotonic() + 12
            wait_until(lambda: time.monotonic() >= end, "the time")
            proxy.heal()

        trial.repeat(inject)
    assert "Kafka has acknowledged nothing for 5 s; events wait, none is lost" in relay.log()
    assert "Kafka answers again after 1" in relay.log()
    # With what the client says of its connections; librdkafka 2.14 may say only that all are down.
    said = r"events wait, none is lost: (127\.0\.0\.1:\d+/|\d+/\d+ brokers are down)"
    assert re.search(said, relay.log()), relay.log()


def test_silent_drop(relay, proxy):
    with Trial(relay, "Kafka: silent drop (half-open)") as trial:

        def inject():
            proxy.drop()
            trial.wait_for_load(trial.random.randrange(50, 400))
            proxy.heal()

        trial.repeat(inject)


def test_slow_network(relay, proxy):
    with Trial(relay, "Kafka: 100 to 300 ms delay, then 160 kbit/s") as trial:

        def inject():
            proxy.delay(0.1, 0.2)
            trial.wait_for_load(100)
            proxy.heal()
            proxy.throttle(20_000)
            trial.wait_for_load(100)
            proxy.heal()

        trial.repeat(inject)


@pytest.mark.parametrize("action", ["reset", "close", "drop"])
@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
def test_cut_in_mid_frame(relay, proxy, way, action):
    with Trial(relay, f"Kafka: {action} in mid-frame, {way.name.lower()}") as trial:

        def inject():
            for _ in range(3 if action != "drop" else 1):
                limit = 20_000 if way is TO_SERVER else 1000
                proxy.cut_after(way, trial.random.randrange(1, limit), action)
                proxy.wait_for_cut(way)

        trial.repeat(inject)


def test_half_close(relay, proxy):
    with Trial(relay, "Kafka: half-closed, both ways") as trial:

        def inject():
            for way in Way:
                proxy.half_close(way)
                trial.wait_for_load(10)

        trial.repeat(inject)


@pytest.mark.parametrize("key", [PRODUCE, METADATA, INIT_PRODUCER_ID, API_VERSIONS],
                         ids=["produce", "metadata", "init-producer-id", "api-versions"])
def test_lost_responses(relay, proxy, key):
    names = {PRODUCE: "Produce", METADATA: "Metadata", INIT_PRODUCER_ID: "InitProducerId",
             API_VERSIONS: "ApiVersions"}
    with Trial(relay, f"Kafka: lost responses to {names[key]}") as trial:

        def inject():
            lost = proxy.lost_frames.get((key, TO_CLIENT), 0)
            proxy.drop_frames(key, TO_CLIENT, times=trial.random.randrange(1, 4))
            if key in (INIT_PRODUCER_ID, METADATA):  # Which a new producer asks for.
                assert relay.stop() == 0
                relay.start()
            elif key == API_VERSIONS:
                proxy.reset()
            proxy.wait(lambda p: p.lost_frames.get((key, TO_CLIENT), 0) > lost, "the loss")

        trial.repeat(inject)


@pytest.mark.parametrize("way", list(Way), ids=["requests", "responses"])
def test_late_produce_frames(relay, proxy, way):
    """A request that arrives after it was sent again, and a response after it was given up."""
    with Trial(relay, f"Kafka: Produce held, then stray, {way.name.lower()}") as trial:

        def inject():
            held = proxy.lost_frames.get((PRODUCE, way), 0)
            accepted = proxy.accepted
            proxy.hold_frames(PRODUCE, way, times=trial.random.randrange(1, 5))
            proxy.wait(lambda p: p.lost_frames.get((PRODUCE, way), 0) > held, "the hold")
            proxy.wait(lambda p: p.accepted > accepted, "the next connection")
            trial.wait_for_load(trial.random.randrange(50))
            proxy.heal()

        trial.repeat(inject)


def test_corrupt_batches(relay, proxy):
    with Trial(relay, "Kafka: corrupt byte in a batch") as trial:

        def inject():
            for _ in range(3):
                mask = trial.random.randrange(1, 256)
                proxy.corrupt(TO_SERVER, b'"pad":"xx', mask=mask)
                proxy.wait_for_corruption(TO_SERVER)
                trial.wait_until_delivered()

        trial.repeat(inject)


# ------------------------------------------------------------------------------ the topics


def test_topic_deleted_and_made_again(relay, broker):
    """What the old topic had goes with it; what is committed behind its end is in the new one. The
    broker knows no sequence of a new topic, so that a batch can overtake one that failed: both come
    again then, in their order, and only loss and invention count."""
    with Trial(relay, "Kafka: topic deleted and made again", ordered=False) as trial:

        def inject():
            trial.pause()
            trial.wait_until_all_is_read()
            broker.kafka.delete_topic(relay.topic())
            trial.resume()
            trial.wait_for_load(trial.random.randrange(10, 200))
            broker.kafka.create_topic(relay.topic(), partitions=3)
            trial.reader.begin_again()

        trial.repeat(inject)


def test_partitions_added(relay, broker):
    """Keys may change their partition, so only loss and invention count."""
    with Trial(relay, "Kafka: partitions added", ordered=False) as trial:
        count = 3

        def inject():
            nonlocal count
            count += 1
            broker.kafka.tool(
                "org.apache.kafka.tools.TopicCommand", "--bootstrap-server",
                broker.kafka.bootstrap, "--alter", "--topic", relay.topic(), "--partitions",
                str(count),
            )

        trial.repeat(inject)


def test_message_too_large_for_the_topic(relay, broker):
    """The relay holds at the first, and goes on by itself when the topic takes it."""
    with Trial(relay, "Kafka: message too large by the topic's limit") as trial:

        def inject():
            set_topic_config(broker.kafka, relay.topic(), "max.message.bytes", "400")
            held = relay.log().count("holding")
            wait_until(lambda: relay.log().count("holding") > held, "it holds")
            trial.wait_for_load(trial.random.randrange(100))
            set_topic_config(broker.kafka, relay.topic(), "max.message.bytes", "1048588")

        trial.repeat(inject)


# ------------------------------------------------------------------------------- the rights


@pytest.fixture(scope="module")
def guarded():
    with Broker(sasl=True) as broker:
        yield broker


@pytest.fixture
def guarded_relay(outboxd, mysql, guarded, tmp_path):
    settings = guarded.relay_settings(tmp_path)
    with Relay(outboxd, mysql, guarded.kafka, tmp_path, **settings) as relay:
        acl(guarded.kafka, "--add", relay.topic())
        yield relay


def acl(kafka, action, topic):
    force = ["--force"] if action == "--remove" else []
    kafka.tool(
        "org.apache.kafka.tools.AclCommand", "--bootstrap-server", kafka.bootstrap, action, *force,
        "--allow-principal", "User:relay", "--operation", "Write", "--operation", "Describe",
        "--topic", topic,
    )


def test_right_to_the_topic_taken_and_given_back(guarded_relay, guarded):
    relay = guarded_relay
    with Trial(relay, "Kafka: right to the topic taken away") as trial:

        def inject():
            hint = "HINT: grant this user the operation"
            told = relay.log().count(hint)
            acl(guarded.kafka, "--remove", relay.topic())
            wait_until(lambda: relay.log().count(hint) > told, "it says what is missing")
            trial.wait_for_load(trial.random.randrange(100))
            acl(guarded.kafka, "--add", relay.topic())

        trial.repeat(inject)


def test_password_rotated(guarded_relay, guarded):
    """The broker knows the new one first; the relay reads its file again until it fits."""
    relay = guarded_relay
    with Trial(relay, "Kafka: password rotated") as trial:

        def inject():
            new = f"new-{trial.random.randrange(1 << 30)}"
            guarded.set_password(new)
            guarded.kafka.restart()
            wait_until(lambda: "uthentication" in relay.log(), "it is refused")
            trial.wait_for_load(trial.random.randrange(100))
            pathlib.Path(relay.config["kafka.sasl.password-file"]).write_text(new)

        try:
            trial.repeat(inject)
        finally:
            assert PASSWORD not in relay.log()


# -------------------------------------------------------------------------- several brokers


@pytest.fixture(scope="module")
def cluster():
    """Three brokers; the first is the controller as well, and is not made to fail."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(PrivateKafka(heap="256m", name="kafka-1"))
        others = [
            stack.enter_context(PrivateKafka(heap="256m", name=f"kafka-{n}", leader=first))
            for n in (2, 3)
        ]
        yield [first, *others]


@pytest.fixture
def replicated(outboxd, mysql, cluster, tmp_path):
    """A relay whose topic has three replicas, two of which must be in sync."""
    bootstrap = ",".join(broker.bootstrap for broker in cluster)
    settings = {**SETTINGS, "kafka__bootstrap__servers": bootstrap}
    with Relay(outboxd, mysql, cluster[0], tmp_path, topics=(), **settings) as relay:
        cluster[0].create_topic(
            relay.topic(), partitions=6, replication=3, configs={"min.insync.replicas": "2"}
        )
        yield relay


def elect_preferred_leaders(cluster):
    cluster[0].tool(
        "org.apache.kafka.tools.LeaderElectionCommand", "--bootstrap-server",
        cluster[0].bootstrap, "--election-type", "preferred", "--all-topic-partitions",
    )


def test_leaders_killed_and_moved_back(replicated, cluster):
    with Trial(replicated, "Kafka: leader killed, then moved back") as trial:

        def inject():
            broker = trial.random.choice(cluster[1:])
            broker.kill9()
            trial.wait_for_load(trial.random.randrange(50, 300))
            broker.start()
            elect_preferred_leaders(cluster)

        trial.repeat(inject)


def test_too_few_replicas_in_sync(replicated, cluster):
    with Trial(replicated, "Kafka: too few replicas in sync") as trial:

        def inject():
            for broker in cluster[1:]:
                broker.kill9()
            trial.wait_for_load(trial.random.randrange(200, 800))
            for broker in cluster[1:]:
                broker.start()

        trial.repeat(inject)


def test_partitions_moved_between_brokers(replicated, cluster):
    """Brokers stop in good order, one by one, as in an upgrade."""
    with Trial(replicated, "Kafka: rolling restart of the brokers") as trial:

        def inject():
            for broker in cluster[1:]:
                broker.restart()
                trial.wait_for_load(20)
            elect_preferred_leaders(cluster)

        trial.repeat(inject)
