"""`ops.image` against the real Keras 3: values, gradients and dtypes over grids of settings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish.ops import image

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
)  # Keras's
theirs = keras.ops.image

rng = np.random.default_rng(0)
IMAGES = rng.random((2, 6, 9, 3)).astype("float32")
FIRST = np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))
AFFINE = np.array([[1.1, 0.2, -1.3, 0.1, 0.9, 0.7, 0, 0], [0.8, 0, 2.2, -0.3, 1.3, -0.6, 0, 0]], "float32")
START = np.array([[[0, 0], [0, 6], [9, 0], [9, 6]], [[1, 1], [1, 5], [8, 1], [8, 5]]], "float32")
END = np.array([[[1, 0.3], [0, 5], [8, -1], [9, 7]], [[0.2, 1], [2, 5.5], [8.1, 2], [7.5, 4]]], "float32")


def both(name, x, *args, rtol=1e-5, atol=1e-5, dtype=None, **kwargs):
    """The op of both packages on one input: values, dtypes and gradients by the input agree."""
    results = []
    for namespace in (image, theirs):
        tensor = torch.tensor(x) if dtype is None else torch.tensor(x).to(dtype)
        tensor = tensor.clone().requires_grad_(tensor.is_floating_point())
        output = getattr(namespace, name)(tensor, *args, **kwargs)
        gradient = None
        if output.requires_grad:
            factors = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
            gradient = torch.autograd.grad((output * factors).sum(), tensor)[0]
        results.append((output.detach(), gradient))
    (a, da), (b, db) = results
    assert a.dtype == b.dtype
    torch.testing.assert_close(a, b, rtol=rtol, atol=atol)
    assert (da is None) == (db is None)
    if da is not None:
        torch.testing.assert_close(da, db, rtol=rtol, atol=atol)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("rgb_to_grayscale", (), {}),
        ("rgb_to_hsv", (), {}),
        ("hsv_to_rgb", (), {}),
        ("crop_images", (1, 2, 3, 1), {}),
        ("crop_images", (), {"bottom_cropping": 2, "target_height": 3, "left_cropping": 1, "target_width": 8}),
        ("pad_images", (1, 0, 3, 1), {}),
        ("pad_images", (), {"bottom_padding": 2, "target_height": 9, "left_padding": 1, "target_width": 12}),
        ("extract_patches", (3,), {}),
        ("extract_patches", ((2, 3),), {"strides": 1, "padding": "same"}),
        ("extract_patches", ((2, 3),), {"strides": (3, 2), "padding": "same"}),
        ("extract_patches", ((2, 3),), {"strides": (1, 2)}),
        ("extract_patches", (2,), {"strides": 1, "dilation_rate": 2}),
        ("extract_patches", ((2, 3),), {"strides": 1, "dilation_rate": (3, 2), "padding": "same"}),
        *[
            ("affine_transform", (AFFINE,), {"interpolation": interpolation, "fill_mode": mode, "fill_value": 0.4})
            for interpolation in ("nearest", "bilinear")
            for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
        ],
        ("perspective_transform", (START[0], END[0]), {"fill_value": 0.3}),
        ("perspective_transform", (END[0], START[0]), {"interpolation": "nearest"}),
        *[
            ("resize", (size,), {"interpolation": interpolation, "antialias": antialias, aspect: True})
            for size in ((4, 5), (11, 13), (12, 4))
            for interpolation in ("nearest", "bilinear", "bicubic")
            for antialias in (False, True)
            for aspect in ("antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio")
            if aspect != "antialias" or antialias
        ],
        ("resize", ((3, 20),), {"pad_to_aspect_ratio": True, "fill_value": 0.7}),
        ("resize", ((3, 20),), {}),
    ],
)  # fmt: skip
def test_values_and_gradients(name, args, kwargs, single, data_format):
    x = IMAGES if data_format == "channels_last" else FIRST
    if single:
        args = [value[0] if value is AFFINE else value for value in args]
    both(name, x[0] if single else x, *args, data_format=data_format, **kwargs)


def test_transforms_of_each_image():
    both("affine_transform", IMAGES, AFFINE, fill_mode="reflect")
    both("perspective_transform", IMAGES, START, END)
    both("perspective_transform", IMAGES, START[0], END[0])


@pytest.mark.parametrize("size", [2, (1, 3, 2)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "kwargs", [{}, {"strides": 1, "padding": "same"}, {"strides": 1, "dilation_rate": 2}, {"padding": "same"}]
)
def test_patches_of_volumes(size, data_format, kwargs):
    volumes = rng.random((2, 4, 5, 6, 2) if data_format == "channels_last" else (2, 2, 4, 5, 6))
    both("extract_patches_3d", volumes.astype("float32"), size, data_format=data_format, **kwargs)
    both("extract_patches_3d", volumes[0].astype("float32"), size, data_format=data_format, **kwargs)
    if not isinstance(size, int):
        both("extract_patches", volumes.astype("float32"), size, data_format=data_format, **kwargs)


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
@pytest.mark.parametrize("order", [0, 1])
def test_map_coordinates(order, fill_mode):
    for shape in ((7,), (4, 5), (3, 4, 5)):
        x = rng.normal(size=shape).astype("float32")
        coordinates = rng.uniform(-9, 12, (len(shape), 6, 5)).astype("float32")
        both("map_coordinates", x, coordinates, order, fill_mode, 0.7)
    both("map_coordinates", np.arange(5.0), np.array([[0, 0.5, 1.5, 2.5, -0.5, 4]]), order, fill_mode)
    found = []
    for namespace in (image, theirs):
        at = torch.tensor([[0.2, 1.7], [3.3, 0.4]], requires_grad=True)
        torch.square(
            namespace.map_coordinates(torch.tensor(IMAGES[0, :, :, 0]), at, 1, fill_mode)
        ).sum().backward()
        found.append(at.grad)
    torch.testing.assert_close(*found)


@pytest.mark.parametrize(
    "method", ["linear", "bilinear", "trilinear", "cubic", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("scale", "translation"), [((0.5, 1.5), (0.1, -0.2)), ((2.3, 0.31), (-1.5, 4.0))])
def test_scale_and_translate(method, antialias, scale, translation):
    scale, translation = np.array(scale, "float32"), np.array(translation, "float32")
    both("scale_and_translate", IMAGES, (2, 5, 8, 3), scale, translation, (1, 2), method, antialias)
    both("scale_and_translate", IMAGES[0, :, :, 0], (4, 12), scale, translation, (0, 1), method, antialias)
    found = []
    for namespace in (image, theirs):
        s, t = torch.tensor(scale, requires_grad=True), torch.tensor(translation, requires_grad=True)
        y = namespace.scale_and_translate(torch.tensor(IMAGES), (2, 5, 8, 3), s, t, (1, 2), method, antialias)
        torch.square(y).sum().backward()
        found += [s.grad, t.grad]
    torch.testing.assert_close(found[:2], found[2:], rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("rgb_to_grayscale", (), {}),
        ("crop_images", (1, 2, 3, 1), {}),
        ("pad_images", (1, 0, 3, 1), {}),
        ("extract_patches", (2,), {"padding": "same"}),
        ("affine_transform", (AFFINE,), {}),
        (
            "affine_transform",
            (np.array([[1, 0, 0.25, 0, 1, -0.75, 0, 0]] * 2),),
            {"interpolation": "nearest"},
        ),
        ("perspective_transform", (np.trunc(START), np.trunc(np.abs(END))), {}),
        ("resize", ((4, 5),), {}),
        ("resize", ((4, 5),), {"interpolation": "bicubic"}),
        ("resize", ((4, 5),), {"interpolation": "nearest", "antialias": True}),
        ("resize", ((12, 15),), {"interpolation": "bicubic", "antialias": True}),
        ("resize", ((12, 15),), {"pad_to_aspect_ratio": True, "fill_value": 9}),
        ("scale_and_translate", ((2, 4, 5, 3), [1.5, 0.5], [0.0, 0.0], (1, 2), "linear"), {}),
        ("sobel_edges", (), {}),
    ],
)
def test_dtypes(name, args, kwargs, dtype):
    kind = getattr(torch, dtype)
    scale = 1 if kind.is_floating_point else 250
    if kwargs.get("antialias") and kind in (torch.float16, torch.bfloat16):
        return  # not in Keras on torch's CPU
    if name == "perspective_transform" and kind is torch.bfloat16:
        return  # Keras computes the coordinates in bfloat16
    tolerance = {"bfloat16": 0.06, "float16": 6e-3, "float64": 1e-6}.get(dtype, 0)
    both(name, IMAGES * scale, *args, dtype=kind, rtol=tolerance, atol=tolerance, **kwargs)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_filters(data_format):
    x = IMAGES if data_format == "channels_last" else FIRST
    both("sobel_edges", x, data_format=data_format)
    for settings in ({}, {"filter_size": 3, "filter_sigma": 0.5, "k1": 0.1, "k2": 0.2}, {"max_val": 255.0}):
        settings = {"filter_size": 5, **settings}
        other = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1).astype("float32")
        both("ssim", x, other, data_format=data_format, **settings)
        both("ssim", x[0], other[0], data_format=data_format, **settings)


@pytest.mark.parametrize("sigma", [(1.0, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5)])
def test_gaussian_blur(size, sigma):
    """Keras on torch blurs only `channels_first` images along height and width, and has the deviations swapped."""
    expected = theirs.gaussian_blur(FIRST, size, sigma[::-1], data_format="channels_first")
    torch.testing.assert_close(
        image.gaussian_blur(FIRST, size, sigma, data_format="channels_first"), expected
    )
    torch.testing.assert_close(image.gaussian_blur(IMAGES[0], size, sigma), expected[0].movedim(0, -1))


def test_hsv_of_edges():
    colours = np.array(
        [
            [0, 0, 0],
            [1, 1, 1],
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
            [1, 1, 0],
            [1, 0, 1],
            [0.5, 0.5, 0.2],
            [2, -1, 0.3],
        ],
        "float32",
    )[None]
    for dtype in (torch.float32, torch.float64):
        torch.testing.assert_close(
            image.rgb_to_hsv(torch.tensor(colours).to(dtype)),
            theirs.rgb_to_hsv(torch.tensor(colours).to(dtype)),
        )
        torch.testing.assert_close(
            image.hsv_to_rgb(torch.tensor(colours).to(dtype)),
            theirs.hsv_to_rgb(torch.tensor(colours).to(dtype)),
        )


def test_elastic_displacements_have_the_same_moments():
    """The draws differ: the displacements of a ramp of coordinates are compared in deviation and correlation."""
    y, x = np.meshgrid(np.arange(90), np.arange(90), indexing="ij")
    ramp = np.stack([np.stack([x, y], -1)] * 30).astype("float32")
    figures = []
    for namespace in (image, theirs):
        moved = namespace.elastic_transform(ramp, 10.0, 3.0, fill_mode="nearest", seed=1).numpy() - ramp
        inner = moved[:, 25:-25, 25:-25]
        near = (inner[:, :, :-3] * inner[:, :, 3:]).mean() / inner.var()
        edge = moved[:, 25:-25, 0, 1].std()
        figures.append([inner.std() / 2.82, near, edge / 2.2, inner.mean()])
    np.testing.assert_allclose(figures[0], figures[1], atol=0.25)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("resize", (IMAGES, (2, 2), "wrong"), {}),
        ("resize", (IMAGES, (2, 2)), {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}),
        ("resize", (IMAGES, (2, 2)), {"fill_mode": "reflect"}),
        ("resize", (IMAGES, (2, 2, 2)), {}),
        ("resize", (IMAGES, (0, 2)), {}),
        ("resize", (IMAGES[0, 0], (2, 2)), {}),
        ("resize", (IMAGES, (2, 2)), {"data_format": "wrong"}),
        ("affine_transform", (IMAGES, AFFINE, "wrong"), {}),
        ("affine_transform", (IMAGES, AFFINE), {"fill_mode": "wrong"}),
        ("affine_transform", (IMAGES[0, 0], AFFINE), {}),
        ("perspective_transform", (IMAGES, START[0, :3], END), {}),
        ("map_coordinates", (IMAGES, np.ones((2, 3)), 1), {}),
        ("map_coordinates", (IMAGES, np.ones((4, 3)), 1, "wrong"), {}),
        ("crop_images", (IMAGES, 1, 1), {}),
        ("crop_images", (IMAGES, -1, 1, 1, 1), {}),
        ("crop_images", (IMAGES, 5, 5, 5, 5), {}),
        ("pad_images", (IMAGES, 1, 1, 1, 1, 1), {}),
        ("pad_images", (IMAGES, -1, 1, 1, 1), {}),
        ("rgb_to_grayscale", (IMAGES[..., :2],), {}),
        ("rgb_to_hsv", ((IMAGES * 255).astype("uint8"),), {}),
        ("scale_and_translate", (IMAGES, (2, 2, 2, 3), [1, 1], [0, 0], (1, 2), "wrong"), {}),
        ("extract_patches", (IMAGES, (1, 2, 3, 4)), {}),
    ],
)
def test_both_refuse(name, args, kwargs):
    for namespace in (theirs, image):
        with pytest.raises(ValueError):
            getattr(namespace, name)(*args, **kwargs)
