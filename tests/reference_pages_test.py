#!/usr/bin/env python3
"""Fails when a page names what the source does not have: a command, an option, a key, an exit code,
a text of the program, or anything else in backticks.

Texts are found by their fixed parts: what stands between placeholders, which are braces, numbers or
'...' on a page. docs/configuration.md and docs/commands.md are compared with the program by unit
tests; here they tell which keys and options there are.
"""

import pathlib
import re
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
MESSAGES_MIN, MESSAGES_MAX = 20, 50
WORDS_MAX = 2500  # Ten minutes of reading.
FIXED_CHARACTERS_MIN = 12

CODE = re.compile(r"^\s*k\w+ = (\d+),", re.M)
CODE_ROW = re.compile(r"^\| (\d+) \|[^|]+\| (yes|no) \|[^|]+\|$", re.M)
PREVENTED = re.compile(r"^RestartPreventExitStatus=(.*)$", re.M)
CODES_OF_COMMAND = re.compile(r"^Exit codes: (.*)$", re.M)

COMMENT = re.compile(r"^\s*//.*$", re.M)
LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
QUOTE = re.compile(r"^> `(.*)`$", re.M)

DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
FOLDERS = (".ci", "base", "binlog", "daemon", "packaging", "sinks", "systemd", "tests")
FORM = re.compile(r"^  outboxd ([a-z].*?)(?:   .*)?$", re.M)
KEY_ROW = re.compile(r"^\| `([a-z]+)\.([a-z-]+)` \| ([^|]*) \| ([^|]*) \|", re.M)
SPAN = re.compile(r"`` ?(.+?) ?``|`([^`]+)`", re.S)
OPTION = re.compile(r"--[a-z][\w.-]*")
# What may stand before a command.
PREFIX = re.compile(r"(?:sudo (?:-u outboxd )?)?(?:outboxd )?(?:--unit \S+ ?)?")
SETTING = re.compile(r"(?:\[\w+\] )?([\w.-]+) = (.*)")
CODES = re.compile(r"\b[Cc]odes? ((?:\d+, )*\d+(?: (?:and|or) \d+)?)\b")
AFTER_CODES = re.compile(r"\bAfter ([\d, ]+ and \d+) systemd (does not start|tries)\b")
NUMBERS = re.compile(r"\d+(?:\.\d+)?|\bN\b")
# What begins like this is not of this project: another program's command line, SQL, HTTP, C++.
OF_OTHERS = re.compile(
    r"(apt-get|chown|mysqlbinlog|"
    r"cmake|ctest|kcat|setarch|systemctl|systemd-analyze|enum|std::\w+|//|packaging/"
    r"|tests/\w+|core-dump|[A-Z_]{2,}(\(.*|)|Binlog|Previous-GTIDs|binlog-(do|ignore)-db"
    r"|binlog: decode DATETIME2|unexpected memory mapping) ?"
)
# Values, patterns and places in examples; and what only a server or another program knows.
TEXTS = {".cc", ".h", ".py", ".sh", ".txt", ".json", ".service", ".sql", ""}
RULES = {"architecture_test.py", pathlib.Path(__file__).name}  # They name what does not exist.
EXAMPLES = re.compile(
    r"[^A-Za-z]+|[-\d].*|[A-Z_-]+\??|.*[A-Z]{3,}.*:.*|.*:\d+|[\w{}]*\\.*|'.*'|\".*\"|.*\{.*"
    r"|(status|key)=.*|std::\w+|/etc/.*|/var/lib/.*|.*…|table:.*|DATABASE.TABLE|.*<tab>.*"
    # Of the mapping language; of a list of tests, which another rule looks at; of these rules.
    r"|\[not\] .*|is \[not\] .*|.*->PATH|\$.*|`.*`|\w+Test\.[\w*]+|[\w*]+\.py"
    r"|(stands in|not run): .*"
)


def read(root, *names):
    return "\n".join((root / name).read_text() for name in names)


