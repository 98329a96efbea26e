"""The functions of Keras 2's `keras.backend`, with its argument names, defaults and results."""

from __future__ import annotations

from kerasish.legacy.backend.crossentropy import binary_crossentropy as binary_crossentropy
from kerasish.legacy.backend.crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from kerasish.legacy.backend.crossentropy import categorical_crossentropy as categorical_crossentropy
from kerasish.legacy.backend.crossentropy import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from kerasish.legacy.backend.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from kerasish.legacy.backend.elementwise import argmax as argmax
from kerasish.legacy.backend.elementwise import argmin as argmin
from kerasish.legacy.backend.elementwise import clip as clip
from kerasish.legacy.backend.elementwise import cumprod as cumprod
from kerasish.legacy.backend.elementwise import cumsum as cumsum
from kerasish.legacy.backend.elementwise import equal as equal
from kerasish.legacy.backend.elementwise import greater as greater
from kerasish.legacy.backend.elementwise import greater_equal as greater_equal
from kerasish.legacy.backend.elementwise import hard_sigmoid as hard_sigmoid
from kerasish.legacy.backend.elementwise import in_top_k as in_top_k
from kerasish.legacy.backend.elementwise import l2_normalize as l2_normalize
from kerasish.legacy.backend.elementwise import less as less
from kerasish.legacy.backend.elementwise import less_equal as less_equal
from kerasish.legacy.backend.elementwise import maximum as maximum
from kerasish.legacy.backend.elementwise import minimum as minimum
from kerasish.legacy.backend.elementwise import not_equal as not_equal
from kerasish.legacy.backend.elementwise import pow as pow
from kerasish.legacy.backend.elementwise import relu as relu
from kerasish.legacy.backend.elementwise import sqrt as sqrt
from kerasish.legacy.backend.graphs import Function as Function
from kerasish.legacy.backend.graphs import control_dependencies as control_dependencies
from kerasish.legacy.backend.graphs import eager as eager
from kerasish.legacy.backend.graphs import function as function
from kerasish.legacy.backend.graphs import gradients as gradients
from kerasish.legacy.backend.graphs import in_test_phase as in_test_phase
from kerasish.legacy.backend.graphs import in_train_phase as in_train_phase
from kerasish.legacy.backend.graphs import is_placeholder as is_placeholder
from kerasish.legacy.backend.graphs import learning_phase as learning_phase
from kerasish.legacy.backend.graphs import learning_phase_scope as learning_phase_scope
from kerasish.legacy.backend.graphs import manual_variable_initialization as manual_variable_initialization
from kerasish.legacy.backend.graphs import normalize_data_format as normalize_data_format
from kerasish.legacy.backend.graphs import placeholder as placeholder
from kerasish.legacy.backend.graphs import reset_uids as reset_uids
from kerasish.legacy.backend.graphs import set_learning_phase as set_learning_phase
from kerasish.legacy.backend.graphs import symbolic as symbolic
from kerasish.legacy.backend.network import batch_normalization as batch_normalization
from kerasish.legacy.backend.network import conv1d as conv1d
from kerasish.legacy.backend.network import conv2d as conv2d
from kerasish.legacy.backend.network import conv2d_transpose as conv2d_transpose
from kerasish.legacy.backend.network import conv3d as conv3d
from kerasish.legacy.backend.network import conv3d_transpose as conv3d_transpose
from kerasish.legacy.backend.network import depthwise_conv2d as depthwise_conv2d
from kerasish.legacy.backend.network import local_conv1d as local_conv1d
from kerasish.legacy.backend.network import local_conv2d as local_conv2d
from kerasish.legacy.backend.network import normalize_batch_in_training as normalize_batch_in_training
from kerasish.legacy.backend.network import pool2d as pool2d
from kerasish.legacy.backend.network import pool3d as pool3d
from kerasish.legacy.backend.network import separable_conv1d as separable_conv1d
from kerasish.legacy.backend.network import separable_conv2d as separable_conv2d
from kerasish.legacy.backend.sequences import ctc_batch_cost as ctc_batch_cost
from kerasish.legacy.backend.sequences import ctc_decode as ctc_decode
from kerasish.legacy.backend.sequences import ctc_label_dense_to_sparse as ctc_label_dense_to_sparse
from kerasish.legacy.backend.sequences import foldl as foldl
from kerasish.legacy.backend.sequences import foldr as foldr
from kerasish.legacy.backend.sequences import map_fn as map_fn
from kerasish.legacy.backend.sequences import rnn as rnn
from kerasish.legacy.backend.shaping import batch_dot as batch_dot
from kerasish.legacy.backend.shaping import batch_flatten as batch_flatten
from kerasish.legacy.backend.shaping import bias_add as bias_add
from kerasish.legacy.backend.shaping import concatenate as concatenate
from kerasish.legacy.backend.shaping import count_params as count_params
from kerasish.legacy.backend.shaping import dot as dot
from kerasish.legacy.backend.shaping import dtype as dtype
from kerasish.legacy.backend.shaping import expand_dims as expand_dims
from kerasish.legacy.backend.shaping import flatten as flatten
from kerasish.legacy.backend.shaping import gather as gather
from kerasish.legacy.backend.shaping import int_shape as int_shape
from kerasish.legacy.backend.shaping import is_sparse as is_sparse
from kerasish.legacy.backend.shaping import one_hot as one_hot
from kerasish.legacy.backend.shaping import permute_dimensions as permute_dimensions
from kerasish.legacy.backend.shaping import repeat as repeat
from kerasish.legacy.backend.shaping import repeat_elements as repeat_elements
from kerasish.legacy.backend.shaping import reshape as reshape
from kerasish.legacy.backend.shaping import resize_images as resize_images
from kerasish.legacy.backend.shaping import resize_volumes as resize_volumes
from kerasish.legacy.backend.shaping import reverse as reverse
from kerasish.legacy.backend.shaping import size as size
from kerasish.legacy.backend.shaping import slice as slice
from kerasish.legacy.backend.shaping import spatial_2d_padding as spatial_2d_padding
from kerasish.legacy.backend.shaping import spatial_3d_padding as spatial_3d_padding
from kerasish.legacy.backend.shaping import switch as switch
from kerasish.legacy.backend.shaping import temporal_padding as temporal_padding
from kerasish.legacy.backend.shaping import tile as tile
from kerasish.legacy.backend.shaping import to_dense as to_dense
from kerasish.legacy.backend.variables import arange as arange
from kerasish.legacy.backend.variables import batch_get_value as batch_get_value
from kerasish.legacy.backend.variables import batch_set_value as batch_set_value
from kerasish.legacy.backend.variables import cast_to_floatx as cast_to_floatx
from kerasish.legacy.backend.variables import constant as constant
from kerasish.legacy.backend.variables import dropout as dropout
from kerasish.legacy.backend.variables import eval as eval
from kerasish.legacy.backend.variables import eye as eye
from kerasish.legacy.backend.variables import get_value as get_value
from kerasish.legacy.backend.variables import get_variable_shape as get_variable_shape
from kerasish.legacy.backend.variables import identity as identity
from kerasish.legacy.backend.variables import is_variable as is_variable
from kerasish.legacy.backend.variables import moving_average_update as moving_average_update
from kerasish.legacy.backend.variables import ones as ones
from kerasish.legacy.backend.variables import ones_like as ones_like
from kerasish.legacy.backend.variables import print_tensor as print_tensor
from kerasish.legacy.backend.variables import random_bernoulli as random_bernoulli
from kerasish.legacy.backend.variables import random_binomial as random_binomial
from kerasish.legacy.backend.variables import random_normal_variable as random_normal_variable
from kerasish.legacy.backend.variables import random_uniform_variable as random_uniform_variable
from kerasish.legacy.backend.variables import set_value as set_value
from kerasish.legacy.backend.variables import stop_gradient as stop_gradient
from kerasish.legacy.backend.variables import update as update
from kerasish.legacy.backend.variables import update_add as update_add
from kerasish.legacy.backend.variables import update_sub as update_sub
from kerasish.legacy.backend.variables import variable as variable
from kerasish.legacy.backend.variables import zeros as zeros
from kerasish.legacy.backend.variables import zeros_like as zeros_like
from kerasish.naming import name_scope as name_scope
from kerasish.ops.core import cast as cast
from kerasish.ops.core import is_tensor as is_tensor
from kerasish.ops.core import shape as shape
from kerasish.ops.math import logsumexp as logsumexp
from kerasish.ops.nn import elu as elu
from kerasish.ops.nn import sigmoid as sigmoid
from kerasish.ops.nn import softmax as softmax
from kerasish.ops.nn import softplus as softplus
from kerasish.ops.nn import softsign as softsign
from kerasish.ops.numpy import abs as abs
from kerasish.ops.numpy import all as all
from kerasish.ops.numpy import any as any
from kerasish.ops.numpy import cos as cos
from kerasish.ops.numpy import exp as exp
from kerasish.ops.numpy import log as log
from kerasish.ops.numpy import max as max
from kerasish.ops.numpy import mean as mean
from kerasish.ops.numpy import min as min
from kerasish.ops.numpy import ndim as ndim
from kerasish.ops.numpy import prod as prod
from kerasish.ops.numpy import round as round
from kerasish.ops.numpy import sign as sign
from kerasish.ops.numpy import sin as sin
from kerasish.ops.numpy import square as square
from kerasish.ops.numpy import squeeze as squeeze
from kerasish.ops.numpy import stack as stack
from kerasish.ops.numpy import std as std
from kerasish.ops.numpy import sum as sum
from kerasish.ops.numpy import tanh as tanh
from kerasish.ops.numpy import transpose as transpose
from kerasish.ops.numpy import var as var
from kerasish.random import normal as random_normal
from kerasish.random import truncated_normal as truncated_normal
from kerasish.random import uniform as random_uniform

