#!/usr/bin/env python3
"""Fails when a folder includes what it must not, a file is untidy, or a document is stale.

The rules of includes are those of docs/architecture.md: binlog/ and sinks/ know neither each other
nor daemon/, and base/ knows none of them; MySQL's client library stays in .cc files of binlog/,
librdkafka in those of sinks/ and in one header of handles that only sinks/ sees. Documents name
only tests, files and places that exist, are short enough to be read, and their pictures are what
the texts beside them say.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("base", "binlog", "daemon", "docs", "packaging", "sinks", "systemd", "tests")
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
HANDLES = "sinks/kafka/kafka_handles.h"
FLOORS = "docs/architecture.md"
FLOOR = re.compile(r"^\| (\d+) \| `([\w/]+)` \|", re.MULTILINE)
LINE_CHARACTERS_MAX = 100
README_LINES_MAX = 200
PAGE_WORDS_MAX = 2200  # Ten minutes of reading. Rows of tables are looked up, not read.

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SNAKE_CASE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*\.(h|cc)")
CPP_SUFFIXES = {".h", ".cc", ".hpp", ".hh", ".cpp", ".cxx", ".c"}
DOCUMENT_SUFFIXES = {".md", ".conf", ".service", ".sql"}
GENERATED_SUFFIXES = {".inc"}
CODE_SUFFIXES = CPP_SUFFIXES | {".py", ".sh", ".txt", ".cmake", ""}
TEXT_SUFFIXES = CODE_SUFFIXES | DOCUMENT_SUFFIXES | GENERATED_SUFFIXES
UNNAMEABLE = {"util", "utils", "common", "helper", "helpers", "misc"}
HINT = "HINT:"
LEFT_OVER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")


class Tree:
    """The text files of the project by their path from its root."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for name in DOCUMENTS:
            if (root / name).exists():
                self.files[name] = (root / name).read_text()
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                name = path.relative_to(root).as_posix()
                is_hidden = any(part.startswith((".", "__")) for part in name.split("/"))
                if path.is_file() and path.suffix in TEXT_SUFFIXES and not is_hidden:
                    self.files[name] = path.read_bytes().decode(errors="replace")

    def documents(self):
        return {n: t for n, t in self.files.items() if pathlib.PurePath(n).suffix == ".md"}

    def pages(self):
        """The documents in docs/, and the two above them."""
        return {n: t for n, t in self.documents().items()
                if n in DOCUMENTS or pathlib.PurePath(n).parent.as_posix() == "docs"}

    def cpp(self):
        return {n: t for n, t in self.files.items() if pathlib.PurePath(n).suffix in CPP_SUFFIXES}

    def reached(self, name):
        """The third-party headers that a file includes, itself or through the project's headers."""
        headers, seen, waiting = {}, set(), [name]
        while waiting:
            current = waiting.pop()
            if current in seen or current not in self.files:
                continue
            seen.add(current)
            for kind, included in INCLUDE.findall(self.files[current]):
                if kind == '"':
                    waiting.append(included)
                else:
                    headers.setdefault(included, current)
        return headers


def include_faults(tree):
    for name, text in tree.cpp().items():
        folder = name.split("/")[0]
        is_sinks = name.startswith(("sinks/", "tests/sinks/", "tests/bench/"))
        is_binlog = name.startswith(("binlog/", "tests/binlog/"))
        for kind, included in INCLUDE.findall(text):
            if kind == '"':
                if included.startswith(("../", "./")):
                    yield f"{name}: includes {included} by a relative path"
                elif included not in tree.files:
                    yield f"{name}: {included} is not a path from the root of the project"
                target = included.split("/")[0]
                is_side = folder in ("binlog", "sinks")
                if is_side and target in {"binlog", "sinks", "daemon"} - {folder}:
                    yield f"{name}: {folder}/ must not include {included}"
                if target == "tests" and folder != "tests":
                    yield f"{name}: must not include {included}"
                if included == HANDLES and not is_sinks:
                    yield f"{name}: must not include {included}, which is internal to sinks/"
            elif included == "mysql.h" or included.startswith("mysql/"):
                if not (is_binlog and name.endswith(".cc")):
                    yield f"{name}: <{included}> belongs into .cc files of binlog/"
            elif included.startswith("librdkafka/"):
                is_inside = name.endswith(".cc") or name == HANDLES or folder == "tests"
                if not (is_sinks and is_inside):
                    yield f"{name}: <{included}> belongs into .cc files of sinks/ and {HANDLES}"
        if folder == "daemon":
            for header, through in tree.reached(name).items():
                is_hidden_one = header == "mysql.h" or header.startswith(("mysql/", "librdkafka/"))
                if is_hidden_one and through != name:
                    yield f"{name}: reaches <{header}> through {through}"


