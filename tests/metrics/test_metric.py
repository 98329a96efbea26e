import pytest
import torch

from kerasish import config, metrics
from kerasish.metrics import Mean, Metric, Sum
from kerasish.variable import Variable


class Counter(Metric):
    """A metric as Keras 2 had them written."""

    def __init__(self, name="counter", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight("total", shape=(), initializer="zeros")
        self.pairs = self.add_weight("pairs", (2,), "ones", dtype="int32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add((y_true * y_pred).sum())
        self.pairs.assign_add([1, 2])

    def result(self):
        return self.total / 2


def test_custom_metric():
    metric = Counter()
    weight = torch.tensor([2.0], requires_grad=True)
    assert float(metric(torch.tensor([3.0]), weight)) == 3.0
    assert float(metric(torch.tensor([1.0]), weight)) == 4.0
    assert metric.pairs.tolist() == [3, 5] and metric.pairs.dtype is torch.int32
    assert [v.path for v in metric.variables] == ["counter/total", "counter/pairs"]
    assert not metric.total.requires_grad
    metric.reset_state()
    assert float(metric.result()) == 0 and metric.pairs.tolist() == [0, 0]


def test_variables_are_found_in_attributes_lists_and_metrics():
    class Nested(Metric):
        def __init__(self):
            super().__init__()
            self.inner = Mean()
            self.several = [Sum(), {"deep": Sum()}]
            self.own = Variable([1.0, 2.0], trainable=False)
            self.made = self.add_variable((), "zeros", name="made")

    metric = Nested()
    late = Sum()
    metric.several.append(late)
    expected = [
        metric.made,
        metric.own,
        *metric.inner.variables,
        metric.several[0].total,
        metric.several[1]["deep"].total,
        late.total,
    ]
    assert [id(v) for v in metric.variables] == [id(v) for v in expected]
    late.update_state([3.0])
    metric.reset_state()
    assert float(late.result()) == 0


def test_keras2_names():
    class Old(Metric):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight("total")

        def update_state(self, x):
            self.total.assign_add(x)

        def result(self):
            return self.total

        def reset_states(self):
            self.total.assign(7.0)

    metric = Old()
    metric.reset_state()
    assert float(metric.result()) == 7
    mean = Mean()
    mean.update_state([1.0])
    mean.reset_states()
    assert float(mean.count) == 0

    class Doubled(Sum):
        def reset_state(self):
            super().reset_state()
            self.total.assign_add(1.0)

    doubled = Doubled()
    doubled.reset_states()
    assert float(doubled.result()) == 1


def test_without_super_init():
    class Forgetful(Metric):
        def __init__(self):
            self.x = 1

    for access in (
        lambda m: m.add_weight(name="w"),
        lambda m: m.name,
        lambda m: m.dtype,
        lambda m: m.get_config(),
    ):
        with pytest.raises(
            RuntimeError, match=r"Forgetful is not initialized: call `super\(\).__init__\(\)`"
        ):
            access(Forgetful())
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = Forgetful().nothing


def test_methods_to_write():
    with pytest.raises(NotImplementedError, match="Metric must define `update_state"):
        Metric().update_state(1)
    with pytest.raises(NotImplementedError, match="Metric must define `result"):
        Metric().result()


def test_name_in_the_place_of_dtype_is_refused():
    with pytest.raises(ValueError, match=r"Write `super\(\).__init__\(name='f1'\)`"):
        Metric("f1")


def test_unknown_aggregation():
    with pytest.raises(ValueError, match=r"`aggregation` must be one of .* Received: aggregation='max'"):
        Metric().add_variable((), "zeros", aggregation="max")


def test_dtype():
    assert Metric(dtype="mixed_float16").dtype == "float16"
    assert Mean(dtype=torch.float64).total.dtype is torch.float64
    assert metrics.AUC(dtype="float16").true_positives.dtype is torch.float32
    config.set_floatx("float64")
    try:
        assert Mean().total.dtype is torch.float64
    finally:
        config.set_floatx("float32")


def test_stateless_methods_want_one_value_per_variable():
    with pytest.raises(
        ValueError, match=r"must have one value for each of the 2 variables .* Received: 1 values"
    ):
        Mean().stateless_result([torch.tensor(1.0)])


def test_stateless_update_of_variables_that_are_made_late():
    metric = metrics.F1Score()
    made = metric.stateless_update_state([], [[1.0, 0.0]], [[0.9, 0.2]])
    assert [value.tolist() for value in made] == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    assert all(not variable.any() for variable in metric.variables)


def test_merge_state_refuses_others():
    with pytest.raises(ValueError, match=r"Cannot merge .*: their variables differ"):
        Mean().merge_state([Sum()])


def test_merge_state_by_aggregation():
    class Kinds(Metric):
        def __init__(self, value):
            super().__init__()
            for aggregation in ("sum", "mean", "only_first_replica"):
                self.add_variable((), "zeros", aggregation=aggregation).assign(value)

    first = Kinds(1.0)
    first.merge_state([Kinds(3.0), Kinds(5.0)])
    assert [float(v) for v in first.variables] == [9.0, 3.0, 1.0]


def test_tensors_without_data_change_nothing():
    for metric in (Mean(), metrics.F1Score(), metrics.SparseCategoricalAccuracy()):
        metric.update_state(*[torch.ones(2, 3, device="meta")] * (1 if metric.name == "mean" else 2))
        assert all(not variable.any() for variable in metric.variables)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_late_variables_are_on_the_device_of_the_batch():
    with config.device("cpu"):
        metric = metrics.F1Score()
        metric.update_state(torch.ones(2, 3, device="cuda"), torch.ones(2, 3, device="cuda"))
    assert {v.device.type for v in metric.variables} == {"cuda"}


def test_names_and_aliases():
    for alias, cls in {
        "mse": metrics.MeanSquaredError,
        "KLD": metrics.KLDivergence,
        "AUC": metrics.AUC,
    }.items():
        assert type(metrics.get(alias)) is cls
    assert type(metrics.get("accuracy")) is metrics.Accuracy
    assert type(metrics.get(metrics.Recall)) is metrics.Recall
    assert metrics.get("huber") is metrics.huber and metrics.mse is metrics.mean_squared_error
    with pytest.raises(ValueError, match=r"Unknown metric: 'precison'. Did you mean 'precision'"):
        metrics.get("precison")


def test_function_configs():
    for function in (metrics.mean_squared_error, metrics.binary_accuracy):
        assert metrics.deserialize(metrics.serialize(function)) is function
    assert metrics.deserialize("auc").num_thresholds == 200
    assert metrics.deserialize({"class_name": "Precision", "config": {"top_k": 3}}).top_k == 3


def test_only_public_names_are_listed():
    assert not [name for name in dir(metrics) if name.startswith("_") and not name.startswith("__")]
    assert {"AUC", "binary_accuracy", "get", "hinge", "accuracy"} <= set(dir(metrics))
    assert not {"confusion", "reduction", "annotations"} & set(dir(metrics))
