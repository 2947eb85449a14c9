"""What `check` and the start of a relay say before the rows of the event tables are published."""

import re

import pytest
from private_servers import PrivateMysql
from relay import Relay, wait_until

TABLE = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload TEXT, at DATETIME(6))"""
WEEK = 7 * 24 * 3600 * 1000


@pytest.fixture
def aged(outboxd, mysql, kafka, tmp_path):
    """Three rows a month old and one of now, whose time becomes their message's."""
    with Relay(outboxd, mysql, kafka, tmp_path, table=TABLE, topics=(),
               outbox__timestamp="at") as relay:
        relay.configure(outbox__topic=relay.topic("{aggregatetype}"))
        for row in ("1", "2", "3", "now"):
            days = 0 if row == "now" else 30
            relay.sql("INSERT INTO outbox VALUES (%s, 'order', 'k', 't', '{}',"
                      f" UTC_TIMESTAMP() - INTERVAL {days} DAY)", (row,))
        yield relay


@pytest.mark.parametrize("is_constant", [True, False])
def test_rows_that_are_older_than_their_topic_keeps_messages(aged, is_constant):
    if is_constant:
        aged.configure(outbox__topic=aged.topic())
    aged.kafka.create_topic(aged.topic(), configs={"retention.ms": WEEK})
    told = f"3 rows are older, by 'at', than topic {aged.topic()} keeps messages"
    checked = aged.command("check")
    assert checked.returncode == 0 and f"retention.ms = {WEEK}, 7 d" in checked.stdout
    assert told in checked.stdout and "warning" in checked.stdout, checked.stdout
    aged.start()
    aged.wait_for(4)
    wait_until(lambda: told in aged.log(), "the warning")
    assert aged.stop() == 0
    # What it says is what helps.
    command = re.search(r"-> kafka-configs.sh (.*--add-config \S+), or", checked.stdout).group(1)
    aged.kafka.tool("kafka.admin.ConfigCommand", *command.split())
    # The read is over: a relay that goes on has nothing to look at.
    assert told not in aged.command("check").stdout
    assert aged.command("position", "set", "table").returncode == 0
    assert "rows are older" not in aged.command("check").stdout


def test_whether_a_topic_keeps_rows_that_cannot_be_told(aged):
    said = "whether topics keep messages for the age of these rows"
    assert f"no topic fits {aged.topic()[:-5]}* yet" in aged.command("check").stdout
    aged.kafka.create_topic(aged.topic(), configs={"retention.ms": WEEK})
    aged.configure(outbox__timestamp="at | at")
    assert said in aged.command("check").stdout
    aged.configure(outbox__timestamp="at", delivery__start="now")
    assert "rows are older" not in aged.command("check").stdout
    aged.configure(delivery__start="table", outbox__timestamp=None)
    checked = aged.command("check").stdout
    assert said not in checked and "rows are older" not in checked


CHILD = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload TEXT, parent INT)"""


def has_cascade(relay):
    relay.sql("CREATE TABLE parents (id INT PRIMARY KEY)")
    relay.sql("ALTER TABLE outbox ADD CONSTRAINT fk_1 FOREIGN KEY (parent) REFERENCES parents (id)"
              " ON DELETE CASCADE ON UPDATE SET NULL")
    relay.sql("INSERT INTO parents VALUES (1)")
    relay.sql("INSERT INTO outbox VALUES ('1', 'order', 'k', 't', '{}', 1)")


def test_cascades_that_the_server_does_not_log(outboxd, kafka, tmp_path):
    options = {"innodb-native-foreign-keys": "ON"}
    with (PrivateMysql(options) as server,
          Relay(outboxd, server, kafka, tmp_path, table=CHILD) as relay):
        has_cascade(relay)
        said = (f"foreign key fk_1 (ON DELETE CASCADE, ON UPDATE SET NULL) to"
                f" {relay.database}.parents")
        for command in ("check", "run"):
            refused = relay.command(command)
            shown = refused.stdout + refused.stderr
            assert refused.returncode == 78 and said in shown, shown
            assert f"ALTER TABLE `{relay.database}`.`outbox` DROP FOREIGN KEY `fk_1`" in shown
        # Who does not read the table need not care.
        assert relay.configure(delivery__start="now").command("check").returncode == 0
        relay.configure(delivery__start="table", delivery__unlogged_deletes="accept")
        checked = relay.command("check")
        assert checked.returncode == 0 and said in checked.stdout
        relay.start()
        assert [m.id for m in relay.wait_for(1)] == ["1"]
        assert said in relay.log()
        assert relay.stop() == 0
        assert said not in relay.command("check").stdout


def test_cascades_that_the_server_logs_are_fine(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path, table=CHILD) as relay:
        has_cascade(relay)
        checked = relay.command("check")
        assert checked.returncode == 0 and "foreign key" not in checked.stdout
        relay.begin_now().start()
        relay.sql("INSERT INTO outbox VALUES ('2', 'order', 'k', 't', '{}', 1)")
        relay.wait_for(1)
        relay.sql("DELETE FROM parents")
        assert relay.sql("SELECT * FROM outbox") == ()
    log = mysql.mysqlbinlog("--verbose", mysql.binlogs()[-1])
    assert log.count(f"### DELETE FROM `{relay.database}`.`outbox`") == 2


def test_an_account_that_may_not_ask_for_prepared_transactions(outboxd, mysql, kafka, tmp_path):
    with Relay(outboxd, mysql, kafka, tmp_path) as relay:
        checked = relay.command("check")
        assert checked.returncode == 0 and "XA_RECOVER_ADMIN is missing" in checked.stdout
        relay.sql(re.search(r"-> (GRANT XA_RECOVER_ADMIN .*)", checked.stdout).group(1))
        assert "XA_RECOVER_ADMIN" not in relay.command("check").stdout


def test_a_log_that_may_not_last_as_long_as_the_read(outboxd, kafka, tmp_path):
    options = {"binlog-expire-logs-seconds": "1"}
    with PrivateMysql(options) as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.configure(delivery__max_rate=1)
        assert "to read them takes" not in relay.command("check").stdout
        relay.insert(*(str(n) for n in range(20)))
        relay.sql("ANALYZE TABLE outbox")
        said = "the event tables have about 20 rows, and to read them takes 20 s"
        checked = relay.command("check")
        assert checked.returncode == 0 and said in checked.stdout, checked.stdout
