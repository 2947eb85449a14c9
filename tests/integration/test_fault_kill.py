"""SIGKILL at random moments under load: nothing lost, nothing invented, order kept per key."""

import os
import random
import threading
import time

from relay import Relay

KILLS = int(os.environ.get("OUTBOXD_TEST_KILLS", "20"))
SEED = int(os.environ.get("OUTBOXD_TEST_SEED", str(random.randrange(1 << 30))))
WRITERS = 4
KEYS = 5


class Writer(threading.Thread):
    """Commits, rolls back, undoes to savepoints, deletes again. Each writer has keys of its own, so
    that the order of its commits is the order that the key's consumer must see."""

    def __init__(self, relay, number, stop):
        super().__init__()
        self.random = random.Random(SEED * 100 + number)
        self.connection = relay.connect()
        self.number, self.stop = number, stop
        self.committed = {}  # id -> (key, value), in commit order
        self.never = set()
        self.count = 0

    def insert(self, cursor):
        self.count += 1
        event = f"w{self.number}-{self.count}"
        key = f"key-{self.number}-{self.random.randrange(KEYS)}"
        value = f'{{"n":{self.count},"pad":"{"x" * self.random.randrange(300)}"}}'
        cursor.execute(
            "INSERT INTO outbox VALUES (%s, 'order', %s, 'Created', %s)", (event, key, value)
        )
        return {event: (key, value)}

    def run(self):
        with self.connection.cursor() as cursor:
            while not self.stop.is_set():
                self.transaction(cursor)
        self.connection.close()

    def transaction(self, cursor):
        choice = self.random.random()
        events = {}
        for _ in range(self.random.randrange(1, 8)):
            events |= self.insert(cursor)
        if choice < 0.15:
            self.connection.rollback()
            self.never |= set(events)
            return
        if choice < 0.3:
            cursor.execute("SAVEPOINT s")
            undone = self.insert(cursor)
            cursor.execute("ROLLBACK TO s")
            self.never |= set(undone)
            events |= self.insert(cursor)
        if choice > 0.8:
            event = self.random.choice(list(events))
            cursor.execute("DELETE FROM outbox WHERE id = %s", (event,))
        cursor.execute("INSERT INTO orders (note) VALUES ('business')")
        self.connection.commit()
        self.committed |= events


def test_kill_9_under_load_loses_nothing_invents_nothing_and_keeps_order(
    outboxd, mysql, kafka, tmp_path
):
    moments = random.Random(SEED)
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.begin_now()
        stop = threading.Event()
        writers = [Writer(relay, n, stop) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            relay.start()
            time.sleep(moments.uniform(0.02, 1.5))  # The random moment itself.
            assert relay.process.poll() is None, relay.log()[-2000:]
            relay.kill()
        stop.set()
        for writer in writers:
            writer.join()
        committed = {k: v for w in writers for k, v in w.committed.items()}
        never = set().union(*(w.never for w in writers))

        relay.start()
        last = f"last-{SEED}"
        relay.insert(last, key="last")
        deadline = time.monotonic() + 120
        messages = []
        while not any(m.id == last for m in messages):
            assert time.monotonic() < deadline, relay.log()[-3000:]
            messages = relay.received()
        assert relay.stop() == 0
        messages = [m for m in relay.received() if m.id != last]

    received = {}
    for message in messages:
        content = (message.key.decode(), message.value.decode())
        assert received.setdefault(message.id, content) == content
    lost = set(committed) - set(received)
    invented = set(received) - set(committed)
    order = {}
    for message in messages:
        order.setdefault(message.key.decode(), {}).setdefault(message.id)
    disordered = 0
    for key, ids in order.items():
        expected = [e for w in writers for e, (k, _) in w.committed.items() if k == key]
        disordered += list(ids) != expected
    print(
        f"\nseed {SEED}: {KILLS} kills, {len(committed)} committed, {len(never)} rolled back,"
        f" {len(messages)} received, {len(messages) - len(received)} duplicates,"
        f" {len(lost)} lost, {len(invented)} invented, {disordered} keys out of order"
    )
    assert not lost and not invented and not disordered
    assert not never & set(received)
    assert all(received[i] == content for i, content in committed.items())
