"""Failover between a source and its replica by GTID: what is there arrives, what was lost is named,
and a server with another history is refused."""

import contextlib
import json
import shutil

import pytest
from private_servers import PrivateMysql
from relay import Relay, wait_until
from replication import catch_up, copy_account, executed, promote, replicate, value

# Far beyond what a test takes: whatever ends sooner was decided by something else.
LONG = "600s"


class Pair:
    """A source, its replica, and a relay that knows both."""

    def __init__(self, outboxd, kafka, folder, stack, options=None, **config):
        self.source = stack.enter_context(PrivateMysql(options=options))
        self.replica = stack.enter_context(PrivateMysql(options=options))
        self.relay = stack.enter_context(
            Relay(outboxd, self.source, kafka, folder, **config)
        )
        self.relay.configure(
            mysql__host=f"127.0.0.1:{self.source.port}, 127.0.0.1:{self.replica.port}"
        )
        self.source_uuid = value(self.source, "server_uuid")
        self.replica_uuid = value(self.replica, "server_uuid")

    def follow(self):
        replicate(self.replica, self.source)
        catch_up(self.replica, self.source)
        return self

    def publish(self, *ids):
        """Written on the source, and delivered."""
        self.relay.insert(*ids)
        self.wait_for(*ids)

    def wait_for(self, *ids):
        wait_until(
            lambda: set(ids) <= set(self.ids()), f"{ids}; log:\n{self.relay.log()[-3000:]}"
        )

    def ids(self):
        return [m.id for m in self.relay.received()]

    def fail_over(self):
        self.source.kill9()
        promote(self.replica)
        self.relay.mysql = self.replica

    def wait_for_checkpoint(self):
        wait_until(
            lambda: executed(self.relay.mysql) in self.relay.checkpoint(), "the checkpoint"
        )

    def stored(self):
        return {row[0] for row in self.relay.sql("SELECT id FROM outbox")}

    def lost(self):
        path = self.relay.state / "lost.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def pair(outboxd, kafka, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Pair(outboxd, kafka, tmp_path, stack, mysql__lag_timeout="1s").follow()


def test_a_clean_failover_loses_nothing_and_repeats_nothing(pair):
    pair.relay.configure(mysql__lag_timeout=LONG).begin_now().start()
    expected = [f"p{i}" for i in range(20)]
    pair.publish(*expected)
    catch_up(pair.replica, pair.source)
    pair.fail_over()
    for i in range(20):
        pair.relay.insert(f"r{i}")
        expected.append(f"r{i}")
    pair.wait_for(*expected)
    pair.wait_for_checkpoint()
    assert pair.relay.stop() == 0
    assert pair.ids() == expected, "in order, none twice"
    assert pair.stored() == set(expected)
    assert f"server        {pair.replica_uuid}" in pair.relay.checkpoint()
    assert "alarms        0" in pair.relay.command("status").stdout
    # The former source comes back as a replica of the new one.
    pair.source.options["read-only"] = "ON"
    pair.source.start()
    replicate(pair.source, pair.replica)
    pair.relay.insert("last")
    pair.relay.start()
    pair.wait_for("last")
    assert pair.relay.stop() == 0
    assert pair.ids() == [*expected, "last"]


def received(pair):
    """Whether the replica has all of the source's in its relay log, or applied."""
    query = (
        f"SELECT GTID_SUBSET(GTID_SUBTRACT('{executed(pair.source)}', @@global.gtid_executed),"
        " received_transaction_set) FROM performance_schema.replication_connection_status"
    )
    return pair.replica.mysql(query) == "1\n"


def test_a_replica_that_lags_is_waited_for(pair):
    pair.relay.configure(mysql__lag_timeout="1s").begin_now().start()
    pair.publish("before")
    catch_up(pair.replica, pair.source)
    pair.replica.mysql("STOP REPLICA SQL_THREAD")
    pair.publish("late-1", "late-2")
    wait_until(lambda: received(pair), "received")
    # It has them, and applies them as soon as the lock is gone: however long that takes.
    pair.relay.mysql = pair.replica
    blocker = pair.relay.connect()
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLES outbox READ")
        pair.replica.mysql("START REPLICA SQL_THREAD")
        pair.source.kill9()
        wait_until(lambda: "and may get them" in pair.relay.log(), "longer than lag-timeout")
        assert "alarms        0" in pair.relay.command("status").stdout
        cursor.execute("UNLOCK TABLES")
    blocker.close()
    wait_until(lambda: f"binary log of server {pair.replica_uuid}" in pair.relay.log(), "goes on")
    promote(pair.replica)
    pair.relay.insert("after")
    pair.wait_for("after")
    assert pair.relay.stop() == 0
    assert pair.ids() == ["before", "late-1", "late-2", "after"]
    assert "alarms        0" in pair.relay.command("status").stdout


