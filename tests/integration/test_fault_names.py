"""A name leads to another address: both servers move, and the relay finds them."""

import contextlib
import os

from fault_proxy import FaultProxy
from fault_trial import Trial
from private_servers import PrivateKafka, free_port
from relay import Relay, wait_until

FIRST, SECOND = "127.0.0.1", "127.0.0.2"


class Names:
    """/etc/hosts as the relay sees it, in a mount namespace of its own."""

    def __init__(self, binary, folder):
        self.file = folder / "hosts"
        self.binary = folder / "outboxd-with-names"
        self.binary.write_text(
            f"""#!/bin/sh
exec unshare --mount sh -c 'mount --bind {self.file} /etc/hosts && exec "$0" "$@"' {binary} "$@"
"""
        )
        self.binary.chmod(0o755)
        self.lead_to(FIRST)

    def lead_to(self, address):
        self.file.write_text(f"127.0.0.1 localhost\n{address} db.test kafka.test\n")


def test_names_that_lead_elsewhere(outboxd, mysql, tmp_path):
    names = Names(os.path.abspath(outboxd), tmp_path)
    mysql_port, kafka_port, broker_port = free_port(), free_port(), free_port()
    kafka = PrivateKafka()
    properties = kafka.properties
    properties["listeners"] = f"RELAY://127.0.0.1:{broker_port}," + properties["listeners"]
    properties["advertised.listeners"] = (
        f"RELAY://kafka.test:{kafka_port},PLAINTEXT://{kafka.bootstrap}"
    )
    properties["inter.broker.listener.name"] = "PLAINTEXT"
    properties["listener.security.protocol.map"] = (
        "RELAY:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    )
    with contextlib.ExitStack() as stack:
        places = {
            host: [
                stack.enter_context(FaultProxy(mysql.host, mysql.port, listen=(host, mysql_port))),
                stack.enter_context(FaultProxy(FIRST, broker_port, listen=(host, kafka_port))),
            ]
            for host in (FIRST, SECOND)
        }
        stack.enter_context(kafka)
        relay = stack.enter_context(
            Relay(str(names.binary), mysql, kafka, tmp_path, mysql__host="db.test",
                  mysql__port=mysql_port, mysql__tls="required",
                  kafka__bootstrap__servers=f"kafka.test:{kafka_port}")
        )  # fmt: skip
        trial = stack.enter_context(Trial(relay, "names lead to other addresses"))

        def move(to):
            accepted = [proxy.accepted for proxy in places[to]]
            names.lead_to(to)
            for proxy in places[FIRST if to == SECOND else SECOND]:
                proxy.refuse()
                proxy.reset()
            for proxy, before in zip(places[to], accepted, strict=True):
                proxy.heal()
                wait_until(lambda p=proxy, b=before: p.accepted > b, f"{to}\n{trial.tail()}")

        def inject():
            move(SECOND)
            trial.wait_for_load(20)
            move(FIRST)

        trial.repeat(inject)
