"""Neural network operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish.doors import lazy_door as _lazy_door

if TYPE_CHECKING:
    from kerasish.ops.nn.activations import celu as celu
    from kerasish.ops.nn.activations import elu as elu
    from kerasish.ops.nn.activations import gelu as gelu
    from kerasish.ops.nn.activations import glu as glu
    from kerasish.ops.nn.activations import hard_shrink as hard_shrink
    from kerasish.ops.nn.activations import hard_sigmoid as hard_sigmoid
    from kerasish.ops.nn.activations import hard_silu as hard_silu
    from kerasish.ops.nn.activations import hard_swish as hard_swish
    from kerasish.ops.nn.activations import hard_tanh as hard_tanh
    from kerasish.ops.nn.activations import leaky_relu as leaky_relu
    from kerasish.ops.nn.activations import log_sigmoid as log_sigmoid
    from kerasish.ops.nn.activations import log_softmax as log_softmax
    from kerasish.ops.nn.activations import relu as relu
    from kerasish.ops.nn.activations import relu6 as relu6
    from kerasish.ops.nn.activations import selu as selu
    from kerasish.ops.nn.activations import sigmoid as sigmoid
    from kerasish.ops.nn.activations import silu as silu
    from kerasish.ops.nn.activations import soft_shrink as soft_shrink
    from kerasish.ops.nn.activations import softmax as softmax
    from kerasish.ops.nn.activations import softplus as softplus
    from kerasish.ops.nn.activations import softsign as softsign
    from kerasish.ops.nn.activations import sparse_plus as sparse_plus
    from kerasish.ops.nn.activations import sparse_sigmoid as sparse_sigmoid
    from kerasish.ops.nn.activations import sparsemax as sparsemax
    from kerasish.ops.nn.activations import squareplus as squareplus
    from kerasish.ops.nn.activations import swish as swish
    from kerasish.ops.nn.activations import tanh_shrink as tanh_shrink
    from kerasish.ops.nn.activations import threshold as threshold
    from kerasish.ops.nn.attention import dot_product_attention as dot_product_attention
    from kerasish.ops.nn.convolution import conv as conv
    from kerasish.ops.nn.convolution import conv_transpose as conv_transpose
    from kerasish.ops.nn.convolution import depthwise_conv as depthwise_conv
    from kerasish.ops.nn.convolution import separable_conv as separable_conv
    from kerasish.ops.nn.crossentropy import binary_crossentropy as binary_crossentropy
    from kerasish.ops.nn.crossentropy import categorical_crossentropy as categorical_crossentropy
    from kerasish.ops.nn.crossentropy import (
        sparse_categorical_crossentropy as sparse_categorical_crossentropy,
    )
    from kerasish.ops.nn.ctc import ctc_decode as ctc_decode
    from kerasish.ops.nn.ctc import ctc_loss as ctc_loss
    from kerasish.ops.nn.encoding import depth_to_space as depth_to_space
    from kerasish.ops.nn.encoding import fold as fold
    from kerasish.ops.nn.encoding import multi_hot as multi_hot
    from kerasish.ops.nn.encoding import one_hot as one_hot
    from kerasish.ops.nn.encoding import space_to_depth as space_to_depth
    from kerasish.ops.nn.encoding import unfold as unfold
    from kerasish.ops.nn.normalization import batch_normalization as batch_normalization
    from kerasish.ops.nn.normalization import layer_normalization as layer_normalization
    from kerasish.ops.nn.normalization import moments as moments
    from kerasish.ops.nn.normalization import normalize as normalize
    from kerasish.ops.nn.normalization import rms_normalization as rms_normalization
    from kerasish.ops.nn.pooling import adaptive_average_pool as adaptive_average_pool
    from kerasish.ops.nn.pooling import adaptive_max_pool as adaptive_max_pool
    from kerasish.ops.nn.pooling import average_pool as average_pool
    from kerasish.ops.nn.pooling import max_pool as max_pool
    from kerasish.ops.nn.signals import polar as polar
    from kerasish.ops.nn.signals import psnr as psnr

__getattr__, __dir__ = _lazy_door(__name__)
