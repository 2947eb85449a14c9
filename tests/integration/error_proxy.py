"""A proxy between a relay and its MySQL server that answers in the server's place on demand.

It forwards whole packets of the plain protocol, so that the relay must not use TLS. Threads of its
own; every method may be called from any thread.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

from mysql_packets import packet, receive
from relay import wait_until

# Where an answer is met: in place of what follows the log-in, a statement, the request for the
# binary log; or within the stream, behind a transaction.
LOG_IN, STATEMENT, DUMP, STREAM = "log-in", "statement", "dump", "stream"

COM_QUERY, COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID = 0x03, 0x12, 0x1E
XID_EVENT = 16


def error_body(number, text):
    return b"\xff" + struct.pack("<H", number) + b"#HY000" + text.encode()


def text(value):
    return bytes([len(value)]) + value


OK = [b"\0\0\0\2\0\0\0"]
# One row of one column, the number 1, for a client that expects no EOF behind the columns.
ONE_COLUMN = [
    b"\1",
    text(b"def") + 3 * text(b"") + text(b"x") + text(b"") + b"\x0c" + struct.pack(
        "<HIBHBxx", 63, 1, 3, 0, 0
    ),
    text(b"1"),
    b"\xfe\0\0\2\0\0\0",
]


@dataclass
class _Answer:
    bodies: list
    times: int  # None: until heal().
    sql: bytes


class _Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.is_streaming = self.has_transaction = False

    def close(self):
        for peer in (self.client, self.server):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)


class ErrorProxy:
    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._answers = {}
        self._refuses = False
        self._connections = set()
        self.answered = {place: 0 for place in (LOG_IN, STATEMENT, DUMP, STREAM)}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, place, number, text="injected", times=1, sql=b""):
        """The next `times` times with an error. `sql`: a part of the statement."""
        self.answer_with(place, [error_body(number, text)], times, sql)

    def answer_with(self, place, bodies, times=1, sql=b""):
        with self._lock:
            self._answers[place] = _Answer(bodies, times, sql)

    def refuse(self):
        """No connection is taken, and those of now end."""
        self._refuses = True
        self.reset()

    def heal(self):
        with self._lock:
            self._refuses = False
            self._answers.clear()

    def reset(self):
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close()

    def wait(self, what="the answers"):
        """Until everything was answered that was to be answered so many times."""
        wait_until(lambda: all(a.times is None for a in list(self._answers.values())), what)

    def close(self):
        self._listener.close()
        self.reset()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refuses:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return
            with server:
                connection = _Connection(client, server)
                with self._lock:
                    self._connections.add(connection)
                back = threading.Thread(target=self._pump, args=(connection, self._to_client))
                back.start()
                self._pump(connection, self._to_server)
                back.join()
                with self._lock:
                    self._connections.discard(connection)

    @staticmethod
    def _pump(connection, forward):
        with contextlib.suppress(OSError, EOFError):
            while forward(connection):
                pass
        connection.close()

    def _to_server(self, connection):
        """False: the connection is over."""
        sequence, body = receive(connection.client)
        if sequence != 0:  # Of the log-in; commands begin anew.
            place = LOG_IN
        elif body[0] in (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID):
            place = DUMP
        else:
            place = STATEMENT if body[0] == COM_QUERY else None
        bodies = self._take(place, body)
        if bodies is None:
            connection.is_streaming = place == DUMP
            connection.server.sendall(packet(sequence, body))
            return True
        self._send(connection, sequence + 1, bodies)
        return place == STATEMENT

    def _to_client(self, connection):
        sequence, body = receive(connection.server)
        if connection.has_transaction:
            bodies = self._take(STREAM)
            if bodies is not None:
                self._send(connection, sequence, bodies)
                return False
        connection.client.sendall(packet(sequence, body))
        if connection.is_streaming and len(body) > 5 and body[5] == XID_EVENT:
            connection.has_transaction = True
        return True

    def _take(self, place, body=b""):
        """What is to be answered; None: nothing."""
        with self._lock:
            answer = self._answers.get(place)
            if answer is None or answer.sql not in body:
                return None
            if answer.times is not None:
                answer.times -= 1
                if answer.times == 0:
                    del self._answers[place]
            self.answered[place] += 1
            return answer.bodies

    @staticmethod
    def _send(connection, sequence, bodies):
        for number, body in enumerate(bodies):
            connection.client.sendall(packet(sequence + number, body))
