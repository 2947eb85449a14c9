"""Fixtures of the package tests: the package, a machine to install it on, MySQL and Kafka."""

import pathlib
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "packaging"), str(SOURCE / "tests/servers"),
                str(SOURCE / "tests/integration")]

from debian_package import build_package, install, source_of_next_version  # noqa: E402
from lab import Lab  # noqa: E402
from server_fixtures import kafka, mysql  # noqa: E402, F401


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    return build_package(SOURCE, tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def next_package(tmp_path_factory):
    """Of the version after this one: the same source under another number."""
    source = source_of_next_version(tmp_path_factory.mktemp("next") / "source")
    return build_package(source, tmp_path_factory.mktemp("next-package"))


@pytest.fixture
def machine():
    """A freshly installed Debian."""
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def installed_layer(package, tmp_path_factory):
    with Lab() as lab:
        install(lab, package)
        return lab.take_layer(tmp_path_factory.mktemp("layer") / "installed")


@pytest.fixture
def host(installed_layer):
    """A Debian on which the package was installed a moment ago."""
    with Lab(layers=[installed_layer]) as lab:
        yield lab
