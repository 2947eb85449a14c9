#!/usr/bin/env python3
"""tests/tidy finds what it is there for, and asks again when what it depends on is another."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("tidy", str(SOURCE / "tests/tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

CLEAN = '#include "base/a.h"\n\nint Twice() { return 2 * Once(); }\n'
RULES = "Checks: '-*,bugprone-use-after-move,modernize-use-nullptr'\nWarningsAsErrors: '*'\n"
MOVED = ("#include <string>\n#include <utility>\n\nstd::string Both(std::string text) {\n"
         "  std::string other = std::move(text);\n  return other + text;\n}\n")


class Place:
    """A small project in a folder, as CMake would configure it."""

    def __init__(self, folder, cache):
        self.root, self.cache = pathlib.Path(folder), pathlib.Path(cache)
        self.build = self.root / "build"
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write(".clang-tidy", RULES)
        self.write("base/a.h", "#pragma once\n\nint Once();\n")
        self.write("base/a.cc", CLEAN)
        self.configure("-DNDEBUG")

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def configure(self, flag):
        self.build.mkdir(exist_ok=True)
        commands = [{"directory": str(self.build), "file": str(path), "command":
                     f"c++ -I{self.root} {flag} -std=c++17 -o a.o -c {path}"}
                    for path in sorted(self.root.glob("base/*.cc"))]
        (self.build / "compile_commands.json").write_text(json.dumps(commands))

    def check(self, *names):
        """How many files have faults, and what is printed."""
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            bad = tidy.check(self.root, self.build, self.cache, set(names) or None)
        return bad, told.getvalue()


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.place = Place(self.folder / "here", self.folder / "cache")

    def assert_clean(self, place, read):
        bad, told = place.check()
        self.assertEqual(bad, 0, told)
        self.assertIn(f"clang-tidy read {read},", told)

    def test_a_clean_file_is_read_once(self):
        self.assert_clean(self.place, read=1)
        self.assert_clean(self.place, read=0)

    def test_the_same_project_elsewhere_is_known(self):
        self.assert_clean(self.place, read=1)
        self.assert_clean(Place(self.folder / "there", self.folder / "cache"), read=0)

    def test_it_is_read_again_when_what_it_depends_on_is_another(self):
        self.assert_clean(self.place, read=1)
        changes = {
            "source": lambda: self.place.write("base/a.cc", CLEAN + "\nint Thrice();\n"),
            "header": lambda: self.place.write("base/a.h", "#pragma once\n\nlong Once();\n"),
            "rules": lambda: self.place.write(".clang-tidy", RULES + "HeaderFilterRegex: '.*'\n"),
            "command": lambda: self.place.configure("-DDEBUG"),
        }
        self.place.write("base/a.cc", CLEAN.replace("int Twice() { return 2 * Once(); }",
                                                    "int Twice() { return 2; }"))
        self.assert_clean(self.place, read=1)
        for name, change in changes.items():
            with self.subTest(name):
                change()
                self.assert_clean(self.place, read=1)
                self.assert_clean(self.place, read=0)

    def test_what_was_not_clean_is_told_again(self):
        self.place.write("base/a.cc", MOVED)
        for _ in range(2):
            bad, told = self.place.check()
            self.assertEqual(bad, 1)
            self.assertIn("base/a.cc:6:18: error: 'text' used after it was moved", told)

    def test_a_fault_in_a_header_is_told(self):
        self.place.write(".clang-tidy", RULES + "HeaderFilterRegex: '.*'\n")
        self.place.write("base/a.h", "#pragma once\n\ninline int* Null() { return 0; }\n")
        bad, told = self.place.check("base/a.h")
        self.assertEqual(bad, 1)
        self.assertIn("base/a.h:3:", told)

    def test_a_file_that_no_target_compiles_is_told(self):
        self.place.write("base/new.cc", CLEAN)
        bad, told = self.place.check()
        self.assertEqual(bad, 1)
        self.assertIn("base/new.cc: no target compiles it", told)

    def test_another_format_is_told(self):
        self.place.write("base/a.h", "#pragma once\n\nint  Once();\n")
        for _ in range(2):
            bad, told = self.place.check()
            self.assertEqual(bad, 1)
            self.assertIn("base/a.h:3:4: error: code should be clang-formatted", told)

    def test_a_build_that_is_not_configured_is_an_error(self):
        (self.place.build / "compile_commands.json").unlink()
        with self.assertRaisesRegex(tidy.TidyError, "packaging/build"):
            self.place.check()


class ConcernedTest(unittest.TestCase):
    def concerned(self, *changed):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, included in {"base/a.h": "", "base/b.h": "base/a.h", "base/c.h": "base/d.h",
                                   "base/d.h": "base/c.h", "base/b.cc": "base/b.h",
                                   "tests/base/a_test.cc": "base/a.h", "base/e.cc": ""}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(f'#include "{included}"\n' if included else "")
            return tidy.Project(root).concerned(changed)

    def test_are_those_that_include_it_directly_or_not(self):
        self.assertEqual(self.concerned("base/a.h"),
                         {"base/a.h", "base/b.h", "base/b.cc", "tests/base/a_test.cc"})

    def test_a_source_concerns_nobody_else(self):
        self.assertEqual(self.concerned("base/e.cc"), {"base/e.cc"})

    def test_headers_that_include_each_other_end(self):
        self.assertEqual(self.concerned("base/c.h"), {"base/c.h", "base/d.h"})

    def test_what_is_gone_or_no_cpp_is_left_out(self):
        self.assertEqual(self.concerned("README.md", "base/gone.h"), set())


class ChangedFilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.git("init", "--quiet")
        for name in ("first", "second", "third"):
            (self.root / name).write_text("")
            self.git("add", name)
            self.git("commit", "--quiet", "--message", name)

    def git(self, *words):
        person = ("-c", "user.name=A Test", "-c", "user.email=test@example.com")
        subprocess.run(["git", "-C", self.root, *person, *words], check=True,
                       env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull})

    def test_are_those_of_the_last_commit_and_of_none_yet(self):
        (self.root / "first").write_text("other")
        (self.root / "new").write_text("")
        self.assertEqual(tidy.changed_files(self.root), {"first", "third", "new"})

    def test_are_those_since_the_branch_left_origin_main(self):
        self.git("update-ref", "refs/remotes/origin/main", "HEAD~2")
        self.assertEqual(tidy.changed_files(self.root), {"second", "third"})

    def test_without_history_it_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(tidy.TidyError):
            tidy.changed_files(pathlib.Path(folder))


if __name__ == "__main__":
    unittest.main()
