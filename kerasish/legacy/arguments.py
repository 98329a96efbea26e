"""The arguments of Keras 1 and 2 that Keras 3 renamed or dropped: one table, for calls and for source code.

`RENAMED` holds what has an equal under another name, `REFUSED` what has not, with what to write instead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_KERNEL = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "bias": "use_bias",
    "init": "kernel_initializer",
}
_LAYOUT = {"border_mode": "padding", "dim_ordering": "data_format"}
_CONV = {**_KERNEL, **_LAYOUT, "nb_filter": "filters", "subsample": "strides"}
_STEP = {
    "U_regularizer": "recurrent_regularizer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
}
_GATES = {**_STEP, "inner_activation": "recurrent_activation"}
_RECURRENT = {**_GATES, "consume_less": "implementation", "output_dim": "units"}
_POOL_1D = {"border_mode": "padding", "pool_length": "pool_size", "stride": "strides"}
_RATE = {"p": "rate"}
_RATE_IN_PICTURES = {"p": "rate", "dim_ordering": "data_format"}
_DATA_FORMAT = {"dim_ordering": "data_format"}
_OPTIMIZER = {"lr": "learning_rate"}

# Class → old argument → its name today.
RENAMED: dict[str, dict[str, str]] = {
    "L1": {"l": "l1"},
    "L2": {"l": "l2"},
    **dict.fromkeys(("AveragePooling1D", "MaxPooling1D"), _POOL_1D),
    **dict.fromkeys(("AveragePooling2D", "AveragePooling3D", "MaxPooling2D", "MaxPooling3D"), _LAYOUT),
    **dict.fromkeys(("Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose"), _CONV),
    **dict.fromkeys(("Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D"), _DATA_FORMAT),
    **dict.fromkeys(("Dropout", "GaussianDropout", "SpatialDropout1D"), _RATE),
    **dict.fromkeys(("GRU", "LSTM"), _RECURRENT),
    **dict.fromkeys(("SpatialDropout2D", "SpatialDropout3D"), _RATE_IN_PICTURES),
    **dict.fromkeys(("ZeroPadding2D", "ZeroPadding3D"), _DATA_FORMAT),
    **dict.fromkeys(("Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD"), _OPTIMIZER),
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "Conv1D": {
        **_KERNEL,
        "border_mode": "padding",
        "filter_length": "kernel_size",
        "nb_filter": "filters",
        "subsample_length": "strides",
    },
    "ConvLSTM2D": {**_CONV, **_GATES},
    "Dense": {**_KERNEL, "output_dim": "units"},
    "Embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer",
    },
    "GaussianNoise": {"sigma": "stddev"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "Model": {"input": "inputs", "output": "outputs"},
    "PReLU": {"init": "alpha_initializer"},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "SeparableConv2D": {
        **_LAYOUT,
        "b_constraint": "bias_constraint",
        "b_regularizer": "bias_regularizer",
        "bias": "use_bias",
        "depthwise_init": "depthwise_initializer",
        "nb_filter": "filters",
        "pointwise_init": "pointwise_initializer",
        "subsample": "strides",
    },
    "SimpleRNN": {**_STEP, "output_dim": "units"},
    "UpSampling1D": {"length": "size"},
}

# Class → the arguments that together are `kernel_size` today.
KERNEL_SIZES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Conv2D", "Conv2DTranspose", "ConvLSTM2D", "SeparableConv2D"), ("nb_row", "nb_col")),
    "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}

# Class → defaults of Keras 2 that Keras 3 has not.
DEFAULTS: dict[str, dict[str, Any]] = {f"AveragePooling{rank}D": {"pool_size": 2} for rank in (1, 2, 3)}

_TIME_MAJOR = {"time_major": ((False,), "give batches first, x.swapaxes(0, 1), and leave it out")}
_OUTPUT_SHAPE = {
    "output_shape": ((None,), "leave it out: it follows from `strides`, `padding` and `output_padding`")
}

# Class ("" for all layers) → old argument → (the values that change nothing, what to do instead).
REFUSED: dict[str, dict[str, tuple[tuple[Any, ...], str]]] = {
    "": {"dynamic": ((False, None), "leave it out: Python code in `call` runs as it is")},
    **dict.fromkeys(("GRU", "LSTM", "RNN"), _TIME_MAJOR),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose"), _OUTPUT_SHAPE),
    "BatchNormalization": {"mode": ((0, None), "leave it out: one mode is left, that of mode=0")},
    "Embedding": {
        "dropout": ((0, 0.0, None), "put a SpatialDropout1D layer behind the Embedding"),
        "sparse": ((False,), "leave it out: gradients are dense, and the results the same"),
    },
    "SimpleRNN": {
        **_TIME_MAJOR,
        "consume_less": (("cpu", "mem", "gpu"), "leave it out: it changed the speed alone"),
        "implementation": ((0, 1, 2), "leave it out: it changed the speed alone"),
    },
    "Softmax": {"robust_masking": ((False,), "leave it out: a mask is applied robustly")},
}

# Class → argument → (the versions with another default, that default).
CHANGED_DEFAULTS: dict[str, dict[str, tuple[str, str]]] = {
    "Adadelta": {"learning_rate": ("1 to 2.3", "1.0")},
    "Adagrad": {"learning_rate": ("1 to 2.3", "0.01")},
    "Adamax": {"learning_rate": ("1 to 2.3", "0.002")},
    "ConvLSTM2D": {"recurrent_activation": ("1 and 2", "'hard_sigmoid'")},
    "GRU": {
        "recurrent_activation": ("1 to 2.2", "'hard_sigmoid'"),
        "reset_after": ("1 to 2.3", "False"),
    },
    "LSTM": {"recurrent_activation": ("1 to 2.2", "'hard_sigmoid'")},
    "Nadam": {"learning_rate": ("1 to 2.3", "0.002")},
}

# What `compile` took, with the values that change nothing and what to do instead.
COMPILE: dict[str, tuple[tuple[Any, ...], str]] = {
    "distribute": ((None,), "use keras.distribution"),
    "experimental_run_tf_function": ((True, False, None), "leave it out"),
    "pss_evaluation_shards": ((0, None), "leave it out: there are no parameter servers"),
    "sample_weight_mode": ((None,), "leave it out: weights of shape (batch, time) weigh time steps"),
    "target_tensors": ((None,), "leave it out and give the targets to `fit` as `y`"),
}

# Old argument of fit_generator, fit and their kin → its name today.
FIT: dict[str, str] = {
    "max_q_size": "max_queue_size",
    "nb_epoch": "epochs",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
}
# Numbers of samples, where batches are counted today.
SAMPLES: dict[str, str] = {
    "samples_per_epoch": "steps_per_epoch",
    "nb_val_samples": "validation_steps",
    "val_samples": "steps",
}

_DIM_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}
_IMPLEMENTATIONS = {"cpu": 0, "mem": 1, "gpu": 2}


def _data_format(value: Any) -> Any:
    if value not in _DIM_ORDERINGS:
        raise ValueError(f"`dim_ordering` must be 'tf', 'th' or 'default'. Received: {value!r}")
    return _DIM_ORDERINGS[value]


def _padding(value: Any) -> Any:
    if value == "full":
        raise ValueError("`border_mode='full'` is no more: use a ZeroPadding layer and padding='valid'.")
    return value


def _implementation(value: Any) -> Any:
    if value not in _IMPLEMENTATIONS:
        raise ValueError(f"`consume_less` must be 'cpu', 'mem' or 'gpu'. Received: {value!r}")
    return _IMPLEMENTATIONS[value]


# Old argument → what its values are today.
VALUES: dict[str, Callable[[Any], Any]] = {
    "border_mode": _padding,
    "consume_less": _implementation,
    "dim_ordering": _data_format,
}


def is_keras_1(name: str, keywords: Any) -> bool:
    """Whether a call of this class with these keyword arguments was written for Keras 1."""
    sizes = KERNEL_SIZES.get(name, ())
    return any(key in RENAMED.get(name, {}) or key in sizes for key in keywords)


OLD = frozenset((*RENAMED, *REFUSED, *DEFAULTS))


def modernize(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Today's arguments for a call of class `name` with old ones.

    Raises:
        TypeError: an old argument and its new name are both given, or what it did is no more.
        ValueError: an old argument has a value that is no more.

    Example:
        >>> modernize("Conv2D", (32, 3, 5), {"border_mode": "same"})
        ((32, (3, 5)), {'padding': 'same'})
    """
    rank = len(KERNEL_SIZES.get(name, ()))
    if rank and len(args) > rank and is_keras_1(name, kwargs):
        sizes, rest = args[1 : rank + 1], args[rank + 1 :]
        if all(isinstance(size, int) for size in sizes):
            args = (args[0], sizes, *rest)
    modern: dict[str, Any] = {}
    for old, value in kwargs.items():
        new = RENAMED.get(name, {}).get(old, old)
        if new != old and new in kwargs:
            raise TypeError(f"{name} got `{new}` and its old name `{old}`: give one of them.")
        refused = REFUSED.get(name, {}).get(old)
        if refused is not None and new == old:
            refuse(name or "a layer", old, value, refused)
            continue
        modern[new] = VALUES[old](value) if new != old and old in VALUES else value
    sizes_given = tuple(modern.pop(size) for size in KERNEL_SIZES.get(name, ()) if size in modern)
    if sizes_given:
        if len(sizes_given) != rank:
            raise TypeError(f"{name} needs {', '.join(KERNEL_SIZES[name])} together: write kernel_size=(…).")
        modern["kernel_size"] = sizes_given
    if not args:
        modern = {**DEFAULTS.get(name, {}), **modern}
    return args, modern


