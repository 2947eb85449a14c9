"""The journal's message catalog, made from docs/journal.md and docs/exit-codes.md."""

import re
import textwrap

import pages

SUPPORT = "file:///usr/share/doc/outboxd/docs/journal.md"
# What journalctl puts in, from the record that it explains.
FIELDS = {"NAME": "@OUTBOXD_RELAY@", "POSITION": "@OUTBOXD_POSITION@"}


def plain(markdown):
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1", markdown).replace("`", "")
    return text.removesuffix(".") + "."


def entry(message_id, subject, text):
    return "\n".join([f"-- {message_id}", f"Subject: {subject}", "Defined-By: outboxd",
                      f"Support: {SUPPORT}", "", textwrap.fill(text, 79, break_long_words=False,
                                                               break_on_hyphens=False), ""])


def catalog():
    """A catalog file as journalctl --update-catalog reads it: systemd's docs/CATALOG.md."""
    codes = {code: (meaning, remedy) for code, meaning, _, remedy in pages.exit_codes()}
    entries = []
    for row in pages.rows(pages.page("journal.md")):
        notice, message_id = (cell.strip("`") for cell in row[:2])
        if len(row) == 4:
            subject, text = row[2].replace("`", ""), plain(row[3])
            for word, field in FIELDS.items():
                text = re.sub(rf"\b{word}\b", field, text)
        elif notice.startswith("ended-"):
            code = notice.removeprefix("ended-")
            meaning, remedy = codes[code]
            subject = f"The relay ended with code {code}"
            text = f"{plain(meaning)} {plain(remedy)}"
        else:
            continue
        entries.append(entry(message_id, subject, text))
    return "# Made from docs/journal.md and docs/exit-codes.md.\n\n" + "\n".join(entries)
