"""What holds for every metric class: split batches equal the whole, state stays in place,
nothing is read back."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kerasish import metrics
from kerasish.metrics import Metric

B, T, C = 24, 5, 4
RNG = np.random.default_rng(3)


def tensor(values, kind=torch.float32):
    return torch.as_tensor(values, dtype=kind)


def uniform(*shape):
    return tensor(RNG.uniform(0.01, 0.99, shape))


def bits(*shape):
    return tensor(RNG.integers(0, 2, shape))


def classes(*shape):
    return tensor(RNG.integers(0, C, shape), torch.int64)


def one_hot(*shape):
    return torch.nn.functional.one_hot(classes(*shape), C).float()


def softmax(*shape):
    return uniform(*shape).softmax(-1)


NUMBERS = (uniform(B, C), uniform(B, C))
LABELS = (bits(B, C), uniform(B, C))
CATEGORICAL = (one_hot(B), softmax(B, C))
SPARSE = (classes(B), softmax(B, C))
SEQUENCES = (classes(B, T), softmax(B, T, C))
MAPS = (classes(B, T), classes(B, T))

SAMPLES = [
    ("Mean", {}, (uniform(B, C),)),
    ("Sum", {}, (uniform(B, C),)),
    ("MeanTensor", {"shape": (T,)}, (uniform(T),)),
    ("MeanMetricWrapper", {"fn": metrics.mean_squared_error}, NUMBERS),
    ("Accuracy", {}, MAPS),
    ("BinaryAccuracy", {"threshold": 0.3}, LABELS),
    ("CategoricalAccuracy", {}, CATEGORICAL),
    ("SparseCategoricalAccuracy", {}, SPARSE),
    ("SparseCategoricalAccuracy", {}, SEQUENCES),
    ("TopKCategoricalAccuracy", {"k": 2}, CATEGORICAL),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, SPARSE),
    *[(name, {}, NUMBERS) for name in (
        "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError",
        "LogCoshError", "RootMeanSquaredError", "CosineSimilarity", "PearsonCorrelation",
            "ConcordanceCorrelation",
        "R2Score", "KLDivergence", "Poisson",
    )],
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, NUMBERS),
    ("MeanRelativeError", {"normalizer": [1.0, 2.0, 3.0, 0.0]}, NUMBERS),
    *[(name, {}, LABELS) for name in ("Hinge", "SquaredHinge", "CategoricalHinge", "BinaryCrossentropy")],
    ("CategoricalCrossentropy", {}, CATEGORICAL),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    *[(name, {"thresholds": thresholds}, LABELS) for thresholds in (None, [0.2, 0.6], [0.7, 0.1,
        0.4]) for name in (
        "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall",
    )],
    ("Precision", {"top_k": 2, "class_id": 1}, LABELS),
    ("SensitivityAtSpecificity", {"specificity": 0.3}, LABELS),
    ("SpecificityAtSensitivity", {"sensitivity": 0.3, "class_id": 2}, LABELS),
    ("PrecisionAtRecall", {"recall": 0.3, "num_thresholds": 1}, LABELS),
    ("RecallAtPrecision", {"precision": 0.3}, LABELS),
    *[("AUC", {"curve": curve}, LABELS) for curve in ("ROC", "PR", "PRGAIN")],
    ("AUC", {"multi_label": True, "num_labels": C, "label_weights": [1.0, 2.0, 3.0, 4.0]}, LABELS),
    ("AUC", {"thresholds": [0.2, 0.3], "from_logits": True, "summation_method": "majoring"}, LABELS),
    *[("FBetaScore", {"beta": 2.0, "average": average}, LABELS) for average in (None, "micro", "macro",
        "weighted")],
    ("F1Score", {"threshold": 0.4}, LABELS),
    ("IoU", {"num_classes": C, "target_class_ids": [0, 2], "ignore_class": 1}, MAPS),
    ("MeanIoU", {"num_classes": C, "dtype": "float32"}, MAPS),
    ("OneHotIoU", {"num_classes": C, "target_class_ids": [1]}, CATEGORICAL),
    ("OneHotMeanIoU", {"num_classes": C}, CATEGORICAL),
    ("BinaryIoU", {"threshold": 0.4}, LABELS),
]  # fmt: skip
every_metric = pytest.mark.parametrize("sample", SAMPLES, ids=[f"{i}-{s[0]}" for i, s in enumerate(SAMPLES)])


def make(sample):
    name, kwargs, _ = sample
    return getattr(metrics, name)(**kwargs)


def updated(sample, times=1):
    metric = make(sample)
    for _ in range(times):
        metric.update_state(*sample[2])
    return metric


def weights_for(metric):
    return tensor(RNG.integers(0, 3, B), torch.int64 if metric.dtype == "int32" else torch.float32)


def assert_same(first, second, **tolerance):
    torch.testing.assert_close(first.result(), second.result(), equal_nan=True, **tolerance)
    for a, b in zip(first.variables, second.variables, strict=True):
        torch.testing.assert_close(a.detach(), b.detach(), rtol=1e-5, atol=1e-5)


def test_every_class_has_a_sample():
    public = {name for name in dir(metrics) if isinstance(getattr(metrics, name), type)}
    assert {sample[0] for sample in SAMPLES} | {"Metric"} == public


@every_metric
@pytest.mark.parametrize("size", [1, 7])
def test_split_batches_equal_the_whole(sample, size):
    if sample[0] == "MeanTensor":
        pytest.skip("its batch has no samples")
    whole, split = make(sample), make(sample)
    weights = weights_for(whole)
    whole.update_state(*sample[2], sample_weight=weights)
    for start in range(0, B, size):
        part = slice(start, start + size)
        split.update_state(*(x[part] for x in sample[2]), sample_weight=weights[part])
    assert_same(whole, split, rtol=1e-4, atol=1e-5)


@every_metric
def test_weights_of_one_change_nothing(sample):
    plain, weighted = updated(sample), make(sample)
    ones = torch.ones(len(sample[2][0]), dtype=torch.int64 if plain.dtype == "int32" else torch.float32)
    weighted.update_state(*sample[2], sample_weight=ones)
    assert_same(plain, weighted)


@every_metric
def test_merged_states_equal_one_state(sample):
    merged = updated(sample)
    merged.merge_state([updated(sample), updated(sample)])
    assert_same(merged, updated(sample, times=3))


@every_metric
def test_state_is_changed_in_place_and_reset(sample):
    metric = updated(sample)
    places = [variable.data_ptr() for variable in metric.variables]
    first = metric.result()
    metric.reset_state()
    assert all(not variable.any() for variable in metric.variables)
    metric.update_state(*sample[2])
    assert [variable.data_ptr() for variable in metric.variables] == places
    torch.testing.assert_close(metric.result(), first, equal_nan=True)


class NothingReadBack(TorchDispatchMode):
    """Refuses operations whose result or shape depends on values: they would wait for the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert torch.Tag.data_dependent_output not in func.tags, func
        assert torch.Tag.dynamic_output_shape not in func.tags, func
        return func(*args, **(kwargs or {}))


