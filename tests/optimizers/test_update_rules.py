"""Each optimizer against its formula in NumPy, fused and plain kernels against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import optimizers
from kerasish.optimizers import _kernels
from kerasish.variable import Variable

RATE = 0.1


def sgd(w, g, s, t):
    return w - RATE * g


def momentum(w, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) - RATE * g
    return w + s["m"]


def nesterov(w, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) - RATE * g
    return w + 0.9 * s["m"] - RATE * g


def rmsprop(w, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    return w - RATE * g / np.sqrt(s["v"] + 1e-7)


def centered_rmsprop(w, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    s["a"] = 0.9 * s.get("a", 0) + 0.1 * g
    s["m"] = 0.5 * s.get("m", 0) + RATE * g / np.sqrt(s["v"] - s["a"] ** 2 + 1e-3)
    return w - s["m"]


def adagrad(w, g, s, t):
    s["a"] = s.get("a", 0.1) + g**2
    return w - RATE * g / np.sqrt(s["a"] + 1e-7)


def adadelta(w, g, s, t):
    s["a"] = 0.95 * s.get("a", 0) + 0.05 * g**2
    d = g * np.sqrt(s.get("e", 0) + 1e-7) / np.sqrt(s["a"] + 1e-7)
    s["e"] = 0.95 * s.get("e", 0) + 0.05 * d**2
    return w - RATE * d


def moments(g, s, beta_2=0.999):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = beta_2 * s.get("v", 0) + (1 - beta_2) * g**2
    return s["m"], s["v"]


def adam(w, g, s, t):
    m, v = moments(g, s)
    return w - RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def amsgrad(w, g, s, t):
    m, v = moments(g, s, 0.5)
    s["h"] = np.maximum(s.get("h", 0), v)
    return w - RATE * np.sqrt(1 - 0.5**t) / (1 - 0.9**t) * m / (np.sqrt(s["h"]) + 1e-7)


def adamw(w, g, s, t):
    return adam(w * (1 - RATE * 0.5), g, s, t)


def adamax(w, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["u"] = np.maximum(0.999 * s.get("u", 0), np.abs(g))
    return w - RATE / (1 - 0.9**t) * s["m"] / (s["u"] + 1e-7)


def nadam(w, g, s, t):
    m, v = moments(g, s)
    u, u_next = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
    s["p"] = s.get("p", 1.0) * u
    m_hat = u_next * m / (1 - s["p"] * u_next) + (1 - u) * g / (1 - s["p"])
    return w - RATE * m_hat / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)


def ftrl(w, g, s, t):
    a = s.get("a", 0.1)
    s["a"] = a + g**2
    s["z"] = s.get("z", 0) + g + 2 * 0.3 * w - (np.sqrt(s["a"]) - np.sqrt(a)) / RATE * w
    return (np.clip(s["z"], -0.1, 0.1) - s["z"]) / ((0.5 + np.sqrt(s["a"])) / RATE + 2 * 0.2)


def lion(w, g, s, t):
    m = s.get("m", np.zeros_like(w))
    s["m"] = 0.99 * m + 0.01 * g
    return w - RATE * np.sign(0.9 * m + 0.1 * g)


def lamb(w, g, s, t):
    m, v = moments(g, s)
    r = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    norms = np.linalg.norm(w), np.linalg.norm(r)
    return w - RATE * (norms[0] / norms[1] if min(norms) > 0 else 1.0) * r


def schedule_free(w, g, s, t):
    s["z"] = s.get("z", w)
    _, v = moments(g, s)
    s["z"] = s["z"] - RATE * min(1, t / 3) * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w + (s["z"] - w) / t


def adafactor(w, g, s, t):
    keep = 1 - t**-0.8
    squares = g**2 + 1e-30
    if w.ndim >= 2:
        s["r"] = keep * s.get("r", 0) + (1 - keep) * squares.mean(-1)
        s["c"] = keep * s.get("c", 0) + (1 - keep) * squares.mean(-2)
        v = (s["r"] / s["r"].mean(-1, keepdims=True))[..., None] * s["c"][..., None, :]
    else:
        s["v"] = v = keep * s.get("v", 0) + (1 - keep) * squares
    u = g / np.sqrt(v)
    u = u / max(1, np.sqrt((u**2).mean()))
    return w - max(1e-3, np.sqrt((w**2).mean())) * min(RATE, 1 / np.sqrt(t)) * u


def muon(w, g, s, t):
    if w.ndim != 2:
        return adam(w * (1 - RATE * 0.004), g, s, t)
    s["m"] = 0.95 * s.get("m", 0) + g
    x = g + 0.95 * s["m"]
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return w * (1 - RATE * 0.004) - RATE * 0.2 * np.sqrt(max(w.shape)) * x


RULES = [
    (optimizers.SGD, {}, sgd),
    (optimizers.SGD, {"momentum": 0.9}, momentum),
    (optimizers.SGD, {"momentum": 0.9, "nesterov": True}, nesterov),
    (optimizers.RMSprop, {}, rmsprop),
    (optimizers.RMSprop, {"centered": True, "momentum": 0.5, "epsilon": 1e-3}, centered_rmsprop),
    (optimizers.Adagrad, {}, adagrad),
    (optimizers.Adadelta, {}, adadelta),
    (optimizers.Adam, {}, adam),
    (optimizers.Adam, {"amsgrad": True, "beta_2": 0.5}, amsgrad),
    (optimizers.AdamW, {"weight_decay": 0.5}, adamw),
    (optimizers.Adamax, {}, adamax),
    (optimizers.Nadam, {}, nadam),
    (
        optimizers.Ftrl,
        {
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "beta": 0.5,
        },
        ftrl,
    ),
    (optimizers.Lion, {}, lion),
    (optimizers.Lamb, {}, lamb),
    (optimizers.ScheduleFreeAdamW, {"warmup_steps": 3}, schedule_free),
    (optimizers.Adafactor, {}, adafactor),
    (optimizers.Muon, {}, muon),
]
IDS = [rule.__name__ for _, _, rule in RULES]
SHAPES = [(3, 4), (5,), (), (2, 3, 2)]


def run(optimizer, variables, steps=8):
    generator = torch.Generator().manual_seed(1)
    gradients = []
    for _ in range(steps):
        gradients.append([torch.randn(v.shape, generator=generator).to(v.dtype) for v in variables])
        optimizer.apply(gradients[-1], variables)
    return gradients


def make_variables(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in SHAPES]


@pytest.mark.parametrize(("cls", "kwargs", "rule"), RULES, ids=IDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rule(cls, kwargs, rule, dtype):
    variables = make_variables(dtype)
    expected = [v.detach().double().numpy().copy() for v in variables]
    states = [{} for _ in variables]
    for t, gradients in enumerate(run(cls(learning_rate=RATE, **kwargs), variables), start=1):
        for i, gradient in enumerate(gradients):
            expected[i] = rule(expected[i], gradient.double().numpy(), states[i], t)
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_allclose(variable.detach().numpy(), value, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("cls", "kwargs", "rule"), RULES, ids=IDS)
def test_plain_kernels_equal_fused_ones(cls, kwargs, rule, monkeypatch):
    fused, plain = make_variables(), make_variables()
    run(cls(learning_rate=RATE, **kwargs), fused)
    monkeypatch.setattr(_kernels, "FUSED_DEVICES", ())
    run(cls(learning_rate=RATE, **kwargs), plain)
    torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("cls", "kwargs", "rule"), RULES, ids=IDS)
def test_dtypes_may_be_mixed(cls, kwargs, rule):
    together = make_variables()
    together[1:3] = [torch.nn.Parameter(v.detach().double()) for v in together[1:3]]
    alone = [torch.nn.Parameter(v.detach().clone()) for v in together]
    gradients = run(cls(learning_rate=RATE, **kwargs), together)
    for i, variable in enumerate(alone):
        optimizer = cls(learning_rate=RATE, **kwargs)
        for step in gradients:
            optimizer.apply([step[i]], [variable])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("cls", "kwargs", "rule"), RULES, ids=IDS)
@pytest.mark.parametrize(
    "rearrange",
    [
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
        lambda x: torch.stack([x, x], dim=-1)[..., 0],
    ],
    ids=["channels_last", "reversed", "with gaps"],
)
def test_memory_order_does_not_matter(cls, kwargs, rule, rearrange):
    torch.manual_seed(0)
    values, gradients = torch.randn(2, 3, 4, 5), [torch.randn(2, 3, 4, 5) for _ in range(3)]
    plain = torch.nn.Parameter(values.clone())
    other = torch.nn.Parameter(rearrange(values))
    assert other.stride() != plain.stride()
    first, second = (cls(learning_rate=RATE, **kwargs) for _ in range(2))
    for gradient in gradients:
        first.apply([gradient], [plain])
        second.apply([gradient], [other])
    torch.testing.assert_close(other.detach(), plain.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("cls", [optimizers.SGD, optimizers.Adam, optimizers.RMSprop, optimizers.Nadam])
def test_half_precision_follows_single(cls, dtype):
    half, single = make_variables(dtype), make_variables(dtype)
    single = [torch.nn.Parameter(v.detach().float()) for v in single]
    run(cls(learning_rate=RATE), half)
    run(cls(learning_rate=RATE), single)
    for low, high in zip(half, single, strict=True):
        assert low.dtype is dtype
        torch.testing.assert_close(low.detach().float(), high.detach(), rtol=0.1, atol=0.1)


def test_muon_chooses_matrices_that_are_no_embeddings():
    variables = [
        Variable(torch.ones(3, 3), name=name) for name in ("kernel", "embeddings_table", "output", "Kernel")
    ]
    optimizer = optimizers.Muon(exclude_layers=["out.*t"])
    optimizer.build(variables)
    assert [v is None for v in optimizer.adam_velocities] == [True, False, False, True]
    with_embeddings = optimizers.Muon(exclude_embeddings=False)
    with_embeddings.build(variables)
    assert [v is None for v in with_embeddings.adam_velocities] == [True, True, True, True]


def test_newton_schulz_brings_singular_values_near_one():
    torch.manual_seed(0)
    for shape in ((3, 7), (7, 3), (2, 4, 4)):
        x = optimizers.Muon().zeropower_via_newtonschulz5(torch.randn(shape), 10)
        values = torch.linalg.svdvals(x)
        assert x.shape == shape
        assert values.min() > 0.5
        assert values.max() < 1.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(momentum=1.5), "`momentum` must be a float between"),
        (lambda: optimizers.SGD(momentum="a"), "`momentum` must be a float between"),
        (lambda: optimizers.Lion(beta_1=0), "Argument `beta_1` must be in the"),
        (lambda: optimizers.AdamW(weight_decay=None), "Argument `weight_decay` must be a float"),
        (
            lambda: optimizers.Ftrl(learning_rate_power=1.0),
            "`learning_rate_power` needs to be negative or zero",
        ),
        (
            lambda: optimizers.Ftrl(initial_accumulator_value=-1.0),
            "`initial_accumulator_value` needs to be positive",
        ),
        (
            lambda: optimizers.Ftrl(l1_regularization_strength=-1.0),
            "`l1_regularization_strength` needs to be",
        ),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_adafactor_of_a_unit_without_gradient_stays_finite():
    w = torch.nn.Parameter(torch.ones(3, 4))
    gradient = torch.zeros(3, 4)
    gradient[0, 0] = 1e-3
    optimizer = optimizers.Adafactor()
    for _ in range(3):
        optimizer.apply([gradient], [w])
    assert torch.isfinite(w).all()
    assert torch.equal(w[1:, 1:], torch.ones(2, 3))
