"""Bounding boxes: formats, clipping, cropping, affine maps, deltas of anchors and overlap."""

# B batch, N boxes, M other boxes

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean, received
from kerasish.ops.core import convert_to_tensor

ABSOLUTE = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
FORMATS = (*ABSOLUTE, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
ENCODINGS = ("center_xywh", "center_yxhw")
EPSILON = 1e-7


def check_format(name: str, value: Any) -> str:
    """Return the format in lower case, or raise with the list of formats."""
    lowered = str(value).lower()
    if lowered not in FORMATS:
        raise ValueError(
            f"`{name}` must be one of {FORMATS}.{did_you_mean(value, FORMATS)} Received: {name}={value!r}"
        )
    return lowered


def _check_boxes(boxes: Any) -> Tensor:
    boxes = convert_to_tensor(boxes)
    if boxes.dim() == 0 or boxes.shape[-1] != 4:
        raise ValueError(f"Boxes must have 4 numbers in their last dimension. Received: {received(boxes)}")
    return boxes


def _to_corners(boxes: Tensor, source: str) -> Tensor:
    a, b, c, d = boxes.unbind(-1)
    if source.endswith("center_xywh"):
        corners = (a - c / 2, b - d / 2, a + c / 2, b + d / 2)
    elif source == "center_yxhw":
        corners = (b - d / 2, a - c / 2, b + d / 2, a + c / 2)
    elif source.endswith("xywh"):
        corners = (a, b, a + c, b + d)
    elif source.endswith("yxyx"):
        corners = (b, a, d, c)
    else:
        return boxes
    return torch.stack(corners, -1)


def _from_corners(boxes: Tensor, target: str) -> Tensor:
    left, top, right, bottom = boxes.unbind(-1)
    width, height = right - left, bottom - top
    if target.endswith("center_xywh"):
        numbers = (left + width / 2, top + height / 2, width, height)
    elif target == "center_yxhw":
        numbers = (top + height / 2, left + width / 2, height, width)
    elif target.endswith("xywh"):
        numbers = (left, top, width, height)
    elif target.endswith("yxyx"):
        numbers = (top, left, bottom, right)
    else:
        return boxes
    return torch.stack(numbers, -1)


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Convert boxes from one format to another.

    Args:
        boxes: boxes (…, 4), or a dict of `"boxes"` and others, which stay as they are.
        source, target: `"xyxy"` (left, top, right, bottom), `"yxyx"`, `"xywh"` (left, top, width, height),
            `"center_xywh"`, `"center_yxhw"`, and, as fractions of the image, `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`,
            `"rel_center_xywh"`.
        height, width: size of the image; needed between fractions and pixels.
        dtype: dtype of the result.

    Example:
        >>> import torch
        >>> convert_format(torch.tensor([[10.0, 20.0, 30.0, 40.0]]), "xyxy", "center_xywh")
        tensor([[20., 30., 20., 20.]])
    """
    if isinstance(boxes, dict):
        converted = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": converted}
    source, target = check_format("source", source), check_format("target", target)
    boxes = _check_boxes(boxes).to(torch_dtype(dtype))
    if source == target:
        return boxes
    corners = _to_corners(boxes, source)
    was_relative, is_relative = source.startswith("rel_"), target.startswith("rel_")
    if was_relative != is_relative:
        if height is None or width is None:
            raise ValueError(
                "`convert_format` needs `height` and `width` between pixels and fractions of the image. "
                f"Received: source={source!r}, target={target!r}, height={height}, width={width}"
            )
        corners = _per_axis(torch.mul if was_relative else torch.div, corners, width, height)
    return _from_corners(corners, target)


def _per_axis(operation: Any, corners: Tensor, x: Any, y: Any) -> Tensor:
    """Corners with `operation(value, x)` of the horizontal and `operation(value, y)` of the vertical ones."""
    left, top, right, bottom = corners.unbind(-1)
    return torch.stack([operation(left, x), operation(top, y), operation(right, x), operation(bottom, y)], -1)


def _clipped(corners: Tensor, height: Any, width: Any) -> Tensor:
    return _per_axis(lambda value, size: value.clamp(min=0).clamp(max=size), corners, width, height)


def moved_and_scaled(corners: Tensor, x: Any, y: Any, x_factor: float, y_factor: float) -> Tensor:
    """Corners minus (x, y), times the factors."""
    return _per_axis(torch.mul, _per_axis(torch.sub, corners, x, y), x_factor, y_factor)


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Clip boxes to the image; the labels of those without area become -1.

    Args:
        bounding_boxes: dict of `"boxes"` (…, N, 4) and `"labels"` (…, N).
        height, width: size of the image, for formats in pixels.
        bounding_box_format: format of the boxes.

    Example:
        >>> import torch
        >>> boxes = {"boxes": torch.tensor([[-5, 0, 20, 30], [40, 0, 50, 9]]), "labels": torch.tensor([0, 1])}
        >>> clip_to_image_size(boxes, height=20, width=30)["labels"]
        tensor([ 0, -1])
    """
    if not isinstance(bounding_boxes, dict) or "boxes" not in bounding_boxes:
        raise TypeError(
            f"`bounding_boxes` must be a dict of 'boxes' and 'labels'. Received: {received(bounding_boxes)}"
        )
    kind = check_format("bounding_box_format", bounding_box_format)
    if not kind.startswith("rel_") and (height is None or width is None):
        raise ValueError(f"`height` and `width` must be given for boxes in pixels ({bounding_box_format!r}).")
    boxes = _check_boxes(bounding_boxes["boxes"])
    corners = _to_corners(boxes, kind)
    if kind.startswith("rel_"):
        height = width = 1
    corners = _clipped(corners, height, width)
    size = corners[..., 2:] - corners[..., :2]
    has_area = (size > 0).all(-1)
    clipped = {**bounding_boxes, "boxes": _from_corners(corners, kind).to(boxes.dtype)}
    if "labels" in bounding_boxes:
        labels = convert_to_tensor(bounding_boxes["labels"])
        clipped["labels"] = torch.where(has_area, labels, -1)
    return clipped


def _moved(boxes: Any, left: float, top: float, limits: tuple | None, kind: str) -> Tensor:
    """Boxes moved by (left, top), clipped to the limits (height, width) if there are any."""
    kind = check_format("bounding_box_format", kind)
    if kind.startswith("rel_"):
        raise ValueError(
            "Boxes must be in pixels here, since the size of the whole image is not known: use `convert_format` first. "
            f"Received: bounding_box_format={kind!r}"
        )
    boxes = _check_boxes(boxes)
    corners = _to_corners(boxes if boxes.is_floating_point() else boxes.float(), kind)
    corners = moved_and_scaled(corners, -left, -top, 1, 1)
    if limits is not None:
        corners = _clipped(corners, limits[0], limits[1])
    return _from_corners(corners, kind)


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes within the part of an image that begins at (top, left), clipped to its height and width.

    Example:
        >>> import torch
        >>> crop(torch.tensor([[10.0, 20.0, 50.0, 60.0]]), top=10, left=20, height=40, width=30)
        tensor([[ 0., 10., 30., 40.]])
    """
    return _moved(boxes, -left, -top, (height, width), bounding_box_format)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes in an image that got `top` rows above and `left` columns at its left side.

    Example:
        >>> import torch
        >>> pad(torch.tensor([[10.0, 20.0, 50.0, 60.0]]), top=10, left=20)
        tensor([[30., 30., 70., 70.]])
    """
    return _moved(boxes, left, top, None, bounding_box_format)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The boxes around boxes that were moved, rotated counter-clockwise, scaled and sheared about a centre.

    Each corner p becomes c + M (p − c + t), M = scale · [[cos α − tan σₓ · m, sin α + tan σₓ · n], [m, n]],
    m = tan σᵧ cos α − sin α, n = tan σᵧ sin α + cos α.

    Args:
        boxes: (N, 4) or (B, N, 4).
        angle, shear_x, shear_y: α, σₓ and σᵧ in degrees; numbers, or one for each image (B,).
        translate_x, translate_y: t as fractions of the width − 1 and the height − 1.
        scale: factor.
        height, width: size of the image.
        center_x, center_y: c as fractions of the width − 1 and the height − 1; 0.5 by default.
        bounding_box_format: format of the boxes.
    """
    kind = check_format("bounding_box_format", bounding_box_format)
    boxes = _check_boxes(boxes)
    values = boxes if boxes.is_floating_point() else boxes.float()
    corners = convert_format(values, kind, "xyxy", height, width, values.dtype)
    is_single = corners.dim() == 2
    corners = corners.unsqueeze(0) if is_single else corners

    def number(value: Any) -> Tensor:
        if isinstance(value, (int, float)):
            return corners.new_full((1, 1), value)
        return torch.as_tensor(value, dtype=corners.dtype, device=corners.device).reshape(-1, 1)

    rotation = torch.deg2rad(number(angle))
    cos, sin = torch.cos(rotation), torch.sin(rotation)
    tan_x, tan_y = torch.tan(torch.deg2rad(number(shear_x))), torch.tan(torch.deg2rad(number(shear_y)))
    factor = number(scale)
    m, n = tan_y * cos - sin, tan_y * sin + cos
    first = (factor * (cos - tan_x * m), factor * (sin + tan_x * n))
    second = (factor * m, factor * n)
    center = [
        number(0.5 if fraction is None else fraction) * (size - 1)
        for fraction, size in ((center_x, width), (center_y, height))
    ]
    left, top, right, bottom = corners.unbind(-1)
    x = torch.stack([left, right, left, right], -1).flatten(1)
    y = torch.stack([top, top, bottom, bottom], -1).flatten(1)
    x = x - center[0] + number(translate_x) * (width - 1)
    y = y - center[1] + number(translate_y) * (height - 1)
    new_x = (center[0] + first[0] * x + first[1] * y).unflatten(1, (-1, 4))
    new_y = (center[1] + second[0] * x + second[1] * y).unflatten(1, (-1, 4))
    moved = torch.stack([new_x.amin(-1), new_y.amin(-1), new_x.amax(-1), new_y.amax(-1)], -1)
    moved = convert_format(moved, "xyxy", kind, height, width, moved.dtype)
    return moved.squeeze(0) if is_single else moved


def _image_size(image_shape: Any) -> tuple[Any, Any]:
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def _variance(variance: Any, like: Tensor) -> Tensor | None:
    if variance is None:
        return None
    tensor = torch.as_tensor(variance, dtype=like.dtype, device=like.device)
    if tensor.shape[-1] != 4:
        raise ValueError(f"`variance` must have 4 numbers. Received: variance={variance}")
    return tensor


def _check_encoding(name: str, value: str) -> str:
    if value not in ENCODINGS:
        raise ValueError(f"`{name}` must be one of {ENCODINGS}. Received: {name}={value!r}")
    return value


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """The differences of boxes from their anchors: (centre − anchor's centre) / anchor's size and
    ln(size / anchor's size), divided by `variance`.

    Args:
        anchors: (N, 4); boxes: (N, 4) or (B, N, 4).
        encoding_format: `"center_yxhw"` or `"center_xywh"`: the order of the four differences.
        variance: four numbers.
        image_shape: (height, width, channels), for relative formats.

    Source: Ren et al., 2015, *Faster R-CNN*, eq. 2.
    """
    _check_encoding("encoding_format", encoding_format)
    size = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, *size)
    boxes = convert_format(boxes, box_format, encoding_format, *size)
    extent = anchors[..., 2:].clamp(min=EPSILON)
    deltas = torch.cat(
        [
            (boxes[..., :2] - anchors[..., :2]) / extent,
            torch.log(boxes[..., 2:].clamp(min=EPSILON) / extent),
        ],
        -1,
    )
    scale = _variance(variance, deltas)
    return deltas if scale is None else deltas / scale


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes whose differences from the anchors are given: the inverse of `encode_box_to_deltas`.

    Args:
        anchors, boxes_delta: (N, 4) and (N, 4) or (B, N, 4), or dicts of such with the same keys.
        encoded_format: `"center_yxhw"` or `"center_xywh"`: the order of the four differences.

    The other arguments are those of `encode_box_to_deltas`.
    """
    _check_encoding("encoded_format", encoded_format)
    if isinstance(anchors, dict):
        return {
            key: decode_deltas_to_boxes(
                anchors[key], delta, anchor_format, box_format, encoded_format, variance, image_shape
            )
            for key, delta in boxes_delta.items()
        }
    size = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoded_format, *size)
    deltas = convert_to_tensor(boxes_delta).to(anchors.dtype)
    scale = _variance(variance, deltas)
    deltas = deltas if scale is None else deltas * scale
    extent = anchors[..., 2:]
    boxes = torch.cat([anchors[..., :2] + deltas[..., :2] * extent, torch.exp(deltas[..., 2:]) * extent], -1)
    return convert_format(boxes, encoded_format, box_format, *size)


def _corners_for_overlap(boxes: Any, kind: str, image_shape: Any) -> Tensor:
    kind = check_format("bounding_box_format", kind)
    if kind.startswith("rel_") and image_shape is None:
        raise ValueError(
            f"`image_shape` must be given for boxes as fractions of the image ({kind!r}). Received: None"
        )
    target = "rel_xyxy" if kind.startswith("rel_") else "xyxy"
    corners = convert_format(boxes, kind, target, *_image_size(image_shape))
    return convert_format(corners, target, "xyxy", *_image_size(image_shape))


def _overlap(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The areas of intersection and union of boxes in corners, broadcast."""
    size = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])
    intersection = size.clamp(min=0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return intersection, areas[0] + areas[1] - intersection


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Tensor:
    """The intersection over union of each of N boxes with each of M.

    Args:
        boxes1, boxes2: (N, 4) or (B, N, 4), and (M, 4) or (B, M, 4).
        use_masking: give `mask_val` for boxes of four negative numbers.
        image_shape: (height, width, channels), for relative formats.

    Shapes: → (N, M) or (B, N, M).

    Example:
        >>> import torch
        >>> compute_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]), "xyxy")
        tensor([[0.3333]])
    """
    tensors = [_check_boxes(boxes) for boxes in (boxes1, boxes2)]
    for name, tensor in zip(("boxes1", "boxes2"), tensors, strict=True):
        if tensor.dim() not in (2, 3):
            raise ValueError(f"`{name}` must have shape (N, 4) or (B, N, 4). Received: {received(tensor)}")
    first, second = (_corners_for_overlap(t, bounding_box_format, image_shape) for t in tensors)
    intersection, union = _overlap(first.unsqueeze(-2), second.unsqueeze(-3))
    result = intersection / (union + EPSILON)
    if not use_masking:
        return result
    masked = [(tensor < 0).all(-1) for tensor in tensors]
    is_masked = masked[0].unsqueeze(-1) | masked[1].unsqueeze(-2)
    return torch.where(is_masked, mask_val, result)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Tensor:
    """The complete intersection over union of pairs of boxes, IoU − d²/c² − α v: d is the distance of the centres,
    c the diagonal of the box around both, v = 4/π² (arctan w₁/h₁ − arctan w₂/h₂)², α = v / (1 − IoU + v).

    Shapes: two (…, 4) → (…).

    Source: Zheng et al., 2020, *Distance-IoU loss*, eq. 8 to 11.
    """
    first, second = (
        _corners_for_overlap(_check_boxes(boxes), bounding_box_format, image_shape)
        for boxes in (boxes1, boxes2)
    )
    intersection, union = _overlap(first, second)
    iou = intersection / (union + EPSILON)
    around = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])
    diagonal = (around**2).sum(-1) + EPSILON
    distance = ((first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) ** 2).sum(-1) / 4
    ratios = []
    for boxes in (first, second):
        width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
        ratios.append(torch.atan(width / (height + EPSILON)))
    shape = (ratios[0] - ratios[1]) ** 2 * (4 / math.pi**2)
    return iou - distance / diagonal - shape * shape / (1 - iou + shape + EPSILON)
