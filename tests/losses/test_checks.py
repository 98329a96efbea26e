import numpy as np
import pytest
import torch

from kerasish import losses
from kerasish.losses.checks import check_targets

numbers = np.array([0, 1, 2, 9])
one_hot = np.eye(10)[numbers]
binary = np.array([0, 1, 1, 0])

ACCEPTED = [
    ("sparse_categorical_crossentropy", numbers, (None, 10)),
    ("sparse_categorical_crossentropy", numbers[:, None].astype("float32"), (None, 10)),
    ("sparse_categorical_crossentropy", torch.tensor(numbers), (32, 10)),
    ("sparse_categorical_crossentropy", numbers.reshape(2, 2), (None, 2, 10)),
    ("sparse_categorical_crossentropy", numbers.reshape(2, 2), (None, None, 10)),
    ("sparse_categorical_crossentropy", numbers, (None, None)),
    ("sparse_categorical_crossentropy", numbers[:0], (None, 10)),
    (losses.SparseCategoricalCrossentropy(ignore_class=-1), np.array([-1, 0, 2]), (None, 3)),
    (losses.SparseCategoricalCrossentropy(axis=1), numbers.reshape(2, 2), (None, 10, 2)),
    (losses.categorical_crossentropy, one_hot, (None, 10)),
    (losses.CategoricalCrossentropy(), one_hot * -0.3, (None, 10)),
    ("binary_crossentropy", binary, (None, 1)),
    ("binary_crossentropy", binary[:, None].astype(bool), (None, 1)),
    ("binary_crossentropy", one_hot, (None, 10)),
    ("binary_crossentropy", np.full((4, 8, 8, 1), 0.5), (None, 8, 8, 1)),
    ("binary_crossentropy", np.full((4, 8, 8), 0.5), (None, 8, 8, 1)),
    ("binary_crossentropy", np.array([[-1e-7, 1.0000001]], np.float32), (None, 2)),
    ("mse", numbers, (None, 1)),
    ("mse", numbers[:, None], (None,)),
    ("mse", numbers[:, None], (None, 3)),
    ("mae", np.zeros((4, 5, 2)), (None, None, 2)),
    (losses.Huber(), np.zeros((4, 3)), (None, 3)),
    ("hinge", binary * 2 - 1, (None, 1)),
    (losses.Circle(), numbers, (None, 64)),
    (torch.nn.functional.mse_loss, numbers, (None, 3)),
    (lambda y_true, y_pred: y_pred, numbers, (None, 3)),
    (torch.nn.MSELoss(), numbers, (None, 3)),
    (None, numbers, (None, 3)),
    ("sparse_categorical_crossentropy", [50], (None, 3)),
    ("sparse_categorical_crossentropy", np.array(["a"]), (None, 3)),
]


@pytest.mark.parametrize(("loss", "y_true", "shape"), ACCEPTED)
def test_what_fits_passes(loss, y_true, shape):
    check_targets(loss, y_true, shape)


SPARSE, CATEGORICAL, BINARY = (
    f"{kind}_crossentropy" for kind in ("sparse_categorical", "categorical", "binary")
)
REFUSED = [
    (
        SPARSE,
        numbers + 1,
        (None, 10),
        r"labels run from 1 to 10, but the model has 10 outputs.* 0 … 9.*11 outputs or n",
    ),
    (SPARSE, numbers - 1, (None, 10), r"labels run from -1 to 8, .*Number the classes from 0"),
    (losses.SparseCategoricalCrossentropy(ignore_class=1), numbers, (None, 3), "labels run from 0 to 9"),
    (SPARSE, numbers + 0.5, (None, 10), "not whole numbers.*'mean_squared_error'"),
    (SPARSE, one_hot, (None, 10), r"10 columns, as one-hot labels have. Use loss='categorical_crossentropy'"),
    (SPARSE, numbers, (None, 5, 10), r"expected labels of shape \(None, 5\)"),
    (
        SPARSE,
        binary,
        (None, 1),
        r"softmax over one output is always 1. For two classes use loss='binary_cross",
    ),
    (
        CATEGORICAL,
        binary,
        (None, 1),
        r"softmax over one output is always 1. For two classes use loss='binary_cross",
    ),
    (
        CATEGORICAL,
        numbers,
        (None, 10),
        r"these are class numbers. Use loss='sparse_cat.*to_categorical\(y, 10\)",
    ),
    (
        CATEGORICAL,
        numbers[:, None],
        (None, 10),
        "these are class numbers. Use loss='sparse_categorical_crossentropy'",
    ),
    (losses.CategoricalFocalCrossentropy(), numbers, (None, 10), "these are class numbers. Use loss='sparse"),
    (
        CATEGORICAL,
        one_hot,
        (None, 5),
        r"expected one-hot labels of shape \(None, 5\). Give the last layer as many",
    ),
    (
        BINARY,
        numbers,
        (None, 1),
        r"labels run from 0 to 9, .* \[0, 1\]. For classes.*'sparse_cat.*Dense\(10, activ",
    ),
    (BINARY, binary * 2 - 1, (None, 1), r"labels run from -1 to 1.*\(y \+ 1\) / 2.*'hinge'"),
    (BINARY, np.array([0.5, 7.5]), (None, 1), "labels run from 0.5 to 7.5.*'mean_squared_error'"),
    (
        losses.BinaryCrossentropy(),
        numbers,
        (None, 10),
        "one class number per sample, but the model has 10 outputs. Use",
    ),
    (
        losses.binary_crossentropy,
        one_hot,
        (None, 1),
        r"expected one label 0 or 1 .*\(None, 1\). One-hot labels need",
    ),
]


@pytest.mark.parametrize(("loss", "y_true", "shape", "message"), REFUSED)
def test_what_does_not_fit_is_explained(loss, y_true, shape, message):
    with pytest.raises(ValueError, match=message) as error:
        check_targets(loss, y_true, shape)
    for name in (SPARSE, CATEGORICAL, BINARY):
        assert f"'{name}'" in str(error.value)
    assert "Received: labels of shape" in str(error.value)


@pytest.mark.parametrize(
    ("y_true", "shape"),
    [(np.zeros(4), (None, 10)), (np.zeros((4, 3)), (None, 2)), (np.zeros((4, 3)), (None, 3, 2))],
)
def test_shapes_of_elementwise_losses(y_true, shape):
    with pytest.raises(
        ValueError, match=r"mean_squared_error: targets of shape .* do not fit outputs of shape"
    ):
        check_targets("mse", y_true, shape)


def test_losses_with_their_own_call_are_left_alone():
    class Mine(losses.SparseCategoricalCrossentropy):
        def call(self, y_true, y_pred):
            return y_pred[..., 0]

    check_targets(Mine(), numbers + 100, (None, 10))


def test_losses_over_the_whole_batch_have_no_axis():
    check_targets(losses.Tversky(), np.ones((4, 8, 8, 1)), (None, 8, 8, 1))
