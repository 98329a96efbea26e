from __future__ import annotations

import functools
import importlib
import re

import pytest

import kerasish
from kerasish.legacy import names
from kerasish.legacy.names import GONE, MODULES, RENAMED, explain, find, module_getattr


@pytest.mark.parametrize("name", sorted(RENAMED["keras.losses"]))
def test_losses_have_their_old_names(name):
    target = RENAMED["keras.losses"][name]
    door = kerasish.utils if target.startswith("keras.utils") else kerasish.losses
    assert find("keras.losses", name) is getattr(door, target.rpartition(".")[2])


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("keras.engine.network", "Network", lambda: kerasish.models.Model),
        ("keras.engine.topology", "Layer", lambda: kerasish.layers.Layer),
        ("keras.layers", "convolutional", lambda: kerasish.layers),
        ("keras", "objectives", lambda: kerasish.losses),
        ("keras.objectives", "MSE", lambda: kerasish.losses.mean_squared_error),
        ("keras.optimizers", "sgd", lambda: kerasish.optimizers.SGD),
        ("keras.constraints", "maxnorm", lambda: kerasish.constraints.MaxNorm),
        ("keras.backend", "argmax", lambda: importlib.import_module("kerasish.legacy.backend").argmax),
    ],
)
def test_old_names_are_found(namespace, name, expected):
    assert find(namespace, name) is expected()
    assert module_getattr(namespace)(name) is expected()


def test_names_that_are_gone_say_what_to_write():
    with pytest.raises(AttributeError, match=r"`keras.layers.core.MaxoutDense` is not in Keras 3. Use Dense"):
        find("keras.layers.core", "MaxoutDense")
    with pytest.raises(
        AttributeError, match=r"'keras.losses' has no attribute 'huuber'. Did you mean 'huber'"
    ):
        find("keras.losses", "huuber")
    assert explain("keras.losses", "__path__") == "module 'keras.losses' has no attribute '__path__'."


ADVICE = [(namespace, name, advice) for namespace, gone in GONE.items() for name, advice in gone.items()]
NOT_BUILT_YET = ("keras.distribution", "keras.applications")


@pytest.mark.parametrize(("namespace", "name", "advice"), ADVICE)
def test_every_name_that_is_gone_says_what_to_write(namespace, name, advice):
    with pytest.raises(AttributeError, match=rf"`{re.escape(namespace)}.{name}` .*Use {re.escape(advice)}"):
        find(namespace, name)
    for public in re.findall(r"keras(?:\.\w+)+", advice):
        if not public.startswith(NOT_BUILT_YET):
            assert functools.reduce(getattr, public.split(".")[1:], kerasish) is not None


@pytest.mark.parametrize("namespace", sorted(RENAMED))
def test_every_name_that_moved_is_found(namespace):
    assert all(find(namespace, name) is not None for name in RENAMED[namespace])


def test_the_tables_do_not_contradict_each_other():
    for namespace, renamed in RENAMED.items():
        assert not set(renamed) & set(GONE.get(namespace, {}))
    for gone in GONE.values():
        assert all(advice and not advice.endswith(".") for advice in gone.values())
    assert all(door not in MODULES for door in MODULES.values())


def test_the_old_backend_functions_exist():
    from kerasish.legacy import backend

    assert all(callable(getattr(backend, name)) for name in names._IN_LEGACY_BACKEND.split())
