"""Metrics against live Keras: state, result, weights, masks, configs, names, functions."""

import numpy as np
import pytest
import torch

from kerasish import metrics
from kerasish.naming import reset_names

keras = pytest.importorskip("keras")

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
RNG = np.random.default_rng(7)
B, T, C = 12, 3, 4


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def uniform(*shape):
    return RNG.uniform(size=shape).astype("float32").round(2)


def softmax(*shape):
    raw = np.exp(normal(*shape))
    return raw / raw.sum(-1, keepdims=True)


def classes(*shape):
    return RNG.integers(0, C, shape)


def bits(*shape):
    return RNG.integers(0, 2, shape).astype("float32")


def one_hot(*shape):
    return np.eye(C, dtype="float32")[classes(*shape)]


def tied(*shape):
    return RNG.integers(0, 3, shape).astype("float32")


def batches(y_true, y_pred, *weights):
    """Two batches without weights, then one for each of the weights."""
    half = len(y_true) // 2
    rows = [((y_true[:half], y_pred[:half]), {}), ((y_true[half:], y_pred[half:]), {})]
    return rows + [((y_true, y_pred), {"sample_weight": weight}) for weight in weights]


def per_sample():
    return uniform(B), uniform(B, 1), 0.5


NUMBERS = batches(normal(B, C), normal(B, C), *per_sample())
SEQUENCES = batches(normal(B, T, C), normal(B, T, C), *per_sample(), uniform(B, T), uniform(B, T, 1))
POSITIVE = batches(uniform(B, C), uniform(B, C) + 0.01, *per_sample())
COLUMNS = batches(bits(B), uniform(B, 1), uniform(B), uniform(B, 1))
BINARY = batches(bits(B, C), uniform(B, C), uniform(B), uniform(B, 1), uniform(B, C), 2.0, uniform(1, C))
CATEGORICAL = batches(one_hot(B), softmax(B, C), uniform(B), uniform(B, 1))
TIED = batches(one_hot(B), tied(B, C), uniform(B))
SPARSE = batches(classes(B), softmax(B, C), *per_sample())
SPARSE_COLUMN = batches(classes(B, 1), softmax(B, C), *per_sample())
SPARSE_SEQUENCES = batches(classes(B, T), softmax(B, T, C), *per_sample(), uniform(B, T))
SIGNS = batches(bits(B, C) * 2 - 1, normal(B, C), *per_sample())
CLASS_PAIRS = batches(classes(B), classes(B), RNG.integers(0, 4, B))
CLASS_MAPS = batches(classes(B, T), classes(B, T), RNG.integers(0, 4, (B, T)))
OUT_OF_RANGE = batches(classes(B) * 2 - 1, classes(B) + 1)

