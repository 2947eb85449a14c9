"""What `check` and the start of a relay say before the rows of the event tables are published."""

import re

import pytest
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
