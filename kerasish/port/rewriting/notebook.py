"""Notebooks: their code cells are ported as one script; outputs, magics and all else stay."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from kerasish.port.rewriting.edits import Text
from kerasish.port.rewriting.source import Ported, port_source

_CELL = "# kerasish: cell {}\n"
_CELL_LINE = re.compile(r"^# kerasish: cell (\d+)\n", re.MULTILINE)
_MAGIC = re.compile(r"^(\s*)(%|!|\?|[\w.]+\s*=\s*[%!](?!=)).*$")
_HELP = re.compile(r"^\s*[\w.]+\?{1,2}\s*$")
# Cell magics behind which Python stands.
PYTHON_MAGICS = ("%%capture", "%%prun", "%%time", "%%timeit")


def port_notebook(text: str) -> tuple[str, list[str]]:
    """Rewrite the code cells of a notebook's JSON.

    Returns:
        The new JSON, unchanged where there is nothing to do, and what needs a person, each with cell and line.

    Raises:
        ValueError: the text is no notebook.
    """
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("no notebook of format 4: it has no list of cells")
    cells = notebook["cells"]
    sources = [_source(cell) if cell.get("cell_type") == "code" else None for cell in cells]
    magics: list[str] = []
    pieces, notes, indices = [], [], []
    for index, source in enumerate(sources):
        if source is None or (source.startswith("%%") and not source.startswith(PYTHON_MAGICS)):
            continue
        python = _without_magics(source, magics)
        try:
            ast.parse(python)
        except SyntaxError as error:
            notes.append((index, error.lineno or 1, f"no Python 3, left as it is: {error.msg}"))
            continue
        pieces.append(_CELL.format(index) + python + "\n")
        indices.append(index)
    joined = "".join(pieces)
    ported = port_source(joined)
    notes += _places(joined, ported)
    changed = False
    parts = _CELL_LINE.split(ported.source)
    prefix = parts[0]
    for number, part in zip(parts[1::2], parts[2::2], strict=True):
        index = int(number)
        new = _with_magics((prefix + part).removesuffix("\n"), magics)
        prefix = ""
        if new != sources[index]:
            changed = True
            cells[index]["source"] = new.splitlines(True) if isinstance(cells[index]["source"], list) else new
    messages = [f"cell {index + 1}, line {line}: {reason}" for index, line, reason in sorted(notes)]
    return (_dump(notebook, text) if changed else text), messages


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _without_magics(source: str, magics: list[str]) -> str:
    """Python in the place of each magic: a `pass` that says which one it was."""
    lines = []
    in_text = _lines_in_strings(source)
    for number, line in enumerate(source.split("\n"), 1):
        match = _MAGIC.match(line) or _HELP.match(line)
        if match is None or number in in_text:
            lines.append(line)
            continue
        magics.append(line)
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(f"{indent}pass  # kerasish: magic {len(magics) - 1}")
    return "\n".join(lines)


def _lines_in_strings(source: str) -> set[int]:
    """The lines that a text over several lines covers, where the source is Python as it stands."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    texts = [node for node in ast.walk(tree) if isinstance(node, (ast.Constant, ast.JoinedStr))]
    return {line for node in texts for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)}


def _with_magics(source: str, magics: list[str]) -> str:
    return re.sub(
        r"^ *\t*pass  # kerasish: magic (\d+)$",
        lambda found: magics[int(found[1])],
        source,
        flags=re.MULTILINE,
    )


def _places(joined: str, ported: Ported) -> list[tuple[int, int, str]]:
    """Findings in the joined script, as cell and line."""
    text = Text(joined)
    starts = [(text.line_at(match.start()), int(match[1])) for match in _CELL_LINE.finditer(joined)]
    places = []
    for finding in ported.findings:
        start, index = max(((s, i) for s, i in starts if s <= finding.line), default=(0, 0))
        places.append((index, finding.line - start, finding.reason))
    return places


def _dump(notebook: dict[str, Any], before: str) -> str:
    """JSON in the style of the file that it replaces."""
    match = re.search(r"^( +|\t+)\"", before, re.MULTILINE)
    indent: int | str | None = None
    if match is not None:
        indent = "\t" if match[1][0] == "\t" else len(match[1])
    ascii_only = before.isascii()
    text = json.dumps(notebook, indent=indent, ensure_ascii=ascii_only)
    return text + "\n" if before.endswith("\n") else text
