"""The base class: arguments, state, clipping, decay, averaging, accumulation, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasish.optimizers import SGD, Adam, Optimizer, RMSprop
from kerasish.optimizers.schedules import ExponentialDecay, LearningRateSchedule
from kerasish.variable import Variable


def make(*values):
    return [torch.nn.Parameter(torch.tensor(value, dtype=torch.float32)) for value in values]


def gradient(*values):
    return [torch.tensor(value, dtype=torch.float32) for value in values]


class Halve(LearningRateSchedule):
    def __call__(self, step):
        return 0.5 ** float(step)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"learning_rate": "fast"}, "`learning_rate` should be float"),
        ({"learning_rate": None}, "`learning_rate` should be float"),
        ({"learning_rate": True}, "`learning_rate` should be float"),
        ({"learning_rate": [0.1]}, "`learning_rate` should be float"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of `clipnorm`, `clipvalue` and `global_clipnorm`"),
        ({"clipnorm": -1.0}, "`clipnorm` must be a number >= 0"),
        ({"global_clipnorm": -1.0}, "`global_clipnorm` must be a number >= 0"),
        ({"clipvalue": "a"}, "`clipvalue` must be a number >= 0"),
        ({"weight_decay": "Adam"}, "`weight_decay` must be a number >= 0"),
        ({"decay": -0.1}, "`decay` must be a number >= 0"),
        ({"use_ema": True, "ema_momentum": 1.1}, r"`ema_momentum` must be in the range \[0, 1\]"),
        (
            {"use_ema": True, "ema_overwrite_frequency": 1.5},
            "`ema_overwrite_frequency` must be an integer >= 1",
        ),
        ({"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps` must be an integer >= 2"),
        ({"clipnrm": 1.0}, "not recognized by SGD.*Did you mean 'clipnorm'"),
        ({"jit_compile": True}, "argument of `model.compile"),
        ({"name": "a/b"}, "without '/'"),
    ],
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        SGD(**kwargs)


@pytest.mark.parametrize(
    "rate", [1, 0.25, np.float32(0.25), np.float64(0.25), np.array(0.25), torch.tensor(0.25)]
)
def test_learning_rate_may_be_any_number(rate):
    optimizer = SGD(rate)
    assert float(optimizer.learning_rate) == float(rate)
    optimizer.learning_rate = rate * 2
    assert float(optimizer.learning_rate) == 2 * float(rate)
    assert optimizer.get_config()["learning_rate"] == 2 * float(rate)


def test_keras_2_names_are_honoured():
    optimizer = SGD(lr=0.5, decay=0.25)
    (weight,) = make([0.0])
    for _ in range(3):
        optimizer.apply(gradient([1.0]), [weight])
    assert weight.item() == pytest.approx(-0.5 * (1 + 1 / 1.25 + 1 / 1.5))
    assert optimizer.lr is optimizer.learning_rate
    optimizer.lr = 0.125
    assert float(optimizer.learning_rate) == 0.125
    assert SGD.from_config(optimizer.get_config()).decay == 0.25
    assert "decay" not in SGD().get_config()
    assert [w.shape for w in optimizer.get_weights()] == [w.shape for w in optimizer.weights]


def test_assigned_learning_rate_keeps_its_tensor():
    optimizer = SGD(0.1)
    tensor = optimizer.learning_rate
    optimizer.learning_rate = 0.7
    assert optimizer.learning_rate is tensor
    assert tensor.item() == pytest.approx(0.7)
    with pytest.raises(ValueError, match="must be set to a number"):
        optimizer.learning_rate = "fast"


def test_schedules_and_callables_replace_the_learning_rate():
    (weight,) = make([0.0])
    optimizer = SGD(0.1)
    optimizer.learning_rate = ExponentialDecay(1.0, decay_steps=1, decay_rate=0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    for expected in (-1.0, -1.5, -1.75):
        optimizer.apply(gradient([1.0]), [weight])
        assert weight.item() == pytest.approx(expected)
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = lambda: 0.25
    optimizer.apply(gradient([1.0]), [weight])
    assert weight.item() == pytest.approx(-2.0)
    assert optimizer.learning_rate == 0.25
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1


def test_capturable():
    assert SGD().capturable
    assert SGD(ExponentialDecay(0.1, 1, 0.5)).capturable
    assert not SGD(lambda: 0.1).capturable
    assert not SGD(Halve()).capturable


def test_schedule_with_python_numbers_works_uncaptured():
    (weight,) = make([0.0])
    optimizer = SGD(Halve())
    for _ in range(3):
        optimizer.apply(gradient([1.0]), [weight])
    assert weight.item() == pytest.approx(-1.75)


def test_state_is_named_and_ordered_as_in_keras():
    weight = Variable([1.0], name="kernel")
    weight._path = "model/dense/kernel"
    optimizer = Adam(use_ema=True, gradient_accumulation_steps=2, amsgrad=True, name="mine")
    optimizer.build([weight])
    stem = "mine/model_dense_kernel_"
    slots = ["average", "gradient_accumulator", "momentum", "velocity", "velocity_hat"]
    expected = ["mine/iteration", "mine/learning_rate", *(stem + slot for slot in slots)]
    assert [v.path for v in optimizer.variables] == expected
    assert not any(v.requires_grad for v in optimizer.variables)
    assert all(isinstance(v, Variable) for v in optimizer.variables)


def test_step_and_zero_grad_in_a_plain_pytorch_loop():
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 1)
    inputs, targets = torch.randn(32, 3), torch.randn(32, 1)
    optimizer = RMSprop(0.01)
    optimizer.build(module.parameters())
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.mse_loss(module(inputs), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        assert module.weight.grad is None
    assert losses[-1] < losses[0]
    module(inputs).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert module.weight.grad.abs().sum() == 0


def test_apply_gradients_takes_pairs():
    weights = make([1.0], [2.0])
    optimizer = SGD(0.5)
    iterations = optimizer.apply_gradients(zip(gradient([1.0], [1.0]), weights, strict=True))
    assert int(iterations) == 1
    assert [w.item() for w in weights] == [0.5, 1.5]
    with pytest.raises(ValueError, match="at least one"):
        optimizer.apply_gradients([])


def test_numpy_gradients_and_other_dtypes_are_cast():
    (weight,) = make([1.0, 2.0])
    SGD(0.5).apply([np.array([1.0, 2.0])], [weight])
    assert weight.tolist() == [0.5, 1.0]
    assert weight.dtype is torch.float32


def test_missing_gradients_are_skipped_with_a_warning():
    weights = make([1.0], [2.0])
    optimizer = SGD(0.5, momentum=0.9)
    optimizer.build(weights)
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['parameter'\]"):
        optimizer.apply([None, torch.ones(1)])
    assert [w.item() for w in weights] == [1.0, 1.5]
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None])
    optimizer.apply([])
    assert int(optimizer.iterations) == 1


def test_subset_and_other_order_of_variables():
    weights = make([1.0], [2.0])
    optimizer = SGD(1.0, momentum=0.5)
    optimizer.build(weights)
    optimizer.apply(gradient([0.5], [0.25]), weights[::-1])
    optimizer.apply(gradient([0.5]), weights[:1])
    assert [w.item() for w in weights] == [1 - 0.25 - 0.625, 2 - 0.5]


def test_wrong_calls():
    weights = make([1.0, 1.0], [2.0])
    optimizer = SGD()
    with pytest.raises(ValueError, match="must already be built"):
        optimizer.apply(gradient([1.0]))
    with pytest.raises(ValueError, match="must be built"):
        optimizer.stateless_apply([], gradient([1.0]), [])
    with pytest.raises(ValueError, match="not yet been built"):
        optimizer.set_weights([])
    optimizer.build(weights)
    optimizer.build(make([3.0]))
    with pytest.raises(ValueError, match="built for other variables: make a new one"):
        optimizer.apply(gradient([1.0]), make([1.0]))
    with pytest.raises(ValueError, match="Received: 1 gradients and 2 variables"):
        optimizer.apply(gradient([1.0]), weights)
    with pytest.raises(ValueError, match=r"must have the shape of the variable, \(2,\). Received: \(1,\)"):
        optimizer.apply(gradient([1.0], [1.0]), weights)
    sparse = torch.ones(2).to_sparse()
    with pytest.raises(ValueError, match="Sparse gradients are not supported"):
        optimizer.apply([sparse, torch.ones(1)], weights)
    with pytest.raises(RuntimeError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.raises(ValueError, match="`weights` must hold 2 arrays"):
        optimizer.set_weights([1.0])
    with pytest.raises(ValueError, match="`optimizer_variables` must match"):
        optimizer.stateless_apply([], gradient([1.0, 1.0], [1.0]), weights)
    assert [w.tolist() for w in weights] == [[1.0, 1.0], [2.0]]


def test_wrong_variables():
    with pytest.raises(TypeError, match="Expected Variables or torch Parameters"):
        SGD().build(["kernel"])
    with pytest.raises(ValueError, match=r"each once\. Received: 2, 1 of them distinct"):
        SGD().build(make([1.0]) * 2)
    with pytest.raises(ValueError, match="at least one variable"):
        SGD().build([])


def test_own_optimizer_overrides_update_step():
    class Signed(Optimizer):
        def build(self, variables):
            if not self.built:
                super().build(variables)
                self.counts = [
                    self.add_variable_from_reference(v, "count") for v in self._trainable_variables
                ]
                self.total = Variable(0, name="total", trainable=False)

        def update_step(self, gradient, variable, learning_rate):
            self.assign_add(self.counts[self._get_variable_index(variable)], 1.0)
            self.assign_sub(variable, learning_rate * torch.sign(gradient))

    weights = make([1.0], [2.0, 3.0])
    optimizer = Signed(0.5)
    optimizer.apply(gradient([7.0], [-7.0, 0.0]), weights)
    assert [w.tolist() for w in weights] == [[0.5], [2.5, 3.0]]
    assert [v.name for v in optimizer.variables[2:]] == ["parameter_count", "parameter_1_count", "total"]
    assert optimizer.counts[1].tolist() == [1.0, 1.0]
    with pytest.raises(NotImplementedError, match="must override `update_step"):
        Optimizer(0.1).apply(gradient([1.0]), make([1.0]))


def test_subclass_of_an_optimizer_may_override_update_step():
    class Doubled(Adam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, 2.0 * learning_rate)

    first, second = make([1.0, 2.0]), make([1.0, 2.0])
    ours, plain = Doubled(0.1), Adam(0.2)
    for _ in range(3):
        ours.apply(gradient([1.0, -3.0]), first)
        plain.apply(gradient([1.0, -3.0]), second)
    torch.testing.assert_close(first, second)


def test_slots_start_from_their_initializer():
    def ones(shape, dtype=None):
        return torch.ones(shape)

    optimizer = Optimizer(0.1)
    weights = make([1.0, 2.0])
    optimizer.build(weights)
    zeros, made = optimizer.add_optimizer_variables(weights, ["a", "b"], ["zeros", ones])
    assert (zeros[0].tolist(), made[0].tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_weight_decay_and_exemptions():
    kernel, bias, other = (Variable([1.0], name=name) for name in ("kernel", "bias", "other"))
    optimizer = SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names="bias")
    optimizer.apply(gradient([0.0], [0.0], [0.0]), [kernel, bias, other])
    assert (kernel.item(), bias.item(), other.item()) == (0.75, 1.0, 1.0)


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"clipnorm": 1.0}, [[0.6, 0.8], [1.0], [0.5]]),
        ({"clipvalue": 2.0}, [[2.0, 2.0], [2.0], [0.5]]),
        ({"global_clipnorm": 1.0}, [[3 / 13.01, 4 / 13.01], [12 / 13.01], [0.5 / 13.01]]),
        ({"clipnorm": 0}, [[3.0, 4.0], [12.0], [0.5]]),
        ({"loss_scale_factor": 2.0}, [[1.5, 2.0], [6.0], [0.25]]),
    ],
)
def test_clipping_and_scaling(kwargs, expected):
    weights = make([0.0, 0.0], [0.0], [0.0])
    given_gradients = gradient([3.0, 4.0], [12.0], [0.5])
    SGD(1.0, **kwargs).apply(given_gradients, weights)
    for weight, value in zip(weights, expected, strict=True):
        torch.testing.assert_close(-weight.detach(), torch.tensor(value), rtol=1e-3, atol=1e-5)
    assert [g.tolist() for g in given_gradients] == [[3.0, 4.0], [12.0], [0.5]]


def test_global_clipnorm_over_mixed_dtypes():
    weights = [torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))]
    SGD(1.0, global_clipnorm=1.0).apply(gradient([3.0], [4.0]), weights)
    assert [-w.item() for w in weights] == pytest.approx([0.6, 0.8])


@settings(max_examples=25, deadline=None)
@given(
    steps=st.integers(2, 5),
    values=st.lists(st.floats(-10, 10, width=32), min_size=10, max_size=10),
    name=st.sampled_from(["SGD", "Adam"]),
)
def test_accumulation_equals_updates_by_the_mean(steps, values, name):
    cls = {"SGD": SGD, "Adam": Adam}[name]
    first, second = make([1.0]), make([1.0])
    accumulating, plain = cls(0.1, gradient_accumulation_steps=steps), cls(0.1)
    for i, value in enumerate(values, start=1):
        before = first[0].item()
        accumulating.apply(gradient([value]), first)
        if i % steps == 0:
            plain.apply(gradient([float(np.mean(values[i - steps : i]))]), second)
        else:
            assert first[0].item() == before
        assert int(accumulating.iterations) == i // steps
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


def test_one_nan_spoils_only_its_own_accumulation():
    (weight,) = make([1.0])
    optimizer = SGD(0.5, gradient_accumulation_steps=2)
    optimizer.apply(gradient([float("nan")]), [weight])
    assert weight.item() == 1.0
    optimizer.apply(gradient([1.0]), [weight])
    weight.data.fill_(1.0)
    for _ in range(2):
        optimizer.apply(gradient([1.0]), [weight])
    assert weight.item() == 0.5


def test_averages():
    (weight,) = make([0.0])
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)
    seen = []
    for _ in range(4):
        optimizer.apply(gradient([-1.0]), [weight])
        seen.append(weight.item())
    assert seen == pytest.approx([1.0, 2.0, 2.25, 3.25])
    optimizer.finalize_variable_values([weight])
    assert weight.item() == pytest.approx(2.75)


def test_finalizing_without_averages_or_before_the_first_step_changes_nothing():
    for optimizer in (SGD(), SGD(use_ema=True)):
        weights = make([3.0])
        optimizer.build(weights)
        optimizer.finalize_variable_values(weights)
        assert weights[0].item() == 3.0


def test_constraint_and_overwriting():
    limited, replaced = Variable([1.0], name="limited"), Variable([1.0], name="replaced")
    limited.constraint = lambda w: w.clamp(min=0.0)
    replaced.overwrite_with_gradient = True
    optimizer = SGD(1.0, momentum=0.9, use_ema=True)
    optimizer.apply(gradient([5.0], [7.0]), [limited, replaced])
    assert (limited.item(), replaced.item()) == (0.0, 7.0)
    assert optimizer.momentums[1] is None
    only = SGD(1.0)
    only.apply(gradient([8.0]), [replaced])
    assert replaced.item() == 8.0
    assert int(only.iterations) == 1


def test_saved_state_restores_the_run():
    def run(optimizer, weights, steps):
        for step in range(steps):
            optimizer.apply(gradient([1.0 + step, -2.0]), weights)

    first, second = make([1.0, 2.0]), make([1.0, 2.0])
    optimizer = Adam(0.1)
    run(optimizer, first, 3)
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == ["0", "1", "2", "3"]
    other = Adam(0.5)
    other.build(second)
    other.load_own_variables(store)
    second[0].data.copy_(first[0].data)
    run(optimizer, first, 2)
    run(other, second, 2)
    torch.testing.assert_close(first, second)
    other.set_weights(optimizer.get_weights())
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer .* not built yet"):
        Adam().load_own_variables(store)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_their_own_way(duplicate):
    weights = make([1.0, 2.0])
    optimizer = Adam(0.1, use_ema=True)
    optimizer.apply(gradient([1.0, 1.0]), weights)
    other, other_weights = duplicate((optimizer, weights))
    other.apply(gradient([1.0, -1.0]), other_weights)
    assert int(optimizer.iterations) == 1
    assert int(other.iterations) == 2
    optimizer.apply(gradient([1.0, -1.0]), weights)
    torch.testing.assert_close(other_weights, weights)
    assert [v.path for v in other.variables] == [v.path for v in optimizer.variables]


def test_stateless_apply_leaves_the_state_alone():
    weights = make([1.0, 2.0])
    optimizer = Adam(0.1)
    optimizer.build(weights)
    state = [v.detach().clone() for v in optimizer.variables]
    new_weights, new_state = optimizer.stateless_apply(
        state, gradient([1.0, 1.0]), [torch.tensor([5.0, 6.0])]
    )
    torch.testing.assert_close(new_weights[0], torch.tensor([4.9, 5.9]))
    assert new_state[0].item() == 1
    assert weights[0].tolist() == [1.0, 2.0]
    assert int(optimizer.iterations) == 0


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("cls", [SGD, Adam, RMSprop])
def test_state_lives_where_the_variables_live(cls):
    weights = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2, device="cuda"))]
    optimizer = cls(0.1, global_clipnorm=1.0, weight_decay=0.1, use_ema=True)
    for _ in range(3):
        optimizer.apply([torch.ones(2), torch.ones(2)], weights)
    torch.testing.assert_close(weights[1].detach().cpu(), weights[0].detach())
    assert [v.device.type for v in optimizer.variables[2:4]] == ["cpu", "cuda"]


def test_training_does_not_record_a_graph():
    (weight,) = make([1.0])
    optimizer = Adam(0.1, use_ema=True)
    loss = (weight**2).sum()
    (grad,) = torch.autograd.grad(loss, [weight], create_graph=True)
    optimizer.apply([grad], [weight])
    assert weight.grad_fn is None
    assert not any(v.requires_grad for v in optimizer.variables)
