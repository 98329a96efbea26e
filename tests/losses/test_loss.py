import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kerasish import losses
from kerasish.activations import sigmoid, softmax
from kerasish.losses.loss import LossFunctionWrapper, reduce_weighted
from kerasish.symbolic import KerasTensor

VALUES = np.float32([[1, 2, 3], [4, 5, 6]])
MASK = np.array([[True, False, True], [True, True, False]])
WEIGHTS = np.float32([[1, 2, 0], [0.5, 1, 3]])

rows = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
targets = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
one_hot = torch.eye(4, dtype=torch.float64)[[0, 1, 2, 3, 1, 0]]
labels = one_hot.argmax(-1)
PER_SAMPLE = {
    "mean_squared_error": (targets, rows, {}),
    "mean_absolute_error": (targets, rows, {}),
    "mean_absolute_percentage_error": (targets, rows, {}),
    "mean_squared_logarithmic_error": (targets.abs(), rows.abs(), {}),
    "huber": (targets, rows, {"delta": 0.5}),
    "log_cosh": (targets, rows, {}),
    "cosine_similarity": (targets, rows, {}),
    "poisson": (targets.abs(), rows.abs(), {}),
    "kl_divergence": (targets.softmax(-1), rows.softmax(-1), {}),
    "hinge": (one_hot, rows, {}),
    "squared_hinge": (targets.sign(), rows, {}),
    "categorical_hinge": (one_hot, rows, {}),
    "binary_crossentropy": (one_hot, rows.sigmoid(), {"label_smoothing": 0.1}),
    "categorical_crossentropy": (one_hot, rows.softmax(-1), {"label_smoothing": 0.1}),
    "sparse_categorical_crossentropy": (labels, rows.softmax(-1), {"ignore_class": 3}),
    "binary_focal_crossentropy": (one_hot, rows.sigmoid(), {"apply_class_balancing": True}),
    "categorical_focal_crossentropy": (one_hot, rows.softmax(-1), {"alpha": [0.1, 0.2, 0.3, 0.4]}),
    "categorical_generalized_cross_entropy": (labels, rows.softmax(-1), {"q": 0.4}),
    "dice": (one_hot, rows.sigmoid(), {"axis": 1}),
    "tversky": (one_hot, rows.sigmoid(), {"axis": (1,)}),
    "circle": (labels, torch.nn.functional.normalize(rows), {"gamma": 4.0}),
    "ctc": (labels.reshape(2, 3) + 1, rows.repeat(1, 3).reshape(2, 9, 4)[..., :4].repeat(1, 1, 2), {}),
}


