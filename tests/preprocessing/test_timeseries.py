from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish

windows = kerasish.utils.timeseries_dataset_from_array


@pytest.mark.parametrize(
    ("kwargs", "starts", "labels"),
    [
        ({"targets": None}, range(8), None),
        ({"targets": np.arange(10), "sequence_stride": 2}, range(0, 8, 2), [0, 2, 4, 6]),
        ({"targets": np.arange(8), "sampling_rate": 2, "batch_size": 2}, range(6), range(6)),
        ({"targets": np.arange(10), "start_index": 2, "end_index": 8}, range(2, 6), [2, 3, 4, 5]),
        ({"targets": None, "end_index": 8, "sampling_rate": 2}, range(4), None),
        ({"targets": np.arange(4), "end_index": 8, "sampling_rate": 2}, range(4), range(4)),
    ],
)
def test_the_windows_of_keras(kwargs, starts, labels):
    """Beside what Keras gave on TensorFlow."""
    dataset = windows(np.arange(10), sequence_length=3, **kwargs)
    batches = list(dataset)
    assert len(batches) == len(dataset)
    step = kwargs.get("sampling_rate", 1)
    x = torch.cat([batch if labels is None else batch[0] for batch in batches])
    assert x.tolist() == [[i, i + step, i + 2 * step] for i in starts]
    if labels is not None:
        assert torch.cat([y for _, y in batches]).tolist() == list(labels)


def test_single_windows_and_frames():
    dataset = windows(np.ones((10, 2)), np.arange(10.0), 3, batch_size=None)
    x, y = next(iter(dataset))
    assert x.shape == (3, 2) and y.shape == () and len(dataset) == 8
    frame = pytest.importorskip("pandas").DataFrame({"a": range(5), "b": range(5)})
    assert next(iter(windows(frame, None, 2))).shape == (4, 2, 2)


def test_orders():
    dataset = windows(np.arange(50), None, 1, shuffle=True, seed=3)
    first, second = (torch.cat(list(dataset)).flatten().tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50)) and first != second
    again = windows(np.arange(50), None, 1, shuffle=True, seed=3)
    assert torch.cat(list(again)).flatten().tolist() == first


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be a positive integer"),
        ({"sampling_rate": 0}, "`sampling_rate` must be"),
        ({"sequence_stride": -1}, "`sequence_stride` must be"),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"start_index": -1}, "0 ≤ start_index < end_index ≤ 10"),
        ({"end_index": 12}, "Received: start_index=None, end_index=12"),
        ({"start_index": 5, "end_index": 5}, "start_index=5, end_index=5"),
        ({"sequence_length": 11}, "reaches over 11 time steps. Received: 10 time steps"),
        ({"sequence_length": 4, "sampling_rate": 4}, "reaches over 13 time steps"),
        ({"format": "grain"}, "`format` must be 'tf'"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        windows(**{"data": np.arange(10), "targets": None, "sequence_length": 3, **kwargs})


def test_data_must_be_an_array():
    with pytest.raises(TypeError, match="`data` must be an array"):
        windows("text", None, 3)
