from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish.callbacks import LearningRateFinder

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def make(optimizer="sgd", **kwargs):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer, "mse", **kwargs)
    return model


def find(model, finder, epochs=20):
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=[finder])
    return finder


@pytest.mark.parametrize("optimizer", ["sgd", "adam", torch.optim.Adam])
def test_weights_and_optimizer_are_put_back(optimizer):
    model = make(optimizer)
    model.fit(X, Y, batch_size=8, verbose=0)
    rate = float(model.optimizer.learning_rate)
    state = [v.detach().clone() for v in (*model.variables, *model.optimizer.variables)]
    finder = find(model, LearningRateFinder(steps=20))
    assert finder.losses
    for found, value in zip((*model.variables, *model.optimizer.variables), state, strict=True):
        assert torch.equal(found, value)
    assert float(model.optimizer.learning_rate) == rate


def test_rates_rise_exponentially_and_losses_are_those_of_the_batches():
    finder = find(make(), LearningRateFinder(1e-4, 1e-2, steps=9))
    np.testing.assert_allclose(finder.learning_rates, np.geomspace(1e-4, 1e-2, 9))
    model = make()
    losses = []
    for rate, start in zip(finder.learning_rates[:8], range(0, 64, 8), strict=True):
        model.optimizer.learning_rate = rate
        model.reset_metrics()
        losses.append(model.train_on_batch(X[start : start + 8], Y[start : start + 8]))
    again = LearningRateFinder(1e-4, 1e-2, steps=9)
    make().fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[again])
    np.testing.assert_allclose(again.losses[:8], losses, rtol=1e-4)


def test_ends_when_the_loss_explodes():
    model = make()
    finder = find(model, LearningRateFinder(1e-3, 1e6, steps=60, smoothing=0.0))
    assert 3 < len(finder.losses) < 60
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_suggestion_is_the_steepest_descent():
    finder = LearningRateFinder(smoothing=0.5)
    finder.learning_rates = list(np.geomspace(1e-4, 1.0, 9))
    finder.losses = [1.0, 1.0, 1.0, 0.9, 0.3, 0.2, 0.2, 0.5, 3.0]
    assert finder.suggestion == finder.learning_rates[4]
    np.testing.assert_allclose(finder.smoothed_losses[:4], [1, 1, 1, (0.9 * 8 + 4 + 2 + 1) / 15])


def test_plot_writes_a_file_or_leaves_the_drawing_open(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    finder = find(make(), LearningRateFinder(steps=10))
    axes = finder.plot(tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert not pyplot.get_fignums()
    np.testing.assert_allclose(axes.lines[0].get_ydata(), finder.losses)
    finder.plot()
    assert pyplot.get_fignums()
    pyplot.close("all")


def test_one_object_serves_several_fits():
    finder = LearningRateFinder(1e-4, 1e-2, steps=5)
    assert len(find(make(), finder).losses) == len(find(make(), finder).losses) == 5


def test_too_short_a_fit_is_reported():
    with pytest.warns(UserWarning, match=r"ended after 8 of 100 rates. Give it more `epochs`"):
        find(make(), LearningRateFinder(1e-6, 1e-3), epochs=1)


def test_errors():
    with pytest.raises(ValueError, match="float `learning_rate` instead of a schedule"):
        find(
            make(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))), LearningRateFinder()
        )
    with pytest.raises(RuntimeError, match="Received: 0 rates"):
        _ = LearningRateFinder().suggestion
    for name, value in [
        ("min_learning_rate", 0),
        ("max_learning_rate", 1e-9),
        ("steps", 2),
        ("smoothing", 1.0),
    ]:
        with pytest.raises(ValueError, match=f"{name}={value!r}"):
            LearningRateFinder(**{name: value})
    with pytest.raises(ValueError, match="divergence=1"):
        LearningRateFinder(divergence=1)
