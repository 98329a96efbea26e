import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, jaccard_score

from kerasish import metrics

RNG = np.random.default_rng(2)
TRUE, PREDICTED = RNG.integers(0, 4, 60), RNG.integers(0, 4, 60)


def test_matrix_and_means_are_sklearns():
    metric = metrics.MeanIoU(4)
    value = metric(TRUE.reshape(6, 10), PREDICTED.reshape(6, 10))
    np.testing.assert_array_equal(metric.total_cm.numpy(), confusion_matrix(TRUE, PREDICTED))
    scores = jaccard_score(TRUE, PREDICTED, average=None)
    np.testing.assert_allclose(value, scores.mean(), rtol=1e-6)
    np.testing.assert_allclose(metrics.IoU(4, [1, 3])(TRUE, PREDICTED), scores[[1, 3]].mean(), rtol=1e-6)
    np.testing.assert_allclose(
        metrics.OneHotIoU(4, [2])(np.eye(4)[TRUE], np.eye(4)[PREDICTED]), scores[2], rtol=1e-6
    )


def test_classes_that_never_occur_are_left_out():
    assert float(metrics.MeanIoU(50)([0, 1], [0, 1])) == 1
    assert float(metrics.IoU(3, [2])([0, 1], [0, 1])) == 0


def test_ignored_classes_and_those_out_of_range_do_not_count():
    metric = metrics.MeanIoU(2, ignore_class=255)
    metric.update_state([0, 255, 1, -1, 0], [0, 1, 1, 0, 7])
    assert metric.total_cm.tolist() == [[1, 0], [0, 1]]
    metric = metrics.MeanIoU(3, ignore_class=0)
    metric.update_state([0, 1, 2], [0, 1, 0])
    assert metric.total_cm.tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_scores_along_an_axis():
    maps = np.eye(4, dtype="float32")[TRUE.reshape(6, 10)]
    metric = metrics.OneHotMeanIoU(4, axis=1)
    assert float(metric(maps.transpose(0, 2, 1), maps.transpose(0, 2, 1))) == 1


def test_fractional_weights_need_a_float_matrix():
    with pytest.warns(UserWarning, match="counts in int32, which cuts the fractions of `sample_weight` off"):
        metrics.MeanIoU(2).update_state([0, 1], [0, 1], sample_weight=[0.5, 2.0])
    metric = metrics.MeanIoU(2, dtype="float32")
    metric.update_state([0, 1], [0, 1], sample_weight=[0.5, 2.0])
    assert metric.total_cm.tolist() == [[0.5, 0.0], [0.0, 2.0]]


def test_binary_threshold_counts_as_one():
    metric = metrics.BinaryIoU(threshold=0.3)
    metric.update_state([[0], [1]], [[0.3], [0.3]])
    assert metric.total_cm.tolist() == [[0, 1], [0, 1]]


def test_errors():
    for ids in ([3], [-1], []):
        with pytest.raises(ValueError, match="`target_class_ids` must be class numbers in 0 … 2"):
            metrics.IoU(3, ids)
    with pytest.raises(ValueError, match=r"must have one class for each other. Received: y_true"):
        metrics.MeanIoU(3).update_state(torch.ones(3), torch.ones(2))
