"""Layers that torch has functions for: regularization, activation, reshaping, merging."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch

from kerasish import layers
from kerasish.port.pytorch.modules import activated, elementwise, emits, enter, needs_plain, one_or_all
from kerasish.port.pytorch.source import FIRST, FLAT, PLAIN, Body, Value

# Regularization, activation and reshaping --------------------------------------------------------------------------


@emits(layers.Identity, layers.ActivityRegularization)
def identity(body: Body, layer: Any, x: Value) -> Value:
    """Nothing."""
    return x


@emits(layers.Dropout)
def dropout(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.Dropout`."""
    if layer.noise_shape is not None:
        body.file.note(f"{layer.name}: its `noise_shape` is left out, `nn.Dropout` drops single values.")
    module = body.module(layer, layer.name, f"nn.Dropout({layer.rate})")
    return _kept(body, x, module)


def _kept(body: Body, x: Value, module: str) -> Value:
    return elementwise(body, x, f"{module}({{}})")


@emits(layers.AlphaDropout)
def alpha_dropout(body: Body, layer: Any, x: Value) -> Value:
    """`nn.AlphaDropout`."""
    return _kept(body, x, body.module(layer, layer.name, f"nn.AlphaDropout({layer.rate})"))


@emits(layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D)
def spatial_dropout(body: Body, layer: Any, x: Value) -> Value:
    """`nn.Dropout1d` and so on."""
    rank = len(x.shape) - 2
    form = PLAIN if getattr(layer, "data_format", "channels_last") == "channels_first" else FIRST
    module = body.module(layer, layer.name, f"nn.Dropout{rank}d({layer.rate})")
    return Value(x.shape, x.dtype, {form: body.set(f"{module}({body.get(x, form)})")})


NOISE = """def gaussian_noise(x, stddev, training):
    return x + torch.randn_like(x) * stddev if training else x"""
FACTOR = """def gaussian_dropout(x, stddev, training):
    return x * (1 + torch.randn_like(x) * stddev) if training else x"""


@emits(layers.GaussianNoise)
def gaussian_noise(body: Body, layer: Any, x: Value) -> Value:
    """A function, for training only."""
    body.file.function("gaussian_noise", lambda name: NOISE)
    return elementwise(body, x, f"gaussian_noise({{}}, {layer.stddev}, self.training)")


@emits(layers.GaussianDropout)
def gaussian_dropout(body: Body, layer: Any, x: Value) -> Value:
    """A function, for training only."""
    body.file.function("gaussian_dropout", lambda name: FACTOR)
    stddev = round(math.sqrt(layer.rate / (1 - layer.rate)), 9)
    return elementwise(body, x, f"gaussian_dropout({{}}, {stddev}, self.training)")


@emits(layers.Activation)
def activation(body: Body, layer: Any, x: Value) -> Value:
    """The function."""
    return activated(body, x, layer.activation, layer.name)


@emits(layers.ReLU)
def relu(body: Body, layer: Any, x: Value) -> Value | None:
    """`F.relu`, `F.leaky_relu` or `F.relu6`."""
    if layer.threshold or (layer.max_value is not None and (layer.max_value != 6 or layer.negative_slope)):
        return None
    slope = layer.negative_slope
    expression = (
        "F.relu6({})" if layer.max_value else f"F.leaky_relu({{}}, {slope})" if slope else "F.relu({})"
    )
    return elementwise(body, x, expression)


@emits(layers.LeakyReLU)
def leaky_relu(body: Body, layer: Any, x: Value) -> Value:
    """`F.leaky_relu`."""
    return elementwise(body, x, f"F.leaky_relu({{}}, {layer.negative_slope})")


@emits(layers.ELU)
def elu(body: Body, layer: Any, x: Value) -> Value:
    """`F.elu`."""
    return elementwise(body, x, f"F.elu({{}}, {layer.alpha})")


