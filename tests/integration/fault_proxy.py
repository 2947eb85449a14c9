"""A TCP proxy that misbehaves on demand, between a relay and its MySQL server or Kafka broker.

It runs in a thread of its own; every method may be called from any thread. Faults hold for all
connections, those of the future included, until heal(). What a fault destroyed stays destroyed: a
connection that lost bytes is not mended by heal().
"""

import asyncio
import contextlib
import enum
import random
import socket
import struct
import threading
import time

# Kafka's API keys (https://kafka.apache.org/protocol).
PRODUCE = 0
METADATA = 3
API_VERSIONS = 18
INIT_PRODUCER_ID = 22

CHUNK_BYTES = 64 * 1024


class Way(enum.Enum):
    TO_SERVER = 0
    TO_CLIENT = 1


TO_SERVER, TO_CLIENT = Way


class _Connection:
    def __init__(self, client, server):
        self.ends = {TO_SERVER: (client, server), TO_CLIENT: (server, client)}
        self.is_hole = False
        self.pumps = []
        self.api_keys = {}  # By correlation id, of requests without a response so far.
        self.held = []  # (way, frame)
        self.released = asyncio.Event()  # Nothing is held any more.
        self.writing = {way: asyncio.Lock() for way in Way}

    def abort(self):
        """Both peers get a RST."""
        for peer in self.ends[TO_SERVER]:
            with contextlib.suppress(OSError):
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for pump in self.pumps:
            pump.cancel()


class _Faults:
    """What is wrong at the moment."""

    def __init__(self):
        self.delay = {TO_SERVER: (0.0, 0.0), TO_CLIENT: (0.0, 0.0)}
        self.rate = {TO_SERVER: None, TO_CLIENT: None}
        self.refuses = False
        self.drops = False
        self.cut = {}  # way -> [bytes left or pattern, action]
        self.corrupt = {}  # way -> [pattern or None, bytes left, mask]
        self.frames = {}  # (api key, way) -> [action, times left]


