r"""Payloads for table.expand.json.payload, and the cases that are made of them.

Of arrays with objects that differ only such stand here of which Debezium makes the same text each
time: where the members of one begin with all of the other's.
"""

import json

from debezium_peer import JSON, Case


def nested(levels):
    return '{"a":' * levels + "1" + "}" * levels


def document(name, members):
    return name, "{%s}" % members


# Each of these is expanded, or left as it is, without an error.
DOCUMENTS = dict((
    document("object", '"b": 1, "a": {"y": true, "x": ["s", "t"]}, "c": {}, "d": "x" '),
    document("empty", ""),
    document("nulls", '"a": null, "b": {"c": null}, "d": [null, 1], "e": [{"f": null}, null]'),
    document("only nulls", '"a": [null, null]'),
    document("empty arrays", '"a": [], "b": {"c": []}, "d": [{"e": []}, {"e": [1]}]'),
    document("begins empty", '"a": [[], [1]]'),
    document("arrays", '"a": [[1], [], [null], [2, null]], "b": [[[true]], [[], [false]]]'),
    document("objects", '"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}, null], "d": [[{}]]'),
    document("more members", '"a": [{"b": 1}, {"b": 2, "c": "x"}, {}, {"b": 3, "c": "y", "d": 4}]'),
    document("nulls of objects", '"a": [{"b": null}, {"b": 1}], "c": [{"d": null}, {"d": null}]'),
    document("deep objects", '"a": {"b": [{"c": {"d": [{"e": 1}, {"e": 2, "f": 3.5}]}}]}'),
    document("mixed", '"a": [1, "x"]'),
    document("mixed objects", '"a": {"b": [{}, 1]}'),
    document("mixed arrays", '"a": [[], {}]'),
    document("mixed in an object", '"a": [{"b": 1}, {"b": [1, true]}]'),
    document("int and long", '"a": [1, 3000000000]'),
    document("int and double", '"a": [1, 2.5]'),
    document("longs", '"a": [3000000000, -3000000000], "b": 1, "c": 3000000000'),
    document("limits", '"a": [2147483647, -2147483648], "b": [9223372036854775807, -2147483649]'),
    document("escapes", r'"\u0061\n": "\" \\ \/ \b \f \r \t \u0000 \u001f \u007f \u00e9 \u2028"'),
    document("unicode", '"ä ☂ 😀": "ä ☂ 😀 \\ud83d\\ude00 \U0010ffff \u2028"'),
    document("no name", '"": 1'),
    document("no name, no value", '"": null, "a": 1'),
    ("array of arrays", "[[]]"),
    ("mixed top", '[1, "x"]'),
    ("string", '"text"'),
    ("number", "1"),
    ("true", "true"),
    ("null", "null"),
))
# An array that has no schema is one that no envelope holds.
EMPTY_ARRAY = {"array": "[]"}
DOUBLES = [
    f"{digits}e{exponent}"
    for exponent in range(-20, 22)
    # Java 17 prints more digits than it needs of some others, most of them from 10^17 on.
    for digits in ("1", "-2.5", *(["9.87654321"] if exponent < 17 else []))
] + ["0.0", "-0.0", "1E308", "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "0.1",
     "0.00100", "9999999.999999998", "12345678.9", "3.141592653589793", "1e-400"]
# What no JSON column holds, and what it would hold otherwise.
TEXTS = DOCUMENTS | dict((
    document("doubles", '"a": [%s]' % ", ".join(DOUBLES)),
    document("minus zero", '"a": -0'),
    document("twice", r'"a": 1, "b": 2, "\u0061": "x", "c": [1, "x"], "c": null'),
    document("digits", '"a": 12.%s' % ("1" * 998)),
    document("too many digits", '"a": 12.%s' % ("1" * 999)),
    document("zeros", '"a": 0.%s1' % ("0" * 999)),
    document("too many zeros", '"a": 0.%s1' % ("0" * 1000)),
    document("long name", '"%s": 1' % ("n" * 50_000)),
    document("too long a name", '"%s": 1' % ("n" * 50_001)),
    document("leading zero", '"a": 01'),
    document("comma", '"a": 1,'),
    document("bare name", "a: 1"),
    document("tab", '"a": "\t"'),
    document("single quotes", "'a': 1"),
    ("more behind", '{"a": "}"} and "more'),
    ("brackets behind", '{"a": 1}]}'),
    ("open", '{"a": 1'),
    ("closed wrongly", '{"a": 1]'),
    ("blank before", ' {"a": 1}'),
    ("text", "text"),
    ("nothing", ""),
    ("blank", " "),
    ("white space", "\t\n"),
    ("nested", nested(500)),
    ("too deep", nested(1001)),
))
DEEPEST = {"deepest": nested(1000)}
# Debezium finds a schema that they then do not fit, and its task fails.
UNFIT = dict((
    document("big", '"a": 9223372036854775808'),
    document("small", '"a": -9223372036854775809'),
    document("very big", '"a": {"b": [123456789012345678901234567890]}'),
    document("unlike arrays", '"a": [[1], ["x"]]'),
    document("unlike members", '"a": [{"b": 1}, {"b": "x"}]'),
    document("emptied", '"a": [{"b": []}, {"b": 1}]'),
    ("numbers", "[1, 2]"),
    ("top objects", '[{"a": 1}]'),
))
# Values that JSON does not have: Debezium's, and outboxd's.
DAMAGED = {
    "infinite": ('{"a": 1e400}', b'{"a":"Infinity"}', rb'"{\"a\": 1e400}"'),
    "half": (r'{"a": "\ud800"}', rb'{"a":"\uD800"}', rb'"{\"a\": \"\\ud800\"}"'),
}

