"""Objects ⇄ the JSON configs of Keras 3 files, with custom objects; nothing is imported from outside kerasish."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import threading
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from kerasish.config import is_unsafe_deserialization_enabled
from kerasish.errors import did_you_mean, received

_by_registered_name: dict[str, Any] = {}
_registered_name_of: dict[Any, str] = {}
_local = threading.local()

PUBLIC_MODULES = (
    "layers", "models", "losses", "metrics", "optimizers", "optimizers.schedules", "initializers", "regularizers",
    "constraints", "activations", "callbacks", "dtype_policies", "random", "ops", "utils", "quantizers",
)  # fmt: skip
FUNCTION_MODULES = (
    "activations",
    "losses",
    "metrics",
    "ops",
    "initializers",
)  # what computes and does nothing else
PRIVATE_MODULES = ("keras.src.layers.preprocessing.feature_space", "kerasish.utils.feature_space")


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Decorator that lets files name a class or function of yours as `"package>name"`.

    Example:
        >>> @register_keras_serializable(package="mine")
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'mine>double'
    """

    def decorate(obj: Any) -> Any:
        registered = f"{package}>{name or obj.__name__}"
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(f"A registered class needs a `get_config()` method. Received: {obj}")
        _by_registered_name[registered] = obj
        _registered_name_of[obj] = registered
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """`"package>name"` for a registered object, else its `__name__`."""
    return _registered_name_of.get(obj, getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """The object registered under a name, looked up in the scope, the registry and the dictionaries given."""
    for table in (_scoped(), _by_registered_name, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


class CustomObjectScope:
    """Context in which files and `get("name")` may name the given objects: `with CustomObjectScope({...}):`."""

    def __init__(self, custom_objects: dict[str, Any]) -> None:
        if not isinstance(custom_objects, dict):
            raise TypeError(
                f"`custom_objects` must be a dictionary name → object. Received: {custom_objects!r}"
            )
        self.custom_objects = custom_objects

    def __enter__(self) -> CustomObjectScope:
        self._outer = dict(_scoped())
        _local.scope = {**self._outer, **self.custom_objects}
        return self

    def __exit__(self, *exc_info: object) -> None:
        _local.scope = self._outer


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """The global dictionary of registered objects, to which one may add."""
    return _by_registered_name


def _scoped() -> dict[str, Any]:
    return getattr(_local, "scope", {})


def find_custom_object(name: str) -> Any:
    """The custom object of that name (with or without its package), or None."""
    found = get_registered_object(name)
    return found if found is not None else _by_registered_name.get(f"Custom>{name}")


def public_module(cls: type) -> str | None:
    """The module under which Keras's files name a class of kerasish: `"keras.layers"`; None for others."""
    parts = cls.__module__.split(".")
    if parts[0] != "kerasish":
        return None
    if parts[-1] == "feature_space" and cls.__name__ != "FeatureSpace":
        return PRIVATE_MODULES[0]
    if parts[1:3] == ["optimizers", "schedules"]:
        return "keras.optimizers.schedules"
    if cls.__name__ == "Functional":
        return "keras.src.models.functional"
    if parts[1] in ("models", "dtype_policies") and cls.__name__ != "DTypePolicyMap":
        return "keras"
    return f"keras.{parts[1]}"


def serialize_keras_object(obj: Any) -> Any:
    """Turn an object into the JSON-ready config of Keras 3 files.

    Plain values stay; objects with `get_config` become
    `{"module", "class_name", "config", "registered_name"}` (with `"build_config"` for built layers).
    """
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, torch.Size):
        return [int(size) for size in obj]
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": {k: serialize_keras_object(v) for k, v in parts.items()}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, torch.Tensor):
        dtype = str(obj.dtype).removeprefix("torch.")
        return {"class_name": "__tensor__", "config": {"value": obj.detach().cpu().tolist(), "dtype": dtype}}
    if isinstance(obj, torch.dtype):
        return str(obj).removeprefix("torch.")
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        raise ValueError(
            "A lambda cannot be saved: its code would have to be run when the file is loaded. Write a named "
            "function and decorate it with `@kerasish.saving.register_keras_serializable()`."
        )
    if isinstance(obj, types.BuiltinFunctionType) or inspect.isfunction(obj):
        return _serialize_function(obj)
    if hasattr(obj, "get_config"):
        return _serialize_object(obj)
    if inspect.isclass(obj):
        module = public_module(obj) or obj.__module__
        return {"class_name": "__class__", "config": {"module": module, "name": obj.__name__}}
    raise TypeError(
        f"Cannot serialize {received(obj)}: give its class a `get_config()` method and register it with "
        "`@kerasish.saving.register_keras_serializable()`."
    )


def _serialize_function(function: Any) -> dict[str, Any]:
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(function),
        "registered_name": "function",
    }


