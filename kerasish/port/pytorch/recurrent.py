"""Recurrent layers."""

# B batch, T time, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import activations, layers, tree
from kerasish.layers.recurrent.rnn import RNN
from kerasish.port.pytorch.modules import emits, needs_plain
from kerasish.port.pytorch.recording import record
from kerasish.port.pytorch.source import PLAIN, Body, Refusal, Value

LOOP = '''def run_steps(step, x, states, weights, mask=None, zero_output_for_mask=False):
    """Run a recurrent cell over (batch, time, ...); masked steps change nothing."""
    outputs = []
    for t in range(x.shape[1]):
        output, *new_states = step(x[:, t], *states, *weights)
        if mask is not None:
            other = torch.zeros_like(output)
            if outputs and not zero_output_for_mask:
                other = outputs[-1]
            keep = mask[:, t]
            output = where(keep, output, other)
            pairs = zip(new_states, states, strict=True)
            new_states = [where(keep, a, b) for a, b in pairs]
        states = new_states
        outputs.append(output)
    return torch.stack(outputs, dim=1), states'''
WHERE = """def where(keep, a, b):
    return torch.where(keep.reshape(-1, *[1] * (a.dim() - 1)), a, b)"""

MASKED = '''def run_masked(rnn, x, mask, states=None):
    """Run a recurrent module over the steps in `mask`; others repeat outputs."""
    lengths = mask.sum(dim=1)
    kept_first = (~mask).int().argsort(dim=1, stable=True).unsqueeze(-1)
    packed = pack_padded_sequence(
        x.take_along_dim(kept_first, dim=1),
        lengths.clamp(min=1).cpu(),
        batch_first=True,
        enforce_sorted=False,
    )
    is_lstm = isinstance(rnn, nn.LSTM)
    if states is None:
        zeros = x.new_zeros(1 + rnn.bidirectional, len(x), rnn.hidden_size)
        states = (zeros, zeros) if is_lstm else zeros
    outputs, last = rnn(packed, states)
    outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
    count = mask.cumsum(dim=1).unsqueeze(-1)
    outputs = outputs.take_along_dim((count - 1).clamp(min=0), dim=1)
    outputs = torch.where(count > 0, outputs, 0.0)
    is_empty = (lengths == 0).unsqueeze(-1)
    if is_lstm:
        h, c = (torch.where(is_empty, a, b) for a, b in zip(states, last, strict=True))
        return outputs, (h, c)
    return outputs, torch.where(is_empty, states, last)'''


def _torch_kind(layer: Any) -> str | None:
    """The module of torch that computes the layer: `nn.LSTM(F, U)` without the last bracket, or None."""
    cell = layer.cell
    is_standard = getattr(cell, "activation", None) is activations.tanh
    if type(layer) is layers.LSTM and is_standard and cell.recurrent_activation is activations.sigmoid:
        return "LSTM"
    if type(layer) is layers.GRU and is_standard and cell.recurrent_activation is activations.sigmoid:
        return "GRU" if cell.reset_after else None
    if type(layer) is layers.SimpleRNN and cell.activation in (activations.tanh, activations.relu):
        return "RNN"
    return None


def _weights(cell: Any, kind: str, suffix: str = "") -> dict[str, Any]:
    """The weights in torch's names, layout and order of gates."""
    u = cell.units

    def rows(w: Tensor) -> Tensor:
        if kind == "GRU":
            z, r, h = w.split(u, dim=-1)
            w = torch.cat([r, z, h], dim=-1)
        return w.t() if w.dim() == 2 else w

    weights: dict[str, Any] = {
        f"weight_ih_l0{suffix}": ([cell.kernel], rows),
        f"weight_hh_l0{suffix}": ([cell.recurrent_kernel], rows),
    }
    if cell.bias is None:
        return weights
    if kind == "GRU":
        weights[f"bias_ih_l0{suffix}"] = ([cell.bias], lambda b: rows(b[0]))
        weights[f"bias_hh_l0{suffix}"] = ([cell.bias], lambda b: rows(b[1]))
    else:
        weights[f"bias_ih_l0{suffix}"] = ([cell.bias], rows)
        weights[f"bias_hh_l0{suffix}"] = ([cell.bias], rows, True)
    return weights


def _constructor(cell: Any, kind: str, more: str = "") -> str:
    bias = "" if cell.bias is not None else ", bias=False"
    relu = ', nonlinearity="relu"' if kind == "RNN" and cell.activation is activations.relu else ""
    return f"nn.{kind}({cell.kernel.shape[0]}, {cell.units}{relu}{bias}, batch_first=True{more})"


