"""The indented blocks of the pages: which of them are run, and whether what was printed is what a
page shows."""

import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]
# In the order in which they are run: what the first ones show depends on what was run before.
FIRST_PAGES = ("commands.md", "configuration.md", "exit-codes.md", "messages.md")
RUN = re.compile(r"<!-- run(?:: exit code (\d+))? -->")
MARK = re.compile(r"<!-- .* -->")
# What a run decides by chance.
VARYING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)", "TIME"),
    (r"\b(?=[\w-]*\d)[0-9a-f]{22}\b", "CLUSTER"),
    (r" by \w+ at TIME", " by WHO at TIME"),
    (r"\d+", "N"),
    (r"\s+", " "),
)


class Block:
    """Lines of a page without their indentation, and the mark above them, or ""."""

    def __init__(self, page, line, mark, lines):
        self.place, self.mark, self.lines = f"{page}:{line}", mark, lines
        run = RUN.fullmatch(mark)
        self.is_run, self.exit_code = run is not None, int(run[1] or 0) if run else None

    @property
    def is_configuration(self):
        """An example of a configuration: a section, or lines of one."""
        return not self.mark and all(
            not line or re.fullmatch(r"\[[\w.]+\]|[a-z.-]+ = .*", line) for line in self.lines
        )


def pages():
    """The paths of all pages."""
    first = [SOURCE / "docs" / name for name in FIRST_PAGES]
    others = sorted(path for path in (SOURCE / "docs").glob("*.md") if path not in first)
    return [*first, *others, *sorted(SOURCE.glob("*.md"))]


def blocks_of(name, text):
    """The blocks of a page."""
    lines, blocks, at = text.splitlines(), [], 0
    while at < len(lines):
        # Behind a line of text it is one more line of that, of an item in a list perhaps.
        can_begin = at == 0 or not lines[at - 1] or MARK.fullmatch(lines[at - 1].strip())
        if not lines[at].startswith("    ") or not can_begin:
            at += 1
            continue
        begin = at
        while at < len(lines) and (lines[at].startswith("    ") or not lines[at]):
            at += 1
        block = lines[begin:at]
        while not block[-1]:
            block.pop()
        depth = min(len(line) - len(line.lstrip()) for line in block if line)
        above = next((line for line in reversed(lines[:begin]) if line), "")
        mark = above.strip() if MARK.fullmatch(above.strip()) else ""
        blocks.append(Block(name, begin + 1, mark, [line[depth:] for line in block]))
    return blocks


def all_blocks():
    def name(path):
        return path.relative_to(SOURCE).as_posix()

    return [block for path in pages() for block in blocks_of(name(path), path.read_text())]


def commands_of(lines):
    """Each command with the lines that it prints. Without '$ ' every line is a command, whose
    output is not shown; a line that ends with a backslash goes on."""
    if not any(line.startswith("$ ") for line in lines):
        text = "\n".join(lines).replace("\\\n", " ")
        return [(line, ["..."]) for line in text.split("\n") if line]
    commands = []
    for line in lines:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif commands[-1][0].endswith("\\"):
            commands[-1] = (commands[-1][0][:-1] + line.strip(), [])
        else:
            commands[-1][1].append(line)
    return commands


def told(text):
    """Without what differs from run to run."""
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text.strip()


def fits(shown, printed):
    """Whether `printed` is what the page shows, '...' being any lines."""
    wanted = ["..." if line.strip() == "..." else told(line) for line in shown]
    pattern = r"\n".join(r"(?s:.*)" if line == "..." else re.escape(line) for line in wanted)
    found = "\n".join(told(line) for line in printed.rstrip("\n").split("\n"))
    return re.fullmatch(pattern, found) is not None
