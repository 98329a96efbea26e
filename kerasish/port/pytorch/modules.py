"""The layers that torch has a module or function for."""

# B batch, C channels

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerasish import activations, layers
from kerasish.layers.windows import same_padding
from kerasish.port.pytorch.recording import record
from kerasish.port.pytorch.source import FIRST, FLAT, PLAIN, Body, Refusal, Value
from kerasish.symbolic import KerasTensor

ACTIVATIONS = {
    activations.relu: "F.relu({})", activations.sigmoid: "torch.sigmoid({})", activations.tanh: "torch.tanh({})",
    activations.elu: "F.elu({})", activations.selu: "F.selu({})", activations.gelu: "F.gelu({})",
    activations.silu: "F.silu({})", activations.mish: "F.mish({})", activations.softplus: "F.softplus({})",
    activations.softsign: "F.softsign({})", activations.exponential: "torch.exp({})", activations.relu6: "F.relu6({})",
    activations.leaky_relu: "F.leaky_relu({}, 0.2)", activations.hard_sigmoid: "F.hardsigmoid({})",
    activations.hard_silu: "F.hardswish({})", activations.hard_tanh: "F.hardtanh({})", activations.celu: "F.celu({})",
    activations.log_sigmoid: "F.logsigmoid({})", activations.tanh_shrink: "F.tanhshrink({})",
    activations.soft_shrink: "F.softshrink({})", activations.hard_shrink: "F.hardshrink({})",
}  # fmt: skip
ALONG_AXIS = {activations.softmax: "torch.softmax", activations.log_softmax: "torch.log_softmax"}
PAD_SAME = '''def pad_same(x, kernel, stride, value=0.0):
    """Pad so that there are ceil(size / stride) windows, the larger half at the end."""
    pads = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)'''
EMITTERS: dict[type, Callable] = {}
SAME_LENGTH = {  # layers that leave masks as they are
    layers.Dense, layers.Activation, layers.Dropout, layers.LayerNormalization, layers.BatchNormalization,
    layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU, layers.Softmax, layers.GaussianNoise,
    layers.GaussianDropout, layers.AlphaDropout, layers.SpatialDropout1D, layers.Identity,
    layers.ActivityRegularization, layers.Embedding, layers.GroupNormalization,
}  # fmt: skip


def emits(*classes: type) -> Callable:
    """Decorator of the function `(body, layer, x) → value` for these layers; None means that it cannot."""

    def register(function: Callable) -> Callable:
        EMITTERS.update(dict.fromkeys(classes, function))
        return function

    return register


def elementwise(body: Body, x: Value, expression: str) -> Value:
    """The value of an expression with `{}` for the tensor, in the layout that is at hand."""
    made = Value(x.shape, x.dtype, {x.form: body.set(expression.format(body.get(x, x.form)))})
    made.image, made.order = x.image, x.order
    return made


def activated(body: Body, x: Value, activation: Any, name: str) -> Value:
    """The value after an activation function."""
    if activation is activations.linear:
        return x
    if activation in ACTIVATIONS:
        made = elementwise(body, x, ACTIVATIONS[activation])
        made.logits = (x, "sigmoid") if activation is activations.sigmoid else None
        return made
    if activation in ALONG_AXIS:
        dim = 1 if x.form == FIRST else -1
        made = elementwise(body, x, f"{ALONG_AXIS[activation]}({{}}, dim={dim})")
        made.logits = (x, "softmax") if activation is activations.softmax else None
        return made
    function_name = str(getattr(activation, "__name__", None) or getattr(activation, "name", name))
    owner = activation if isinstance(activation, torch.nn.Module) else None
    return record(body, function_name, activation, ((x,), {}), owner)


def needs_plain(body: Body, x: Value) -> str:
    """The tensor as Keras has it, of floating point."""
    text = body.get(x)
    return text if "float" in x.dtype else body.set(f"{text}.float()")


# Dense and embeddings ----------------------------------------------------------------------------------------------


