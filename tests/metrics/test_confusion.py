import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn_metrics

from kerasish import metrics
from kerasish.metrics.confusion import _even_boundaries

RNG = np.random.default_rng(1)
LABELS = RNG.integers(0, 2, 400)
SCORES = np.clip(0.3 * LABELS + RNG.normal(0.35, 0.2, 400), 0, 1).astype("float32")
WEIGHTS = RNG.uniform(0.1, 2, 400).astype("float32")


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_precision_and_recall_are_sklearns(threshold, weights):
    above = np.greater(SCORES, threshold)
    for cls, function in (
        (metrics.Precision, sklearn_metrics.precision_score),
        (metrics.Recall, sklearn_metrics.recall_score),
    ):
        expected = function(LABELS, above, sample_weight=weights)
        np.testing.assert_allclose(cls(threshold)(LABELS, SCORES, weights), expected, rtol=1e-5)
        several = cls([0.1, threshold, 0.9])(LABELS, SCORES, weights)
        np.testing.assert_allclose(several[1], expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_auc_is_near_sklearns(weights):
    curve = metrics.AUC(num_thresholds=2000)(LABELS, SCORES, weights)
    expected = sklearn_metrics.roc_auc_score(LABELS, SCORES, sample_weight=weights)
    np.testing.assert_allclose(curve, expected, atol=2e-3)
    curve = metrics.AUC(num_thresholds=2000, curve="PR")(LABELS, SCORES, weights)
    expected = sklearn_metrics.average_precision_score(LABELS, SCORES, sample_weight=weights)
    np.testing.assert_allclose(curve, expected, atol=5e-3)


def test_multi_label_auc_is_the_mean_of_the_columns():
    labels, scores = LABELS.reshape(100, 4), SCORES.reshape(100, 4)
    columns = [float(metrics.AUC()(labels[:, i], scores[:, i])) for i in range(4)]
    together = metrics.AUC(multi_label=True)
    assert float(together(labels, scores)) == pytest.approx(np.mean(columns), rel=1e-5)
    weighted = metrics.AUC(multi_label=True, label_weights=[1, 2, 3, 4])
    assert float(weighted(labels, scores)) == pytest.approx(
        np.average(columns, weights=[1, 2, 3, 4]), rel=1e-5
    )
    assert weighted.get_config()["label_weights"] == [1.0, 2.0, 3.0, 4.0]


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, 30, elements=st.floats(-0.5, 1.5, width=32)),
    arrays(np.int64, 30, elements=st.integers(0, 1)),
    st.lists(st.floats(0, 1), min_size=1, max_size=7),
)
def test_counts_are_comparisons(scores, labels, thresholds):
    thresholds = [float(np.float32(t)) for t in thresholds]
    above = scores[None] > np.array(thresholds, "float32")[:, None]
    if len(thresholds) > 2 and np.allclose(thresholds, np.linspace(0, 1, len(thresholds)), atol=1e-7):
        above[0], above[-1] = scores > 0, False
    expected = {
        "TruePositives": above & (labels == 1),
        "FalsePositives": above & (labels == 0),
        "TrueNegatives": ~above & (labels == 0),
        "FalseNegatives": ~above & (labels == 1),
    }
    for name, cells in expected.items():
        counts = np.atleast_1d(getattr(metrics, name)(thresholds)(labels, scores))
        np.testing.assert_array_equal(counts, cells.sum(1), err_msg=name)


