"""outboxd writes what Debezium's Outbox Event Router writes, byte for byte.

Each case is a table and what is done to it; both relays read the same log. What differs by intent
stands in the case, and in docs/debezium.md.
"""

import random
import struct

import pytest
from debezium_expansion import expanding_cases
from debezium_peer import BINARY, JSON, OURS, THEIRS, Case, SideBySide, differences

RANDOM = random.Random(20261121)
INSERT = "INSERT INTO {t} (id, aggregatetype, aggregateid, type, payload) VALUES "
ROW = INSERT + "(%s, '{t}', %s, %s, %s)"
WITH = "INSERT INTO {t} (id, aggregatetype, aggregateid, type, payload, "
# Debezium's heartbeats are no bytes: they are what the delegates are for.
DELEGATE = "delegate.converter.type"
BYTES = {"value.converter": BINARY, f"value.converter.{DELEGATE}": JSON}
QUOTED = {"value.converter": JSON, "value.converter.schemas.enable": "false"}
QUOTED_KEYS = {"key.converter": JSON, "key.converter.schemas.enable": "false"}
BYTE_KEYS = {"key.converter": BINARY, f"key.converter.{DELEGATE}": JSON}


def outbox(id_type="VARCHAR(64)", key="VARCHAR(255)", payload="LONGTEXT", more=""):
    return f"""(id {id_type} NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
      aggregateid {key}, type VARCHAR(255), payload {payload}{more}) CHARACTER SET utf8mb4"""


def text(alphabet, length):
    return "".join(RANDOM.choice(alphabet) for _ in range(length))


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"
FOREIGN = "äöüßéèñçøåłžšđşğıαβγδωжщыюяאבגדهوي中文字漢字かなカナ한국어😀🎉👍𝄞€\u200b\u00ad\u0000\n\t\"\\'"


def rows_of_text():
    yield "n-key", None, "Created", "{}"
    yield "n-type", "k", None, "{}"
    yield "n-payload", "k", "Created", None
    yield "n-all", None, None, None
    yield "e-key", "", "Created", "{}"
    yield "e-type", "k", "", "{}"
    yield "e-payload", "k", "Created", ""
    yield "blank", " ", " ", " "
    yield " id with blanks ", " key ", "\ttype\n", "\n"
    yield "zero", "a\0b", "a\0b", "a\0b"
    yield "unicode ☂ 😀 \U0010ffff", "ключ-鍵-مفتاح", "Größe-大きさ", "Zoë ☂ 😀 \ufeff \u2028"
    yield "json", "k", "Created", '{"b": [1, 2.50, 1e3], "a": "x\\u0041\\/"}'
    yield "json string", "k", "Created", '"text"'
    yield "template", "${k}", "${type}", "$1 \\1 {aggregatetype} %s"
    yield "long", "k" * 255, "t" * 255, "x" * 900_000


def rows_with_keys():
    for number in range(300):
        yield f"a{number}", text(LETTERS, RANDOM.randrange(0, 40)), "t", "{}"
    for number in range(300):
        yield f"f{number}", text(FOREIGN, RANDOM.randrange(1, 60)), "t", "{}"
    for length in range(250, 256):
        yield f"l{length}", text(LETTERS, length), "t", "{}"


def doubles():
    """Those in plain digits, on both sides of where Java takes an exponent, and of all sizes."""
    for exponent in range(-20, 22):
        yield from (f"{digits}e{exponent}" for digits in ("1", "9.99999999999999", "-2.5"))
    yield from ("0.0", "-0.0", "1e308", "1.7976931348623157e308", "5e-324")
    yield "2.2250738585072014e-308"
    yield from ("0.1", "0.001", "0.00099999999999999", "9999999.999999998", "10000000.0", "1e7")
    yield from ("123456.789", "3.141592653589793", "4503599627370497.5", "9007199254740993.0")
    for _ in range(200):
        (number,) = struct.unpack("<d", RANDOM.randbytes(8))
        if number == number and abs(number) < 1e308:
            yield repr(number)


