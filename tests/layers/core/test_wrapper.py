"""`Wrapper`: a layer around another one."""

from __future__ import annotations

import pytest
import torch

import kerasish as keras
from kerasish import layers


@keras.saving.register_keras_serializable(package="test_wrapper")
class Twice(layers.Wrapper):
    """Doubles what the layer returns."""

    def call(self, inputs):
        return 2 * self.layer(inputs)


def test_weights_paths_and_config():
    wrapper = Twice(layers.Dense(3, name="inner"), name="outer")
    x = torch.ones(2, 4)
    output = wrapper(x)
    torch.testing.assert_close(output, 2 * wrapper.layer(x))
    assert [w.path for w in wrapper.weights] == ["outer/inner/kernel", "outer/inner/bias"]
    twin = layers.deserialize(layers.serialize(wrapper))
    twin.set_weights(wrapper.get_weights())
    torch.testing.assert_close(twin(x), output)


def test_a_wrapper_without_call_says_so():
    with pytest.raises(NotImplementedError, match=r"Wrapper.*must define `call"):
        layers.Wrapper(layers.Dense(2))(torch.ones(1, 2))


@pytest.mark.parametrize("cls", [layers.Wrapper, layers.TimeDistributed, layers.Bidirectional])
@pytest.mark.parametrize("thing", [3, "dense", torch.tanh, torch.nn.Linear(2, 2)])
def test_wraps_layers_only(cls, thing):
    with pytest.raises(ValueError, match=rf"`{cls.__name__}` wraps a layer"):
        cls(thing)
