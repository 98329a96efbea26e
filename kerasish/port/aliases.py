"""`import keras`, `import tensorflow as tf`, `from keras.layers.core import …` → kerasish's own modules."""

from __future__ import annotations

import importlib
import importlib.abc
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import kerasish
from kerasish.legacy import names
from kerasish.port.tensorflow import make_tensorflow

TOPS = ("keras", "tf_keras", "tensorflow")
ROOTS = ("keras", "tf_keras", "tensorflow.keras")
# Editors fill these in for tf.keras.
LONG_ROOTS = ("keras.api", "keras.api._v1", "keras.api._v1.keras", "keras.api._v2", "keras.api._v2.keras")
PRIVATE = {"keras.src": "keras", "keras._tf_keras": "keras", "tensorflow.python": "tensorflow.keras"}
# Packages of their own with parts of Keras; their code is ported, not aliased.
KIN = {
    "keras_core": "keras",
    "keras_preprocessing": "keras.preprocessing",
    "scikeras.wrappers": "keras.wrappers",
    **dict.fromkeys(
        ("scikeras.utils", "scikeras.utils.transformers", "scikeras.utils.random_state"), "keras.wrappers"
    ),
}
# Where this can be imported, TensorBoard uses its own substitute instead of asking `tensorflow` for files.
NOTF = "tensorboard.compat.notf"
SHIMS = str(Path(__file__).with_name("shims"))


def install_aliases(force: bool = False, subprocesses: bool = False) -> None:
    """Make `import keras`, `tf_keras` and `tensorflow` give kerasish, for the rest of the process.

    There is one set of modules: `keras.layers` is `kerasish.layers`. Paths of Keras 1 and 2 lead to where
    their names are now. `tensorflow` holds `keras` and little else; anything of TensorFlow beyond Keras
    raises an AttributeError that says what to use instead.

    Args:
        force: replace a Keras or TensorFlow that was already imported.
        subprocesses: let processes started from here (workers of joblib, `spawn`) have the aliases too.

    Raises:
        RuntimeError: Keras or TensorFlow was already imported, and `force` is False.
    """
    if _finder not in sys.meta_path:
        foreign = [name for name in TOPS if name in sys.modules]
        if foreign and not force:
            raise RuntimeError(
                f"{foreign[0]!r} is already imported, so code may hold parts of it: call "
                "kerasish.install_aliases() first, or with force=True to replace it for later imports."
            )
        _finder.install()
    if subprocesses and SHIMS not in sys.path:
        # `spawn` hands on sys.path, all else the environment.
        sys.path.insert(1, SHIMS)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (SHIMS, os.environ.get("PYTHONPATH"))))


