"""The same source on Debian sid, which has both client libraries: built there, installed there and
run by its systemd. It takes a quarter of an hour: tests/elsewhere sid."""

import pytest
from debian_package import copy_source
from lab import CACHE, Lab
from relay import wait_until
from service_relay import ServiceRelay


@pytest.fixture(scope="module")
def sid(tmp_path_factory):
    source = tmp_path_factory.mktemp("sid") / "source"
    copy_source(source)
    compiled = CACHE / "ccache-sid"
    compiled.mkdir(exist_ok=True)
    with Lab("sid", shared=[source, compiled]) as lab:
        lab.call("apt-get", "update")
        lab.call("apt-get", "install", "-y", "--no-install-recommends", "libmysqlclient-dev",
                 "librdkafka-dev", timeout=1200)
        # A newer compiler warns of other things.
        built = lab.call(f"{source}/packaging/deb/build", "/root/packages", timeout=3600,
                         environment=[f"CCACHE_DIR={compiled}", "SOURCE_DATE_EPOCH=1790000000",
                                      "OUTBOXD_WERROR=OFF"])
        print(built.stdout)
        lab.shell("apt-get install -y --no-install-recommends /root/packages/outboxd_*.deb")
        yield lab


def test_it_uses_the_libraries_of_the_system(sid):
    needed = sid.shell("dpkg-query -W -f '${Depends}' outboxd")
    assert "libmysqlclient" in needed and "librdkafka1" in needed
    assert not sid.shell("ls /usr/share/doc/outboxd/licences", check=False)


def test_a_relay_delivers_and_its_pauses_grow(sid, mysql, kafka, tmp_path):
    relay = ServiceRelay(sid, mysql, kafka, tmp_path)
    assert relay.show("RestartSteps") == "8"
    relay.insert("e-1")
    relay.start()
    assert [m.id for m in relay.wait_for(1)] == ["e-1"]
    wait_until(lambda: "1 event delivered" in relay.show("StatusText"), "the status")
    relay.stop()
    assert relay.show("Result") == "success"


def test_systemd_has_nothing_to_say_about_the_unit(sid):
    said = sid.call("systemd-analyze", "verify", "--man=no", "outboxd@shop.service", check=False)
    assert "outboxd" not in said.stderr and said.returncode == 0, said.stderr
