"""The rpm package: its files and its scripts. It is not installed anywhere."""

import os
import pathlib
import subprocess

import pytest
from debian_package import SOURCE, contents


@pytest.fixture(scope="module")
def rpm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rpm")
    done = subprocess.run([SOURCE / "packaging/rpm/build", folder], capture_output=True, text=True,
                          env=os.environ | {"SOURCE_DATE_EPOCH": "1790000000"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = pathlib.Path(folder).glob("outboxd-*.rpm")
    return package


def ask(package, *words):
    return subprocess.run(["rpm", "-qp", *words, package], capture_output=True, text=True,
                          check=True).stdout


def test_it_holds_what_the_debian_package_holds(rpm, package):
    ours = set(ask(rpm, "--list").split())
    assert "/usr/bin/outboxd" in ours
    for path, (mode, _) in contents(package).items():
        # Distributions differ in where shells look, and in what Debian adds by its own rules.
        if mode[0] == "d" or any(part in path for part in
                                 ("zsh", "changelog", "copyright", "/man/", "lintian")):
            continue
        assert path in ours or path.removesuffix(".gz") in ours, path


def test_the_configurations_are_for_the_group_only(rpm):
    listed = [line.split() for line in ask(rpm, "--list", "--verbose").splitlines()]
    (folder,) = [row for row in listed if row[-1] == "/etc/outboxd"]
    assert (folder[0], folder[2], folder[3]) == ("drwxr-x---", "root", "outboxd")


def test_its_scripts_make_the_user_and_stop_and_restart_relays(rpm, tmp_path):
    scripts = ask(rpm, "--scripts")
    before, _, rest = scripts.partition("postinstall scriptlet")
    assert "useradd --system" in before
    assert "systemctl stop 'outboxd@*.service'" in rest
    assert "systemctl try-restart 'outboxd@*.service'" in rest
    # Each is a shell's.
    for name in ("PREIN", "POSTIN", "PREUN", "POSTUN"):
        file = tmp_path / name
        file.write_text(ask(rpm, "--qf", f"%{{{name}}}"))
        assert file.read_text() != "(none)"
        subprocess.run(["sh", "-n", file], check=True)
    # Removing stops relays, and an upgrade does not.
    stop = (tmp_path / "PREUN").read_text().replace("/run/systemd/system", "/")
    said = {left: subprocess.run(["sh", "-c", f"systemctl() {{ echo $*; }}\n{stop}", "x", left],
                                 capture_output=True, text=True, check=True).stdout
            for left in ("0", "1")}
    assert said == {"0": "stop outboxd@*.service\n", "1": ""}


def test_the_configuration_of_the_example_is_kept(rpm):
    assert "/etc/outboxd/shop.conf.example" in ask(rpm, "--configfiles")
