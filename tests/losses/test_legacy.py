import pytest

from kerasish import losses


def test_reduction_names_are_accepted_by_losses():
    for name in losses.Reduction.all():
        losses.Reduction.validate(name)
        losses.MeanSquaredError(reduction=name)
    with pytest.raises(ValueError, match=r"Unknown reduction.*Received: 'average'"):
        losses.Reduction.validate("average")


def test_is_categorical_crossentropy():
    for loss in (
        "categorical_crossentropy",
        losses.categorical_crossentropy,
        losses.CategoricalCrossentropy(),
    ):
        assert losses.is_categorical_crossentropy(loss)
    for loss in ("mse", losses.sparse_categorical_crossentropy, losses.BinaryCrossentropy()):
        assert not losses.is_categorical_crossentropy(loss)
