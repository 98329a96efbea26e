import numpy as np
import pytest
import torch

from kerasish import metrics

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(20,), (6, 5)])
def test_sparse_and_categorical_agree_with_numpy(shape):
    labels = RNG.integers(0, 4, shape)
    scores = RNG.normal(size=(*shape, 4)).astype("float32")
    expected = (scores.argmax(-1) == labels).mean()
    for y_true in (labels, labels[..., None], labels.astype("float32"), labels.astype("uint8")):
        assert float(metrics.SparseCategoricalAccuracy()(y_true, scores)) == pytest.approx(expected)
    assert float(metrics.CategoricalAccuracy()(np.eye(4)[labels], scores)) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
def test_top_k_agrees_with_sorting(k):
    labels = RNG.integers(0, 4, 30)
    scores = RNG.normal(size=(30, 4)).astype("float32")
    ranked = np.argsort(-scores, axis=1)
    expected = (ranked[:, :k] == labels[:, None]).any(1).mean()
    assert float(metrics.SparseTopKCategoricalAccuracy(k)(labels, scores)) == pytest.approx(expected)
    assert float(metrics.TopKCategoricalAccuracy(k)(np.eye(4)[labels], scores)) == pytest.approx(expected)
    by_ids = metrics.SparseTopKCategoricalAccuracy(k, from_sorted_ids=True)
    assert float(by_ids(labels, ranked)) == pytest.approx(expected)


def test_labels_that_are_no_class_are_wrong():
    scores = torch.zeros(3, 4)
    labels = [0, -1, 4]
    assert metrics.sparse_categorical_accuracy(labels, scores).tolist() == [1, 0, 0]
    assert metrics.sparse_top_k_categorical_accuracy(labels, scores, k=2).tolist() == [1, 0, 0]


def test_nan_is_not_among_the_top():
    scores = torch.tensor([[torch.nan, 1.0, 0.0], [0.0, torch.nan, 1.0]])
    assert metrics.sparse_top_k_categorical_accuracy([0, 1], scores, k=2).tolist() == [0, 0]


@pytest.mark.parametrize("function", ["sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (5, 2), (2, 3)])
def test_labels_of_another_shape(function, shape):
    with pytest.raises(
        ValueError, match=rf"{function}: expected one class number .*`y_true` of shape \(2, 4\)"
    ):
        getattr(metrics, function)(torch.zeros(shape), torch.zeros(2, 4, 7))


def test_threshold_itself_is_not_above_it():
    assert metrics.binary_accuracy([0, 1], [0.5, 0.5]).tolist() == [1, 0]
    assert metrics.binary_accuracy([0, 1], [0.3, 0.3], threshold=0.29).tolist() == [0, 1]


def test_forgotten_argument_is_in_the_config_where_it_matters():
    assert "from_sorted_ids" not in metrics.SparseTopKCategoricalAccuracy().get_config()
    config = metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True).get_config()
    assert metrics.SparseTopKCategoricalAccuracy.from_config(config).from_sorted_ids is True
