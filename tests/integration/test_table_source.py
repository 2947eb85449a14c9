"""The tests of what reads tables, in C++, against a real server."""

import os
import subprocess

from private_servers import PrivateMysql


def test_tables_are_read_as_the_server_orders_them(tmp_path):
    password = tmp_path / "password"
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
            [os.environ["OUTBOXD_TABLE_SOURCE_TEST"], "--gtest_brief=1"],
            env=environment, capture_output=True, text=True, errors="replace", timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20000:]