MEANS = [
    *[("Mean", {}, [((x,), {"sample_weight": w})]) for x, w in (
        (3.0, None), (3.0, 2.0), ([1.0, 2.0, 3.0], None), ([1, 2, 3], [1, 0, 2]),
        ([[1.0], [2.0]], [1.0, 3.0]),
        ([1.0, 2.0], [[1.0], [3.0]]), (uniform(3, 2), uniform(3)), (uniform(3, 2), uniform(3, 2)),
        (uniform(3, 2), uniform(1, 2)), (uniform(3, 2, 2), uniform(3, 2)), (uniform(3, 2, 2), 0.5),
        (uniform(3, 2, 2), uniform(3, 2, 1)), ([True, False], None), ([1.0, 2.0], [0.0, 0.0]),
        ([1.0, 2.0], [1.0, -1.0]), (np.zeros(0, "float32"), None), ([np.nan, 1.0], None), ([np.inf], None),
    )],
]  # fmt: skip
SUMS = [("Sum", kwargs, steps) for _, kwargs, steps in MEANS]
ACCURACIES = [
    ("Accuracy", {}, batches(classes(B), classes(B), *per_sample())),
    ("Accuracy", {}, batches(classes(B, T), classes(B, T), uniform(B), uniform(B, T))),
    ("Accuracy", {}, batches(classes(B), classes(B, 1).astype("float32"), uniform(B))),
    *[("BinaryAccuracy", {}, steps) for steps in (COLUMNS, batches(bits(B, C), uniform(B, C), uniform(B)))],
    ("BinaryAccuracy", {"threshold": 0.2}, batches(bits(B), np.full(B, 0.2, "float32"), uniform(B))),
    *[("CategoricalAccuracy", {}, steps) for steps in (CATEGORICAL, TIED)],
    *[("SparseCategoricalAccuracy", {}, steps) for steps in (SPARSE, SPARSE_COLUMN, SPARSE_SEQUENCES)],
    *[("TopKCategoricalAccuracy", {"k": k}, steps) for k in (1, 2, 4) for steps in (CATEGORICAL, TIED)],
    *[("SparseTopKCategoricalAccuracy", {"k": k}, steps) for k in (1, 3) for steps in (SPARSE,
        SPARSE_SEQUENCES)],
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, batches(classes(B), classes(B, C))),
]  # fmt: skip
ERRORS = [
    *[(name, {}, steps) for steps in (NUMBERS, SEQUENCES) for name in (
        "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCoshError",
            "CosineSimilarity",
        "Poisson",
    )],
    *[(name, {}, NUMBERS) for name in ("RootMeanSquaredError", "MeanSquaredLogarithmicError")],
    *[("RootMeanSquaredError", {}, steps) for steps in (COLUMNS, batches(normal(B, C), normal(B, C),
        uniform(B, C)))],
    ("MeanSquaredLogarithmicError", {}, POSITIVE),
    ("KLDivergence", {}, POSITIVE),
    ("Poisson", {}, POSITIVE),
    *[(name, {}, steps) for steps in (SIGNS, BINARY[:4]) for name in ("Hinge", "SquaredHinge",
        "CategoricalHinge")],
    ("CosineSimilarity", {"axis": 1}, SEQUENCES[:4]),
    ("CosineSimilarity", {}, batches(normal(B, C) * 1e-8, normal(B, C))),
    *[(name, {"axis": axis}, NUMBERS[:3] if axis == -1 else SEQUENCES[:3])
      for name in ("PearsonCorrelation", "ConcordanceCorrelation") for axis in (-1, 1)],
    ("PearsonCorrelation", {}, batches(np.ones((B, C), "float32"), normal(B, C))),
    ("ConcordanceCorrelation", {}, batches(normal(B, C) * 1e-4, normal(B, C) * 1e-4)),
]  # fmt: skip
CROSSENTROPIES = [
    ("BinaryCrossentropy", {}, BINARY[:4]),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, batches(bits(B, C), normal(B, C))),
    ("CategoricalCrossentropy", {}, CATEGORICAL),
    (
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        batches(one_hot(B), normal(B, C)),
    ),
    ("CategoricalCrossentropy", {"axis": 1}, batches(one_hot(B, C), softmax(B, C, C))),
    *[("SparseCategoricalCrossentropy", {}, steps) for steps in (SPARSE, SPARSE_SEQUENCES)],
    ("SparseCategoricalCrossentropy", {"from_logits": True}, batches(classes(B), normal(B, C))),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, SPARSE[:4]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, [*SPARSE_SEQUENCES[:2], SPARSE_SEQUENCES[-1]]),
]
THRESHOLDS = (None, 0.3, [0.3], [0.2, 0.5, 0.9], [0.9, 0.1], [0.0, 0.25, 0.5, 0.75, 1.0], [0.5, 0.5], [0, 1])
COUNTS = [
    (name, {"thresholds": thresholds}, steps)
    for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall")
    for thresholds in THRESHOLDS
    for steps in (COLUMNS, BINARY)
]
EDGES = np.array([0.0, 1.0, 0.5, 0.25, -0.5, 1.5, np.nan, 0.75, 0.2, 0.3, 1e-9, 1 - 1e-7], "float32")
COUNTS += [
    (name, {"thresholds": thresholds}, batches(y_true, EDGES))
    for name in ("TruePositives", "FalseNegatives")
    for thresholds in THRESHOLDS
    for y_true in (np.ones(B, "float32"), bits(B), normal(B))
]
RATIOS = [
    (name, kwargs, batches(bits(B, C), uniform(B, C), uniform(B), uniform(B, 1)))
    for name in ("Precision", "Recall")
    for kwargs in (
        {"top_k": 2}, {"top_k": 2, "class_id": 1}, {"class_id": 3}, {"class_id": -1, "thresholds": [0.1,
            0.7]},
        {"top_k": 3, "thresholds": 0.4}, {"top_k": 1, "thresholds": [0.2, 0.6]},
    )
]  # fmt: skip
CONSTRAINED = [
    (name, {argument: value, "num_thresholds": count, "class_id": class_id}, steps)
    for name, argument in (
        ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"),
    )
    for value in (0.0, 0.4, 0.7, 1.0)
    for count, class_id, steps in ((1, None, COLUMNS), (2, None, BINARY), (200, None, BINARY),
        (11, 2, BINARY[:4]))
]  # fmt: skip
LABEL_WEIGHTS = [0.5, 0.0, 2.0, 1.0]
AREAS = [
    ("AUC", {"curve": curve, "summation_method": method, **kwargs}, steps)
    for curve in ("ROC", "PR", "PRGAIN")
    for method in ("interpolation", "majoring", "minoring")
    for kwargs, steps in (
        ({}, COLUMNS), ({}, BINARY), ({"num_thresholds": 2}, COLUMNS), ({"num_thresholds": 11}, BINARY),
        ({"thresholds": [0.7, 0.2, 0.45]}, BINARY), ({"thresholds": [0.5]}, COLUMNS),
        ({"from_logits": True}, batches(bits(B), normal(B))),
        ({"multi_label": True, "num_thresholds": 20}, BINARY[:5]),
        ({"multi_label": True, "num_labels": C, "label_weights": LABEL_WEIGHTS}, BINARY[:5]),
        ({"multi_label": True, "thresholds": [0.2, 0.9]}, BINARY[:5]),
        ({"label_weights": LABEL_WEIGHTS, "num_thresholds": 20}, BINARY[:5]),
        ({"num_thresholds": 5}, batches(np.ones(B, "float32"), EDGES)),
        ({"num_thresholds": 5}, batches(np.zeros(B, "float32"), EDGES)),
        ({"thresholds": [0.2, 0.5]}, batches(bits(B), EDGES)),
    )
]  # fmt: skip
F_SCORES = [
    (name, {"average": average, "threshold": threshold, **kwargs}, steps)
    for name, kwargs in (("FBetaScore", {"beta": 2.0}), ("FBetaScore", {"beta": 0.3}), ("F1Score", {}))
    for average in (None, "micro", "macro", "weighted")
    for threshold in (None, 0.4)
    for steps in (
        CATEGORICAL[:3],
        batches(bits(B, C), tied(B, C), uniform(B)),
        batches(bits(B, 1), uniform(B, 1)),
    )
]
SCORES = [
    ("R2Score", {"class_aggregation": aggregation, "num_regressors": regressors}, steps)
    for aggregation in (None, "uniform_average", "variance_weighted_average")
    for regressors in (0, 2)
    for steps in (
        batches(normal(B, C), normal(B, C), uniform(B), uniform(B, 1), uniform(B, C)),
        batches(normal(B), normal(B, 1), uniform(B)),
        batches(np.ones((B, 2), "float32"), normal(B, 2)),
        batches(np.ones((B, 2), "float32"), np.ones((B, 2), "float32")),
    )
]
OVERLAPS = [
    *[("IoU", {"num_classes": C, "target_class_ids": [0, 2], **kwargs}, steps) for kwargs, steps in (
        ({}, CLASS_PAIRS), ({}, CLASS_MAPS), ({}, OUT_OF_RANGE), ({"ignore_class": 2}, CLASS_PAIRS),
        ({"ignore_class": -1}, OUT_OF_RANGE), ({"sparse_y_pred": False}, SPARSE[:2]),
        ({"dtype": "int64"}, CLASS_MAPS),
        ({"dtype": "float32"}, batches(classes(B), classes(B), uniform(B), 0.5)),
        ({"sparse_y_true": False, "sparse_y_pred": False}, CATEGORICAL[:2]),
        ({}, batches(normal(B) * 3, normal(B) * 3)),
    )],
    *[("MeanIoU", {"num_classes": C, **kwargs}, CLASS_PAIRS) for kwargs in ({}, {"ignore_class": 0})],
    ("MeanIoU", {"num_classes": 20}, CLASS_PAIRS),
    ("OneHotIoU", {"num_classes": C, "target_class_ids": (1, 3)}, CATEGORICAL[:2]),
    ("OneHotIoU", {"num_classes": C, "target_class_ids": [1], "sparse_y_pred": True}, batches(one_hot(B),
    classes(B))),
    ("OneHotMeanIoU", {"num_classes": C}, CATEGORICAL[:2]),
    *[("BinaryIoU", kwargs, batches(bits(B), uniform(B), RNG.integers(0, 4, B)))
      for kwargs in ({}, {"target_class_ids": [1], "threshold": 0.3}, {"target_class_ids": (0,)})],
]  # fmt: skip
CASES = [
    *MEANS, *SUMS, *ACCURACIES, *ERRORS, *CROSSENTROPIES, *COUNTS, *RATIOS, *CONSTRAINED, *AREAS, *F_SCORES,
        *SCORES,
    *OVERLAPS,
]  # fmt: skip
REQUIRED = {
    "IoU": {"num_classes": C, "target_class_ids": [0]}, "MeanIoU": {"num_classes": C},
        "MeanMetricWrapper": {"fn": None},
    "OneHotIoU": {"num_classes": C, "target_class_ids": [0]}, "OneHotMeanIoU": {"num_classes": C},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
}  # fmt: skip
CLASSES = sorted(name for name in dir(keras.metrics) if isinstance(getattr(keras.metrics, name), type))