def uninstall_aliases() -> None:
    """Undo `install_aliases`; what it replaced comes back."""
    if _finder in sys.meta_path:
        _finder.uninstall()
    if SHIMS in sys.path:
        sys.path.remove(SHIMS)
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path != SHIMS)
        if not os.environ["PYTHONPATH"]:
            del os.environ["PYTHONPATH"]


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext kerasish` in a notebook: install the aliases."""
    install_aliases(subprocesses=True)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext kerasish`: take them away."""
    uninstall_aliases()


def take_over(name: str) -> None:
    """Replace the module `name`, which is a shim being imported by a subprocess, by the alias."""
    del sys.modules[name]
    install_aliases(subprocesses=True)
    importlib.import_module(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the aliases on `sys.meta_path`, and knows what to undo."""

    def __init__(self) -> None:
        self.displaced: dict[str, ModuleType] = {}
        self.additions: list[tuple[ModuleType, str]] = []
        self.forwarders: dict[str, ModuleType] = {}
        self.tensorflow = ModuleType("tensorflow")

    def install(self) -> None:
        self.tensorflow = make_tensorflow()
        self.displaced = {name: module for name, module in sys.modules.items() if _top(name) in TOPS}
        for name in self.displaced:
            del sys.modules[name]
        for name in [name for name in sys.modules if _top(name) == "kerasish"]:
            self.add_fallback(sys.modules[name])
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if _top(name) in TOPS]:
            del sys.modules[name]
        sys.modules.update(self.displaced)
        for module, key in self.additions:
            del vars(module)[key]
        forwarders = list(self.forwarders.values())
        for module in [module for name, module in sys.modules.items() if _top(name) == "kerasish"]:
            for name in [name for name, value in vars(module).items() if any(value is f for f in forwarders)]:
                delattr(module, name)
        if sys.modules.pop(NOTF, None) is not None:
            del vars(sys.modules["tensorboard.compat"])["notf"]
        self.displaced, self.additions, self.forwarders = {}, [], {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if _top(fullname) == "kerasish":
            self.refuse_gone(fullname, path)
            return None
        if fullname == NOTF:
            module: ModuleType | None = ModuleType(NOTF)
        else:
            module = self.find(fullname) if _top(fullname) in TOPS else None
        if module is None:
            return None
        return ModuleSpec(fullname, self, loader_state=(module, module.__spec__))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return spec.loader_state[0]

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just put the alias's spec on the module; one that had none keeps it.
        spec = module.__spec__
        if spec is not None and spec.loader is self and spec.loader_state[1] is not None:
            module.__spec__ = spec.loader_state[1]

    def find(self, fullname: str) -> ModuleType | None:
        """The module that an alias stands for; None where there is none."""
        for private, public in PRIVATE.items():
            if fullname == private or fullname.startswith(f"{private}."):
                raise ImportError(f"`{fullname}` is private. Import from `{public}` instead.", name=fullname)
        if fullname == "tensorflow":
            return self.tensorflow
        if fullname in ROOTS:
            return kerasish
        if fullname in LONG_ROOTS:
            return self.forward("keras", kerasish, fullname)
        root = max((r for r in (*ROOTS, *LONG_ROOTS) if fullname.startswith(f"{r}.")), key=len, default=None)
        if root is None:
            return self.find_in_tensorflow(fullname)
        namespace = "keras" + fullname[len(root) :]
        try:
            module = _import_kerasish(namespace)
        except ImportError as error:
            # `keras.layers.merge` was a function, which is gone, and a module, which was moved.
            if namespace not in names.MODULES or error.name != namespace.replace("keras", "kerasish", 1):
                raise
            module = None
        if module is not None:
            self.add_fallback(module)
            return module
        door = _import_kerasish(names.MODULES.get(namespace, ""))
        return None if door is None else self.forward(namespace, door, namespace)

    def find_in_tensorflow(self, fullname: str) -> ModuleType | None:
        found: Any = self.tensorflow
        try:
            for part in fullname.split(".")[1:]:
                found = getattr(found, part)
        except AttributeError as error:
            raise ImportError(str(error), name=fullname) from None
        return found if isinstance(found, ModuleType) else None

    def forward(self, namespace: str, door: ModuleType, name: str) -> ModuleType:
        """A module of its own that shows what `door` has.

        `door` itself under a second name would be set as an attribute of its parent, over a submodule of
        kerasish: `keras.layers.experimental.preprocessing` over `kerasish.layers.preprocessing`.
        """
        if name not in self.forwarders:
            module = self.forwarders[name] = ModuleType(name, door.__doc__)
            for key, value in vars(door).items():
                if not key.startswith("_") and (door is kerasish or not isinstance(value, ModuleType)):
                    vars(module)[key] = value
            module.__path__ = []
            fallback = names.module_getattr(namespace)
            vars(module)["__getattr__"] = door.__getattr__ if door is kerasish else fallback
        return self.forwarders[name]

    def add_fallback(self, module: ModuleType) -> None:
        """Let a public module answer for the old names of its namespace."""
        namespace = module.__name__.replace("kerasish", "keras", 1)
        if namespace not in _NAMESPACES:
            return
        additions: dict[str, Any] = {"__getattr__": names.module_getattr(namespace)}
        if not hasattr(module, "__path__"):
            # The import system asks for `keras.backend.tensorflow_backend` only if the parent has a path.
            additions["__path__"] = []
        for key, value in additions.items():
            if key not in vars(module):
                vars(module)[key] = value
                self.additions.append((module, key))

    def refuse_gone(self, fullname: str, path: Sequence[str] | None) -> None:
        """Say what replaces `name` in `from keras.x import name`, which asks for a submodule last."""
        namespace, _, name = fullname.replace("kerasish", "keras", 1).rpartition(".")
        if name in names.GONE.get(namespace, {}) and PathFinder.find_spec(fullname, path) is None:
            raise ImportError(names.explain(namespace, name), name=fullname)


_NAMESPACES = {
    *names.RENAMED,
    *names.GONE,
    *names.MODULES,
    *(old.rpartition(".")[0] for old in names.MODULES),
}
_finder = _Finder()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _import_kerasish(namespace: str) -> ModuleType | None:
    """`"keras.layers"` → `kerasish.layers`; None where kerasish has no such module."""
    if not namespace:
        return None
    fullname = namespace.replace("keras", "kerasish", 1)
    try:
        return importlib.import_module(fullname)
    except ModuleNotFoundError as error:
        if error.name and f"{fullname}.".startswith(f"{error.name}."):
            return None
        raise
