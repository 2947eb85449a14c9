"""Programs of tests in C++ that ask a real server."""

import os
import subprocess

from private_servers import PrivateMysql


def run_against_mysql(variable, folder):
    """The program that the environment names, with a server of its own."""
    password = folder / "password"
    password.touch(0o600)
    with PrivateMysql() as server:
        password.write_text(server.password)
        environment = {
            **os.environ,
            "OUTBOXD_TEST_MYSQL_SOCKET": str(server.socket),
            "OUTBOXD_TEST_MYSQL_PORT": str(server.port),
            "OUTBOXD_TEST_MYSQL_USER": server.user,
            "OUTBOXD_TEST_MYSQL_PASSWORD_FILE": str(password),
        }
        done = subprocess.run(
            [os.environ[variable], "--gtest_brief=1"],
            env=environment, capture_output=True, text=True, errors="replace", timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20000:]
