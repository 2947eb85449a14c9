"""Fixtures for a conftest.py to import: a real MySQL and a real Kafka for each pytest process."""

import pytest
from private_servers import PrivateKafka, PrivateMysql


@pytest.fixture(scope="session")
def mysql():
    with PrivateMysql() as server:
        yield server


@pytest.fixture(scope="session")
def kafka():
    with PrivateKafka() as server:
        yield server
