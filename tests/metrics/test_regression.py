import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score, root_mean_squared_error

from kerasish import losses, metrics

RNG = np.random.default_rng(5)
TRUE, PREDICTED = RNG.normal(size=(2, 30, 3)).astype("float32")
WEIGHTS = RNG.uniform(0.1, 2, 30).astype("float32")


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("aggregation", ["uniform_average", "variance_weighted_average", None])
def test_r2_is_sklearns(aggregation, weights):
    value = metrics.R2Score(aggregation)(TRUE, PREDICTED, weights)
    kind = {"variance_weighted_average": "variance_weighted", None: "raw_values"}.get(
        aggregation, aggregation
    )
    expected = r2_score(TRUE, PREDICTED, sample_weight=weights, multioutput=kind)
    np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_adjusted_r2():
    plain = float(metrics.R2Score()(TRUE[:, :1], PREDICTED[:, :1]))
    adjusted = float(metrics.R2Score(num_regressors=4)(TRUE[:, :1], PREDICTED[:, :1]))
    assert adjusted == pytest.approx(1 - (1 - plain) * 29 / 25, rel=1e-5)
    for regressors in (29, 40):
        value = metrics.R2Score(num_regressors=regressors)(TRUE[:, :1], PREDICTED[:, :1])
        assert float(value) == pytest.approx(plain)


def test_r2_errors():
    with pytest.raises(ValueError, match="`class_aggregation` must be one of"):
        metrics.R2Score("mean")
    with pytest.raises(
        ValueError, match=r"`num_regressors` must not be negative. Received: num_regressors=-1"
    ):
        metrics.R2Score(num_regressors=-1)
    with pytest.raises(ValueError, match=r"R2Score needs targets and predictions of shape \(None, None\)"):
        metrics.R2Score().update_state(torch.ones(3), torch.ones(3))
    metric = metrics.R2Score()
    metric.update_state(torch.ones(3, 2), torch.ones(3, 2))
    with pytest.raises(ValueError, match=r"of shape \(None, 2\). Received: y_true of shape \(3, 4\)"):
        metric.update_state(torch.ones(3, 4), torch.ones(3, 4))
    assert float(metrics.R2Score().result()) == 0


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_root_mean_squared_error_is_over_all_batches(weights):
    metric = metrics.RootMeanSquaredError()
    for part in (slice(0, 7), slice(7, 30)):
        metric.update_state(TRUE[part, :1], PREDICTED[part, 0], None if weights is None else weights[part])
    expected = root_mean_squared_error(TRUE[:, 0], PREDICTED[:, 0], sample_weight=weights)
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)


def test_cosine_has_the_sign_of_a_similarity():
    cosine = (TRUE * PREDICTED).sum(1) / np.linalg.norm(TRUE, axis=1) / np.linalg.norm(PREDICTED, axis=1)
    np.testing.assert_allclose(metrics.cosine_similarity(TRUE, PREDICTED), cosine, rtol=1e-4)
    np.testing.assert_allclose(metrics.CosineSimilarity()(TRUE, PREDICTED), cosine.mean(), rtol=1e-4)
    np.testing.assert_allclose(losses.cosine_similarity(TRUE, PREDICTED), -cosine, rtol=1e-4)
    assert metrics.CosineSimilarity.from_config(metrics.CosineSimilarity(axis=1).get_config()).axis == 1


@pytest.mark.parametrize(
    "name",
    ["mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "log_cosh", "poisson"],
)
def test_means_of_losses(name):
    cls = {"log_cosh": "LogCoshError"}.get(name) or "".join(part.title() for part in name.split("_"))
    positive = np.abs(PREDICTED)
    value = getattr(metrics, cls)()(TRUE, positive)
    np.testing.assert_allclose(value, getattr(losses, name)(TRUE, positive).mean(), rtol=1e-5)


def test_mean_relative_error():
    metric = metrics.MeanRelativeError([1.0, 2.0, 0.0])
    assert float(metric([[1.0, 2.0, 3.0]], [[3.0, 1.0, 9.0]])) == pytest.approx((2 + 0.5 + 0) / 3)
    assert metric.get_config()["normalizer"] == [1.0, 2.0, 0.0]