JSON_TEXTS = (
    "null", "true", "false", "0", "-1", '"text"', '""', "[]", "{}", "[[], {}, null]",
    '{"b": 1, "a": 2, "aa": 3, "": 4, "Z": 5, "ä": 6}',
    '{"a": {"b": {"c": [1, [2, [3]]]}}}',
    '"\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 \\u001f \\u007f \\u0080 \\u2028 ä ☂ 😀"',
    '{"\\" \\n \\u0001": 1}',
    "[32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648]",
    "[4294967295, 4294967296, 9223372036854775807, -9223372036854775808, 18446744073709551615]",
    "[18446744073709551616, 123456789012345678901234567890]",
)
# Values that no JSON text makes: SQL gives them their own types.
JSON_SQL = (
    "JSON_ARRAY(CAST(1.50 AS DECIMAL(5,2)), CAST(-0.00 AS DECIMAL(5,2)), 12345678901234567890.123,"
    " CAST('-99999999999999999999999999999.9999999999' AS DECIMAL(40,10)), 0.000001, 100)",
    "JSON_ARRAY(CAST(1 AS UNSIGNED), CAST(65535 AS UNSIGNED), CAST(2147483647 AS UNSIGNED),"
    " CAST(18446744073709551615 AS UNSIGNED))",
    "JSON_ARRAY(DATE'2026-11-21', DATE'0001-01-01', DATE'9999-12-31')",
    "JSON_ARRAY(TIMESTAMP'2026-11-21 01:02:03', TIMESTAMP'2026-11-21 01:02:03.5',"
    " TIMESTAMP'2026-11-21 01:02:03.000001', TIMESTAMP'2026-11-21 01:02:03.012000',"
    " TIMESTAMP'1000-01-01 00:00:00.100000')",
    "JSON_ARRAY(TIME'01:02:03', TIME'00:00:00', TIME'838:59:59', TIME'12:00:00.120000',"
    " CAST('100:00:00.000100' AS TIME(6)))",
    "CAST(TIMESTAMP'2026-11-21 01:02:03.250' AS JSON)",
    "JSON_ARRAY(b'101', X'00FF10', CAST('binary' AS BINARY(10)), REPEAT(X'FF', 100))",
    "CAST(X'' AS JSON)",
    "JSON_OBJECT('point', ST_GeomFromText('POINT(1 2)'))",
    "JSON_ARRAY(1e0, 1.5e0, 1e7, 1e15, 1e-5, 123456789e0)",
    "JSON_ARRAY(CAST(1 AS FLOAT), CAST(0.1 AS FLOAT), CAST(2026 AS YEAR))",
    "JSON_OBJECT('large', REPEAT('x', 70000), 'n', 70000, 'i', -70000, 'b', true, 's', 'y')",
    "(SELECT JSON_ARRAYAGG(n) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1"
    " FROM s WHERE n < 900) SELECT n FROM s) AS numbers)",
)


def json_rows():
    for number, document in enumerate((*JSON_TEXTS, *(f"[{d}]" for d in doubles()))):
        yield f"text{number}", document


JSON_TABLE = outbox(payload="JSON")
JSON_ROW = INSERT + "(%s, '{t}', 'k', 't', %s)"

TRANSACTIONS = (
    INSERT + "('m1', '{t}', 'k', 't', '1'), ('m2', '{t}', 'k', 't', '2'),"
    " ('m3', '{t}', 'k', 't', '3')",
    "BEGIN", INSERT + "('rb1', '{t}', 'k', 't', 'rolled back')", "ROLLBACK",
    "BEGIN", INSERT + "('s1', '{t}', 'k', 't', 'kept')", "SAVEPOINT a",
    INSERT + "('s2', '{t}', 'k', 't', 'to savepoint')", "ROLLBACK TO a",
    INSERT + "('s3', '{t}', 'k', 't', 'kept')", "COMMIT",
    "UPDATE {t} SET payload = 'updated' WHERE id = 'm1'",
    "DELETE FROM {t} WHERE id = 'm2'",
    "BEGIN", INSERT + "('d1', '{t}', 'k', 't', 'deleted at once')",
    "DELETE FROM {t} WHERE id = 'd1'", "COMMIT",
    "REPLACE INTO {t} VALUES ('r1', '{t}', 'k', 't', 'replace: new')",
    "REPLACE INTO {t} VALUES ('r1', '{t}', 'k', 't', 'replace: hit')",
    INSERT + "('u1', '{t}', 'k', 't', 'new') ON DUPLICATE KEY UPDATE payload = 'hit'",
    INSERT + "('u1', '{t}', 'k', 't', 'new') ON DUPLICATE KEY UPDATE payload = 'hit'",
    "INSERT IGNORE INTO {t} VALUES ('u1', '{t}', 'k', 't', 'no'), ('i1', '{t}', 'k', 't', 'yes')",
    "INSERT INTO {t} SELECT CONCAT(id, '-copy'), aggregatetype, 'k', type, payload FROM {t}"
    " ORDER BY id",
    "CREATE TEMPORARY TABLE temporary_{t} (a INT)", "BEGIN",
    INSERT + "('t1', '{t}', 'k', 't', 'beside a temporary table')",
    "INSERT INTO temporary_{t} VALUES (1)", "ROLLBACK",
    INSERT + "('z', '{t}', 'k', 't', 'last')",
)

