"""Mixed precision by Keras 2's names."""

from kerasish.config import dtype_policy as dtype_policy
from kerasish.config import dtype_policy as global_policy
from kerasish.config import set_dtype_policy as set_dtype_policy
from kerasish.config import set_dtype_policy as set_global_policy
from kerasish.dtype_policies import DTypePolicy as DTypePolicy
from kerasish.dtype_policies import DTypePolicy as Policy
from kerasish.optimizers import LossScaleOptimizer as LossScaleOptimizer

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
    "set_global_policy",
]  # fmt: skip
