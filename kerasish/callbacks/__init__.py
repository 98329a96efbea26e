"""Callbacks: objects that act at given moments of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish.doors import lazy_door as _lazy_door

if TYPE_CHECKING:
    from kerasish.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
    from kerasish.callbacks.callback import Callback as Callback
    from kerasish.callbacks.callback_list import CallbackList as CallbackList
    from kerasish.callbacks.csv_logger import CSVLogger as CSVLogger
    from kerasish.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from kerasish.callbacks.gradient_norm_logger import GradientNormLogger as GradientNormLogger
    from kerasish.callbacks.history import History as History
    from kerasish.callbacks.lambda_callback import LambdaCallback as LambdaCallback
    from kerasish.callbacks.learning_rate_finder import LearningRateFinder as LearningRateFinder
    from kerasish.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
    from kerasish.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
    from kerasish.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
    from kerasish.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
    from kerasish.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
    from kerasish.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
    from kerasish.callbacks.tensorboard import TensorBoard as TensorBoard
    from kerasish.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
    from kerasish.callbacks.time_limit import TimeLimit as TimeLimit
    from kerasish.callbacks.torch_lr_scheduler import TorchLRScheduler as TorchLRScheduler


__getattr__, __dir__ = _lazy_door(__name__)
