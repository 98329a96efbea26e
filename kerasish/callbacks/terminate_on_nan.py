"""`TerminateOnNaN`: end the training when the loss is no longer a number."""

from __future__ import annotations

import math
from typing import Any

from kerasish.callbacks.callback import Callback
from kerasish.utils.progbar import print_message


class TerminateOnNaN(Callback):
    """Stops after the batch that makes the loss NaN or infinite.

    Args:
        raise_error: raise `RuntimeError` at once, instead of ending the training in the ordinary way.

    Reads the loss after every batch, which on a GPU makes every step wait for its end.

    Raises:
        RuntimeError: `raise_error` and the loss is NaN or infinite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = None if logs is None else logs.get("loss")
        if loss is None or math.isfinite(loss.sum() if getattr(loss, "ndim", 0) else loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        print_message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