def pair(name, kwargs):
    kwargs = {"name": "mine", **kwargs}
    return getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)


def close(ours, theirs, what):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    np.testing.assert_allclose(ours, theirs, err_msg=what, **TOLERANCE)


def value_of(result):
    return result.detach().numpy() if isinstance(result, torch.Tensor) else np.asarray(result)


def compare_state(ours, theirs, step):
    assert [(v.name, v.path) for v in ours.variables] == [(v.name, v.path) for v in theirs.variables]
    for own, other in zip(ours.variables, theirs.variables, strict=True):
        assert str(own.dtype) == f"torch.{other.dtype}" and own.trainable is other.trainable is False
        close(own.numpy(), other.value.detach().numpy(), f"{own.path} after {step}")
    if theirs.variables and (step != "reset" or "true_positives" in vars(theirs) or "total" in vars(theirs)):
        close(value_of(ours.result()), value_of(theirs.result()), f"result after {step}")


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_state_and_result(case):
    name, kwargs, steps = case
    ours, theirs = pair(name, kwargs)
    for i, (args, options) in enumerate(steps):
        ours.update_state(*args, **options)
        theirs.update_state(*args, **options)
        compare_state(ours, theirs, f"batch {i}")
    ours.reset_state()
    theirs.reset_state()
    compare_state(ours, theirs, "reset")


