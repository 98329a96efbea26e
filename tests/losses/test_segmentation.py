import numpy as np
import pytest

from kerasish import losses

rng = np.random.default_rng(0)
t = (rng.random((3, 4, 4, 2)) < 0.5).astype(float)
p = rng.random((3, 4, 4, 2))


@pytest.mark.parametrize("axis", [None, (1, 2, 3), [1, 2]])
def test_formulas(axis):
    axes = tuple(axis) if axis else None

    def total(x):
        return x.sum(axis=axes)

    np.testing.assert_allclose(
        losses.dice(t, p, axis=axis), 1 - 2 * total(t * p) / (total(t) + total(p)), rtol=1e-6
    )
    overlap, missed, wrong = total(t * p), total(t * (1 - p)), total((1 - t) * p)
    expected = 1 - overlap / (overlap + 0.2 * missed + 0.7 * wrong)
    np.testing.assert_allclose(losses.tversky(t, p, alpha=0.2, beta=0.7, axis=axis), expected, rtol=1e-6)


def test_tversky_of_one_half_is_dice():
    np.testing.assert_allclose(losses.Tversky()(t, p), losses.Dice()(t, p), rtol=1e-5)


def test_per_image_losses_are_averaged():
    loss = losses.Dice(axis=(1, 2, 3))
    assert loss(t, p) == pytest.approx(losses.Dice(axis=(1, 2, 3), reduction="none")(t, p).mean())
    assert losses.Dice()(t, t) == pytest.approx(0, abs=1e-6)
