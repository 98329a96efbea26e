from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kerasish.preprocessing.image import smart_resize
from kerasish.preprocessing.resizing import INTERPOLATIONS, crop_to_ratio, resize, resize_with_padding

ROW = [0.0, 10.0, 50.0, 20.0, 90.0, 70.0]


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("bilinear", [2.5, 40.0, 37.5, 75.0]),
        ("bilinear", [0.0, 5.0, 16.67, 43.33, 35.0, 31.67, 78.33, 80.0, 70.0]),
        ("nearest", [0.0, 50.0, 20.0, 70.0]),
        ("nearest", [0.0, 10.0, 10.0, 50.0, 20.0, 20.0, 90.0, 70.0, 70.0]),
        ("area", [3.33, 36.67, 43.33, 76.67]),
        ("area", [0.0, 5.0, 10.0, 50.0, 35.0, 20.0, 90.0, 80.0, 70.0]),
        ("bicubic", [1.02, 44.22, 32.58, 75.33]),
        ("bicubic", [-0.66, 2.35, 15.75, 47.03, 33.12, 26.94, 82.36, 83.53, 68.68]),
        ("gaussian", [2.69, 38.57, 39.22, 75.38]),
        ("gaussian", [0.65, 5.0, 17.39, 40.53, 35.0, 35.41, 75.12, 80.0, 71.3]),
        ("lanczos3", [-0.49, 47.75, 31.36, 77.86]),
        ("lanczos3", [0.22, -0.17, 17.8, 49.56, 30.92, 26.25, 81.58, 86.67, 66.16]),
        ("lanczos5", [-2.54, 50.73, 30.5, 79.85]),
        ("lanczos5", [1.84, -3.28, 20.01, 51.58, 29.8, 25.68, 80.69, 89.08, 64.1]),
        ("mitchellcubic", [1.78, 41.2, 36.48, 75.73]),
        ("mitchellcubic", [-0.08, 3.49, 17.0, 43.56, 33.96, 31.69, 78.17, 82.01, 69.85]),
    ],
)
def test_values_of_tensorflow(interpolation, expected):
    x = torch.tensor(ROW)
    across = resize(x.reshape(1, 1, 6), (1, len(expected)), interpolation)
    down = resize(x.reshape(1, 6, 1), (len(expected), 1), interpolation)
    np.testing.assert_allclose(across.flatten(), expected, atol=0.03)
    np.testing.assert_allclose(down.flatten(), across.flatten(), atol=1e-4)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_flat_pictures_stay_flat(interpolation, height, width, new_height, new_width):
    result = resize(torch.full((2, height, width), 7.0), (new_height, new_width), interpolation)
    torch.testing.assert_close(result, torch.full((2, new_height, new_width), 7.0))


def test_padding_as_tensorflow():
    x = torch.arange(1.0, 13.0).reshape(1, 3, 4)
    tall = resize_with_padding(x, (4, 4), "nearest")[0].tolist()
    assert tall == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 0]]
    wide = resize_with_padding(x, (2, 5), "nearest")[0].tolist()
    assert wide == [[0, 2, 4, 0, 0], [0, 10, 12, 0, 0]]


@pytest.mark.parametrize(
    ("size", "expected"), [((1, 1), (6, 6)), ((2, 1), (6, 3)), ((1, 4), (2, 8)), ((100, 1), (6, 1))]
)
def test_crop(size, expected):
    assert crop_to_ratio(torch.zeros(3, 6, 8), size).shape[-2:] == expected


def test_smart_resize_keeps_kind_and_layout():
    x = np.random.RandomState(0).randint(0, 255, (9, 6, 3)).astype("uint8")
    result = smart_resize(x, (4, 4))
    assert isinstance(result, np.ndarray) and result.dtype == np.float32 and result.shape == (4, 4, 3)
    first = smart_resize(torch.tensor(x).permute(2, 0, 1), (4, 4), data_format="channels_first")
    np.testing.assert_allclose(first.permute(1, 2, 0), result)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((np.zeros((4, 4)), (2, 2)), "rank 3, or a batch of them of rank 4"),
        ((np.zeros((4, 4, 3)), (2,)), "`size` must be"),
        ((np.zeros((4, 4, 3)), 3), "`size` must be"),
        ((np.zeros((4, 4, 3)), (2, 2), "bicubical"), "Did you mean 'bicubic'"),
        ((np.zeros((0, 4, 3)), (2, 2)), "no pixels"),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        smart_resize(*args)