@pytest.mark.parametrize("count", [2, 3, 10, 50, 200, 201, 500, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_even_boundaries_are_the_last_numbers_below_the_step(count, dtype):
    limits = _even_boundaries([-1e-7, *range(1, count)], dtype)
    inner, rank = limits[1:-1], np.arange(1, count - 1, dtype=dtype)
    assert limits[0] == -np.inf and limits[-1] == np.inf
    assert (inner * dtype(count - 1) <= rank).all()
    assert (np.nextafter(inner, dtype(2)) * dtype(count - 1) > rank).all()


def test_nan_is_not_positive():
    scores = [np.nan, 0.9]
    for thresholds in (0.5, [0.2, 0.5], [0.0, 0.5, 1.0]):
        assert float(np.max(np.asarray(metrics.TruePositives(thresholds)([1, 1], scores)))) == 1
    assert float(metrics.AUC().true_positives.sum()) == 0


def test_counts_with_weights_do_not_cancel():
    metric = metrics.AUC(num_thresholds=5)
    metric.update_state(np.ones(1000), np.full(1000, 0.9), np.full(1000, 0.1))
    assert metric.false_negatives[:4].tolist() == [0, 0, 0, 0]
    assert not metric.false_positives.any() and not metric.true_negatives.any()


def test_top_k_and_class():
    labels = [[0, 0, 1, 1], [1, 0, 1, 0]]
    scores = [[0.1, 0.2, 0.3, 0.4], [0.4, 0.2, 0.3, 0.1]]
    assert float(metrics.Precision(top_k=1)(labels, scores)) == 1
    assert float(metrics.Recall(top_k=1)(labels, scores)) == 0.5
    assert float(metrics.Recall(top_k=1, class_id=0)(labels, scores)) == 1
    assert float(metrics.Recall(top_k=99)(labels, scores)) == 1
    with pytest.raises(ValueError, match=r"`class_id=4` needs predictions .* with that class"):
        metrics.Recall(class_id=4).update_state(labels, scores)
    with pytest.raises(ValueError, match=r"`class_id=0` needs predictions of shape \(samples, classes\)"):
        metrics.Recall(class_id=0).update_state([0, 1], [0.1, 0.2])


def test_best_rate_under_a_constraint():
    thresholds = np.linspace(0, 1, 101)
    above = SCORES[None] > thresholds[:, None].astype("float32")
    sensitivity = (above & (LABELS == 1)).sum(1) / (LABELS == 1).sum()
    specificity = (~above & (LABELS == 0)).sum(1) / (LABELS == 0).sum()
    value = metrics.SensitivityAtSpecificity(0.8, num_thresholds=101)(LABELS, SCORES)
    np.testing.assert_allclose(value, sensitivity[specificity >= 0.8].max(), rtol=1e-6)
    value = metrics.SpecificityAtSensitivity(0.8, num_thresholds=101)(LABELS, SCORES)
    np.testing.assert_allclose(value, specificity[sensitivity >= 0.8].max(), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(2), r"`thresholds` must be numbers in \[0, 1\]. Received: thresholds=2"),
        (lambda: metrics.Recall([0.5, None]), r"`thresholds` must be numbers"),
        (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds` must be at least 2"),
        (lambda: metrics.AUC(curve="RCO"), "`curve` must be one of .* Did you mean 'ROC'"),
        (lambda: metrics.AUC(summation_method="major"), "Did you mean 'majoring'"),
        (lambda: metrics.AUC(num_labels=3), "`num_labels` needs `multi_label=True`"),
        (lambda: metrics.AUC(label_weights=[-1.0]), "`label_weights` must not be negative"),
        (
            lambda: metrics.AUC(multi_label=True, num_labels=3, label_weights=[1.0]),
            "one weight for each of the 3",
        ),
        (lambda: metrics.PrecisionAtRecall(1.1), r"`recall` must be in \[0, 1\]. Received: recall=1.1"),
        (lambda: metrics.PrecisionAtRecall(0.5, 0), "`num_thresholds` must be at least 1"),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"must have one shape. Received: y_true of shape \(3,\)"):
        metrics.Precision().update_state(torch.ones(3), torch.ones(2))
    with pytest.raises(ValueError, match=r"`multi_label=True` needs predictions of shape \(None, None\)"):
        metrics.AUC(multi_label=True).update_state(torch.ones(3), torch.ones(3))
    metric = metrics.AUC(multi_label=True, num_labels=2)
    with pytest.raises(ValueError, match=r"`multi_label=True` needs predictions of shape \(None, 2\)"):
        metric.update_state(torch.ones(3, 4), torch.ones(3, 4))
    assert float(metrics.AUC(multi_label=True).result()) == 0
