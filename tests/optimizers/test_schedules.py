"""Learning rate schedules by their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from kerasish.optimizers import schedules

S = schedules


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (S.ExponentialDecay(0.1, 10, 0.5), {0: 0.1, 5: 0.1 * 0.5**0.5, 20: 0.025}),
        (S.ExponentialDecay(0.1, 10, 0.5, staircase=True), {9: 0.1, 10: 0.05, 19: 0.05}),
        (S.InverseTimeDecay(0.1, 10, 2.0), {0: 0.1, 5: 0.05, 10: 0.1 / 3}),
        (S.InverseTimeDecay(0.1, 10, 2.0, staircase=True), {9: 0.1, 10: 0.1 / 3}),
        (S.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1]), {0: 1.0, 2: 1.0, 3: 0.5, 4: 0.5, 5: 0.1}),
        (S.PiecewiseConstantDecay([], [1.0]), {0: 1.0, 9: 1.0}),
        (S.PolynomialDecay(0.1, 10, 0.0, power=2.0), {0: 0.1, 5: 0.025, 10: 0.0, 99: 0.0}),
        (S.PolynomialDecay(0.1, 10, 0.0, cycle=True), {0: 0.1, 10: 0.0, 15: 0.025, 20: 0.0}),
        (S.CosineDecay(0.1, 10), {0: 0.1, 5: 0.05, 10: 0.0, 99: 0.0}),
        (S.CosineDecay(0.1, 10, alpha=0.5), {0: 0.1, 5: 0.075, 10: 0.05}),
        (
            S.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=4),
            {0: 0.0, 2: 0.05, 4: 0.1, 9: 0.05, 14: 0.0},
        ),
        (S.CosineDecayRestarts(0.1, 10, m_mul=0.5), {0: 0.1, 5: 0.05, 10: 0.05, 20: 0.025, 30: 0.025}),
        (S.CosineDecayRestarts(0.1, 10, t_mul=1.0, alpha=0.2), {0: 0.1, 5: 0.06, 10: 0.1, 15: 0.06}),
    ],
)
def test_values(schedule, expected):
    for step, rate in expected.items():
        for given in (step, torch.tensor(step), torch.tensor(float(step))):
            result = schedule(given)
            assert isinstance(result, torch.Tensor)
            assert result.shape == ()
            assert float(result) == pytest.approx(rate, rel=1e-5, abs=1e-8)
    copy = schedules.deserialize(schedules.serialize(schedule))
    assert type(copy) is type(schedule)
    assert copy.get_config() == schedule.get_config()
    assert type(schedule).from_config(schedule.get_config()).get_config() == schedule.get_config()


def test_steps_may_be_a_vector():
    steps = torch.arange(5)
    expected = [0.05 * (1 + math.cos(math.pi * t / 4)) for t in range(5)]
    torch.testing.assert_close(schedules.CosineDecay(0.1, 4)(steps), torch.tensor(expected))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: S.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` must be > 0"),
        (lambda: S.InverseTimeDecay(0.1, -1, 0.5), "`decay_steps` must be > 0"),
        (lambda: S.PolynomialDecay(0.1, 0), "`decay_steps` must be > 0"),
        (lambda: S.CosineDecay(0.1, 0), "`decay_steps` must be > 0"),
        (lambda: S.CosineDecayRestarts(0.1, 0), "`first_decay_steps` must be > 0"),
        (lambda: S.PiecewiseConstantDecay([1, 2], [0.1]), "1 less than the length of values"),
        (lambda: S.deserialize({"class_name": "CosineDeca", "config": {}}), "Did you mean 'CosineDecay'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_base_class_asks_for_its_methods():
    with pytest.raises(NotImplementedError, match="must override `__call__"):
        schedules.LearningRateSchedule()(1)
    with pytest.raises(NotImplementedError, match="must override `get_config"):
        schedules.LearningRateSchedule().get_config()


def test_public_names():
    assert dir(schedules) == sorted(schedules.__all__)
