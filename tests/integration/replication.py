"""A source and its replica, and what is asked and told to make one of the other."""

from relay import wait_until


def value(server, variable):
    return server.mysql(f"SELECT @@global.{variable}").strip().replace("\\n", "")


def executed(server):
    return value(server, "gtid_executed")


def replicate(replica, source):
    replica.mysql(
        f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {source.port},"
        f" SOURCE_USER = 'root', SOURCE_PASSWORD = '{source.password}', SOURCE_AUTO_POSITION = 1,"
        " SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, GET_SOURCE_PUBLIC_KEY = 1;"
        " START REPLICA"
    )


def catch_up(replica, source):
    wait_until(lambda: executed(replica) == executed(source), "the replica has everything")


def promote(replica):
    replica.mysql("STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = OFF")


def copy_account(relay, other):
    """What Relay makes on its own server, on another one."""
    for statement in (
        f"CREATE DATABASE {relay.database}",
        "CREATE TABLE {d}.outbox (id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255)"
        " NOT NULL, aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload LONGTEXT)",
        "CREATE USER {u}@'%' IDENTIFIED BY '" + relay.password_file.read_text().strip() + "'",
        "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {u}@'%'",
        "GRANT SELECT ON {d}.outbox TO {u}@'%'",
    ):
        other.mysql(statement.format(d=relay.database, u=relay.user))
