from __future__ import annotations

import builtins
import io

import numpy as np
import pytest
import torch
from PIL import Image

from kerasish.preprocessing.image import array_to_img, img_to_array, load_img, save_img


@pytest.fixture
def path(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (8, 12, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_round_trip(tmp_path):
    x = np.random.RandomState(0).randint(0, 256, (5, 7, 3)).astype("float32")
    save_img(tmp_path / "x.png", x, scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "x.png")), x)
    save_img(tmp_path / "x.bmp", torch.tensor(x).permute(2, 0, 1), data_format="channels_first", scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(str(tmp_path / "x.bmp"))), x)


def test_values_are_stretched():
    levels = np.asarray(array_to_img(np.array([[[0.1], [0.2], [0.3]]])))
    assert levels.tolist() == [[0, 127, 255]] or levels.tolist() == [[0, 128, 255]]
    assert np.asarray(array_to_img(np.full((2, 2, 1), 0.5))).max() == 0


def test_file_objects_and_sizes(path):
    with open(path, "rb") as file:
        image = load_img(io.BytesIO(file.read()), color_mode="grayscale", target_size=(3, 4))
    assert image.size == (4, 3) and image.mode == "L"


def test_deep_gray_pictures_stay_deep(tmp_path):
    Image.fromarray(np.array([[0, 40000]], dtype="uint16")).save(tmp_path / "deep.png")
    assert np.asarray(load_img(tmp_path / "deep.png", color_mode="grayscale")).max() == 40000


def test_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        save_img(tmp_path / "x.jpg", np.zeros((4, 4, 4)))
    assert load_img(tmp_path / "x.jpg").size == (4, 4)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda p: load_img(3), TypeError, "`path` must be a path or a file object"),
        (lambda p: load_img(p, color_mode="gray"), ValueError, "`color_mode` must be"),
        (
            lambda p: load_img(p, target_size=(2, 2), interpolation="cubic"),
            ValueError,
            "Did you mean 'bicubic'",
        ),
        (lambda p: load_img(p, target_size=(2, 0)), ValueError, "`target_size` must be"),
        (lambda p: array_to_img(np.zeros((3, 3))), ValueError, "A picture has rank 3"),
        (lambda p: array_to_img(np.zeros((3, 3, 2))), ValueError, "1, 3 or 4 channels"),
        (lambda p: img_to_array(np.zeros(3)), ValueError, "rank 2 or 3"),
        (lambda p: img_to_array(np.zeros((2, 2)), data_format="last"), ValueError, "`data_format` must be"),
    ],
)
def test_bad_arguments(path, call, kind, message):
    with pytest.raises(kind, match=message):
        call(path)


def test_without_pillow(monkeypatch, path):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"needs Pillow: pip install 'kerasish\[image\]'"):
        load_img(path)