def test_what_a_replica_still_applies_is_not_lost_because_the_account_may_not_see_it(pair):
    pair.relay.begin_now().start()
    pair.publish("before")
    catch_up(pair.replica, pair.source)
    revoke = f"REVOKE REPLICATION CLIENT ON *.* FROM {pair.relay.user}@'%'"
    pair.replica.mysql(f"SET sql_log_bin = OFF; {revoke}")
    pair.relay.mysql = pair.replica
    blocker = pair.relay.connect()
    blocker.cursor().execute("LOCK TABLES outbox READ")
    pair.relay.mysql = pair.source
    pair.publish("late")
    pair.wait_for_checkpoint()
    wait_until(lambda: received(pair), "received")
    pair.source.kill9()
    hint = f"HINT: GRANT REPLICATION CLIENT ON *.* TO '{pair.relay.user}'@'%'"
    wait_until(lambda: hint in pair.relay.log() or pair.lost(), "the hint")
    assert pair.lost() == []
    blocker.close()
    wait_until(lambda: f"binary log of server {pair.replica_uuid}" in pair.relay.log(), "goes on")
    promote(pair.replica)
    pair.relay.mysql = pair.replica
    pair.publish("after")
    assert pair.relay.stop() == 0
    assert pair.ids() == ["before", "late", "after"]


def lose(pair, *ids, kept="kept"):
    """The relay publishes what the replica never gets."""
    pair.publish(kept)
    catch_up(pair.replica, pair.source)
    before = executed(pair.source)
    pair.replica.mysql("STOP REPLICA IO_THREAD")
    for one in ids:
        pair.publish(one)
    pair.wait_for_checkpoint()
    lost = pair.source.mysql(f"SELECT GTID_SUBTRACT('{executed(pair.source)}', '{before}')").strip()
    pair.fail_over()
    return lost


def test_what_a_failover_lost_is_named_and_the_stream_goes_on(pair):
    pair.relay.begin_now().start()
    lost = lose(pair, "lost-1", "lost-2", "lost\t3")
    pair.relay.insert("after")
    pair.wait_for("after")
    assert [event["id"] for event in pair.lost()] == ["lost-1", "lost-2", "lost\t3"]
    assert {event["table"] for event in pair.lost()} == {f"{pair.relay.database}.outbox"}
    assert pair.lost()[0]["gtid"].startswith(pair.source_uuid)
    status = pair.relay.command("status").stdout
    assert f"lost       {lost}" in status
    assert "3 events were published of them" in status
    assert "id lost-1, id lost-2, id lost\\t3" in status
    assert pair.relay.command("alarms", "acknowledge").returncode == 0
    assert "alarms        0" in pair.relay.command("status").stdout
    pair.wait_for_checkpoint()
    assert pair.relay.stop() == 0
    assert pair.ids() == ["kept", "lost-1", "lost-2", "lost\t3", "after"]
    assert pair.stored() == {"kept", "after"}
    assert lost.split(":")[1] not in pair.relay.checkpoint()
    # A restart meets no loss again.
    pair.relay.start()
    pair.relay.insert("last")
    pair.wait_for("last")
    assert pair.relay.stop() == 0
    assert "alarms        0" in pair.relay.command("status").stdout


def test_two_lossy_failovers_one_after_the_other(outboxd, kafka, tmp_path):
    with contextlib.ExitStack() as stack:
        pair = Pair(outboxd, kafka, tmp_path, stack, mysql__lag_timeout="1s").follow()
        third = stack.enter_context(PrivateMysql())
        hosts = [f"127.0.0.1:{server.port}" for server in (pair.source, pair.replica, third)]
        pair.relay.configure(mysql__host=", ".join(hosts)).begin_now().start()
        lost = [lose(pair, "lost by the first", kept="kept by the second")]
        # The third, which never saw the first, follows the second.
        replicate(third, pair.replica)
        catch_up(third, pair.replica)
        pair.source, pair.replica = pair.replica, third
        lost.append(lose(pair, "lost by the second", kept="kept by the third"))
        pair.relay.insert("after")
        pair.wait_for("after")
        assert [event["id"] for event in pair.lost()] == ["lost by the first", "lost by the second"]
        assert [event["gtid"] for event in pair.lost()] == lost
        status = pair.relay.command("status").stdout
        assert "alarms        2" in status
        assert all(f"lost       {gtid}" in status for gtid in lost)
        pair.wait_for_checkpoint()
        assert pair.relay.stop() == 0
        assert pair.ids() == [
            "kept by the second", "lost by the first", "kept by the third", "lost by the second",
            "after",
        ]
        assert pair.stored() == {"kept by the second", "kept by the third", "after"}


