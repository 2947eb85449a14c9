"""docs/security.md: its account is enough, its replica shows one schema only, and its example is
read."""

import re
import subprocess

from private_servers import SOURCE, PrivateMysql
from relay import Relay, wait_until
from replication import catch_up, executed, replicate
from relay_http import get, metrics

PAGE = (SOURCE / "docs/security.md").read_text()


def block(test):
    """What stands behind the mark that names this test, without its indent."""
    text = PAGE.split(f"test_security_page.py::{test} -->\n\n")[1]
    lines = []
    for line in text.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines)


def test_the_account_of_the_page_is_enough(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        relay.sql(f"DROP USER {relay.user}@'%'")
        statements = block("test_the_account_of_the_page_is_enough")
        statements = statements.replace("outboxd@'10.0.0.7'", f"{relay.user}@'127.0.0.1'")
        statements = statements.replace("'...'", f"'{relay.password_file.read_text().strip()}'")
        statements = statements.replace("shop.outbox", f"{relay.database}.outbox")
        for statement in filter(str.strip, statements.split(";")):
            relay.sql(statement)
        checked = relay.command("check")
        assert checked.returncode == 0, checked.stdout
        relay.begin_now().start()
        relay.insert("e-1", "e-2")
        relay.wait_for(2)
        wait_until(lambda: "outboxd_purge_margin_seconds" in metrics(relay), relay.log)


def test_a_replica_with_one_schema_has_nothing_else_in_its_log(outboxd, kafka, tmp_path):
    options = {}
    for line in block("test_a_replica_with_one_schema_has_nothing_else_in_its_log").splitlines():
        name, _, value = line.partition(" = ")
        if value:
            options[name.replace("_", "-")] = value
    with PrivateMysql() as source, Relay(outboxd, source, kafka, tmp_path) as relay:
        options["replicate-wild-do-table"] = f"{relay.database}.%"
        with PrivateMysql(options) as replica:
            replicate(replica, source)
            relay.sql("CREATE DATABASE secrets", database=None)
            relay.sql("CREATE TABLE cards (number VARCHAR(20))", database="secrets")
            relay.sql("INSERT INTO cards VALUES ('4111-1111-1111-1111')", database="secrets")
            relay.sql("CREATE USER someone IDENTIFIED BY 'a password of somebody else'")
            relay.insert("e-1")
            catch_up(replica, source)
            # The relay's account exists on the replica only, and was not replicated.
            replica.mysql(
                f"CREATE USER {relay.user}@'%' IDENTIFIED BY"
                f" '{relay.password_file.read_text().strip()}';"
                f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {relay.user}@'%';"
                f"GRANT SELECT ON {relay.database}.outbox TO {relay.user}@'%'")
            relay.configure(mysql__port=replica.port, delivery__start="earliest")
            relay.start()
            assert [m.headers for m in relay.wait_for(1)]
            relay.insert("e-2")
            relay.wait_for(2)
            log = replica.mysqlbinlog("-vv", *replica.binlogs())
            assert "e-2" in log
            for secret in ("4111-1111-1111-1111", "cards", "secrets", "someone"):
                assert secret not in log
            assert executed(source) and get(relay, "/readyz")[0] == 200


def test_the_hardened_example_is_a_configuration(outboxd, tmp_path):
    text = block("test_the_hardened_example_is_a_configuration")
    for name in re.findall(r"/etc/outboxd/([\w.-]+)", text):
        (tmp_path / name).write_text("secret\n")
        (tmp_path / name).chmod(0o640)
    path = tmp_path / "shop.conf"
    path.write_text(text.replace("/etc/outboxd", str(tmp_path)).replace(
        ".example.com", ".invalid"))
    shown = subprocess.run(
        [outboxd, "status", "--config", path, f"--relay.state-directory={tmp_path}/state"],
        capture_output=True, text=True, timeout=60)
    # It is read: the relay does not run, and that is all.
    assert (shown.returncode, shown.stderr) == (3, "")
