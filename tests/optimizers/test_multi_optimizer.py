"""Several optimizers in one."""

from __future__ import annotations

import copy

import pytest
import torch

from kerasish.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap
from kerasish.variable import Variable


def make_variables():
    return [Variable([1.0], name=name) for name in ("kernel", "bias", "gain")]


def test_map_looks_up_paths_then_patterns():
    default, exact, pattern = SGD(), Adam(), Adam()
    optimizers = OptimizerMap(default, {"a/kernel": exact})
    optimizers["a/.*"] = pattern
    assert optimizers["a/kernel"] is exact
    assert optimizers["a/bias"] is pattern
    assert optimizers["a"] is optimizers["b/kernel"] is optimizers.default_optimizer is default
    assert optimizers(Variable([1.0], name="a")) is default
    assert list(optimizers) == ["a/kernel", "a/.*"]
    optimizers["a/b.*"] = exact
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable 'a/bias'"):
        optimizers["a/bias"]
    del optimizers["a/b.*"]
    assert len(optimizers) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: OptimizerMap("sgd"), TypeError, "`default_optimizer` must be an Optimizer"),
        (lambda: OptimizerMap(SGD(), {"a": "sgd"}), ValueError, "value must be an Optimizer"),
        (lambda: OptimizerMap(SGD(), {3: SGD()}), ValueError, "key must be a string"),
        (lambda: OptimizerMap(SGD(), {"a": SGD()}).__setitem__("a", SGD()), ValueError, "already exists"),
        (lambda: MultiOptimizer(3), TypeError, "`optimizer_map` must be an OptimizerMap or a callable"),
        (
            lambda: MultiOptimizer(lambda v: None).build(make_variables()),
            ValueError,
            "optimizer of variable 'kernel'",
        ),
        (lambda: MultiOptimizer(OptimizerMap(SGD())).learning_rate, AttributeError, "cannot be accessed"),
        (lambda: MultiOptimizer(OptimizerMap(SGD())).lr, AttributeError, "cannot be accessed"),
        (lambda: setattr(MultiOptimizer(OptimizerMap(SGD())), "lr", 1.0), AttributeError, "cannot be set"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def make():
    return MultiOptimizer(
        OptimizerMap(SGD(0.5, name="slow"), {"b.*": SGD(1.0, momentum=0.5, name="fast")}), name="m"
    )


def test_each_variable_gets_its_optimizer():
    variables, optimizer = make_variables(), make()
    gradients = [torch.tensor([0.5])] * 3
    optimizer.apply(gradients, variables)
    optimizer.apply(gradients[:2], variables[:2])
    assert [v.item() for v in variables] == [0.5, -0.25, 0.75]
    assert [o.name for o in optimizer.optimizers] == ["fast", "slow"]
    assert int(optimizer.iterations) == 2
    assert [v.path for v in optimizer.variables] == [
        "m/iteration", "m/learning_rate", "fast/iteration", "fast/learning_rate", "fast/bias_momentum",
        "slow/iteration", "slow/learning_rate",
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([gradients[0], None, gradients[0]], variables)
    with pytest.raises(ValueError, match="built for other variables"):
        optimizer.apply(gradients, make_variables())


def test_loss_scale_factor_is_shared():
    optimizer, variables = make(), make_variables()
    optimizer.loss_scale_factor = 4.0
    assert [o.loss_scale_factor for o in optimizer.optimizers] == [4.0, 4.0]
    assert optimizer.scale_loss(2.0) == 8.0
    optimizer.apply([torch.tensor([4.0])] * 3, variables)
    assert [v.item() for v in variables] == [0.5, 0.0, 0.5]


def test_averages_and_decay_exemptions():
    averaged, plain = SGD(1.0, use_ema=True, ema_momentum=0.5, weight_decay=0.5), SGD(1.0)
    optimizer = MultiOptimizer(lambda v: averaged if v.name == "kernel" else plain)
    variables = make_variables()
    optimizer.build(variables)
    for _ in range(2):
        optimizer.apply([torch.ones(1)] * 3)
    optimizer.finalize_variable_values(variables)
    assert [v.item() for v in variables] == [-0.875, -1.0, -1.0]
    mapped = make()
    mapped.exclude_from_weight_decay(var_names=["bias"])
    assert all(o._undecayed_names == ["bias"] for o in mapped.optimizers)


def test_config_and_copies():
    optimizer, variables = make(), make_variables()
    optimizer.apply([torch.ones(1)] * 3, variables)
    assert MultiOptimizer.from_config(optimizer.get_config()).get_config() == optimizer.get_config()
    other, other_variables = copy.deepcopy((optimizer, variables))
    for one, its in ((optimizer, variables), (other, other_variables)):
        one.apply([torch.ones(1)] * 3, its)
    torch.testing.assert_close(variables, other_variables)
    other.set_weights(optimizer.get_weights())
    assert optimizer.capturable