def test_a_loss_met_at_the_start_is_named_from_the_journal(pair):
    pair.relay.begin_now().start()
    pair.publish("kept")
    catch_up(pair.replica, pair.source)
    pair.replica.mysql("STOP REPLICA IO_THREAD")
    pair.publish("lost")
    assert pair.relay.stop() == 0
    pair.fail_over()
    pair.relay.insert("after")
    pair.relay.start()
    pair.wait_for("after")
    assert [event["id"] for event in pair.lost()] == ["lost"]
    assert pair.relay.stop() == 0
    assert pair.ids() == ["kept", "lost", "after"]


def test_lost_transactions_that_reappear_are_published_again(pair):
    pair.relay.begin_now().start()
    lose(pair, "lost")
    pair.relay.insert("after")
    pair.wait_for("after")
    pair.wait_for_checkpoint()
    # The former source is found whole after all, and the new one fetches what it missed.
    pair.source.start()
    replicate(pair.replica, pair.source)
    wait_until(lambda: pair.ids().count("lost") == 2, "published again")
    assert pair.relay.stop() == 0
    assert pair.stored() == {"kept", "lost", "after"}


def test_lost_transactions_can_end_the_run(pair):
    pair.relay.configure(delivery__on_lost_transactions="stop").begin_now().start()
    lost = lose(pair, "lost")
    pair.relay.insert("after")
    assert pair.relay.wait() == 81
    assert f"{lost}; 1 event was published of them" in pair.relay.log()
    assert "id lost" in pair.relay.log()
    pair.relay.start()
    assert pair.relay.wait() == 81
    assert pair.ids() == ["kept", "lost"]
    alarms = pair.relay.command("status").stdout.partition("\nalarms ")[2]
    assert alarms.count("id lost") == 1
    pair.relay.configure(delivery__on_lost_transactions="continue").start()
    pair.wait_for("after")
    assert pair.relay.stop() == 0
    assert pair.ids() == ["kept", "lost", "after"]


def test_without_a_journal_the_lost_transactions_alone_are_named(pair):
    pair.relay.configure(checkpoint__journal_bytes_max="0").begin_now().start()
    lost = lose(pair, "lost")
    pair.relay.insert("after")
    pair.wait_for("after")
    status = pair.relay.command("status").stdout
    assert lost in status and "the journal does not reach back so far" in status
    assert pair.lost() == []
    assert not (pair.relay.state / "journal").exists()
    assert pair.relay.stop() == 0


def test_a_stop_ends_the_wait_for_a_server_that_lags(pair):
    pair.relay.configure(mysql__lag_timeout=LONG).begin_now().start()
    lose(pair, "lost")
    wait_until(lambda: "it lags, or a failover lost them" in pair.relay.log(), "the wait")
    assert pair.relay.stop() == 0
    assert pair.ids() == ["kept", "lost"]


def test_errant_transactions_are_published_with_a_warning(pair):
    pair.relay.begin_now().start()
    pair.publish("before")
    catch_up(pair.replica, pair.source)
    source, pair.relay.mysql = pair.relay.mysql, pair.replica
    pair.relay.insert("errant")
    pair.relay.mysql = source
    pair.relay.insert("of the source")
    pair.wait_for("of the source")
    wait_until(
        lambda: pair.replica.mysql(f"SELECT GTID_SUBSET('{executed(pair.source)}',"
                                   " @@global.gtid_executed)").strip() == "1",
        "the replica has everything",
    )
    pair.fail_over()
    pair.relay.insert("after")
    pair.wait_for("errant", "after")
    assert pair.relay.stop() == 0
    assert sorted(pair.ids()) == sorted(["before", "of the source", "errant", "after"])
    assert pair.stored() == set(pair.ids())
    assert f"has transactions of UUIDs that server {pair.source_uuid} did not have" in (
        pair.relay.log()
    )
    assert f"{pair.replica_uuid}:1" in pair.relay.log()


