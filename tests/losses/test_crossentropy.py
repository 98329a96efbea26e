import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasish import losses
from kerasish.activations import sigmoid, softmax

rng = np.random.default_rng(0)
z = rng.normal(size=(5, 3))
p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
s = 1 / (1 + np.exp(-z))
labels = np.array([0, 2, 1, 1, 0])
one_hot = np.eye(3)[labels]
multi_hot = (rng.random((5, 3)) < 0.5).astype(float)

BINARY = -(multi_hot * np.log(s) + (1 - multi_hot) * np.log(1 - s))
CATEGORICAL = -(one_hot * np.log(p)).sum(-1)
TRUE_P = p[range(5), labels]
ERROR = multi_hot * (1 - s) + (1 - multi_hot) * s


@pytest.mark.parametrize(
    ("function", "y_true", "logits", "probability", "expected"),
    [
        (losses.binary_crossentropy, multi_hot, z, s, BINARY.mean(-1)),
        (losses.categorical_crossentropy, one_hot, z, p, CATEGORICAL),
        (losses.sparse_categorical_crossentropy, labels, z, p, CATEGORICAL),
        (losses.binary_focal_crossentropy, multi_hot, z, s, (ERROR**2 * BINARY).mean(-1)),
        (losses.categorical_focal_crossentropy, one_hot, z, p, 0.25 * (1 - TRUE_P) ** 2 * CATEGORICAL),
    ],
)
def test_formula(function, y_true, logits, probability, expected):
    np.testing.assert_allclose(function(y_true, probability), expected, rtol=1e-6)
    np.testing.assert_allclose(function(y_true, logits, from_logits=True), expected, rtol=1e-6)
    activation = sigmoid if "binary" in function.__name__ else softmax
    np.testing.assert_allclose(function(y_true, activation(logits)), expected, rtol=1e-6)


