"""A real Prometheus of one's own, of Debian's package, which is unpacked into the cache and not
installed: its service would start."""

import json
import pathlib
import subprocess
import tempfile
import urllib.parse
import urllib.request

from private_servers import (
    SOURCE,
    START_TIMEOUT,
    Server,
    cache_folder,
    cache_lock,
    new_folder,
    run_program,
    wait_for,
)


def fetch_prometheus() -> pathlib.Path:
    """The folder that holds prometheus and promtool."""
    with cache_lock("prometheus"):
        target = cache_folder() / "prometheus"
        if not target.exists():
            with new_folder(target) as work, tempfile.TemporaryDirectory() as packages:
                script = f'. "{SOURCE}/packaging/steps.sh"; download_package "$@"'
                run_program(["bash", "-c", script, "bash", packages, "prometheus"])
                (package,) = pathlib.Path(packages).glob("prometheus_*.deb")
                run_program(["dpkg-deb", "-x", package, work])
        return target / "usr/bin"


def promtool(*words, input=None) -> tuple[int, str]:
    """The exit code, and all that it says."""
    done = subprocess.run([fetch_prometheus() / "promtool", *map(str, words)], input=input,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class PrivatePrometheus(Server):
    """Scrapes `targets`, one "HOST:PORT" or a list of them by job, every second."""

    def __init__(self, targets, path="/metrics", rules=()):
        super().__init__("prometheus")
        self.config = self.folder / "prometheus.yml"
        jobs = [{"job_name": job, "metrics_path": path,
                 "static_configs": [{"targets": [ones] if isinstance(ones, str) else ones}]}
                for job, ones in targets.items()]
        # YAML is a superset of JSON.
        self.config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": jobs}))

    def start(self):
        self._launch([
            fetch_prometheus() / "prometheus", f"--config.file={self.config}",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address={self.host}:{self.port}"])
        wait_for(self.is_ready, "prometheus", START_TIMEOUT, self.process, self.log)
        return self

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{self.host}:{self.port}{path}?{query}",
                                    timeout=10) as answer:
            return answer.read().decode()

    def is_ready(self):
        try:
            return bool(self.get("/-/ready"))
        except OSError:
            return False

    def query(self, expression):
        """The series: the value by the labels, sorted, as a tuple of pairs."""
        answer = json.loads(self.get("/api/v1/query", query=expression))
        assert answer["status"] == "success", answer
        return {tuple(sorted(one["metric"].items())): float(one["value"][1])
                for one in answer["data"]["result"]}
