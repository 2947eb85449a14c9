"""Bad input gets a message that says what is wrong, where, and what to do; and nothing is lost."""

import json
import os
import pathlib
import pwd
import re
import time
import zlib

import pytest
from private_mariadb import PrivateMariadb
from private_servers import PrivateMysql
from relay import PASSWORD, Relay, wait_until


@pytest.fixture
def fresh(outboxd, mysql, kafka, tmp_path):
    """A relay that has never run."""
    with Relay(outboxd, mysql, kafka, tmp_path) as one:
        yield one


@pytest.fixture
def relay(fresh):
    """A relay that publishes what is inserted from now on."""
    return fresh.begin_now()


@pytest.fixture(scope="module")
def mariadb():
    with PrivateMariadb() as server:
        yield server


def fails(relay, code, *parts, command="run"):
    result = relay.command(command)
    assert result.returncode == code, result.stdout + result.stderr
    for part in parts:
        assert part in result.stdout + result.stderr
    assert PASSWORD not in result.stdout + result.stderr


def test_a_missing_configuration_file(relay):
    relay.path.unlink()
    fails(relay, 78, str(relay.path))


def test_an_unknown_key_with_its_line_and_the_nearest(relay):
    relay.path.write_text(relay.path.read_text().replace("topic =", "topik ="))
    fails(relay, 78, "topik", "topic", f"{relay.path}:")


def test_a_bad_value(relay):
    relay.configure(checkpoint__interval="soon")
    fails(relay, 78, "checkpoint.interval", "soon")


def test_a_server_that_is_not_there_is_named_by_check_and_waited_for_by_run(relay):
    relay.configure(mysql__port=1)
    fails(relay, 69, "127.0.0.1:1", command="check")
    relay.start()
    wait_until(lambda: "trying again" in relay.log(), "retry")
    assert relay.process.poll() is None
    assert relay.stop() == 0


def test_a_wrong_password(relay):
    relay.password_file.write_text("wrong")
    why = f"mysql at 127.0.0.1:{relay.mysql.port}: cannot connect: mysql server error 1045: "
    fails(relay, 77, relay.user, f"ended with code 77: {why}")
    status = relay.command("status").stdout
    assert "ended  " in status and f" UTC with code 77: {why}" in status, status


@pytest.mark.parametrize("privilege", ["REPLICATION SLAVE", "REPLICATION CLIENT"])
def test_a_missing_privilege_with_the_grant_that_mends_it(relay, privilege):
    relay.sql(f"REVOKE {privilege} ON *.* FROM {relay.user}@'%'")
    result = relay.command("check")
    assert result.returncode == 77
    (grant,) = [line for line in result.stdout.splitlines() if "-> GRANT" in line]
    relay.sql(grant.partition("-> ")[2])
    assert relay.command("check").returncode == 0


def test_a_missing_select(relay):
    relay.sql(f"REVOKE SELECT ON {relay.database}.outbox FROM {relay.user}@'%'")
    fails(relay, 77, f"GRANT SELECT ON `{relay.database}`.`outbox`")


@pytest.mark.parametrize("option, value, remedy", [
    ("binlog-format", "MIXED", "SET PERSIST binlog_format = ROW"),
    ("binlog-row-image", "MINIMAL", "SET PERSIST binlog_row_image = FULL"),
    ("skip-log-bin", True, "log_bin = "),
])
def test_a_server_setting_that_loses_rows(outboxd, kafka, tmp_path, option, value, remedy):
    options = {option: value}
    if option == "skip-log-bin":
        options.update({"log-bin": None, "gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"})
    with PrivateMysql(options=options) as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        fails(relay, 78, remedy)
        fails(relay, 78, remedy, command="check")


def restart(server, **options):
    server.options.update({name.replace("_", "-"): value for name, value in options.items()})
    server.restart()


