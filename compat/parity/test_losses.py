"""Losses against live Keras: values and gradients, reductions, weights, masks, configs."""

import inspect

import numpy as np
import pytest
import torch

from kerasish import losses
from kerasish.naming import reset_names

keras = pytest.importorskip("keras")

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.normal(size=shape).astype("float32")


def probabilities(*shape):
    return RNG.uniform(0.02, 0.98, size=shape).astype("float32")


def softmax(*shape):
    raw = np.exp(random(*shape))
    return raw / raw.sum(-1, keepdims=True)


def one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[RNG.integers(0, shape[-1], shape[:-1])]


def classes(count, *shape):
    return RNG.integers(0, count, shape)


def unit_vectors(count, size):
    rows = random(count, size)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def compare(ours, theirs, y_true, y_pred, **kwargs):
    """Both losses on the same input: same value, same gradient."""
    results = []
    for loss in (ours, theirs):
        prediction = torch.tensor(y_pred, requires_grad=True)
        value = loss(torch.as_tensor(y_true), prediction, **kwargs)
        value.sum().backward()
        results.append((value.detach().numpy(), prediction.grad.numpy()))
    assert results[0][0].shape == results[1][0].shape
    np.testing.assert_allclose(results[0][0], results[1][0], **TOLERANCE)
    np.testing.assert_allclose(results[0][1], results[1][1], **TOLERANCE)