__all__ = [
    "Function",
    "abs",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "batch_dot",
    "batch_flatten",
    "batch_get_value",
    "batch_normalization",
    "batch_set_value",
    "bias_add",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "cast",
    "cast_to_floatx",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "clip",
    "concatenate",
    "constant",
    "control_dependencies",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "cos",
    "count_params",
    "ctc_batch_cost",
    "ctc_decode",
    "ctc_label_dense_to_sparse",
    "cumprod",
    "cumsum",
    "depthwise_conv2d",
    "dot",
    "dropout",
    "dtype",
    "eager",
    "elu",
    "equal",
    "eval",
    "exp",
    "expand_dims",
    "eye",
    "flatten",
    "foldl",
    "foldr",
    "function",
    "gather",
    "get_value",
    "get_variable_shape",
    "gradients",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "identity",
    "in_test_phase",
    "in_top_k",
    "in_train_phase",
    "int_shape",
    "is_placeholder",
    "is_sparse",
    "is_tensor",
    "is_variable",
    "l2_normalize",
    "learning_phase",
    "learning_phase_scope",
    "less",
    "less_equal",
    "local_conv1d",
    "local_conv2d",
    "log",
    "logsumexp",
    "manual_variable_initialization",
    "map_fn",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moving_average_update",
    "name_scope",
    "ndim",
    "normalize_batch_in_training",
    "normalize_data_format",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "permute_dimensions",
    "placeholder",
    "pool2d",
    "pool3d",
    "pow",
    "print_tensor",
    "prod",
    "random_bernoulli",
    "random_binomial",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "relu",
    "repeat",
    "repeat_elements",
    "reset_uids",
    "reshape",
    "resize_images",
    "resize_volumes",
    "reverse",
    "rnn",
    "round",
    "separable_conv1d",
    "separable_conv2d",
    "set_learning_phase",
    "set_value",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "size",
    "slice",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "sum",
    "switch",
    "symbolic",
    "tanh",
    "temporal_padding",
    "tile",
    "to_dense",
    "transpose",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "var",
    "variable",
    "zeros",
    "zeros_like",
]


def __dir__() -> list[str]:
    return __all__
