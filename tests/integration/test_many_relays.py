"""Several relays on one server: what they see of each other, and that they leave each other be."""

import pytest
from private_servers import PrivateMysql
from relay import PASSWORD, Relay, wait_until


@pytest.fixture(scope="module")
def server():
    with PrivateMysql() as mysql:
        yield mysql


def two_relays(outboxd, server, kafka, folder, **of_second):
    for name in ("a", "b"):
        (folder / name).mkdir()
    return (Relay(outboxd, server, kafka, folder / "a"),
            Relay(outboxd, server, kafka, folder / "b", **of_second))


def start(relay):
    relay.start()
    wait_until(lambda: "reading the binary log" in relay.log(), relay.log)


def grant_select(relay, table):
    relay.sql(f"GRANT SELECT ON {table} TO {relay.user}@'%'")


def test_relays_of_other_names_on_one_table_are_told_by_check_and_at_the_start(outboxd, server,
                                                                               kafka, tmp_path):
    first, second = two_relays(outboxd, server, kafka, tmp_path)
    with first, second:
        # One account for both, as people do.
        second.configure(mysql__user=first.user, outbox__table=f"{first.database}.outbox")
        start(first)
        told = f"relay '{first.name}' reads event table {first.database}.outbox of this server too"
        checked = second.command("check").stdout
        assert told in checked and "stop one of the two" in checked
        assert "is ready to run" in checked  # It may be meant.
        start(second)
        assert told in second.log()
        # The first is told at its next start.
        assert f"relay '{second.name}' reads event table" in first.command("check").stdout


def test_relays_of_other_accounts_are_seen_where_the_account_may(outboxd, server, kafka, tmp_path):
    first, second = two_relays(outboxd, server, kafka, tmp_path)
    with first, second:
        second.configure(outbox__table=f"{first.database}.outbox")
        grant_select(second, f"{first.database}.outbox")
        start(first)
        assert f"relay '{first.name}'" not in second.command("check").stdout
        grant_select(second, "performance_schema.session_connect_attrs")
        assert f"relay '{first.name}' reads event table" in second.command("check").stdout


def test_relays_of_other_tables_say_nothing_of_each_other(outboxd, server, kafka, tmp_path):
    first, second = two_relays(outboxd, server, kafka, tmp_path)
    with first, second:
        second.configure(mysql__user=first.user)
        grant_select(first, f"{second.database}.outbox")
        start(first)
        start(second)
        assert "other relays" not in second.log()
        assert "other relays" not in second.command("check").stdout
        for relay in (first, second):
            relay.insert("e-1")
            relay.wait_for(1)


def test_an_equal_server_id_is_told(outboxd, server, kafka, tmp_path):
    first, second = two_relays(outboxd, server, kafka, tmp_path)
    with first, second:
        first.configure(mysql__server_id=4711)
        second.configure(mysql__server_id=4711, mysql__user=first.user)
        grant_select(first, f"{second.database}.outbox")
        start(first)
        checked = second.command("check").stdout
        assert f"4711 is the server_id of relay '{first.name}' too" in checked
        server_id = first.sql("SELECT @@global.server_id")[0][0]
        second.configure(mysql__server_id=server_id)
        assert "is the server_id of this server itself too" in second.command("check").stdout


def test_the_server_id_of_a_replica_is_told(outboxd, server, kafka, tmp_path):
    with PrivateMysql(options={"server-id": "4712"}) as replica, \
            Relay(outboxd, server, kafka, tmp_path, mysql__server_id=4712) as relay:
        relay.sql(f"CREATE USER repl@'%' IDENTIFIED BY '{PASSWORD}'")
        relay.sql("GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        replica.mysql(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1',"
                      f" SOURCE_PORT={server.port}, SOURCE_USER='repl',"
                      f" SOURCE_PASSWORD='{PASSWORD}', SOURCE_AUTO_POSITION=1,"
                      " GET_SOURCE_PUBLIC_KEY=1; START REPLICA")
        wait_until(lambda: relay.sql("SHOW REPLICAS"), "the replica")
        assert "4712 is the server_id of a replica" in relay.command("check").stdout