def test_a_server_that_purged_what_is_needed_is_a_gap(pair):
    pair.relay.begin_now().start()
    pair.publish("before")
    assert pair.relay.stop() == 0
    pair.relay.insert("unread")
    catch_up(pair.replica, pair.source)
    pair.replica.mysql("FLUSH BINARY LOGS")
    newest = pair.replica.binlogs()[-1].name
    pair.replica.mysql(f"PURGE BINARY LOGS TO '{newest}'")
    pair.fail_over()
    pair.relay.start()
    # The former source may come back, and has them.
    told = "cannot connect: "
    wait_until(lambda: pair.relay.log().count(told) >= 5, "longer than lag-timeout")
    assert pair.relay.stop() == 0
    pair.relay.configure(mysql__host=f"127.0.0.1:{pair.replica.port}").start()
    assert pair.relay.wait() == 80
    assert "has purged the transactions" in pair.relay.log()
    assert pair.ids() == ["before"]


@pytest.fixture
def alone(outboxd, kafka, tmp_path):
    """One server, and a relay that has published from it and stands."""
    with PrivateMysql() as server, Relay(
        outboxd, server, kafka, tmp_path, mysql__lag_timeout="1s"
    ) as relay:
        relay.begin_now().start()
        relay.insert("before")
        relay.wait_for(1)
        yield relay


def refused(relay, reason):
    relay.start()
    assert relay.wait() == 81, relay.log()[-2000:]
    assert reason in relay.log()
    assert [m.id for m in relay.received()] == ["before"]


def test_reset_binary_logs_and_gtids_ends_the_run(alone):
    assert alone.stop() == 0
    alone.sql("RESET BINARY LOGS AND GTIDS")
    alone.insert("after")
    refused(alone, "they are its own, so that it was reset or restored")


def test_gtids_given_again_after_a_reset_are_noticed_by_the_time_of_commit(alone):
    assert alone.stop() == 0
    before = value(alone.mysql, "gtid_executed")
    alone.sql("RESET BINARY LOGS AND GTIDS")
    count = int(before.split("-")[-1])
    for number in range(count + 3):
        alone.insert(f"reused {number}")
    assert alone.mysql.mysql(f"SELECT GTID_SUBSET('{before}', @@global.gtid_executed)") == "1\n"
    refused(alone, f":{count} was committed at ")


def test_a_restore_from_an_older_backup_ends_the_run(alone, tmp_path):
    server = alone.mysql
    assert alone.stop() == 0
    server.stop()
    shutil.copytree(server.datadir, tmp_path / "backup")
    server.start()
    alone.start()
    alone.insert("before the restore")
    alone.wait_for(2)
    assert alone.stop() == 0
    server.stop()
    shutil.rmtree(server.datadir)
    shutil.copytree(tmp_path / "backup", server.datadir)
    server.start()
    alone.start()
    assert alone.wait() == 81, alone.log()[-2000:]
    assert "they are its own, so that it was reset or restored" in alone.log()
    assert [m.id for m in alone.received()] == ["before", "before the restore"]


def test_a_server_with_none_of_the_transactions_is_another_one(alone):
    assert alone.stop() == 0
    with PrivateMysql() as other:
        copy_account(alone, other)
        alone.configure(mysql__port=other.port)
        refused(alone, "it has none of those that were read, so that it is another server")


def test_file_mode_knows_another_server_by_its_uuid(outboxd, kafka, tmp_path):
    options = {"gtid-mode": "OFF"}
    with PrivateMysql(options=options) as server, PrivateMysql(options=options) as other:
        with Relay(outboxd, server, kafka, tmp_path, mysql__lag_timeout="1s") as relay:
            relay.begin_now().start()
            relay.insert("before")
            relay.wait_for(1)
            wait_until(lambda: "binlog.0" in relay.checkpoint(), "the checkpoint")
            assert relay.stop() == 0
            copy_account(relay, other)
            # So that the place exists there as well.
            log = server.mysql("SHOW BINARY LOGS").split()[-3:]
            while log[0] not in other.mysql("SHOW BINARY LOGS"):
                other.mysql("FLUSH BINARY LOGS")
            relay.mysql = other
            while int(other.mysql("SHOW BINARY LOGS").split()[-2]) <= int(log[1]):
                relay.insert(f"elsewhere {other.mysql('SELECT UUID()').strip()}")
            relay.configure(mysql__port=other.port)
            refused(relay, f"but this is server {value(other, 'server_uuid')}")
