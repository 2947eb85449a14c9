"""What a running relay answers by HTTP, read by Python's own client, and its metrics by the parser
of Prometheus' client library."""

import http.client
import json
import socket

from prometheus_client.parser import text_string_to_metric_families


class UnixConnection(http.client.HTTPConnection):
    """To the socket at `path`."""

    def __init__(self, path, timeout=10):
        super().__init__("relay", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def get(relay, path, connection=None):
    """The code and the body."""
    connection = connection or UnixConnection(relay.state / "outboxd.sock")
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def is_ready(relay):
    """Whether messages flow. False also where it does not answer."""
    try:
        return get(relay, "/readyz")[0] == 200
    except OSError:
        return False


def status(relay):
    code, body = get(relay, "/status")
    assert code == 200
    return json.loads(body)


def metrics(relay):
    """Each series: the value by the name and the labels, as `name` or `name{label="value"}`."""
    code, body = get(relay, "/metrics")
    assert code == 200
    return series(body)


def series(text):
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return values