def test_generalized_cross_entropy():
    expected = (1 - TRUE_P**0.3) / 0.3
    for prediction in (p, softmax(z)):
        for y_true in (labels, labels[:, None], labels.astype(float)):
            value = losses.categorical_generalized_cross_entropy(y_true, prediction, q=0.3)
            np.testing.assert_allclose(value, expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"`q` must lie between 0 and 1.*Received: q=1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1)


@settings(deadline=None, max_examples=40)
@given(
    arrays(np.float32, (4, 3), elements=st.floats(-30, 30, width=32)),
    arrays(np.int64, (4,), elements=st.integers(0, 2)),
)
def test_sparse_is_categorical_on_one_hot_labels(logits, classes):
    for arguments in ({"from_logits": True}, {}):
        prediction = logits if arguments else np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        sparse = losses.sparse_categorical_crossentropy(classes, prediction, **arguments)
        dense = losses.categorical_crossentropy(np.eye(3)[classes], prediction, **arguments)
        torch.testing.assert_close(sparse, dense, rtol=1e-5, atol=1e-5)


SATURATED = [
    (losses.BinaryCrossentropy(), sigmoid, [[0.0, 1.0]], [[200.0, -200.0]], [[0.5, -0.5]]),
    (losses.CategoricalCrossentropy(), softmax, [[0.0, 1.0]], [[200.0, 0.0]], [[1.0, -1.0]]),
    (losses.SparseCategoricalCrossentropy(), softmax, [1], [[200.0, 0.0]], [[1.0, -1.0]]),
    (losses.BinaryFocalCrossentropy(gamma=0.5), sigmoid, [[0.0, 1.0]], [[200.0, -200.0]], [[0.5, -0.5]]),
    (losses.CategoricalFocalCrossentropy(1.0, 0.5), softmax, [[0.0, 1.0]], [[200.0, 0.0]], [[1.0, -1.0]]),
]


@pytest.mark.parametrize(("loss", "activation", "y_true", "logits", "gradient"), SATURATED)
def test_saturated_activation_keeps_value_and_gradient(loss, activation, y_true, logits, gradient):
    logits = torch.tensor(logits, requires_grad=True)
    for weight in (None, 1.0):
        logits.grad = None
        value = loss(y_true, activation(logits), sample_weight=weight)
        value.backward()
        assert value.item() == pytest.approx(200)
        assert logits.grad.tolist() == gradient


def test_saturated_and_right_is_zero_with_a_finite_gradient():
    for loss, activation, y_true, logits, _ in SATURATED:
        right = torch.tensor(logits).neg().requires_grad_()
        value = loss(y_true, activation(right))
        value.backward()
        assert value.item() == pytest.approx(0, abs=1e-6)
        assert right.grad.isfinite().all()


def test_logits_of_another_activation_are_not_taken():
    clipped = losses.binary_crossentropy(one_hot, torch.tensor(p))
    torch.testing.assert_close(losses.binary_crossentropy(one_hot, softmax(z)), clipped)
    for function, y_true in (
        (losses.categorical_crossentropy, one_hot),
        (losses.sparse_categorical_crossentropy, labels),
    ):
        torch.testing.assert_close(function(y_true, sigmoid(z)), function(y_true, torch.tensor(s)))


def test_axis_of_softmax_and_loss_may_differ():
    logits, classes = torch.tensor(rng.normal(size=(2, 3, 4))), torch.tensor(rng.integers(0, 3, (2, 4)))
    along_last = softmax(logits)
    expected = losses.sparse_categorical_crossentropy(classes, along_last.clone(), axis=1)
    torch.testing.assert_close(losses.sparse_categorical_crossentropy(classes, along_last, axis=1), expected)


def test_logits_survive_a_squeezed_dimension():
    logits = torch.full((2, 3, 1), 200.0, requires_grad=True)
    assert losses.BinaryCrossentropy()(torch.zeros(2, 3), sigmoid(logits)) == 200


def test_probabilities_are_clipped():
    assert losses.binary_crossentropy([[1.0]], [[0.0]]) == pytest.approx(-np.log(1e-7), rel=1e-6)
    assert losses.categorical_crossentropy([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(
        -np.log(1e-7), rel=1e-6
    )


def test_nan_gives_nan():
    prediction = torch.tensor([[float("nan")]])
    for loss in (losses.BinaryCrossentropy(), losses.BinaryCrossentropy(from_logits=True)):
        assert loss([[1.0]], prediction).isnan()


def test_label_smoothing():
    smooth = 0.9 * one_hot + 0.1 / 3
    value = losses.categorical_crossentropy(one_hot, p, label_smoothing=0.1)
    np.testing.assert_allclose(value, -(smooth * np.log(p)).sum(-1), rtol=1e-6)
    value = losses.binary_crossentropy(multi_hot, s, label_smoothing=0.1)
    smooth = 0.9 * multi_hot + 0.05
    np.testing.assert_allclose(
        value, -(smooth * np.log(s) + (1 - smooth) * np.log(1 - s)).mean(-1), rtol=1e-6
    )


@pytest.mark.parametrize("from_logits", [False, True])
def test_ignored_class(from_logits):
    prediction = torch.tensor(z if from_logits else p, requires_grad=True)
    y_true = np.where(labels == 1, 255, labels)
    arguments = {"from_logits": from_logits, "ignore_class": 255}
    values = losses.sparse_categorical_crossentropy(y_true, prediction, **arguments)
    np.testing.assert_allclose(values.detach(), np.where(labels == 1, 0, CATEGORICAL), rtol=1e-6)
    assert values._keras_mask.tolist() == (labels != 1).tolist()
    loss = losses.SparseCategoricalCrossentropy(dtype="float64", **arguments)(y_true, prediction)
    np.testing.assert_allclose(loss.item(), CATEGORICAL[labels != 1].mean(), rtol=1e-6)
    loss.backward()
    assert (prediction.grad[labels == 1] == 0).all()


@pytest.mark.parametrize("label", [-1, 3, -100])
@pytest.mark.parametrize("from_logits", [False, True])
def test_labels_out_of_range_raise_on_the_cpu(label, from_logits):
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        losses.sparse_categorical_crossentropy([label], [[0.2, 0.3, 0.5]], from_logits=from_logits)


@pytest.mark.parametrize("axis", [-1, 1, 2, 0])
def test_axis_of_the_classes(axis):
    logits = torch.tensor(rng.normal(size=(3, 3, 3, 2)))
    moved = logits.movedim(axis, -1)
    classes = torch.tensor(rng.integers(0, 2, moved.shape[:-1]))
    expected = losses.sparse_categorical_crossentropy(classes, moved, from_logits=True)
    values = losses.sparse_categorical_crossentropy(classes, logits, from_logits=True, axis=axis)
    torch.testing.assert_close(values, expected)
    onehot = torch.nn.functional.one_hot(classes, moved.shape[-1]).movedim(-1, axis)
    torch.testing.assert_close(
        losses.categorical_crossentropy(onehot, logits, from_logits=True, axis=axis), expected
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.binary_crossentropy(np.ones((4, 1)), np.ones((4, 3))),
            r"same shape.*\(4, 1\).*\(4, 3\)",
        ),
        (lambda: losses.categorical_crossentropy(labels, p), r"same shape.*\(5,\).*\(5, 3\)"),
        (
            lambda: losses.sparse_categorical_crossentropy(one_hot, p),
            r"One-hot labels need 'categorical_cross",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()(one_hot, softmax(z)),
            r"One-hot labels need 'categorical",
        ),
        (lambda: losses.categorical_crossentropy(one_hot, p, axis=True), "`axis` of .* must be an integer"),
    ],
)
def test_wrong_shapes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match=r"compares one class only.*'binary_crossentropy'"):
        losses.categorical_crossentropy([[1.0]], [[0.5]])