def _serialize_object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    module = public_module(cls)
    config = {key: serialize_keras_object(value) for key, value in obj.get_config().items()}
    out: dict[str, Any] = {
        "module": module,
        "class_name": cls.__name__,
        "config": config,
        "registered_name": None,
    }
    if module is None:
        registered = get_registered_name(cls)
        out["module"] = cls.__module__
        out["registered_name"] = registered
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            out["build_config"] = serialize_keras_object(build_config)
    shared = getattr(_local, "sharing", None)
    if shared is not None and hasattr(obj, "get_build_config"):
        shared[id(obj)] = obj
        out["shared_object_id"] = id(obj)
    if hasattr(obj, "get_compile_config") and getattr(obj, "compiled", False):
        compile_config = obj.get_compile_config()
        if compile_config is not None:
            out["compile_config"] = serialize_keras_object(compile_config)
    return out


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    default_module: str | None = None,
    **kwargs: Any,
) -> Any:
    """Turn a config of `serialize_keras_object`, or of Keras itself, back into the object.

    Raises:
        ValueError: the config names a class or function that neither kerasish has nor `custom_objects` gives;
            or it holds a lambda and `safe_mode` is on.
    """
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for deserialize_keras_object: {sorted(kwargs)}")
    scope = CustomObjectScope(custom_objects) if custom_objects else contextlib.nullcontext()
    with scope, _default_module(default_module), _safe_mode(safe_mode):
        return _deserialize(config)


@contextlib.contextmanager
def shared_objects() -> Iterator[None]:
    """Context in which configs mark layers (`shared_object_id`), and a mark that returns is the same layer again."""
    outer = getattr(_local, "sharing", None)
    _local.sharing = {}
    try:
        yield
    finally:
        _local.sharing = outer


def without_single_marks(config: Any) -> Any:
    """The config with those marks only that occur several times, as Keras writes them."""
    counts: Counter[int] = Counter()

    def count(value: Any) -> None:
        if isinstance(value, dict):
            counts.update([value["shared_object_id"]] if "shared_object_id" in value else [])
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            count(item)

    def clean(value: Any) -> Any:
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: clean(item) for key, item in value.items() if key != "shared_object_id" or counts[item] > 1
        }

    count(config)
    return clean(config)


@contextlib.contextmanager
def _default_module(module: str | None) -> Iterator[None]:
    outer = getattr(_local, "module", None)
    _local.module = module
    try:
        yield
    finally:
        _local.module = outer


@contextlib.contextmanager
def _safe_mode(enabled: bool) -> Iterator[None]:
    outer = getattr(_local, "safe", True)
    _local.safe = enabled and outer
    try:
        yield
    finally:
        _local.safe = outer


def in_safe_mode() -> bool:
    """Whether code in the config that is being read must not run."""
    return getattr(_local, "safe", True) and not is_unsafe_deserialization_enabled()


def _deserialize(config: Any) -> Any:
    if config is None or isinstance(config, (bool, int, float, bytes)):
        return config
    if isinstance(config, str):
        custom = find_custom_object(config)
        return config if custom is None else custom
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialize(item) for item in config)
    if not isinstance(config, dict):
        raise TypeError(f"Could not read the config: expected a dictionary. Received: {received(config)}")
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if isinstance(name, str) and name.startswith("__") and name.endswith("__"):
        return _deserialize_value(name, inner)
    if name == "function":
        return _resolve_function(config.get("module"), inner)
    shared, number = getattr(_local, "sharing", None), config.get("shared_object_id")
    if shared is not None and isinstance(number, int) and number in shared:
        return shared[number]
    cls = resolve(config.get("module"), name, config.get("registered_name"))
    if not hasattr(cls, "from_config"):
        raise TypeError(f"{name!r} cannot be made from a config: {cls} has no `from_config` class method.")
    if not isinstance(inner, dict):
        raise TypeError(f"The config of {name!r} must be a dictionary. Received: {received(inner)}")
    obj = cls.from_config(inner)
    if config.get("build_config") and hasattr(obj, "build_from_config"):
        obj.build_from_config(config["build_config"])
    if config.get("compile_config") and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(config["compile_config"])
    if shared is not None and isinstance(number, int):
        shared[number] = obj
    return obj


