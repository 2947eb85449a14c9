"""The container image under test, in a storage of its own, and a relay that runs in a container of
it. Containers share this machine's network: the servers of a test listen on loopback."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from relay import PASSWORD, Relay, wait_until

USER = 10001
CONFIG, STATE, RUNTIME = "/etc/outboxd", "/var/lib/outboxd", "/run/outboxd"


def build_image(folder, *command):
    """The file with the image that a command makes in `folder`, and what it printed."""
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False,
                          env=os.environ | {"SOURCE_DATE_EPOCH": "1790000000"})
    assert done.returncode == 0, done.stdout + done.stderr
    (image,) = pathlib.Path(folder).glob("outboxd_*.container.tar")
    return image, done.stdout


class Storage:
    """Images and containers in a folder that goes with it. Use as context."""

    def __init__(self, archive):
        self.archive = archive
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="outboxd-containers-"))

    def __enter__(self):
        try:
            source = f"docker-archive:{self.archive}"
            self.image = self.buildah("pull", "--quiet", source).split()[-1]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for words in (("rm", "--all"), ("rmi", "--all", "--force")):
            subprocess.run(self.command(*words), capture_output=True, check=False)
        shutil.rmtree(self.folder)

    def command(self, *words):
        return ["buildah", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run",
                "--storage-driver", "vfs", *map(str, words)]

    def buildah(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True,
                              check=True).stdout

    def config(self):
        """What the image says of itself, as Docker has it."""
        inspected = self.buildah("inspect", "--type", "image", self.image)
        return json.loads(inspected)["Docker"]["config"]


class Container:
    """A container of the image, with folders of this machine mounted as {PLACE: FOLDER}. Use as
    context. It begins as the image says, as its user and with its volume."""

    def __init__(self, storage, mounts):
        self.storage, self.mounts = storage, mounts
        self.user, self.environment = None, {}
        self.name = storage.buildah("from", "--pull-never", storage.image).strip()
        if STATE in mounts:
            # This buildah mounts the volume of the image over that of the command line at times.
            storage.buildah("config", "--volume", f"{STATE}-", self.name)
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def command(self, *words):
        """That which runs `words` in it."""
        options = ["--isolation", "chroot"]
        for place, folder in self.mounts.items():
            options += ["--volume", f"{folder}:{place}" + (":ro" if place == CONFIG else "")]
        for key, value in self.environment.items():
            options += ["--env", f"{key}={value}"]
        if self.user is not None:
            options += ["--user", self.user]
        return self.storage.command("run", *options, self.name, "--", *words)

    def call(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)

    def start(self, log, words=None):
        """Its entrypoint with `words`, without them with those of the image."""
        config = self.storage.config()
        words = config["Cmd"] if words is None else words
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.command(*config["Entrypoint"], *words), stdout=output, stderr=output,
                stdin=subprocess.DEVNULL)

    def pid(self):
        """The first process of the container, or None."""
        parents = [self.process.pid]
        while parents:
            parent = parents.pop()
            try:
                if os.readlink(f"/proc/{parent}/exe").endswith("/usr/bin/outboxd"):
                    return parent
                tasks = pathlib.Path(f"/proc/{parent}/task")
                for task in tasks.iterdir():
                    parents += map(int, (task / "children").read_text().split())
            except OSError:
                continue  # It has ended meanwhile.
        return None

    def close(self):
        if self.process is not None:
            pid = self.pid()
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.storage.buildah("rm", self.name)


class ReadOnlyContainer(Container):
    """The same where nothing can be written but the state, and without privileges: what a container
    engine does with --read-only --cap-drop=all --security-opt=no-new-privileges."""

    BEGIN = """
set -e
root=$1 mounts=$2 user=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc -o ro proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
while read -r place folder; do
  mount --bind "$folder" "$root$place"
  [ "$place" = /var/lib/outboxd ] || mount -o remount,bind,ro "$root$place"
done <<<"$mounts"
mount -o remount,ro "$root/dev"
mount -o remount,bind,ro "$root"
exec env -i PATH=/usr/sbin:/usr/bin setpriv \
  --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all --no-new-privs -- \
  chroot --userspec="$user:$user" --groups="$user" "$root" "$@"
"""

    def __init__(self, storage, mounts):
        super().__init__(storage, mounts)
        self.root = storage.buildah("mount", self.name).strip()

    def command(self, *words):
        mounts = "\n".join(f"{place} {folder}" for place, folder in self.mounts.items())
        return ["unshare", "--mount", "bash", "-c", self.BEGIN, "container", self.root, mounts,
                str(USER), *map(str, words)]


class ContainerRelay(Relay):
    """A relay with the configuration and the state that are mounted into a container."""

    def __init__(self, storage, mysql, kafka, folder, kind=Container, mounts=(STATE,), **config):
        """`mounts`: where folders that it can write to are mounted."""
        self.etc = folder / "etc"
        self.etc.mkdir()
        written = {place: folder / pathlib.Path(place).parent.name / "outboxd" for place in mounts}
        for one in written.values():
            one.mkdir(parents=True)
            os.chown(one, USER, USER)
        self.volume = written.get(STATE)
        super().__init__("/usr/bin/outboxd", mysql, kafka, self.etc)
        self.path.unlink()
        self.path = self.etc / "outboxd.conf"
        self.log_path = folder / "relay.log"
        self.configure(relay__state_directory=None, mysql__password_file=f"{CONFIG}/password",
                       **config)
        for file in (self.path, self.password_file):
            os.chown(file, 0, USER)  # As a secret for the group of the image.
            file.chmod(0o640)
        assert self.password_file.read_text() == PASSWORD + "\n"
        self.container = kind(storage, {CONFIG: self.etc, **written})
        if RUNTIME in written:
            self.container.environment["RUNTIME_DIRECTORY"] = RUNTIME

    def command(self, *words):
        return self.container.call(self.binary, *words, "--config", f"{CONFIG}/outboxd.conf")

    def health(self, *words):
        """The exit code, and the line."""
        done = self.command("health", *words)
        lines = done.stdout.strip() or done.stderr.strip()
        return done.returncode, lines.splitlines()[0] if lines else ""

    def start(self, *words):
        """As the image does it, unless there are other words."""
        self.container.start(self.log_path, words or None)
        self.process = self.container.process
        wait_until(lambda: self.container.pid() or self.process.poll() is not None, self.log, 30)
        return self

    def start_unparked(self):
        """What fails ends it."""
        return self.start("run", "--config", f"{CONFIG}/outboxd.conf")

    def stop(self):
        os.kill(self.container.pid(), signal.SIGTERM)
        return self.wait()

    def close(self):
        self.process = None
        self.container.close()