# Those with characters that Debezium turns into others, or into the replacement character.
OTHER_IN_DEBEZIUM = {
    "armscii8", "big5", "cp866", "dec8", "eucjpms", "euckr", "gb18030", "gbk", "geostd8", "greek",
    "hebrew", "hp8", "keybcs2", "koi8u", "latin1", "sjis", "swe7", "tis620", "ujis",
}
# Of every set all characters that MySQL itself gives back as they were, a thousand to a row.
CHARACTERS_OF = """INSERT INTO {t} (id, aggregatetype, aggregateid, type, payload, {set})
  SELECT CONCAT('{set}', MIN(n)), '{t}', 'k', 't', '{}', GROUP_CONCAT(c ORDER BY n SEPARATOR '')
  FROM characters WHERE HEX(CONVERT(CONVERT(c USING {set}) USING utf8mb4)) = HEX(c)
  GROUP BY n DIV 1000 ORDER BY MIN(n)"""


def characters():
    """The basic plane but for the replacement character, and some of the others, as rows."""
    points = [c for c in range(1, 0xFFFD) if not 0xD800 <= c < 0xE000]
    points += [*range(0x1F300, 0x1F700), *range(0x20000, 0x20100), 0x10FFFF]
    for at in range(0, len(points), 5000):
        yield ", ".join(f"({c}, _utf32 X'{c:08x}')" for c in points[at : at + 5000])


CHARACTER_SETS = (
    "armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
    "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew",
    "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman",
    "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4",
)


