"""What docs/ says about commands, keys and exit codes, read from its pages.

Tests compare those pages with the program, so whatever is made from them is right as well.
"""

import dataclasses
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Command:
    name: str  # "position set"
    forms: list  # "outboxd position set P --config FILE"
    options: list  # (option with its value, meaning), in Markdown
    text: str  # Markdown without forms and options


@dataclasses.dataclass
class Key:
    name: str  # "mysql.host"
    type: str
    values: str
    default: str  # Markdown, as are
    meaning: str  # this


@dataclasses.dataclass
class Section:
    title: str
    text: str


def page(name):
    return (SOURCE / "docs" / name).read_text()


def sections(markdown, level):
    """What stands before the first heading of this level, then each of them."""
    parts = re.split(rf"^{'#' * level} (.*)$", markdown, flags=re.M)
    return [Section("", parts[0])] + [
        Section(title, text.strip("\n")) for title, text in zip(parts[1::2], parts[2::2])]


def rows(markdown):
    """The cells of every table, without the lines that head it."""
    found = []
    lines = markdown.splitlines()
    for before, line in zip(lines, lines[1:]):
        if line.startswith("|") and before.startswith("|") and not line.startswith("|---"):
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def without_tables(markdown):
    return re.sub(r"(^\|.*\n?)+", "", markdown, flags=re.M)


def commands():
    found = []
    for section in sections(page("commands.md"), 2)[1:]:
        name = re.fullmatch(r"`outboxd (.*)`", section.title)
        if name is None:
            continue
        forms = re.findall(r"^Form: `(.*)`$", section.text, re.M)
        text = re.sub(r"^Form: .*\n", "", without_tables(section.text), flags=re.M)
        options = [(option, meaning) for option, meaning in rows(section.text)]
        found.append(Command(name[1], forms, options, text))
    return found


def keys():
    return [Key(name.strip("`"), *others)
            for name, *others in (row for row in rows(page("configuration.md")) if len(row) == 5)]


def exit_codes():
    """Code, meaning, restart, what to do."""
    return [row for row in rows(page("exit-codes.md")) if len(row) == 4]


def version():
    """The one place that has it."""
    project = (SOURCE / "CMakeLists.txt").read_text()
    return re.search(r"^project\(outboxd VERSION ([\d.]+)", project, re.M)[1]