def exit_code_faults(root):
    known = {int(code) for code in CODE.findall(read(root, "daemon/exit_code.h"))}
    page = read(root, "docs/exit-codes.md")
    rows = {int(code): word == "yes" for code, word in CODE_ROW.findall(page)}
    for code in known - rows.keys():
        yield f"docs/exit-codes.md: lacks code {code} of daemon/exit_code.h"
    for code in rows.keys() - known:
        yield f"docs/exit-codes.md: daemon/exit_code.h has no code {code}"
    for unit in sorted((root / "systemd").glob("*.service")):
        for words in PREVENTED.findall(unit.read_text()):
            prevented = {int(word) for word in words.split()}
            for code, is_restarted in rows.items():
                # Restart=on-failure: a clean end is no failure.
                if is_restarted == (code in prevented or code == 0):
                    yield f"docs/exit-codes.md: {unit.name} differs on a restart after {code}"
            for code in prevented - rows.keys():
                yield f"docs/exit-codes.md: lacks code {code} of {unit.name}"
    for codes, does in AFTER_CODES.findall(read(root, "docs/at-night.md")):
        wanted = {code for code, is_restarted in rows.items()
                  if code > 3 and is_restarted == (does == "tries")}  # No run ends with 1 or 3.
        if set(map(int, re.findall(r"\d+", codes))) != wanted:
            yield f"docs/at-night.md: systemd {does} after {sorted(wanted)}"
    for line in CODES_OF_COMMAND.findall(read(root, "docs/commands.md")):
        for code in map(int, re.findall(r"\d+", line)):
            if code not in known:
                yield f"docs/commands.md: there is no exit code {code}"


def length_faults(root):
    """Blocks, the targets of links and the lines of tables are not read as words."""
    for path in sorted([*root.glob("docs/*.md"), *root.glob("*.md")]):
        lines = [line for line in path.read_text().split("\n") if not line.startswith("    ")]
        words = re.sub(r"\]\([^)]*\)|\|", " ", "\n".join(lines)).split()
        count = sum(any(c.isalnum() for c in word) for word in words)
        if count > WORDS_MAX:
            yield f"{path.relative_to(root)}: {count} words, at most {WORDS_MAX}"


def texts_of_source(root):
    """The string literals of the source, neighbours joined, with '{}' for each placeholder."""
    texts = []
    for folder in ("base", "binlog", "daemon", "sinks"):
        for path in sorted((root / folder).rglob("*.[ch]*")):
            code = COMMENT.sub("", path.read_text())
            for run in LITERALS.findall(code):
                text = "".join(LITERAL.findall(run)).replace('\\"', '"')
                texts.append(PLACEHOLDER.sub("{}", text))
    return "\n".join(texts)


SINK_WORD = re.compile(r'[\s{]\.\w+ = "([^"]+)"')


def sink_words_of(root):
    """What the daemon calls things of a sink, the longest first: texts have a {} for each."""
    words = set()
    for path in sorted((root / "sinks").glob("*/*_family.cc")):
        words.update(SINK_WORD.findall(path.read_text()))
    return sorted(words, key=len, reverse=True)


def message_faults(root):
    quotes = QUOTE.findall(read(root, "docs/messages.md"))
    source = texts_of_source(root)
    sink_words = sink_words_of(root)

    def stands(part):
        if part in source:
            return True
        for word in sink_words:
            part = part.replace(word, "{}")
        return part in source

    for quote in quotes:
        wanted = PLACEHOLDER.sub("{}", quote)
        if len(wanted.replace("{}", "")) < FIXED_CHARACTERS_MIN:
            yield f"docs/messages.md: too little of this is fixed: {quote}"
        # The source has a message and its hint in two texts.
        if not all(stands(part) for part in wanted.split(" HINT: ")):
            yield f"docs/messages.md: the source has no such text: {quote}"
    for quote in {quote for quote in quotes if quotes.count(quote) > 1}:
        yield f"docs/messages.md: stands twice: {quote}"


def prose_of(root):
    """Name and text of each page, without blocks of code and quotes, which have their own rules."""
    names = [path.relative_to(root).as_posix() for path in sorted((root / "docs").glob("*.md"))]
    for name in (*names, *(name for name in DOCUMENTS if (root / name).exists())):
        lines = read(root, name).split("\n")
        yield name, "\n".join(one for one in lines if not one.startswith(("    ", "> `", "<!--")))