def cases():
    yield Case("texts", ((ROW, list(rows_of_text())),))
    yield Case("key_bytes", ((ROW, list(rows_with_keys())),), partitions=12)
    yield Case(
        "key_quoted", ((ROW, [*rows_of_text(), *rows_with_keys()]),), partitions=12,
        connector=QUOTED_KEYS, outboxd={"key": "quote(aggregateid) | 'null'"},
    )
    yield Case("transactions", TRANSACTIONS)
    yield Case(
        "letter_case",
        (INSERT + "('1', '{t}.Order', 'k', 't', '1'), ('2', '{t}.ORDER', 'k', 't', '2')",
         INSERT + "('3', '{t}.order_item-2', 'k', 't', '3')"),
        topics=("{t}.Order", "{t}.ORDER", "{t}.order_item-2"),
    )
    yield Case("json_texts", ((JSON_ROW, list(json_rows())),), columns=JSON_TABLE)
    yield Case(
        "json_sql",
        tuple(INSERT + f"('sql{n}', '{{t}}', 'k', 't', {sql})" for n, sql in enumerate(JSON_SQL)),
        columns=JSON_TABLE,
    )
    large = b"x" * 70_000
    yield Case(
        "json_damaged",
        (INSERT + "('unsigned', '{t}', 'k', 't', JSON_ARRAY(CAST(3000000000 AS UNSIGNED)))",
         INSERT + "('large', '{t}', 'k', 't', JSON_OBJECT('large', REPEAT('x', 70000),"
         " 'u', CAST(70000 AS UNSIGNED)))",
         INSERT + "('negative', '{t}', 'k', 't', JSON_ARRAY(TIME'-01:02:03'))"),
        columns=JSON_TABLE,
        other_values={
            "unsigned": (b"[-1294967296]", b"[3000000000]"),
            "large": (b'{"u":,"large":"' + large + b'"}', b'{"u":70000,"large":"' + large + b'"}'),
            "negative": (b'["02:0-3:0-3"]', b'["-01:02:03"]'),
        },
    )
    yield Case(
        "key_updates",
        (INSERT + "('1', '{t}', 'k', 't', 'inserted')", "UPDATE {t} SET id = '2'",
         "UPDATE {t} SET id = '3', payload = 'moved'", INSERT + "('4', '{t}', 'k', 't', 'last')"),
        only_debezium={"2": 1, "3": 1},
    )
    yield Case(
        "xa",
        ("XA START '{t}1'", INSERT + "('1', '{t}', 'k', 't', 'rolled back')", "XA END '{t}1'",
         "XA PREPARE '{t}1'", "XA ROLLBACK '{t}1'",
         "XA START '{t}2'", INSERT + "('2', '{t}', 'k', 't', 'committed')", "XA END '{t}2'",
         "XA PREPARE '{t}2'", "XA COMMIT '{t}2'",
         "XA START '{t}3'", INSERT + "('3', '{t}', 'k', 't', 'one phase')", "XA END '{t}3'",
         "XA COMMIT '{t}3' ONE PHASE"),
        only_debezium={"1": 1},
    )
    yield Case("id_char", ((ROW, [("0b9c8e62-7d2f-4c1e-9a8b-0123456789ab", "k", "t", "{}")]),),
               columns=outbox("CHAR(36)"))
    yield Case("id_bigint", ((ROW, [(-1, "k", "t", "{}"), (2**63 - 1, "k", "t", "{}")]),),
               columns=outbox("BIGINT"))
    yield Case("id_int", ((ROW, [(-(2**31), 7, "t", "{}"), (2**31 - 1, -1, "t", "{}")]),),
               columns=outbox("INT", key="INT"))
    yield Case("id_binary", ((ROW, [(bytes(16), "k", "t", "{}"), (b"\xff" * 16, "k", "t", "{}"),
                                    (b"\x01" + bytes(15), "k", "t", "{}"),
                                    (b"0123456789abcdef", "k", "t", "{}")]),),
               columns=outbox("BINARY(16)"))
    yield Case("key_bigint", ((ROW, [(str(n), k, "t", "{}") for n, k in enumerate(
        (0, -1, 7, 2**63 - 1, -(2**63), None, *range(1000, 1100)))]),),
        columns=outbox(key="BIGINT"), partitions=12)
    yield Case("key_char", ((ROW, [("1", "pad ", "t", "{}"), ("2", "", "t", "{}")]),),
               columns=outbox(key="CHAR(20)"))
    yield Case(
        "enums",
        (INSERT + "('1', '{t}.y', 'k', 'b,Größe', '{}'), ('2', '{t}.x', 'k2', 'a,b', '{}')",
         INSERT + "('3', '{t}.x', NULL, NULL, NULL)"),
        columns="""(id VARCHAR(9) PRIMARY KEY, aggregatetype ENUM('enums.x', 'enums.y') NOT NULL,
          aggregateid SET('k', 'k2'), type SET('a', 'b', 'Größe'), payload ENUM('{}', 'x'))
          CHARACTER SET utf8mb4""",
        topics=("{t}.x", "{t}.y"),
    )
    content = bytes(range(256))
    blobs = [("1", "k", "t", content), ("2", "k", "t", b""), ("3", "k", "t", None),
             ("4", "k", "t", b"\0" * 10), ("5", None, "t", b"\xff\xfe{}"),
             ("6", "k", None, RANDOM.randbytes(300_000))]
    for name, column in (("blob", "LONGBLOB"), ("varbinary", "VARBINARY(1000)"),
                         ("binary", "BINARY(255)"), ("tinyblob", "TINYBLOB")):
        fitting = [row for row in blobs if row[3] is None or len(row[3]) <= (
            {"blob": 1 << 30, "varbinary": 1000, "binary": 255, "tinyblob": 255}[name])]
        yield Case(f"payload_{name}", ((ROW, fitting),), columns=outbox(payload=column),
                   connector=BYTES)
    yield Case(
        "key_binary",
        ((ROW, [(str(n), RANDOM.randbytes(16), "t", b"{}") for n in range(200)]),
         (ROW, [("pad", b"\x01", "t", b"{}"), ("null", None, "t", b"{}")])),
        columns=outbox(key="BINARY(16)", payload="BLOB"), partitions=12,
        connector=BYTES | BYTE_KEYS,
    )
    yield Case(
        "time_3",
        ((WITH + "at) VALUES (%s, '{t}', 'k', 't', '{}', %s)",
          [("1", "2026-11-21 01:02:03.456"), ("2", "1970-01-01 00:00:00.001"),
           ("3", "2106-02-07 06:28:16.999"), ("4", "9999-12-31 23:59:59.999")]),),
        columns=outbox(more=", at DATETIME(3)"),
        connector={"outbox:table.field.event.timestamp": "at"}, outboxd={"timestamp": "at"},
    )
    yield Case(
        "time_6",
        ((WITH + "at) VALUES (%s, '{t}', 'k', 't', '{}', %s)",
          [("1", "2026-11-21 01:02:03.456789"), ("2", "2026-11-21 01:02:03.000999"),
           ("3", "1999-12-31 23:59:59.999999")]),),
        columns=outbox(more=", at DATETIME(6)"),
        connector={"outbox:table.field.event.timestamp": "at"}, outboxd={"timestamp": "at"},
    )
    yield Case(
        "partitions",
        ((WITH + "part) VALUES (%s, '{t}', %s, 't', '{}', %s)",
          [("1", "k", 0), ("2", "k", 2), ("3", None, 1), ("4", "k", None), ("5", "other", None)]),),
        columns=outbox(more=", part INT"),
        connector={"outbox:table.fields.additional.placement":
                   "type:header:eventType,part:partition"},
        outboxd={"partition": "part"},
    )
    yield Case(
        "headers",
        ((WITH + "a, b, c, d, e) VALUES (%s, '{t}', 'k', 't', '{}', %s, %s, %s, %s, %s)",
          [("1", "text", 7, -1, b"\0\xff", 65535), ("2", None, None, None, None, None),
           ("3", "", 0, 2**63 - 1, b"", 0)]),),
        columns=outbox(more=", a TEXT, b INT, c BIGINT, d VARBINARY(9), e SMALLINT UNSIGNED"),
        connector={"outbox:table.fields.additional.placement":
                   "a:header,b:header:B,c:header,d:header,e:header,type:header:B"},
        outboxd={"header": ["a:a", "b:B", "c:c", "d:d", "e:e", "type:B"]},
    )
    yield Case(
        "routed",
        (INSERT + "('1', 'eu_order', 'k', 't', '1'), ('2', 'us_order', 'k', 't', '2'),"
         " ('3', 'eu_customer', 'k', 't', '3')",),
        topics=("{t}.order.eu", "{t}.order.us", "{t}.customer.eu"),
        connector={"outbox:route.topic.regex": "(?<region>[a-z]+)_([a-z]+)",
                   "outbox:route.topic.replacement": THEIRS + "routed.$2.${region}"},
        outboxd={"topic": "{aggregatetype}", "topic-regex": "(?<region>[a-z]+)_([a-z]+)",
                 "topic-replacement": OURS + "routed.$2.${region}"},
    )
    yield Case(
        "tombstones",
        ((ROW, [("1", "k", "t", ""), ("2", "k", "t", " \t\n\x01"), ("3", "k", "t", None),
                ("4", "k", "t", " x "), ("5", "k", "t", "\u00a0")]),),
        connector={"outbox:route.tombstone.on.empty.payload": "true"},
        outboxd={"blank-is-tombstone": "yes"},
    )
    texts = [row for row in rows_of_text() if row[1] is not None]
    yield Case("quoted", ((ROW, texts),), connector=QUOTED,
               outboxd={"payload": "quote(payload) | 'null'"})
    yield Case(
        "envelope",
        ((WITH + "n) VALUES (%s, '{t}', 'k', %s, %s, %s)",
          [("1", "Crëated", '{"b": 1.0, "a": "x\\u001f\\n\\""}', 7), ("2", None, "null", None),
           ("3", "", "[1, 2.5, null]", -1)]),),
        columns=outbox(payload="JSON", more=", n INT"),
        connector={"outbox:table.fields.additional.placement":
                   "type:header:eventType,type:envelope:eventType,n:envelope"} | QUOTED,
        outboxd={"member": ["string(payload):payload", "type:eventType", "n:n"]},
    )
    yield from expanding_cases()
    yield Case(
        "character_sets",
        ("SET SESSION group_concat_max_len = 1000000",
         "CREATE TEMPORARY TABLE characters (n INT PRIMARY KEY, c VARCHAR(1))"
         " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
         *(f"INSERT INTO characters VALUES {rows}" for rows in characters()),
         *(CHARACTERS_OF.replace("{set}", name) for name in CHARACTER_SETS)),
        columns=outbox(more="".join(f", {s} TEXT CHARACTER SET {s}" for s in CHARACTER_SETS)),
        connector={"outbox:table.fields.additional.placement":
                   ",".join(f"{s}:header" for s in CHARACTER_SETS)},
        outboxd={"header": [f"{s}:{s}" for s in CHARACTER_SETS]},
    )


