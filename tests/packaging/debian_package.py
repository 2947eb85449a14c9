"""Building and installing the package under test."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
NOW, LATER = "0.1.0", "0.2.0"


def build_package(source, folder, command="packaging/deb/build"):
    """The path of the package that `source` makes."""
    done = subprocess.run([source / command, folder], capture_output=True, text=True,
                          env=os.environ | {"SOURCE_DATE_EPOCH": "1790000000"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = pathlib.Path(folder).glob("outboxd_*.deb")
    return package


def copy_source(folder):
    """As the scripts that make packages do it."""
    command = 'source "$1/steps.sh"; source "$1/source_tree.sh"; copy_source "$2"'
    subprocess.run(["bash", "-c", command, "copy", SOURCE / "packaging", folder], check=True)


def source_of_next_version(folder):
    copy_source(folder)
    project = folder / "CMakeLists.txt"
    text = project.read_text()
    assert f"VERSION {NOW} " in text
    project.write_text(text.replace(f"VERSION {NOW} ", f"VERSION {LATER} "))
    return folder


def contents(package):
    """Mode and owner by path."""
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return {row[5].removeprefix("."): tuple(row[:2]) for row in rows}


def unpack(package, folder):
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return pathlib.Path(folder)


def install(machine, package):
    """What apt printed."""
    file = machine.bring(package)
    if "done" not in machine.shell("cat /root/updated 2>/dev/null", check=False):
        machine.call("apt-get", "update")
        machine.write("/root/updated", "done\n")
    done = machine.call("apt-get", "install", "-y", "--no-install-recommends",
                        "--allow-downgrades", file)
    return done.stdout + done.stderr