def test_every_class_is_compared():
    assert {name for name, _, _ in CASES} | {"Metric", "MeanMetricWrapper"} == set(CLASSES)


@pytest.mark.parametrize("num_thresholds", [3, 7, 50, 200, 201, 1000])
def test_auc_of_predictions_at_the_thresholds(num_thresholds):
    at = np.linspace(0, 1, num_thresholds, dtype="float32")
    steps = np.arange(num_thresholds, dtype="float32") / np.float32(num_thresholds - 1)
    around = [np.nextafter(at, np.float32(side)) for side in (-1, 2)]
    y_pred = np.concatenate([at, steps, *around])
    y_true = RNG.integers(0, 2, len(y_pred))
    ours, theirs = pair("AUC", {"num_thresholds": num_thresholds})
    ours.update_state(y_true, y_pred)
    theirs.update_state(y_true, y_pred)
    compare_state(ours, theirs, "update")


@pytest.mark.parametrize("name", CLASSES)
def test_config(name):
    kwargs = dict(REQUIRED.get(name, {}))
    if name == "MeanMetricWrapper":
        kwargs = {"fn": keras.metrics.mean_squared_error}
        theirs = keras.metrics.MeanMetricWrapper(**kwargs, name="m")
        ours = metrics.MeanMetricWrapper(metrics.mean_squared_error, name="m")
        restored = metrics.deserialize(keras.metrics.serialize(theirs))
        assert restored._fn is metrics.mean_squared_error
        assert keras.metrics.serialize(theirs)["config"].keys() == metrics.serialize(ours)["config"].keys()
        return
    reset_names()
    keras.backend.clear_session()
    ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    if name != "Metric":
        assert metrics.serialize(ours) == keras.metrics.serialize(theirs)
    assert repr(ours) == repr(theirs)
    assert getattr(ours, "_direction", None) == getattr(theirs, "_direction", None)
    restored = metrics.deserialize(keras.metrics.serialize(theirs))
    assert type(restored) is type(ours) and restored.get_config() == ours.get_config()


