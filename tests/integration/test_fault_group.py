"""Group Replication: whichever member is primary, leaves, lags or joins, what the group has
committed arrives; what a member has received and not applied yet is waited for, one that is cut off
from its group is left or told, and a loss is told."""

import contextlib

import pytest
from fault_trial import Trial
from group import Application, Group, GroupRelay, backlog, server_uuid, wait_until_received
from relay import wait_until
from replication import executed


@pytest.fixture(scope="module")
def group():
    with contextlib.ExitStack() as stack:
        yield Group(stack).start()


@pytest.fixture
def relay(outboxd, group, kafka, tmp_path):
    """After a second without what was read it decides."""
    with GroupRelay(outboxd, group, kafka, tmp_path, mysql__lag_timeout="1s") as relay:
        yield relay


def reads(relay, member):
    """Whether the stream that the relay opened last is the member's."""
    return relay.log().rpartition("binary log of server ")[2].startswith(server_uuid(member))


def wait_for_log(relay, text):
    """Waits until the relay has told it, and runs on."""
    wait_until(lambda: text in relay.log() or relay.process.poll() is not None, text)
    assert relay.process.poll() is None, relay.log()[-2000:]


def fail_over(group, relay):
    """The application goes on at the new primary as soon as there is one."""
    relay.write_to(group.new_primary(relay.mysql))


def test_the_primary_is_killed(group, relay):
    def inject():
        relay.mysql.kill9()
        fail_over(group, relay)
        trial.wait_until_delivered()
        group.heal()

    with Trial(relay.grant(), "group: primary kill -9, start, join") as trial:
        trial.repeat(inject)


def test_the_primary_is_frozen_for_a_moment(group, relay):
    def inject():
        before = relay.log().count("source: ")
        relay.mysql.freeze()
        wait_until(lambda: relay.log().count("source: ") > before, "the relay notices it")
        relay.mysql.thaw()

    with Trial(relay.grant(), "group: primary frozen") as trial:
        trial.repeat(inject)


def test_the_primary_is_frozen_until_it_is_expelled(group, relay):
    def inject():
        former = relay.mysql
        former.freeze()
        fail_over(group, relay)
        trial.wait_until_delivered()
        former.thaw()
        group.heal()

    with Trial(relay.grant(), "group: primary frozen, expelled, join") as trial:
        trial.repeat(inject)


def test_the_primary_leaves_but_stays_up(group, relay):
    """Its connections hold, and nothing comes: another member is read, before it is back."""

    def inject():
        former = relay.mysql
        former.mysql("STOP GROUP_REPLICATION")
        fail_over(group, relay)
        trial.wait_until_delivered(30)
        assert not reads(relay, former)
        group.join(former)
        group.wait_until_online()

    with Trial(relay.grant(), "group: primary leaves but stays up, joins again") as trial:
        trial.repeat(inject)


def test_a_single_host_that_leaves_is_told_until_it_is_back(group, relay):
    alone = relay.mysql
    relay.grant().know(alone).begin_now().start()
    relay.insert("before")
    relay.wait_for(1)
    alone.mysql("STOP GROUP_REPLICATION")
    fail_over(group, relay)
    relay.insert("elsewhere")
    wait_for_log(relay, "it has left it, or has not joined yet (OFFLINE); reading on there")
    wait_until(lambda: "cut off from its group for" in relay.command("status").stdout, "status")
    group.join(alone)
    relay.wait_for(2)
    wait_for_log(relay, "arrives again")
    wait_until(lambda: "cut off" not in relay.command("status").stdout, "status")
    assert relay.stop() == 0
    assert [m.id for m in relay.received()] == ["before", "elsewhere"]


def test_a_member_without_a_majority_is_told(group, relay):
    """The others are frozen, so that it can neither commit nor be left for one of them."""
    relay.grant().begin_now().start()
    relay.insert("before")
    relay.wait_for(1)
    others = group.secondaries(relay.mysql)
    for other in others:
        other.freeze()
    wait_for_log(relay, "it reaches 1 of the 3 members, which is no majority; asking the other")
    for other in others:
        other.thaw()
    group.heal()
    relay.write_to(group.primary(group.members[0]))
    relay.insert("after")
    relay.wait_for(2)
    assert relay.stop() == 0
    assert [m.id for m in relay.received()] == ["before", "after"]


def test_what_was_written_to_a_member_that_has_left_is_told_before_it_is_given_up(group, relay):
    """No other member has it: that is no loss until an operator takes the member away."""
    former = relay.mysql
    relay.grant().know(former).begin_now().start()
    joined = executed(former)
    former.mysql("STOP GROUP_REPLICATION; SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF")
    relay.insert("errant")
    relay.wait_for(1)
    assert relay.stop() == 0
    fail_over(group, relay)
    relay.insert("of-the-group")
    relay.know(*group.members).start()
    wait_for_log(relay, "already read: they were written to the member that is cut off")
    wait_until(lambda: reads(relay, former), "it is read")
    assert "alarms        0" in relay.command("status").stdout
    assert relay.stop() == 0
    relay.know(*group.secondaries(former)).start()
    relay.wait_for(2)
    assert relay.stop() == 0
    assert [m.id for m in relay.received()] == ["errant", "of-the-group"]
    assert "id errant" in relay.command("status").stdout
    group.take_back(former, joined, f"DELETE FROM {relay.database}.outbox WHERE id = 'errant'")


