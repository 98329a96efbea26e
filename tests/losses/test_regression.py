import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasish import losses

rng = np.random.default_rng(0)
t, p = rng.normal(size=(2, 5, 3))
e = p - t
EPSILON = 1e-7


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_squared_error", (e**2).mean(-1)),
        ("mean_absolute_error", abs(e).mean(-1)),
        ("mean_absolute_percentage_error", 100 * (abs(e) / abs(t)).mean(-1)),
        (
            "mean_squared_logarithmic_error",
            (np.log1p(np.maximum(p, 0)) - np.log1p(np.maximum(t, 0))) ** 2 @ np.full(3, 1 / 3),
        ),
        ("log_cosh", np.log(np.cosh(e)).mean(-1)),
        ("huber", np.where(abs(e) <= 1, e**2 / 2, abs(e) - 0.5).mean(-1)),
        ("cosine_similarity", -(t * p).sum(-1) / np.linalg.norm(t, axis=-1) / np.linalg.norm(p, axis=-1)),
    ],
)
def test_formula(name, expected):
    np.testing.assert_allclose(getattr(losses, name)(t, p), expected, rtol=1e-6, atol=1e-7)


def test_column_and_vector_of_targets_are_the_same():
    for loss in (losses.MeanSquaredError(), losses.MeanAbsoluteError(), losses.Huber()):
        assert loss(t[:, 0], p[:, :1]) == loss(t[:, :1], p[:, :1])
        assert loss.call(torch.tensor(t[:, 0]), torch.tensor(p[:, :1])).shape == (5,)


def test_log_cosh_of_large_errors_is_finite():
    np.testing.assert_allclose(losses.log_cosh([[0.0, 0.0]], [[1e4, -1e4]]), 1e4 - np.log(2), rtol=1e-6)


def test_zero_vectors_have_a_finite_cosine_and_gradient():
    prediction = torch.zeros(1, 3, requires_grad=True)
    value = losses.cosine_similarity(torch.ones(1, 3), prediction)
    value.sum().backward()
    assert value.tolist() == [0]
    assert prediction.grad.isfinite().all()


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, (4, 3), elements=st.floats(-100, 100, width=32)), st.floats(0.1, 10))
def test_huber_lies_below_both_its_parts(error, delta):
    values = losses.huber(np.zeros_like(error), error, delta=delta).numpy()
    assert (values <= (error**2 / 2).mean(-1) * (1 + 1e-5) + 1e-6).all()
    assert (values <= (delta * abs(error)).mean(-1) * (1 + 1e-5) + 1e-6).all()


def test_delta_must_be_positive():
    with pytest.raises(ValueError, match=r"`delta` of Huber must be positive. Received: delta=0"):
        losses.Huber(delta=0)
