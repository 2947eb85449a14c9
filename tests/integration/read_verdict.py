"""What an initial read and the stream behind it owe, told from the record of the writers; and what
arrived, held against it."""

import collections
import itertools
import re
from dataclasses import dataclass, field, replace

from recorded_changes import Content, place


class GtidSet:
    """As MySQL writes it."""

    def __init__(self, text):
        self.ranges = collections.defaultdict(list)
        for part in text.replace("\n", "").replace(" ", "").split(","):
            uuid, *intervals = part.split(":")
            for interval in intervals:
                first, _, last = interval.partition("-")
                self.ranges[uuid].append((int(first), int(last or first)))

    def __contains__(self, gtid):
        uuid, number = gtid
        return any(first <= number <= last for first, last in self.ranges.get(uuid, ()))

    def covers(self, other):
        return all(
            any(begin <= first and last <= end for begin, end in self.ranges.get(uuid, ()))
            for uuid, ranges in other.ranges.items()
            for first, last in ranges
        )


@dataclass
class Row:
    identity: int  # The version that it was inserted with.
    content: Content


@dataclass(frozen=True)
class Effect:
    """What a change made of one row; None: there was none, or is none any more."""

    identity: int
    before: Content | None
    after: Content | None
    is_event: bool = False


class Tables:
    """The rows of all tables, by place."""

    def __init__(self, publishes_updates):
        self.publishes_updates = publishes_updates
        self.rows = {}

    def apply(self, change):
        return getattr(self, f"_{change.kind}")(change, place(change.table, change.key))

    def _insert(self, change, at):
        assert at not in self.rows, f"the test's record: {change}"
        content = change.content
        self.rows[at] = Row(content.version, content)
        return [Effect(content.version, None, content, is_event=True)]

    def _delete(self, _, at):
        row = self.rows.pop(at)
        return [Effect(row.identity, row.content, None)]

    def _update(self, change, at):
        return self._become(
            self.rows[at], replace(self.rows[at].content, version=change.version, is_large=False)
        )

    def _become(self, row, content):
        before, row.content = row.content, content
        return [Effect(row.identity, before, content, is_event=self.publishes_updates)]

    def _move(self, change, at):
        row = self.rows.pop(at)
        after = place(change.table, change.key_after)
        assert after not in self.rows, f"the test's record: {change}"
        self.rows[after] = row
        content = row.content
        if change.table.id_is_key:
            content = replace(content, id=change.key_after[0])
        if change.version:
            content = replace(content, version=change.version, is_large=False)
        return self._become(row, content)

    def _replace(self, change, at):
        if change.table.trigger:
            return self._delete(change, at) + self._insert(change, at)
        return self._become(self.rows[at], change.content)


@dataclass
class Owed:
    """A version that may arrive."""

    contents: set
    table: str
    commit: tuple = None  # (the GTID, its serial) of the stream; None: the read brings it.
    is_due: bool = True


@dataclass
class Expected:
    by_version: dict = field(default_factory=dict)
    alternatives: list = field(default_factory=list)  # Sets of versions of which one is due.
    tables: Tables = None
    rows_at_start: int = 0
    straddling: int = 0  # Transactions prepared in front of the start and committed behind it.


def expectation(filled, commits, start, serial, publishes_updates):
    """`start`: the GTIDs of the beginning. `serial` of a GTID: its place in the order of all
        commits."""
    expected = Expected(tables=Tables(publishes_updates))
    tables, owed = expected.tables, expected.by_version
    names = {}  # identity -> table
    commits = sorted(commits, key=lambda commit: serial(commit.gtid))
    before = [c for commit in commits if commit.gtid in start for c in commit.changes]
    for change in [*filled, *before]:
        for effect in tables.apply(change):
            names[effect.identity] = change.table.name
    for row in tables.rows.values():
        owed[row.content.version] = Owed({row.content}, names[row.identity])
    expected.rows_at_start = len(tables.rows)
    for commit in commits:
        if commit.gtid in start:
            continue
        effects = []
        for change in commit.changes:
            for effect in tables.apply(change):
                names.setdefault(effect.identity, change.table.name)
                effects.append(effect)
        if commit.prepared and commit.prepared in start:
            expected.straddling += 1
            _straddle(expected, effects, names)
            continue
        for effect in effects:
            if effect.is_event:
                owed[effect.after.version] = Owed(
                    {effect.after}, names[effect.identity], (commit.gtid, serial(commit.gtid))
                )
    return expected


