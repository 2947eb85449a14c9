"""The Debian package: what is in it, and what becomes of relays when it comes, changes and goes."""

import json
import pathlib
import re
import shlex
import subprocess

from debian_package import LATER, NOW, SOURCE, build_package, contents, install, unpack
from page_blocks import blocks_of
from load import Load, everything_arrives
from service_relay import ServiceRelay


# --------------------------------------------------------------------------------- the file


def test_lintian_finds_no_error(package):
    found = subprocess.run(["lintian", "--fail-on", "error", "--allow-root", package],
                           capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_package_holds_what_an_operator_needs(package):
    files = contents(package)
    for wanted in ("/usr/bin/outboxd",
                   "/usr/lib/systemd/system/outboxd@.service",
                   "/usr/lib/systemd/catalog/outboxd.catalog",
                   "/usr/lib/sysusers.d/outboxd.conf",
                   "/usr/lib/tmpfiles.d/outboxd.conf",
                   "/etc/outboxd/shop.conf.example",
                   "/usr/share/man/man1/outboxd.1.gz",
                   "/usr/share/man/man5/outboxd.conf.5.gz",
                   "/usr/share/bash-completion/completions/outboxd",
                   "/usr/share/zsh/vendor-completions/_outboxd",
                   "/usr/share/doc/outboxd/README.md",
                   "/usr/share/doc/outboxd/docs/at-night.md",
                   "/usr/share/doc/outboxd/copyright",
                   "/usr/share/doc/outboxd/sbom.cdx.json"):
        assert wanted in files, sorted(files)


def test_what_is_linked_statically_brings_its_terms_and_its_source(package, tmp_path):
    documents = unpack(package, tmp_path) / "usr/share/doc/outboxd"
    listed = json.loads((documents / "sbom.cdx.json").read_text())
    components = {c["name"]: c for c in listed["components"]}
    properties = {name: {p["name"]: p["value"] for p in c["properties"]}
                  for name, c in components.items()}
    for name, terms in (("libmysqlclient", "Universal FOSS Exception"),
                        ("librdkafka", "Redistribution and use in source and binary forms")):
        if properties[name]["outboxd:linked"] == "statically":
            assert re.fullmatch("[0-9a-f]{64}", components[name]["hashes"][0]["content"])
            assert properties[name]["outboxd:source"]
            assert terms in (documents / "licences" / name).read_text()
    # What the program itself needs, by another witness.
    needed = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True,
                            check=True).stdout
    for name in components:
        if properties[name]["outboxd:linked"] == "dynamically" and name != "libc6":
            assert re.search(rf"\b{re.escape(name)}\b", needed), (name, needed)


def test_no_path_of_the_machine_that_built_it_is_in_the_program(package, tmp_path):
    program = (unpack(package, tmp_path) / "usr/bin/outboxd").read_bytes()
    folders = [str(SOURCE), str(pathlib.Path.home()), "/tmp/tmp", "/tmp/pytest"]
    for found in map(program.find, map(str.encode, folders)):
        assert found < 0, program[found:found + 100]


# --------------------------------------------------------------------------------- the machine


def commands_of(page):
    (lines,) = (block.lines for block in blocks_of(page, (SOURCE / page).read_text())
                if "test_the_commands_of_the_pages_install_it" in block.mark)
    return lines


def test_the_commands_of_the_pages_install_it(machine, package, tmp_path):
    """The first where the source is, the second where the package goes."""
    build, install_it = commands_of("README.md")
    assert commands_of("docs/installing.md") == [build, install_it]
    again = build_package(SOURCE, tmp_path, *shlex.split(build))
    assert again.read_bytes() == package.read_bytes()  # Built twice, in two places.
    machine.call("mkdir", "-p", "/root/build/packages")
    machine.bring(again, "/root/build/packages")
    machine.shell(f"cd && apt-get -q update && {install_it.replace('install', 'install -y')}")
    assert machine.call("outboxd", "version").stdout.startswith(f"outboxd {NOW}\n")


def test_an_installed_package_starts_nothing_and_is_ready_to(host):
    assert host.shell("systemctl list-units --plain --no-legend 'outboxd*'") == ""
    assert host.shell("stat -c '%a %U:%G' /etc/outboxd /var/lib/outboxd").splitlines() == [
        "750 root:outboxd", "755 outboxd:outboxd"]
    assert host.shell("id -un outboxd; getent passwd outboxd | cut -d: -f7").split() == [
        "outboxd", "/usr/sbin/nologin"]
    assert host.call("outboxd", "version").stdout.startswith(f"outboxd {NOW}\n")
    example = host.call("outboxd", "status", "--config", "/etc/outboxd/shop.conf.example",
                           check=False)
    # It is right as it stands: no relay runs, and that is all.
    assert (example.returncode, example.stderr) == (3, "")


# ------------------------------------------------------------------- upgrade, remove and purge


def test_upgrade_and_downgrade_under_load_lose_nothing(host, package, next_package, mysql,
                                                       kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).begin_now().start()
    with Load(relay) as load:
        relay.wait_for(20)
        printed = install(host, next_package)
        assert f"outboxd: {relay.unit} was restarted" in printed, printed
        assert host.call("outboxd", "version").stdout.startswith(f"outboxd {LATER}\n")
        after = len(relay.received())
        relay.wait_for(after + 20)
        install(host, package)
        assert host.call("outboxd", "version").stdout.startswith(f"outboxd {NOW}\n")
        relay.wait_for(len(relay.received()) + 20)
    repeated = everything_arrives(relay, load.ids)
    assert relay.show("NRestarts") == "0"
    begun = re.findall(r"outboxd ([\d.]+), relay \S+", relay.log())
    assert begun == [NOW, LATER, NOW], relay.log()
    print(f"{len(load.ids)} events, lost 0, invented 0, repeated {repeated}")


def test_an_upgrade_tells_of_a_relay_that_does_not_come_back(host, package, next_package,
                                                             mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.insert("e-1")
    relay.wait_for(1)
    relay.configure(outbox__nonsense="1")
    printed = install(host, next_package)
    assert f"outboxd: {relay.unit} does not run any more" in printed
    assert host.shell("dpkg-query -W -f '${Status}' outboxd") == "install ok installed"
    relay.insert("e-2")
    relay.configure(outbox__nonsense=None)
    relay.systemctl("start")
    assert [m.id for m in relay.wait_for(2)] == ["e-1", "e-2"]


def test_what_is_stopped_stays_stopped_over_an_upgrade(host, package, next_package, mysql,
                                                       kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.stop()
    install(host, next_package)
    assert relay.show("ActiveState") == "inactive"


def test_remove_stops_and_purge_keeps_the_state_and_says_where(host, package, mysql, kafka,
                                                               tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.insert("e-1")
    relay.wait_for(1)
    host.call("apt-get", "remove", "-y", "outboxd")
    assert relay.show("ActiveState") in ("inactive", "failed")
    assert host.shell("pgrep -x outboxd", check=False) == ""
    assert "stopped: 1 event delivered" in relay.log()
    printed = host.call("apt-get", "purge", "-y", "outboxd").stdout
    assert f"/var/lib/outboxd is kept; it holds: {relay.name}" in printed, printed
    assert host.shell("ls /etc/systemd/system/multi-user.target.wants").count("outboxd") == 0
    assert host.call("ls", relay.config_file).returncode == 0

    relay.insert("e-2")  # And back: it goes on from the checkpoint that was kept.
    install(host, package)
    relay.start()
    assert [m.id for m in relay.wait_for(2)] == ["e-1", "e-2"]
