"""A parsed script: its names, what they refer to, and the changes and findings so far."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst.metadata import (
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    QualifiedNameProvider,
    QualifiedNameSource,
    ScopeProvider,
)

from kerasish.port.rewriting.edits import Edit, Finding, Text
from kerasish.port.rewriting.resolve import Place, resolve, to_keras


class Script:
    """What the rewriting of one text works with."""

    def __init__(self, source: str) -> None:
        self.text = Text(source)
        wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        self.module = wrapper.module
        providers = [PositionProvider, ParentNodeProvider, QualifiedNameProvider, ScopeProvider]
        found_out: Any = wrapper.resolve_many(providers)
        self.positions = found_out[PositionProvider]
        self.parents = found_out[ParentNodeProvider]
        self.edits: list[Edit] = []
        self.findings: list[Finding] = []
        self.needed: set[str] = set()
        self.uses: collections.Counter[str] = collections.Counter()
        self.kept_uses: collections.Counter[str] = collections.Counter()
        self.star_modules: list[str] = []
        self.is_old = False
        self.defaults: list[tuple[cst.CSTNode, str]] = []
        self.replaced: set[cst.CSTNode] = set()
        self.models: dict[str, int | None] = {}
        self.logs_changed = False
        qualified = found_out[QualifiedNameProvider]
        scopes = {scope for scope in found_out[ScopeProvider].values() if scope is not None}
        self._imported: dict[cst.CSTNode, str] = {}
        self._unknown: set[cst.CSTNode] = set()
        self._bound: set[str] = {a.name for scope in scopes for a in scope.assignments}
        self._assigned: set[str] = {
            a.name for scope in scopes for a in scope.assignments if not isinstance(a, ImportAssignment)
        }
        for access in (access for scope in scopes for access in scope.accesses):
            base = leftmost(access.node)
            found = qualified.get(base, ())
            if callable(found):
                found = found()
            names = {to_keras(name.name) or name.name for name in found}
            if len(names) == 1 and all(name.source is QualifiedNameSource.IMPORT for name in found):
                self._imported[base] = next(iter(found)).name
            elif not found and isinstance(base, cst.Name):
                self._unknown.add(base)

        self._follow_assignments(scopes)

    def _follow_assignments(self, scopes: set[Any]) -> None:
        """`keras = tf.keras` at the top of a script is another import."""
        for statement in self.module.body:
            line = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            if not isinstance(line, cst.Assign) or len(line.targets) != 1:
                continue
            target, name = line.targets[0].target, self.keras_name(line.value)
            if not isinstance(target, cst.Name) or name is None:
                continue
            place = resolve(name)
            written = [a for scope in scopes for a in scope.assignments if a.name == target.value]
            if isinstance(place, Place) and place.is_module and len(written) == 1:
                for access in written[0].references:
                    self._imported[leftmost(access.node)] = name

    # Names ----------------------------------------------------------------------------------------------------

    def imported(self, base: cst.CSTNode) -> str | None:
        """What an imported name stands for (`"tensorflow"`, `"keras.layers.Dense"`); None for other names."""
        return self._imported.get(base)

    def from_star(self, base: cst.CSTNode) -> str | None:
        """What a name stands for that only a star import can have brought."""
        if base in self._unknown and isinstance(base, cst.Name):
            for module in self.star_modules:
                name = f"{module}.{base.value}"
                if isinstance(resolve(name), Place):
                    return name
        return None

    def keras_name(self, node: cst.CSTNode) -> str | None:
        """The Keras name for which an expression stands: `"keras.layers.core.Dense"`."""
        chain = dotted(node)
        if chain is None:
            return None
        base = self.imported(leftmost(node)) or self.from_star(leftmost(node))
        return None if base is None else to_keras(".".join([base, *chain[1:]]))

    def is_assigned(self, name: str) -> bool:
        """Whether the script gives this name a meaning in another way than by importing it."""
        return name in self._assigned

    def is_exported(self, name: str) -> bool:
        """Whether `__all__` may have this name."""
        return "__all__" in self._bound and name in self.text.source.partition("__all__")[2]

    def is_bound(self, name: str) -> bool:
        """Whether the script itself gives this name a meaning."""
        return name in self._bound

    def spelled(self, path: str) -> str:
        """`"keras.layers.LSTM"`, or `"torch.float32"`, as this script says it."""
        package, _, rest = path.partition(".")
        self.needed.add(package)
        local = self.root if package == "keras" else package
        return f"{local}.{rest}" if rest else local

    root = "keras"

    # Texts ----------------------------------------------------------------------------------------------------

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """First and last offset of an expression or statement."""
        place = self.positions[node]
        return (
            self.text.offset((place.start.line, place.start.column)),
            self.text.offset((place.end.line, place.end.column)),
        )

    def code(self, node: cst.CSTNode) -> str:
        start, end = self.span(node)
        return self.text.source[start:end]

    def replace(self, node: cst.CSTNode, text: str) -> None:
        """Put `text` in the place of a node."""
        if text != self.code(node):
            self.edits.append(Edit(*self.span(node), text))

    def insert(self, offset: int, text: str) -> None:
        self.edits.append(Edit(offset, offset, text))

    def remove_argument(self, args: Sequence[cst.Arg], index: int) -> None:
        """Take out an argument of a call, with one comma."""
        start, end = self.span(args[index])
        if index + 1 < len(args):
            end = self.span(args[index + 1])[0]
        elif index:
            start = self.span(args[index - 1])[1]
        self.edits.append(Edit(start, end, ""))

    def report(self, node: cst.CSTNode, reason: str) -> None:
        """Note that this line needs a person."""
        self.findings.append(Finding(self.positions[node].start.line, reason))


def leftmost(node: cst.CSTNode) -> cst.CSTNode:
    """`a` of `a.b.c`."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def dotted(node: cst.CSTNode) -> list[str] | None:
    """`["a", "b", "c"]` of `a.b.c`; None for any other expression."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.insert(0, node.attr.value)
        node = node.value
    return [node.value, *parts] if isinstance(node, cst.Name) else None