# Columns of types that have no text of their own in Connect: MySQL's type, what is inserted, what
# Debezium's header says and what outboxd's, which is what SELECT shows.
OTHER_TYPES = (
    ("DATE", "'2026-11-21'", b"20778", b"2026-11-21"),
    ("DATETIME", "'2026-11-21 01:02:03'", b"1795222923000", b"2026-11-21 01:02:03"),
    ("DATETIME(6)", "'2026-11-21 01:02:03.5'", b"1795222923500000", b"2026-11-21 01:02:03.500000"),
    ("TIMESTAMP(3)", "'2026-11-21 01:02:03.4'", b"2026-11-21T01:02:03.400Z",
     b"2026-11-21 01:02:03.400"),
    ("TIME", "'01:02:03'", b"3723000000", b"01:02:03"),
    ("DOUBLE", "1e20", b"1.0E20", b"1e20"),
    ("BIT(1)", "1", b"true", b"AQ=="),
    ("BIGINT UNSIGNED", "18446744073709551615", b"-1", b"18446744073709551615"),
    ("YEAR", "2026", b"2026", b"2026"),
    ("DECIMAL(10, 3)", "1.5", b"1.500", b"1.500"),
    ("FLOAT", "1.1", b"1.1", b"1.1"),
    ("BIT(8)", "5", b"BQ==", b"BQ=="),
    ("BOOLEAN", "true", b"1", b"1"),
    ("INT UNSIGNED", "4294967295", b"4294967295", b"4294967295"),
    ("JSON", "'{\"a\": 1.0}'", b'{"a":1.0}', b'{"a":1.0}'),
    ("SET('a', 'b')", "'a,b'", b"a,b", b"a,b"),
)
TYPES = Case(
    "header_types",
    (INSERT.replace("payload)", "payload, " + ", ".join(
        f"c{n}" for n in range(len(OTHER_TYPES))) + ")")
     + f"('1', '{{t}}', 'k', 't', '{{}}', {', '.join(value for _, value, _, _ in OTHER_TYPES)})",),
    columns=outbox(more="".join(f", c{n} {kind[0]}" for n, kind in enumerate(OTHER_TYPES))),
    connector={"outbox:table.fields.additional.placement":
               ",".join(f"c{n}:header" for n in range(len(OTHER_TYPES)))},
    outboxd={"header": [f"c{n}:c{n}" for n in range(len(OTHER_TYPES))]},
)
CASES = [*cases(), TYPES]