class Operations(TorchDispatchMode):
    """The names of the operations that ran."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_every_loss_function_is_here():
    functions = [value for value in vars(losses).values() if inspect.isfunction(value)]
    names = {function.__name__ for function in functions if function.__module__ != "kerasish.losses"}
    assert names - {"is_categorical_crossentropy"} == set(PER_SAMPLE)


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_gradient_equals_finite_differences(name):
    y_true, y_pred, arguments = PER_SAMPLE[name]
    function = getattr(losses, name)
    assert torch.autograd.gradcheck(
        lambda p: function(y_true, p, **arguments), (y_pred.clone().requires_grad_(),), atol=1e-4
    )


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_no_value_leaves_the_device(name):
    y_true, y_pred, arguments = PER_SAMPLE[name]
    loss = LossFunctionWrapper(getattr(losses, name), **arguments)
    loss(y_true, y_pred)
    with Operations() as operations:
        loss(y_true, y_pred.clone().requires_grad_()).backward()
    data_dependent = {"_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "index"}
    assert not {name.split(".")[0] for name in operations.names} & data_dependent


def test_sequence_lengths_stay_tensors():
    y_true, y_pred, _ = PER_SAMPLE["ctc"]
    with Operations() as operations:
        losses.ctc(y_true, y_pred)
    assert "_ctc_loss.Tensor" in operations.names


FUSED = [
    ("mean_squared_error", targets, rows, {}, 2),
    ("mean_absolute_error", targets, rows, {}, 3),
    ("huber", targets, rows, {"delta": 0.5}, 2),
    ("sparse_categorical_crossentropy", labels, rows, {"from_logits": True}, 2),
    (
        "sparse_categorical_crossentropy",
        labels.reshape(2, 3),
        rows.reshape(2, 3, 4),
        {"from_logits": True},
        6,
    ),
    ("sparse_categorical_crossentropy", labels, softmax(rows), {}, 2),
    ("categorical_crossentropy", one_hot, rows, {"from_logits": True, "label_smoothing": 0.2}, 7),
    ("categorical_crossentropy", one_hot, softmax(rows), {}, 5),
    ("binary_crossentropy", one_hot, sigmoid(rows), {"label_smoothing": 0.2}, 12),
    ("binary_crossentropy", one_hot, rows, {"from_logits": True}, 10),
]


@pytest.mark.parametrize(("name", "y_true", "y_pred", "arguments", "operation_count"), FUSED)
def test_fused_mean_is_the_mean(name, y_true, y_pred, arguments, operation_count):
    function = getattr(losses, name)
    loss = LossFunctionWrapper(function, dtype="float64", **arguments)
    with Operations() as operations:
        value = loss(y_true, y_pred)
    assert len(operations.names) <= operation_count, operations.names
    torch.testing.assert_close(value, function(y_true, y_pred, **arguments).mean())


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum", (VALUES * WEIGHTS * MASK).sum()),
        ("sum_over_batch_size", (VALUES * WEIGHTS * MASK).sum() / MASK.sum()),
        ("mean", (VALUES * WEIGHTS * MASK).sum() / MASK.sum()),
        ("mean_with_sample_weight", (VALUES * WEIGHTS * MASK).sum() / (WEIGHTS * MASK).sum()),
        ("none", VALUES * WEIGHTS * MASK),
        (None, VALUES * WEIGHTS * MASK),
    ],
)
def test_reduction_with_weights_and_mask(reduction, expected):
    value = reduce_weighted(*map(torch.tensor, (VALUES, WEIGHTS, MASK)), reduction)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_masked_out_and_weightless_batches_cost_nothing():
    values = torch.tensor(VALUES)
    nothing = torch.zeros_like(values)
    for reduction in ("mean", "sum", "mean_with_sample_weight"):
        assert reduce_weighted(values, mask=nothing.bool(), reduction=reduction) == 0
        assert reduce_weighted(values, nothing, reduction=reduction) == 0


def test_sample_weight_is_not_changed():
    weights, prediction = torch.ones(2), torch.tensor(VALUES)
    prediction._keras_mask = torch.tensor([True, False])
    losses.MeanSquaredError()(torch.zeros(2, 3), prediction, weights)
    assert weights.tolist() == [1, 1]


def test_sample_weight_of_a_wrong_shape():
    with pytest.raises(ValueError, match=r"does not fit the losses of shape \(4, 3\).*Received: .*\(4,\)"):
        losses.MeanSquaredError()(np.zeros((4, 3, 2)), np.zeros((4, 3, 2)), np.ones(4))


def test_unknown_reduction():
    with pytest.raises(
        ValueError, match=r"Did you mean 'sum_over_batch_size'.*Received: reduction='sum_over_batch'"
    ):
        losses.Loss(reduction="sum_over_batch")
    assert losses.Loss(reduction="auto").reduction == "sum_over_batch_size"


class Absolute(losses.Loss):
    def call(self, y_true, y_pred):
        return (y_true - y_pred).abs()


def test_own_loss():
    loss = Absolute(name="mine", reduction="sum")
    assert loss([1, 2], [3.0, 5.0]) == 5
    assert loss.get_config() == {"name": "mine", "reduction": "sum"}
    assert Absolute.from_config(loss.get_config()).reduction == "sum"
    with pytest.raises(NotImplementedError, match="Loss must define `call"):
        losses.Loss()([1.0], [1.0])


def test_own_call_in_a_subclass_is_used():
    class Tripled(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return 3 * super().call(y_true, y_pred)

    assert Tripled()([[0.0]], [[2.0]]) == 12


def test_structures_reach_call():
    class Total(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred["a"].sum() + y_pred["b"].sum() + y_true.sum()

    assert Total()(np.ones(2), {"a": np.ones(3), "b": torch.ones(4)}) == 9


def test_function_with_arguments_as_loss():
    def scaled(y_true, y_pred, factor):
        assert y_true.dtype is torch.float32
        return factor * (y_true - y_pred).sum(-1)

    loss = LossFunctionWrapper(scaled, factor=2.0, reduction="sum", name="scaled")
    assert loss(np.array([[3, 4]]), torch.ones(1, 2)) == 10
    config = LossFunctionWrapper(losses.huber, delta=2.0).get_config()
    assert losses.LossFunctionWrapper.from_config(config)([[0.0]], [[3.0]]) == 4


def test_half_precision_is_computed_in_float32():
    logits = torch.tensor([[60.0, -60.0]], dtype=torch.bfloat16, requires_grad=True)
    loss = losses.SparseCategoricalCrossentropy()(torch.tensor([1]), softmax(logits))
    loss.backward()
    assert loss.dtype is torch.float32
    assert loss == 120
    assert logits.grad.tolist() == [[1, -1]]
    assert losses.MeanSquaredError(dtype="bfloat16")([[0.0]], [[1.0]]).dtype is torch.bfloat16


def test_plain_torch_loop():
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y, loss = rows.float(), (rows.float() @ torch.ones(4)), losses.MeanSquaredError()
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        value = loss(y, model(x))
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.5 * values[0]


def test_empty_batches():
    assert losses.MeanSquaredError()(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)
    assert losses.MeanSquaredError()(np.zeros((0, 3, 2)), np.zeros((0, 3, 2))) == 0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
def test_copies(copied):
    loss = copied(losses.Huber(delta=2.0, reduction="sum"))
    assert loss([[0.0]], [[3.0]]) == 4
    assert "Huber" in repr(loss)


def test_symbolic_tensors():
    y_true, y_pred = KerasTensor((None, 3)), KerasTensor((None, 3))
    assert losses.mean_squared_error(y_true, y_pred).shape == (None,)
    assert losses.binary_crossentropy(y_true, y_pred).shape == (None,)
    assert losses.MeanSquaredError()(y_true, y_pred).shape == ()