def forms_of(root):
    """The options of each command with its words, as --help shows them: {"position set": {...}}.
    Below the commands it says of --unit that it stands for --config."""
    forms = {}
    text = read(root, "daemon/commands/command_line.cc")
    for form in FORM.findall(text):
        words = re.match(r"[a-z-]+(?: [a-z][a-z-]*)*", form)[0]
        forms.setdefault(words, set()).update(OPTION.findall(form))
    for words, options in forms.items():
        if "--config" in options and words != "run" and "\n--unit NAME" in text:
            options.add("--unit")
    return forms


def keys_of(root):
    """Section, key, type and values of each key."""
    return KEY_ROW.findall(read(root, "docs/configuration.md"))


def command_faults(span, forms, keys):
    """Faults of "outboxd position set now", "position set now" or "outboxd --unit shop skip"."""
    words = span[PREFIX.match(span).end():].split() or ["--unit"]
    known = {form: options for form, options in forms.items() if form.split()[0] == words[0]}
    if not known and not words[0].startswith("--"):
        yield f"there is no command {words[0]}"
    word = words[1] if len(words) > 1 and re.fullmatch("[a-z-]+", words[1]) else None
    if word and any(" " in form for form in known):
        known = {form: options for form, options in known.items() if form.split()[1:] == [word]}
        if not known:
            yield f"there is no command {words[0]} {word}"
    options = set().union({"--help", "--version"}, *known.values())
    if words == ["--unit"]:  # As in "outboxd --unit NAME".
        options |= {"--unit"} & set().union(*forms.values())
    for option in OPTION.findall(span):
        section, _, key = option.removeprefix("--").partition(".")
        is_key = (section, key) in keys or section == "kafka"
        if option not in options and not (is_key and "--config" in options):
            yield f"there is no option {option}"


def setting_faults(name, value, keys, is_named):
    """Faults of "on-bad-event = stop". A name of MySQL's, with "_", is the server's matter, and one
    of another program's, or of a column, is named somewhere."""
    section, _, key = name.rpartition(".")
    found = [row for row in keys if row[1] == key and section in ("", row[0])]
    is_ours = section in {row[0] for row in keys} - {"kafka"}
    is_example = re.fullmatch("[A-Z]+", name)
    if not found and (is_ours or not ("_" in name or is_example or is_named(name))):
        yield f"there is no key {name}"
    for _, _, kind, values in found:
        words = values.split(", ") if kind == "word" else ["yes", "no"]
        is_word = kind in ("word", "yes or no") and re.fullmatch("[a-z-]+", value)
        if is_word and value not in words:
            yield f"{name} cannot be {value}"


def text_faults(span, texts):
    """A fault where the program prints nothing that has these words in this order."""
    pieces = PLACEHOLDER.sub("{}", span).split("...")
    pieces = [" ".join(NUMBERS.sub("{}", piece).split()) for piece in pieces]
    found = re.search("[^\n]*".join(map(re.escape, pieces)), texts)
    return [] if found else [f"the source has no such text: {span}"]


