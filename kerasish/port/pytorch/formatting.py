"""Names and lines as ruff and black have them."""

from __future__ import annotations

import keyword
import re

WIDTH = 88
COMMENT = "  # "


def identifier(name: str) -> str:
    """The name as Python can have it."""
    name = re.sub(r"\W", "_", name)
    name = f"_{name}" if not name or name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def wrapped(line: str, width: int = WIDTH) -> str:
    """The statement over several lines where it is too long, as ruff and black break it."""
    if len(line) <= width:
        return line
    line = line.partition(COMMENT)[0]
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    opened = _bracket(line, is_first=line.lstrip().startswith("def "))
    if opened is None:
        return line
    start, end = opened
    head, inner, tail = line[: start + 1], line[start + 1 : end], line[end:]
    is_tuple = re.search(r"\b(in|=) \($", head) is not None and "for " not in inner
    if len(indent) + 4 + len(inner) <= width and not is_tuple:
        return f"{head}\n{indent}    {inner}\n{indent}{tail}"
    pieces = _parts(inner)
    comma = "," if len(pieces) > 1 else ""
    parts = [wrapped(f"{indent}    {part}{comma}") for part in pieces]
    return "\n".join([head, *parts, f"{indent}{tail}"])


def _bracket(line: str, is_first: bool) -> tuple[int, int] | None:
    """Where the first or the last outermost brackets open and close."""
    depth, start, found = 0, 0, None
    quoted = ""
    for i, character in enumerate(line):
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'":
            quoted = character
        elif character in "([{":
            start = i if depth == 0 else start
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0 and i > start + 1 and not (is_first and found):
                found = start, i
    return found


def _parts(text: str) -> list[str]:
    """The text at its outermost commas."""
    parts, depth, current, quoted = [], 0, "", ""
    for character in text:
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'":
            quoted = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if character == "," and depth == 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [part for part in [*parts, current.strip()] if part]