CONFIGURED = [case[:2] for case in CASES if case[0] not in ("Mean", "Sum")]


@pytest.mark.parametrize("case", list({repr(case): case for case in CONFIGURED}.values()), ids=repr)
def test_config_with_arguments(case):
    name, kwargs = case
    ours, theirs = pair(name, {**kwargs, "name": "mine", "dtype": kwargs.get("dtype", "float64")})
    own, other = ours.get_config(), theirs.get_config()
    for config in (own, other):
        config.pop("from_sorted_ids", None)  # Keras forgets it and the axis of CosineSimilarity
        if name == "CosineSimilarity":
            config.pop("axis", None)
        if config.get("label_weights") is not None:
            config["label_weights"] = np.asarray(config["label_weights"]).round(5).tolist()
    assert own == other
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    assert theirs.from_config({k: v for k, v in ours.get_config().items() if k != "label_weights"})


def test_names():
    from keras.src.metrics import ALL_OBJECTS_DICT

    for name, cls in ALL_OBJECTS_DICT.items():
        if cls.__name__ not in REQUIRED:
            assert type(metrics.get(name)).__name__ == cls.__name__, name
    assert metrics.get(None) is None
    assert metrics.get(metrics.mean_squared_error) is metrics.mean_squared_error
    for unknown in ("nope", "mse2", 3):
        for package in (metrics, keras.metrics):
            with pytest.raises(ValueError):
                package.get(unknown)


