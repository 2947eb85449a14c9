"""A real MariaDB of one's own, which outboxd has to refuse; as packaging/private_servers.py."""

import pathlib
import secrets

from private_servers import (
    START_TIMEOUT,
    Server,
    ServerError,
    greets,
    mysqld_user,
    run_program,
    wait_for,
)


class PrivateMariadb(Server):
    """One mariadbd of Debian's own package, which tests/run installs."""

    PROGRAM = pathlib.Path("/usr/sbin/mariadbd")

    def __init__(self, name: str = "mariadb"):
        if not self.PROGRAM.exists():
            raise ServerError(f"there is no {self.PROGRAM}: tests/run installs it")
        super().__init__(name)
        self.user = "root"
        self.password = secrets.token_hex(16)
        self.socket = self.folder / "mysql.sock"
        self.datadir = self.folder / "data"
        self._setup = self.folder / "setup.sql"
        self._setup.touch(0o600)
        self._setup.write_text("".join(
            f"CREATE OR REPLACE USER root@'{host}' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO root@'{host}' WITH GRANT OPTION;\n"
            for host in ("localhost", "127.0.0.1")))
        run_program(["mariadb-install-db", "--no-defaults", *mysqld_user(), "--skip-test-db",
                     "--skip-name-resolve", f"--datadir={self.datadir}"])

    def start(self):
        self.socket.unlink(missing_ok=True)
        self._launch([
            self.PROGRAM, "--no-defaults", *mysqld_user(), f"--datadir={self.datadir}",
            f"--bind-address={self.host}", f"--port={self.port}", f"--socket={self.socket}",
            f"--pid-file={self.folder}/mariadbd.pid", f"--init-file={self._setup}",
            "--log-bin=binlog", f"--server-id={self.port}", "--binlog-format=ROW"])
        wait_for(lambda: greets(self.socket), "mariadbd", START_TIMEOUT, self.process, self.log)
        return self