def test_a_filter_that_keeps_the_event_table_out_of_the_log(outboxd, kafka, tmp_path):
    with PrivateMysql() as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        name = relay.database
        restart(server, binlog_ignore_db=name)
        for command in ("check", "run"):
            fails(relay, 78, f"{name}.outbox", f"no binlog_ignore_db = {name}", command=command)
        restart(server, binlog_do_db="elsewhere")
        for command in ("check", "run"):
            fails(relay, 78, f"{name}.outbox", f"further binlog_do_db = {name}", command=command)
        # The same option once more, which another spelling of its name lets stand beside it.
        server.options["binlog_do_db"] = name
        server.restart()
        result = relay.command("check")
        assert result.returncode == 0 and f"{name}.outbox is logged" in result.stdout
        relay.configure(outbox__table="shop*.outbox")
        result = relay.command("check")
        assert result.returncode == 0, result.stdout
        assert f"elsewhere,{name}: rows of shop*.outbox in other schemas" in result.stdout
        relay.insert("e1")  # Before the table is read, which could repeat what comes during it.
        relay.start()
        assert [m.id for m in relay.wait_for(1)] == ["e1"]
        assert relay.log().count("rows of shop*.outbox in other schemas would not be") == 1


def test_a_replica_that_does_not_log_what_comes_from_its_source(outboxd, kafka, tmp_path):
    options = {"log-replica-updates": "OFF"}
    with PrivateMysql(options=options) as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        assert "log_replica_updates" not in relay.command("check").stdout
        relay.sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1")
        result = relay.command("check")
        assert result.returncode == 0
        assert "OFF: the server is a replica" in result.stdout
        assert "log_replica_updates = ON" in result.stdout


@pytest.mark.parametrize("tls", ["required", "disabled"])
def test_mariadb_is_refused_by_its_name(outboxd, mariadb, kafka, tmp_path, tls):
    with Relay(outboxd, mariadb, kafka, tmp_path) as relay:
        relay.configure(mysql__tls=tls)
        for command in ("check", "run"):
            fails(relay, 78, "is MariaDB, which is not supported", "use MySQL", command=command)


def test_a_table_a_column_and_an_engine_that_do_not_serve(relay):
    relay.configure(outbox__payload="pay_load")
    fails(relay, 78, "no column 'pay_load'", "aggregatetype")
    relay.configure(outbox__payload="payload")
    relay.sql("ALTER TABLE outbox ENGINE = MyISAM")
    fails(relay, 78, "MyISAM", "ENGINE = InnoDB")
    relay.sql("DROP TABLE outbox")
    fails(relay, 78, f"{relay.database}.outbox", "no such table")


def test_kafka_that_is_not_there(relay):
    relay.configure(**{"kafka__bootstrap.servers": "127.0.0.1:1"})
    fails(relay, 69, "127.0.0.1:1", command="check")


def test_check_finds_a_missing_constant_topic_and_prints_how_to_create_it(relay):
    relay.configure(outbox__topic=relay.topic("constant"))
    fails(relay, 78, "does not exist", "kafka-topics.sh", "--create", command="check")
    relay.kafka.create_topic(relay.topic("constant"), partitions=2)
    result = relay.command("check")
    assert result.returncode == 0 and "2 partitions" in result.stdout


def test_a_property_that_would_break_a_guarantee(relay):
    relay.configure(kafka__acks="1")
    fails(relay, 78, "acks")


def test_a_missing_topic_holds_and_goes_on_when_it_appears(relay):
    relay.start()
    relay.insert("e1", kind="late")
    relay.insert("e2")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    assert relay.topic("late") in relay.log()
    assert relay.process.poll() is None
    relay.kafka.create_topic(relay.topic("late"), partitions=1)
    assert [m.id for m in relay.wait_for(1, "late")] == ["e1"]
    assert [m.id for m in relay.wait_for(1)] == ["e2"]
    wait_until(lambda: not (relay.state / "held").exists(), "the hold is over")


def test_a_message_too_large_holds_and_skip_drops_that_one_only(relay):
    relay.start()
    relay.insert("e1")
    relay.insert("large", payload="x" * 2_000_000)
    relay.insert("e2")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    assert relay.command("skip", "somewhere:1").returncode == 64
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 0
    assert [m.id for m in relay.wait_for(2)] == ["e1", "e2"]
    record = (relay.state / "skipped.jsonl").read_text()
    assert record.count("\n") == 1
    skipped = json.loads(record)
    assert (skipped["position"], skipped["topic"]) == (position, relay.topic())
    assert (skipped["key"], skipped["value"]) == ("k", "x" * 2_000_000)
    assert skipped["headers"][:2] == [["id", "large"], ["eventType", "Created"]]
    assert relay.stop() == 0
    assert relay.log().splitlines()[-1].endswith("stopped: 2 events delivered, 1 skipped")
    assert " UTC with code 0: it was stopped\n" in relay.command("status").stdout