FUNCTIONS = [
    *[("binary_accuracy", (y, p), {}) for y, p in (
        (bits(B), uniform(B)), (bits(B), uniform(B, 1)), (bits(B, 1), uniform(B)),
        (bits(B, C), uniform(B, C)),
        (np.array([True, False]), uniform(2)), (uniform(B), uniform(B)), (1, 0.7), ([0, 0], [0.5, 0.50001]),
    )],
    ("binary_accuracy", (bits(B), uniform(B)), {"threshold": 0.9}),
    *[("categorical_accuracy", (y, p), {}) for y, p in (
        (one_hot(B), softmax(B, C)), (one_hot(B, T), softmax(B, T, C)), (one_hot(B), tied(B, C)),
        (one_hot(B)[0], softmax(C)),
    )],
    *[("sparse_categorical_accuracy", (y, p), {}) for y, p in (
        (classes(B), softmax(B, C)), (classes(B, 1), softmax(B, C)),
        (classes(B).astype("float32"), softmax(B, C)),
        (classes(B).astype("uint8"), tied(B, C)), (classes(B, T), softmax(B, T, C)),
        (classes(B, T, 1), softmax(B, T, C)), ([0, -1, 99], softmax(3, C)), (2, softmax(C)),
        ([1, 300], torch.rand(2, 4, dtype=torch.float16)),
    )],
    *[("top_k_categorical_accuracy", (one_hot(B), p), {"k": k}) for p in (softmax(B, C), tied(B,
        C)) for k in (1, 3)],
    *[("sparse_top_k_categorical_accuracy", (y, p), {"k": k}) for k in (1, 2, 4) for y, p in (
        (classes(B), softmax(B, C)), (classes(B), tied(B, C)), (classes(B, T), softmax(B, T, C)),
        (classes(B).astype("float32"), softmax(B, C)),
    )],
    *[("sparse_top_k_categorical_accuracy", (classes(B), classes(B, C)), {"k": k, "from_sorted_ids": True})
      for k in (1, 2, 9)],
    *[(name, args, {"axis": axis}) for name in ("pearson_correlation", "concordance_correlation")
      for axis in (-1, 0, None) for args in (
        (normal(B, C), normal(B, C)), (normal(B, C) + 100, normal(B, C) + 100),
        (normal(B, C, 1), normal(B, C)),
        (np.ones((B, C), "float32"), normal(B, C)), (normal(B, C) * 1e-3, normal(B, C) * 1e-3),
      )],
]  # fmt: skip


@pytest.mark.parametrize("case", FUNCTIONS, ids=[f"{i}-{case[0]}" for i, case in enumerate(FUNCTIONS)])
def test_functions(case):
    name, args, kwargs = case
    ours = getattr(metrics, name)(*args, **kwargs)
    theirs = getattr(keras.metrics, name)(*args, **kwargs)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    tolerance = 1e-3 if np.max(np.abs(np.asarray(args[0], "float32"))) > 50 and "corr" in name else 1e-5
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_loss_functions_are_metrics_too():
    from kerasish import losses

    for name in dir(keras.metrics):
        if name[0].islower() and getattr(keras.losses, name, None) is getattr(keras.metrics, name):
            assert getattr(metrics, name) is getattr(losses, name), name


@pytest.mark.parametrize("weight", [None, "sample", "step"])
@pytest.mark.parametrize("name", ["SparseCategoricalAccuracy", "SparseCategoricalCrossentropy"])
def test_masks(name, weight):
    mask = bits(B, T).astype(bool)
    y_true, y_pred = classes(B, T), softmax(B, T, C)
    weights = {None: None, "sample": uniform(B, 1) * np.ones((B, T), "float32"), "step": uniform(B, T)}[
        weight
    ]
    ours, theirs = pair(name, {})
    for metric in (ours, theirs):
        prediction = torch.tensor(y_pred)
        prediction._keras_mask = torch.tensor(mask)
        metric.update_state(y_true, prediction, sample_weight=weights)
    compare_state(ours, theirs, "update")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "mixed_float16"])
