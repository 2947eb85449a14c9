"""A load for a relay that a test upgrades or moves, and the question whether all of it arrived."""

import threading

from fault_trial import TopicReader
from relay import wait_until


class Load(threading.Thread):
    """Commits an event at a time until the context ends."""

    def __init__(self, relay):
        super().__init__(daemon=True)
        self.relay, self.end, self.ids = relay, threading.Event(), []

    def run(self):
        connection = self.relay.connect()
        with connection.cursor() as cursor:
            while not self.end.is_set():
                identifier = f"load-{len(self.ids) + 1}"
                cursor.execute("INSERT INTO outbox VALUES (%s, 'order', 'k', 'Created', '{}')",
                               (identifier,))
                connection.commit()
                self.ids.append(identifier)
                self.end.wait(0.002)
        connection.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.join()


def everything_arrives(relay, ids):
    """Each event, in order, and nothing else; how many came twice."""
    reader = TopicReader(relay.kafka.bootstrap, relay.topic())
    wait_until(lambda: set(ids) <= reader.read(),
               f"all events; missing {sorted(set(ids) - reader.ids)[:5]}; {relay.log()[-2000:]}")
    assert reader.ids == set(ids)
    assert list(dict.fromkeys(m.id for m in reader.messages)) == ids, "out of order"
    return len(reader.messages) - len(reader.ids)
