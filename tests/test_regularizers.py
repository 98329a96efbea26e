import json

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from kerasish import regularizers
from kerasish.config import floatx, set_floatx
from kerasish.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

X = torch.tensor([[1.0, -2.0, 0.0], [3.0, 4.0, -5.0]])


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (L1(0.1), 1.5),
        (L2(0.1), 5.5),
        (L1L2(0.1, 0.01), 2.05),
        (L1L2(l1=0.1), 1.5),
        (L1L2(l2=0.1), 5.5),
        (L1L2(), 0.0),
        (L1(l=0.1), 1.5),
        (L2(l=0.1), 5.5),
        (L1(), 0.15),
        (L2(), 0.55),
        (Regularizer(), 0.0),
    ],
)
def test_values_equal_the_formula(regularizer, expected):
    for x in (X, X.numpy(), X.tolist(), X.double()):
        assert float(regularizer(x)) == pytest.approx(expected, rel=1e-6)


def test_orthogonal_is_the_mean_cosine_of_pairs():
    def mean_cosine(vectors):
        cosines = [
            abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)
            for i, a in enumerate(vectors)
            for b in vectors[i + 1 :]
        ]
        return np.mean(cosines)

    x = np.random.default_rng(0).normal(size=(4, 3))
    assert OrthogonalRegularizer(0.5)(x).item() == pytest.approx(0.5 * mean_cosine(x))
    assert OrthogonalRegularizer(0.5, "columns")(x).item() == pytest.approx(0.5 * mean_cosine(x.T))
    assert OrthogonalRegularizer(0.5)(torch.eye(3)).item() == 0
    assert OrthogonalRegularizer(0.5)(torch.ones(1, 3)).item() == 0


@pytest.mark.parametrize("regularizer", [L1(0.3), L2(0.3), L1L2(0.1, 0.2), OrthogonalRegularizer(0.3)])
def test_gradients_equal_finite_differences(regularizer):
    x = torch.tensor(np.random.default_rng(0).normal(size=(3, 4)) + 0.01, requires_grad=True)
    assert gradcheck(regularizer, (x,))


@pytest.mark.parametrize("regularizer", [L1(0.3), L2(0.3), L1L2(0.1, 0.2), OrthogonalRegularizer(0.3)])
def test_zero_weights_cost_nothing_and_have_finite_gradients(regularizer):
    x = torch.zeros(3, 4, requires_grad=True)
    penalty = regularizer(x)
    penalty.backward()
    assert penalty.item() == 0
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("value", ["a", "0.1", -1.0, float("nan"), float("inf"), [1.0]])
@pytest.mark.parametrize("cls", [L1, L2, L1L2, OrthogonalRegularizer])
def test_factors_must_be_non_negative_numbers(cls, value):
    with pytest.raises(ValueError, match="must be a finite number ≥ 0"):
        cls(value)


def test_none_is_the_default():
    assert L1(None).get_config() == L1().get_config()
    assert L2(None).get_config() == {"l2": 0.01}
    assert L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}


def test_files_carry_the_factor_rounded_to_floatx_as_those_of_keras():
    before = floatx()
    assert L1(0.01).get_config() == {"l1": float(np.float32(0.01))}
    try:
        set_floatx("float64")
        assert L1(0.01).get_config() == {"l1": 0.01}
    finally:
        set_floatx(before)


def test_orthogonal_refuses_other_ranks_and_modes():
    with pytest.raises(ValueError, match=r"needs a matrix.*shape \(3,\)"):
        OrthogonalRegularizer()(torch.ones(3))
    with pytest.raises(ValueError, match="`mode` must be 'rows' or 'columns'"):
        OrthogonalRegularizer(0.1, "diagonals")


@pytest.mark.parametrize(
    "regularizer",
    [L1(0.25), L2(0.3), L1L2(0.1, 0.2), OrthogonalRegularizer(0.5, "columns")],
    ids=lambda value: type(value).__name__,
)
def test_config_survives_json(regularizer):
    config = regularizers.serialize(regularizer)
    assert config["module"] == "keras.regularizers"
    again = regularizers.get(json.loads(json.dumps(config)))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()
    assert again(X) == regularizer(X)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("l1", L1), ("L1", L1), ("l2", L2), ("l1_l2", L1L2), ("l1l2", L1L2), ("L1L2", L1L2), (L2, L2),
        ("orthogonal_regularizer", OrthogonalRegularizer),
        ({"class_name": "l1_l2", "config": {"l1": 0.3}}, L1L2),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(regularizers.get(name)) is cls


def test_get_of_objects_and_functions():
    instance = L1(0.1)
    assert regularizers.get(None) is None
    assert regularizers.get(instance) is instance
    assert regularizers.get(torch.sum) is torch.sum


@pytest.mark.parametrize(
    ("identifier", "message"),
    [("l1_l3", "Did you mean 'l1_l2'"), (0.01, "Received: 0.01"), (True, "Received: True")],
)
def test_get_refuses_what_is_no_regularizer(identifier, message):
    with pytest.raises(ValueError, match=message):
        regularizers.get(identifier)


def test_the_lecture_spelling():
    assert regularizers.l1_l2(l1=0.1, l2=0.01)(X).item() == pytest.approx(2.05)


def test_subclasses_need_a_config_only_for_saving():
    class Sum(Regularizer):
        def __call__(self, x):
            return torch.sum(x)

    assert Sum()(X) == 1.0
    with pytest.raises(NotImplementedError, match="Sum must define `get_config"):
        regularizers.serialize(Sum())


def test_dir_is_public():
    assert set(dir(regularizers)) == {
        "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
        "orthogonal_regularizer", "serialize",
    }  # fmt: skip
