"""`check` on servers where everything is wrong that can be: it says so, and who does what it says,
to the letter, has a relay that is ready to run."""

import re
import shlex

from private_servers import PrivateKafka, PrivateMysql
from relay import PASSWORD, Relay

WRONG = {
    "binlog-format": "MIXED",
    "binlog-row-image": "MINIMAL",
    "binlog-row-metadata": "MINIMAL",
    "sync-binlog": "0",
    "innodb-flush-log-at-trx-commit": "2",
    "binlog-expire-logs-seconds": "600",
}


def remedies(printed):
    return [line.split("-> ", 1)[1] for line in printed.splitlines()
            if re.match(r"\s+-> ", line)]


def levels(printed):
    return {line.split()[0] for line in printed.splitlines()
            if line.startswith(("ok ", "warning ", "PROBLEM "))}


def follow(relay, kafka, remedy):
    """As a person does: statements at the server, commands in a shell. The rest is left."""
    for part in re.split(r"; |, and |, or |, then ", remedy):
        if part.startswith(("SET PERSIST", "GRANT")):
            relay.sql(part)
        elif part.startswith("kafka-topics.sh"):
            words = shlex.split(part)
            value = dict(zip(words, words[1:]))
            kafka.create_topic(value["--topic"], partitions=int(value["--partitions"]),
                               replication=int(value["--replication-factor"]))
        elif part.startswith("chmod"):
            relay.password_file.chmod(0o640)


def test_who_follows_its_advice_is_ready(outboxd, tmp_path):
    with PrivateMysql(WRONG) as mysql, PrivateKafka() as kafka:
        with Relay(outboxd, mysql, kafka, tmp_path, topics=()) as relay:
            relay.sql(f"DROP USER {relay.user}@'%'")
            relay.sql(f"CREATE USER {relay.user}@'%' IDENTIFIED BY '{PASSWORD}'")
            relay.password_file.chmod(0o644)
            orders = relay.topic("orders")
            relay.configure(outbox__topic=orders, delivery__on_bad_event="dead-letter",
                            delivery__dead_letter_topic=f"{orders}.dead")

            before = relay.command("check")
            (tmp_path / "before.txt").write_text(before.stdout)
            assert before.returncode != 0
            assert levels(before.stdout) >= {"PROBLEM", "warning"}
            for wrong in ("binlog_format", "binlog_row_image", "binlog_row_metadata", "sync_binlog",
                          "REPLICATION SLAVE is missing", "SELECT on ", "mode 0644",
                          f"topic {orders} ", f"topic {orders}.dead "):
                assert wrong in before.stdout, before.stdout
            # What one right hides shows as soon as it is given.
            for _ in range(4):
                printed = relay.command("check").stdout
                for remedy in remedies(printed):
                    follow(relay, kafka, remedy)

            after = relay.command("check")
            assert after.returncode == 0, after.stdout
            assert levels(after.stdout) == {"ok"}, after.stdout
            assert after.stdout.endswith(f"relay {relay.name} is ready to run\n")
            relay.start()
            relay.insert("e-1")
            relay.wait_for(1, "orders")