def floors_of(tree):
    """The floor of each folder, as the table of docs/architecture.md has it."""
    return {folder: int(floor) for floor, folder in FLOOR.findall(tree.files.get(FLOORS, ""))}


def floor_faults(tree):
    """A folder includes only what is on floors below it."""
    floors = floors_of(tree)
    for name, text in tree.cpp().items():
        folder = name.rpartition("/")[0]
        if name.split("/")[0] in ("tests", "packaging"):
            continue
        if folder not in floors:
            yield f"{name}: {folder}/ is not in the table of floors in {FLOORS}"
            continue
        for kind, included in INCLUDE.findall(text):
            target = included.rpartition("/")[0]
            if kind == "<" or target == folder:
                continue
            if floors.get(target, floors[folder]) >= floors[folder]:
                yield f"{name}: includes {included}, which is not on a floor below {folder}/"


FAMILIES = "daemon/config/sink_families.cc"
FAMILY_WORD = re.compile(r"kafka", re.IGNORECASE)
# Whose subject it is: the table, another program's files, and names that others gave.
KNOWS_FAMILIES = (FAMILIES, "daemon/migration/", "daemon/config/presets.cc",
                  "daemon/config/config_value.cc")


def family_faults(tree):
    """The daemon knows the families of sinks by one table, and has no word of any of them."""
    for name, text in tree.cpp().items():
        if not name.startswith("daemon/") or name.startswith(KNOWS_FAMILIES):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if FAMILY_WORD.search(line.partition("//")[0]):
                yield f"{name}:{number}: a word of one family of sinks; see {FAMILIES}"


def hint_faults(tree):
    """A hint is a field of an error: base/ alone puts it behind the text and takes it off."""
    for name, text in tree.cpp().items():
        if not name.startswith(("binlog/", "daemon/", "sinks/")):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if HINT in line and not line.lstrip().startswith("//"):
                yield f'{name}:{number}: has "{HINT}" in a text: set .Hint() or call WithHint()'


def name_faults(tree):
    for name in tree.cpp():
        path = pathlib.PurePath(name)
        if not SNAKE_CASE.fullmatch(path.name):
            yield f"{name}: file names are snake_case.h and snake_case.cc"
        for part in path.parts[:-1]:
            if part in UNNAMEABLE:
                yield f"{name}: '{part}' names no subject"


# Tests that stand beside no source of their name, and why.
WITHOUT_MIRROR = {
    "tests/binlog/mutation_test.cc": "damages what several readers are given",
}


def mirror_faults(tree):
    """tests/FOLDER/NAME_test.cc tests FOLDER/NAME.cc or .h; NAME_ASPECT_test.cc one aspect of it.
    What asks a real server is in a folder server/ below, or in that of a folder above; tests/ has
    sources of its own, too. A test of a page of docs/ is named SUBJECT_page_test.cc."""
    subjects = {pathlib.PurePath(name).with_suffix("").as_posix() for name in tree.cpp()}
    for name in tree.cpp():
        if not re.fullmatch(r"tests/.*_test\.cc", name):
            continue
        stem = name.removesuffix("_test.cc")
        words = pathlib.PurePath(stem).name.split("_")
        own = pathlib.PurePath(stem).parent
        folder = own.relative_to("tests")
        folders = [folder.parent if folder.name == "server" else folder, own]
        if folder.name == "server":
            folders += {pathlib.PurePath(subject).parent for subject in subjects
                        if subject.startswith(f"{folder.parent}/")}
        mirrored = {(where / "_".join(words[:count])).as_posix()
                    for where in folders for count in range(1, len(words) + 1)}
        is_page = words[-1] == "page"
        if not (is_page or name in WITHOUT_MIRROR or mirrored & subjects):
            yield f"{name}: tests no source of its name"
    for name in WITHOUT_MIRROR:
        if tree.root == SOURCE and name not in tree.files:
            yield f"{name}: is gone, and still an exception in tests/architecture_test.py"


MAKEFILES = {"packaging/deb/debian/rules"}  # Whose recipes begin with a tab.


