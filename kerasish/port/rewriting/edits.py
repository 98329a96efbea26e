"""Changes of a text, and the lines of it that need a person."""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

_NEWLINE = re.compile(r"\r\n?|\n")


class Edit(NamedTuple):
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Finding(NamedTuple):
    """A line that needs a person: its number, what it does, why it cannot stay, and what to do."""

    line: int
    reason: str


class Text:
    """A source text whose positions are known by line and column, as parsers give them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.starts = [0, *(match.end() for match in _NEWLINE.finditer(source))]

    def offset(self, position: tuple[int, int]) -> int:
        """Characters before a position `(line from 1, column from 0)`."""
        line, column = position
        return self.starts[line - 1] + column

    def line(self, number: int) -> str:
        """A line, without its end."""
        end = self.starts[number] if number < len(self.starts) else len(self.source)
        return self.source[self.starts[number - 1] : end].rstrip("\r\n")

    def line_at(self, offset: int) -> int:
        """The number of the line in which an offset lies."""
        return bisect.bisect_right(self.starts, offset)

    def whole_lines(self, start: int, end: int) -> tuple[int, int]:
        """The lines, with their ends, that hold the characters from `start` to `end`."""
        last = self.line_at(end)
        return self.starts[self.line_at(start) - 1], self.starts[last] if last < len(self.starts) else len(
            self.source
        )


def apply(source: str, edits: Iterable[Edit]) -> str:
    """Make the changes, which must not overlap."""
    pieces, position = [], 0
    for edit in sorted(set(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise AssertionError(f"overlapping changes at {source[edit.start : edit.end]!r}")
        pieces += [source[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, source[position:]])


def line_numbers(before: str, after: str) -> dict[int, int]:
    """Line number in `after` → the line of `before` that it came from."""
    old, new = before.splitlines(), after.splitlines()
    numbers = {}
    for _, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for j in range(j1, j2):
            numbers[j + 1] = max(1, min(i1 + (j - j1), max(i2 - 1, i1)) + 1)
    return numbers


def unified_diff(before: str, after: str, name: str) -> str:
    """The change as `diff -u` shows it."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
