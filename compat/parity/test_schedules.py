"""Every learning rate schedule against the real Keras 3, at every step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish.optimizers import schedules

keras = pytest.importorskip("keras")

CASES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 2, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [3, 10], "values": [1.0, 0.5, 0.1]}),
    ("PiecewiseConstantDecay", {"boundaries": [3.5, 10.5, 11.0], "values": [1.0, 0.5, 0.1, 2.0]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 0.5, "end_learning_rate": 0.01},
    ),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "power": 2.0, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.3}),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 5},
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.2, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 5},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.2, "decay_steps": 20, "warmup_target": 0.1}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.5},
    ),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 7, "t_mul": 1.5, "alpha": 0.1},
    ),
]


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=[f"{name}-{len(kwargs)}" for name, kwargs in CASES])
def test_schedules(name, kwargs):
    theirs = getattr(keras.optimizers.schedules, name)(**kwargs)
    ours = getattr(schedules, name)(**kwargs)
    expected = [float(theirs(step)) for step in range(60)]
    np.testing.assert_allclose([float(ours(step)) for step in range(60)], expected, rtol=1e-5, atol=1e-7)
    on_tensors = [ours(torch.tensor(step)) for step in range(60)]
    np.testing.assert_allclose(torch.stack(on_tensors).numpy(), expected, rtol=1e-5, atol=1e-7)
    assert all(rate.dtype is torch.float32 and rate.shape == () for rate in on_tensors)
    assert ours.get_config() == theirs.get_config()
    assert schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)
