"""Public packages that load what they show when it is asked for, so that `import kerasish` stays quick."""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any


def lazy_door(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package that shows what the imports in its `if TYPE_CHECKING:` block name.

    Type checkers and editors read that block as it stands; here it is read for where each name comes from. For other
    names the table of Keras's old names answers.

    Example:
        >>> import kerasish
        >>> "Conv3D" in dir(kerasish.layers), kerasish.layers.Conv3D
        (True, <class 'kerasish.layers.convolution.conv.Conv3D'>)
    """

    @functools.cache
    def contents() -> tuple[dict[str, tuple[str, str]], list[str]]:
        """Where each lazy name comes from, and all public names."""
        loader: Any = vars(sys.modules[package])["__spec__"].loader
        body = ast.parse(loader.get_source(package)).body
        block = next(node.body for node in body if isinstance(node, ast.If))
        names = {node.name for node in body if isinstance(node, ast.FunctionDef)} | set(_imports(body))
        homes = _imports(block)
        return homes, sorted(name for name in names | set(homes) if not name.startswith("_"))

    def __getattr__(name: str) -> Any:
        homes, names = contents()
        if name == "__all__":  # asked for by `from package import *`
            return names
        if name not in homes:
            from kerasish.legacy.names import find

            return find(package.replace("kerasish", "keras", 1), name)
        home, original = homes[name]
        if home == package:
            found: Any = importlib.import_module(f"{home}.{original}")
        else:
            found = getattr(importlib.import_module(home), original)
        setattr(sys.modules[package], name, found)
        return found

    def __dir__() -> list[str]:
        return list(contents()[1])

    return __getattr__, __dir__


def _imports(body: list[ast.stmt]) -> dict[str, tuple[str, str]]:
    """Name → (module, name there) of the statements `from module import … as name`."""
    return {
        alias.asname: (str(node.module), alias.name)
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