@emits(layers.Dense)
def dense(body: Body, layer: Any, x: Value) -> Value:
    """`nn.Linear`, whose columns follow a flattened image's order in torch."""
    features, units = layer.kernel.shape
    is_flat = x.form == FLAT and body.file.uses.get(id(layer), 1) == 1
    token = body.get(x, FLAT) if is_flat else needs_plain(body, x)
    order = x.order if is_flat else slice(None)
    weights: dict[str, Any] = {"weight": ([layer.kernel], lambda w: w[order].t())}
    if layer.bias is not None:
        weights["bias"] = ([layer.bias], lambda b: b)
    bias = "" if layer.bias is not None else ", bias=False"
    module = body.module(layer, layer.name, f"nn.Linear({features}, {units}{bias})", weights)
    made = Value((*x.shape[:-1], units), layer.compute_dtype, {PLAIN: body.set(f"{module}({token})")})
    return activated(body, made, layer.activation, layer.name)


@emits(layers.Embedding)
def embedding(body: Body, layer: Any, x: Value) -> Value:
    """`nn.Embedding`; with `mask_zero` the mask is a tensor of its own."""
    raw = token = body.get(x)
    if x.dtype not in ("int32", "int64"):
        token = body.set(f"{raw}.long()")
    count, size = layer.embeddings.shape
    module = body.module(
        layer, layer.name, f"nn.Embedding({count}, {size})", {"weight": ([layer.embeddings], lambda w: w)}
    )
    made = Value((*x.shape, size), layer.compute_dtype, {PLAIN: body.set(f"{module}({token})")})
    if layer.mask_zero:
        made.mask = Value(x.shape, "bool", {PLAIN: body.set(f"{raw} != 0", "mask")})
    return made


# Convolutions and pooling ------------------------------------------------------------------------------------------


def enter(body: Body, layer: Any, x: Value) -> tuple[str, tuple, str]:
    """The tensor in torch's layout, its spatial sizes, and the layout's name."""
    if layer.data_format == "channels_last":
        return body.get(x, FIRST), x.shape[1:-1], FIRST
    return body.get(x), x.shape[2:], PLAIN


def _leave(layer: Any, x: Value, token: str, form: str) -> Value:
    return Value(layer.compute_output_shape(x.shape), layer.compute_dtype, {form: token})


def one_or_all(sizes: Any) -> str:
    sizes = tuple(sizes)
    return str(sizes[0]) if len(set(sizes)) == 1 else str(sizes)


def _padded(body: Body, layer: Any, token: str, sizes: tuple, window: Any) -> tuple[str, str]:
    """The tensor, padded where torch's modules cannot, and what is left to the module's `padding`."""
    strides, dilation = layer.strides, getattr(layer, "dilation_rate", (1,) * len(window))
    if layer.padding == "valid":
        return token, ""
    if layer.padding == "causal":
        return body.set(f"F.pad({token}, ({dilation[0] * (window[0] - 1)}, 0))"), ""
    if max(strides) == 1 and all(d * (k - 1) % 2 == 0 for d, k in zip(dilation, window, strict=True)):
        return token, ', padding="same"'
    if max(strides) == 1:
        sizes = (max(d * k for d, k in zip(dilation, window, strict=True)),) * len(window)
    if None in sizes:
        body.file.function("pad_same", lambda _: PAD_SAME)
        widths = tuple(d * (k - 1) + 1 for d, k in zip(dilation, window, strict=True))
        return body.set(f"pad_same({token}, {widths}, {tuple(strides)})"), ""
    pads = [same_padding(*each) for each in zip(sizes, window, strides, dilation, strict=True)]
    if all(before == after for before, after in pads):
        amounts = one_or_all([before for before, _ in pads])
        return token, "" if amounts == "0" else f", padding={amounts}"
    amounts = ", ".join(str(size) for pair in reversed(pads) for size in pair)
    return body.set(f"F.pad({token}, ({amounts}))"), ""


def _options(layer: Any, stride: bool = True, groups: int = 1) -> str:
    text = ""
    if stride and set(layer.strides) != {1}:
        text += f", stride={one_or_all(layer.strides)}"
    if set(layer.dilation_rate) != {1}:
        text += f", dilation={one_or_all(layer.dilation_rate)}"
    return text + (f", groups={groups}" if groups != 1 else "")


