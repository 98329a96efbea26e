from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.preprocessing.dataset import Dataset

split = kerasish.utils.split_dataset


def listed(parts):
    return [[int(x) for x in part] for part in parts]


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"left_size": 0.8}, [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]]),
        ({"right_size": 2}, [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]]),
        ({"left_size": 3, "right_size": 2}, [[0, 1, 2], [8, 9]]),
        ({"left_size": 0.55, "right_size": 0.33}, [[0, 1, 2, 3, 4, 5], [7, 8, 9]]),
        ({"left_size": 0.8, "shuffle": True, "seed": 1}, [[6, 8, 9, 7, 5, 3, 0, 4], [1, 2]]),
    ],
)
def test_the_parts_that_keras_gives_on_tensorflow(kwargs, expected):
    assert listed(split(np.arange(10), **kwargs)) == expected


@pytest.mark.parametrize(
    "dataset",
    [
        (np.ones((6, 2)), np.arange(6)),
        [np.ones((6, 2)), np.arange(6)],
        Dataset.from_tensor_slices((np.ones((6, 2)), np.arange(6))),
        torch.utils.data.TensorDataset(torch.ones(6, 2), torch.arange(6)),
        [(np.ones(2), i) for i in range(6)],
    ],
)
def test_kinds_of_data(dataset):
    left, right = split(dataset, left_size=4)
    assert len(left) == 4 and [int(y) for _, y in right] == [4, 5] == [int(y) for _, y in right]
    if isinstance(dataset, torch.utils.data.Dataset):
        assert isinstance(left, torch.utils.data.Subset)
    else:
        assert left.batch(3).cardinality() == 2


def test_dictionaries_and_subsets():
    _, right = split({"a": np.arange(4), "b": np.arange(4) * 2}, right_size=1)
    assert {key: int(value) for key, value in next(iter(right)).items()} == {"a": 3, "b": 6}
    left, _ = split(np.arange(4), left_size=2, preferred_backend="torch")
    assert isinstance(left, torch.utils.data.Subset) and int(left[1]) == 1


@pytest.mark.parametrize(
    ("dataset", "kwargs", "kind", "message"),
    [
        (np.arange(10), {}, ValueError, "One of `left_size` and `right_size`"),
        (np.arange(10), {"left_size": "a"}, TypeError, "`left_size` must be an integer, or a share"),
        (np.arange(10), {"left_size": 10}, ValueError, "`left_size` must be a number of elements below 10"),
        (np.arange(10), {"right_size": 1.5}, ValueError, "`right_size` must be"),
        (np.arange(10), {"left_size": 0.01}, ValueError, "make 0 and 10 of 10 elements"),
        (np.arange(10), {"left_size": 0.5, "right_size": 0.6}, ValueError, "make 5 and 6 of 10 elements"),
        (
            np.arange(10),
            {"left_size": 1, "preferred_backend": "jax"},
            ValueError,
            "`preferred_backend` must be",
        ),
        ("text", {"left_size": 1}, TypeError, "`dataset` must be"),
        (3, {"left_size": 1}, TypeError, "`dataset` must be"),
    ],
)
def test_bad_arguments(dataset, kwargs, kind, message):
    with pytest.raises(kind, match=message):
        split(dataset, **kwargs)