def _dropped(body: Body, layer: Any, token: str) -> str:
    """The sequence after the layer's dropout, which torch has for stacked layers only."""
    cell = layer.cell
    if getattr(cell, "recurrent_dropout", 0):
        body.file.note(f"{layer.name}: recurrent dropout is left out, torch's recurrent modules have none.")
    if not getattr(cell, "dropout", 0):
        return token
    module = body.module((layer, "dropout"), f"{layer.name}_dropout", f"nn.Dropout({cell.dropout})")
    return body.set(f"{module}({token})")


@emits(
    layers.LSTM,
    layers.GRU,
    layers.SimpleRNN,
    layers.RNN,
    layers.ConvLSTM1D,
    layers.ConvLSTM2D,
    layers.ConvLSTM3D,
)
def recurrent(body: Body, layer: Any, x: Value, initial_state: Any = None) -> Any:
    """`nn.LSTM`, `nn.GRU`, `nn.RNN`; what they cannot do is a loop over a function for one step."""
    if layer.stateful:
        raise Refusal(
            f"layer {layer.name!r} keeps its states between calls (`stateful=True`): give them as inputs"
        )
    mask = (
        x.mask if initial_state is None else None
    )  # a layer that is called with several tensors gets no mask
    kind = _torch_kind(layer)
    token = needs_plain(body, x)
    token = body.set(f"{token}.flip(1)") if layer.go_backwards else token
    token = _dropped(body, layer, token)
    states = None if initial_state is None else [body.get(state) for state in tree.flatten(initial_state)]
    if kind is None:
        outputs, states = _loop(body, layer, x, token, states, mask)
    else:
        module = body.module(layer, layer.name, _constructor(layer.cell, kind), _weights(layer.cell, kind))
        outputs, states = _call_module(body, layer, module, kind, token, states, mask)
    return _results(body, layer, x, outputs, states)


def _call_module(
    body: Body, layer: Any, module: str, kind: str, token: str, states: Any, mask: Value | None
) -> tuple[str, list[str]]:
    given = ""
    if states is not None:
        first = [f"{state}.unsqueeze(0)" for state in states]
        given = f", ({', '.join(first)})" if kind == "LSTM" else f", {first[0]}"
    keep = _kept_steps(body, layer, mask)
    outputs, last = body.unpack(_run(body, module, token, keep, given), 2)
    if keep and layer.zero_output_for_mask:
        outputs = body.set(f"{outputs} * {keep}.unsqueeze(-1)")
    count = 2 if kind == "LSTM" else 1
    return outputs, [f"{last}[{i}][0]" if count == 2 else f"{last}[0]" for i in range(count)]


def _kept_steps(body: Body, layer: Any, mask: Value | None) -> str:
    """The mask in the order in which the layer reads the sequence."""
    if mask is None:
        return ""
    return body.set(f"{body.get(mask)}.flip(1)", "flipped_mask") if layer.go_backwards else body.get(mask)


def _run(body: Body, module: str, token: str, keep: str, given: str = "") -> str:
    """The call of a module of torch, over the steps that are not masked."""
    if not keep:
        return f"{module}({token}{given})"
    body.file.function("run_masked", lambda _: MASKED)
    return f"run_masked({module}, {token}, {keep}{given})"


def _results(body: Body, layer: Any, x: Value, outputs: str, states: list[str]) -> Any:
    shape = layer.compute_output_shape(x.shape)
    own = shape[0] if layer.return_state else shape
    token = outputs if layer.return_sequences else body.set(f"{outputs}[:, -1]")
    output = Value(own, layer.compute_dtype, {PLAIN: token})
    output.mask = x.mask if layer.return_sequences else None
    if not layer.return_state:
        return output
    sizes = _flat_shapes(shape[1:])
    kept = [Value(s, layer.compute_dtype, {PLAIN: body.set(t)}) for s, t in zip(sizes, states, strict=True)]
    return (output, *kept)


def _flat_shapes(shapes: Any) -> list[tuple]:
    found: list[tuple] = []
    for shape in shapes:
        is_shape = all(size is None or isinstance(size, int) for size in shape)
        found += [tuple(shape)] if is_shape else _flat_shapes(shape)
    return found


