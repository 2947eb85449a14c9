"""A Quarkus application with Debezium's outbox extension, from its source in
tests/integration/quarkus_outbox; as packaging/private_servers.py, and built when first asked for.

Debezium makes the extension for Java 21. Debian's release has an earlier one, so that Java comes
from Debian sid, as MySQL does.
"""

import hashlib
import os
import pathlib
import shlex
import shutil
import tempfile
import urllib.error
import urllib.request

from private_servers import (
    JAVA_LANGUAGE,
    SOURCE,
    START_TIMEOUT,
    PrivateMysql,
    Server,
    cache_folder,
    cache_lock,
    maven,
    need_java,
    new_folder,
    run_program,
    through_loader,
    wait_for,
)

APPLICATION = SOURCE / "tests/integration/quarkus_outbox"
JAVA = "usr/lib/jvm/java-21-openjdk-*/bin/java"


def fetch_java() -> pathlib.Path:
    """The folder R that holds a Java development kit and every library it needs."""
    with cache_lock("java-21"):
        found = sorted(cache_folder().glob("java-21.*/root"))
        if found:
            return found[-1]
        with tempfile.TemporaryDirectory(dir=cache_folder()) as packages:
            run_program([SOURCE / "packaging/sid-download", "--with-dependencies", packages,
                         "openjdk-21-jdk-headless"])
            packages = pathlib.Path(packages)
            kit = next(packages.glob("openjdk-21-jdk-headless_*.deb")).name
            target = cache_folder() / f"java-{kit.split('_')[1].split('+')[0]}"
            with new_folder(target) as work:
                for package in packages.glob("*.deb"):
                    run_program(["dpkg-deb", "-x", package, work / "root"])
                _point_into(work / "root")
        return target / "root"


def _point_into(root: pathlib.Path) -> None:
    """Links to /etc/java-21-openjdk/FILE lead to R's own. Certificates are the machine's."""
    for link in [path for path in root.rglob("*") if path.is_symlink()]:
        inside = root / str(link.readlink()).removeprefix("/")
        if link.readlink().is_absolute() and inside.exists():
            link.unlink()
            link.symlink_to(os.path.relpath(inside, link.parent))


def java_command(root: pathlib.Path) -> list:
    (program,) = root.glob(JAVA)
    return through_loader(root, str(program.relative_to(root)))


def fetch_application() -> pathlib.Path:
    """The folder that holds quarkus-run.jar."""
    need_java()
    root = fetch_java()
    files = sorted(path for path in APPLICATION.rglob("*") if path.is_file())
    stamp = hashlib.sha256()
    for path in files:
        stamp.update(f"{path.relative_to(APPLICATION)}\0".encode() + path.read_bytes() + b"\0")
    target = cache_folder() / f"quarkus-outbox-{stamp.hexdigest()[:12]}"
    with cache_lock("quarkus-outbox"):
        if not target.exists():
            with new_folder(target) as work:
                _build(root, work)
    return target / "quarkus-app"


def _build(root: pathlib.Path, work: pathlib.Path) -> None:
    shutil.copytree(APPLICATION, work / "source")
    # Where Maven looks for Java.
    java = work / "java/bin/java"
    java.parent.mkdir(parents=True)
    java.write_text(f'#!/bin/sh\nexec {shlex.join(java_command(root))} "$@"\n')
    java.chmod(0o755)
    maven("-f", work / "source/pom.xml", "package",
          env=os.environ | {"JAVA_HOME": str(work / "java")})
    (work / "source/target/quarkus-app").rename(work / "quarkus-app")
    shutil.rmtree(work / "source")
    shutil.rmtree(work / "java")


def opentelemetry() -> list:
    """The jar files of OpenTelemetry's library that the application has."""
    return sorted((fetch_application() / "lib/main").glob("io.opentelemetry.opentelemetry-*.jar"))


class PrivateQuarkus(Server):
    """The application, which takes orders by POST /orders and makes its tables in `database`. Its
    account may do there whatever it likes."""

    PASSWORD = "quarkus-Passw0rd"

    def __init__(self, mysql: PrivateMysql, database: str, name: str = "quarkus"):
        self.home = fetch_application()
        super().__init__(name)
        self.url = f"http://{self.host}:{self.port}"
        user = f"quarkus_{self.port}"
        mysql.mysql(f"CREATE USER {user}@'%' IDENTIFIED BY '{self.PASSWORD}';"
                    f"GRANT ALL ON {database}.* TO {user}@'%'")
        settings = {
            "quarkus.http.port": self.port,
            "quarkus.datasource.jdbc.url": f"jdbc:mysql://{mysql.host}:{mysql.port}/{database}",
            "quarkus.datasource.username": user,
            "quarkus.datasource.password": self.PASSWORD,
        }
        # Quarkus reads it below the folder that it is started in.
        path = self.folder / "config/application.properties"
        path.parent.mkdir()
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def start(self):
        self._launch([
            *java_command(fetch_java()), *JAVA_LANGUAGE, "-XX:+UseSerialGC", "-Xmx256m",
            "-XX:TieredStopAtLevel=1", "-jar", self.home / "quarkus-run.jar"])
        wait_for(self._answers, "Quarkus", START_TIMEOUT, self.process, self.log)
        return self

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url + "/", timeout=10).close()
        except urllib.error.HTTPError:
            return True  # There is no page of that name.
        except OSError:
            return False
        return True
