"""What a relay under systemd sends to the journal: fields to search for, and remedies."""

import json

from relay import PASSWORD, wait_until
from service_relay import ServiceRelay


def records(relay, *matches):
    """As the journal exports them."""
    said = relay.lab.call("journalctl", "--no-pager", "-o", "json", *matches).stdout
    return [json.loads(line) for line in said.splitlines()]


def explained(relay, *matches):
    text = relay.lab.call("journalctl", "--no-pager", "-x", *matches).stdout
    return " ".join(text.replace("░░", "").split())


def held_relay(host, mysql, kafka, folder):
    """At an event whose topic does not exist."""
    relay = ServiceRelay(host, mysql, kafka, folder).begin_now().start()
    relay.insert("e-1", kind="no-such-topic")
    wait_until(lambda: records(relay, "OUTBOXD_NOTICE=holds-at-event",
                               f"OUTBOXD_RELAY={relay.name}"), relay.log)
    return relay


def test_every_line_of_a_relay_has_its_name(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.insert("e-1")
    relay.wait_for(1)
    of_name = records(relay, f"OUTBOXD_RELAY={relay.name}")
    own = [r for r in records(relay, "-u", relay.unit) if r["_COMM"] == "outboxd"]
    assert own and [r["MESSAGE"] for r in own] == [r["MESSAGE"] for r in of_name]
    assert {r["_SYSTEMD_UNIT"] for r in of_name} == {relay.unit}


def test_an_event_is_found_by_its_id_its_table_and_its_transaction(host, mysql, kafka, tmp_path):
    relay = held_relay(host, mysql, kafka, tmp_path)
    found = records(relay, "OUTBOXD_EVENT_ID=e-1", f"OUTBOXD_RELAY={relay.name}")[0]
    assert found["OUTBOXD_TABLE"] == f"{relay.database}.outbox"
    assert found["OUTBOXD_POSITION"] == found["OUTBOXD_GTID"] + ":1"
    (has_it,) = relay.sql("SELECT GTID_SUBSET(%s, @@global.gtid_executed)",
                          [found["OUTBOXD_GTID"]])
    assert has_it == (1,)
    assert found["PRIORITY"] == "3"


def test_the_journal_explains_what_to_type_for_this_event(host, mysql, kafka, tmp_path):
    relay = held_relay(host, mysql, kafka, tmp_path)
    match = f"OUTBOXD_RELAY={relay.name}"
    text = explained(relay, "OUTBOXD_EVENT_ID=e-1", match)
    position = records(relay, "OUTBOXD_EVENT_ID=e-1", match)[0]["OUTBOXD_POSITION"]
    assert "Subject: The relay holds at an event" in text, text
    assert f"outboxd --unit {relay.name} skip {position} drops it" in text, text
    # And it is what helps.
    host.shell(f"outboxd --unit {relay.name} skip {position}")
    wait_until(lambda: records(relay, "OUTBOXD_NOTICE=dropped", "OUTBOXD_EVENT_ID=e-1", match),
               relay.log)


def test_the_reason_of_every_end_is_under_its_unit_with_its_remedy(host, mysql, kafka, tmp_path):
    """A process that ends at once is no more when the journal looks at who it was."""
    relay = ServiceRelay(host, mysql, kafka, tmp_path).configure(outbox__nonsense="1")
    for _ in range(20):
        relay.systemctl("start", check=False)
        relay.wait_for_state("failed")
        relay.systemctl("reset-failed")
    ends = records(relay, "-u", relay.unit, "OUTBOXD_CODE=78")
    assert len(ends) == 20
    assert all(r["OUTBOXD_NOTICE"] == "ended-78" and "nonsense" in r["MESSAGE"] for r in ends)
    text = explained(relay, "-u", relay.unit)
    assert "The relay ended with code 78" in text and "Run outboxd check, and do what it" in text


def test_a_wrong_password_is_told_by_the_code_of_the_end(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path)
    host.write(relay.password_file, "wrong\n")
    relay.systemctl("start", check=False)
    wait_until(lambda: records(relay, "-u", relay.unit, "OUTBOXD_NOTICE=ended-77"), relay.log)
    host.write(relay.password_file, PASSWORD + "\n")


def test_what_the_program_prints_for_a_person_is_not_in_the_journal(host, mysql, kafka, tmp_path):
    relay = ServiceRelay(host, mysql, kafka, tmp_path).start()
    relay.insert("e-1")
    relay.wait_for(1)
    for command in ("status", "check"):
        assert host.shell(f"outboxd --unit {relay.name} {command}")
    of_relay = records(relay, f"OUTBOXD_RELAY={relay.name}")
    assert {r["_PID"] for r in of_relay} == {relay.show("MainPID")}