def _loop(
    body: Body, layer: Any, x: Value, token: str, states: Any, mask: Value | None
) -> tuple[str, list[str]]:
    """Record one step of the cell, and run it over the sequence."""
    shapes = _flat_shapes(layer._expected_states(x.shape))
    template = layer._expected_states((1, *x.shape[1:]))
    step_input = Value((x.shape[0], *x.shape[2:]), layer.compute_dtype, {PLAIN: ""})
    state_values = [Value(shape, layer.compute_dtype, {PLAIN: ""}) for shape in shapes]

    def step(inputs: Tensor, *flat: Tensor) -> tuple:
        rest = iter(flat)
        nested = tree.map_shape_structure(lambda _: next(rest), template)
        output, new = layer._call_cell(inputs, nested, False)
        return (output, *tree.flatten(new))

    name = f"{layer.name}_step"
    function, weights = record(body, name, step, ((step_input, *state_values), {}), layer.cell, inline=False)
    body.file.function("where", lambda _: WHERE)
    body.file.function("run_steps", lambda _: LOOP)
    if states is None:
        states = [
            body.set(f"{token}.new_zeros({token}.shape[0], {', '.join(map(str, s[1:]))})") for s in shapes
        ]
    keep = _kept_steps(body, layer, mask)
    masking = f", {keep}" if keep else ""
    masking += ", zero_output_for_mask=True" if keep and layer.zero_output_for_mask else ""
    given = f"({', '.join(weights)}{',' if len(weights) == 1 else ''})"
    outputs, last = body.unpack(f"run_steps({function}, {token}, [{', '.join(states)}], {given}{masking})", 2)
    return outputs, [f"{last}[{i}]" for i in range(len(shapes))]


@emits(layers.Bidirectional)
def bidirectional(body: Body, layer: Any, x: Value, initial_state: Any = None) -> Any:
    """`nn.LSTM(bidirectional=True)` and so on, or the two directions one after the other."""
    forward, backward = layer.forward_layer, layer.backward_layer
    if not isinstance(forward, RNN) or not isinstance(backward, RNN) or forward.go_backwards:
        return None
    kinds = _torch_kind(forward), _torch_kind(backward)
    is_one = (
        kinds[0] is not None and kinds[0] == kinds[1] and initial_state is None
        and not (layer.return_state or layer.stateful) and layer.merge_mode == "concat"
        and forward.cell.units == backward.cell.units and forward.cell.use_bias == backward.cell.use_bias
        and forward.cell.activation is backward.cell.activation
    )  # fmt: skip
    if is_one:
        kind = str(kinds[0])
        module = body.module(
            layer, layer.name, _constructor(forward.cell, kind, ", bidirectional=True"),
            {**_weights(forward.cell, kind), **_weights(backward.cell, kind, "_reverse")},
        )  # fmt: skip
        token = _dropped(body, forward, needs_plain(body, x))
        keep = _kept_steps(body, forward, x.mask)
        call = _run(body, module, token, keep)
        if layer.return_sequences:
            outputs = body.unpack(call, 2)[0]
            outputs = body.set(f"{outputs} * {keep}.unsqueeze(-1)") if keep else outputs
        else:
            h = body.unpack(f"{call}[1]", 2)[0] if kind == "LSTM" else body.set(f"{call}[1]", "h")
            outputs = body.set(f"torch.cat([{h}[0], {h}[1]], dim=-1)")
        mask = x.mask if layer.return_sequences else None
        return Value(layer.compute_output_shape(x.shape), layer.compute_dtype, {PLAIN: outputs}, mask)
    states = layer._split(initial_state)
    one = recurrent(body, forward, x, states[0])
    other = recurrent(body, backward, x, states[1])
    kept: tuple = ()
    if layer.return_state:
        (one, *first), (other, *second) = one, other
        kept = (*first, *second)
    a, b = body.get(one), body.get(other)
    b = body.set(f"{b}.flip(1)") if layer.return_sequences else b
    mask = x.mask if layer.return_sequences else None
    if layer.merge_mode is None:
        return (one, Value(other.shape, other.dtype, {PLAIN: b}, mask), *kept)
    expression = {
        "concat": f"torch.cat([{a}, {b}], dim=-1)", "sum": f"{a} + {b}", "ave": f"({a} + {b}) / 2", "mul": f"{a} * {b}",
    }[layer.merge_mode]  # fmt: skip
    features = one.shape[-1] + (other.shape[-1] if layer.merge_mode == "concat" else 0)
    made = Value((*one.shape[:-1], features), one.dtype, {PLAIN: body.set(expression)}, mask)
    return (made, *kept) if kept else made
