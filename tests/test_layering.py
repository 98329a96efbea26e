"""A module imports only from lower levels, and imports inside functions only from a short list."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

import kerasish

ROOT = Path(kerasish.__file__).parent

# Every module belongs to the longest of these prefixes; what stands together on a level does not know of each other.
LEVELS = [
    ["errors", "doors", "tree", "naming", "version", "changes", "legacy.arguments"],
    ["config"],
    ["dtypes"],
    ["variable", "random", "serialization", "arrays"],
    ["registry", "dtype_policies"],
    ["symbolic"],
    ["ops"],
    ["activations", "initializers", "regularizers", "constraints"],
    ["losses"],
    ["metrics", "optimizers"],
    ["utils.file_utils", "utils.numerical", "utils.progbar"],
    ["layers"],
    ["saving"],
    ["callbacks"],
    ["training"],
    ["models"],
    ["wrappers", "datasets", "preprocessing", "applications", "mixed_precision", "legacy"],
    ["backend", "model_selection"],
    ["utils"],
    ["", "port", "__main__"],
]
TOP = len(LEVELS) - 1  # the public door and what reads all of it
LEVEL_OF = {prefix: level for level, prefixes in enumerate(LEVELS) for prefix in prefixes}

# (importing module, imported module): imports inside functions, each for its reason.
DEFERRED = {
    ("config", "dtype_policies"): "the default policy is a setting",
    ("variable", "initializers"): "initial values may be given by an initializer's name",
    ("doors", "legacy.names"): "old names are looked up when asked for",
    ("models.model", "models.functional"): "`Model(inputs, outputs)` makes a functional model",
    ("models.model", "models.summary"): "loaded when asked for",
    ("__main__", "port.rewriting.files"): "a command loads what it needs",
    ("__main__", "port.pytorch"): "a command loads what it needs",
    ("__main__", "port.run"): "a command loads what it needs",
    ("__main__", "datasets.locate"): "a command loads what it needs",
}


def unit(module: str) -> str:
    """The entry of LEVELS to which a module belongs."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in LEVEL_OF:
            return ".".join(parts[:length])
    raise AssertionError(f"{module!r} is in no level: add it to LEVELS in {Path(__file__).name}")


def modules() -> dict[str, Path]:
    names = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "shims" not in parts:
            names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


MODULES = modules()


def imported_modules(node: ast.AST) -> list[str]:
    """The modules of kerasish that an import statement names, without the leading `kerasish`."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        within = [f"{node.module}.{alias.name}" for alias in node.names]
        are_modules = [name.removeprefix("kerasish").lstrip(".") in MODULES for name in within]
        names = [
            name if is_module else node.module for name, is_module in zip(within, are_modules, strict=True)
        ]
    else:
        return []
    return [name.removeprefix("kerasish").lstrip(".") for name in names if name.split(".")[0] == "kerasish"]


@functools.cache
def imports(module: str) -> tuple[set[str], set[str]]:
    """What a module imports at its top, and what its functions import."""
    tree = ast.parse(MODULES[module].read_text())
    functions = [
        n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    inner = {id(node) for function in functions for node in ast.walk(function)}
    top: set[str] = set()
    deferred: set[str] = set()
    for node in ast.walk(tree):
        (deferred if id(node) in inner else top).update(imported_modules(node))
    return top, deferred


@pytest.mark.parametrize("module", MODULES)
def test_imports_come_from_lower_levels(module):
    own = unit(module)
    for name in imports(module)[0]:
        other = unit(name)
        if other != own:
            assert LEVEL_OF[other] < LEVEL_OF[own] or LEVEL_OF[other] == LEVEL_OF[own] == TOP, (
                f"{module or 'kerasish'} must not import {name or 'kerasish'}: see LEVELS"
            )


@pytest.mark.parametrize("module", MODULES)
def test_imports_inside_functions_are_listed(module):
    for name in imports(module)[1]:
        assert (module, name) in DEFERRED, f"{module} imports {name} in a function: move it to the top"


def test_list_of_imports_inside_functions_is_true():
    found = {(module, name) for module in MODULES for name in imports(module)[1]}
    assert set(DEFERRED) == found
    assert len(DEFERRED) <= 10