def test_the_member_that_is_read_leaves_and_comes_back(group, relay):
    def inject():
        for member in group.secondaries(relay.mysql):
            member.mysql("STOP GROUP_REPLICATION")
            trial.wait_for_load(20)
            group.join(member)
            group.wait_until_online()

    relay.grant().know(*group.secondaries(relay.mysql), relay.mysql)
    with Trial(relay, "group: secondary that is read leaves, joins again") as trial:
        trial.repeat(inject)
        assert reads(relay, group.secondaries(relay.mysql)[0])


def test_all_members_are_primaries(group, relay):
    def inject():
        group.members[0].kill9()
        trial.wait_until_delivered()
        group.heal()

    relay.grant().know(*group.members).write_to(group.members[2])
    with group.all_primaries():
        with Trial(relay, "group: multi-primary, a primary kill -9") as trial:
            for writer, member in zip(trial.writers, group.members):
                writer.relay = Application(relay, member)
            trial.repeat(inject)


def test_a_member_joins_by_clone(outboxd, kafka, tmp_path):
    """It is the first of the hosts, and at first has nothing."""
    with contextlib.ExitStack() as stack:
        group = Group(stack).start(2)
        relay = stack.enter_context(GroupRelay(outboxd, group, kafka, tmp_path).grant())
        joining = group.add()
        relay.know(joining, *group.members[:2])

        def inject():
            joining.mysql("SET GLOBAL group_replication_clone_threshold = 1")
            joining.mysql("START GROUP_REPLICATION")
            joining.process.wait(60)  # Nobody supervises it that would start it again.
            joining.start()
            state = joining.mysql("SELECT state FROM performance_schema.clone_status")
            assert state == "Completed\n"
            group.join(joining)
            group.wait_until_online()
            relay.mysql.mysql(kill_dump(relay))
            wait_until(lambda: reads(relay, joining), "it is read")

        with Trial(relay, "group: a member joins by clone, then is read", iterations=1) as trial:
            trial.repeat(inject)


def kill_dump(relay):
    find = (
        "SELECT id FROM performance_schema.processlist WHERE command LIKE 'Binlog Dump%'"
        f" AND user = '{relay.user}'"
    )
    return f"KILL {relay.mysql.mysql(find).strip()}"


@contextlib.contextmanager
def fail_over_with_backlog(group, relay):
    """Context: everyone but the former primary has received `late`, which the relay has published,
    and applies it when the context ends."""
    relay.begin_now().start()
    relay.insert("before")
    relay.wait_for(1)
    group.settle()
    others = group.secondaries(relay.mysql)
    with backlog(relay, others):
        relay.insert("late-1", "late-2")
        relay.wait_for(3)
        wait_until(lambda: relay.executed_gtids() in relay.checkpoint(), "the checkpoint")
        wait_until_received(others, relay.mysql)
        former = relay.mysql
        former.kill9()
        relay.write_to(group.new_primary(former))
        yield


def test_a_new_primary_with_a_backlog_is_waited_for(group, relay):
    relay.grant()
    with fail_over_with_backlog(group, relay):
        wait_for_log(relay, "and may get them")
        assert "lost" not in relay.command("status").stdout
    relay.insert("after")
    relay.wait_for(4)
    assert relay.stop() == 0
    assert [m.id for m in relay.received()] == ["before", "late-1", "late-2", "after"]
    assert "alarms        0" in relay.command("status").stdout


def test_without_the_grants_a_backlog_is_no_other_history(group, relay):
    checked = relay.command("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "GRANT SELECT ON performance_schema.replication_group_members TO" in checked.stdout
    with fail_over_with_backlog(group, relay):
        wait_for_log(relay, "HINT: GRANT SELECT ON performance_schema")
        assert relay.stop() == 0
        # The new primary answers no SELECT of a table until it has applied what it received.
        lagging = next(m for m in group.secondaries(relay.mysql) if m.running)
        told = relay.log().count("HINT: GRANT SELECT ON performance_schema")
        relay.know(lagging).start()
        wait_until(lambda: relay.log().count("HINT: GRANT SELECT ON performance_schema") > told,
                   "it is said at a start as well", 60)
        assert relay.stop() == 0
        relay.know(*group.members).start()
    relay.insert("after")
    relay.wait_for(4)
    assert relay.stop() == 0
    assert [m.id for m in relay.received()] == ["before", "late-1", "late-2", "after"]
    relay.grant()
    assert "performance_schema" not in relay.command("check").stdout


def test_what_the_group_has_lost_is_told(outboxd, kafka, tmp_path):
    with contextlib.ExitStack() as stack:
        group = Group(stack).start(2)
        config = {"mysql__lag_timeout": "1s"}
        relay = stack.enter_context(GroupRelay(outboxd, group, kafka, tmp_path, **config).grant())
        former, other = relay.mysql, group.secondaries(relay.mysql)[0]
        relay.begin_now().start()
        other.mysql("STOP GROUP_REPLICATION")
        relay.insert("lost")
        relay.wait_for(1)
        wait_until(lambda: relay.executed_gtids() in relay.checkpoint(), "the checkpoint")
        former.kill9()
        # It is in no group, and nobody can say what its group has.
        wait_for_log(relay, "it is out of group")
        # Now it is the group.
        group.bootstrap(other)
        wait_for_log(relay, "it has another history")
        # The former one may come back with it: only without it the answer is every host's.
        assert relay.stop() == 0
        relay.know(other).start()
        assert relay.wait() == 81
        assert [m.id for m in relay.received()] == ["lost"]
