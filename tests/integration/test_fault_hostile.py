"""Rows and servers that mean harm."""

import socket
import struct
import threading

import pytest
from relay import Relay, ids, wait_until


@pytest.fixture
def relay(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        yield relay.begin_now()


@pytest.mark.parametrize(
    "topic",
    ["__consumer_offsets", "__transaction_state", "..", ".", "a/b", "a b", "", "x" * 250, "ä"],
)
def test_a_topic_that_must_not_be_written_holds_and_nothing_behind_it_is_skipped(relay, topic):
    relay.configure(outbox__topic="{aggregatetype}").start()
    relay.insert("bad", kind=topic)
    relay.insert("good", kind=relay.topic())
    wait_until(lambda: "holding at event" in relay.log(), "the hold")
    assert relay.received() == []
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 0
    assert ids(relay.wait_for(1)) == ["good"]
    assert relay.stop() == 0


def test_any_bytes_in_keys_and_headers_arrive_and_none_reach_the_log_raw(relay):
    nasty = "\x1b[31mred\r\n2026-01-01T00:00:00 info forged\x00\x7f\u202e"
    relay.start()
    relay.sql(
        "INSERT INTO outbox VALUES (%s, 'order', %s, %s, %s)", (nasty, nasty, nasty, nasty)
    )
    message = relay.wait_for(1)[0]
    headers = dict(message.headers)
    expected = nasty.encode()
    assert (message.key, message.value, headers["id"]) == (expected, expected, expected)
    assert headers["eventType"] == expected
    # A bad event is named in log and status by what it holds.
    relay.sql("INSERT INTO outbox VALUES (%s, %s, 'k', 't', '{}')", ("2" + nasty, nasty))
    wait_until(lambda: "holding at event" in relay.log(), "the hold")
    status = relay.command("status").stdout
    for text in (relay.log(), status):
        assert not any(c in text for c in "\x1b\r\x00\x7f")
        assert "\n2026-01-01T00:00:00 info forged" not in text
    assert relay.stop() == 0


def test_many_distinct_topics_that_do_not_exist_hold_at_the_first(relay):
    relay.configure(outbox__topic="{aggregatetype}").start()
    connection = relay.connect()
    with connection.cursor() as cursor:
        rows = [(f"e{n}", f"no-such-topic-{n}", "k", "t", "{}") for n in range(10_000)]
        cursor.executemany("INSERT INTO outbox VALUES (%s, %s, %s, %s, %s)", rows)
    connection.commit()
    connection.close()
    wait_until(lambda: "holding at event" in relay.log(), "the hold")
    assert relay.memory_kib("VmHWM") < 150_000
    assert len(relay.log()) < 50_000
    assert relay.stop() == 0


class HostileServer(threading.Thread):
    """Greets as MySQL does and then answers each packet with `answer`."""

    def __init__(self, answer, greeting=None):
        super().__init__(daemon=True)
        self.answer = answer
        self.greeting = greeting if greeting is not None else packet(0, HELLO)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.received = b""
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                connection.sendall(self.greeting)
                while data := connection.recv(65536):
                    self.received += data
                    connection.sendall(self.answer)
            except OSError:
                pass

    def close(self):
        self.socket.close()


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


# Protocol 10 without TLS, mysql_native_password.
HELLO = (
    b"\x0a8.0.36\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", 0xF7FF & ~0x0800)
    + b"\xff\x02\0" + struct.pack("<H", 0xC1FF) + b"\x15" + bytes(10) + b"123456789012\0"
    + b"mysql_native_password\0"
)  # fmt: skip
OK = packet(2, b"\0\0\0\2\0\0\0")
LOCAL_INFILE = b"\xfb/etc/passwd"


@pytest.mark.parametrize(
    "answer",
    [
        packet(2, LOCAL_INFILE),
        OK + packet(1, LOCAL_INFILE),
        packet(2, b"\xfemysql_clear_password\0"),
        packet(2, b"\xfe"),
        packet(2, b"\xff"),
        b"\xff\xff\xff\2" + b"x" * 1000,
        packet(2, b""),
        bytes(100),
        b"\xff" * 100,
        packet(2, b"\xfe" + b"A" * 1000),
    ],
    ids=lambda answer: answer[:12].hex(),
)
@pytest.mark.parametrize("tls", ["disabled", "required"])
def test_a_hostile_server_gets_no_file_and_no_password(relay, answer, tls):
    server = HostileServer(answer)
    try:
        relay.configure(mysql__port=server.port, mysql__tls=tls)
        check = relay.command("check")
        assert check.returncode in (69, 77, 78), (check.returncode, check.stdout, check.stderr)
        assert b"root:" not in server.received
        assert relay.password_file.read_text().strip().encode() not in server.received
        assert relay.password_file.read_text().strip() not in check.stdout + check.stderr
    finally:
        server.close()


@pytest.mark.parametrize(
    "greeting",
    [b"", b"\0\0\0\0", packet(0, b"\x0a"), packet(0, b"\x0a" + b"9" * 5000), b"\xff\xff\xff\0",
     packet(0, b"\xff\x10\x04Too many connections"), b"SSH-2.0-OpenSSH_9.2\r\n"],
    ids=lambda greeting: greeting[:12].hex(),
)  # fmt: skip
def test_whatever_greets_instead_of_mysql_is_an_error(relay, greeting):
    server = HostileServer(b"", greeting)
    try:
        relay.configure(mysql__port=server.port)
        relay.start()
        wait_until(lambda: "trying again" in relay.log() or relay.process.poll() is not None, "it")
        if relay.process.poll() is None:
            assert relay.stop() == 0
        else:
            assert relay.wait() in (69, 77, 78), relay.log()
    finally:
        server.close()
