"""kerasish: the Keras API on PyTorch, directly.

Every layer is a `torch.nn.Module`, every weight a `torch.nn.Parameter`. Names, arguments and defaults are Keras 3's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish import activations as activations
from kerasish import callbacks as callbacks
from kerasish import config as config
from kerasish import constraints as constraints
from kerasish import dtype_policies as dtype_policies
from kerasish import initializers as initializers
from kerasish import layers as layers
from kerasish import losses as losses
from kerasish import metrics as metrics
from kerasish import models as models
from kerasish import optimizers as optimizers
from kerasish import random as random
from kerasish import regularizers as regularizers
from kerasish import saving as saving
from kerasish import tree as tree
from kerasish.config import device as device
from kerasish.doors import lazy_door as _lazy_door
from kerasish.dtype_policies import DTypePolicy as DTypePolicy
from kerasish.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
from kerasish.initializers import Initializer as Initializer
from kerasish.layers.core.input_layer import Input as Input
from kerasish.layers.input_spec import InputSpec as InputSpec
from kerasish.layers.layer import Layer as Layer
from kerasish.losses.loss import Loss as Loss
from kerasish.metrics.metric import Metric as Metric
from kerasish.models.model import Model as Model
from kerasish.models.sequential import Sequential as Sequential
from kerasish.naming import name_scope as name_scope
from kerasish.optimizers.optimizer import Optimizer as Optimizer
from kerasish.regularizers import Regularizer as Regularizer
from kerasish.symbolic import KerasTensor as KerasTensor
from kerasish.symbolic import Operation as Operation
from kerasish.variable import Variable as Variable
from kerasish.version import __version__ as __version__
from kerasish.version import version as version

if TYPE_CHECKING:
    from kerasish import backend as backend
    from kerasish import datasets as datasets
    from kerasish import mixed_precision as mixed_precision
    from kerasish import model_selection as model_selection
    from kerasish import ops as ops
    from kerasish import preprocessing as preprocessing
    from kerasish import utils as utils
    from kerasish import wrappers as wrappers
    from kerasish.port.aliases import install_aliases as install_aliases
    from kerasish.port.aliases import load_ipython_extension as load_ipython_extension

__getattr__, __dir__ = _lazy_door(__name__)