ROWS, DEEP = (6, 4), (3, 5, 4)
FUNCTIONS = [
    *[
        (name, random, random, {}, shape)
        for name in ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "cosine_similarity")
        for shape in (ROWS, DEEP)
    ],
    ("huber", random, random, {"delta": 0.3}, ROWS),
    ("cosine_similarity", random, random, {"axis": 1}, DEEP),
    ("cosine_similarity", random, random, {"axis": [1, 2]}, DEEP),
    ("mean_absolute_percentage_error", random, random, {}, DEEP),
    ("mean_squared_logarithmic_error", random, random, {}, DEEP),
    ("mean_squared_logarithmic_error", probabilities, probabilities, {}, DEEP),
    ("poisson", probabilities, probabilities, {}, DEEP),
    ("kl_divergence", softmax, softmax, {}, DEEP),
    ("kl_divergence", random, random, {}, DEEP),
    ("hinge", one_hot, random, {}, ROWS),
    ("hinge", lambda *s: np.sign(random(*s)), random, {}, DEEP),
    ("squared_hinge", one_hot, random, {}, ROWS),
    ("squared_hinge", random, random, {}, DEEP),
    ("categorical_hinge", one_hot, random, {}, DEEP),
    *[
        (name, labels, prediction, arguments, shape)
        for name in ("binary_crossentropy", "binary_focal_crossentropy")
        for labels, prediction, arguments, shape in (
            (one_hot, probabilities, {}, ROWS),
            (one_hot, random, {"from_logits": True}, DEEP),
            (probabilities, probabilities, {"label_smoothing": 0.2}, DEEP),
            (one_hot, random, {"from_logits": True, "label_smoothing": 0.2, "axis": 1}, DEEP),
        )
    ],
    ("binary_focal_crossentropy", one_hot, probabilities, {"apply_class_balancing": True}, ROWS),
    (
        "binary_focal_crossentropy",
        one_hot,
        probabilities,
        {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.5},
        ROWS,
    ),
    *[
        (name, labels, prediction, arguments, shape)
        for name in ("categorical_crossentropy", "categorical_focal_crossentropy")
        for labels, prediction, arguments, shape in (
            (one_hot, softmax, {}, ROWS),
            (softmax, probabilities, {}, DEEP),
            (one_hot, random, {"from_logits": True}, DEEP),
            (one_hot, random, {"from_logits": True, "label_smoothing": 0.2}, ROWS),
            (one_hot, probabilities, {"label_smoothing": 0.2, "axis": 1}, DEEP),
            (one_hot, random, {"from_logits": True, "axis": 1}, DEEP),
        )
    ],
    ("categorical_focal_crossentropy", one_hot, softmax, {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 3.0}, ROWS),
    *[
        ("sparse_categorical_crossentropy", labels, prediction, arguments, shape)
        for labels, prediction, arguments, shape in (
            (lambda *s: classes(s[-1], *s[:-1]), softmax, {}, ROWS),
            (lambda *s: classes(s[-1], *s[:-1]), probabilities, {}, DEEP),
            (lambda *s: classes(s[-1], *s[:-1], 1), random, {"from_logits": True}, DEEP),
            (lambda *s: classes(s[-1], *s[:-1]).astype("float32"), random, {"from_logits": True}, DEEP),
            (lambda *s: classes(s[-1], *s[:-1]).astype("uint8"), random, {"from_logits": True}, ROWS),
            (lambda *s: classes(s[1], s[0], s[2]), random, {"from_logits": True, "axis": 1}, DEEP),
            (lambda *s: classes(s[1], s[0], s[2]), probabilities, {"axis": 1}, DEEP),
            (lambda *s: classes(s[1], s[0], s[2]), random, {"from_logits": True, "axis": -2}, DEEP),
            (lambda *s: classes(s[-1], *s[:-1]), probabilities, {"ignore_class": 1}, DEEP),
            (
                lambda *s: classes(s[-1] + 1, *s[:-1]) - 1,
                random,
                {"from_logits": True, "ignore_class": -1},
                DEEP,
            ),
            (lambda *s: classes(s[-1] + 1, *s[:-1]) - 1, softmax, {"ignore_class": -1}, ROWS),
        )
    ],
    ("categorical_generalized_cross_entropy", lambda *s: classes(s[-1], *s[:-1]), softmax, {"q": 0.7}, ROWS),
    ("dice", one_hot, probabilities, {}, DEEP),
    ("dice", one_hot, probabilities, {"axis": (1, 2)}, DEEP),
    ("tversky", one_hot, probabilities, {"alpha": 0.3, "beta": 0.9}, DEEP),
    ("tversky", one_hot, probabilities, {"alpha": 0.3, "beta": 0.9, "axis": (1, 2)}, DEEP),
    ("circle", lambda *s: classes(3, s[0]), unit_vectors, {}, (8, 4)),
    ("circle", lambda *s: classes(3, s[0]), unit_vectors, {"gamma": 5, "margin": 0.1}, (8, 4)),
    ("circle", lambda *s: classes(2, s[0], 1), unit_vectors, {"remove_diagonal": False}, (8, 4)),
    ("circle", lambda *s: np.arange(s[0]), unit_vectors, {}, (8, 4)),
    ("ctc", lambda *s: np.array([[1, 2, 0], [3, 3, 3], [0, 0, 0]]), random, {}, (3, 7, 4)),
]


@pytest.mark.parametrize(("name", "labels", "prediction", "arguments", "shape"), FUNCTIONS)
def test_function_equals_keras(name, labels, prediction, arguments, shape):
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    keras_arguments = {
        k: np.float32(v) if isinstance(v, list) and k == "alpha" else v for k, v in arguments.items()
    }
    y_true, y_pred = labels(*shape), prediction(*shape)
    compare(
        lambda t, p: ours(t, p, **arguments), lambda t, p: theirs(t, p, **keras_arguments), y_true, y_pred
    )


def test_circle_with_references():
    labels, embeddings = classes(3, 5), unit_vectors(5, 4)
    references = {"ref_labels": classes(3, 7), "ref_embeddings": unit_vectors(7, 4), "remove_diagonal": False}
    compare(
        lambda t, p: losses.circle(t, p, **references),
        lambda t, p: keras.losses.circle(t, p, **references),
        labels,
        embeddings,
    )