@every_metric
def test_nothing_is_read_back(sample):
    metric = updated(sample)
    weights = weights_for(metric) if sample[0] != "MeanTensor" else None
    with NothingReadBack():
        metric.update_state(*sample[2])
        metric.update_state(*sample[2], sample_weight=weights)
        metric.result()
        metric.reset_state()


@every_metric
def test_no_gradients_are_recorded(sample):
    metric = make(sample)
    inputs = [x.clone().requires_grad_() if x.is_floating_point() else x for x in sample[2]]
    metric.update_state(*inputs)
    assert not metric.result().requires_grad
    assert all(variable.is_leaf and not variable.requires_grad for variable in metric.variables)


@every_metric
def test_copies_are_independent(sample):
    metric = updated(sample)
    for duplicate in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert_same(metric, duplicate)
        duplicate.update_state(*sample[2])
        assert_same(duplicate, updated(sample, times=2))
    assert_same(metric, updated(sample))


@every_metric
def test_config_round_trip(sample):
    metric = updated(sample)
    restored = metrics.deserialize(metrics.serialize(metric))
    assert type(restored) is type(metric)
    assert restored.get_config() == metric.get_config()
    restored.update_state(*sample[2])
    assert_same(metric, restored)


@every_metric
def test_stateless_methods(sample):
    metric = updated(sample)
    before = [variable.detach().clone() for variable in metric.variables]
    zeros = metric.stateless_reset_state()
    once = metric.stateless_update_state(zeros, *sample[2])
    twice = metric.stateless_update_state(once, *sample[2])
    for value, variable in zip(twice, updated(sample, times=2).variables, strict=True):
        torch.testing.assert_close(value, variable.detach())
    torch.testing.assert_close(metric.stateless_result(once), metric.result(), equal_nan=True)
    for value, variable in zip(before, metric.variables, strict=True):
        torch.testing.assert_close(value, variable.detach())


@every_metric
def test_moving_keeps_the_variables(sample):
    metric = updated(sample)
    variables = metric.variables
    assert metric.to("cpu") is metric
    assert [id(v) for v in metric.variables] == [id(v) for v in variables]
    assert_same(metric, updated(sample))


@every_metric
@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_without_synchronisation(sample):
    metric = make(sample).to("cuda")
    inputs = [x.cuda() for x in sample[2]]
    metric.update_state(*inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        metric.update_state(*inputs)
        metric.reset_state()
        metric.update_state(*inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(metric.result().cpu(), updated(sample).result(), equal_nan=True)


@every_metric
def test_lists_and_arrays_are_taken_too(sample):
    metric = make(sample)
    metric.update_state(*(x.numpy() for x in sample[2]))
    metric.update_state(*(x.tolist() for x in sample[2]))
    assert_same(metric, updated(sample, times=2))


def test_default_names_count_up():
    first, second = metrics.AUC(), metrics.AUC()
    assert first.name.startswith("auc") and first.name != second.name
    assert metrics.Mean().name == metrics.Mean().name == "mean"
    assert isinstance(first, Metric)