@pytest.fixture(scope="module")
def both(outboxd, mysql, kafka, connect, tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    side_by_side = SideBySide(outboxd, mysql, kafka, connect, folder, CASES)
    with side_by_side.relay:
        yield side_by_side.run()


SETS = next(case for case in CASES if case.name == "character_sets")
COMPARED = [case for case in CASES if case not in (SETS, TYPES)]


@pytest.mark.parametrize("case", COMPARED, ids=[case.name for case in COMPARED])
def test_every_message_equals_debeziums(both, case):
    theirs, ours = both.of(case, THEIRS), both.of(case, OURS)
    found = differences(theirs, ours, case, "timestamp" in case.outboxd)
    assert sum(map(len, ours.values())) > 0
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:5])


def test_headers_of_other_types_are_text_as_select_shows_it(both):
    theirs, ours = (headers_by_id(both.of(TYPES, side))["1"] for side in (THEIRS, OURS))
    for number, (kind, _, debeziums, outboxds) in enumerate(OTHER_TYPES):
        assert (theirs[f"c{number}"], ours[f"c{number}"]) == (debeziums, outboxds), kind


def headers_by_id(messages):
    return {m.id: dict(m.headers) for batch in messages.values() for m in batch}


def test_every_character_arrives_as_select_says_and_most_as_debezium_writes_them(both):
    theirs, ours = (headers_by_id(both.of(SETS, side)) for side in (THEIRS, OURS))
    assert theirs.keys() == ours.keys()
    rows = both.relay.sql(f"SELECT id, {', '.join(CHARACTER_SETS)} FROM {SETS.name}")
    assert len(rows) == len(ours) > 2 * len(CHARACTER_SETS)
    other = set()
    for event_id, *texts in rows:
        for name, value in zip(CHARACTER_SETS, texts, strict=True):
            stored = value if value is None else value.encode()
            assert ours[event_id][name] == stored, (event_id, name)
            if theirs[event_id][name] != stored:
                other.add(name)
    assert sorted(other) == sorted(OTHER_IN_DEBEZIUM)