class Named:
    """What the source has."""

    def __init__(self, root):
        self.forms, self.keys = forms_of(root), keys_of(root)
        self.pairs = {(section, key) for section, key, _, _ in self.keys}
        self.commands = {form.split()[0] for form in self.forms}
        texts = re.sub(" +", " ", texts_of_source(root))
        self.texts = texts + "\n" + re.sub(" +", " ", texts.replace("{}", ""))
        files = [path for folder in FOLDERS for path in (root / folder).rglob("*")]
        files += [*(root / folder for folder in FOLDERS), *root.glob(".*"), *root.glob("*.json"),
                  *root.glob("*.txt")]
        there = [path for path in files if path.exists() and path.name not in RULES]
        self.everything = "\n".join(
            [path.relative_to(root).as_posix() for path in there]
            + [path.read_text(errors="replace") for path in there if path.suffix in TEXTS
               and path.is_file()])

    def has_word(self, word):
        return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.everything) is not None

    def faults(self, span):
        """Of what stands in backticks."""
        words = span.split()
        if words[0] in ("outboxd", "sudo") and len(words) > 1:
            return command_faults(span, self.forms, self.pairs)
        if words[0] in self.commands and len(words) > 1:
            return command_faults(span, self.forms, self.pairs)
        if setting := SETTING.fullmatch(span):
            return setting_faults(setting[1], setting[2], self.keys, self.has_word)
        if span.startswith("--") and not span.startswith("--gtest"):
            options = set().union(*self.forms.values(), {"--section.key"})
            option = OPTION.match(span)[0]
            section, _, key = option.removeprefix("--").partition(".")
            is_known = option in options or (section, key) in self.pairs or section == "kafka"
            return [] if is_known else [f"there is no option {option}"]
        if variable := re.match(r"(?:-D)?(OUTBOXD_\w+)", span):
            is_known = self.has_word(variable[1])
            return [] if is_known else [f"nothing asks for {variable[1]}"]
        section, _, key = span.partition(".")
        if re.fullmatch(r"[a-z]+\.[a-z-]+", span) and section in {row[0] for row in self.keys}:
            if (section, key) in self.pairs or f'"{span}"' in self.everything:
                return []
            return [f"there is no key {span}"]
        is_path = "/" in span and span.split("/")[0] in (*FOLDERS, "docs")  # Another rule's.
        if is_path or OF_OTHERS.match(span + " ") or EXAMPLES.fullmatch(span):
            return []
        if len(words) > 1:
            # What is put together of several texts stands in a test of it.
            return [] if span in self.everything else text_faults(span, self.texts)
        bare = re.sub(r"\(.*\)$", "", span.split("::")[-1].removesuffix("=").removesuffix(".*"))
        return [] if bare in self.everything else [f"nothing in the source is named {span}"]


def named_faults(root):
    """Whatever the pages have in backticks exists."""
    named = Named(root)
    for name, text in prose_of(root):
        for pair in SPAN.findall(text) if name != "docs/style.md" else ():
            span = " ".join((pair[0] or pair[1]).split())
            yield from (f"{name}: `{span}`: {fault}" for fault in named.faults(span))


def source_faults(root):
    """The program's own texts, hints above all, name commands and keys that exist."""
    named, texts = Named(root), texts_of_source(root)
    for span in sorted(set(re.findall(r"'(outboxd [a-z][^'{}\n]*)", texts))):
        for fault in command_faults(span, named.forms, named.pairs):
            yield f"the source says '{span}': {fault}"
    sections = "|".join({section for section, _ in named.pairs} - {"kafka"})
    for span in sorted(set(re.findall(rf"(?<![\w./@-])(?:{sections})\.[a-z-]+(?![\w.(])", texts))):
        is_file = f'"{span}"' in named.everything  # Or a property of the Kafka client.
        if tuple(span.split(".")) not in named.pairs and not is_file:
            yield f"the source says {span}: there is no such key"


def code_of_prose_faults(root):
    """Exit codes in sentences exist."""
    known = {int(code) for code in CODE.findall(read(root, "daemon/exit_code.h"))}
    for name, text in prose_of(root):
        for codes in CODES.findall(text):
            for code in map(int, re.findall(r"\d+", codes)):
                if code not in known:
                    yield f"{name}: there is no exit code {code}"


class ReferencePagesTest(unittest.TestCase):
    """The pages as they are."""

    def check(self, faults):
        found = list(faults)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_exit_codes_are_those_of_the_source(self):
        self.check(exit_code_faults(SOURCE))

    def test_messages_stand_in_the_source(self):
        self.check(message_faults(SOURCE))

    def test_the_page_has_the_messages_that_are_met_most(self):
        count = len(QUOTE.findall(read(SOURCE, "docs/messages.md")))
        self.assertTrue(MESSAGES_MIN <= count <= MESSAGES_MAX, count)

    def test_no_page_takes_more_than_ten_minutes_to_read(self):
        self.check(length_faults(SOURCE))

    def test_what_stands_in_backticks_exists(self):
        named = Named(SOURCE)
        self.assertGreater(len(named.forms), 10)
        self.assertGreater(len(named.keys), 40)
        self.check(named_faults(SOURCE))

    def test_what_the_program_says_to_do_exists(self):
        self.assertIn("'outboxd position set ", texts_of_source(SOURCE))
        self.check(source_faults(SOURCE))

    def test_exit_codes_in_sentences_exist(self):
        self.check(code_of_prose_faults(SOURCE))


