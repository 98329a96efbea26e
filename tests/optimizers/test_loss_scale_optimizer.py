"""Dynamic loss scaling."""

from __future__ import annotations

import copy

import pytest
import torch

from kerasish.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer


def make(inner=None, **kwargs):
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = LossScaleOptimizer(inner or SGD(0.5), initial_scale=4.0, dynamic_growth_steps=2, **kwargs)
    optimizer.build([weight])
    return optimizer, weight


def test_gradients_are_unscaled_and_the_scale_adapts():
    optimizer, weight = make()
    inf, nan = float("inf"), float("nan")
    seen = []
    for value in (4.0, inf, 2.0, 2.0, 4.0, nan, -inf):
        optimizer.apply([torch.tensor([value])])
        seen.append((weight.item(), optimizer.dynamic_scale.item(), optimizer.step_counter.item()))
    assert seen == [
        (0.5, 4.0, 1), (0.5, 2.0, 0), (0.0, 2.0, 1), (-0.5, 4.0, 0), (-1.0, 4.0, 1), (-1.0, 2.0, 0),
        (-1.0, 1.0, 0),
    ]  # fmt: skip
    assert int(optimizer.iterations) == 4


def test_a_skipped_step_leaves_all_state_as_it_was():
    optimizer, weight = make(Adam(0.1, use_ema=True, weight_decay=0.1))
    weight.constraint = lambda w: w * 0.5
    optimizer.apply([torch.tensor([4.0])])
    before = copy.deepcopy(optimizer.inner_optimizer.get_weights()), weight.item()
    optimizer.apply([torch.tensor([float("nan")])])
    assert (optimizer.inner_optimizer.get_weights(), weight.item()) == before


def test_scale_loss_before_and_after_build():
    inner = SGD(loss_scale_factor=2.0)
    optimizer = LossScaleOptimizer(inner, initial_scale=8.0)
    assert optimizer.scale_loss(1.0) == 16.0
    optimizer.build([torch.nn.Parameter(torch.ones(1))])
    assert optimizer.scale_loss(1.0).item() == 16.0


@pytest.mark.parametrize(("wrap", "expected"), [(LossScaleOptimizer, -1e-7), (lambda inner: inner, 0.0)])
def test_tiny_float16_gradients_survive_by_scaling(wrap, expected):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = wrap(SGD(1.0))
    optimizer.build([weight])
    for _ in range(10):
        loss = weight.half().sum().float() * 1e-8
        optimizer.scale_loss(loss).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert weight.item() == pytest.approx(expected, rel=1e-2)


def test_learning_rate_and_decay_belong_to_the_inner_optimizer():
    inner = Adam(0.1, weight_decay=0.1)
    optimizer = LossScaleOptimizer(inner)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert inner._undecayed_names == ["bias"]
    optimizer.lr = 0.5
    assert float(inner.learning_rate) == float(optimizer.learning_rate) == 0.5
    assert optimizer.capturable
    assert not LossScaleOptimizer(SGD(lambda: 0.1)).capturable


def test_state_order_and_config():
    optimizer, _ = make(SGD(0.5, momentum=0.9, name="inner"), name="outer")
    assert [v.path for v in optimizer.variables] == [
        "outer/iteration", "outer/learning_rate", "outer/step_counter", "outer/dynamic_scale",
        "inner/iteration", "inner/learning_rate", "inner/parameter_momentum",
    ]  # fmt: skip
    other = LossScaleOptimizer.from_config(optimizer.get_config())
    assert other.get_config() == optimizer.get_config()
    assert isinstance(other.inner_optimizer, SGD)


def test_missing_gradient_and_finalizing():
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    optimizer = LossScaleOptimizer(SGD(0.5, use_ema=True), initial_scale=1.0)
    optimizer.build(weights)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, torch.ones(1)])
    optimizer.finalize_variable_values(weights)
    assert [w.item() for w in weights] == [1.0, 0.5]
    optimizer.apply([])
    assert int(optimizer.iterations) == 1


def test_variables_of_mixed_dtypes():
    weights = [torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1, dtype=torch.float64))]
    fast, slow = SGD(1.0), SGD(0.5)
    inner = MultiOptimizer(lambda v: fast if v.dtype is torch.float32 else slow)
    optimizer = LossScaleOptimizer(inner, initial_scale=2.0)
    optimizer.apply([torch.ones(1), torch.ones(1)], weights)
    assert [w.item() for w in weights] == [0.5, 0.75]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LossScaleOptimizer("sgd"), TypeError, "`inner_optimizer` must be an Optimizer"),
        (
            lambda: LossScaleOptimizer(SGD(), clipnorm=1.0),
            ValueError,
            "set `clipnorm` on the `inner_optimizer`",
        ),
        (lambda: LossScaleOptimizer(SGD(), initial_scal=1.0), ValueError, "Did you mean 'initial_scale'"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
