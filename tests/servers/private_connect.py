"""A Kafka Connect of one's own with Debezium, for tests that compare; as
packaging/private_servers.py, and fetched when first asked for."""

import hashlib
import json
import pathlib
import shutil
import urllib.error
import urllib.request

from private_servers import (
    JAVA_LANGUAGE,
    KAFKA_VERSION,
    LOG4J_VERSION,
    START_TIMEOUT,
    PrivateKafka,
    Server,
    ServerError,
    cache_folder,
    cache_lock,
    maven,
    need_java,
    new_folder,
    pom,
    wait_for,
    write_log4j_properties,
)

DEBEZIUM_VERSION = "3.6.1.Final"
DEBEZIUM_SHA256 = "1dfd80c86e204406c5d886836da1f022e4955bc3900c0491b892c22c8b901af2"


def fetch_debezium() -> pathlib.Path:
    """The folder that holds Kafka Connect's jar files in libs/ and Debezium's MySQL connector, as
    its makers pack it, in plugins/."""
    with cache_lock("debezium"):
        need_java()
        target = cache_folder() / f"debezium-{DEBEZIUM_VERSION}-kafka-{KAFKA_VERSION}"
        if target.exists():
            return target
        with new_folder(target) as work:
            (work / "pom.xml").write_text(pom(
                "private-connect",
                f"org.apache.kafka:connect-runtime:{KAFKA_VERSION}",
                f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}"))
            maven("-f", work / "pom.xml", "dependency:copy-dependencies",
                   "-DincludeScope=runtime", f"-DoutputDirectory={work}/libs")
            artifact = f"io.debezium:debezium-connector-mysql:{DEBEZIUM_VERSION}:tar.gz:plugin"
            maven("dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={work}")
            (archive,) = work.glob("*.tar.gz")
            _check_sha256(archive, DEBEZIUM_SHA256)
            (work / "plugins").mkdir()
            shutil.unpack_archive(archive, work / "plugins")
            archive.unlink()
        return target


def _check_sha256(path: pathlib.Path, expected: str) -> None:
    with open(path, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != expected:
        raise ServerError(f"{path.name} has the SHA-256 {found}, not {expected}")


class PrivateConnect(Server):
    """One standalone worker of Kafka Connect that holds Debezium's MySQL connector. Connectors are
    added, stopped and asked by its REST interface. Offsets survive restart(). `libraries` are more
    jar files on its path, and `settings` are system properties."""

    def __init__(self, kafka: PrivateKafka, properties=None, heap: str = "1g",
                 name: str = "connect", libraries=(), settings=None):
        home = fetch_debezium()
        super().__init__(name)
        self.heap = heap
        self.home = home
        self.libraries = [f"{home}/libs/*", *map(str, libraries)]
        self.settings = [f"-D{key}={value}" for key, value in (settings or {}).items()]
        self.url = f"http://{self.host}:{self.port}"
        self.offsets_file = self.folder / "offsets"
        self.properties = {
            "bootstrap.servers": kafka.bootstrap,
            "listeners": self.url,
            "plugin.path": str(home / "plugins"),
            "plugin.discovery": "service_load",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "offset.storage.file.filename": str(self.offsets_file),
            "offset.flush.interval.ms": "500",
            "producer.override.linger.ms": "0",
            "connector.client.config.override.policy": "All",
            **(properties or {}),
        }

    def start(self):
        path = self.folder / "worker.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in self.properties.items()))
        write_log4j_properties(self.folder)
        self._launch([
            "java", *JAVA_LANGUAGE, "-XX:+UseSerialGC", f"-Xmx{self.heap}",
            "-cp", ":".join(self.libraries), *self.settings,
            f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties",
            "org.apache.kafka.connect.cli.ConnectStandalone", path])
        wait_for(self._answers, "Kafka Connect", START_TIMEOUT, self.process, self.log)
        return self

    def call(self, method: str, path: str, content=None):
        """The answer of the REST interface, decoded; ServerError with its text when it refuses."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Content-Type": "application/json"},
            data=None if content is None else json.dumps(content).encode())
        try:
            with urllib.request.urlopen(request, timeout=90) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            why = error.read().decode(errors="replace")
            raise ServerError(f"{method} {path}: {error.code} {why}") from error
        return json.loads(text) if text else None

    def add(self, name: str, config: dict) -> None:
        """Adds a connector and waits until its task runs; one that fails is an error."""
        self.call("POST", "/connectors", {"name": name, "config": config})
        self.wait_until_running(name)

    def wait_until_running(self, name: str) -> None:
        wait_for(lambda: self.task_state(name) == "RUNNING", f"connector {name}", START_TIMEOUT,
                  self.process, self.log)

    def task_state(self, name: str) -> str:
        """RUNNING, STOPPED, ...; where the task failed an error with its trace."""
        try:
            status = self.call("GET", f"/connectors/{name}/status")
        except ServerError as error:
            if ": 404 " in str(error):
                return "UNKNOWN"
            raise
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                raise ServerError(f"connector {name}: {part.get('trace')}")
        return parts[-1]["state"]

    def stop_connector(self, name: str) -> None:
        """Ends its task; its offsets can be read and altered then."""
        self.call("PUT", f"/connectors/{name}/stop")
        wait_for(lambda: self._is_stopped(name), f"stop of connector {name}", 60)

    def _is_stopped(self, name: str) -> bool:
        status = self.call("GET", f"/connectors/{name}/status")
        return status["connector"]["state"] == "STOPPED" and not status["tasks"]

    def _answers(self) -> bool:
        try:
            return isinstance(self.call("GET", "/connectors"), list)
        except (OSError, ServerError, json.JSONDecodeError):
            return False
