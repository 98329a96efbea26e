"""Random draws with Keras's seeds on torch's generators.

`seed=None` draws from torch's default generator (so `torch.manual_seed` governs it), an integer gives the same
draw at every call, a `SeedGenerator` gives a new draw at every call, reproducibly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kerasish.config import get_device
from kerasish.dtypes import torch_dtype
from kerasish.naming import unique_name


class SeedGenerator:
    """A reproducible source of draws: one torch generator per device, started from `seed`.

    Args:
        seed: integer, or None for a random start.
        name: name of the generator.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments for SeedGenerator: {sorted(kwargs)}")
        if seed is None:
            seed = int(torch.randint(2**31 - 1, ()).item())
        if not isinstance(seed, (int, np.integer)):
            raise ValueError(f"`seed` must be an integer or None. Received: seed={seed!r}")
        if seed < 0:
            raise ValueError(f"`seed` must not be negative. Received: seed={seed}")
        self.name = name or unique_name("seed_generator")
        self.seed = self._initial_seed = int(seed)
        self._generators: dict[torch.device, torch.Generator] = {}

    def on(self, device: torch.device) -> torch.Generator:
        """The torch generator of this source on `device`."""
        generator = self._generators.get(device)
        if generator is None:
            generator = self._generators[device] = torch.Generator(device).manual_seed(self.seed)
        return generator

    def next(self, ordered: bool = True) -> int:
        """Draw an integer seed."""
        cpu = torch.device("cpu")
        return int(torch.randint(2**31 - 1, (), generator=self.on(cpu)).item())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal generator."""
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make a generator from `get_config()`."""
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        states = {str(device): generator.get_state() for device, generator in self._generators.items()}
        return {**self.__dict__, "_generators": states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _generators={})
        for name, generator_state in state["_generators"].items():
            device = torch.device(name)
            self._generators[device] = torch.Generator(device)
            self._generators[device].set_state(generator_state)


def torch_generator(seed: Any, device: torch.device | None = None) -> torch.Generator | None:
    """The torch generator that a Keras `seed` argument stands for; None is torch's default generator."""
    if seed is None or isinstance(seed, torch.Generator):
        return seed
    device = device or get_device()
    if isinstance(seed, SeedGenerator):
        return seed.on(device)
    if isinstance(seed, (int, np.integer)):
        return torch.Generator(device).manual_seed(int(seed))
    raise ValueError(f"`seed` must be an integer, a SeedGenerator or None. Received: seed={seed!r}")


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy and torch (all devices) at once."""
    import random as python_random

    if not isinstance(seed, (int, np.integer)):
        raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
    python_random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
    torch.manual_seed(int(seed))


def _empty(shape: Any, dtype: Any) -> torch.Tensor:
    return torch.empty(tuple(shape), dtype=torch_dtype(dtype), device=get_device())


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Draw from the normal distribution N(mean, stddev²)."""
    return _empty(shape, dtype).normal_(mean, stddev, generator=torch_generator(seed))


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Draw from the uniform distribution over [minval, maxval)."""
    out = _empty(shape, dtype)
    if not out.is_floating_point():
        raise ValueError(f"`uniform` draws floats; use `randint` for integers. Received: dtype={dtype!r}")
    return out.uniform_(minval, maxval, generator=torch_generator(seed))


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Draw from N(mean, stddev²) cut off at two standard deviations, by the inverse error function."""
    out = _empty(shape, "float32")
    bound = 0.9544997361036416  # P(|z| < 2)
    out.uniform_(-bound, bound, generator=torch_generator(seed)).erfinv_().mul_(2**0.5).clamp_(-2.0, 2.0)
    return out.mul_(stddev).add_(mean).to(torch_dtype(dtype))


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> torch.Tensor:
    """Draw integers uniformly from minval, …, maxval − 1."""
    out = _empty(shape, "int64")
    if torch_dtype(dtype).is_floating_point:
        raise ValueError(f"`randint` draws integers. Received: dtype={dtype!r}")
    return out.random_(int(minval), int(maxval), generator=torch_generator(seed)).to(torch_dtype(dtype))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> torch.Tensor:
    """Draw class indices, shape (B, num_samples), from the unnormalised log-probabilities (B, classes)."""
    logits = torch.as_tensor(logits, device=get_device())
    probabilities = torch.softmax(logits.float(), dim=-1)
    draws = torch.multinomial(probabilities, num_samples, replacement=True, generator=torch_generator(seed))
    return draws.to(torch_dtype(dtype))


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Draw from the gamma distribution with shape `alpha` and scale 1."""
    concentration = torch.as_tensor(alpha, dtype=torch_dtype(dtype), device=get_device()).expand(tuple(shape))
    return torch._standard_gamma(concentration.contiguous(), generator=torch_generator(seed))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Draw from the beta distribution: X / (X + Y) with X ~ Gamma(alpha), Y ~ Gamma(beta)."""
    generator = torch_generator(seed)
    x = gamma(shape, alpha, dtype, generator)
    y = gamma(shape, beta, dtype, generator)
    return x / (x + y)


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Draw the number of successes in `counts` trials of the given probability."""
    kind = torch_dtype(dtype)
    n = torch.as_tensor(counts, dtype=kind, device=get_device()).expand(tuple(shape)).contiguous()
    p = torch.as_tensor(probabilities, dtype=kind, device=get_device()).expand(tuple(shape)).contiguous()
    return torch.binomial(n, p, generator=torch_generator(seed))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> torch.Tensor:
    """Permute `x` along `axis`."""
    x = torch.as_tensor(x, device=get_device())
    order = torch.randperm(x.shape[axis], generator=torch_generator(seed, x.device), device=x.device)
    return x.index_select(axis, order)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> torch.Tensor:
    """Set a fraction `rate` of the values to zero and scale the others by 1 / (1 − rate)."""
    inputs = torch.as_tensor(inputs, device=get_device())
    if rate <= 0:
        return inputs
    shape = inputs.shape
    if noise_shape is not None:
        shape = tuple(size if size is not None else inputs.shape[i] for i, size in enumerate(noise_shape))
    keep = torch.empty(shape, dtype=inputs.dtype, device=inputs.device)
    keep.bernoulli_(1.0 - rate, generator=torch_generator(seed, inputs.device)).div_(1.0 - rate)
    return inputs * keep