class DetectionTest(unittest.TestCase):
    """Small projects with one fault each."""

    GOOD = {
        "daemon/exit_code.h": "enum class ExitCode {\n  kOk = 0,\n  kUsage = 64,  // Wrong.\n};\n",
        "daemon/a.cc": 'Fail(k, "cannot find \\"{}\\""\n" in {:>4}", a, b).Hint("look {}", c);\n',
        "daemon/commands/command_line.cc": """constexpr std::string_view kUsage = R"(outboxd

  outboxd run --config FILE              relay until stopped
  outboxd position set P --config FILE   replace it
  outboxd list --config FILE [--json]

--unit NAME, instead of --config
)";
""",
        "daemon/b.cc": 'Log("it waited {} s", seconds, "acks", getenv("OUTBOXD_ACKS"));\n',
        "docs/at-night.md": "",
        "docs/configuration.md": "| `relay.name` | text |  |  | a |\n"
        "| `delivery.on-bad` | word | hold, stop |  | b |\n",
        "systemd/a.service": "Restart=on-failure\nRestartPreventExitStatus=64\n",
        "docs/exit-codes.md": "| 0 | Good. | no | Nothing. |\n| 64 | Wrong. | no | Mend it. |\n",
        "docs/commands.md": "Exit codes: 0, 64.\n",
        "docs/messages.md": '> `cannot find "{name}" in {place} HINT: look {where}`\n',
    }

    def faults(self, **changes):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            files = self.GOOD | {name.replace("__", "/"): text for name, text in changes.items()}
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            for folder in ("binlog", "sinks"):
                (root / folder).mkdir(exist_ok=True)
            rules = (exit_code_faults, length_faults, message_faults, named_faults,
                     source_faults, code_of_prose_faults)
            return "\n".join(fault for rule in rules for fault in rule(root))

    def test_a_good_project_has_no_faults(self):
        self.assertEqual(self.faults(), "")

    def test_finds_codes_that_are_missing_or_too_many(self):
        row = "| 65 | Bad. | yes | Look. |\n"
        page = self.GOOD["docs/exit-codes.md"]
        self.assertIn("has no code 65", self.faults(**{"docs/exit-codes.md": page + row}))
        short = page.split("\n")[0] + "\n"
        self.assertIn("lacks code 64 of daemon", self.faults(**{"docs/exit-codes.md": short}))
        codes = "Exit codes: 0, 65.\n"
        self.assertIn("no exit code 65", self.faults(**{"docs/commands.md": codes}))

    def test_finds_what_the_unit_says_otherwise(self):
        unit = "RestartPreventExitStatus=\n"
        self.assertIn("a restart after 64", self.faults(**{"systemd/a.service": unit}))
        unit = "RestartPreventExitStatus=64 70\n"
        self.assertIn("lacks code 70 of a.service", self.faults(**{"systemd/a.service": unit}))

    def test_finds_a_page_that_is_too_long(self):
        row = "| two words | [a](link of-no-count) |\n"
        self.assertEqual(self.faults(**{"docs/a.md": row * 833 + "    code\n" * 99}), "")
        self.assertIn("docs/a.md: 2502 words", self.faults(**{"docs/a.md": row * 834}))

    def test_finds_a_text_that_has_changed(self):
        for quote in ("cannot see {name} in the {place}", 'cannot find "{name}" in the {place}'):
            found = self.faults(**{"docs/messages.md": f"> `{quote}`\n"})
            self.assertIn("no such text: " + quote, found)
        page = self.GOOD["docs/messages.md"].replace("look", "see")
        self.assertIn("no such text", self.faults(**{"docs/messages.md": page}))
        # What only a comment says is no message.
        found = self.faults(**{"daemon/a.cc": '// "cannot find \\"{}\\" in {}", "look {}"\n'})
        self.assertIn("no such text", found)

    def test_a_message_may_name_things_of_a_sink(self):
        words = {"sinks/a/a_family.cc": '      .receiver = "Kafka",\n',
                 "daemon/a.cc": 'Log("{} has been silent for {} s", receiver, seconds);\n'}
        page = {"docs/messages.md": "> `Kafka has been silent for {n} s`\n"}
        self.assertNotIn("no such text", self.faults(**words, **page))
        page = {"docs/messages.md": "> `Nobody has been silent for {n} s`\n"}
        self.assertIn("no such text", self.faults(**words, **page))

    def test_finds_lists_of_codes_that_differ_from_the_unit(self):
        good = "After 64 and 64 systemd does not start it.\n"
        self.assertEqual(self.faults(**{"docs/at-night.md": good}), "")
        bad = "After 64 and 65 systemd does not start it.\n"
        self.assertIn("does not start after [64]", self.faults(**{"docs/at-night.md": bad}))

    def test_finds_codes_in_sentences(self):
        self.assertEqual(self.faults(**{"docs/a.md": "It ends with code 64. 65 rows.\n"}), "")
        for sentence in ("It ends with code 65.", "Codes 0, 64 and 65 say so."):
            found = self.faults(**{"docs/a.md": sentence + "\n"})
            self.assertIn("docs/a.md: there is no exit code 65", found)

    def test_what_exists_may_be_named(self):
        for span in (
            "outboxd position set now", "position set", "sudo -u outboxd outboxd run --config FILE",
            "outboxd run --relay.name=a", "--json", "--relay.name", "outboxd --help",
            "relay.name", "relay.name = shop", "name = shop", "[relay] name = shop",
            "on-bad = stop", "on-bad = ...", "gtid_mode = ON", "acks = all", "COLUMN = VALUE",
            "cannot find \"{x}\" in ...", "it waited 3 s", "cannot  find", "Fail()", "a.service",
            "outboxd --unit shop list --json", "sudo outboxd --unit shop position set now",
            "list --unit shop", "outboxd --unit NAME", "--unit shop",
            "OUTBOXD_ACKS", "SHOW BINARY LOGS", "systemctl stop outboxd@a", "RowTest.*", "12:3",
        ):
            self.assertEqual(self.faults(**{"docs/a.md": f"Text `{span}`.\n"}), "", span)

    def test_finds_names_of_what_does_not_exist(self):
        for span, fault in {
            "outboxd walk": "no command walk",
            "outboxd position move": "no command position move",
            "position move": "no command position move",
            "outboxd run --json": "no option --json",
            "outboxd run --relay.nome=a": "no option --relay.nome",
            "outboxd --unit shop walk": "no command walk",
            "outboxd --unit shop run": "no option --unit",
            "outboxd --frequently": "no option --frequently",
            "--frequently": "no option --frequently",
            "relay.nome": "no key relay.nome",
            "relay.nome = shop": "no key relay.nome",
            "nome = shop": "no key nome",
            "on-bad = walk": "on-bad cannot be walk",
            "cannot see \"x\" in the ...": "no such text",
            "it hoped 3 s": "no such text",
            "Forget()": "nothing in the source is named Forget()",
            "b.service": "nothing in the source is named b.service",
            "OUTBOXD_BAD": "nothing asks for OUTBOXD_BAD",
        }.items():
            for page in ("docs/a.md", "README.md"):
                found = self.faults(**{page: f"Text `{span}`.\n"})
                self.assertIn(f"{page}: `{span}`: ", found)
                self.assertIn(fault, found)
        # A span may go on in the next line, and a block of code has rules of its own.
        self.assertIn("no command walk", self.faults(**{"docs/a.md": "Text `outboxd\nwalk`.\n"}))
        self.assertEqual(self.faults(**{"docs/a.md": "Text:\n\n    `outboxd walk`\n"}), "")

    def test_finds_hints_that_name_what_does_not_exist(self):
        for text, fault in {
            "look at 'outboxd run {}' and relay.name, in checkpoint.former": "",
            "type 'outboxd walk'": "no command walk",
            "type 'outboxd position move {}'": "no command position move",
            "correct relay.nome": "relay.nome: there is no such key",
        }.items():
            found = self.faults(**{"daemon/c.cc": f'Say("{text}"); Open("checkpoint.former");\n'})
            self.assertIn(fault, found) if fault else self.assertEqual(found, "")

    def test_finds_a_quote_that_says_nothing_or_stands_twice(self):
        self.assertIn("too little", self.faults(**{"docs/messages.md": "> `{a} in {b}`\n"}))
        quote = self.GOOD["docs/messages.md"]
        self.assertIn("stands twice", self.faults(**{"docs/messages.md": quote + quote}))


if __name__ == "__main__":
    unittest.main()