EDGE = np.float32([0.0, 1.0, -1.0, 1e-8, 1e-3, 1 - 1e-6, 30.0, -30.0])
EDGE_FUNCTIONS = [
    *[
        (name, EDGE, EDGE[::-1].copy())
        for name in ("mean_squared_error", "huber", "log_cosh", "kl_divergence")
    ],
    ("mean_absolute_error", EDGE, EDGE),
    ("mean_squared_logarithmic_error", EDGE, EDGE[::-1].copy()),
    ("categorical_hinge", np.float32([[0, 1, 0, 0]]), np.zeros((1, 4), "float32")),
    ("hinge", np.float32([[0, 0, 0, 1]]), np.float32([[0, -3, 3, 100]])),
    ("hinge", np.float32([[0, 0.5, 0, 1]]), np.float32([[0, -3, 3, 100]])),
    ("binary_crossentropy", np.float32([[0, 1, 0, 1]]), np.float32([[0, 0, 1, 1]])),
    ("binary_crossentropy", np.float32([[0, 1, 0, 1]]), np.float32([[-0.5, 1.5, 1e-9, 0.5]])),
    ("categorical_crossentropy", np.float32([[0, 1, 0]]), np.float32([[0, 0, 1]])),
    ("categorical_crossentropy", np.float32([[0, 1, 0]]), np.float32([[1, 2, 3]])),
    ("sparse_categorical_crossentropy", np.array([1, 1]), np.float32([[0, 0, 1], [1, 2, 3]])),
    ("dice", np.zeros((2, 3), "float32"), np.zeros((2, 3), "float32")),
    ("tversky", np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")),
]


@pytest.mark.parametrize(("name", "y_true", "y_pred"), EDGE_FUNCTIONS)
def test_function_equals_keras_at_the_edges(name, y_true, y_pred):
    compare(getattr(losses, name), getattr(keras.losses, name), y_true, y_pred)


@pytest.mark.parametrize("magnitude", [1e-3, 1e-6, 1e-8, 1e-12, 0.0])
def test_cosine_similarity_of_short_vectors(magnitude):
    y_true, y_pred = np.float32([[1, 2]]), np.float32([[magnitude, magnitude]])
    ours, theirs = losses.cosine_similarity(y_true, y_pred), keras.losses.cosine_similarity(y_true, y_pred)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-4)


@pytest.mark.parametrize("large", [20.0, 100.0])
def test_saturated_logits(large):
    y_true, y_pred = np.float32([[0, 1, 0, 1]]), np.float32([[-large, large, large, -large]])
    for name in ("binary_crossentropy", "categorical_crossentropy"):
        ours, theirs = getattr(losses, name), getattr(keras.losses, name)
        compare(lambda t, p, f=ours: f(t, p, True), lambda t, p, f=theirs: f(t, p, True), y_true, y_pred)


def test_ctc_without_an_alignment_is_infinite():
    labels, logits = np.array([[3, 3, 3]]), random(1, 4, 4)
    assert np.isinf(losses.ctc(labels, logits).numpy()).all()
    assert np.isinf(keras.losses.ctc(labels, logits).numpy()).all()