def _kernel_first(w: Tensor) -> Tensor:
    return w.movedim((-1, -2), (0, 1))


def _bias(layer: Any) -> tuple[str, dict[str, Any]]:
    if layer.bias is None:
        return ", bias=False", {}
    return "", {"bias": ([layer.bias], lambda b: b)}


@emits(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def convolution(body: Body, layer: Any, x: Value) -> Value:
    """`nn.Conv1d`, `nn.Conv2d`, `nn.Conv3d`."""
    token, sizes, form = enter(body, layer, x)
    token, padding = _padded(body, layer, token, sizes, layer.kernel_size)
    bias, weights = _bias(layer)
    channels = layer.kernel.shape[-2] * layer.groups
    module = body.module(
        layer, layer.name,
        f"nn.Conv{layer.rank}d({channels}, {layer.filters}, {one_or_all(layer.kernel_size)}"
        f"{_options(layer, groups=layer.groups)}{padding}{bias})",
        {"weight": ([layer.kernel], _kernel_first), **weights},
    )  # fmt: skip
    made = _leave(layer, x, body.set(f"{module}({token})"), form)
    return activated(body, made, layer.activation, layer.name)


@emits(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise(body: Body, layer: Any, x: Value) -> Value:
    """`nn.Conv1d` and `nn.Conv2d` with as many groups as channels."""
    bias, weights = _bias(layer)
    made = _depthwise(body, layer, x, layer.name, bias, weights)
    return activated(body, made, layer.activation, layer.name)


def _depthwise(body: Body, layer: Any, x: Value, name: str, bias: str, weights: dict[str, Any]) -> Value:
    token, sizes, form = enter(body, layer, x)
    token, padding = _padded(body, layer, token, sizes, layer.kernel_size)
    kernel = layer.kernel if hasattr(layer, "kernel") else layer.depthwise_kernel
    channels, multiplier = kernel.shape[-2:]
    module = body.module(
        (layer, "depthwise"), name,
        f"nn.Conv{layer.rank}d({channels}, {channels * multiplier}, {one_or_all(layer.kernel_size)}"
        f"{_options(layer, groups=channels)}{padding}{bias})",
        {"weight": ([kernel], lambda w: _kernel_first(w.flatten(-2).unsqueeze(-2))), **weights},
    )  # fmt: skip
    return _leave(layer, x, body.set(f"{module}({token})"), form)


@emits(layers.SeparableConv1D, layers.SeparableConv2D)
def separable(body: Body, layer: Any, x: Value) -> Value:
    """A depthwise convolution, and one of size 1."""
    made = _depthwise(body, layer, x, f"{layer.name}_depthwise", ", bias=False", {})
    form = made.form
    bias, weights = _bias(layer)
    channels = layer.pointwise_kernel.shape[-2]
    module = body.module(
        (layer, "pointwise"), f"{layer.name}_pointwise",
        f"nn.Conv{layer.rank}d({channels}, {layer.filters}, 1{bias})",
        {"weight": ([layer.pointwise_kernel], _kernel_first), **weights},
    )  # fmt: skip
    made = _leave(layer, x, body.set(f"{module}({made.forms[form]})"), form)
    return activated(body, made, layer.activation, layer.name)


@emits(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
def transposed(body: Body, layer: Any, x: Value) -> Value:
    """`nn.ConvTranspose1d` and so on; what Keras cuts off at the end only is cut off in `forward`."""
    token, _, form = enter(body, layer, x)
    crops, additions, cuts = [], [], []
    for covered, wanted in layer._lengths((32,) * layer.rank):
        excess = covered - wanted
        before = max(excess, 0) // 2
        crops.append(before)
        additions.append(max(before - (excess - before), 0))
        cuts.append(f":-{excess - 2 * before}" if excess > 2 * before else ":")
    bias, weights = _bias(layer)
    padding = f", padding={one_or_all(crops)}" if any(crops) else ""
    padding += f", output_padding={one_or_all(additions)}" if any(additions) else ""
    module = body.module(
        layer, layer.name,
        f"nn.ConvTranspose{layer.rank}d({layer.kernel.shape[-1]}, {layer.filters}, {one_or_all(layer.kernel_size)}"
        f"{_options(layer)}{padding}{bias})",
        {"weight": ([layer.kernel], _kernel_first), **weights},
    )  # fmt: skip
    token = body.set(f"{module}({token})")
    if set(cuts) != {":"}:
        token = body.set(f"{token}[:, :, {', '.join(cuts)}]")
    return activated(body, _leave(layer, x, token, form), layer.activation, layer.name)


@emits(
    layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D, layers.AveragePooling1D, layers.AveragePooling2D,
    layers.AveragePooling3D,
)  # fmt: skip
def pooling(body: Body, layer: Any, x: Value) -> Value | None:
    """`F.max_pool2d` and so on; what is padded with steps of 1 and an even window is recorded."""
    token, sizes, form = enter(body, layer, x)
    padding = ""
    if layer.padding == "same":
        if None in sizes and max(layer.strides) > 1:
            return _pooling_of_any_size(body, layer, x, token, form)
        sizes = tuple(size or 2 * max(layer.pool_size) for size in sizes)
        pads = [same_padding(*each) for each in zip(sizes, layer.pool_size, layer.strides, strict=True)]
        if any(
            after > before and stride == 1
            for (before, after), stride in zip(pads, layer.strides, strict=True)
        ):
            return None
        before = [before for before, _ in pads]
        padding = f", padding={one_or_all(before)}" if any(before) else ""
        padding += ", ceil_mode=True" if any(before != after for before, after in pads) else ""
    is_max = isinstance(layer, (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D))
    padding += ", count_include_pad=False" if "padding" in padding and not is_max else ""
    stride = f", stride={one_or_all(layer.strides)}" if tuple(layer.strides) != tuple(layer.pool_size) else ""
    kind = "max" if is_max else "avg"
    expression = f"F.{kind}_pool{layer.rank}d({token}, {one_or_all(layer.pool_size)}{stride}{padding})"
    return _leave(layer, x, body.set(expression), form)


def _pooling_of_any_size(body: Body, layer: Any, x: Value, token: str, form: str) -> Value:
    if not isinstance(layer, (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)):
        raise Refusal("its padding depends on the size of the input: give `Input` a full shape")
    body.file.function("pad_same", lambda _: PAD_SAME)
    window, stride = tuple(layer.pool_size), tuple(layer.strides)
    token = body.set(f'pad_same({token}, {window}, {stride}, float("-inf"))')
    options = "" if stride == window else f", stride={one_or_all(stride)}"
    expression = f"F.max_pool{layer.rank}d({token}, {one_or_all(window)}{options})"
    return _leave(layer, x, body.set(expression), form)


@emits(
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
)  # fmt: skip
def global_pooling(body: Body, layer: Any, x: Value) -> Value:
    """`mean` and `amax` over the spatial axes."""
    rank = len(x.shape) - 2
    is_last = layer.data_format == "channels_last"
    first = 2 if x.form == FIRST or not is_last else 1
    dims = tuple(range(first, first + rank))
    method = "mean" if "Average" in type(layer).__name__ else "amax"
    keepdim = ", keepdim=True" if layer.keepdims else ""
    dim = str(dims[0]) if rank == 1 else str(dims)
    token = body.set(f"{body.get(x, x.form)}.{method}(dim={dim}{keepdim})")
    form = x.form if layer.keepdims else PLAIN
    return Value(layer.compute_output_shape(x.shape), x.dtype, {form: token})


# Modules of torch --------------------------------------------------------------------------------------------------


@emits(layers.TorchModuleWrapper)
def torch_module(body: Body, layer: Any, x: Value) -> Value | None:
    """A module of torch itself, as its `repr` writes it."""
    module = layer.module
    if not type(module).__module__.startswith("torch.nn.modules.") or any(True for _ in module.children()):
        return None
    weights: dict[str, Any] = {
        key: ([tensor], lambda t: t) for key, tensor in module.state_dict(keep_vars=True).items()
    }
    name = body.module(layer, layer.name, f"nn.{module!r}", weights)
    shape = layer.compute_output_spec(KerasTensor(x.shape, dtype=x.dtype)).shape
    return Value(shape, x.dtype, {PLAIN: body.set(f"{name}({body.get(x)})")})
