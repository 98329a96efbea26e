import numpy as np
import pytest
import torch
from sklearn.metrics import fbeta_score

from kerasish import metrics

RNG = np.random.default_rng(4)
LABELS, SCORES = RNG.integers(0, 2, (50, 3)), RNG.uniform(size=(50, 3)).astype("float32")


@pytest.mark.parametrize("weights", [None, RNG.uniform(0.1, 2, 50).astype("float32")])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_scores_are_sklearns(average, beta, weights):
    value = metrics.FBetaScore(average, beta, threshold=0.4)(LABELS, SCORES, weights)
    expected = fbeta_score(LABELS, SCORES > 0.4, beta=beta, average=average, sample_weight=weights)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    if beta == 1:
        np.testing.assert_allclose(
            metrics.F1Score(average, 0.4)(LABELS, SCORES, weights), expected, rtol=1e-5
        )


def test_without_threshold_the_largest_is_positive():
    metric = metrics.F1Score()
    assert metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]).tolist() == pytest.approx([2 / 3, 0])
    metric.reset_state()
    metric.update_state([[1, 1]], [[0.0, 0.0]])
    assert metric.true_positives.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "mean"}, "`average` must be one of"),
        ({"beta": 0.0}, "`beta` must be a number above 0. Received: beta=0.0"),
        ({"beta": "1"}, "`beta` must be a number"),
        ({"threshold": 0.0}, "`threshold` must be a number with 0 < threshold <= 1"),
        ({"threshold": 1.1}, "Received: threshold=1.1"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        metrics.FBetaScore(**arguments)


def test_shapes_that_do_not_fit():
    for y_true, y_pred in (((3,), (3,)), ((3, 2), (3, 1)), ((2, 2, 2), (2, 2, 2))):
        with pytest.raises(
            ValueError, match=r"needs labels and predictions of shape \(None, .*Received: y_true"
        ):
            metrics.F1Score().update_state(torch.ones(y_true), torch.ones(y_pred))
    metric = metrics.F1Score()
    metric.update_state(torch.ones(2, 3), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"of shape \(None, 3\)"):
        metric.update_state(torch.ones(2, 4), torch.ones(2, 4))
    assert float(metrics.F1Score().result()) == 0
