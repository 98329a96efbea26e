"""The JSON of every public class of the vocabulary loads in the real Keras 3, and Keras's loads here."""

from __future__ import annotations

import json

import pytest

import kerasish
from tests.contracts.vocabulary import arguments, namespace_of, public_classes

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # Keras's variables

CONFIGURED = {path: cls for path, cls in public_classes(kerasish).items() if hasattr(cls, "get_config")}
NOT_IN_KERAS = {
    "losses.LossFunctionWrapper": "public in Keras 2 only",
    "metrics.MeanRelativeError": "Keras 2's",
    "metrics.MeanTensor": "Keras 2's",
    "optimizers.schedules.OneCycle": "kerasish's own",
}
KERAS_CANNOT_LOAD_ITS_OWN = ("losses.CategoricalGeneralizedCrossEntropy", "optimizers.Lamb")
ARGUMENTS_THAT_KERAS_FORGETS = {
    "losses.CosineSimilarity": "axis",
    "losses.Huber": "delta",
    "losses.SparseCategoricalCrossentropy": "axis",
}


def json_of(package, path, obj):
    config = json.loads(json.dumps(namespace_of(package, path.rpartition(".")[0]).serialize(obj)))
    return portable(config) if package is keras else config


def portable(config):
    """A config with the public module where Keras names the private one of its torch backend."""
    if not isinstance(config, dict):
        return config
    config = {key: portable(value) for key, value in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers"):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


def load(package, path, config):
    return namespace_of(package, path.rpartition(".")[0]).deserialize(config)


def without(path, config):
    forgotten = ARGUMENTS_THAT_KERAS_FORGETS.get(path)
    return {**config, "config": {name: v for name, v in config["config"].items() if name != forgotten}}


@pytest.mark.parametrize("path", sorted(CONFIGURED.keys() - NOT_IN_KERAS.keys()))
def test_json_is_keras_s_and_loads_both_ways(path):
    keras.utils.clear_session()
    kerasish.utils.clear_session()
    cls = getattr(namespace_of(keras, path.rpartition(".")[0]), path.rpartition(".")[2])
    ours = CONFIGURED[path](**arguments(path, CONFIGURED[path], kerasish))
    theirs = cls(**arguments(path, CONFIGURED[path], keras))
    written, expected = json_of(kerasish, path, ours), json_of(keras, path, theirs)
    raw = json.loads(json.dumps(namespace_of(keras, path.rpartition(".")[0]).serialize(theirs)))
    assert without(path, written) == expected
    assert without(path, json_of(kerasish, path, load(kerasish, path, raw))) == expected
    if path not in KERAS_CANNOT_LOAD_ITS_OWN:
        assert json_of(keras, path, load(keras, path, written)) == expected


def test_exceptions_are_still_true():
    for path in NOT_IN_KERAS:
        assert not hasattr(namespace_of(keras, path.rpartition(".")[0]), path.rpartition(".")[2])
    for path in KERAS_CANNOT_LOAD_ITS_OWN:
        config = json_of(kerasish, path, CONFIGURED[path]())
        assert isinstance(load(keras, path, config), str)
        assert type(load(kerasish, path, config)) is CONFIGURED[path]
    for path, name in ARGUMENTS_THAT_KERAS_FORGETS.items():
        assert name not in getattr(keras.losses, path.rpartition(".")[2])().get_config()
