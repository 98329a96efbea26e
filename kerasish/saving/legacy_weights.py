"""Weights of Keras 1 and 2 in the layouts of Keras 3."""

# U units, F features, k gates

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch.nn import Module

from kerasish import layers
from kerasish.layers.layer import Layer
from kerasish.optimizers import LossScaleOptimizer
from kerasish.saving.hdf5 import Store

Arrays = list[np.ndarray]
CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Conv2DTranspose, layers.ConvLSTM2D)
LSTM_GATES = (0, 2, 1, 3)  # Keras 1 has i, c, f, o; Keras 2 and 3 i, f, c, o


def converted(layer: Any, variables: list[Any], arrays: Arrays, version: str, backend: str | None) -> Arrays:
    """The arrays that a file holds for a layer, in the layout of its variables.

    Args:
        layer: the layer, of which `variables` are the weights in the order of the file.
        version, backend: of Keras, when the file was written.
    """
    if version.split(".")[0] == "1":
        arrays = _from_keras_1(layer, arrays)
    if backend == "theano" and isinstance(layer, CONVOLUTIONS):
        arrays = [_flipped(array, layer) if array.ndim > 2 else array for array in arrays]
    place = {id(variable): number for number, variable in enumerate(variables)}
    result = list(arrays)
    modules = layer.modules() if isinstance(layer, Module) else ()
    for cell in modules if len(arrays) == len(variables) else ():
        if isinstance(cell, (layers.LSTMCell, layers.GRUCell)) and cell.built and cell.use_bias:
            _from_cudnn(cell, [place.get(id(v)) for v in _cell_weights(cell)], result)
    return result


def _cell_weights(cell: Any) -> list[Any]:
    return [cell.kernel, cell.recurrent_kernel, cell.bias]


def _from_cudnn(cell: Any, places: list[int | None], arrays: Arrays) -> None:
    """Bring the weights of `CuDNNLSTM` or `CuDNNGRU`, if that is what they are, into the layout of the cell.

    cuDNN keeps, for each gate, the transpose of the matrices, and a bias each for inputs and states.
    """
    kernel, recurrent, bias = places
    gates = 4 if isinstance(cell, layers.LSTMCell) else 3
    if kernel is None or recurrent is None or bias is None or arrays[bias].shape != (2 * gates * cell.units,):
        return
    if gates == 3 and not cell.reset_after:
        raise ValueError("weights of `CuDNNGRU` fit a `GRU` with `reset_after=True` only.")
    arrays[kernel] = _by_gate(arrays[kernel], gates, lambda w: w.reshape(w.shape[::-1]).T)
    arrays[recurrent] = _by_gate(arrays[recurrent], gates, lambda w: w.T)
    halves = arrays[bias].reshape(2, -1)
    arrays[bias] = halves.sum(axis=0) if gates == 4 else halves


