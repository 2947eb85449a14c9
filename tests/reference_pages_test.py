#!/usr/bin/env python3
"""Fails when the reference pages of docs/ on exit codes and messages differ from the source.

Messages are found by their fixed parts: what stands between placeholders, on the page in braces.
"""

import pathlib
import re
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
MESSAGES_MIN, MESSAGES_MAX = 20, 40
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
    for line in CODES_OF_COMMAND.findall(read(root, "docs/commands.md")):
        for code in map(int, re.findall(r"\d+", line)):
            if code not in known:
                yield f"docs/commands.md: there is no exit code {code}"


def texts_of_source(root):
    """The string literals of the source, neighbours joined, with '{}' for each placeholder."""
    texts = []
    for folder in ("binlog", "daemon", "sinks"):
        for path in sorted((root / folder).rglob("*.cc")):
            code = COMMENT.sub("", path.read_text())
            for run in LITERALS.findall(code):
                text = "".join(LITERAL.findall(run)).replace('\\"', '"')
                texts.append(PLACEHOLDER.sub("{}", text))
    return "\n".join(texts)


def message_faults(root):
    quotes = QUOTE.findall(read(root, "docs/messages.md"))
    source = texts_of_source(root)
    for quote in quotes:
        wanted = PLACEHOLDER.sub("{}", quote)
        if len(wanted.replace("{}", "")) < FIXED_CHARACTERS_MIN:
            yield f"docs/messages.md: too little of this is fixed: {quote}"
        if wanted not in source:
            yield f"docs/messages.md: the source has no such text: {quote}"
    for quote in {quote for quote in quotes if quotes.count(quote) > 1}:
        yield f"docs/messages.md: stands twice: {quote}"


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


class DetectionTest(unittest.TestCase):
    """Small projects with one fault each."""

    GOOD = {
        "daemon/exit_code.h": "enum class ExitCode {\n  kOk = 0,\n  kUsage = 64,  // Wrong.\n};\n",
        "daemon/a.cc": 'Fail(k, "cannot find \\"{}\\" in {:>4}"\n     " HINT: look {}", a, b);\n',
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
            return "\n".join([*exit_code_faults(root), *message_faults(root)])

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

    def test_finds_a_text_that_has_changed(self):
        for quote in ("cannot see {name} in the {place}", 'cannot find "{name}" in the {place}'):
            found = self.faults(**{"docs/messages.md": f"> `{quote}`\n"})
            self.assertIn("no such text: " + quote, found)
        # What only a comment says is no message.
        found = self.faults(**{"daemon/a.cc": '// "cannot find \\"{}\\" in {} HINT: look {}"\n'})
        self.assertIn("no such text", found)

    def test_finds_a_quote_that_says_nothing_or_stands_twice(self):
        self.assertIn("too little", self.faults(**{"docs/messages.md": "> `{a} in {b}`\n"}))
        quote = self.GOOD["docs/messages.md"]
        self.assertIn("stands twice", self.faults(**{"docs/messages.md": quote + quote}))


if __name__ == "__main__":
    unittest.main()
