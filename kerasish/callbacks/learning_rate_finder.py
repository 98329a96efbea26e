"""`LearningRateFinder`: try learning rates on a rising scale and suggest one."""

from __future__ import annotations

import copy
import math
import os
import warnings
from typing import Any

import numpy as np
import torch

from kerasish.callbacks.callback import Callback


class LearningRateFinder(Callback):
    """Learning-rate range test: batch i of `fit` trains with the rate `low · (high / low)^(i / (steps − 1))`.

    Args:
        min_learning_rate: `low`, > 0.
        max_learning_rate: `high`, > `low`.
        steps: number of rates, one per batch; `fit` ends with the last, so give it enough `epochs`.
        smoothing: weight in [0, 1) of the past in the moving average of the losses.
        divergence: end early once the average exceeds its lowest value so many times, or is not finite.

    `learning_rates` and `losses` list what was tried. At the end the weights and the optimizer's state are what
    they were before; so after `optimizer.learning_rate = finder.suggestion` the same model can be trained. The
    metrics start again in every batch, each of which waits for the device once.

    Raises:
        ValueError: an argument out of its range, or an optimizer with a schedule as its learning rate.

    Example:
        >>> finder = LearningRateFinder(steps=3)
        >>> [f"{finder.rate_at(i):.0e}" for i in range(3)]
        ['1e-06', '3e-03', '1e+01']

    Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017, https://arxiv.org/abs/1506.01186,
    section 3.3; rising exponentially rather than linearly.
    """

    def __init__(
        self,
        min_learning_rate: float = 1e-6,
        max_learning_rate: float = 10.0,
        steps: int = 100,
        smoothing: float = 0.9,
        divergence: float = 4.0,
    ) -> None:
        if not 0 < min_learning_rate < max_learning_rate:
            raise ValueError(
                "LearningRateFinder: expected 0 < `min_learning_rate` < `max_learning_rate`. Received: "
                f"min_learning_rate={min_learning_rate!r}, max_learning_rate={max_learning_rate!r}"
            )
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 3:
            raise ValueError(
                f"LearningRateFinder: `steps` must be an integer of at least 3. Received: steps={steps!r}"
            )
        if not 0 <= smoothing < 1:
            raise ValueError(
                f"LearningRateFinder: `smoothing` must be in [0, 1). Received: smoothing={smoothing!r}"
            )
        if not divergence > 1:
            raise ValueError(
                f"LearningRateFinder: `divergence` must be greater than 1. Received: divergence={divergence!r}"
            )
        self.min_learning_rate = min_learning_rate
        self.max_learning_rate = max_learning_rate
        self.steps = steps
        self.smoothing = smoothing
        self.divergence = divergence
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self._before: _State | None = None
        self._is_done = False

    def rate_at(self, step: int) -> float:
        """The learning rate of batch `step`, from 0."""
        return self.min_learning_rate * (self.max_learning_rate / self.min_learning_rate) ** (
            step / (self.steps - 1)
        )

    @property
    def smoothed_losses(self) -> np.ndarray:
        """The moving average of `losses`, with the bias of its beginning taken out."""
        averages, average = [], 0.0
        for count, loss in enumerate(self.losses, start=1):
            average = self.smoothing * average + (1 - self.smoothing) * loss
            averages.append(average / (1 - self.smoothing**count))
        return np.array(averages)

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss falls most steeply over the logarithm of the rate.

        Raises:
            RuntimeError: fewer than three rates were tried.
        """
        if len(self.losses) < 3:
            raise RuntimeError(
                "LearningRateFinder.suggestion: expected at least 3 rates to have been tried: call "
                f"`model.fit(..., callbacks=[finder])` first. Received: {len(self.losses)} rates"
            )
        slopes = np.gradient(self.smoothed_losses, np.log(self.learning_rates))
        return self.learning_rates[int(slopes.argmin())]

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the losses over the rates, the suggestion marked, and return matplotlib's Axes.

        Args:
            path: file to write the drawing to, which is then closed; None leaves it open, to be shown.
        """
        suggestion = self.suggestion
        from matplotlib import pyplot

        figure, axes = pyplot.subplots()
        axes.plot(self.learning_rates, self.losses, alpha=0.3, label="loss of a batch")
        axes.plot(self.learning_rates, self.smoothed_losses, label="moving average")
        axes.axvline(suggestion, linestyle="--", color="grey", label=f"suggestion: {suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        if path is not None:
            figure.savefig(path)
            pyplot.close(figure)
        return axes

    def on_train_begin(self, logs: Any = None) -> None:
        self.learning_rates, self.losses = [], []
        self._is_done = False
        self._before = _State(self.model)
        self._set_rate()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.reset_metrics()
        self._set_rate()

    def _set_rate(self) -> None:
        try:
            self.model.optimizer.learning_rate = self.rate_at(len(self.losses))
        except TypeError as error:
            raise ValueError(
                "LearningRateFinder sets the learning rate itself: compile the model with a float "
                "`learning_rate` instead of a schedule."
            ) from error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._is_done:
            return
        loss = float(logs["loss"])
        if math.isfinite(loss):
            self.learning_rates.append(self.rate_at(len(self.losses)))
            self.losses.append(loss)
            smoothed = self.smoothed_losses
            self._is_done = len(self.losses) == self.steps or smoothed[-1] > self.divergence * abs(
                smoothed.min()
            )
        else:
            self._is_done = True
        self.model.stop_training |= self._is_done

    def on_train_end(self, logs: Any = None) -> None:
        if self._before is not None:
            self._before.restore()
            self._before = None
        if not self._is_done:
            warnings.warn(
                f"LearningRateFinder: `fit` ended after {len(self.losses)} of {self.steps} rates. Give it more "
                "`epochs`, or the finder fewer `steps`.",
                stacklevel=2,
            )


class _State:
    """The weights of a model and the state of its optimizer, kept to be put back in place."""

    def __init__(self, model: Any) -> None:
        self.torch_optimizer = getattr(model.optimizer, "torch_optimizer", None)
        tensors = [*model.parameters(), *model.buffers()]
        if self.torch_optimizer is None:
            tensors += model.optimizer.variables
        else:
            tensors.append(model.optimizer.iterations)
            self.torch_state = copy.deepcopy(self.torch_optimizer.state_dict())
        self.values = [(tensor, tensor.detach().clone()) for tensor in tensors]

    @torch.no_grad()
    def restore(self) -> None:
        for tensor, value in self.values:
            tensor.copy_(value)
        if self.torch_optimizer is not None:
            self.torch_optimizer.load_state_dict(self.torch_state)
