import numpy as np
import pytest

from kerasish import metrics

RNG = np.random.default_rng(6)
TRUE, PREDICTED = RNG.normal(size=(2, 8, 20)).astype("float32")


def test_pearson_is_numpys():
    expected = [np.corrcoef(t, p)[0, 1] for t, p in zip(TRUE, PREDICTED, strict=True)]
    np.testing.assert_allclose(metrics.pearson_correlation(TRUE, PREDICTED), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(metrics.PearsonCorrelation()(TRUE, PREDICTED), np.mean(expected), rtol=1e-4)
    columns = metrics.pearson_correlation(TRUE.T, PREDICTED.T, axis=0)
    np.testing.assert_allclose(columns, expected, rtol=1e-4, atol=1e-6)


def test_concordance_is_lins():
    covariance = ((TRUE - TRUE.mean(1, keepdims=True)) * (PREDICTED - PREDICTED.mean(1, keepdims=True))).mean(
        1
    )
    spread = TRUE.var(1) + PREDICTED.var(1) + (TRUE.mean(1) - PREDICTED.mean(1)) ** 2
    expected = 2 * covariance / spread
    np.testing.assert_allclose(
        metrics.concordance_correlation(TRUE, PREDICTED), expected, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(metrics.ConcordanceCorrelation()(TRUE, PREDICTED), expected.mean(), rtol=1e-4)


def test_shift_and_scale_matter_to_concordance_only():
    assert float(metrics.pearson_correlation(TRUE[0], 3 * TRUE[0] + 1)) == pytest.approx(1, abs=1e-5)
    assert float(metrics.concordance_correlation(TRUE[0], TRUE[0])) == pytest.approx(1, abs=1e-5)
    assert float(metrics.concordance_correlation(TRUE[0], 3 * TRUE[0] + 1)) < 0.7


def test_constant_targets():
    assert np.isnan(float(metrics.pearson_correlation(np.ones(5), PREDICTED[0, :5])))
    assert float(metrics.concordance_correlation(np.ones(5), np.ones(5))) == 0