def _deserialize_value(name: str, inner: Any) -> Any:
    if name == "__tuple__":
        return tuple(_deserialize(item) for item in inner["value"])
    if name == "__bytes__":
        return inner["value"].encode()
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__slice__":
        return slice(*(_deserialize(inner[part]) for part in ("start", "stop", "step")))
    if name == "__numpy__":
        return np.array(inner["value"], dtype=inner["dtype"])
    if name == "__tensor__":
        return torch.tensor(inner["value"], dtype=getattr(torch, inner["dtype"]))
    if name == "__class__":
        found = resolve(inner["module"], inner["name"], None)
        if not inspect.isclass(found):
            raise ValueError(f"The config names {inner['name']!r} as a class. Received: {received(found)}")
        return found
    if name == "__lambda__":
        raise ValueError(
            "The file holds a Python lambda, whose code would run on loading. Write it as a named function, "
            "pass it in `custom_objects`, and save the model again."
        )
    raise ValueError(f"Unknown kind of value in a config: {name!r}")


def resolve(module: str | None, name: str, registered_name: str | None) -> Any:
    """Find what a config names: a custom object first, then the public names of kerasish. Imports nothing else."""
    for candidate in (registered_name, name):
        custom = find_custom_object(candidate) if candidate else None
        if custom is not None:
            return custom
    modules = [importlib.import_module(namespace) for namespace in _namespaces(module) if _exists(namespace)]
    # names that a module says it has come first: for others it looks through the old names of Keras
    for namespace in sorted(modules, key=lambda module: name not in dir(module)):
        found = getattr(namespace, name, None)
        if found is not None:
            return found
    known = [n for namespace in modules for n in dir(namespace)]
    raise ValueError(
        f"Could not find {name!r} (module {module!r}).{did_you_mean(name, known)} If it is a class or function of "
        f"yours, pass it as `custom_objects={{{name!r}: …}}` or decorate it with "
        "`@kerasish.saving.register_keras_serializable()`."
    )


def _resolve_function(module: str | None, name: Any) -> Any:
    """Find a function: a custom one, or one that only computes; none that reads files, loads or downloads."""
    custom = find_custom_object(name)
    if custom is not None:
        return custom
    allowed = [f"kerasish.{namespace}" for namespace in FUNCTION_MODULES]
    if not str(name).startswith("_") and set(_namespaces(module)) <= set(allowed):
        return resolve(module, name, None)
    raise ValueError(
        f"The config names a function {name!r} of {module!r}. Only functions that compute can be named: those of "
        f"{', '.join('keras.' + namespace for namespace in FUNCTION_MODULES)}, and yours, given as `custom_objects`."
    )


def _exists(namespace: str) -> bool:
    return importlib.util.find_spec(namespace) is not None


def _namespaces(module: str | None) -> list[str]:
    """The modules of kerasish in which a name from `module` of Keras may be looked up."""
    if module == "builtins":
        own = (getattr(_local, "module", None) or "").removeprefix("keras.")
        return [
            f"kerasish.{name}"
            for name in (own, "activations", "losses", "metrics", "ops")
            if name in PUBLIC_MODULES
        ]
    module = module or getattr(_local, "module", None) or "keras"
    if module == PRIVATE_MODULES[0]:
        return [PRIVATE_MODULES[1]]
    parts = module.replace("tensorflow.keras", "keras").replace("tf_keras", "keras").split(".")
    if parts[0] != "keras" or (parts[1:2] == ["src"] and len(parts) < 3):
        return []
    inner = parts[2:] if parts[1:2] == ["src"] else parts[1:]
    inner = inner[2:] if inner[:1] == ["backend"] else inner  # keras.src.backend.torch.optimizers…
    found = [
        f"kerasish.{name}" for name in (".".join(inner[:2]), ".".join(inner[:1])) if name in PUBLIC_MODULES
    ]
    if not found and inner[:1] in ([], ["engine"]):
        found = ["kerasish.layers", "kerasish.models", "kerasish"]
    return list(dict.fromkeys(found))
