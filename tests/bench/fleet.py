"""Measures a fleet of relays: what each takes while nothing happens, and under load.

COUNT relays on one server, each with an event table of its own, or with --servers each on a server
of its own. Prints memory (what is the relay's alone, and with its share of what all use), CPU,
threads, connections and dump threads; then the delay until everything has arrived at RATE events a
second over all relays. Absolute figures belong to the machine.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "packaging"), str(SOURCE / "tests/integration")]

from private_servers import PrivateKafka, PrivateMysql  # noqa: E402
from relay import Relay, wait_until  # noqa: E402

IDLE_SECONDS = 30
LOAD_SECONDS = 20
TICKS_PER_SECOND = 100
DUMPS = "SELECT COUNT(*) FROM performance_schema.processlist WHERE command LIKE 'Binlog Dump%'"
CONNECTIONS = """SELECT COUNT(*) FROM performance_schema.processlist
WHERE user LIKE 'outboxd%' AND command NOT LIKE 'Binlog Dump%'"""


def of_process(relay, file, field):
    text = pathlib.Path(f"/proc/{relay.process.pid}/{file}").read_text()
    return int(text.split(f"{field}:")[1].split()[0])


def cpu_seconds(relay):
    fields = pathlib.Path(f"/proc/{relay.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def private_kib(relay):
    return (of_process(relay, "smaps_rollup", "Private_Clean")
            + of_process(relay, "smaps_rollup", "Private_Dirty"))


def report_memory(relays):
    for name, value_of in (("alone", private_kib),
                           ("with its share", lambda r: of_process(r, "smaps_rollup", "Pss")),
                           ("at most so far", lambda r: of_process(r, "status", "VmHWM"))):
        values = [value_of(relay) for relay in relays]
        print(f"memory, {name:<15} {max(values) / 1024:6.1f} MiB for the largest,"
              f" {sum(values) / 1024:7.1f} MiB for all")
    threads = max(of_process(relay, "status", "Threads") for relay in relays)
    print(f"threads                {threads} a relay")


def report_load(relays, rate):
    before = [cpu_seconds(r) for r in relays]
    begin = time.monotonic()
    sent = 0
    while time.monotonic() - begin < LOAD_SECONDS:
        relays[sent % len(relays)].insert(f"e-{sent}")
        sent += 1
        time.sleep(max(0.0, begin + sent / rate - time.monotonic()))
    seconds = time.monotonic() - begin
    counts = [sent // len(relays) + (i < sent % len(relays)) for i in range(len(relays))]
    for relay, count in zip(relays, counts):
        relay.wait_for(count)
    behind = time.monotonic() - begin - seconds
    used = sum(map(cpu_seconds, relays)) - sum(before)
    print(f"load                   {sent / seconds:.0f} events a second over all relays,"
          f" {100 * used / seconds:.1f} % of a core, all there {behind:.1f} s after the last")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outboxd")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--servers", action="store_true", help="a server for each relay")
    parser.add_argument("--rate", type=int, default=50)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        kafka = stack.enter_context(PrivateKafka())
        servers = [stack.enter_context(PrivateMysql())
                   for _ in range(options.count if options.servers else 1)]
        relays = []
        for i in range(options.count):
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = servers[i % len(servers)]
            relays.append(stack.enter_context(Relay(options.outboxd, server, kafka, folder)))
        for relay in relays:
            relay.begin_now().start()
        for relay in relays:
            wait_until(lambda: "reading the binary log" in relay.log(), relay.log)
        time.sleep(5)
        print(f"{options.count} relays on {len(servers)} server{'s' * (len(servers) > 1)}")
        before = [cpu_seconds(r) for r in relays]
        time.sleep(IDLE_SECONDS)
        used = sum(map(cpu_seconds, relays)) - sum(before)
        print(f"idle                   {100 * used / IDLE_SECONDS:.2f} % of a core for all")
        report_memory(relays)
        dumps, others = (sum(s.sql(q)[0][0] for s in relays[:len(servers)])
                         for q in (DUMPS, CONNECTIONS))
        print(f"on the servers         {dumps} dump threads, {others} other connections of relays")
        report_load(relays, options.rate)
        report_memory(relays)
        for relay in relays:
            assert relay.stop() == 0, relay.log()


if __name__ == "__main__":
    main()