def text_faults(tree):
    for name, text in tree.files.items():
        suffix = pathlib.PurePath(name).suffix
        is_code = suffix in CODE_SUFFIXES and "/fixtures/" not in name
        if suffix == ".h" and "#pragma once" not in text:
            yield f"{name}: has no #pragma once"
        if text and not text.endswith("\n"):
            yield f"{name}: the last line has no end"
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{name}:{number}"
            if len(line) > LINE_CHARACTERS_MAX and is_code:
                yield f"{where}: {len(line)} characters, at most {LINE_CHARACTERS_MAX}"
            if line != line.rstrip():
                yield f"{where}: trailing blanks"
            if "\t" in line and name not in MAKEFILES:
                yield f"{where}: a tab"
            if LEFT_OVER.search(line):
                yield f"{where}: {LEFT_OVER.search(line).group(1)}"


CPP_TEST = re.compile(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", re.M)
PYTHON_TEST = re.compile(r"^(?:    )?def (test_\w+)\(", re.M)
NAMED_CPP_TEST = re.compile(r"`(\w+Test)\.(\w+|\*)`")
NAMED_PYTHON_TEST = re.compile(r"`(test_\w+\.py)::(\w+)`")
NAMED_TEST_FILE = re.compile(r"`(?:tests/integration/)?(test_\w+\.py|\w+_test\.cc)`")


def known_tests(tree):
    known = set()
    for name, text in tree.files.items():
        if name.endswith(".cc"):
            for suite, test in CPP_TEST.findall(text):
                known |= {(suite, test), (suite, "*")}
        elif name.endswith(".py"):
            file = pathlib.PurePath(name).name
            known |= {(file, test) for test in PYTHON_TEST.findall(text)}
    return known


def test_name_faults(tree):
    """Documents name only tests that exist."""
    known = known_tests(tree)
    test_files = {pathlib.PurePath(name).name for name in tree.files if name.startswith("tests/")}
    for name, text in tree.documents().items():
        for pattern in (NAMED_CPP_TEST, NAMED_PYTHON_TEST):
            for suite, test in pattern.findall(text):
                if (suite, test) not in known:
                    yield f"{name}: there is no test {suite} {test}"
        for file in NAMED_TEST_FILE.findall(text):
            if file not in test_files:
                yield f"{name}: there is no file of tests {file}"


HEADING = re.compile(r"^#+ +(.*?) *$", re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_PATH = re.compile(r"`((?:%s)/[\w./*-]*)`" % "|".join(FOLDERS))


def prose(text):
    """A document without its blocks of code."""
    without_fences = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return "\n".join(line for line in without_fences.split("\n") if not line.startswith("    "))


def anchors(text):
    """What stands behind the # of a link to a heading, as GitHub makes it of the heading."""
    found = set()
    for heading in HEADING.findall(prose(text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (numbered := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(numbered)
    return found


def link_faults(tree):
    """Links within the project, and files that are named, lead somewhere."""
    for name, text in tree.documents().items():
        folder = (tree.root / name).parent
        for target in LINK.findall(prose(text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            reached = (folder / path if path else tree.root / name).resolve()
            if not reached.exists():
                yield f"{name}: there is no {path}"
            elif anchor and (reached.suffix != ".md" or anchor not in anchors(reached.read_text())):
                yield f"{name}: there is no heading for {target}"
        for path in NAMED_PATH.findall(text):
            named = path.removesuffix("/")
            if not any(any(tree.root.glob(named + end)) for end in ("", ".h", ".cc")):
                yield f"{name}: there is no {path}"


COMMENT_LINE = re.compile(r"^ *<!--.*-->$", re.M)


def size_faults(tree):
    """The README shows what it is in five minutes, and each page is read in ten."""
    for name, text in tree.pages().items():
        lines = text.count("\n")
        if name == "README.md" and lines > README_LINES_MAX:
            yield f"{name}: {lines} lines, at most {README_LINES_MAX}"
        seen = COMMENT_LINE.sub("", prose(text))
        words = len([word for line in seen.split("\n") if not line.startswith("|")
                     for word in line.split()])
        if words > PAGE_WORDS_MAX:
            yield f"{name}: {words} words, at most {PAGE_WORDS_MAX}"


def index_faults(tree):
    """docs/README.md leads to every page, and each page begins with its question."""
    index = tree.files.get("docs/README.md", "")
    for name, text in tree.pages().items():
        path = pathlib.PurePath(name)
        if path.parent.as_posix() == "docs" and path.name != "README.md":
            if f"({path.name})" not in index:
                yield f"docs/README.md: does not lead to {path.name}"
            first = text.split("\n\n")[1] if "\n\n" in text else ""
            if "?" not in first:
                yield f"{name}: does not begin with the question that it answers"


# Every code block of a page is run, or says why not; tests/integration/test_reference_pages.py runs
# those that are marked "run". An example of a configuration, a section or lines of one, needs no
# mark: the same file reads each of them.
MARK = re.compile(
    r" *<!-- (run(: exit code \d+)?|run by: (?P<by>\S+)|stands in: (?P<file>\S+)|not run: \S.*) -->"
)
NAMED_TEST = re.compile(r"(\w+\.py)::(\w+)|(\w+Test)\.(\w+)")
EXAMPLE = re.compile(r"\[[\w.]+\]|[a-z.-]+ = .+")


def code_blocks(text):
    """The number of the first line of each indented block, its lines, and the line above it."""
    blocks, above, is_inside, can_begin = [], "", False, True
    for number, line in enumerate(text.splitlines(), 1):
        # Behind a line of text it is one more line of that, of an item in a list perhaps.
        is_code = line.startswith("    ") and (is_inside or can_begin)
        can_begin = not line or MARK.fullmatch(line) is not None
        if is_code and not is_inside:
            blocks.append((number, [], above))
        if is_code:
            blocks[-1][1].append(line.strip())
        if line:
            is_inside = is_code
            above = line
    return blocks


def code_block_faults(tree):
    known = known_tests(tree)
    for name, text in tree.pages().items():
        for number, lines, above in code_blocks(text):
            where, mark = f"{name}:{number}", MARK.fullmatch(above)
            if mark is None:
                if not all(EXAMPLE.fullmatch(line) for line in lines):
                    yield f"{where}: neither run nor marked with the reason why not"
                continue
            test = NAMED_TEST.fullmatch(mark["by"] or "")
            if mark["by"] and (test is None or tuple(filter(None, test.groups())) not in known):
                yield f"{where}: there is no test {mark['by']}"
            if mark["file"]:
                there = [line.strip() for line in tree.files.get(mark["file"], "").splitlines()]
                if "\n".join(lines) not in "\n".join(there):
                    yield f"{where}: does not stand in {mark['file']}"
        if "```" in text:
            yield f"{name}: code blocks are indented, so that they can be checked"


INTEGRATION = "tests/integration"
LISTED_TEST = re.compile(r"^  (test_\w+\.py)$", re.M)


def unlisted_faults(tree):
    """ctest runs the files of integration tests that are there, and no others."""
    listing = f"{INTEGRATION}/CMakeLists.txt"
    listed = set(LISTED_TEST.findall(tree.files.get(listing, "")))
    there = {pathlib.PurePath(name).name for name in tree.files
             if re.fullmatch(rf"{INTEGRATION}/test_\w+\.py", name)}
    for name in sorted(there - listed):
        yield f"{listing}: does not list {name}, so that nobody runs it"
    for name in sorted(listed - there):
        yield f"{listing}: there is no {name}"


PRESETS = "daemon/config/presets.cc"
PRESETS_PAGE = "docs/mapping.md"
PRESET = re.compile(r'\{\.name = "([\w-]+)"')
PRESET_CELL = re.compile(r"^\| (`[\w-]+`(?:, `[\w-]+`)*) \|", re.M)


def preset_faults(tree):
    """The table of presets has each of them, in the order of `outboxd presets`."""
    known = PRESET.findall(tree.files.get(PRESETS, ""))
    section = tree.files.get(PRESETS_PAGE, "").partition("\n## Presets\n")[2].partition("\n## ")[0]
    shown = [name.strip("`") for cell in PRESET_CELL.findall(section) for name in cell.split(", ")]
    for name in known:
        if name not in shown:
            yield f"{PRESETS_PAGE}: the table of presets lacks {name}"
    for name in shown:
        if name not in known:
            yield f"{PRESETS_PAGE}: {PRESETS} has no preset {name}"
    if sorted(shown) == sorted(known) and shown != known:
        yield f"{PRESETS_PAGE}: the presets stand in another order than in {PRESETS}"


def picture_faults(tree):
    """Each picture is what the text beside it says."""
    tool = tree.root / "docs/pictures/draw"
    if tool.exists():
        made = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True)
        yield from (made.stdout + made.stderr).splitlines()


class ArchitectureTest(unittest.TestCase):
    """The project as it is."""

    @classmethod
    def setUpClass(cls):
        cls.tree = Tree(SOURCE)

    def check(self, faults):
        found = list(faults)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_there_is_something_to_check(self):
        for folder in ("binlog", "daemon", "sinks"):
            self.assertTrue(any(name.startswith(folder + "/") for name in self.tree.cpp()), folder)

    def test_folders_include_only_what_they_may(self):
        self.check(include_faults(self.tree))

    def test_folders_stand_on_floors_below_them(self):
        self.assertGreater(len(floors_of(self.tree)), 2)
        self.check(floor_faults(self.tree))

    def test_hints_are_fields_of_errors(self):
        self.check(hint_faults(self.tree))

    def test_files_have_names_in_style(self):
        self.check(name_faults(self.tree))

    def test_tests_mirror_the_source(self):
        self.check(mirror_faults(self.tree))

    def test_files_are_tidy(self):
        self.check(text_faults(self.tree))

    def test_documents_name_tests_that_exist(self):
        self.check(test_name_faults(self.tree))

    def test_code_blocks_are_run_or_say_why_not(self):
        blocks = [block for text in self.tree.pages().values() for block in code_blocks(text)]
        self.assertGreater(len(blocks), 40)
        self.check(code_block_faults(self.tree))

    def test_the_daemon_knows_sinks_by_one_table(self):
        self.assertIn(FAMILIES, self.tree.files)
        self.check(family_faults(self.tree))

    def test_links_and_named_files_lead_somewhere(self):
        self.check(link_faults(self.tree))

    def test_documents_can_be_read_in_the_time_one_has(self):
        self.check(size_faults(self.tree))

    def test_the_index_leads_to_every_page(self):
        self.check(index_faults(self.tree))

    def test_every_file_of_integration_tests_is_run(self):
        self.assertIn(f"{INTEGRATION}/CMakeLists.txt", self.tree.files)
        self.check(unlisted_faults(self.tree))

    def test_the_table_of_presets_has_each_of_them(self):
        self.assertGreater(len(PRESET.findall(self.tree.files[PRESETS])), 2)
        self.check(preset_faults(self.tree))

    def test_pictures_are_what_their_texts_say(self):
        self.assertTrue((SOURCE / "docs/pictures/draw").exists())
        self.check(picture_faults(self.tree))


class DetectionTest(unittest.TestCase):
    """Small bad projects: each rule finds its violation."""

    def faults(self, rule, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return "\n".join(rule(Tree(root)))

    def test_a_folder_above_or_beside_is_found(self):
        table = ("| 3 | `daemon/up` | a | b |\n| 2 | `daemon/low` | a | b |\n"
                 "| 1 | `daemon` | a | b |\n")
        files = {
            FLOORS: table,
            "daemon/error.h": "#pragma once\n",
            "daemon/low/a.h": '#pragma once\n#include "daemon/error.h"\n',
            "daemon/up/b.h": '#pragma once\n#include "daemon/low/a.h"\n',
        }
        self.assertEqual(self.faults(floor_faults, files), "")
        bad = {"daemon/low/a.h": '#pragma once\n#include "daemon/up/b.h"\n'}
        self.assertIn("not on a floor below", self.faults(floor_faults, files | bad))
        new = {"daemon/new/c.h": "#pragma once\n"}
        self.assertIn("is not in the table", self.faults(floor_faults, files | new))

    def test_finds_a_word_of_one_family(self):
        good = {"daemon/a.cc": "// As Kafka's.\n", FAMILIES: '#include "sinks/kafka/b.h"\n'}
        self.assertEqual(self.faults(family_faults, good), "")
        for line in ('#include "sinks/kafka/b.h"\n', 'Log("Kafka answers");\n'):
            found = self.faults(family_faults, good | {"daemon/b/c.cc": line})
            self.assertIn("daemon/b/c.cc:1: a word of one family", found)

    def test_a_good_project_has_no_faults(self):
        files = {
            "binlog/a.h": "#pragma once\n",
            "binlog/a.cc": '#include "binlog/a.h"\n\n#include <mysql.h>\n',
            "sinks/kafka/kafka_handles.h": "#pragma once\n#include <librdkafka/rdkafka.h>\n",
            "sinks/b.cc": '#include "sinks/kafka/kafka_handles.h"\n',
            "daemon/c.cc": '#include "binlog/a.h"\n',
            "tests/sinks/b_test.cc": "#include <librdkafka/rdkafka_mock.h>\n",
        }
        for rule in (include_faults, name_faults, text_faults):
            self.assertEqual(self.faults(rule, files), "")

    def test_finds_forbidden_includes(self):
        bad = {
            ("binlog/a.cc", '#include "sinks/b.h"\n'): "binlog/ must not include sinks/b.h",
            ("binlog/a.cc", '#  include "daemon/b.h"\n'): "binlog/ must not include daemon/b.h",
            ("sinks/a.cc", '#include "binlog/b.h"\n'): "sinks/ must not include binlog/b.h",
            ("sinks/a.h", '#include "daemon/b.h"\n'): "sinks/ must not include daemon/b.h",
            ("binlog/a.h", "#include <mysql.h>\n"): "<mysql.h> belongs into .cc files of binlog/",
            ("daemon/a.cc", "#include <mysql.h>\n"): "<mysql.h> belongs into .cc files of binlog/",
            ("sinks/a.cc", "#include <mysql.h>\n"): "<mysql.h> belongs into .cc files of binlog/",
            ("sinks/a.h", "#include <librdkafka/rdkafka.h>\n"): "belongs into .cc files of sinks/",
            ("daemon/a.cc", "#include <librdkafka/rdkafka.h>\n"): ".cc files of sinks/",
            ("daemon/a.cc", '#include "../b.h"\n'): "by a relative path",
            ("daemon/a.cc", '#include "b.h"\n'): "not a path from the root",
            ("daemon/a.cc", '#include "tests/daemon/b.h"\n'): "must not include tests/daemon/b.h",
            ("daemon/a.cc", '#include "sinks/kafka/kafka_handles.h"\n'): "internal to sinks/",
        }
        for (name, text), fault in bad.items():
            with self.subTest(name=name, text=text):
                found = self.faults(include_faults, {name: text})
                self.assertIn(f"{name}: ", found)
                self.assertIn(fault, found)

    def test_finds_libraries_that_come_through_other_headers(self):
        found = self.faults(include_faults, {
            "daemon/a.cc": '#include "sinks/b.h"\n',
            "sinks/b.h": '#pragma once\n#include "sinks/kafka/kafka_handles.h"\n',
            "sinks/kafka/kafka_handles.h": "#pragma once\n#include <librdkafka/rdkafka.h>\n",
        })
        self.assertEqual(
            found, "daemon/a.cc: reaches <librdkafka/rdkafka.h> through sinks/kafka/kafka_handles.h"
        )

    def test_finds_hints_that_are_parts_of_texts(self):
        found = self.faults(hint_faults, {
            "base/error.cc": 'constexpr std::string_view kBetween = " HINT: ";\n',
            "sinks/good.cc": '// "a HINT: b"\nreturn Fail(kind, "no {}", a).Hint("see {}", b);\n',
            "sinks/bad.cc": '\nreturn Fail(kind, "no {} HINT:"\n            " see {}", a, b);\n',
            "tests/sinks/bad_test.cc": 'EXPECT_EQ(error.ToText(), "no a HINT: see b");\n'})
        self.assertEqual(
            found, 'sinks/bad.cc:2: has "HINT:" in a text: set .Hint() or call WithHint()')

    def test_finds_bad_names(self):
        for name in ("RowDecoder.cc", "row-decoder.h", "row.cpp", "_row.h"):
            self.assertIn("file names are", self.faults(name_faults, {f"daemon/{name}": ""}))
        self.assertIn("names no subject", self.faults(name_faults, {"daemon/util/row.h": ""}))

    def test_finds_tests_that_mirror_no_source(self):
        good = {
            "binlog/row.h": "", "binlog/row.cc": "", "daemon/config/key.h": "",
            "tests/sim/run.h": "",
            "tests/binlog/row_test.cc": "", "tests/binlog/row_xa_test.cc": "",
            "tests/binlog/server/row_test.cc": "", "tests/daemon/config/key_test.cc": "",
            "tests/daemon/server/key_test.cc": "",
            "tests/daemon/keys_page_test.cc": "", "tests/sim/run_test.cc": "",
        }
        self.assertEqual(self.faults(mirror_faults, good), "")
        for name in ("tests/binlog/key_test.cc", "tests/binlog/rows_test.cc",
                     "tests/daemon/key_test.cc", "tests/row_test.cc", "tests/sim/row_test.cc"):
            found = self.faults(mirror_faults, good | {name: ""})
            self.assertEqual(found, f"{name}: tests no source of its name")

    def test_finds_untidy_text(self):
        bad = {
            "x" * 101 + "\n": "a.cc:1: 101 characters",
            "a;\nb; \n": "a.cc:2: trailing blanks",
            "\ta;\n": "a.cc:1: a tab",
            "// TO" + "DO: later\n": "a.cc:1: TO" + "DO",
            "// FIX" + "ME\n": "a.cc:1: FIX" + "ME",
            "a;": "a.cc: the last line has no end",
        }
        for text, fault in bad.items():
            self.assertIn(fault, self.faults(text_faults, {"daemon/a.cc": text}))
        self.assertIn("no #pragma once", self.faults(text_faults, {"daemon/a.h": "int a;\n"}))

    def test_finds_names_of_tests_that_do_not_exist(self):
        files = {
            "tests/a_test.cc": "TEST_F(RowTest, Works) {\n",
            "tests/test_b.py": "def test_works(outboxd):\n",
            "README.md": "`RowTest.Works` `RowTest.*` `test_b.py::test_works`\n",
        }
        self.assertEqual(self.faults(test_name_faults, files), "")
        for named in ("`RowTest.Fails`", "`LogTest.*`", "`test_b.py::test_fails`"):
            found = self.faults(test_name_faults, files | {"README.md": named + "\n"})
            self.assertIn("README.md: there is no test", found)
        for named in ("`test_c.py`", "`tests/integration/test_c.py`", "`b_test.cc`"):
            found = self.faults(test_name_faults, files | {"docs/a.md": named + "\n"})
            self.assertIn("docs/a.md: there is no file of tests", found)

    def test_finds_links_that_lead_nowhere(self):
        files = {
            "README.md": "# A b: `c`\n[x](docs/d.md#e-e) [y](#a-b-c) [z](https://a.b/c) `docs/d`\n"
                         "    [code](nowhere.md)\n",
            "docs/d.md": "## E, e\n[up](../README.md) [beside](d.md) `docs/*.md` `docs/`\n",
        }
        self.assertEqual(self.faults(link_faults, files | {"docs/d.h": "#pragma once\n"}), "")
        for link in ("[x](e.md)", "[x](docs/d.md)", "[x](d.md#f)", "[x](#a-b-c)", "`docs/f.cc`"):
            found = self.faults(link_faults, files | {"docs/f.md": link + "\n"})
            self.assertIn("docs/f.md: there is no ", found, link)

    def test_finds_documents_that_are_too_long(self):
        table = "| a b |\n" * 2200
        self.assertEqual(self.faults(size_faults, {"README.md": "a\n" * 200,
                                                   "docs/a.md": "a " * 2200 + "\n" + table}), "")
        self.assertIn("201 lines", self.faults(size_faults, {"README.md": "a\n" * 201}))
        self.assertIn("2201 words", self.faults(size_faults, {"docs/a.md": "a " * 2201 + "\n"}))

    def test_finds_pages_without_index_or_question(self):
        files = {"docs/README.md": "[a](a.md)\n", "docs/a.md": "# A\n\nWhat is a?\n"}
        self.assertEqual(self.faults(index_faults, files), "")
        found = self.faults(index_faults, files | {"docs/b.md": "# B\n\nThis is b.\n\nWhy?\n"})
        self.assertIn("docs/README.md: does not lead to b.md", found)
        self.assertIn("docs/b.md: does not begin with the question", found)

    def test_finds_code_blocks_that_nobody_runs(self):
        block = "    $ outboxd version\n\n    more\n"
        good = (
            "<!-- run -->\n\n",
            "<!-- run: exit code 64 -->\n",
            "<!-- not run: it never ends -->\n\n",
            "<!-- run by: test_b.py::test_works -->\n\n",
            "<!-- run by: RowTest.Works -->\n\n",
            "<!-- run by: c_test.py::test_works -->\n\n",
        )
        bad = {
            "": "docs/commands.md:1: neither run",
            "Text.\n\n": "docs/commands.md:3: neither run",
            "<!-- run -->\n\nText.\n\n": "docs/commands.md:5: neither run",
            "<!-- not run: -->\n\n": "neither run",
            "<!-- run by: test_b.py::test_fails -->\n\n": "there is no test test_b.py::test_fails",
            "```\n": "code blocks are indented",
            "<!-- stands in: a.h -->\n": "does not stand in a.h",
            "<!-- stands in: binlog/a.h -->\n": "does not stand in binlog/a.h",
        }
        tests = {
            "binlog/a.h": "#pragma once\n  // Returns what\n  // it is.\n  int Next();\n",
            "tests/packaging/c_test.py": "class A:\n    def test_works(self):\n",
            "tests/a_test.cc": "TEST_F(RowTest, Works) {\n",
            "tests/test_b.py": "def test_works(outboxd):\n",
        }
        for mark in good:
            found = self.faults(code_block_faults, tests | {"docs/commands.md": mark + block})
            self.assertEqual(found, "", mark)
        for mark, fault in bad.items():
            found = self.faults(code_block_faults, tests | {"docs/commands.md": mark + block})
            self.assertIn(fault, found, mark)
        in_list = "1. Text.\n\n   <!-- run -->\n\n       outboxd version\n"
        code = "<!-- stands in: binlog/a.h -->\n\n    // it is.\n    int Next();\n"
        examples = "Text.\n\n    [relay]\n    name = a\n\nText.\n\n    key = a\n    where = b = 1\n"
        item = "1. Text\n   - that goes\n     on.\n"
        for page in (in_list, code, examples, item):
            self.assertEqual(self.faults(code_block_faults, tests | {"docs/a.md": page}), "")
        for page in ("SECURITY.md", "README.md", "docs/a.md"):
            found = self.faults(code_block_faults, {page: "Text.\n\n" + block})
            self.assertIn(f"{page}:3: neither run", found)

    def test_finds_integration_tests_that_nobody_runs(self):
        folder = "tests/integration/"
        files = {
            folder + "CMakeLists.txt": "set(integration_tests\n  test_a.py\n  test_b.py\n)\n",
            folder + "test_a.py": "",
            folder + "test_b.py": "",
            folder + "relay.py": "",
        }
        self.assertEqual(self.faults(unlisted_faults, files), "")
        found = self.faults(unlisted_faults, files | {folder + "test_c.py": ""})
        self.assertIn("does not list test_c.py", found)
        del files[folder + "test_b.py"]
        self.assertIn("there is no test_b.py", self.faults(unlisted_faults, files))

    def test_finds_presets_that_only_the_page_or_the_source_has(self):
        source = {PRESETS: '      {.name = "a",\n      {.name = "b-c",\n'}
        page = "# M\n\n| `id` | x |\n\n## Presets\n\n%s\n## D\n\n| `d` | x |\n"
        for rows in ("| `a` | x |\n| `b-c` | x |\n", "| `a`, `b-c` | x |\n"):
            good = source | {PRESETS_PAGE: page % rows}
            self.assertEqual(self.faults(preset_faults, good), "")
        bad = {
            "| `a` | x |\n": "the table of presets lacks b-c",
            "| `a` | x |\n| `b-c`, `z` | x |\n": "has no preset z",
            "| `b-c` | x |\n| `a` | x |\n": "in another order",
        }
        for rows, fault in bad.items():
            found = self.faults(preset_faults, source | {PRESETS_PAGE: page % rows})
            self.assertIn(fault, found)

    def test_finds_pictures_that_were_not_made_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            pictures = pathlib.Path(folder) / "docs/pictures"
            pictures.mkdir(parents=True)
            tool = shutil.copy(SOURCE / "docs/pictures/draw", pictures)
            text = pictures / "a.txt"
            text.write_text("size 10 10\nbox yours 1 1 8 8\n  one\n")
            self.assertIn("a.svg: is not what a.txt says", "".join(picture_faults(
                Tree(pathlib.Path(folder)))))
            subprocess.run([sys.executable, tool], check=True)
            self.assertEqual(list(picture_faults(Tree(pathlib.Path(folder)))), [])
            text.write_text(text.read_text().replace("one", "two"))
            self.assertIn("a.svg: is not what a.txt says", "".join(picture_faults(
                Tree(pathlib.Path(folder)))))

    def test_a_line_is_measured_in_characters(self):
        self.assertEqual(self.faults(text_faults, {"daemon/a.cc": "ü" * 100 + "\n"}), "")


if __name__ == "__main__":
    unittest.main()