def _by_gate(matrix: np.ndarray, gates: int, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.hstack([change(np.ascontiguousarray(part)) for part in np.hsplit(matrix, gates)])


def _from_keras_1(layer: Any, arrays: Arrays) -> Arrays:
    if isinstance(layer, layers.LSTM) and len(arrays) == 12:
        gates = [arrays[3 * g : 3 * g + 3] for g in LSTM_GATES]
        return [np.concatenate(parts, axis=-1) for parts in zip(*gates, strict=True)]
    if isinstance(layer, layers.GRU) and len(arrays) == 9:
        return [np.concatenate(arrays[i::3], axis=-1) for i in range(3)]
    if isinstance(layer, layers.Conv1D) and arrays and arrays[0].ndim == 4:
        return [arrays[0][:, 0], *arrays[1:]]
    if isinstance(layer, layers.Conv2D) and arrays and layer.data_format == "channels_first":
        return [arrays[0].transpose(2, 3, 1, 0), *arrays[1:]]
    return arrays


def _flipped(kernel: np.ndarray, layer: Layer) -> np.ndarray:
    """The kernel turned round: Theano convolves, the others correlate."""
    return np.ascontiguousarray(np.flip(kernel, axis=tuple(range(kernel.ndim - 2))))


# State of optimizers ---------------------------------------------------------------------------------------------

SLOTS = {
    "accum_grad": "accumulated_grad", "accum_var": "accumulated_delta_var", "m": "momentum", "mg": "average_gradient",
    "rms": "velocity", "u": "norm", "v": "velocity", "vhat": "velocity_hat",
}  # fmt: skip
SCALARS = ("iteration", "learning_rate", "u_product")
SLOT_NAMES = {*SLOTS, *SLOTS.values(), "accumulator", "linear", "momentum", "velocity"}


def optimizer_state(optimizer: Any, names: list[str], arrays: Arrays) -> dict[int, np.ndarray] | None:
    """The number of each of the optimizer's variables → its value in a file of Keras 2; None if they do not fit."""
    variables = optimizer.variables
    state = {0: arrays[0]}
    slots: dict[str, Arrays] = {}
    for name, array in zip(names[1:], arrays[1:], strict=True):
        slot = _slot(name)
        if slot is not None:
            slots.setdefault(SLOTS.get(slot, slot), []).append(array)
    kind = type(optimizer).__name__
    if kind == "Adamax" and "velocity" in slots:
        slots["norm"] = slots.pop("velocity")
    if kind == "SGD" and not optimizer.momentum:
        slots = {}
    if kind == "Nadam":
        state[len(variables) - 1] = _product_of_nadam(optimizer, int(arrays[0]))
    for slot, values in slots.items():
        places = [i for i, variable in enumerate(variables) if i > 1 and _ends_in(variable.name, slot)]
        if len(places) != len(values) or any(
            tuple(variables[i].shape) != array.shape for i, array in zip(places, values, strict=True)
        ):
            return None
        state.update(zip(places, values, strict=True))
    expected = len(variables) - 1 if kind != "SGD" or optimizer.momentum else 1
    return state if len(state) >= expected else None


def _product_of_nadam(optimizer: Any, iterations: int) -> np.ndarray:
    """What Keras 2 does not save."""
    steps = np.arange(1, iterations + 1)
    return np.asarray(np.prod(optimizer.beta_1 * (1.0 - 0.5 * 0.96**steps)), "float32")


def read_optimizer_of_keras_2(optimizer: Any, store: Store) -> bool:
    """Take the state from a `.keras` file of Keras 2, which has the slots in Keras 3's order but no learning rate.

    Returns:
        Whether the state is such a one.
    """
    variables = optimizer.variables
    if isinstance(
        optimizer, LossScaleOptimizer
    ):  # the same state lies there once more, for the inner optimizer
        return "0" in store and _slots_of_keras_2(optimizer.inner_optimizer, store) is not None
    slots = _slots_of_keras_2(optimizer, store)
    if slots is None:
        return False
    variables[0].assign(store["0"])
    for number, slot in enumerate(slots, 1):
        variables[slot].assign(store[str(number)])
    if type(optimizer).__name__ == "Nadam":
        variables[-1].assign(_product_of_nadam(optimizer, int(store["0"])))
    return True


def _slots_of_keras_2(optimizer: Any, store: Store) -> list[int] | None:
    """The numbers of the optimizer's variables for the arrays "1", "2", …, or None where they do not fit."""
    if (
        set(store) != {str(number) for number in range(len(store))}
        or not len(store)
        or store.shape("0") != ()
    ):
        return None
    if type(optimizer).__name__ == "SGD" and not optimizer.momentum:
        return []  # it has slots in Keras 2 even so
    variables = optimizer.variables
    slots = [i for i, variable in enumerate(variables) if variable.name not in SCALARS]
    fits = len(slots) + 1 == len(store) and all(
        tuple(variables[slot].shape) == store.shape(str(number)) for number, slot in enumerate(slots, 1)
    )
    return slots if fits else None


def _slot(name: str) -> str | None:
    """What an array of Keras 2's optimizers is: `m` in `Adam/m/dense/kernel:0` and in `Adam/dense/kernel/m:0`."""
    parts = name.split(":")[0].split("/")
    for part in (parts[1] if len(parts) > 2 else "", parts[-1]):
        if part in SLOT_NAMES:
            return part
    return None


def _ends_in(name: str, slot: str) -> bool:
    longer = [other for other in SLOT_NAMES if other != slot and other.endswith("_" + slot)]
    return name.endswith("_" + slot) and not any(name.endswith("_" + other) for other in longer)
