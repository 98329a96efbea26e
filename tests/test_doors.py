from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import kerasish

DOORS = [
    "kerasish", "kerasish.callbacks", "kerasish.layers", "kerasish.ops", "kerasish.ops.image", "kerasish.ops.nn",
    "kerasish.ops.numpy", "kerasish.preprocessing", "kerasish.utils",
]  # fmt: skip


def imported_after(statement: str) -> set[str]:
    """The modules of kerasish that a fresh interpreter has after a statement."""
    code = f"import sys\n{statement}\nprint(*(name for name in sys.modules if name.startswith('kerasish')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("door", DOORS)
def test_everything_that_a_door_shows_is_there(door):
    package = importlib.import_module(door)
    names = dir(package)
    assert names == sorted(set(names)) and not any(name.startswith("_") for name in names)
    assert all(getattr(package, name) is not None for name in names)
    namespace: dict = {}
    exec(f"from {door} import *", namespace)
    assert set(names) <= set(namespace)


@pytest.mark.parametrize("door", DOORS)
def test_names_are_not_hidden_by_files_of_the_package(door):
    """Importing `package.name` would put the module in the place of what the door shows under that name."""
    package = importlib.import_module(door)
    for name in dir(package):
        shown = getattr(package, name)
        try:
            importlib.import_module(f"{door}.{name}")
        except ModuleNotFoundError:
            continue
        assert getattr(package, name) is shown


@pytest.mark.parametrize("door", DOORS)
def test_unknown_names(door):
    with pytest.raises(AttributeError, match=r"has no attribute 'no_such_thing'"):
        importlib.import_module(door).__getattr__("no_such_thing")
    with pytest.raises(ImportError, match=r"cannot import name 'no_such_thing'"):
        exec(f"from {door} import no_such_thing")
    assert not hasattr(importlib.import_module(door), "__wrapped__")


def test_typing_errors_get_the_closest_name():
    with pytest.raises(AttributeError, match=r"Did you mean 'Conv2D'"):
        kerasish.layers.__getattr__("Conv2d")


def test_what_is_seldom_used_is_imported_when_asked_for():
    modules = imported_after("import kerasish")
    assert {"kerasish.models.model", "kerasish.training.loop"} <= modules
    late = (
        "ops.image",
        "ops.numpy",
        "preprocessing",
        "layers.preprocessing",
        "layers.attention",
        "port",
        "datasets",
    )
    assert not [name for name in modules if name.removeprefix("kerasish.").startswith(late)]
    assert "kerasish.layers.attention.attention" in imported_after(
        "import kerasish\nkerasish.layers.Attention"
    )


def test_names_of_other_backends_say_what_to_do():
    with pytest.raises(AttributeError, match=r"`keras.layers.JaxLayer` needs another backend.*`Lambda`"):
        kerasish.layers.__getattr__("JaxLayer")
