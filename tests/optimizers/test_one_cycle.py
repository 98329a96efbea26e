from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish.optimizers import schedules
from kerasish.optimizers.schedules import OneCycle


@pytest.mark.parametrize(
    ("total_steps", "warmup_fraction"), [(2, 0.99), (3, 0.5), (10, 0.3), (101, 0.3), (101, 0.99)]
)
@pytest.mark.parametrize(("shape", "torch_name"), [("cosine", "cos"), ("linear", "linear")])
def test_rates_are_torch_s(total_steps, warmup_fraction, shape, torch_name):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        0.4,
        total_steps,
        pct_start=warmup_fraction,
        anneal_strategy=torch_name,
        cycle_momentum=False,
    )
    expected = []
    for step in range(total_steps):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        if step < total_steps - 1:
            theirs.step()
    ours = OneCycle(0.4, total_steps, warmup_fraction, shape=shape)
    found = [float(ours(torch.tensor(step))) for step in range(total_steps)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert ours(10 * total_steps) == ours(total_steps - 1)


def test_config():
    schedule = OneCycle(0.4, 50, 0.2, 10.0, 100.0, "linear", "mine")
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config() == OneCycle(**schedule.get_config()).get_config()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_learning_rate", 0),
        ("total_steps", 1),
        ("warmup_fraction", 1.0),
        ("initial_divisor", 0),
        ("final_divisor", -1),
        ("shape", "square"),
    ],
)
def test_errors(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}={value!r}"):
        OneCycle(**{"max_learning_rate": 0.1, "total_steps": 10, name: value})