def _straddle(expected, effects, names):
    """Nothing of it is in the log behind the beginning: the read shows its rows as they are
    afterwards. What it deleted may come or not, what it changed comes as it was or as it became."""
    owed = expected.by_version
    first, last = {}, {}
    for effect in effects:
        first.setdefault(effect.identity, effect.before)
        last[effect.identity] = effect.after
    for identity, before in first.items():
        after = last[identity]
        if before is None and after is not None:
            owed[after.version] = Owed({after}, names[identity])
        elif before is not None and after is None:
            owed[before.version].is_due = False
        elif before is not None and before.version == after.version:
            owed[before.version].contents.add(after)
        elif before is not None:
            owed[before.version].is_due = False
            owed[after.version] = Owed({after}, names[identity], is_due=False)
            expected.alternatives.append({before.version, after.version})


POSITION = re.compile(r"([0-9a-f-]{36}):(\d+):(\d+)")


class Verdict:
    """`arrivals`: version -> its first copy, in the order in which they came in each partition."""

    def __init__(self, expected, database, arrivals, changed_copies):
        self.database = database
        owed = expected.by_version
        self.lost = {v for v, one in owed.items() if one.is_due and v not in arrivals}
        self.lost |= {min(group) for group in expected.alternatives if group.isdisjoint(arrivals)}
        self.invented = {v for v in arrivals if v not in owed}
        self.invented |= {max(group) for group in expected.alternatives if group <= set(arrivals)}
        self.changed = {v for v, one in arrivals.items()
                        if v in owed and not any(one.shows(c) for c in owed[v].contents)}
        self.misplaced = {v for v, one in arrivals.items()
                          if v in owed and not self._is_at(one.position, owed[v])}
        self.changed_copies = changed_copies
        self.rows = sum(1 for v in arrivals if v in owed and owed[v].commit is None)
        self.events = sum(1 for v in arrivals if v in owed and owed[v].commit is not None)
        self.bad = sum(1 for one in arrivals.values() if one.is_dead)
        self.disordered = self._disordered(owed, arrivals)

    def _is_at(self, position, owed):
        if owed.commit is None:
            return position.startswith(f"table:{self.database}.{owed.table}:")
        found = POSITION.fullmatch(position)
        return bool(found) and (found[1], int(found[2])) == owed.commit[0]

    def _disordered(self, owed, arrivals):
        """First copies behind one of a later commit, and rows of the read behind the stream. Where
        the broker refuses batches, as for messages that are too large, nothing is promised."""
        partitions = collections.defaultdict(list)
        for version, one in arrivals.items():
            if version in owed and version not in self.misplaced and one.topic == "order":
                serial = ()
                if owed[version].commit:
                    serial = (*owed[version].commit[1], int(one.position.rpartition(":")[2]))
                partitions[one.partition].append((one.offset, serial))
        count = 0
        for order in partitions.values():
            serials = [serial for _, serial in sorted(order)]
            count += sum(later < former for former, later in itertools.pairwise(serials))
        return count

    @property
    def faults(self):
        """name -> versions, of what is wrong"""
        found = {"lost": self.lost, "invented": self.invented, "changed": self.changed,
                 "misplaced": self.misplaced}  # fmt: skip
        return {name: sorted(versions) for name, versions in found.items() if versions}

    def check(self):
        assert not self.faults, {name: some[:20] for name, some in self.faults.items()}
        assert not self.changed_copies and not self.disordered
