"""Import statements: those of Keras become kerasish's, those that nothing needs any more go."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from kerasish.port.rewriting.edits import Edit
from kerasish.port.rewriting.resolve import Gone, resolve, to_keras, to_kerasish
from kerasish.port.rewriting.script import Script, dotted
from kerasish.port.tensorflow import explain

FOREIGN = {
    "keras_tuner": "sklearn's GridSearchCV or RandomizedSearchCV with kerasish.wrappers, or kerasish.model_selection",
    "kerastuner": "sklearn's GridSearchCV or RandomizedSearchCV with kerasish.wrappers, or kerasish.model_selection",
    "keras_contrib": "the classes themselves, as kerasish layers",
    "tensorflow_addons": "kerasish.layers, kerasish.losses and kerasish.optimizers, which have most of it",
    "tensorflow_datasets": "kerasish.datasets, or NumPy arrays",
    "tensorflow_hub": "torch.hub, whose modules are layers here",
    "tensorflow_probability": "torch.distributions",
    "tensorflow_text": "kerasish.layers.TextVectorization",
}


class _Name(NamedTuple):
    """One name of a `from … import`: where it comes from today, and how it is called here."""

    module: str
    name: str
    local: str


class Imports(cst.CSTVisitor):
    """Collects the import statements, and says how the package is called in this script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.statements: list[cst.Import | cst.ImportFrom] = []
        self.depth = 0
        self.roots: list[str] = []
        self.has_torch = False
        script.module.visit(self)
        self.roots = [root for root in self.roots if not script.is_assigned(root)]
        script.root = self.roots[0] if self.roots else "kerasish" if script.is_bound("keras") else "keras"

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.depth += 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self.depth -= 1

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.depth += 1

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self.depth -= 1

    def visit_Import(self, node: cst.Import) -> bool:
        self.statements.append(node)
        for alias in node.names:
            name, local = _dotted_text(alias.name), _local(alias)
            if self.depth == 0 and (name if alias.asname else name.partition(".")[0]) == "torch":
                self.has_torch = self.has_torch or local == "torch"
            if self.depth == 0 and to_keras(name if alias.asname else name.partition(".")[0]) == "keras":
                self.roots.append(local)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        self.statements.append(node)
        module = "" if node.relative or node.module is None else _dotted_text(node.module)
        if isinstance(node.names, cst.ImportStar):
            keras = to_keras(module)
            if keras is not None:
                self.script.star_modules.append(keras)
            return False
        for alias in node.names:
            if self.depth == 0 and to_keras(f"{module}.{_dotted_text(alias.name)}") == "keras":
                self.roots.append(_local(alias))
        return False

    # Rewriting ------------------------------------------------------------------------------------------------

    def rewrite(self) -> None:
        """Change the statements, after all uses of their names are known."""
        touched = []
        for statement in self.statements:
            before = len(self.script.edits)
            if isinstance(statement, cst.Import):
                self._rewrite_import(statement)
            elif not statement.relative and statement.module is not None:
                self._rewrite_from(statement)
            if len(self.script.edits) > before:
                touched.append(statement)
        self._add_missing(touched)

    def _rewrite_import(self, node: cst.Import) -> None:
        kept = []
        for alias in node.names:
            new = self._import_today(node, alias)
            if new is not None:
                kept.append((alias, new))
        self._keep(node, [(alias, new) for alias, new in kept], node.names)

    def _import_today(self, node: cst.Import, alias: cst.ImportAlias) -> str | None:
        """The text of an imported module today; None for one to leave out."""
        script, code = self.script, self.script.code(alias)
        name, local = _dotted_text(alias.name), _local(alias)
        keras = to_keras(name)
        if name.partition(".")[0] in FOREIGN:
            script.report(node, f"`{name}` is built on TensorFlow. Use {FOREIGN[name.partition('.')[0]]}.")
            return code
        if name.partition(".")[0] == "tensorflow" and (keras is None or not alias.asname):
            return code if script.kept_uses[local] else None
        if keras is None:
            return code
        if not alias.asname:
            return code if name.partition(".")[0] == "kerasish" else f"kerasish as {local}"
        place = resolve(keras)
        if isinstance(place, Gone):
            script.report(node, place.message)
            return code
        if self._is_replaced(local):
            return None
        if not place.is_module:
            script.report(node, f"`{name}` is no module: write from … import.")
            return code
        return f"{to_kerasish(place.path)} as {local}"

    def _is_replaced(self, local: str) -> bool:
        """Whether every use of an imported name has another spelling now."""
        return self.script.uses[local] > 0 and not self.script.kept_uses[local]

    def _rewrite_from(self, node: cst.ImportFrom) -> None:
        script, module = self.script, _dotted_text(node.module)
        keras = to_keras(module)
        if module.partition(".")[0] in FOREIGN:
            script.report(
                node, f"`{module}` is built on TensorFlow. Use {FOREIGN[module.partition('.')[0]]}."
            )
        if keras is None and module.partition(".")[0] != "tensorflow":
            return
        if isinstance(node.names, cst.ImportStar):
            self._rewrite_star(node, module, keras)
            return
        groups: dict[str, list[_Name]] = collections.defaultdict(list)
        whole: list[str] = []
        stay: list[cst.ImportAlias] = []
        for alias in node.names:
            full, local = f"{module}.{_dotted_text(alias.name)}", _local(alias)
            path = to_keras(full)
            if path is None:
                script.report(node, explain(full.partition(".")[2]))
                stay.append(alias)
                continue
            if self._is_replaced(local) and path != "keras":
                continue
            place = resolve(path)
            if isinstance(place, Gone) and not script.uses[local] and not script.is_exported(local):
                continue  # nothing needs it, and nothing could import it
            if isinstance(place, Gone):
                if module.partition(".")[0] != "kerasish":
                    script.report(node, place.message)
                stay.append(alias)
            elif place.path == "keras":
                whole.append(local)
            else:
                parent, _, name = place.path.rpartition(".")
                groups[parent].append(_Name(parent, name, local))
        self._put_from(node, module, groups, whole, stay)

    def _rewrite_star(self, node: cst.ImportFrom, module: str, keras: str | None) -> None:
        place = Gone(explain(module.partition(".")[2])) if keras is None else resolve(keras)
        if isinstance(place, Gone):
            self.script.report(node, place.message)
        else:
            self.script.replace(node.module, to_kerasish(place.path))  # type: ignore[arg-type]

    def _put_from(
        self,
        node: cst.ImportFrom,
        module: str,
        groups: dict[str, list[_Name]],
        whole: list[str],
        stay: list[cst.ImportAlias],
    ) -> None:
        script, names = self.script, node.names
        assert not isinstance(names, cst.ImportStar)
        texts = {}
        if len(groups) == 1 and not whole and not stay:
            (parent, members) = next(iter(groups.items()))
            by_local = {member.local: member for member in members}
            for alias in names:
                member = by_local.get(_local(alias))
                if member is not None:
                    texts[alias] = _as(member.name, member.local)
            script.replace(node.module, to_kerasish(parent))  # type: ignore[arg-type]
            self._keep(node, list(texts.items()), names)
            return
        lines = [_import_line(local) for local in whole]
        for parent, members in groups.items():
            lines.append(
                f"from {to_kerasish(parent)} import {', '.join(_as(m.name, m.local) for m in members)}"
            )
        if len(stay) == len(names):
            return
        if stay:
            lines.append(f"from {module} import {', '.join(script.code(alias) for alias in stay)}")
        if lines:
            self._put_lines(node, lines)
        else:
            self._remove(node)

    def _keep(
        self,
        node: cst.Import | cst.ImportFrom,
        kept: list[tuple[cst.ImportAlias, str]],
        names: Sequence[cst.ImportAlias],
    ) -> None:
        """Leave these aliases, with these texts, and take out the others."""
        script = self.script
        if not kept:
            self._remove(node)
            return
        texts = dict(kept)
        for index, alias in enumerate(names):
            if alias in texts:
                script.replace(alias, texts[alias])
                continue
            start, end = script.span(alias)
            following = next((other for other in names[index + 1 :] if other in texts), None)
            if following is not None:
                end = script.span(names[index + 1])[0]
            elif index:
                start = script.span(names[index - 1])[1]
            script.edits.append(Edit(start, end, ""))

    def _put_lines(self, node: cst.CSTNode, lines: list[str]) -> None:
        """Put statements in the place of one."""
        script = self.script
        start, _ = script.span(node)
        indent = script.text.line(script.text.line_at(start))
        indent = indent[: len(indent) - len(indent.lstrip())]
        script.replace(node, (_separator(script, node) or f"\n{indent}").join(lines))

    def _remove(self, node: cst.CSTNode) -> None:
        """Take a statement out, with its line where it has one to itself."""
        script, line = self.script, self.script.parents[node]
        block, statements = script.parents[line], line.body
        start, end = script.span(node)
        index = statements.index(node)
        if index:
            script.edits.append(Edit(script.span(statements[index - 1])[1], end, ""))
        elif len(statements) > 1:
            script.edits.append(Edit(start, script.span(statements[1])[0], ""))
        elif isinstance(block, cst.Module) or (isinstance(block, cst.IndentedBlock) and len(block.body) > 1):
            script.edits.append(Edit(*script.text.whole_lines(start, end), ""))
        else:
            script.replace(node, "pass")

    @staticmethod
    def _concerns_keras(node: cst.Import | cst.ImportFrom) -> bool:
        names = _modules(node)
        return any(name.partition(".")[0] == "tensorflow" or to_keras(name) is not None for name in names)

    def _add_missing(self, touched: list[cst.Import | cst.ImportFrom]) -> None:
        script = self.script
        lines = []
        has_root = script.root in self.roots
        if "keras" in script.needed and not has_root:
            lines.append(_import_line(script.root))
        if "torch" in script.needed and not self.has_torch:
            lines.append("import torch")
        if not lines:
            return
        ours = [node for node in self.statements if node in touched or self._concerns_keras(node)]
        statement: cst.CSTNode | None = (ours or self.statements or [None])[0]  # type: ignore[list-item]
        if statement is None:
            raise AssertionError("a name of Keras, and no import")
        while not isinstance(script.parents[statement], cst.Module):
            statement = script.parents[statement]
        start, _ = script.span(statement)
        script.insert(start, "".join(f"{line}\n" for line in lines))


def _modules(node: cst.Import | cst.ImportFrom) -> list[str]:
    if isinstance(node, cst.ImportFrom):
        return [] if node.relative else [_dotted_text(node.module)]
    return [_dotted_text(alias.name) for alias in node.names]


def _separator(script: Script, node: cst.CSTNode) -> str | None:
    return "; " if len(script.parents[node].body) > 1 else None


def _as(name: str, local: str) -> str:
    return name if name == local else f"{name} as {local}"


def _import_line(local: str) -> str:
    return f"import {_as('kerasish', local)}"


def _local(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        return alias.asname.name.value  # type: ignore[union-attr]
    return _dotted_text(alias.name).partition(".")[0]


def _dotted_text(node: cst.CSTNode | None) -> str:
    return ".".join(dotted(node) or []) if node is not None else ""
