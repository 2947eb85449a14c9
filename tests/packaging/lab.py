"""A Debian machine to install packages on: a root of its own with systemd as its first process.

It needs root, debootstrap and nsenter; no virtual machine and no container engine. The root comes
from the cache; what a test does to it is gone with the lab. Processes have numbers of their own in
it, the network is the machine's: a test's servers listen on loopback.
"""

import hashlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from private_servers import cache_folder

CACHE = cache_folder()
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

BOOT = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  touch dev/$node
  mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for folder in "${@:3}"; do
  mkdir -p "./$folder"
  mount --bind "$folder" "./$folder"
done
# Not chroot: a process in one may not make user namespaces, as PrivateUsers= does.
pivot_root . mnt
cd /
umount -l /mnt
mount --make-rshared /  # A service's credentials are mounted where it sees them.
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


class LabError(Exception):
    """A command in the lab failed, or the lab could not be made."""


def cgroup_root():
    """Where this machine has the hierarchy of version 2, which systemd asks for."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(folder)
    raise LabError("this machine has no cgroups of version 2")


def mirrors():
    """The Debian mirror of this machine's own sources, by suite. No host stands in this file."""
    listed = subprocess.run(
        ["apt-get", "--print-uris", "update"], capture_output=True, text=True, check=True).stdout
    found = {}
    for uri, suite in re.findall(r"^'(.*)/dists/([^/' ]+)/InRelease'", listed, re.M):
        found.setdefault(suite, uri)
    return found


def debian_root(suite="bookworm", include=("systemd-sysv", "dbus", "ca-certificates")):
    """The folder of a freshly installed `suite`; made once, then kept in the cache."""
    stamp = hashlib.sha256(" ".join((suite, *include)).encode()).hexdigest()[:12]
    folder = CACHE / f"root-{suite}-{stamp}"
    if (folder / "complete").exists():
        return folder / "root"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    known = mirrors()
    mirror = known.get(suite) or known["bookworm"]
    command = ["debootstrap", "--variant=minbase", f"--keyring={KEYRING}",
               f"--include={','.join(include)}", suite, str(folder / "root"), mirror]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise LabError(f"debootstrap: {made.stdout[-2000:]}{made.stderr[-2000:]}")
    # A mirror's index can be past its date; its signature is checked all the same.
    (folder / "root/etc/apt/apt.conf.d/90lab").write_text('Acquire::Check-Valid-Until "false";\n')
    (folder / "complete").touch()
    return folder / "root"


class Lab:
    """Use as context. `layers`: what other labs left behind (take_layer), the newest first.
    `shared`: folders of this machine that are the lab's too, under the same path."""

    def __init__(self, suite="bookworm", layers=(), shared=()):
        self.shared = list(map(str, shared))
        self.lower = ":".join(map(str, (*layers, debian_root(suite))))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lab.", dir=CACHE))
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir()
        self.cgroup = cgroup_root() / self.folder.name
        self.process = None
        self.init = None

    def __enter__(self):
        try:
            self._boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _boot(self):
        self.cgroup.mkdir()

        def enter_cgroup():
            (self.cgroup / "cgroup.procs").write_text(str(os.getpid()))

        self.process = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child",
             "bash", "-c", BOOT, "lab", self.lower, str(self.folder),
             *self.shared],
            stdin=subprocess.DEVNULL, stdout=(self.folder / "boot.log").open("wb"),
            stderr=subprocess.STDOUT, preexec_fn=enter_cgroup)
        self._wait(self._find_init, "the first process")
        self._wait(self._is_up, "systemd")

    def _find_init(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        numbers = children.read_text().split()
        self.init = numbers[0] if numbers else None
        return self.init

    def _is_up(self):
        state = self.call("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def _wait(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "boot.log").read_text(errors="replace")
                raise LabError(f"{what} did not come up\n{log[-3000:]}")
            time.sleep(0.05)

    def call(self, *words, check=True, stdin=None, environment=(), timeout=300):
        """Runs a command as the lab's root; `check`: it must end with 0."""
        command = ["nsenter", "-t", self.init, "-m", "-p", "-u", "-i", "-C", "env", "-i",
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
                   "DEBIAN_FRONTEND=noninteractive", *environment, *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False,
                              timeout=timeout, cwd="/")
        if check and done.returncode:
            raise LabError(f"{shlex.join(map(str, words))}: code {done.returncode}\n"
                           f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done

    def shell(self, text, **options):
        """What a command line prints."""
        return self.call("bash", "-c", text, **options).stdout

    def write(self, path, text, mode=0o644, owner=None):
        self.call("tee", path, stdin=text)
        self.call("chmod", f"{mode:o}", path)
        if owner is not None:
            self.call("chown", owner, path)

    def read(self, path):
        return self.call("cat", path).stdout

    def bring(self, file, folder="/root"):
        """Copies a file of this machine into the lab; its path there."""
        target = f"{folder}/{pathlib.Path(file).name}"
        with open(file, "rb") as content:
            subprocess.run(
                ["nsenter", "-t", self.init, "-m", "tee", target], stdin=content,
                stdout=subprocess.DEVNULL, check=True, cwd="/")
        return target

    def take_layer(self, folder):
        """Ends the lab; `folder` gets what was changed in it, to begin others with."""
        self.call("sync")
        self._end()
        shutil.move(self.folder / "upper", folder)
        return folder

    def close(self):
        self._end()
        self._remove_cgroup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self):
        if self.process is not None:
            if self.init:
                try:
                    os.kill(int(self.init), signal.SIGKILL)  # And with it all of its namespace.
                except ProcessLookupError:
                    pass
            self.process.kill()
            self.process.wait()
            self.process = None

    def _remove_cgroup(self):
        """From the leaves; those of dead processes empty themselves a moment later."""
        deadline = time.monotonic() + 10
        while self.cgroup.exists() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            time.sleep(0.05)