CLASSES = {
    "MeanSquaredError": (random, random, {}),
    "MeanAbsoluteError": (random, random, {}),
    "MeanAbsolutePercentageError": (random, random, {}),
    "MeanSquaredLogarithmicError": (probabilities, probabilities, {}),
    "CosineSimilarity": (random, random, {"axis": 1}),
    "Huber": (random, random, {"delta": 0.4}),
    "LogCosh": (random, random, {}),
    "Poisson": (probabilities, probabilities, {}),
    "KLDivergence": (softmax, softmax, {}),
    "Hinge": (one_hot, random, {}),
    "SquaredHinge": (one_hot, random, {}),
    "CategoricalHinge": (one_hot, random, {}),
    "BinaryCrossentropy": (one_hot, random, {"from_logits": True, "label_smoothing": 0.1}),
    "BinaryFocalCrossentropy": (one_hot, random, {"from_logits": True, "gamma": 1.0}),
    "CategoricalCrossentropy": (one_hot, random, {"from_logits": True, "label_smoothing": 0.1}),
    "CategoricalFocalCrossentropy": (one_hot, softmax, {"gamma": 1.0}),
    "CategoricalGeneralizedCrossEntropy": (lambda *s: classes(s[-1], *s[:-1]), softmax, {"q": 0.3}),
    "SparseCategoricalCrossentropy": (lambda *s: classes(s[-1], *s[:-1]), random, {"from_logits": True}),
}
WEIGHTS = {
    "none": lambda rows, steps: None,
    "scalar": lambda rows, steps: 1.5,
    "rows": lambda rows, steps: probabilities(rows, 1),
    "values": lambda rows, steps: probabilities(rows, steps),
    "deep": lambda rows, steps: probabilities(rows, steps, 1),
    "zero": lambda rows, steps: np.zeros((rows, 1), "float32"),
}
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]


def both(cls, **arguments):
    return getattr(losses, cls)(**arguments), getattr(keras.losses, cls)(**arguments)


@pytest.mark.parametrize("name", CLASSES)
def test_class_equals_keras(name):
    labels, prediction, arguments = CLASSES[name]
    for shape in (ROWS, DEEP):
        y_true, y_pred = labels(*shape), prediction(*shape)
        for reduction in ("sum_over_batch_size", "none"):
            compare(*both(name, reduction=reduction, **arguments), y_true, y_pred)
        compare(*both(name, dtype="float64", **arguments), y_true, y_pred)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("masked", [False, True, "all"])
def test_reduction_weights_and_masks_equal_keras(reduction, kind, masked):
    weights = WEIGHTS[kind](3, 5)
    y_true, y_pred, mask = random(*DEEP), random(*DEEP), RNG.random(DEEP[:2]) < 0.5
    mask = {False: None, True: torch.as_tensor(mask), "all": torch.zeros(DEEP[:2], dtype=torch.bool)}[masked]
    if kind in ("scalar", "rows", "zero") and mask is not None:
        weights = np.broadcast_to(
            np.float32(weights), DEEP[:2]
        ).copy()  # Keras's in-place product needs it whole
    ours, theirs = both("MeanSquaredError", reduction=reduction)
    values = []
    for loss in (ours, theirs):
        prediction = torch.as_tensor(y_pred)
        if mask is not None:
            prediction._keras_mask = mask
        values.append(
            loss(y_true, prediction, sample_weight=weights if weights is None else np.copy(weights)).numpy()
        )
    assert values[0].shape == values[1].shape
    np.testing.assert_allclose(*values, **TOLERANCE)


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "Huber", "Hinge", "Poisson"])
@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((6,), (6, 1)), ((6, 1), (6,)), ((6, 3, 1), (6, 3)), ((6, 3), (6, 3, 1))]
)
def test_ranks_are_matched_as_in_keras(name, true_shape, pred_shape):
    y_true = (RNG.random(true_shape) < 0.5).astype("float32")
    y_pred = probabilities(*pred_shape)
    for reduction in ("sum_over_batch_size", "none"):
        compare(*both(name, reduction=reduction), y_true, y_pred)
    compare(*both(name), y_true, y_pred, sample_weight=probabilities(6))


@pytest.mark.parametrize(("true_shape", "pred_shape"), [((6, 1), (6, 3)), ((3,), (6, 3)), ((6, 3), (1, 3))])
def test_broadcasting_as_in_keras(true_shape, pred_shape):
    for name in ("MeanSquaredError", "MeanAbsoluteError", "Huber"):
        compare(*both(name), random(*true_shape), random(*pred_shape))


