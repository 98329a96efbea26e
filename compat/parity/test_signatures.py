"""Names, order and defaults of the parameters of every public function, class and method against the real Keras 3.

More parameters are allowed where they have defaults, defaults where Keras has none, and `*args, **kwargs` where the
arguments are passed on.
"""

from __future__ import annotations

import inspect

import pytest

import kerasish

keras = pytest.importorskip("keras")

NAMESPACES = (
    "preprocessing", "preprocessing.image", "preprocessing.sequence",
    "", "activations", "backend", "callbacks", "config", "constraints", "datasets", "dtype_policies", "initializers",
    "layers", "losses", "metrics", "mixed_precision", "models", "optimizers", "optimizers.schedules", "random",
    "ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy", "regularizers", "saving", "tree", "utils",
)  # fmt: skip
NOT_OFFERED = {
    "quantization": {"quantize", "quantized_build", "quantized_call", "get_quantization_layer_structure"},
    "LoRA and kernels of other dtypes": {"enable_lora", "convert_weight"},
    "state in and out, for JAX": {"get_state_tree", "set_state_tree", "stateless_compute_loss"},
    "steps traced by a backend": {"make_train_function", "make_test_function", "make_predict_function"},
    "rematerialization": {"rematerialized_call"},
    "export for serving": {"export"},
    "steps of the geometry of boxes": {"get_clipped_bbox", "get_shifted_bbox", "get_transformed_x_y"},
}
ABSENT = set().union(*NOT_OFFERED.values())
DIFFERENT = {
    "KerasTensor.reshape": "given by torch's methods, looked up on the tensor",
    "KerasTensor.squeeze": "given by torch's methods, looked up on the tensor",
    "Operation.call": "an operation of one's own is a Layer",
    "Operation.compute_output_spec": "an operation of one's own is a Layer",
    "Operation.from_config": "an operation of one's own is a Layer",
    "Operation.get_config": "an operation of one's own is a Layer",
    "Operation.symbolic_call": "an operation of one's own is a Layer",
    "Sequential.call": "the mode is the module's; `model(x, training=…, mask=…)` sets it on the way in",
    "models.Sequential.call": "the same",
    "layers.Dense.call": "the mode makes no difference",
    "layers.BatchNormalization.call": "the layer fills in its mode",
    "layers.RandomGrayscale.get_random_transformation": "the other image layers' names of the parameters",
    "layers.RandomGrayscale.transform_labels": "the other image layers' names of the parameters",
    "layers.RandomGrayscale.transform_segmentation_masks": "the other image layers' names of the parameters",
    "layers.Rescaling.from_config": "custom objects have no place in its config",
    "layers.TorchModuleWrapper.from_config": "a torch module has no config",
    "name_scope": "the other parameters are for Keras's own use",
}


def namespace(root, path):
    for part in filter(None, path.split(".")):
        root = getattr(root, part)
    return root


def parameters(function):
    """(name, kind, default) of each parameter but self; None where a C function does not tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [p for p in signature.parameters.values() if p.name not in ("self", "cls")]


def is_variadic(parameter):
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def described(parameter):
    if parameter.default is parameter.empty:
        return parameter.name
    default = parameter.default
    return f"{parameter.name}={getattr(default, '__name__', None) or repr(default)}"


def difference(ours, theirs):
    """What of their signature ours lacks, in words; None where it takes all of theirs."""
    mine, other = parameters(ours), parameters(theirs)
    if mine is None or other is None:
        return None
    passes_on = sum(is_variadic(p) for p in mine) == 2
    mine, other = ([p for p in some if not is_variadic(p)] for some in (mine, other))
    if not other or (passes_on and not mine):
        return None
    same = len(mine) >= len(other) and all(
        described(p) == described(q) or (p.name == q.name and q.default is q.empty)
        for p, q in zip(mine, other, strict=False)
    )
    more_have_defaults = all(p.default is not p.empty for p in mine[len(other) :])
    if same and more_have_defaults:
        return None
    return f"({', '.join(map(described, mine))}) for ({', '.join(map(described, other))})"


def pairs():
    """(dotted name, ours, theirs) of all public callables that both have; ours is None for a method that is missing."""
    for path in NAMESPACES:
        ours, theirs = namespace(kerasish, path), namespace(keras, path)
        for name in sorted(set(dir(ours)) & set(dir(theirs))):
            if name.startswith("_") or not callable(getattr(theirs, name)):
                continue
            mine, other = getattr(ours, name), getattr(theirs, name)
            yield f"{path}.{name}".lstrip("."), mine, other
            if not inspect.isclass(other):
                continue
            for method in sorted(dir(other)):
                if method[0] != "_" and method not in ABSENT and inspect.isroutine(getattr(other, method)):
                    yield (
                        f"{path}.{name}.{method}".lstrip("."),
                        getattr(mine, method, None),
                        getattr(other, method),
                    )


def test_signatures():
    found = {}
    for name, ours, theirs in pairs():
        words = "missing" if ours is None else difference(ours, theirs)
        if words is not None and name not in DIFFERENT:
            found[name] = words
    assert not found, "\n".join(f"{name}: {words}" for name, words in found.items())


def test_table_of_differences_is_up_to_date():
    """A difference that is gone must leave the table."""
    still = {name for name, ours, theirs in pairs() if ours is None or difference(ours, theirs) is not None}
    assert set(DIFFERENT) <= still


def test_enough_is_compared():
    assert sum(1 for _ in pairs()) > 2000