@emits(layers.PReLU)
def prelu(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.PReLU`, with a slope for each channel."""
    sizes = tuple(layer.alpha.shape)
    if len(sizes) > 1 and set(sizes[:-1]) != {1}:
        return None
    form = FIRST if len(x.shape) > 2 else PLAIN
    module = body.module(
        layer, layer.name, f"nn.PReLU({sizes[-1]})", {"weight": ([layer.alpha], lambda a: a.reshape(-1))}
    )
    return Value(x.shape, x.dtype, {form: body.set(f"{module}({body.get(x, form)})")})


@emits(layers.Softmax)
def softmax(body: Body, layer: Any, x: Value) -> Value | None:
    """`torch.softmax` along one axis."""
    if not isinstance(layer.axis, int) or x.mask is not None:
        return None
    token = body.set(f"torch.softmax({body.get(x)}, dim={layer.axis})")
    made = Value(x.shape, x.dtype, {PLAIN: token})
    made.logits = (x, "softmax") if layer.axis in (-1, len(x.shape) - 1) else None
    return made


@emits(layers.Flatten)
def flatten(body: Body, layer: Any, x: Value) -> Value:
    """`torch.flatten`; of an image with channels first it remembers the order."""
    shape = layer.compute_output_shape(x.shape)
    if len(x.shape) == 1:
        return Value(shape, x.dtype, {PLAIN: body.set(f"{body.get(x)}.unsqueeze(-1)")})
    is_first = layer.data_format == "channels_first" and len(x.shape) > 2
    if not is_first and x.form == FIRST and None not in x.shape[1:]:
        made = Value(shape, x.dtype, {FLAT: body.set(f"{body.get(x, FIRST)}.flatten(1)")})
        made.image = x
        made.order = torch.arange(math.prod(x.shape[1:])).reshape(x.shape[1:]).movedim(-1, 0).flatten()
        return made
    token = body.get(x)
    if is_first:
        token = body.set(f"{token}.movedim(1, -1)")
    return Value(shape, x.dtype, {PLAIN: body.set(f"{token}.flatten(1)") if len(x.shape) > 2 else token})


@emits(layers.Reshape)
def reshape(body: Body, layer: Any, x: Value) -> Value:
    """`reshape`."""
    sizes = ", ".join(str(size) for size in layer.target_shape)
    token = body.get(x)
    shape = layer.compute_output_shape(x.shape)
    if len(x.shape) == 2 and len(shape) > 2:
        return Value(shape, x.dtype, {PLAIN: body.set(f"{token}.unflatten(1, ({sizes}))")})
    return Value(shape, x.dtype, {PLAIN: body.set(f"{token}.reshape({token}.shape[0], {sizes})")})


@emits(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def zero_padding(body: Body, layer: Any, x: Value) -> Value:
    """`F.pad`."""
    token, _, form = enter(body, layer, x)
    amounts = ", ".join(str(size) for pair in reversed(layer._pairs) for size in pair)
    shape = layer.compute_output_shape(x.shape)
    return Value(shape, x.dtype, {form: body.set(f"F.pad({token}, ({amounts}))")})


@emits(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def cropping(body: Body, layer: Any, x: Value) -> Value:
    """Slices."""
    token, _, form = enter(body, layer, x)
    cuts = ", ".join(f"{a or ''}:{-b if b else ''}" for a, b in layer._pairs)
    shape = layer.compute_output_shape(x.shape)
    return Value(shape, x.dtype, {form: body.set(f"{token}[:, :, {cuts}]")})


@emits(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)
def up_sampling(body: Body, layer: Any, x: Value) -> Value | None:
    """`F.interpolate`."""
    if layer.interpolation not in ("nearest", "bilinear", "bicubic") or "float" not in x.dtype:
        return None
    token, _, form = enter(body, layer, x)
    mode = "" if layer.interpolation == "nearest" else f', mode="{layer.interpolation}"'
    factor = one_or_all(layer._factors[-layer.rank :])
    shape = layer.compute_output_shape(x.shape)
    return Value(shape, x.dtype, {form: body.set(f"F.interpolate({token}, scale_factor={factor}{mode})")})


@emits(layers.Rescaling)
def rescaling(body: Body, layer: Any, x: Value) -> Value | None:
    """A product and a sum."""
    if not all(isinstance(number, (int, float)) for number in (layer.scale, layer.offset)):
        return None
    if "float" not in x.dtype:
        x = Value(x.shape, layer.compute_dtype, {PLAIN: needs_plain(body, x)})
    inverse = round(1 / layer.scale) if layer.scale else 0
    factor = f"/ {inverse}" if inverse > 1 and 1 / inverse == layer.scale else f"* {layer.scale}"
    sign = "-" if layer.offset < 0 else "+"
    offset = f" {sign} {abs(layer.offset)}" if layer.offset else ""
    return elementwise(body, x, f"{{}} {factor}{offset}")


# Merging -----------------------------------------------------------------------------------------------------------

MERGES = {
    layers.Add: " + ", layers.Multiply: " * ", layers.Subtract: " - ", layers.Average: " + ",
}  # fmt: skip


@emits(layers.Add, layers.Multiply, layers.Subtract, layers.Average, layers.Maximum, layers.Minimum)
def merge(body: Body, layer: Any, inputs: Any) -> Value | None:
    """Arithmetic."""
    if len({len(x.shape) for x in inputs}) != 1 or any(x.mask is not None for x in inputs):
        return None
    form = FIRST if len(inputs[0].shape) > 2 and any(x.form == FIRST for x in inputs) else PLAIN
    tokens = [body.get(x, form) for x in inputs]
    if type(layer) in MERGES:
        expression = MERGES[type(layer)].join(tokens)
        expression = f"({expression}) / {len(tokens)}" if type(layer) is layers.Average else expression
    else:
        function = "torch.maximum" if type(layer) is layers.Maximum else "torch.minimum"
        expression = tokens[0]
        for token in tokens[1:]:
            expression = f"{function}({expression}, {token})"
    shape = layer.compute_output_shape([x.shape for x in inputs])
    return Value(shape, inputs[0].dtype, {form: body.set(expression)})


@emits(layers.Concatenate)
def concatenate(body: Body, layer: Any, inputs: Any) -> Value | None:
    """`torch.cat`."""
    if any(x.mask is not None for x in inputs):
        return None
    rank = len(inputs[0].shape)
    axis = layer.axis % rank
    shape = layer.compute_output_shape([x.shape for x in inputs])
    if rank == 2 and axis == 1 and any(x.form == FLAT for x in inputs):
        tokens = ", ".join(body.get(x, x.form) for x in inputs)
        made = Value(shape, inputs[0].dtype, {FLAT: body.set(f"torch.cat([{tokens}], dim=1)")})
        starts = itertools.accumulate((x.shape[1] for x in inputs), initial=0)
        orders = [torch.arange(x.shape[1]) if x.order is None else x.order for x in inputs]
        made.order = torch.cat([order + start for order, start in zip(orders, starts, strict=False)])
        return made
    form = FIRST if rank > 2 and any(x.form == FIRST for x in inputs) else PLAIN
    if form == FIRST:
        axis = 1 if axis == rank - 1 else axis + 1 if axis else 0
    tokens = ", ".join(body.get(x, form) for x in inputs)
    return Value(shape, inputs[0].dtype, {form: body.set(f"torch.cat([{tokens}], dim={axis})")})