def test_ignored_class_and_circle_leave_the_mean():
    labels, logits = np.array([[0, 9, 2], [9, 9, 1]]), random(2, 3, 4)
    for reduction in REDUCTIONS:
        arguments = {"from_logits": True, "ignore_class": 9, "reduction": reduction}
        compare(*both("SparseCategoricalCrossentropy", **arguments), labels, logits)
        compare(*both("Circle", reduction=reduction), np.array([0, 0, 1, 2]), unit_vectors(4, 3))
    nothing_left = torch.full((4,), 9)
    ours, theirs = both("SparseCategoricalCrossentropy", ignore_class=9)
    assert ours(nothing_left, softmax(4, 3)) == theirs(nothing_left, softmax(4, 3)) == 0


def test_input_and_own_mask_are_joined():
    labels, logits = np.array([[0, 9, 2], [9, 9, 1]]), random(2, 3, 4)
    values = []
    for loss in both("SparseCategoricalCrossentropy", from_logits=True, ignore_class=9):
        prediction = torch.as_tensor(logits)
        prediction._keras_mask = torch.tensor([[True, True, False], [True, False, True]])
        values.append(float(loss(labels, prediction)))
    assert values[0] == pytest.approx(values[1], abs=1e-6)


@pytest.mark.parametrize("name", ["Dice", "Tversky", "CTC"])
def test_losses_over_whole_batches(name):
    y_true, y_pred = one_hot(3, 5, 4), probabilities(3, 5, 4)
    if name == "CTC":
        y_true, y_pred = np.array([[1, 2], [3, 0], [2, 2]]), random(3, 6, 4)
    for reduction in ("sum_over_batch_size", "sum", None):
        compare(*both(name, reduction=reduction), y_true, y_pred)
        compare(*both(name, reduction=reduction), y_true, y_pred, sample_weight=probabilities(3))


@pytest.mark.parametrize("values", [[[0, 1], [1, 1]], [[0.5, 1.0], [1.0, 0.0]], np.float64([[0.5, 1.0]])])
def test_lists_and_arrays(values):
    for name in ("mean_squared_error", "mean_absolute_error", "kl_divergence"):
        ours, theirs = getattr(losses, name)(values, values), getattr(keras.losses, name)(values, values)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs.numpy(), **TOLERANCE)
    np.testing.assert_allclose(
        losses.MSE(values, values), keras.losses.MeanSquaredError(None)(values, values).numpy()
    )


def test_signatures_and_names_equal_keras():
    for name in dir(keras.losses):
        theirs = getattr(keras.losses, name)
        if name.startswith("_") or not callable(theirs):
            continue
        ours = inspect.signature(getattr(losses, name)).parameters
        expected = inspect.signature(theirs).parameters
        assert [(p.name, p.default) for p in ours.values()] == [
            (p.name, p.default) for p in expected.values()
        ], name


@pytest.mark.parametrize("name", [*CLASSES, "Dice", "Tversky", "Circle", "CTC"])
def test_configs_are_exchangeable_with_keras(name):
    arguments = CLASSES.get(name, (None, None, {}))[2]
    ours, theirs = both(name, name="mine", reduction="sum", **arguments)
    assert theirs.get_config().items() <= ours.get_config().items()
    assert keras.saving.deserialize_keras_object(losses.serialize(ours)).get_config() == theirs.get_config()
    assert losses.deserialize(keras.losses.serialize(theirs)).name == "mine"
    assert losses.deserialize(losses.serialize(ours)).get_config() == ours.get_config()


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "mae", "MAE", "mape", "msle", "kld", "KLD", "bce", "BCE", "ctc", "huber"]
)
def test_names_mean_the_same_function(name):
    assert losses.get(name).__name__ == keras.losses.get(name).__name__
    function = keras.losses.get(name)
    assert losses.deserialize(keras.losses.serialize(function)) is losses.get(name)
    assert keras.losses.deserialize(losses.serialize(losses.get(name))) is function


def test_names_of_instances_are_counted_as_in_keras():
    reset_names()
    keras.utils.clear_session()
    for _ in range(2):
        assert losses.Loss().name == keras.losses.Loss().name
