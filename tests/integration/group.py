"""A group of servers (Group Replication) on 127.0.0.1: its members, who is primary, and what
breaks and heals them."""

import contextlib
import uuid

import pymysql
from private_servers import PrivateMysql, free_port
from relay import Relay, wait_until
from replication import executed

# What the account needs on top, as docs/failover.md has it.
GRANTED = (
    "replication_group_members",
    "replication_connection_status",
    "replication_group_member_stats",
)
MEMBERS = (
    "SELECT member_id, member_state, member_role FROM"
    " performance_schema.replication_group_members"
)


class Group:
    """The members are made by start() and add(); the stack ends them."""

    def __init__(self, stack):
        self.stack = stack
        self.name = str(uuid.uuid4())
        self.members = []
        self.seeds = []

    def start(self, count=3):
        for _ in range(count):
            self.add()
        self.heal()
        return self

    def add(self):
        """One that is started and knows the group, but has not joined it."""
        address = f"127.0.0.1:{free_port()}"
        self.seeds.append(address)
        member = PrivateMysql(options={
            "plugin-load-add": "group_replication.so;mysql_clone.so",
            "report-host": "127.0.0.1",
            "group-replication-group-name": self.name,
            "group-replication-local-address": address,
            "group-replication-start-on-boot": "OFF",
            "group-replication-member-expel-timeout": "0",
            "group-replication-recovery-get-public-key": "ON",
            "group-replication-recovery-reconnect-interval": "1",
        })
        self.stack.enter_context(member)
        member.mysql(
            "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'root',"
            f" SOURCE_PASSWORD = '{member.password}' FOR CHANNEL 'group_replication_recovery'"
        )
        self.members.append(member)
        for one in self.members:
            one.options["group-replication-group-seeds"] = ",".join(self.seeds)
            one.mysql(f"SET GLOBAL group_replication_group_seeds = '{','.join(self.seeds)}'")
        return member

    def view(self, member):
        """The group as the member sees it: state and role by server_uuid."""
        rows = [line.split("\t") for line in member.mysql(MEMBERS).splitlines()]
        return {one: (state, role) for one, state, role in rows}

    def state(self, member):
        own = member.mysql("SELECT @@global.server_uuid").strip()
        return self.view(member).get(own, ("OFFLINE", ""))[0]

    def primary(self, asked):
        """The member that is primary as `asked` sees it; none: it sees none."""
        primaries = {
            one for one, (state, role) in self.view(asked).items()
            if role == "PRIMARY" and state == "ONLINE"
        }
        for member in self.members:
            if member.running and server_uuid(member) in primaries:
                return member
        return None

    def new_primary(self, former):
        """Waits until the others have made one of them primary."""
        asked = next(m for m in self.members if m is not former and m.running)

        def elected():
            found = self.primary(asked)
            return found if found is not former else None

        return wait_until(elected, "a new primary")

    def secondaries(self, primary):
        return [member for member in self.members if member is not primary]

    def heal(self):
        """Everyone runs and is online; returns the primary."""
        for member in self.members:
            if not member.running:
                member.start()
            member.thaw()
        online = [member for member in self.members if self.state(member) == "ONLINE"]
        if not online:
            self.bootstrap(self.members[0])
        for member in self.members:
            self.join(member)
        self.wait_until_online()
        return self.primary(self.members[0])

    @contextlib.contextmanager
    def all_primaries(self):
        """Multi-primary mode, which one that starts again must be told: it reads no option file."""
        options = {
            "group-replication-single-primary-mode": "OFF",
            "group-replication-enforce-update-everywhere-checks": "ON",
        }
        for member in self.members:
            member.options |= options
        self.members[0].mysql("SELECT group_replication_switch_to_multi_primary_mode()")
        try:
            yield
        finally:
            self.heal()
            self.members[0].mysql("SELECT group_replication_switch_to_single_primary_mode()")
            for member in self.members:
                member.options |= dict.fromkeys(options)

    def bootstrap(self, member):
        """It begins the group anew, alone."""
        member.mysql(
            "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION;"
            " SET GLOBAL group_replication_bootstrap_group = OFF"
        )

    def join(self, member):
        if self.state(member) in ("OFFLINE", "ERROR"):
            member.mysql("STOP GROUP_REPLICATION; START GROUP_REPLICATION")

    def take_back(self, member, joined, undo):
        """One that was written to on its own: `undo` undoes it, and it forgets what it has behind
        `joined`."""
        member.mysql(
            f"SET GLOBAL super_read_only = OFF; SET sql_log_bin = 0; {undo};"
            f" RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '{joined}'"
        )
        self.join(member)
        self.wait_until_online()

    def wait_until_online(self):
        def all_online():
            states = [state for state, _ in self.view(self.members[0]).values()]
            return states == ["ONLINE"] * len(self.members)

        wait_until(all_online, "all members are online", 120)

    def settle(self):
        """Waits until all that run have the same; nobody writes."""
        running = [member for member in self.members if member.running]
        wait_until(lambda: len({executed(one) for one in running}) == 1, "the same everywhere")


def server_uuid(member):
    return (member.datadir / "auto.cnf").read_text().split("server-uuid=")[1].strip()


class GroupRelay(Relay):
    """A relay that knows all members, and an application that writes to `mysql`, the primary. It
    gives up on a server that is frozen."""

    def __init__(self, binary, group, kafka, folder, **config):
        self.group = group
        super().__init__(binary, group.heal(), kafka, folder, **config)
        self.know(self.mysql, *group.secondaries(self.mysql))
        group.settle()

    def know(self, *members):
        """The hosts, in this order."""
        return self.configure(
            mysql__host=", ".join(f"127.0.0.1:{member.port}" for member in members)
        )

    def grant(self):
        for table in GRANTED:
            self.sql(f"GRANT SELECT ON performance_schema.{table} TO {self.user}@'%'")
        self.group.settle()
        return self

    def connect(self, database="", **options):
        return super().connect(
            database, **{"connect_timeout": 5, "read_timeout": 5, "write_timeout": 5} | options
        )

    def write_to(self, member):
        self.mysql = member
        return self


class Application:
    """Where one of several writers connects."""

    def __init__(self, relay, member):
        self.relay, self.member = relay, member

    def connect(self, **options):
        return pymysql.connect(
            host="127.0.0.1",
            port=self.member.port,
            user="root",
            password=self.member.password,
            database=self.relay.database,
            read_timeout=5,
            write_timeout=5,
            **options,
        )


@contextlib.contextmanager
def backlog(relay, members):
    """The members receive what is inserted into the event table, but do not apply it."""
    with contextlib.ExitStack() as stack:
        for member in members:
            blocker = Application(relay, member).connect(connect_timeout=5)
            stack.callback(blocker.close)
            blocker.cursor().execute("LOCK TABLES outbox READ")
        yield


def wait_until_received(members, source):
    """The members have in their relay logs, or applied, what the source has."""
    received = (
        f"SELECT GTID_SUBSET(GTID_SUBTRACT('{executed(source)}', @@global.gtid_executed),"
        " received_transaction_set) FROM performance_schema.replication_connection_status"
        " WHERE channel_name = 'group_replication_applier'"
    )
    for member in members:
        wait_until(lambda: member.mysql(received) == "1\n", "received")
