"""The man pages outboxd(1) and outboxd.conf(5), made from the pages in docs/ by lowdown."""

import re
import subprocess

import pages

DOCUMENTS = "/usr/share/doc/outboxd"


def plain_links(markdown):
    """A man page follows no link: its text stands alone, or names the page."""
    def text_of(match):
        text, target = match[1].strip("`"), match[2]
        file = target.partition("#")[0]
        if target.startswith("http"):
            return f"{text} ({target})"
        return text if not file or text == file else f"{text} ({file})"
    return re.sub(r"\[([^\]]*)\]\(([^)]*)\)", text_of, markdown)


def without_comments(markdown):
    return re.sub(r"^<!--.*?-->\n", "", markdown, flags=re.M | re.S)


def without_question(markdown):
    return re.sub(r"\AThis page answers one question: [^?]*\?\s*", "", markdown)


def definitions(terms):
    return "\n".join(f"{term}\n\n: {text}\n" for term, text in terms)


def two_columns_as_definitions(markdown):
    """A table of two columns is wider than a terminal; a list of terms never is."""
    def made(match):
        return definitions((cells[0], cells[1]) for cells in pages.rows(match[0])) + "\n"
    return re.sub(r"^\|[^|\n]*\|[^|\n]*\|\n\|---\|---\|\n(\|.*\n)+", made, markdown, flags=re.M)


def to_man(markdown, name, number):
    """roff of the package man, from Markdown whose `#` are the page's sections."""
    text = plain_links(without_comments(markdown))
    return subprocess.run(
        ["lowdown", "-s", "-t", "man", "-m", f"title={name}", "-m", f"section={number}",
         "-m", f"source=outboxd {pages.version()}"],
        input=text, capture_output=True, text=True, check=True).stdout


def command_page():
    before, *sections = pages.sections(pages.page("commands.md"), 2)
    intro = without_question(before.text.partition("\n\n")[2])  # And without the title.
    commands = pages.commands()
    text = ["# NAME\n\noutboxd - delivers committed rows of MySQL event tables as messages\n"]
    text.append("# SYNOPSIS\n\n" + "".join(
        f"    {form}\n" for command in commands for form in command.forms))
    text.append("# DESCRIPTION\n\n" + intro)
    text += [f"## {section.title}\n\n{section.text}\n" for section in sections
             if not section.title.startswith("`")]
    text.append("# COMMANDS\n")
    for command in commands:
        text.append(f"## {command.name}\n")
        text.append("\n".join(f"    {form}" for form in command.forms) + "\n")
        text.append(command.text + "\n")
        text.append(definitions(command.options))
    text.append("# EXIT STATUS\n\n" + definitions(
        (code, f"{meaning} {remedy}") for code, meaning, _, remedy in pages.exit_codes()))
    text.append("# FILES\n\n" + definitions([
        ("`/etc/outboxd/NAME.conf`", "The configuration of the relay NAME: outboxd.conf(5)."),
        ("`/var/lib/outboxd/NAME`", "Its state directory, with its checkpoint. Keep it."),
        (f"`{DOCUMENTS}/docs`", "All pages. Begin with at-night.md if something is wrong."),
    ]))
    text.append("# SEE ALSO\n\noutboxd.conf(5), systemctl(1), journalctl(1)\n")
    return to_man("\n".join(text), "outboxd", 1)


def key_definition(key):
    facts = [key.type]
    if key.values:
        facts.append(key.values)
    if key.default == "**required**":
        facts.append("required")
    elif key.default:
        facts.append(f"default: {key.default}")
    return f"**{key.name}**", f"{key.meaning} ({'; '.join(facts)})"


def configuration_page():
    keys = {key.name: key for key in pages.keys()}
    parts = pages.sections(pages.page("configuration.md"), 2)
    text = ["# NAME\n\noutboxd.conf - the configuration of a relay\n",
            "# SYNOPSIS\n\n    /etc/outboxd/NAME.conf\n"]
    for section in parts[1:]:
        heading = "DESCRIPTION" if section.title == "The file" else section.title
        text.append(f"# {heading}\n")
        rest = section.text
        listed = [keys[row[0].strip("`")] for row in pages.rows(rest) if len(row) == 5]
        if listed:
            before, _, _ = rest.partition("| key |")
            after = pages.without_tables(rest[len(before):])
            text += [before, definitions(map(key_definition, listed)), after + "\n"]
        else:
            rest = re.sub(r"^In the tables below(.+\n?)*", "", rest, flags=re.M)
            text.append(two_columns_as_definitions(rest + "\n"))
    text.append("# SEE ALSO\n\noutboxd(1)\n")
    return to_man("\n".join(text), "outboxd.conf", 5)
