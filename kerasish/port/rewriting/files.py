"""`python -m kerasish port`: scripts, notebooks and directories of them."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasish.port.rewriting.edits import Text, unified_diff
from kerasish.port.rewriting.notebook import port_notebook
from kerasish.port.rewriting.source import port_source
from kerasish.saving.atomic import replacing

SKIPPED = ("__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv")
SUFFIXES = (".py", ".ipynb")


class PortedFile(NamedTuple):
    """A file before and after, as bytes and text, and what needs a person."""

    path: Path
    before: str
    after: str
    content: bytes
    messages: list[str]


def port_paths(paths: Sequence[str], write: bool = False) -> int:
    """Port files: show the changes, or make them with `write`; then say what needs a person.

    Returns:
        0, or 1 where something needs a person.
    """
    messages: list[str] = []
    changed = 0
    seen: set[Path] = set()
    for path in _files(paths, messages):
        if path.resolve() in seen:  # a link to a file that had its turn
            continue
        seen.add(path.resolve())
        try:
            ported = port_file(path)
        except (SyntaxError, ValueError, OSError) as error:
            messages.append(f"{path}: cannot be read, left as it is: {error}")
            continue
        messages += ported.messages
        if ported.before == ported.after:
            continue
        changed += 1
        if write:
            _replace(path, ported.content)
            print(f"ported {path}")
        else:
            print(unified_diff(ported.before, ported.after, str(path)), end="")
    for message in messages:
        print(message, file=sys.stderr)
    verb = "ported" if write else "to port"
    print(f"{changed} file(s) {verb}, {len(messages)} line(s) that need a person", file=sys.stderr)
    return 1 if messages else 0


def port_file(path: Path) -> PortedFile:
    """What a script or notebook becomes.

    Raises:
        SyntaxError: a script is no Python 3.
        ValueError: a notebook is none of format 4, or a script is not in the encoding that it declares.
    """
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        before = content.decode("utf-8")
        after, messages = port_notebook(before)
        return PortedFile(path, before, after, after.encode("utf-8"), [f"{path}: {m}" for m in messages])
    before, encoding = _decoded(content)
    ported = port_source(before)
    text = Text(before)
    messages = [
        f"{path}:{finding.line}: {text.line(finding.line).strip()}\n    {finding.reason}"
        for finding in ported.findings
    ]
    return PortedFile(path, before, ported.source, ported.source.encode(encoding), messages)


def _decoded(content: bytes) -> tuple[str, str]:
    """The text of a script, and its encoding."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding), encoding
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{error}. Save it as UTF-8, or name its encoding in the first line: `# -*- coding: latin-1 -*-`"
        ) from error


def _files(paths: Sequence[str], messages: list[str]) -> Iterator[Path]:
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from _below(path)
        elif path.suffix in SUFFIXES and path.is_file():
            yield path
        else:
            messages.append(f"{path}: no script (.py), notebook (.ipynb) or directory")


def _below(directory: Path) -> Iterator[Path]:
    """Scripts and notebooks below a directory, without virtual environments, caches and hidden directories."""
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".")
            and name not in SKIPPED
            and not name.endswith(".egg-info")
            and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
        )
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                yield Path(place, name)


def _replace(path: Path, content: bytes) -> None:
    """Write in one step; a link is followed, permissions stay."""
    path = path.resolve()
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)
        shutil.copymode(path, unfinished)
