"""Measures outboxd next to librdkafka alone, on private servers, in one run.

Prints the time from process start to the first message, catch-up over COUNT rows of 400 bytes
(events a second, CPU seconds a million events, peak memory), and the delay from commit to consumer
at 200 events a second. Ratios hold; absolute figures belong to the machine.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "packaging"), str(SOURCE / "tests/integration")]

from kafka import KafkaConsumer, TopicPartition  # noqa: E402
from private_servers import PrivateKafka, PrivateMysql  # noqa: E402
from relay import Relay  # noqa: E402

PAYLOAD_BYTES = 300  # With id, type, key and headers about 400 bytes a row.


def count_messages(consumer, topic):
    partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
    return sum(consumer.end_offsets(partitions).values())


def fill(relay, count):
    relay.sql(f"""CREATE PROCEDURE fill() BEGIN DECLARE i INT DEFAULT 0; WHILE i < {count} DO
      START TRANSACTION;
      INSERT INTO outbox
        SELECT CONCAT(LPAD(i + n, 8, '0'), '-0000-0000-0000-000000000000'), 'order',
        CONCAT('key-', (i + n) % 1000), 'Created',
        JSON_OBJECT('id', i + n, 'pad', REPEAT('x', {PAYLOAD_BYTES - 30}))
        FROM (WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 19)
              SELECT n FROM s) t;
      COMMIT; SET i = i + 20; END WHILE; END""")
    relay.sql("CALL fill()")


def resources_of(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def catch_up(relay, count, consumer):
    begin = time.monotonic()
    relay.start()
    first = None
    while (received := count_messages(consumer, relay.topic())) < count:
        if first is None and received:
            first = time.monotonic() - begin
        assert relay.process.poll() is None, relay.log()
        time.sleep(0.005 if first is None else 0.05)
    seconds = time.monotonic() - begin
    relay.process.terminate()
    cpu, memory = resources_of(relay.process)
    relay.process = None
    return seconds, cpu, memory, first


def alone(binary, kafka, topic, count):
    kafka.create_topic(topic, partitions=3)
    begin = time.monotonic()
    process = subprocess.Popen([binary, kafka.bootstrap, topic, str(count), str(PAYLOAD_BYTES)])
    cpu, memory = resources_of(process)
    return time.monotonic() - begin, cpu, memory


def commit_to_consumer(relay, count, rate):
    relay.start()
    consumer = KafkaConsumer(bootstrap_servers=relay.kafka.bootstrap, fetch_max_wait_ms=100)
    topic = relay.topic()
    partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_end(*partitions)
    for partition in partitions:
        consumer.position(partition)
    committed, arrived = {}, {}

    def receive():
        while len(arrived) < count:
            for batch in consumer.poll(timeout_ms=1000).values():
                now = time.monotonic()
                for message in batch:
                    arrived.setdefault(dict(message.headers)["id"].decode(), now)

    thread = threading.Thread(target=receive)
    thread.start()
    connection = relay.connect()
    next_at = time.monotonic() + 1
    with connection.cursor() as cursor:
        for i in range(count):
            time.sleep(max(0, next_at - time.monotonic()))
            next_at += 1 / rate
            cursor.execute(
                "INSERT INTO outbox VALUES (%s, 'order', %s, 'Created', '{}')", (f"l{i}", f"k{i}")
            )
            connection.commit()
            committed[f"l{i}"] = time.monotonic()
    thread.join()
    relay.stop()
    delays = sorted(max(0.0, arrived[i] - committed[i]) * 1000 for i in committed)
    return [delays[int(len(delays) * p)] for p in (0.5, 0.95, 0.99)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--outboxd", required=True)
    parser.add_argument("--alone", required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    million = options.count / 1e6
    with PrivateMysql() as mysql, PrivateKafka(heap="1g") as kafka:
        with tempfile.TemporaryDirectory() as folder:
            relay = Relay(options.outboxd, mysql, kafka, folder).begin_now()
            fill(relay, options.count)
            consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
            checkpoint = (relay.state / "checkpoint").read_bytes()
            for round_ in range(options.rounds):
                (relay.state / "checkpoint").write_bytes(checkpoint)
                relay.configure(outbox__topic=f"r{round_}." + "{aggregatetype}")
                relay.topic_prefix = f"r{round_}."
                kafka.create_topic(relay.topic(), partitions=3)
                seconds, cpu, memory, first = catch_up(relay, options.count, consumer)
                a_seconds, a_cpu, a_memory = alone(
                    options.alone, kafka, f"alone{round_}", options.count
                )
                print(
                    f"outboxd: {options.count / seconds:,.0f} events/s, {cpu / million:.1f} CPU s a"
                    f" million, {memory:.0f} MB, first message after {first * 1000:.0f} ms\n"
                    f"librdkafka alone: {options.count / a_seconds:,.0f} messages/s,"
                    f" {a_cpu / million:.1f} CPU s a million, {a_memory:.0f} MB\n"
                    f"ratio: {a_seconds / seconds:.2f} of its rate, {cpu / a_cpu:.2f} of its CPU",
                    flush=True,
                )
            delays = commit_to_consumer(relay, 2000, 200)
            p50, p95, p99 = delays
            print(f"commit to consumer at 200/s: p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms")


if __name__ == "__main__":
    main()
