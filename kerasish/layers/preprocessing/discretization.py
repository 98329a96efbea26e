"""Numbers to the bins that they fall into."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish.arrays import to_tensor
from kerasish.config import floatx, get_device
from kerasish.dtypes import torch_dtype
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.batches import batches
from kerasish.layers.preprocessing.encoding import ENCODINGS, check_output_mode, encode, encoded_shape
from kerasish.symbolic import KerasTensor


class Discretization(Layer):
    """Replace numbers by the index of their bin: the number of boundaries at or below them, as int32.

    Args:
        bin_boundaries: rising list of boundaries b₁ … bₙ; the bins are (−∞, b₁), [b₁, b₂), …, [bₙ, ∞).
        num_bins: number of bins, in place of boundaries: `adapt(data)` makes quantiles the boundaries.
        epsilon: how coarse a summary of the data `adapt` keeps: 1 / ε quantiles.
        output_mode: "int"; "one_hot" of each number; "multi_hot" or "count" of each record.

    Shapes: any. The last axis of the input makes a record.

    Example:
        >>> import kerasish
        >>> kerasish.layers.Discretization([0.0, 1.0, 2.0])([-1.5, 1.0, 3.4])
        tensor([0, 2, 3], dtype=torch.int32)
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, autocast=False)
        check_output_mode(self, output_mode, ("int", *ENCODINGS), sparse)
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"`num_bins` of layer {self.name!r} must not be negative. Received: num_bins={num_bins}"
            )
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                f"Layer {self.name!r}: give `bin_boundaries` or `num_bins`, one of them. Received: "
                f"bin_boundaries={bin_boundaries}, num_bins={num_bins}"
            )
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = output_mode
        self.sparse = sparse
        self.__dict__["input_bin_boundaries"] = bin_boundaries
        self.__dict__["bin_boundaries"] = None
        self.reset_state()
        if bin_boundaries is not None:
            is_list = isinstance(bin_boundaries, (list, tuple))
            self._use(list(bin_boundaries) if is_list else np.asarray(bin_boundaries).tolist())

    @property
    def output_dtype(self) -> str:
        """The dtype of the output."""
        return self.compute_dtype if self.output_mode != "int" else "int32"

    def _use(self, boundaries: list[float]) -> None:
        if any(a > b for a, b in itertools.pairwise(boundaries)):
            raise ValueError(f"`bin_boundaries` of layer {self.name!r} must rise. Received: {boundaries}")
        self.__dict__["bin_boundaries"] = boundaries
        values = torch.tensor(boundaries, dtype=torch_dtype(floatx()), device=get_device())
        self.register_buffer("_boundaries", values, persistent=False)

    # Adapting -------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the quantiles of the data the boundaries, so that each bin holds about as many numbers.

        Args:
            data: array, list, DataLoader, Dataset, or iterable of batches.
            steps: number of batches to read, where the data comes in batches.
        """
        if self.input_bin_boundaries is not None:
            raise ValueError(
                f"Layer {self.name!r} was given `bin_boundaries`: it cannot `adapt`. Give it `num_bins` instead."
            )
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take the numbers of a batch into the summary."""
        values = np.sort(to_tensor(data, "data").cpu().numpy().astype("float32"), axis=None)
        batch = quantiles(np.stack([values, np.ones_like(values)]), self.epsilon)
        merged = np.concatenate([batch, self._summary], axis=1)
        self.__dict__["_summary"] = quantiles(merged[:, merged[0].argsort()], self.epsilon)

    def finalize_state(self) -> None:
        """Make the quantiles of the summary the boundaries."""
        if self.input_bin_boundaries is None and self._summary.size:
            assert self.num_bins is not None
            self._use(quantiles(self._summary, 1 / self.num_bins)[0, :-1].tolist())

    def reset_state(self) -> None:
        """Forget the summary."""
        self.__dict__["_summary"] = np.zeros((2, 0), np.float32)

    # Computation ----------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Tensor:
        boundaries = getattr(self, "_boundaries", None)
        if isinstance(inputs, Tensor) and inputs.is_meta and boundaries is None:
            boundaries = torch.empty(0, device="meta")
        if boundaries is None:
            raise ValueError(
                f"Layer {self.name!r} has no boundaries yet: pass `bin_boundaries`, or call `adapt(data)` first."
            )
        x = torch.as_tensor(inputs, device=boundaries.device).to(boundaries.dtype).contiguous()
        indices = torch.bucketize(x, boundaries, right=True)
        return encode(indices, self._depth, self.output_mode, torch_dtype(self.output_dtype))

    @property
    def _depth(self) -> int:
        return self.num_bins if self.num_bins is not None else len(self.bin_boundaries or ()) + 1

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self._depth, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.output_dtype)

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the boundaries are part of the config."""

    def get_config(self) -> dict[str, Any]:
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Discretization:
        learned = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config({**config, "bin_boundaries": None} if learned else config)
        if learned:  # Keras writes what was learned beside `num_bins`
            layer._use(list(learned))
        return layer


def quantiles(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Summarize sorted values and their weights, (2, n), by their quantiles ε, 2ε, …, with the weight between them.

    Source: in the spirit of Greenwald and Khanna, 2001, *Space-efficient online computation of quantile summaries*.
    """
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    reached = weights / weights[-1]
    values = np.interp(shares, reached, summary[0])
    return np.stack([values, np.diff(np.interp(shares, reached, weights), prepend=0)]).astype("float32")
