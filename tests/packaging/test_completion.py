"""Completion in bash and zsh, asked as a shell asks it."""

import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from debian_package import SOURCE

ASK_BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_outboxd
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh completes on a terminal only. Its line after a TAB is printed by a function of its own.
ZSH_SETTINGS = """PS1=; PS2=; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D
shown() {{ print -r -- "<$BUFFER>"; BUFFER= }}; zle -N shown; bindkey '^X' shown; print rea''dy
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([SOURCE / "packaging/reference/write", folder], check=True)
    return folder


@pytest.fixture
def bash(reference):
    def candidates(*words):
        asked = subprocess.run(
            ["bash", "-c", ASK_BASH, "ask", reference / "outboxd.bash", "outboxd", *words],
            capture_output=True, text=True, check=True)
        assert asked.stderr == ""
        return set(asked.stdout.split())
    return candidates


def test_bash_offers_the_commands(bash):
    assert {"run", "check", "status", "import-config"} <= bash("")
    assert bash("sk") == {"skip"}


def test_bash_offers_the_second_word(bash):
    assert bash("position", "") == {"show", "set", "import", "export"}
    assert bash("alarms", "a") == {"acknowledge"}
    assert bash("--config", "x.conf", "dead-letters", "") == {"list", "replay"}


def test_bash_offers_the_options_of_the_command(bash):
    assert {"--from", "--explain"} <= bash("tail", "--")
    assert "--explain" not in bash("status", "--")
    assert "--json" in bash("dead-letters", "list", "--")
    assert bash("tail", "--from", "e") == {"earliest"}


def test_bash_offers_the_unit_of_a_relay_but_not_for_run(bash):
    assert "--unit" in bash("status", "--") and "--unit" in bash("position", "show", "--")
    assert "--unit" not in bash("run", "--") | bash("version", "--")


def test_bash_offers_keys_and_their_words(bash):
    assert bash("run", "--mysql.tls-c") == {"--mysql.tls-ca=", "--mysql.tls-cert="}
    assert {"required", "disabled"} <= bash("run", "--mysql.tls", "=", "")
    assert bash("run", "--mysql.tls", "=", "req") == {"required"}
    assert bash("run", "--topics.create", "=", "") == {"yes", "no"}


@pytest.fixture
def zsh(reference, tmp_path):
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], os.environ | {"TERM": "dumb", "HOME": str(tmp_path)})
    seen = ""

    def read_until(pattern):
        nonlocal seen
        deadline = time.monotonic() + 30
        while not (found := re.search(pattern, seen)):
            assert time.monotonic() < deadline, seen
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536).decode(errors="replace")
        seen = ""
        return found

    def completed(line):
        """What a TAB makes of the line."""
        os.write(terminal, f"{line}\t\x18".encode())
        return read_until("<(outboxd.*)>")[1]

    os.write(terminal, ZSH_SETTINGS.format(folder=reference).encode())
    read_until("ready\r")
    yield completed
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)


def test_zsh_completes_commands_options_and_keys(zsh):
    assert zsh("outboxd sta") == "outboxd status "
    assert zsh("outboxd position i") == "outboxd position import "
    assert zsh("outboxd tail --ex") == "outboxd tail --explain "
    assert zsh("outboxd run --mysql.socke") == "outboxd run --mysql.socket="