@pytest.mark.parametrize(
    "name", ["Mean", "SparseCategoricalAccuracy", "AUC", "Precision", "F1Score", "R2Score"]
)
def test_dtypes(name, dtype):
    kwargs = {"thresholds": [0.1, 0.5]} if name == "Precision" else {}
    ours, theirs = pair(name, {**kwargs, "dtype": dtype})
    args = {
        "Mean": (uniform(B),), "SparseCategoricalAccuracy": (classes(B), softmax(B, C)), "AUC": (bits(B),
            uniform(B)),
        "Precision": (bits(B), uniform(B)), "F1Score": (one_hot(B), softmax(B, C)),
        "R2Score": (normal(B, 1), normal(B, 1)),
    }[name]  # fmt: skip
    ours.update_state(*args)
    theirs.update_state(*args)
    assert ours.dtype == theirs.dtype and ours.get_config() == theirs.get_config()
    assert [str(v.dtype) for v in ours.variables] == [f"torch.{v.dtype}" for v in theirs.variables]
    tolerance = 2e-2 if "16" in dtype else 1e-5
    results = [metric.result().detach().double() for metric in (ours, theirs)]
    np.testing.assert_allclose(*results, rtol=tolerance, atol=tolerance)


class Recorder:
    """A user's metric, written once for both packages."""

    @staticmethod
    def make(package, variable):
        class Custom(package.Metric):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.total = self.add_weight(name="total", initializer="ones", shape=(2,))
                self.inner = package.Mean(name="inner")
                self.count = self.add_variable((), "zeros", name="count")
                self.others = [package.Sum(name="other")]
                self.own = variable(3.0)

            def update_state(self, values, sample_weight=None):
                self.total.assign_add(values)
                self.inner.update_state(values, sample_weight)
                self.count.assign(self.count + 1)
                self.others[0].update_state(values)

            def result(self):
                return {"total": self.total.value, "mean": self.inner.result(), "count": self.count.value}

        return Custom()


def test_custom_metric_and_stateless_methods():
    from kerasish.variable import Variable

    pairs = [Recorder.make(metrics, Variable), Recorder.make(keras.metrics, keras.Variable)]
    values = np.array([1.0, 3.0], "float32")
    state = [torch.full(v.shape, 2.0) for v in pairs[0].variables]
    outcomes = []
    for metric in pairs:
        row = [metric(values)]
        row.append(metric.stateless_update_state(state, values))
        row.append(metric.stateless_result(state))
        row.append(metric.stateless_reset_state())
        row.append([v.value.detach().clone() for v in metric.variables])
        metric.reset_state()
        row.append([v.value.detach().clone() for v in metric.variables])
        outcomes.append(row)
        with pytest.raises(ValueError, match="`metric_variables` must"):
            metric.stateless_result(state[:-1])
    for own, other in zip(*outcomes, strict=True):
        own, other = (list(x.values()) if isinstance(x, dict) else x for x in (own, other))
        for a, b in zip(own, other, strict=True):
            close(torch.as_tensor(a).detach().numpy(), torch.as_tensor(b).detach().numpy(), "custom")


INVALID = [
    ("Precision", {"thresholds": 1.5}), ("TruePositives", {"thresholds": [0.5, -1]}),
    ("AUC", {"num_thresholds": 1}),
    ("AUC", {"curve": "x"}), ("AUC", {"summation_method": "x"}), ("AUC", {"num_labels": 3}),
    ("PrecisionAtRecall", {"recall": 1.5}), ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 0}),
    ("FBetaScore", {"average": "x"}), ("FBetaScore", {"beta": -1.0}), ("FBetaScore", {"beta": "a"}),
    ("FBetaScore", {"threshold": 0.0}), ("F1Score", {"threshold": 1.5}),
    ("R2Score", {"class_aggregation": "x"}),
    ("R2Score", {"num_regressors": -1}), ("IoU", {"num_classes": 3, "target_class_ids": [3]}),
    ("BinaryIoU", {"target_class_ids": [2]}), ("Metric", {"dtype": "a name"}),
]  # fmt: skip


@pytest.mark.parametrize("case", INVALID, ids=repr)
def test_invalid_arguments_are_refused_by_both(case):
    name, kwargs = case
    for package in (metrics, keras.metrics):
        with pytest.raises(ValueError):
            getattr(package, name)(**kwargs)