class FaultProxy:
    """Forwards to `host`:`port`. With kafka=True it sees Kafka's frames, so that those of one API
    can be held or lost."""

    def __init__(self, host, port, kafka=False, listen=("127.0.0.1", 0)):
        self._target = (host, port)
        self._kafka = kafka
        self._faults = _Faults()
        self._connections = set()
        self._tasks = set()
        self.random = random.Random()
        self.accepted = self.cuts = self.corruptions = 0
        self.forwarded = {TO_SERVER: 0, TO_CLIENT: 0}
        self.frames = {}  # (api key, way) -> how many came
        self.lost_frames = {}  # (api key, way) -> how many were held or dropped
        self._listener = socket.create_server(listen, backlog=64)
        self._listener.setblocking(False)
        self.host, self.port = self._listener.getsockname()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------- faults

    def delay(self, seconds, jitter=0.0, ways=tuple(Way)):
        """Everything read is passed on later by `seconds` and up to `jitter` more."""
        self._do(lambda: self._faults.delay.update({way: (seconds, jitter) for way in ways}))

    def throttle(self, bytes_per_second, ways=tuple(Way)):
        self._do(lambda: self._faults.rate.update({way: bytes_per_second for way in ways}))

    def stall(self):
        """Nothing is read nor written until heal(); nothing is lost."""
        self._do(self._flows.clear)

    def drop(self):
        """All connections, and those to come, become half-open: they stay, nothing is forwarded,
        for good."""

        def start():
            self._faults.drops = True
            for connection in self._connections:
                connection.is_hole = True

        self._do(start)

    def refuse(self):
        """New connections are reset at once."""
        self._do(lambda: setattr(self._faults, "refuses", True))

    def reset(self):
        """All connections of now end with a RST at both ends."""
        self._do(lambda: [connection.abort() for connection in list(self._connections)])

    def half_close(self, way):
        """The receiver of `way` sees the end of the stream; the other way stays open."""

        def close():
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.ends[way][1].shutdown(socket.SHUT_WR)

        self._do(close)

    def cut_after(self, way, count, action="reset"):
        """Once: behind `count` further bytes of `way` the connection that brought them is reset,
        dropped (half-open) or closed."""
        self._do(lambda: self._faults.cut.update({way: [count, action]}))

    def cut_behind(self, way, pattern, action="reset"):
        """The same behind the read that brings `pattern`."""
        self._do(lambda: self._faults.cut.update({way: [pattern, action]}))

    def corrupt(self, way, pattern=None, after=0, mask=0x10):
        """Once: changes the byte behind `after` further bytes, or the first byte of `pattern` when
        that comes within one read."""
        self._do(lambda: self._faults.corrupt.update({way: [pattern, after, mask]}))

    def hold_frames(self, api_key, way, times=None):
        """Requests or responses of one API wait, overtaken by others, until heal()."""
        self._do(lambda: self._faults.frames.update({(api_key, way): ["hold", times]}))

    def drop_frames(self, api_key, way, times=None):
        self._do(lambda: self._faults.frames.update({(api_key, way): ["drop", times]}))

    def heal(self):
        """No more faults; what is held goes on."""

        def end():
            self._faults = _Faults()
            self._flows.set()
            for connection in self._connections:
                if connection.held:
                    self._start(self._release(connection))

        self._do(end)

    def close(self):
        def end():
            for task in list(self._tasks):
                task.cancel()

        with contextlib.suppress(RuntimeError):
            self._do(end)
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def wait_for_cut(self, way, seconds=60):
        self.wait(lambda _: way not in self._faults.cut, "the cut", seconds)

    def wait_for_corruption(self, way, seconds=60):
        self.wait(lambda _: way not in self._faults.corrupt, "the corruption", seconds)

    def wait(self, condition, what, seconds=60):
        """Waits until `condition` of this proxy is true."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, f"proxy: not within {seconds} s: {what}"
            time.sleep(0.005)

    # ------------------------------------------------------------------------------ the loop

    def _do(self, action):
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (action(), done.set()))
        assert done.wait(30), "the proxy's thread does not answer"

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._start(self._accept())
        self._loop.run_forever()
        for _ in range(3):  # Cancelled tasks close their sockets.
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _start(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self):
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.accepted += 1
            self._start(self._serve(client))

    async def _serve(self, client):
        server = socket.socket()
        connection = _Connection(client, server)
        try:
            for peer in (client, server):
                peer.setblocking(False)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._faults.refuses:
                raise ConnectionRefusedError
            await self._loop.sock_connect(server, self._target)
            self._connections.add(connection)
            connection.is_hole = self._faults.drops
            connection.pumps = [self._start(self._pump(connection, way)) for way in Way]
            await asyncio.gather(*connection.pumps, return_exceptions=True)
        except OSError:
            connection.abort()
        finally:
            self._connections.discard(connection)
            for pump in connection.pumps:
                pump.cancel()
            for peer in (client, server):
                peer.close()

    async def _pump(self, connection, way):
        source, sink = connection.ends[way]
        rest = b""
        try:
            while True:
                await self._flows.wait()
                chunk = await self._loop.sock_recv(source, CHUNK_BYTES)
                await self._flows.wait()
                if not chunk:
                    break
                if self._kafka:
                    chunk, rest = self._whole_frames(connection, way, rest + chunk)
                await self._forward(connection, way, chunk)
            await self._end(connection, way)
        except OSError:
            connection.abort()

    async def _end(self, connection, way):
        if connection.is_hole and way is TO_CLIENT:
            return  # The client must not hear of it.
        if any(held_way is way for held_way, _ in connection.held):
            await connection.released.wait()
        with contextlib.suppress(OSError):
            connection.ends[way][1].shutdown(socket.SHUT_WR)
        if way is TO_SERVER and connection.is_hole:
            connection.pumps[TO_CLIENT.value].cancel()

    async def _release(self, connection):
        """Even if the client of the connection has gone: then the server gets a stray request."""
        with contextlib.suppress(OSError):
            for way, frame in connection.held:
                await self._forward(connection, way, frame)
        connection.held = []
        connection.released.set()

    async def _forward(self, connection, way, content):
        async with connection.writing[way]:
            await self._write(connection, way, content)

    async def _write(self, connection, way, content):
        content = self._corrupted(way, content)
        seconds, jitter = self._faults.delay[way]
        if seconds or jitter:
            await asyncio.sleep(seconds + self.random.uniform(0, jitter))
        while content:
            await self._flows.wait()
            rate = self._faults.rate[way]
            size = len(content) if rate is None else max(1, rate // 20)
            piece, content = content[:size], content[size:]
            piece, action = self._cut(way, piece)
            if not connection.is_hole:
                await self._loop.sock_sendall(connection.ends[way][1], piece)
                self.forwarded[way] += len(piece)
            if action == "drop":
                connection.is_hole = True
            elif action == "close":
                raise ConnectionAbortedError
            elif action == "reset":
                connection.abort()
                await asyncio.sleep(0)
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)

    def _cut(self, way, piece):
        cut = self._faults.cut.get(way)
        if cut is None:
            return piece, None
        place = len(piece)
        if isinstance(cut[0], bytes):
            if cut[0] not in piece:
                return piece, None
        elif cut[0] > len(piece):
            cut[0] -= len(piece)
            return piece, None
        else:
            place = cut[0]
        del self._faults.cut[way]
        self.cuts += 1
        return piece[:place], cut[1]

    def _corrupted(self, way, content):
        fault = self._faults.corrupt.get(way)
        if fault is None or not content:
            return content
        pattern, after, mask = fault
        place = after if pattern is None else content.find(pattern)
        if pattern is None and after >= len(content):
            fault[1] -= len(content)
            return content
        if place < 0:
            return content
        del self._faults.corrupt[way]
        self.corruptions += 1
        return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]

    # --------------------------------------------------------------------------------- Kafka

    def _whole_frames(self, connection, way, content):
        """The frames to pass on, and the beginning of the next."""
        passed = []
        while len(content) >= 4:
            (length,) = struct.unpack_from(">i", content)
            if len(content) < 4 + length:
                break
            frame, content = content[: 4 + length], content[4 + length :]
            if self._passes(connection, way, frame):
                passed.append(frame)
        return b"".join(passed), content

    def _passes(self, connection, way, frame):
        if way is TO_SERVER:
            api_key, _, correlation = struct.unpack_from(">hhi", frame, 4)
            connection.api_keys[correlation] = api_key
        else:
            (correlation,) = struct.unpack_from(">i", frame, 4)
            api_key = connection.api_keys.pop(correlation, None)
        self.frames[api_key, way] = self.frames.get((api_key, way), 0) + 1
        fault = self._faults.frames.get((api_key, way))
        if fault is None or fault[1] == 0:
            return True
        if fault[1] is not None:
            fault[1] -= 1
        if fault[0] == "hold":
            connection.held.append((way, frame))
            connection.released.clear()
        self.lost_frames[api_key, way] = self.lost_frames.get((api_key, way), 0) + 1
        return False
