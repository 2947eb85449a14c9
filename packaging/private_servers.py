#!/usr/bin/env python3
"""A real MySQL server and a real Kafka broker of one's own, for the quickstart and for tests. What
only tests start is in tests/servers/.

Nothing is installed: both are fetched once into outboxd's cache and run from there, with their own
data folder, ports on 127.0.0.1 and processes. Every process dies with the Python process that
started it.

    packaging/private_servers.py fetch    fill the cache
    packaging/private_servers.py run      start both, print how to reach them, stop on Ctrl-C
"""

import contextlib
import fcntl
import os
import pathlib
import queue
import random
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid

SOURCE = pathlib.Path(__file__).resolve().parent.parent
KAFKA_VERSION = "4.1.0"
LOG4J_VERSION = "2.24.3"
START_TIMEOUT = 120.0
STOP_TIMEOUT = 30.0
# Kafka looks its own words up in capitals, which in Turkish are other ones.
JAVA_LANGUAGE = ("-Duser.language=en", "-Duser.country=US")


class ServerError(RuntimeError):
    """A server, or a client run against it, failed; the message holds what it printed."""


# ---------------------------------------------------------------------------------------- cache


def cache_folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(os.environ.get("OUTBOXD_CACHE") or pathlib.Path(base) / "outboxd")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def cache_lock(name: str):
    with open(cache_folder() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def new_folder(target: pathlib.Path):
    """A folder that becomes `target` in one step when the block succeeds, else vanishes."""
    work = pathlib.Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
    try:
        yield work
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_program(command, **options) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        stdin=options.pop("stdin", subprocess.DEVNULL) if "input" not in options else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        **options,
    )
    if done.returncode != 0:
        tail = (done.stdout + done.stderr)[-4000:]
        raise ServerError(f"{command[0]} exited with {done.returncode}:\n{tail}")
    return done.stdout


def _install_packages(*packages: str) -> None:
    script = f'. "{SOURCE}/packaging/steps.sh"; install_packages "$@"'
    run_program(["bash", "-c", script, "bash", *packages])


def fetch_mysql() -> pathlib.Path:
    """The folder R that holds mysqld, mysql, mysqlbinlog and every library they need."""
    with cache_lock("mysql-server"):
        found = list(cache_folder().glob("mysql-server-*/root"))
        if found:  # 9.10 is newer than 9.9.
            return max(found, key=lambda root: [
                int(part) for part in re.findall(r"\d+", root.parent.name)])
        with tempfile.TemporaryDirectory(dir=cache_folder()) as packages:
            run_program([SOURCE / "packaging/sid-download", "--with-dependencies", packages,
                         "mysql-server-core", "mysql-client-core"])
            packages = pathlib.Path(packages)
            server = next(packages.glob("mysql-server-core_*.deb")).name
            version = server.split("_")[1].split("-")[0]
            target = cache_folder() / f"mysql-server-{version}"
            with new_folder(target) as work:
                for package in packages.glob("*.deb"):
                    run_program(["dpkg-deb", "-x", package, work / "root"])
                _make_template(work)
        return target / "root"