def whoami():
    """The user of the log-in; in a container, or for a service, that of the process."""
    login = int(pathlib.Path("/proc/self/loginuid").read_text())
    return pwd.getpwuid(os.getuid() if login == 0xFFFFFFFF else login).pw_name


def test_what_people_do_is_recorded_with_who_and_when(relay):
    relay.configure(delivery__on_bad_event="dead-letter", delivery__on_update="alarm",
                    delivery__dead_letter_topic=f"{relay.name}-dead")
    relay.kafka.create_topic(f"{relay.name}-dead", partitions=1)
    relay.start()
    relay.insert("e1", kind="missing")
    relay.sql("UPDATE outbox SET payload = '{}'")
    wait_until(lambda: "alarms        1" in relay.command("status").stdout, "the alarm")
    wait_until(lambda: "dead letters  1" in relay.command("status").stdout, "the dead letter")
    relay.command("dead-letters", "replay", "--all")
    assert relay.command("alarms", "acknowledge").returncode == 0
    relay.configure(delivery__on_bad_event="hold")
    assert relay.stop() == 0
    relay.start()
    relay.insert("e2", kind="missing")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", "somewhere:1").returncode == 64  # Which nobody did.
    assert relay.command("skip", position).returncode == 0
    wait_until(lambda: (relay.state / "skipped.jsonl").exists(), "the skip")
    assert relay.stop() == 0
    assert relay.command("position", "set", "now").returncode == 0

    file = relay.state / "actions.jsonl"
    actions = [json.loads(line) for line in file.read_text().splitlines()]
    began_at, replayed, acknowledged, skipped, moved = actions
    assert [one["action"] for one in actions] == ["position set", "replay", "acknowledge", "skip",
                                                  "position set"]
    assert (began_at["of"], replayed["of"], skipped["of"]) == ("-", "--all", position)
    assert "update" in acknowledged["text"] and moved["text"] == "now"
    assert {one["by"] for one in actions} == {whoami()}
    times = [one["at_us"] for one in actions]
    assert times == sorted(times) and time.time() - 120 < times[0] / 1e6 < time.time()
    assert "actions       5, the last one: position set " in relay.command("status").stdout
    for path in relay.state.iterdir():
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o600, path


def test_a_large_file_of_what_was_given_up_is_told(relay):
    relay.start()
    relay.wait_for(0)
    assert "files  " not in relay.command("status").stdout
    (relay.state / "lost.jsonl").write_text("{}\n" * 1_000_000)
    assert "files         lost.jsonl 3.0 MB" in relay.command("status").stdout
    assert relay.stop() == 0


def test_three_bad_events_of_one_transaction_take_three_skips_whatever_restarts(relay):
    def position_of_hold(id):
        lines = relay.command("status").stdout.splitlines()
        found = [line for line in lines if line.startswith("held ") and f"(id {id})" in line]
        return found[0].split()[1] if found else None

    relay.start()
    relay.sql("""INSERT INTO outbox VALUES ('g1', 'order', 'k', 't', '1'),
              ('b1', 'missing', 'k', 't', '1'), ('g2', 'order', 'k', 't', '1'),
              ('b2', 'missing', 'k', 't', '1'), ('b3', 'missing', 'k', 't', '1'),
              ('g3', 'order', 'k', 't', '1')""")
    for id in ("b1", "b2", "b3"):
        position = wait_until(lambda id=id: position_of_hold(id), f"it holds at {id}")
        if id == "b3":
            relay.kill()
            relay.start()
            wait_until(lambda: relay.log().count("(id b3)") == 2, "it holds there again")
        assert relay.command("skip", position).returncode == 0
    wait_until(lambda: relay.received()[-1:] and relay.received()[-1].id == "g3", "the last one")
    assert (relay.state / "skipped.jsonl").read_text().count("\n") == 3
    assert relay.stop() == 0


