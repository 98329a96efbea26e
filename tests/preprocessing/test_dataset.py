from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
import torch

import kerasish
from kerasish.preprocessing.dataset import AUTOTUNE, INFINITE, UNKNOWN, Dataset


def numbers(count=10):
    return Dataset.from_tensor_slices(np.arange(count))


def values(dataset):
    return [x.tolist() if isinstance(x, torch.Tensor) else x for x in dataset]


def test_rows_of_arrays_keep_their_structure():
    dataset = Dataset.from_tensor_slices(({"a": np.ones((3, 2)), "t": ["x", "y", "z"]}, [1, 2, 3]))
    inputs, label = next(iter(dataset))
    assert inputs["a"].shape == (2,) and inputs["t"] == "x" and label == 1
    batch, labels = next(iter(dataset.batch(2)))
    assert batch["a"].shape == (2, 2) and batch["t"].tolist() == ["x", "y"] and labels.tolist() == [1, 2]


def test_it_begins_anew():
    dataset = numbers(3)
    assert values(dataset) == values(dataset) == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.take(3), [0, 1, 2]),
        (lambda d: d.skip(8), [8, 9]),
        (lambda d: d.skip(3).take(-1), list(range(3, 10))),
        (lambda d: d.skip(-1), []),
        (lambda d: d.take(2).repeat(2), [0, 1, 0, 1]),
        (lambda d: d.repeat().take(12), [*range(10), 0, 1]),
        (lambda d: d.map(lambda x: x * 2).take(2), [0, 2]),
        (lambda d: d.map(lambda x: x * 2, num_parallel_calls=3), list(range(0, 20, 2))),
        (lambda d: d.prefetch(3), list(range(10))),
        (lambda d: d.prefetch(AUTOTUNE).take(2), [0, 1]),
        (lambda d: d.cache(), list(range(10))),
        (lambda d: d.batch(4), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
        (lambda d: d.batch(4, drop_remainder=True), [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (lambda d: d.batch(4).take(2).concatenate(d.take(1)), [[0, 1, 2, 3], [4, 5, 6, 7], 0]),
    ],
)
def test_methods(change, expected):
    dataset = change(numbers())
    assert values(dataset) == values(dataset) == expected
    assert len(dataset) == dataset.cardinality() == len(expected)


def test_methods_of_unknown_length():
    assert values(numbers().filter(lambda x: x % 3 == 0)) == [0, 3, 6, 9]
    assert values(numbers(3).batch(2).unbatch()) == [0, 1, 2]
    assert numbers().filter(bool).cardinality() == numbers().batch(2).unbatch().cardinality() == UNKNOWN
    assert numbers().repeat().batch(3).cardinality() == INFINITE
    assert numbers(0).repeat().cardinality() == 0 and values(numbers(0).repeat()) == []
    with pytest.raises(TypeError, match="length of this data set is infinite: give `fit`"):
        len(numbers().repeat())
    with pytest.raises(TypeError, match="length of this data set is unknown"):
        len(numbers().filter(bool))


def test_tuples_are_passed_as_arguments():
    pairs = Dataset.zip(numbers(3), numbers(5).skip(1)).map(lambda x, y: (y, x))
    assert [(int(x), int(y)) for x, y in pairs] == [(1, 0), (2, 1), (3, 2)]
    assert [(i, int(x)) for i, x in numbers(2).enumerate(start=5)] == [(5, 0), (6, 1)]
    assert values(
        Dataset.zip((numbers(3), numbers(3))).filter(lambda x, y: x > 1).map(lambda x, y: x + y)
    ) == [4]


def test_full_shuffle_is_a_new_permutation_each_time():
    dataset = numbers(50).shuffle(50, seed=1)
    first, second = values(dataset), values(dataset)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second != list(range(50))
    again = numbers(50).shuffle(50, seed=1)
    assert [values(again), values(again)] == [first, second]


def test_shuffle_within_a_small_buffer():
    order = values(numbers(100).shuffle(5, seed=0))
    assert sorted(order) == list(range(100))
    assert all(place >= value - 5 for place, value in enumerate(order))
    assert order != list(range(100))


@pytest.mark.parametrize("seed", [None, 3])
def test_one_order_for_all_passes(seed):
    dataset = numbers(30).shuffle(30, seed=seed, reshuffle_each_iteration=False)
    assert values(dataset) == values(dataset) != list(range(30))


def test_orders_follow_the_global_seed():
    orders = []
    for _ in range(2):
        kerasish.utils.set_random_seed(7)
        orders.append(values(numbers(30).shuffle(30)))
    assert orders[0] == orders[1]


def test_cache_computes_once():
    calls = []
    dataset = numbers(4).map(lambda x: calls.append(int(x)) or x).cache()
    next(iter(dataset))  # a pass that is not finished caches nothing
    assert values(dataset) == values(dataset) == values(dataset) == [0, 1, 2, 3]
    assert calls == [0, 0, 1, 2, 3]


def test_prefetch_works_ahead_in_another_thread():
    threads, reached = set(), threading.Event()

    def slow(x):
        threads.add(threading.current_thread())
        if x == 2:
            reached.set()
        return x

    iterator = iter(numbers().map(slow).prefetch(2))
    assert next(iterator) == 0
    assert reached.wait(5)
    assert threading.current_thread() not in threads
    iterator.close()
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(
    "change", [lambda d, f: d.map(f).prefetch(2), lambda d, f: d.map(f, num_parallel_calls=2)]
)
def test_errors_in_threads_arrive(change):
    def fail(x):
        if x == 3:
            raise RuntimeError("broken record")
        return x

    iterator = iter(change(numbers(), fail))
    assert [int(x) for x in itertools.islice(iterator, 3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="broken record"):
        next(iterator)


def test_map_records_no_gradients():
    layer = kerasish.layers.Dense(2)
    (result,) = Dataset.from_tensor_slices(np.ones((1, 1, 3), "float32")).map(layer)
    assert not result.requires_grad


def test_padded_batches():
    dataset = Dataset(lambda: iter([(torch.ones(2, 1), 1), (torch.ones(3, 2), 2)]), 2).padded_batch(2)
    ((x, y),) = dataset
    assert x.tolist() == [[[1, 0], [1, 0], [0, 0]], [[1, 1], [1, 1], [1, 1]]] and y.tolist() == [1, 2]
    with pytest.raises(
        ValueError, match=r"different shapes cannot form a batch: \(2,\), \(3,\). Resize or pad"
    ):
        list(Dataset(lambda: iter([torch.ones(2), torch.ones(3)])).batch(2))


def test_numpy_elements():
    (x, y) = next(Dataset.from_tensor_slices((np.ones((2, 3)), [1, 2])).as_numpy_iterator())
    assert isinstance(x, np.ndarray) and x.dtype == np.float64 and y == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.batch(0), "`batch_size` must be an integer of at least 1. Received: batch_size=0"),
        (lambda d: d.batch(2.0), "`batch_size` must be an integer"),
        (lambda d: d.take(-2), "`count` must be an integer of at least 0, or -1"),
        (lambda d: d.shuffle(0), "`buffer_size`"),
        (lambda d: d.prefetch(0), "`buffer_size`"),
        (lambda d: d.repeat(-3), "`count`"),
        (lambda d: d.map(int, num_parallel_calls=0), "`num_parallel_calls`"),
        (lambda d: d.cache("file"), "in memory only: leave `filename` out"),
        (
            lambda d: Dataset.from_tensor_slices((np.ones(3), np.ones(4))),
            r"same number of rows. Received: \[3, 4\]",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(numbers())


def test_a_data_set_is_made_of_a_function():
    with pytest.raises(TypeError, match="`start` must be a function"):
        Dataset([1, 2])


def test_fit_evaluate_and_predict_take_it():
    kerasish.utils.set_random_seed(0)
    x = np.random.RandomState(0).randn(64, 4).astype("float32")
    y = x @ [1.0, -1.0, 2.0, 0.5]
    model = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(1)])
    model.compile(kerasish.optimizers.SGD(0.1), "mse")
    dataset = (
        Dataset.from_tensor_slices((x, y)).shuffle(64).batch(16).map(lambda x, y: (x * 1, y)).prefetch(2)
    )
    losses = model.fit(dataset, epochs=12, validation_data=dataset, verbose=0).history
    assert losses["loss"][-1] < 0.01 * losses["loss"][0] and len(losses["val_loss"]) == 12
    assert model.evaluate(dataset, verbose=0) < 0.1
    assert model.predict(dataset.map(lambda x, y: x), verbose=0).shape == (64, 1)
    endless = Dataset.from_tensor_slices((x, y)).batch(16).repeat()
    assert model.fit(endless, epochs=2, steps_per_epoch=3, verbose=0).history["loss"][-1] < 0.1
    with pytest.raises(ValueError, match="`y` must not be given when `x` is a Dataset"):
        model.fit(dataset, y)


def test_an_endless_data_set_goes_on_in_the_next_epoch():
    seen = []
    endless = (
        numbers(6).map(lambda x: seen.append(int(x)) or (x.float().reshape(1), x.float())).batch(1).repeat()
    )
    model = kerasish.Sequential([kerasish.Input((1,)), kerasish.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(endless, epochs=3, steps_per_epoch=2, verbose=0)
    assert set(seen) == set(range(6))
