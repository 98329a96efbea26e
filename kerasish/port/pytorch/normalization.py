"""Layers that normalize by statistics of a batch or of a record."""

from __future__ import annotations

from typing import Any

import torch

from kerasish import layers
from kerasish.port.pytorch.modules import emits, needs_plain, one_or_all
from kerasish.port.pytorch.source import FIRST, FLAT, PLAIN, Body, Value


@emits(layers.BatchNormalization)
def batch_normalization(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.BatchNorm1d` and so on: torch's momentum is 1 − Keras's, its running variance that of a sample."""
    rank, axis = len(x.shape), layer.axis % len(x.shape)
    if rank > 5 or axis not in (1, rank - 1):
        return None
    form = x.form if rank == 2 else PLAIN if axis == 1 else FIRST
    if form == FLAT and body.file.uses.get(id(layer), 1) != 1:
        form = PLAIN
    order = x.order if form == FLAT else slice(None)
    size = layer.moving_mean.shape[0]
    affine = "" if layer.scale or layer.center else ", affine=False"
    weights: dict[str, Any] = {}
    if not affine:
        weights["weight"] = (
            ([layer.gamma], lambda g: g[order]) if layer.scale else ([], lambda: torch.ones(size))
        )
        weights["bias"] = (
            ([layer.beta], lambda b: b[order]) if layer.center else ([], lambda: torch.zeros(size))
        )
    weights["running_mean"] = ([layer.moving_mean], lambda m: m[order])
    weights["running_var"] = ([layer.moving_variance], lambda v: v[order])
    weights["num_batches_tracked"] = ([], lambda: torch.zeros((), dtype=torch.int64))
    kind = {2: 1, 3: 1, 4: 2, 5: 3}[rank]
    momentum = round(1 - layer.momentum, 12)
    module = body.module(
        layer,
        layer.name,
        f"nn.BatchNorm{kind}d({size}, eps={layer.epsilon}, momentum={momentum}{affine})",
        weights,
    )
    made = Value(x.shape, x.dtype, {form: body.set(f"{module}({body.get(x, form)})")})
    if form == FLAT:
        made.image, made.order = x.image, x.order
    return made


@emits(layers.LayerNormalization)
def layer_normalization(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.LayerNorm` over the last axes."""
    if not layer._is_last or (layer.center and not layer.scale):
        return None
    sizes = one_or_all(layer._sizes) if len(layer._sizes) == 1 else str(tuple(layer._sizes))
    options = "" if layer.scale else ", elementwise_affine=False"
    options += ", bias=False" if layer.scale and not layer.center else ""
    weights = {"weight": ([layer.gamma], lambda g: g)} if layer.scale else {}
    weights |= {"bias": ([layer.beta], lambda b: b)} if layer.center else {}
    module = body.module(layer, layer.name, f"nn.LayerNorm({sizes}, eps={layer.epsilon}{options})", weights)
    return Value(x.shape, x.dtype, {PLAIN: body.set(f"{module}({needs_plain(body, x)})")})


@emits(layers.GroupNormalization)
def group_normalization(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.GroupNorm`."""
    axis = layer.axis % len(x.shape)
    if axis not in (1, len(x.shape) - 1) or len(x.shape) < 3 or layer.scale != layer.center:
        return None
    form = PLAIN if axis == 1 else FIRST
    affine = "" if layer.scale else ", affine=False"
    weights = (
        {"weight": ([layer.gamma], lambda g: g), "bias": ([layer.beta], lambda b: b)} if layer.scale else {}
    )
    module = body.module(
        layer,
        layer.name,
        f"nn.GroupNorm({layer.groups}, {x.shape[axis]}, eps={layer.epsilon}{affine})",
        weights,
    )
    return Value(x.shape, x.dtype, {form: body.set(f"{module}({body.get(x, form)})")})


@emits(layers.RMSNormalization)
def rms_normalization(body: Body, layer: Any, x: Value) -> Value | None:
    """`nn.RMSNorm` over the last axis."""
    if list(layer.axis) not in ([-1], [len(x.shape) - 1]):
        return None
    module = body.module(
        layer,
        layer.name,
        f"nn.RMSNorm({x.shape[-1]}, eps={layer.epsilon})",
        {"weight": ([layer.scale], lambda s: s)},
    )
    return Value(x.shape, x.dtype, {PLAIN: body.set(f"{module}({needs_plain(body, x)})")})
