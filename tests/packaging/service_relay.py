"""A relay that runs as a service in a lab, as its package's unit starts it."""

from relay import PASSWORD, Relay, wait_until


class ServiceRelay(Relay):
    def __init__(self, lab, mysql, kafka, folder, **config):
        self.lab = lab
        super().__init__("/usr/bin/outboxd", mysql, kafka, folder, **config)
        self.password_file = f"/etc/outboxd/{self.name}.password"
        lab.write(self.password_file, PASSWORD + "\n", 0o640, "root:outboxd")
        self.configure(relay__state_directory=None, mysql__password_file=self.password_file)

    @property
    def instance(self):
        """The name of its configuration."""
        return self.config["relay.name"] if hasattr(self, "config") else self.name

    @property
    def unit(self):
        return f"outboxd@{self.instance}.service"

    @property
    def state(self):
        return f"/var/lib/outboxd/{self.instance}"

    @state.setter
    def state(self, _):
        pass  # The unit decides.

    @property
    def config_file(self):
        return f"/etc/outboxd/{self.instance}.conf"

    def become(self, name, password_file):
        """Another name for what was prepared."""
        self.lab.call("rm", self.config_file)
        self.configure(relay__name=name, mysql__password_file=password_file)

    def configure(self, **changes):
        super().configure(**changes)
        self.lab.write(self.config_file, self.path.read_text())
        return self

    def systemctl(self, *words, check=True):
        return self.lab.call("systemctl", *words, self.unit, check=check)

    def drop_in(self, settings):
        """Further settings of its unit."""
        folder = f"/etc/systemd/system/{self.unit}.d"
        self.lab.call("mkdir", "-p", folder)
        self.lab.write(f"{folder}/test.conf", f"[Service]\n{settings}\n")
        self.lab.call("systemctl", "daemon-reload")

    def show(self, what):
        return self.systemctl("show", "--value", "-p", what).stdout.strip()

    def start(self):
        self.systemctl("enable", "--now")
        return self

    def stop(self):
        self.systemctl("stop")

    def log(self):
        return self.lab.call("journalctl", "--no-pager", "-o", "cat", "-u", self.unit).stdout

    def command(self, *words):
        return self.lab.call("runuser", "-u", "outboxd", "--", "outboxd", *words, "--config",
                             self.config_file, check=False)

    def wait_for_state(self, wanted, seconds=60):
        wait_until(lambda: self.show("ActiveState") == wanted,
                   f"{self.unit} {wanted}; {self.log()[-2000:]}", seconds)

    def close(self):
        pass  # It ends with its lab.
