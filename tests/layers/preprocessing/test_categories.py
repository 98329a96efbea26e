from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.layers import CategoryEncoding, Discretization


def test_last_axis_is_the_record():
    x = np.array([[[0, 1, 1], [2, 2, 2]]])
    assert CategoryEncoding(3, output_mode="count")(x).tolist() == [[[1, 2, 0], [0, 0, 3]]]
    assert Discretization([0.5, 1.5], output_mode="count")(x).tolist() == [[[1, 2, 0], [0, 0, 3]]]
    assert CategoryEncoding(3, output_mode="one_hot")(x).shape == (1, 2, 3, 3)


@pytest.mark.parametrize(
    "data", [torch.arange(20.0), list(range(20)), iter([np.arange(10.0), np.arange(10.0, 20.0)])]
)
def test_equally_full_bins(data):
    layer = Discretization(num_bins=4)
    layer.adapt(data)
    assert torch.bincount(layer(np.arange(20.0))).tolist() == pytest.approx([5] * 4, abs=1)


def test_boundaries_survive_files(tmp_path):
    layer = Discretization(num_bins=3, output_mode="one_hot")
    layer.adapt(np.random.default_rng(0).normal(size=200))
    model = kerasish.Sequential(
        [kerasish.Input((2,)), layer, kerasish.layers.Flatten(), kerasish.layers.Dense(1)]
    )
    model.save(tmp_path / "model.keras")
    loaded = kerasish.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.layers[0].bin_boundaries == pytest.approx(layer.bin_boundaries)


def test_steps_of_adapt():
    layer = Discretization(num_bins=2)
    layer.update_state(np.arange(11.0))
    layer.finalize_state()
    assert layer.bin_boundaries == [4.5]
    layer.reset_state()
    layer.adapt(iter([np.arange(11.0), np.arange(1000.0)]), steps=1)
    assert layer.bin_boundaries == [4.5]


def test_wrong_category_in_a_recorded_step():
    inputs = kerasish.Input((2,), dtype="int64")
    model = kerasish.Model(inputs, kerasish.layers.Dense(1)(CategoryEncoding(3)(inputs)))
    model.compile("sgd", "mse")
    x, y = np.zeros((12, 2), int), np.zeros(12)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    x[-1] = 3
    with pytest.raises((ValueError, RuntimeError), match=r"takes integers below num_tokens=3"):
        model.fit(x, y, batch_size=4, verbose=0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CategoryEncoding(), ValueError, r"let `IntegerLookup` learn the values"),
        (lambda: CategoryEncoding(0), ValueError, r"must be a positive integer"),
        (lambda: CategoryEncoding("a"), ValueError, r"must be a positive integer"),
        (lambda: CategoryEncoding(3, output_mode="int"), ValueError, r"`output_mode` of layer"),
        (lambda: CategoryEncoding(3, sparse=True), ValueError, r"sparse tensors are not supported"),
        (lambda: CategoryEncoding(3)([1, 3]), ValueError, r"takes integers below num_tokens=3"),
        (lambda: CategoryEncoding(3)([1], count_weights=[1.0]), ValueError, r"`count_weights` go with"),
        (
            lambda: CategoryEncoding(3, output_mode="count")([[0, 1]], count_weights=[[1.0]]),
            ValueError,
            r"must have the shape of the input, \(1, 2\). Received: \(1, 1\)",
        ),
        (lambda: Discretization(), ValueError, r"give `bin_boundaries` or `num_bins`, one of them"),
        (lambda: Discretization([1.0], num_bins=2), ValueError, r"one of them"),
        (lambda: Discretization(num_bins=-1), ValueError, r"must not be negative"),
        (lambda: Discretization([2.0, 1.0]), ValueError, r"must rise"),
        (lambda: Discretization([1.0], output_mode="tf_idf"), ValueError, r"`output_mode` of layer"),
        (lambda: Discretization([1.0], sparse=True), ValueError, r"sparse tensors are not supported"),
        (lambda: Discretization(num_bins=3)([1.0]), ValueError, r"has no boundaries yet"),
        (lambda: Discretization([1.0]).adapt([1.0]), ValueError, r"was given `bin_boundaries`"),
        (lambda: Discretization(num_bins=3).adapt(["a"]), ValueError, r"expected numbers"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
