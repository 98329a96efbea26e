from __future__ import annotations

import importlib.util
import sys

import pytest

import kerasish.wrappers


def test_scikit_learn_is_imported_at_first_use_only(monkeypatch):
    for name in list(sys.modules):
        if name.startswith("kerasish.wrappers."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    spec = importlib.util.spec_from_file_location("fresh_wrappers", kerasish.wrappers.__file__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert not [name for name in sys.modules if name.startswith("kerasish.wrappers.")]


def test_public_names():
    assert dir(kerasish.wrappers) == [
        "BaseWrapper", "KerasClassifier", "KerasRegressor", "SKLearnClassifier", "SKLearnRegressor",
        "SKLearnTransformer", "scikit_learn",
    ]  # fmt: skip
    assert dir(kerasish.wrappers.scikit_learn) == ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


def test_unknown_name():
    with pytest.raises(AttributeError, match="Did you mean 'KerasClassifier'"):
        kerasish.wrappers.KerasClasifier  # noqa: B018
