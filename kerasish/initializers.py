"""Initial values of weights: objects called with a shape and a dtype that return a tensor.

An integer seed gives the same values at every call; a `SeedGenerator` gives new ones, reproducibly; None
draws from torch's default generator, which `set_random_seed` and `torch.manual_seed` govern.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from kerasish import random
from kerasish.config import get_device
from kerasish.dtypes import is_float_dtype, torch_dtype
from kerasish.errors import format_shape, received
from kerasish.registry import Registry
from kerasish.serialization import deserialize_keras_object, serialize_keras_object

TRUNCATED_STDDEV = 0.87962566103423978  # of a standard normal cut off at ±2


class Initializer:
    """Base of all initializers: override `__call__(shape, dtype)`, and `get_config()` if there are arguments.

    Example:
        >>> class Ramp(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return torch.arange(shape[-1], dtype=torch.float32).expand(shape)
        >>> Ramp()((2, 3)).tolist()
        [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(self, shape, dtype=None)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an initializer from `get_config()`."""
        return cls(
            **{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()}
        )

    def clone(self) -> Any:
        """A new initializer with the same arguments."""
        return self.from_config(self.get_config())


def _sizes(shape: Any) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if None in sizes:
        raise ValueError(f"A weight's shape must be known in full. Received: shape={format_shape(sizes)}")
    return sizes


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        return torch.zeros(_sizes(shape), dtype=torch_dtype(dtype), device=get_device())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        return torch.ones(_sizes(shape), dtype=torch_dtype(dtype), device=get_device())


class Constant(Initializer):
    """A fixed number, or an array repeated to the shape.

    Args:
        value: a number, or anything that broadcasts to the shape.

    Example:
        >>> Constant(0.5)((2,)).tolist()
        [0.5, 0.5]
    """

    is_repeated = True

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        sizes = _sizes(shape)
        value = torch.as_tensor(self.value).detach().to(device=get_device(), dtype=torch_dtype(dtype))
        fits = value.shape == sizes or (
            self.is_repeated
            and value.ndim <= len(sizes)
            and all(a in (1, b) for a, b in zip(value.shape[::-1], sizes[::-1], strict=False))
        )
        if not fits:
            raise ValueError(
                f"The shape must be {format_shape(value.shape)}, that of the value given as initializer"
                f"{', or one to which it broadcasts' if self.is_repeated else ''}. "
                f"Received: shape={format_shape(sizes)}"
            )
        return value.expand(sizes).clone()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"value": serialize_keras_object(self.value)}


class Identity(Initializer):
    """Identity matrix times `gain`; ones on the main diagonal if not square.

    Raises:
        ValueError: the shape is not that of a matrix.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        sizes = _sizes(shape)
        if len(sizes) != 2:
            raise ValueError(
                "Identity initializes matrices: the shape must have 2 sizes. "
                f"Received: shape={format_shape(sizes)}"
            )
        return torch.eye(*sizes, dtype=torch_dtype(dtype), device=get_device()) * self.gain

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer; empty for the default, as Keras always has it."""
        return {} if self.gain == 1.0 else {"gain": self.gain}


class STFT(Initializer):
    """Kernel of a `Conv1D` that computes a short-time Fourier transform: `w cos(2π f t / N)` or `−w sin(…)`.

    Args:
        side: `"real"` (cosines) or `"imag"` (minus sines).
        window: name of a window of `scipy.signal.get_window`, an array, or None for ones, never scaled.
        scaling: `"density"` divides by `sqrt(Σw²)`, `"spectrum"` by `Σw`, None by nothing.
        periodic: whether the window is periodic (else symmetric).

    Shapes:
        (frame length, 1, N / 2 + 1) with N the length of the transform.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"`side` must be 'real' or 'imag'. Received: side={side!r}")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(
                f"`scaling` must be 'density', 'spectrum' or None. Received: scaling={scaling!r}"
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def _scaled_window(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, (str, tuple)):
            from scipy.signal import get_window

            values = get_window(self.window, length, fftbins=self.periodic)
        else:
            values = np.asarray(self.window, dtype=np.float64)
        if values.shape != (length,):
            raise ValueError(
                f"`window` must have the length of a frame, {length}. Received: {received(values)}"
            )
        if self.scaling == "density":
            return values / math.sqrt(np.sum(values**2))
        return values / np.sum(values) if self.scaling == "spectrum" else values

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        sizes = _sizes(shape)
        if len(sizes) != 3 or sizes[1] != 1:
            raise ValueError(
                "STFT initializes the kernel of a Conv1D on one channel: the shape must be (frame length, 1, "
                f"frequencies). Received: shape={format_shape(sizes)}"
            )
        length, _, frequencies = sizes
        window = self._scaled_window(length)
        cycles = np.outer(np.arange(length), np.arange(frequencies)) / max(2 * (frequencies - 1), 1)
        angle = 2 * math.pi * cycles
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        kernel = torch.as_tensor((window[:, None] * wave)[:, None, :])
        return kernel.to(dtype=torch_dtype(dtype)).to(get_device())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {
            "side": self.side,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
        }


class RandomInitializer(Initializer):
    """Base of the initializers that draw: they have a `seed`.

    Differs: an instance without a seed draws anew at every call; in Keras 3 it repeats its first draw.
    """

    def __init__(self, seed: Any = None) -> None:
        seed = deserialize_keras_object(seed) if isinstance(seed, dict) else seed
        if seed is not None and not isinstance(seed, (int, np.integer, random.SeedGenerator)):
            raise ValueError(
                f"`seed` must be an integer, a `random.SeedGenerator` or None. Received: seed={seed!r}"
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"seed": serialize_keras_object(self.seed)}

    def _require_float(self, dtype: Any) -> None:
        if not is_float_dtype(dtype):
            raise ValueError(
                f"{type(self).__name__} draws floats; for other weights use a constant initializer. "
                f"Received: dtype={dtype!r}"
            )


class RandomNormal(RandomInitializer):
    """Draws from the normal distribution N(mean, stddev²).

    Args:
        mean: of the distribution.
        stddev: its standard deviation.
        seed: integer, `SeedGenerator` or None.

    Example:
        >>> w = RandomNormal(stddev=0.1, seed=1)((200, 300))
        >>> round(w.std().item(), 2)
        0.1
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        self._require_float(dtype)
        return random.normal(_sizes(shape), self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Draws from N(mean, stddev²) cut off at two standard deviations.

    Args:
        mean: of the distribution.
        stddev: its standard deviation before cutting; that of the draws is 0.8796 times as large.
        seed: integer, `SeedGenerator` or None.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        self._require_float(dtype)
        return random.truncated_normal(_sizes(shape), self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Draws from the uniform distribution over [minval, maxval).

    Args:
        minval: lower end.
        maxval: upper end.
        seed: integer, `SeedGenerator` or None.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        self._require_float(dtype)
        return random.uniform(_sizes(shape), self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def _fans(
    sizes: tuple[int, ...], input_axes: Sequence[int] | None, output_axes: Sequence[int] | None
) -> tuple[int, int]:
    """The numbers of inputs and of outputs of one unit of a kernel (*window, inputs, outputs)."""
    if input_axes is not None and output_axes is not None:
        for axis in (*input_axes, *output_axes):
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(
                    "`input_axes` and `output_axes` must be axes of the weight. "
                    f"Received: axis {axis} for shape {format_shape(sizes)}"
                )
        return math.prod(sizes[axis] for axis in input_axes), math.prod(sizes[axis] for axis in output_axes)
    if len(sizes) < 2:
        fan = math.prod(sizes)
        return fan, fan
    window = math.prod(sizes[:-2])
    return window * sizes[-2], window * sizes[-1]


class VarianceScaling(RandomInitializer):
    """Draws with mean 0 and variance `scale / n`, n from the shape: signals keep their scale in depth.

    Args:
        scale: factor of the variance, > 0.
        mode: what n is: `"fan_in"` (inputs of a unit), `"fan_out"` (outputs), `"fan_avg"` (their mean).
        distribution: `"truncated_normal"` (cut at 2σ, σ corrected for the cut), `"untruncated_normal"` or
            `"uniform"` over ±sqrt(3 · scale / n).
        seed: integer, `SeedGenerator` or None.
        input_axes: the axes of the weight that a unit sums over; given together with `output_axes`, they
            replace the rule for kernels, (*window, inputs, outputs).
        output_axes: the axes that number the units.

    Example:
        >>> w = VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=0)((200, 300))
        >>> round(w.var().item(), 3)
        0.01

    Source: He et al., 2015, arXiv:1502.01852, eq. 10 and 14; Glorot and Bengio, 2010, eq. 12.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: int | Sequence[int] | None = None,
        output_axes: int | Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg'. Received: mode={mode!r}")
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "`distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform'. "
                f"Received: distribution={distribution!r}"
            )
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                "`input_axes` and `output_axes` must be given together. "
                f"Received: input_axes={input_axes}, output_axes={output_axes}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        self._require_float(dtype)
        sizes = _sizes(shape)
        input_axes, output_axes = (
            [axes] if isinstance(axes, int) else axes for axes in (self.input_axes, self.output_axes)
        )
        fan_in, fan_out = _fans(sizes, input_axes, output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(n, 1))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return random.uniform(sizes, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(sizes, 0.0, stddev, dtype, self.seed)
        return random.truncated_normal(sizes, 0.0, stddev / TRUNCATED_STDDEV, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _NamedScaling(VarianceScaling):
    """Base of the variance scalings that have a name of their own."""

    _settings: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: int | Sequence[int] | None = None,
        output_axes: int | Sequence[int] | None = None,
    ) -> None:
        scale, mode, distribution = self._settings
        super().__init__(scale, mode, distribution, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_NamedScaling):
    """Uniform over ±sqrt(6 / (fan_in + fan_out)): for tanh, sigmoid and softmax units; Keras's default.

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Source: Glorot and Bengio, 2010, *Understanding the difficulty of training deep feedforward
    networks*, eq. 16.
    """

    _settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_NamedScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out): for tanh, sigmoid and softmax units.

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Differs: `torch.nn.init.xavier_normal_` does not truncate.

    Source: Glorot and Bengio, 2010, eq. 12.
    """

    _settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_NamedScaling):
    """Uniform over ±sqrt(6 / fan_in): for ReLU units.

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Source: He et al., 2015, *Delving deep into rectifiers*, arXiv:1502.01852, eq. 10.
    """

    _settings = (2.0, "fan_in", "uniform")


class HeNormal(_NamedScaling):
    """Truncated normal with variance 2 / fan_in: for ReLU units.

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Differs: `torch.nn.init.kaiming_normal_` does not truncate.

    Source: He et al., 2015, *Delving deep into rectifiers*, arXiv:1502.01852, eq. 10.
    """

    _settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_NamedScaling):
    """Uniform over ±sqrt(3 / fan_in).

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Source: LeCun et al., 1998, *Efficient backprop*, §4.6.
    """

    _settings = (1.0, "fan_in", "uniform")


class LecunNormal(_NamedScaling):
    """Truncated normal with variance 1 / fan_in: for SELU units.

    Args: seed, input_axes, output_axes as for `VarianceScaling`.

    Source: LeCun et al., 1998, *Efficient backprop*, §4.6; Klambauer et al., 2017, arXiv:1706.02515.
    """

    _settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """Orthonormal rows or columns, whichever are fewer, of the weight seen as a matrix (…, outputs).

    Q of the QR decomposition of a normal matrix, its signs set by diag(R) so that Q is uniform, times `gain`.

    Args:
        gain: factor.
        seed: integer, `SeedGenerator` or None.

    Raises:
        ValueError: the shape has fewer than two sizes.

    Example:
        >>> q = Orthogonal(seed=0)((3, 3))
        >>> torch.allclose(q @ q.T, torch.eye(3), atol=1e-6)
        True

    Source: Saxe et al., 2014, arXiv:1312.6120; Mezzadri, 2007, arXiv:math-ph/0609050, for the signs.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        self._require_float(dtype)
        sizes = _sizes(shape)
        if len(sizes) < 2:
            raise ValueError(
                "Orthogonal initializes weights of two or more dimensions. "
                f"Received: shape={format_shape(sizes)}"
            )
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        kind = torch.promote_types(torch_dtype(dtype), torch.float32)
        draws = random.normal((max(rows, columns), min(rows, columns)), dtype=kind, seed=self.seed)
        q, r = torch.linalg.qr(draws)
        q = q * torch.sign(torch.diagonal(r))
        return (self.gain * (q.T if rows < columns else q)).reshape(sizes).to(torch_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {**super().get_config(), "gain": self.gain}


zeros = Zeros
ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
stft = STFTInitializer = STFT
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal
zero = Zeros
one = Ones
normal = RandomNormal
uniform = RandomUniform

_registry = Registry(
    "initializer",
    "keras.initializers",
    classes=(
        Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones,
        Orthogonal, RandomNormal, RandomUniform, STFT, TruncatedNormal, VarianceScaling, Zeros,
    ),
    aliases={
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "STFTInitializer": STFT,
        "zero": Zeros,
        "one": Ones,
        "normal": RandomNormal,
        "uniform": RandomUniform,
    },
)  # fmt: skip


def get(identifier: Any) -> Any:
    """Return the initializer for a name, a config, a class, an object, a function, an array, or None.

    An array or tensor stands for itself: the weight must have its shape.

    Raises:
        ValueError: no initializer has that name, or a plain number was given (use `Constant`).

    Example:
        >>> get("he_normal").mode
        'fan_in'
    """
    if isinstance(identifier, (np.ndarray, torch.Tensor)):
        value = Constant(identifier)
        value.is_repeated = False
        return value
    return _registry.get(identifier)


def serialize(initializer: Any) -> Any:
    """The JSON config of an initializer."""
    return _registry.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make an initializer from `serialize(...)`, or from the config in a file of Keras."""
    return _registry.deserialize(config, custom_objects)


__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "STFTInitializer", "TruncatedNormal",
    "VarianceScaling", "Zeros", "constant", "deserialize", "get", "glorot_normal", "glorot_uniform",
    "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal",
    "random_normal", "random_uniform", "serialize", "stft", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
