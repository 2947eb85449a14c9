"""Fixtures of the integration tests: a real MySQL and a real Kafka for each pytest process.

A test that stops a server, or changes its settings, starts one of its own.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "packaging"), str(SOURCE / "tests/servers")]

from private_connect import PrivateConnect  # noqa: E402
from server_fixtures import kafka, mysql  # noqa: E402, F401


@pytest.fixture(scope="session")
def outboxd() -> str:
    """The path of the binary under test."""
    return os.environ.get("OUTBOXD_BINARY") or str(SOURCE / "build/outboxd")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def connect(kafka):
    """A worker of Kafka Connect with Debezium's MySQL connector."""
    if shutil.which("java") is None:
        pytest.skip("Debezium needs Java 17 or later, and there is no java")
    with PrivateConnect(kafka) as worker:
        yield worker