# Rows at which the task fails are skipped, so that all cases can share a connector.
EXPANDING = {
    "value.converter": JSON,
    "value.converter.schemas.enable": "false",
    "outbox:table.expand.json.payload": "true",
    "errors.tolerance": "all",
}
KEEPING_NULLS = EXPANDING | {
    "outbox:table.json.payload.null.behavior": "optional_bytes",
    "outbox:route.tombstone.on.empty.payload": "true",
}
ENVELOPE = EXPANDING | {
    "outbox:table.fields.additional.placement": "type:header:eventType,type:envelope:eventType",
}
ROW = """INSERT INTO {t} (id, aggregatetype, aggregateid, type, payload)
  VALUES (%s, '{t}', 'k', 't', %s)"""
JSON_TABLE = """(id VARCHAR(64) PRIMARY KEY, aggregatetype VARCHAR(255), aggregateid VARCHAR(255),
  type VARCHAR(255), payload JSON)"""


def rows_of(*tables):
    rows = [("no payload", None)]
    for table in tables:
        rows += table.items()
    return rows


def as_string(text):
    """What JsonConverter writes of a text of printable ASCII."""
    return json.dumps(text).encode()


def expanding_cases():
    payload = {"payload": "expand(payload) | 'null'"}
    damaged = {name: text for name, (text, *_) in DAMAGED.items()}
    yield Case(
        "expand_texts",
        ((ROW, rows_of(TEXTS, EMPTY_ARRAY, DEEPEST, damaged)),),
        connector=EXPANDING, outboxd=payload,
        other_values={name: (theirs, ours) for name, (_, theirs, ours) in DAMAGED.items()},
    )
    # Larger ones become integers of more than 64 bits in a JSON column.
    doubles = {d: '{"a": %s}' % d for d in DOUBLES if abs(float(d)) < 9e18 and float(d) != 0}
    yield Case(
        "expand_documents",
        ((ROW, rows_of(DOCUMENTS, EMPTY_ARRAY, doubles)),),
        columns=JSON_TABLE, connector=EXPANDING, outboxd=payload,
    )
    yield Case(
        "expand_unfit",
        ((ROW, [("first", "{}"), *UNFIT.items(), ("last", "{}")]),),
        connector=EXPANDING, outboxd=payload,
        only_outboxd={name: as_string(text) for name, text in UNFIT.items()},
    )
    yield Case(
        "expand_nulls",
        ((ROW, rows_of(TEXTS, EMPTY_ARRAY, DEEPEST, {"top nulls": "[null]"})),),
        connector=KEEPING_NULLS,
        outboxd={"payload": "expand-nulls(payload)", "blank-is-tombstone": "yes"},
        only_outboxd={"top nulls": as_string("[null]")},
    )
    yield Case(
        "expand_envelope",
        ((ROW, rows_of(TEXTS, EMPTY_ARRAY, DEEPEST)),),
        connector=ENVELOPE,
        outboxd={"member": ["expand(payload):payload", "type:eventType"]},
        only_outboxd={
            "array": b'{"payload":"[]","eventType":"t"}',
            "deepest": b'{"payload":%s,"eventType":"t"}' % DEEPEST["deepest"].encode(),
        },
    )
    yield Case(
        "expand_binary",
        ((ROW, [("object", b"{}"), ("nothing", b""), ("no payload", None)]),),
        columns=JSON_TABLE.replace("JSON", "BLOB"), connector=EXPANDING, outboxd=payload,
    )
