"""`Bidirectional` and `TimeDistributed`: what parity with Keras does not say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

X = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": layers.Dense(3)}, r"wraps recurrent layers.*Dense"),
        (
            {"layer": layers.LSTM(3), "merge_mode": "add"},
            r"`merge_mode` must be one of.*Received: merge_mode='add'",
        ),
        (
            {"layer": layers.LSTM(3), "backward_layer": layers.LSTM(3)},
            r"`go_backwards=True`, the other one not",
        ),
        (
            {
                "layer": layers.LSTM(3),
                "backward_layer": layers.LSTM(3, go_backwards=True, return_sequences=True),
            },
            r"the same `return_sequences`. Received: False and True",
        ),
        ({"layer": layers.LSTM(3), "backward_layer": layers.Dense(3)}, r"wraps recurrent layers"),
    ],
)
def test_bad_pairs(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.Bidirectional(**arguments)


def test_state_is_reset_only_where_there_is_one():
    with pytest.raises(RuntimeError, match=r"keeps no state"):
        layers.Bidirectional(layers.LSTM(3)).reset_states()
    layer = layers.Bidirectional(layers.LSTM(3, stateful=True))
    first = layer(X)
    assert len(layer.states) == 4 and all(state.any() for state in layer.states)
    layer.reset_states()
    assert not any(state.any() for state in layer.states)
    torch.testing.assert_close(layer(X), first)


def test_initial_weights():
    layer = layers.Bidirectional(layers.GRU(2), name="given")
    layer(X)
    twin = layers.Bidirectional(layers.GRU(2), weights=layer.get_weights())
    torch.testing.assert_close(twin(X), layer(X))


def test_steps_through_the_layer_at_once_or_one_by_one():
    """A layer that sees records alone gets all time steps as one batch; one of the user's gets them one by one."""

    class Seen(layers.Layer):
        shapes: list = []

        def call(self, x):
            self.shapes.append(tuple(x.shape))
            return x

    layers.TimeDistributed(Seen())(X)
    assert Seen.shapes == [(4, 3)] * 6
    dense = layers.TimeDistributed(layers.Dense(2))
    torch.testing.assert_close(dense(X), dense.layer(X))


def test_masks_of_the_time_steps_reach_the_layer():
    mask = torch.rand(4, 6, 5) < 0.5
    x = torch.randn(4, 6, 5, 3)
    layer = layers.TimeDistributed(layers.GRU(2))
    output = layer(x, mask=mask)
    for t in range(6):
        torch.testing.assert_close(output[:, t], layer.layer(x[:, t], mask=mask[:, t]))


@pytest.mark.parametrize("shape", [(4, 6), (4,)])
def test_inputs_without_features(shape):
    with pytest.raises(ValueError, match=r"needs inputs of shape \(batch, time, features, …\). Received:"):
        layers.TimeDistributed(layers.Dense(2))(torch.ones(shape))
    with pytest.raises(ValueError, match=r"needs inputs of shape"):
        layers.TimeDistributed(layers.Dense(2)).build([(None, 3, 4), (None, 3, 4)])


def test_a_mask_that_does_not_fit():
    with pytest.raises(
        ValueError, match=r"must begin with the shape \(4, 6\). Received: Tensor of shape \(4, 5\)"
    ):
        layers.TimeDistributed(layers.Dense(2))(X, mask=torch.ones(4, 5, dtype=torch.bool))


def test_a_model_of_frames_learns():
    """A convolutional model per frame, then a recurrent layer, told to find where a blob moves."""
    rng = np.random.default_rng(0)
    direction = rng.integers(0, 2, 64)
    frames = np.zeros((64, 5, 8, 8, 1), "float32")
    for i in range(64):
        row = rng.integers(1, 7)
        for t in range(5):
            frames[i, t, row, (t + 1) if direction[i] else (6 - t)] = 1
    keras.utils.set_random_seed(0)
    per_frame = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(16, activation="relu")]
    )
    model = keras.Sequential(
        [
            keras.Input((5, 8, 8, 1)),
            layers.TimeDistributed(per_frame),
            layers.LSTM(8),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(frames, direction, batch_size=16, epochs=15, verbose=0).history
    assert history["accuracy"][-1] > 0.95
