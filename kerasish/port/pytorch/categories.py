"""Layers that put integers into categories."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch
from torch import Tensor

from kerasish import layers
from kerasish.dtypes import torch_dtype
from kerasish.layers.preprocessing import fingerprint
from kerasish.layers.preprocessing.encoding import encode
from kerasish.layers.preprocessing.hashed_crossing import START
from kerasish.layers.preprocessing.index_lookup import DROPPED
from kerasish.port.pytorch.formatting import WIDTH, wrapped
from kerasish.port.pytorch.modules import emits
from kerasish.port.pytorch.recording import record
from kerasish.port.pytorch.source import PLAIN, Body, Value

LOOKUP = '''def lookup(x, keys, indices, default):
    """The index of each integer: `keys` are sorted, others have the index `default`."""
    place = torch.searchsorted(keys, x).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == x, indices[place], default)'''


@emits(layers.IntegerLookup)
def integer_lookup(body: Body, layer: Any, x: Value) -> Value:
    """A search in the sorted vocabulary, and an encoding of what is found."""
    layer._require_vocabulary()
    if layer.invert:
        return record(body, layer.name, lambda indices: _inverse(layer._table, indices), ((x,), {}), layer)
    keys, indices = layer._keys, layer._places
    if layer.mask_token is not None:
        index = 0 if layer.output_mode == "int" else DROPPED
        keys, order = torch.cat([keys, keys.new_tensor([layer.mask_token])]).sort()
        indices = torch.cat([indices, indices.new_tensor([index])])[order]
    default = str(layer._oov_start)
    if layer.num_oov_indices == 0:
        default = "-1"
        body.file.note(
            f"{layer.name}: an integer out of the vocabulary has the index -1, where Keras raises."
        )
    elif layer.num_oov_indices > 1:
        count, token = layer.num_oov_indices, body.get(x)
        is_farm = layer.oov_method == "farmhash"
        bins = _bins(body, token, layer.salt, count) if is_farm else f"{token} % {count}"
        default = body.set(f"{bins} + {layer._oov_start}" if layer._oov_start else bins)
    body.file.function("lookup", lambda _: LOOKUP)
    tables = [
        body.parameter(table, f"{layer.name}_{name}")
        for name, table in (("keys", keys), ("indices", indices))
    ]
    found = body.set(f"lookup({body.get(x)}, {', '.join(tables)}, {default})")
    made = Value(x.shape, "int64", {PLAIN: found})
    if layer.output_mode == "int":
        return made
    return record(body, f"{layer.name}_encoding", layer._encoded, ((made,), {}), layer)


def _inverse(table: Tensor, indices: Tensor) -> Tensor:
    last = len(table) - 1
    return table[torch.where((indices >= 0) & (indices < last), indices, last)]


# Hashes ------------------------------------------------------------------------------------------------------------

FARM = '''def hash_numbers(numbers: Tensor) -> Tensor:
    """FarmHash64 of the decimal digits of each integer."""
    records = _decimal(numbers.reshape(-1).long())
    hashes = _farm_17_to_32(records)
    farms = ((16, _farm_8_to_16), (7, _farm_4_to_7), (3, _farm_1_to_3))
    for longest, hashed in farms:
        hashes = torch.where(records.length <= longest, hashed(records), hashes)
    return hashes.reshape(numbers.shape)'''
SIP = '''def hash_numbers(numbers: Tensor, salt: tuple[int, int]) -> Tensor:
    """SipHash-2-4 of the decimal digits of each integer."""
    records = _decimal(numbers.reshape(-1).long())
    return _sip(records, 3, salt).reshape(numbers.shape)'''


@emits(layers.Hashing)
def hashing(body: Body, layer: Any, x: Value) -> Value:
    """The hash, and the remainder."""
    token, mask = body.get(x), layer.mask_value
    count = layer.num_bins - (mask is not None and layer.num_bins > 1)
    bins = body.set(_bins(body, token, layer.salt, count))
    if mask is not None:
        bins = body.set(f"torch.where({token} == {mask}, 0, {bins}{' + 1' if layer.num_bins > 1 else ''})")
    return _encoded(body, layer, bins, x.shape)


@emits(layers.HashedCrossing)
def hashed_crossing(body: Body, layer: Any, inputs: Any) -> Value:
    """The functions of the joint hash, and the remainder."""
    _add_constants(body, "CROSS")
    _add(body, fingerprint.shifted, fingerprint.mixed, fingerprint.modulo, fingerprint.fingerprint_cat)
    tokens = [body.get(x) for x in inputs]
    joined = f"torch.full_like({tokens[0]}, {START})"
    for token in tokens:
        joined = body.set(f"fingerprint_cat({joined}, {token})")
    bins = body.set(f"modulo({joined}, {layer.num_bins})")
    return _encoded(body, layer, bins, inputs[0].shape)


def _bins(body: Body, token: str, salt: Any, count: int) -> str:
    """The hashes of integers modulo a number, for which the file gets the functions."""
    _add(body, fingerprint.shifted, fingerprint.modulo, fingerprint.rotated_right)
    _add_constants(body, "LONGEST_NUMBER")
    _add(body, fingerprint.Records, fingerprint._decimal)
    if salt is None:
        _add_constants(body, "K0", "K1", "K2")
        _add(
            body, fingerprint.mixed, fingerprint._joined, fingerprint._farm_1_to_3, fingerprint._farm_4_to_7,
            fingerprint._farm_8_to_16, fingerprint._farm_17_to_32,
        )  # fmt: skip
        function = body.file.function("hash_numbers", lambda name: FARM.replace("hash_numbers", name))
    else:
        _add_constants(body, "SIP_START")
        _add(body, fingerprint.signed, fingerprint._sip_rounds, fingerprint._sip)
        function = body.file.function("hash_numbers", lambda name: SIP.replace("hash_numbers", name))
    given = "" if salt is None else f", {tuple(salt)}"
    return f"modulo({function}({token}{given}), {count})"


def _encoded(body: Body, layer: Any, bins: str, shape: tuple) -> Value:
    made = Value(shape, "int64", {PLAIN: bins})
    if layer.output_mode == "int":
        return made
    dtype = torch_dtype(layer.compute_dtype)
    encoding = functools.partial(encode, depth=layer.num_bins, output_mode=layer.output_mode, dtype=dtype)
    return record(body, f"{layer.name}_encoding", encoding, ((made,), {}), layer)


def _add(body: Body, *functions: Any) -> None:
    """Give the file these functions as they are written here."""
    for function in functions:
        lines = inspect.getsource(function).rstrip().split("\n")
        text = "\n".join(wrapped(line) for line in lines if '"""' not in line or len(line) <= WIDTH)
        text = text.replace(":\n\n", ":\n", 1) if inspect.isclass(function) else text
        body.file.functions.setdefault(function.__name__, text)


def _add_constants(body: Body, *names: str) -> None:
    for name in names:
        body.file.functions.setdefault(name, wrapped(f"{name} = {getattr(fingerprint, name)!r}"))
