#!/usr/bin/env python3
"""Checks systemd/outboxd@.service: systemd takes it without a word, and its exposure is low.

Needs systemd-analyze (Debian package systemd), not a running systemd.
"""

import configparser
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
UNIT = SOURCE / "systemd" / "outboxd@.service"
EXPOSURE_MAX = 1.2


def unit_with_existing_binary(folder):
    """A copy whose commands name a file that exists on the machine that tests."""
    binary = pathlib.Path(folder) / "outboxd"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    text = UNIT.read_text()
    assert text.count("=/usr/bin/outboxd ") == 2
    copy = pathlib.Path(folder) / UNIT.name
    copy.write_text(text.replace("=/usr/bin/outboxd ", f"={binary} "))
    return copy


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False
    )


class ServiceTest(unittest.TestCase):
    def setUp(self):
        if shutil.which("systemd-analyze") is None:
            self.fail("systemd-analyze is missing HINT: apt-get install systemd")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.unit = unit_with_existing_binary(folder.name)

    def test_verify_has_nothing_to_say(self):
        outcome = analyze("verify", "--man=no", self.unit)
        # Other units of the machine, which verify loads too, are not ours to judge.
        ours = [line for line in outcome.stderr.splitlines() if "outboxd" in line]
        self.assertEqual(ours, [])
        self.assertEqual(outcome.returncode, 0, outcome.stderr)

    def test_verify_notices_a_mistake(self):
        self.unit.write_text(self.unit.read_text().replace("UMask=0077", "UMsk=0077"))
        self.assertIn("UMsk", analyze("verify", "--man=no", self.unit).stderr)

    def test_exposure_is_low(self):
        outcome = analyze(
            "security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", self.unit
        )
        shown = re.search(r"Overall exposure level.*: ([\d.]+)", outcome.stdout)
        self.assertIsNotNone(shown, outcome.stdout + outcome.stderr)
        print(shown.group(0))
        self.assertLessEqual(float(shown.group(1)), EXPOSURE_MAX)
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)

    def test_codes_that_a_restart_cannot_mend_are_those_of_the_design(self):
        header = (SOURCE / "daemon" / "exit_code.h").read_text()
        numbers = {name: int(number) for name, number in re.findall(r"k(\w+) = (\d+)", header)}
        final = "Usage Undecodable Configuration Gap Diverged Checkpoint NoStart".split()
        listed = self.service()["restartpreventexitstatus"].split()
        self.assertEqual([int(code) for code in listed], [numbers[name] for name in final])

    def test_the_stop_is_not_cut_short(self):
        header = (SOURCE / "daemon/config/config.h").read_text()
        milliseconds = int(re.search(r"stop_timeout\{([\d']+)\}", header)[1].replace("'", ""))
        self.assertGreater(int(self.service()["timeoutstopsec"]) * 1000, milliseconds)

    def service(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.read(UNIT)
        return unit["Service"]


if __name__ == "__main__":
    unittest.main()
