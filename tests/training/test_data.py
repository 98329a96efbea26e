"""The same training from data in every form."""

from __future__ import annotations

import os
import threading

import numpy as np
import pandas as pd
import pytest
import torch

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
X = rng.random((24, 3), dtype="float32")
Y = rng.random((24, 1), dtype="float32")
BATCH = 5


def model_of_one_input() -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def trained(x, y=None, **arguments) -> list[np.ndarray]:
    model = model_of_one_input()
    model.fit(x, y, epochs=2, shuffle=False, verbose=0, **arguments)
    return model.get_weights()


def assert_trains_the_same(x, y=None, **arguments) -> None:
    expected = trained(X, Y, batch_size=BATCH)
    for a, b in zip(trained(x, y, **arguments), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class Frozen:
    """Only what NumPy's protocol asks for."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    "convert",
    [
        lambda v: v.astype("float64"),
        lambda v: v.tolist(),
        lambda v: tuple(map(tuple, v.tolist())),
        torch.from_numpy,
        lambda v: torch.from_numpy(v).double(),
        lambda v: torch.from_numpy(v.copy()).requires_grad_(),
        pd.DataFrame,
        lambda v: pd.DataFrame(v).astype(object),
        lambda v: v[::-1][::-1],
        np.asfortranarray,
        read_only,
        Frozen,
    ],
    ids=[
        "float64", "lists", "tuples", "tensor", "double tensor", "tensor with gradient", "frame", "object frame",
        "negative strides", "Fortran order", "read-only", "__array__",
    ],
)  # fmt: skip
def test_kinds_of_arrays(convert):
    assert_trains_the_same(convert(X), convert(Y), batch_size=BATCH)


def test_series_and_columns_of_a_frame():
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(target=Y[:, 0])
    shuffled = frame.sample(frac=1.0, random_state=0).sort_index()
    assert_trains_the_same(shuffled[["a", "b", "c"]], shuffled["target"], batch_size=BATCH)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint16", "int64", "float16", "float64"])
def test_dtypes_of_arrays(dtype):
    values = (rng.random((24, 3)) * 3).astype(dtype)
    for a, b in zip(
        trained(values, Y, batch_size=BATCH),
        trained(values.astype("float32"), Y, batch_size=BATCH),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_data_is_not_changed():
    x, y = X.copy(), Y.copy()
    trained(x, y)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def batches(endless=False):
    while True:
        for start in range(0, 24, BATCH):
            yield X[start : start + BATCH], Y[start : start + BATCH]
        if not endless:
            return


def test_endless_generator():
    assert_trains_the_same(batches(endless=True), steps_per_epoch=5)


def test_generator_of_one_epoch():
    model, expected = model_of_one_input(), model_of_one_input()
    model.fit(batches(), verbose=0)
    expected.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], rtol=1e-5)


def test_generator_is_taken_batch_by_batch():
    taken = []

    def source():
        for batch in batches(endless=True):
            taken.append(1)
            yield batch

    model_of_one_input().fit(source(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(taken) == 6


def test_list_of_batches_as_an_iterable():
    class Batches:
        def __iter__(self):
            return batches()

    assert_trains_the_same(Batches())


def test_generator_of_batches_with_weights():
    weight = rng.random(24)
    source = (
        (X[i : i + BATCH], Y[i : i + BATCH], weight[i : i + BATCH])
        for _ in range(2)
        for i in range(0, 24, BATCH)
    )
    weighted = trained(X, Y, batch_size=BATCH, sample_weight=weight)
    np.testing.assert_allclose(trained(source, steps_per_epoch=5)[0], weighted[0], rtol=1e-5)


@pytest.mark.parametrize("workers", [0, 1])
def test_data_loader(workers):
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    assert_trains_the_same(torch.utils.data.DataLoader(data, batch_size=BATCH, num_workers=workers))


def test_data_loader_of_double_and_integer_values():
    data = torch.utils.data.TensorDataset(torch.from_numpy(X).double(), torch.from_numpy(Y).double())
    assert_trains_the_same(torch.utils.data.DataLoader(data, batch_size=BATCH))


def test_torch_datasets():
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    assert_trains_the_same(data, batch_size=BATCH)

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y, strict=True))

    assert_trains_the_same(Stream(), batch_size=BATCH)


class Parts(keras.utils.PyDataset):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.asked: list[int] = []
        self.threads: set[int] = set()
        self.epochs = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.asked.append(index)
        self.threads.add(threading.get_ident())
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.parametrize("arguments", [{}, {"workers": 3}, {"workers": 2, "max_queue_size": 1}])
def test_py_dataset(arguments):
    data = Parts(**arguments)
    assert_trains_the_same(data)
    assert data.epochs == 2
    assert sorted(set(data.asked)) == [0, 1, 2, 3, 4]
    assert (len(data.threads) > 1) is (arguments.get("workers", 1) > 1)


def test_py_dataset_shuffles_batches():
    data = Parts()
    model_of_one_input().fit(data, epochs=4, verbose=0)
    orders = [tuple(data.asked[i : i + 5]) for i in range(1, 21, 5)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len(set(orders)) > 1


class FromProcess(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((2, 3), index, dtype="float32"), np.full((2, 1), os.getpid(), dtype="float64")


def test_py_dataset_in_processes():
    data = FromProcess(workers=1, use_multiprocessing=True)
    seen = []

    class Spy(keras.Sequential):
        def train_step(self, data):
            seen.append((float(data[0][0, 0]), int(data[1][0, 0])))
            return {"loss": 0.0}

    model = Spy([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, shuffle=False, verbose=0)
    assert [index for index, _ in seen] == [0.0, 1.0, 2.0]
    assert all(abs(process - os.getpid()) > 0 for _, process in seen)


def test_error_in_a_worker_is_raised():
    class Broken(Parts):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("disk gone")
            return super().__getitem__(index)

    with pytest.raises(OSError, match="disk gone"):
        model_of_one_input().fit(Broken(workers=2), verbose=0)


def test_evaluate_and_predict_take_every_form():
    model = model_of_one_input()
    loss = model.evaluate(X, Y, verbose=0)
    prediction = model.predict(X, verbose=0)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=BATCH
    )
    for make in (lambda: loader, batches, Parts):
        assert model.evaluate(make(), verbose=0) == pytest.approx(loss, rel=1e-5)
        np.testing.assert_allclose(model.predict(make(), verbose=0), prediction, rtol=1e-5)
    for x in (X.tolist(), torch.from_numpy(X), pd.DataFrame(X)):
        np.testing.assert_allclose(model.predict(x, verbose=0), prediction, rtol=1e-5)


def two_inputs(as_dictionary=False) -> keras.Model:
    left, right = keras.Input((3,), name="left"), keras.Input((1,), name="right")
    output = layers.Dense(1, kernel_initializer="ones")(layers.Concatenate()([left, right]))
    inputs = {"left": left, "right": right} if as_dictionary else [left, right]
    model = keras.Model(inputs, output)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@pytest.mark.parametrize("as_dictionary", [False, True])
@pytest.mark.parametrize(
    "arrange",
    [
        lambda left, right: {"left": left, "right": right},
        lambda left, right: {"right": right, "left": left},
        lambda left, right: {"right": right[:, 0], "left": left},
        lambda left, right: {"left": left.tolist(), "right": pd.Series(right[:, 0])},
    ],
    ids=["dictionary", "other order", "flat column", "mixed kinds"],
)
def test_several_inputs_by_name(as_dictionary, arrange):
    right = rng.random((24, 1), dtype="float32")
    model, expected = two_inputs(as_dictionary), two_inputs()
    model.fit(arrange(X, right), Y, epochs=2, shuffle=False, verbose=0)
    expected.fit([X, right], Y, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(arrange(X, right), verbose=0), expected.predict((X, right), verbose=0), rtol=1e-5
    )


def test_several_inputs_from_a_generator():
    right = rng.random((24, 1), dtype="float32")
    model, expected = two_inputs(), two_inputs()
    model.fit((((X[i : i + 8], right[i : i + 8]), Y[i : i + 8]) for i in (0, 8, 16)), verbose=0)
    expected.fit([X, right], Y, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], rtol=1e-5)


def two_outputs(as_dictionary=False) -> keras.Model:
    x = keras.Input((3,))
    first, second = layers.Dense(1, name="first")(x), layers.Dense(2, name="second")(x)
    model = keras.Model(x, {"first": first, "second": second} if as_dictionary else [first, second])
    model.compile("sgd", "mse", metrics=[["mae"], ["mse"]] if not as_dictionary else {"first": ["mae"]})
    return model


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_several_outputs(as_dictionary):
    second = rng.random((24, 2), dtype="float32")
    model = two_outputs(as_dictionary)
    given = {"first": Y, "second": second}
    history = model.fit(X, given if as_dictionary else [Y, second], validation_split=0.25, verbose=0).history
    assert {"loss", "first_loss", "second_loss", "first_mae", "val_second_loss"} <= set(history)
    outputs = model.predict(X, verbose=0)
    assert isinstance(outputs, dict if as_dictionary else list)
    shapes = {k: v.shape for k, v in outputs.items()} if as_dictionary else [v.shape for v in outputs]
    assert shapes == ({"first": (24, 1), "second": (24, 2)} if as_dictionary else [(24, 1), (24, 2)])
    results = model.evaluate(X, given if as_dictionary else [Y, second], verbose=0, return_dict=True)
    assert results["loss"] == pytest.approx(results["first_loss"] + results["second_loss"], rel=1e-5)


def test_targets_by_name_for_a_list_of_outputs():
    second = rng.random((24, 2), dtype="float32")
    model = two_outputs()
    by_name = model.evaluate(X, {"second": second, "first": Y}, verbose=0)
    np.testing.assert_allclose(by_name, model.evaluate(X, [Y, second], verbose=0), rtol=1e-6)
    with pytest.raises(ValueError, match=r"names 'third', but the model's outputs are \['first', 'second'\]"):
        model.evaluate(X, {"third": Y, "first": Y}, verbose=0)
    with pytest.raises(ValueError, match=r"has 2 outputs.*`y` must have as many entries\. Received: 1"):
        model.evaluate(X, Y, verbose=0)


def test_sample_weight_for_each_output():
    second = rng.random((24, 2), dtype="float32")
    weights = [rng.random(24), rng.random(24)]
    model = two_outputs()
    results = model.evaluate(X, [Y, second], sample_weight=weights, verbose=0, return_dict=True)
    one = model.evaluate(
        X, [Y, second], sample_weight=[weights[0], np.zeros(24)], verbose=0, return_dict=True
    )
    assert one["second_loss"] == 0.0
    assert one["first_loss"] == pytest.approx(results["first_loss"], rel=1e-5)


def test_scipy_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    assert_trains_the_same(sparse.csr_matrix(X), Y, batch_size=BATCH)


def test_pack_and_unpack():
    pack, unpack = keras.utils.pack_x_y_sample_weight, keras.utils.unpack_x_y_sample_weight
    assert unpack(pack(1, 2, 3)) == (1, 2, 3)
    assert unpack((1, 2)) == (1, 2, None)
    assert unpack(1) == (1, None, None)
    with pytest.raises(ValueError, match=r"A batch must be x, \(x, y\)"):
        unpack((1, 2, 3, 4))
