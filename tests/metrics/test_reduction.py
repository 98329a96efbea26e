import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasish import losses, metrics
from kerasish.metrics import Mean, MeanMetricWrapper, MeanTensor, Sum

values = arrays(np.float32, (6, 3), elements=st.floats(-100, 100, width=32))
weights = arrays(np.float32, (6,), elements=st.floats(0.125, 8, width=32))


@settings(max_examples=25, deadline=None)
@given(values, weights)
def test_mean_and_sum_are_numpys(v, w):
    np.testing.assert_allclose(Mean()(v), v.mean(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(Mean()(v, w), np.average(v.mean(1), weights=w), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(Sum()(v, w), (v * w[:, None]).sum(), rtol=1e-4, atol=1e-2)


def test_batches_of_unequal_size_count_by_their_samples():
    mean = Mean()
    mean.update_state([1.0, 1.0, 1.0])
    mean.update_state([5.0])
    assert float(mean.result()) == 2 and float(mean.count) == 4


def test_result_does_not_change_afterwards():
    metric = Sum()
    before = metric([1.0, 2.0])
    metric.reset_state()
    assert float(before) == 3


@pytest.mark.parametrize("metric", [Mean, Sum])
@pytest.mark.parametrize("shape", [(2,), (3, 3), (2, 2), (3, 2, 2)])
def test_weights_that_do_not_fit(metric, shape):
    message = r"`sample_weight` does not fit values of shape \(3, 2\).*Received: sample_weight of shape"
    with pytest.raises(ValueError, match=message):
        metric().update_state(torch.ones(3, 2), torch.ones(shape))


def squared(y_true, y_pred, factor=1.0):
    return factor * (y_true - y_pred).square().mean(-1)


def test_function_with_arguments():
    metric = MeanMetricWrapper(squared, name="q", factor=3.0)
    assert float(metric([[1.0], [2.0]], [[1.0], [4.0]])) == 6
    assert metric.name == "q" and not hasattr(metric, "_direction")
    assert MeanMetricWrapper(losses.huber)._direction == "down"
    assert MeanMetricWrapper(losses.MeanSquaredError())._direction == "down"


def test_function_that_returns_a_number():
    assert float(MeanMetricWrapper(lambda y_true, y_pred: 2.5)([0.0], [0.0])) == 2.5


def test_config_of_a_function_of_the_user():
    metric = MeanMetricWrapper(squared, name="q", factor=3.0)
    config = metrics.serialize(metric)
    restored = metrics.deserialize(config, custom_objects={"squared": squared})
    assert restored._fn is squared and restored._fn_kwargs == {"factor": 3.0}


@pytest.mark.parametrize("weight", [None, 2.0, [1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]]])
def test_masks_take_values_out(weight):
    mask = torch.tensor([[True, False], [True, True]])
    y_pred = torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    y_pred._keras_mask = mask
    expected = mask.numpy().astype("float32")
    if weight is not None:
        array = np.asarray(weight)
        expected = expected * (array[:, None] if array.ndim == 1 else array)
    metric = metrics.MeanSquaredError()
    value = metric(torch.zeros(2, 2, 1), y_pred, sample_weight=weight)
    np.testing.assert_allclose(value, np.average(y_pred[..., 0].numpy() ** 2, weights=expected), rtol=1e-6)


def test_mean_tensor():
    metric = MeanTensor()
    with pytest.raises(ValueError, match="MeanTensor has no values yet: call `update_state` first"):
        metric.result()
    metric.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[1.0, 0.0])
    metric.update_state([[3.0, 6.0], [5.0, 6.0]])
    assert metric.result().tolist() == [[2.0, 4.0], [5.0, 6.0]]
    with pytest.raises(ValueError, match=r"holds values of shape \(2, 2\). Received: values of shape \(3,\)"):
        metric.update_state([1.0, 2.0, 3.0])
    assert MeanTensor(shape=(2,)).result().tolist() == [0.0, 0.0]
