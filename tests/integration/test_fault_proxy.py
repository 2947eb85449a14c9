"""The proxy's faults are what they say, or the tests that use them prove nothing."""

import contextlib
import socket
import struct
import threading
import time

import pytest
from fault_proxy import METADATA, PRODUCE, TO_CLIENT, TO_SERVER, FaultProxy


class Echo:
    """A server that sends back what it gets, and remembers the ends of its connections."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(
                    target=self.serve, args=(self.listener.accept()[0],), daemon=True
                ).start()

    def serve(self, peer):
        try:
            while chunk := peer.recv(65536):
                peer.sendall(chunk)
            self.ends.append("closed")
        except OSError as error:
            self.ends.append(type(error).__name__)
        peer.close()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.listener.close()


@pytest.fixture
def proxy(echo):
    with FaultProxy("127.0.0.1", echo.port) as proxy:
        yield proxy


def connect(proxy, timeout=10):
    return socket.create_connection((proxy.host, proxy.port), timeout)


def receive(peer, count):
    content = b""
    while len(content) < count:
        part = peer.recv(count - len(content))
        assert part, content
        content += part
    return content


def exchange(peer, content):
    peer.sendall(content)
    return receive(peer, len(content))


def is_silent(peer, seconds=0.3):
    peer.settimeout(seconds)
    try:
        return not peer.recv(1) and False
    except TimeoutError:
        return True
    finally:
        peer.settimeout(10)


def test_without_faults_everything_passes(proxy):
    with connect(proxy) as peer:
        content = bytes(range(256)) * 5000
        threading.Thread(target=peer.sendall, args=(content,)).start()
        assert receive(peer, len(content)) == content


def test_a_stall_holds_everything_and_loses_nothing(proxy):
    with connect(proxy) as peer:
        exchange(peer, b"before")
        proxy.stall()
        peer.sendall(b"stalled")
        assert is_silent(peer)
        proxy.heal()
        assert receive(peer, 7) == b"stalled"


def test_a_dropped_connection_stays_open_and_silent_and_a_new_one_serves(proxy):
    with connect(proxy) as peer:
        exchange(peer, b"before")
        proxy.drop()
        with connect(proxy) as late:
            late.sendall(b"x")
            assert is_silent(late)
        proxy.heal()
        peer.sendall(b"dropped")
        assert is_silent(peer)
        with connect(proxy) as other:
            assert exchange(other, b"after") == b"after"


def test_a_reset_reaches_both_ends_and_a_refused_connection_is_reset(proxy, echo):
    with connect(proxy) as peer:
        exchange(peer, b"before")
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
    proxy.wait(lambda _: echo.ends == ["ConnectionResetError"], "the server's end")
    proxy.refuse()
    # The reset may come while it still connects.
    with pytest.raises(ConnectionResetError), connect(proxy) as peer:
        peer.recv(1)


def test_a_half_close_leaves_the_other_way_open(proxy, echo):
    with connect(proxy) as peer:
        exchange(peer, b"before")
        proxy.half_close(TO_CLIENT)
        assert peer.recv(1) == b""
        sent = proxy.forwarded[TO_SERVER]
        peer.sendall(b"still")
        proxy.wait(lambda p: p.forwarded[TO_SERVER] == sent + 5, "the other way")


@pytest.mark.parametrize("action", ["reset", "drop", "close"])
def test_a_cut_passes_exactly_so_many_bytes(proxy, action):
    with connect(proxy) as peer:
        exchange(peer, b"before")
        proxy.cut_after(TO_CLIENT, 5, action)
        peer.sendall(b"123456789")
        assert receive(peer, 5) == b"12345"
        if action == "reset":
            with pytest.raises(ConnectionResetError):
                peer.recv(1)
        elif action == "close":
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(1) == b""
        else:
            assert is_silent(peer)
        assert proxy.cuts == 1


def test_one_byte_is_corrupted_at_a_place_or_where_a_pattern_is(proxy):
    with connect(proxy) as peer:
        proxy.corrupt(TO_SERVER, after=7, mask=1)
        assert exchange(peer, b"0000") + exchange(peer, b"0000") == b"00000001"
        proxy.corrupt(TO_CLIENT, pattern=b"amount", mask=0x20)
        assert exchange(peer, b"other") == b"other"
        assert exchange(peer, b"amount=1 amount=2") == b"Amount=1 amount=2"
        assert proxy.corruptions == 2


def test_delay_and_rate_take_their_time(proxy):
    with connect(proxy) as peer:
        proxy.delay(0.2)
        begin = time.monotonic()
        exchange(peer, b"x")
        assert time.monotonic() - begin >= 0.4
        proxy.heal()
        proxy.throttle(2000, ways=[TO_CLIENT])
        begin = time.monotonic()
        exchange(peer, b"x" * 1000)
        assert time.monotonic() - begin >= 0.4


def frame(api_key, correlation, body=b""):
    content = struct.pack(">hhi", api_key, 1, correlation) + body
    return struct.pack(">i", len(content)) + content


@pytest.fixture
def answering():
    """A server that answers every frame with its correlation id."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard = []

    def serve(peer):
        with contextlib.suppress(OSError, struct.error), peer:
            while True:
                (length,) = struct.unpack(">i", peer.recv(4, socket.MSG_WAITALL))
                content = peer.recv(length, socket.MSG_WAITALL)
                heard.append(struct.unpack_from(">hhi", content)[2])
                peer.sendall(struct.pack(">i", 4) + content[4:8])

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with FaultProxy("127.0.0.1", listener.getsockname()[1], kafka=True) as proxy:
        yield proxy, heard
    listener.close()


def answer(peer):
    return struct.unpack(">ii", receive(peer, 8))[1]


def test_held_requests_are_overtaken_and_come_later(answering):
    proxy, heard = answering
    with connect(proxy) as peer:
        proxy.hold_frames(PRODUCE, TO_SERVER)
        peer.sendall(frame(PRODUCE, 1) + frame(METADATA, 2))
        assert answer(peer) == 2
        proxy.heal()
        assert answer(peer) == 1
        proxy.hold_frames(PRODUCE, TO_SERVER)
        peer.sendall(frame(PRODUCE, 4))
        proxy.wait(lambda p: p.lost_frames[PRODUCE, TO_SERVER] == 2, "the held frame")
    proxy.heal()  # Even after the client has gone.
    proxy.wait(lambda _: 4 in heard, "the held frame's arrival")


def test_dropped_responses_never_come(answering):
    proxy, heard = answering
    with connect(proxy) as peer:
        proxy.drop_frames(PRODUCE, TO_CLIENT, times=1)
        large = frame(PRODUCE, 1, b"x" * 300_000)
        peer.sendall(large + frame(METADATA, 2) + frame(PRODUCE, 3))
        assert [answer(peer), answer(peer)] == [2, 3] and heard == [1, 2, 3]
        assert proxy.frames[PRODUCE, TO_SERVER] == 2