def taking_old_ones(name: str, init: Any) -> Any:
    """A constructor of class `name` that takes the arguments that Keras 1 and 2 had for it, too."""

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        args, kwargs = modernize(name, args, kwargs)
        init(self, *args, **kwargs)

    return __init__


def refuse(where: str, name: str, value: Any, known: tuple[tuple[Any, ...], str]) -> None:
    """Raise for an argument that cannot be honoured, unless its value asks for nothing."""
    harmless, advice = known
    if not any(value is item or (type(value) is type(item) and value == item) for item in harmless):
        raise TypeError(f"`{name}` of {where} is no more. Instead, {advice}. Received: {value!r}")


def refuse_compile(kwargs: dict[str, Any]) -> None:
    """Raise for the arguments of `compile` that are no more, and for those that never were."""
    for name, value in kwargs.items():
        if name not in COMPILE:
            raise TypeError(f"`compile` got an unknown argument {name!r}.")
        refuse("compile", name, value, COMPILE[name])


def are_metrics(value: Any) -> bool:
    """Whether what was given as third argument of `compile` are metrics: Keras 2 had them before the weights."""
    if isinstance(value, dict):
        value = [item for entry in value.values() for item in (entry if isinstance(entry, list) else [entry])]
    items = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(item, str) or callable(item) for item in items)
