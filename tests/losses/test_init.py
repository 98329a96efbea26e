import inspect

import pytest

from kerasish import losses


@pytest.mark.parametrize(
    ("name", "function"),
    [
        *[(alias, losses.mean_squared_error) for alias in ("mse", "MSE", "mean_squared_error")],
        *[(alias, losses.mean_absolute_error) for alias in ("mae", "MAE")],
        *[(alias, losses.mean_absolute_percentage_error) for alias in ("mape", "MAPE")],
        *[(alias, losses.mean_squared_logarithmic_error) for alias in ("msle", "MSLE")],
        *[(alias, losses.kl_divergence) for alias in ("kld", "KLD", "kullback_leibler_divergence")],
        *[(alias, losses.cosine_similarity) for alias in ("cosine_proximity", "cosine")],
        ("bce", losses.binary_crossentropy),
        ("logcosh", losses.log_cosh),
        ("huber_loss", losses.huber),
        ("ctc", losses.ctc),
    ],
)
def test_names_of_functions(name, function):
    assert losses.get(name) is function
    assert losses.deserialize(name) is function
    assert losses.deserialize(losses.serialize(function)) is function


def test_names_of_classes():
    for name, cls in vars(losses).items():
        if inspect.isclass(cls) and issubclass(cls, losses.Loss) and cls is not losses.LossFunctionWrapper:
            assert type(losses.get(name)) is cls
            assert type(losses.get(cls)) is cls


def test_generalized_cross_entropy_by_name_has_its_default():
    assert losses.get("categorical_generalized_cross_entropy").q == 0.5


def test_get_returns_objects_and_functions_as_they_are():
    loss = losses.Huber()
    assert losses.get(loss) is loss
    assert losses.get(max) is max
    assert losses.get(None) is None


def test_configs():
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}}).delta == 2.0
    loss = losses.Tversky(alpha=0.3, axis=[1, 2], name="t")
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert losses.serialize(loss)["module"] == "keras.losses"


def test_unknown_names():
    with pytest.raises(
        ValueError, match=r"Unknown loss: 'mean_squarred_error'. Did you mean 'mean_squared_error'"
    ):
        losses.get("mean_squarred_error")
    with pytest.raises(ValueError, match=r"Could not interpret the loss.*Received: 5"):
        losses.get(5)


def test_directory_shows_losses_only():
    for name in dir(losses):
        value = getattr(losses, name)
        assert name.startswith("__") or name == "Reduction" or callable(value), name
    assert "crossentropy" not in dir(losses)
    assert "annotations" not in dir(losses)


def test_every_public_thing_has_a_docstring():
    for name in dir(losses):
        if not name.startswith("__"):
            assert inspect.getdoc(getattr(losses, name)), name