def test_a_new_place_says_that_skipped_events_are_held_at_again(relay):
    before = relay.executed_gtids()
    relay.start()
    relay.insert("bad", kind="missing")
    behind = relay.executed_gtids()
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 0
    wait_until(lambda: behind in relay.checkpoint(), "the checkpoint behind it")
    assert relay.stop() == 0
    kept = relay.command("position", "set", "keep")
    assert kept.returncode == 0 and "skipped" not in kept.stdout
    moved = relay.command("position", "set", f"gtid:{before}")
    assert "the skipped events, 1 of them, are forgotten" in moved.stdout, moved.stderr
    assert f"{relay.state}/skipped.jsonl" in moved.stdout
    relay.start()
    wait_until(lambda: relay.log().count(f"holding at event {position}") == 2, "hold again")


def test_what_ended_a_run_is_skipped_in_one_that_holds(relay):
    relay.configure(delivery__on_bad_event="stop").start()
    relay.insert("bad", kind="missing")
    relay.insert("good")
    assert relay.wait() == 65
    position = relay.log().split("bad event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 64
    relay.start("--delivery.on-bad-event=hold")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    assert relay.command("skip", position).returncode == 0
    assert [m.id for m in relay.wait_for(1)] == ["good"]
    assert relay.stop() == 0
    relay.start()
    relay.insert("more")
    assert [m.id for m in relay.wait_for(2)] == ["good", "more"]
    assert relay.stop() == 0


def test_a_message_too_large_for_the_broker_holds_too(relay):
    topic = relay.topic("small")
    relay.kafka.create_topic(topic, partitions=1, configs={"max.message.bytes": "2000"})
    relay.configure(**{"kafka__compression.type": "none"}).start()
    relay.insert("a", kind="small")
    relay.insert("large", kind="small", payload="x" * 5000)
    relay.insert("b", kind="small")
    wait_until(lambda: "holding at event" in relay.log(), "hold")
    position = relay.log().split("holding at event ")[1].split()[0]
    assert relay.command("skip", position).returncode == 0
    ids = [m.id for m in relay.wait_for(2, "small")]
    wait_until(lambda: "b" in [m.id for m in relay.received("small")], "b")
    assert list(dict.fromkeys(ids + ["b"])) == ["a", "b"]


def test_a_bad_event_ends_the_run_where_configured(relay):
    relay.configure(delivery__on_bad_event="stop").start()
    relay.insert("e1", kind="no such topic!")
    assert relay.wait() == 65
    assert "outboxd skip" in relay.log()


def test_a_damaged_checkpoint_and_one_of_another_relay(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    assert relay.stop() == 0
    checkpoint = relay.state / "checkpoint"
    good = checkpoint.read_bytes()
    checkpoint.write_bytes(good[:50] + b"X" + good[51:])
    fails(relay, 83, str(checkpoint), "position set")
    checkpoint.write_bytes(good)
    relay.configure(relay__name="another")
    fails(relay, 83, "another")


def test_check_finds_what_would_end_a_run(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    wait_until(lambda: "sink          -" not in relay.checkpoint(), "a checkpoint")
    assert relay.stop() == 0
    assert relay.command("check").returncode == 0
    # Another cluster than the checkpoint's.
    checkpoint = relay.state / "checkpoint"
    good = checkpoint.read_bytes()
    other = re.sub(rb'"sink":"[^"]*"', b'"sink":"another"', good.rsplit(b"crc32", 1)[0])
    checkpoint.write_bytes(other + b"crc32 %08x\n" % zlib.crc32(other))
    for command in ("check", "run"):
        fails(relay, 83, "is for Kafka cluster another", "position set keep", command=command)
    checkpoint.write_bytes(good)
    # Event tables that the checkpoint is not for.
    relay.configure(outbox__table=[f"{relay.database}.outbox", f"{relay.database}.zz*"])
    for command in ("check", "run"):
        fails(relay, 83, "is new to this relay", command=command)
    # A state directory that cannot be made.
    relay.configure(outbox__table=f"{relay.database}.outbox",
                    relay__state_directory=checkpoint / "below")
    for command in ("check", "run"):
        fails(relay, 74, "Not a directory", command=command)


def test_a_second_relay_on_the_same_state_directory(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    fails(relay, 82, str(relay.process.pid))
    # Not the second one's affair.
    assert "ended " not in relay.command("status").stdout


def test_a_purged_log_is_a_gap_and_a_reset_server_another_history(outboxd, kafka, tmp_path):
    with PrivateMysql() as server, Relay(outboxd, server, kafka, tmp_path) as relay:
        relay.start()
        relay.insert("e1")
        relay.wait_for(1)
        assert relay.stop() == 0
        relay.insert("lost")
        relay.sql("FLUSH BINARY LOGS")
        ((name, *_), *_) = relay.sql("SHOW BINARY LOGS")[-1:]
        former = relay.checkpoint()
        server_uuid = relay.sql("SELECT @@server_uuid")[0][0]
        relay.sql(f"PURGE BINARY LOGS TO '{name}'")
        fails(relay, 80, "purged", "position set table")
        # What ends a run is a problem to `check`, and no place for `position set`.
        fails(relay, 80, "PROBLEM  binary log", "purged", command="check")
        bad_places = {
            "file:binlog.000099:4": (64, "no binary log binlog.000099 on the server: it has"),
            "file:binlog.000001:4": (80, "binlog.000001 is no longer on the server"),
            f"file:{name}:999999999": (64, f"{name} has "),
            f"gtid:{server_uuid}:1-999": (81, "that the position names HINT: "),
        }
        for place, (code, text) in bad_places.items():
            refused = relay.command("position", "set", place)
            assert refused.returncode == code and text in refused.stderr, (place, refused.stderr)
            assert relay.checkpoint() == former
        refused = relay.command("inspect", "--server", "--from", "file:binlog.000099:4")
        assert refused.returncode == 64 and "no binary log binlog.000099" in refused.stderr
        refused = relay.command("tail", "--from", "file:binlog.000099:4")
        assert refused.returncode == 64 and "no binary log binlog.000099" in refused.stderr
        moved = relay.command("position", "set", "now")
        assert moved.returncode == 0, moved.stderr
        assert f"the next run will skip 1 transaction: {server_uuid}:" in moved.stdout
        assert "checkpoint.former" in moved.stdout
        assert "binary log" in relay.command("check").stdout
        assert relay.command("check").returncode == 0


def test_a_place_in_the_middle_of_an_event_is_refused(outboxd, kafka, tmp_path):
    with (
        PrivateMysql(options={"gtid-mode": "OFF"}) as server,
        Relay(outboxd, server, kafka, tmp_path).begin_now() as relay,
    ):
        relay.insert("e1")
        (name, end, *_) = relay.sql("SHOW BINARY LOGS")[-1]
        begin = relay.sql(f"SHOW BINLOG EVENTS IN '{name}'")[-1][1]
        # Within the last event, within the first one of a log whose length it happens to tell, and
        # at an event within a transaction.
        long = "x" * 40_000
        relay.insert("long", payload=f'{{"long":"{long}"}}')
        for place in (begin + 3, 7, begin):
            refused = relay.command("position", "set", f"file:{name}:{place}")
            assert refused.returncode == 64, (place, refused.stderr)
            assert f"offset {place} of {name} is not where a transaction begins" in refused.stderr
        beyond = relay.command("position", "set", f"file:{name}:{end + 1_000_000}")
        assert beyond.returncode == 64 and "there is no place" in beyond.stderr
        back = relay.command("position", "set", f"file:{name}:4")
        assert back.returncode == 0
        assert f"the next run will publish what stands from {name}:4 to {name}:" in back.stdout


def test_the_password_stands_in_no_argument_and_no_log(relay):
    relay.start()
    relay.insert("e1")
    relay.wait_for(1)
    arguments = pathlib.Path(f"/proc/{relay.process.pid}/cmdline").read_text()
    assert PASSWORD not in arguments
    assert PASSWORD not in relay.log()