def _make_template(work: pathlib.Path) -> None:
    """An initialised data folder that each new server copies, and root's password in it."""
    password = secrets.token_hex(16)
    (work / "root-password").write_text(password)
    (work / "root-password").chmod(0o600)
    setup = work / "setup.sql"
    setup.write_text(
        f"ALTER USER root@localhost IDENTIFIED BY '{password}';\n"
        f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    root = work / "root"
    run_program([*through_loader(root, "usr/sbin/mysqld"), "--no-defaults", *mysqld_user(),
                 "--initialize-insecure", f"--basedir={root}/usr", f"--datadir={work}/template",
                 f"--lc-messages-dir={root}/usr/share/mysql", f"--init-file={setup}",
                 f"--plugin-dir={root}/usr/lib/mysql/plugin", f"--log-error={work}/initialize.log",
                 "--innodb-redo-log-capacity=16M"])
    setup.unlink()
    (work / "template/auto.cnf").unlink(missing_ok=True)


def pom(name: str, *artifacts: str) -> str:
    """A Maven project that needs `artifacts`, each GROUP:NAME:VERSION."""
    dependencies = "".join(
        "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId>"
        "<version>{}</version></dependency>\n".format(*artifact.split(":"))
        for artifact in artifacts)
    return f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>outboxd</groupId><artifactId>{name}</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"""


def maven(*words, **options) -> None:
    """Maven takes hosts from the machine's own settings, and fails at a wrong checksum."""
    run_program(["mvn", "-B", "-q", "-C", *words], **options)


def need_program(program: str, package: str) -> None:
    if not shutil.which(program):
        _install_packages(package)


def need_java() -> None:
    need_program("java", "openjdk-17-jre-headless")
    need_program("mvn", "maven")


def fetch_kafka() -> pathlib.Path:
    """The folder that holds Kafka's jar files."""
    with cache_lock("kafka"):
        need_java()
        target = cache_folder() / f"kafka-{KAFKA_VERSION}"
        if target.exists():
            return target / "libs"
        with new_folder(target) as work:
            (work / "pom.xml").write_text(pom(
                "private-kafka",
                f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
                f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
                f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}"))
            maven("-f", work / "pom.xml", "dependency:copy-dependencies",
                   "-DincludeScope=runtime", f"-DoutputDirectory={work}/libs")
        return target / "libs"


# ------------------------------------------------------------------------------------ processes


class _Spawner:
    """Starts processes from one thread that lives as long as this process: the kernel kills a
    child with PR_SET_PDEATHSIG when the *thread* that started it ends."""

    def __init__(self):
        self._requests = queue.Queue()
        self._thread = None
        self._lock = threading.Lock()

    def popen(self, command, **options) -> subprocess.Popen:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, daemon=True)
                self._thread.start()
        answer = queue.Queue()
        command = ["setpriv", "--pdeathsig", "KILL", "--", *[str(word) for word in command]]
        self._requests.put((command, {"start_new_session": True, **options}, answer))
        result = answer.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def _serve(self):
        while True:
            command, options, answer = self._requests.get()
            try:
                answer.put(subprocess.Popen(command, **options))
            except BaseException as error:  # handed to the caller
                answer.put(error)


_spawner = _Spawner()


def spawn(command, **options) -> subprocess.Popen:
    """Popen of a process that dies with this one, and that a Ctrl-C in the terminal spares."""
    return _spawner.popen(command, **options)


def free_port() -> int:
    """A port nobody listens on, from below the range that the kernel gives to outgoing
    connections: a server can be restarted on it."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise ServerError("found no free port")


def wait_for(condition, what: str, timeout: float, process=None, log=None):
    deadline = time.monotonic() + timeout
    while not condition():
        dead = process is not None and process.poll() is not None
        if dead or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-4000:] if log and log.exists() else ""
            why = f"exited with {process.returncode}" if dead else f"not after {timeout:.0f} s"
            raise ServerError(f"{what}: {why}\n{tail}")
        time.sleep(0.02)


class Server:
    """What all servers share: a folder, one process, starting and stopping."""

    def __init__(self, name: str):
        self.name = name
        self.host = "127.0.0.1"
        self.port = free_port()
        self.process = None
        self._temporary = tempfile.TemporaryDirectory(prefix=f"outboxd-{name}-")
        self.folder = pathlib.Path(self._temporary.name)
        self.log = self.folder / f"{name}.log"

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """An orderly shutdown; the data stays, start() continues on it."""
        if not self.running:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill9()

    def kill9(self) -> None:
        """A crash; the data stays, start() continues on it."""
        if self.running:
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """The server stops answering, its connections stay open, until thaw()."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends the server and removes its folder."""
        try:
            self.kill9()
        finally:
            self._temporary.cleanup()

    def _launch(self, command) -> None:
        with open(self.log, "ab") as log:
            self.process = spawn(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)


# ---------------------------------------------------------------------------------------- MySQL


def through_loader(root: pathlib.Path, program: str) -> list:
    """R's programs run with R's own loader and libraries, not the machine's."""
    loader = next(path for path in (*root.glob("usr/lib64/ld-linux*.so.*"),
                                    *root.glob("usr/lib/ld-linux*.so.*")))
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    return [str(loader), "--library-path", str(libraries), str(root / program)]


def mysqld_user() -> list:
    return ["--user=root"] if os.geteuid() == 0 else []


def greets(path: pathlib.Path) -> bool:
    """Whether a server greets who connects to its socket."""
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(str(path))
            return len(connection.recv(5)) == 5
        except OSError:
            return False


class PrivateMysql(Server):
    """One mysqld. `options` are mysqld options by name: a value of None takes a default away, True
    gives a bare option; they may be changed before the next start()."""

    DEFAULTS = {
        "bind-address": "127.0.0.1",
        "mysqlx": "OFF",
        "secure-file-priv": "NULL",
        "log-bin": "binlog",
        "gtid-mode": "ON",
        "enforce-gtid-consistency": "ON",
        "binlog-row-metadata": "FULL",
        "binlog-row-image": "FULL",
        "sync-binlog": "1",
        "innodb-buffer-pool-size": "64M",
        "innodb-redo-log-capacity": "16M",
        "innodb-doublewrite": "OFF",
        "log-error-verbosity": "2",
        "default-time-zone": "+00:00",
    }

    def __init__(self, options=None, name: str = "mysql"):
        root = fetch_mysql()
        super().__init__(name)
        self.root = root
        self.options = {**self.DEFAULTS, "server-id": str(self.port), **(options or {})}
        self.user = "root"
        self.password = (root.parent / "root-password").read_text()
        self.socket = self.folder / "mysql.sock"
        self.datadir = self.folder / "data"
        self.bindir = root / "usr/bin"
        run_program(["cp", "-r", "--sparse=always", root.parent / "template", self.datadir])
        self._client_options = self.folder / "client.cnf"
        self._client_options.touch(0o600)
        self._client_options.write_text(
            f"[client]\nuser={self.user}\npassword={self.password}\nsocket={self.socket}\n"
            "[mysql]\ndefault-character-set=utf8mb4\n")

    def start(self):
        words = []
        for option, value in self.options.items():
            if value is True:
                words.append(f"--{option}")
            elif value is not None:
                words.append(f"--{option}={value}")
        self.socket.unlink(missing_ok=True)
        self._launch([
            *through_loader(self.root, "usr/sbin/mysqld"), "--no-defaults", *mysqld_user(),
            f"--basedir={self.root}/usr", f"--datadir={self.datadir}", f"--port={self.port}",
            f"--socket={self.socket}", f"--pid-file={self.folder}/mysqld.pid",
            f"--lc-messages-dir={self.root}/usr/share/mysql",
            f"--character-sets-dir={self.root}/usr/share/mysql/charsets",
            f"--plugin-dir={self.root}/usr/lib/mysql/plugin", *words])
        wait_for(lambda: greets(self.socket), "mysqld", START_TIMEOUT, self.process, self.log)
        return self

    def client_command(self, program: str = "mysql") -> list:
        """The start of a command line for `mysql`, `mysqlbinlog` or another of R's clients, as
        root of this server."""
        options = f"--defaults-file={self._client_options}"
        return [*through_loader(self.root, f"usr/bin/{program}"), options]

    def mysql(self, sql: str, database: str = "", user: str = None, password: str = None) -> str:
        """Runs SQL by the genuine `mysql` client: rows as lines, columns separated by tabs,
        without names. Stops at the first error and raises ServerError."""
        words = ["--batch", "--skip-column-names"]
        if user is not None:
            login = self.folder / f"client-{secrets.token_hex(4)}.cnf"
            login.touch(0o600)
            login.write_text(f"[client]\nuser={user}\npassword=\"{password or ''}\"\n"
                             f"socket={self.socket}\n[mysql]\ndefault-character-set=utf8mb4\n")
            command = [*through_loader(self.root, "usr/bin/mysql"), f"--defaults-file={login}"]
        else:
            command = self.client_command()
        if database:
            words.append(f"--database={database}")
        return run_program([*command, *words], input=sql)

    def mysqlbinlog(self, *words) -> str:
        """Output of the genuine mysqlbinlog, for example `"-vv", server.binlogs()[-1]`."""
        return run_program([*self.client_command("mysqlbinlog"), *words])

    def binlogs(self) -> list:
        """The paths of the server's binlog files, in order."""
        index = self.datadir / f"{self.options['log-bin']}.index"
        return [self.datadir / line for line in index.read_text().split()]


# ---------------------------------------------------------------------------------------- Kafka


def write_log4j_properties(folder: pathlib.Path) -> None:
    (folder / "log4j2.properties").write_text(
        "rootLogger.level=WARN\nrootLogger.appenderRefs=stdout\n"
        "rootLogger.appenderRef.stdout.ref=stdout\n"
        "appender.stdout.type=Console\nappender.stdout.name=stdout\n"
        "appender.stdout.layout.type=PatternLayout\n"
        "appender.stdout.layout.pattern=%d %p %c{1}: %m%n\n")


class PrivateKafka(Server):
    """One broker that is its own controller. `properties` are added to server.properties and may
    be changed before the next start(). `leader` makes it a further broker of that one's cluster."""

    def __init__(self, properties=None, heap: str = "512m", name: str = "kafka", leader=None):
        libs = fetch_kafka()
        super().__init__(name)
        self.libs = libs
        self.heap = heap
        self.cluster_id = leader.cluster_id if leader else uuid.uuid4().hex[:22]
        self.controller_port = free_port()
        self.bootstrap = f"{self.host}:{self.port}"
        self.properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.bootstrap},"
                         f"CONTROLLER://{self.host}:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@{self.host}:{self.controller_port}",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            # A message may have the time of its row, which is as old as the test's author made it:
            # by default it would go a week after that time, and not after it was written.
            "log.retention.ms": "-1",
            # How long a broker started again after a crash waits for its former self.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }
        if leader:
            self.properties |= {
                "process.roles": "broker",
                "node.id": str(self.port),
                "listeners": f"PLAINTEXT://{self.bootstrap}",
                "controller.quorum.voters": leader.properties["controller.quorum.voters"],
            }
        self.properties |= properties or {}
        self._formatted = False

    def start(self):
        path = self.folder / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in self.properties.items()))
        write_log4j_properties(self.folder)
        if not self._formatted:
            run_program([*self._java("-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool",
                         "format", "-t", self.cluster_id, "-c", path])
            self._formatted = True
        self._launch([*self._java(f"-Xmx{self.heap}"), "kafka.Kafka", path])
        wait_for(self._answers, "Kafka", START_TIMEOUT, self.process, self.log)
        return self

    def _java(self, *options) -> list:
        return ["java", *JAVA_LANGUAGE, "-XX:+UseSerialGC", *options, "-cp", f"{self.libs}/*",
                f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties"]

    def _answers(self) -> bool:
        """Whether the broker is registered, that is: topics can be created and written."""
        try:
            with _KafkaWire(self.port) as wire:
                return bool(wire.metadata()[0])
        except (OSError, ServerError, struct.error):
            return False

    def create_topic(self, name: str, partitions: int = 1, configs=None, replication: int = 1):
        with _KafkaWire(self.port) as wire:
            wire.create_topic(name, partitions, replication, configs or {})
        wait_for(lambda: self.topics().get(name) == partitions, f"topic {name}", 30)

    def delete_topic(self, name: str) -> None:
        with _KafkaWire(self.port) as wire:
            wire.delete_topic(name)
        wait_for(lambda: name not in self.topics(), f"deletion of topic {name}", 30)
        # The broker forgets the name before it lets go of the logs.
        of_topic = re.compile(re.escape(name) + r"-\d+")
        wait_for(lambda: not any(of_topic.fullmatch(one.name)
                                 for one in (self.folder / "data").iterdir()),
                 f"the end of the logs of topic {name}", 30)

    def topics(self) -> dict:
        """Number of partitions by topic, of topics whose partitions all have a leader."""
        with _KafkaWire(self.port) as wire:
            return wire.metadata()[1]

    def console_consumer(self, topic: str, *words, **options) -> subprocess.Popen:
        """Kafka's own Java console consumer, reading from the beginning; one line a message:
        partition, offset, headers, key, value, separated by tabs. Ends with this process."""
        command = [
            *self._java("-XX:TieredStopAtLevel=1", "-Xmx128m"),
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            "--bootstrap-server", self.bootstrap, "--topic", topic, "--from-beginning"]
        for shown in ("partition", "offset", "headers", "key", "value"):
            command += ["--property", f"print.{shown}=true"]
        command += ["--property", "key.separator=\t", *words]
        return spawn(command, **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL,
            "text": True, **options})

    def tool(self, main_class: str, *words) -> str:
        """Runs one of Kafka's command-line tools, such as org.apache.kafka.tools.TopicCommand."""
        return run_program([*self.tool_command(main_class), *words])

    def tool_command(self, main_class: str) -> list:
        """The start of a command line for one of them."""
        return [*self._java("-XX:TieredStopAtLevel=1", "-Xmx128m"), main_class]


class _KafkaWire:
    """The three requests of Kafka's protocol that a test needs before it has any client: Metadata,
    CreateTopics, DeleteTopics (https://kafka.apache.org/protocol)."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def metadata(self):
        """Brokers, and the number of partitions by topic."""
        reader = _Reader(self._call(3, 1, struct.pack(">i", -1)))
        brokers = []
        for _ in range(reader.int32()):
            brokers.append(reader.int32())
            reader.string(), reader.int32(), reader.string()
        reader.int32()
        topics = {}
        for _ in range(reader.int32()):
            ready = reader.int16() == 0
            name = reader.string()
            reader.int8()
            partitions = reader.int32()
            for _ in range(partitions):
                ready = reader.int16() == 0 and ready
                reader.int32(), reader.int32()
                for _ in range(2):
                    for _ in range(reader.int32()):
                        reader.int32()
            if ready:
                topics[name] = partitions
        return brokers, topics

    def create_topic(self, name, partitions, replication, configs):
        body = struct.pack(">i", 1) + _string(name) + struct.pack(">ih", partitions, replication)
        body += struct.pack(">ii", 0, len(configs))
        for key, value in configs.items():
            body += _string(key) + _string(str(value))
        reader = _Reader(self._call(19, 2, body + struct.pack(">i?", 30000, False)))
        reader.int32(), reader.int32(), reader.string()
        code, message = reader.int16(), reader.string()
        if code:
            raise ServerError(f"Kafka refused to create topic {name}: {message or code}")

    def delete_topic(self, name):
        body = struct.pack(">i", 1) + _string(name) + struct.pack(">i", 30000)
        reader = _Reader(self._call(20, 1, body))
        reader.int32(), reader.int32(), reader.string()
        code = reader.int16()
        if code:
            raise ServerError(f"Kafka refused to delete topic {name}: error {code}")

    def _call(self, key, version, body) -> bytes:
        request = struct.pack(">hhi", key, version, 1) + _string("outboxd-tests") + body
        self._socket.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", self._receive(4))
        return self._receive(length)[4:]

    def _receive(self, length) -> bytes:
        received = b""
        while len(received) < length:
            part = self._socket.recv(length - len(received))
            if not part:
                raise ServerError("Kafka closed the connection")
            received += part
        return received


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded


class _Reader:
    def __init__(self, content: bytes):
        self._content = content
        self._at = 0

    def _take(self, form: str):
        (value,) = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return value

    def int8(self):
        return self._take(">b")

    def int16(self):
        return self._take(">h")

    def int32(self):
        return self._take(">i")

    def string(self):
        length = self.int16()
        if length < 0:
            return None
        self._at += length
        return self._content[self._at - length:self._at].decode()


# --------------------------------------------------------------------------------- command line


def _fetch_all() -> None:
    for what, fetch in (("MySQL server", fetch_mysql), ("Kafka", fetch_kafka)):
        started = time.monotonic()
        folder = fetch()
        print(f"  {what:22} {str(folder.parent.name):44} {time.monotonic() - started:7.1f} s",
              flush=True)


def _run_both() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with PrivateMysql() as mysql, PrivateKafka() as kafka:
        print(f"MySQL   {mysql.host}:{mysql.port}  user {mysql.user}  socket {mysql.socket}")
        print(f"        {' '.join(mysql.client_command())}")
        print(f"Kafka   {kafka.bootstrap}")
        print("Ctrl-C stops both.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def main() -> int:
    commands = {"fetch": _fetch_all, "run": _run_both}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    try:
        commands[sys.argv[1]]()
    except ServerError as error:
        print(f"private_servers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
