"""The names of Keras 1 and 2 that Keras 3 dropped, and what each of them is now.

`MODULES` and `RENAMED` hold what has an equal under another name: old code then runs. `GONE` holds what has
not, with what to write instead: old code then gets an error that says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from kerasish.errors import did_you_mean

# Old module → the module in which its names are now.
MODULES: dict[str, str] = {
    "keras.applications.mobilenetv2": "keras.applications.mobilenet_v2",
    "keras.backend.tensorflow_backend": "keras.backend",
    "keras.callbacks.callbacks": "keras.callbacks",
    "keras.callbacks.experimental": "keras.callbacks",
    "keras.callbacks.tensorboard_v1": "keras.callbacks",
    "keras.callbacks.tensorboard_v2": "keras.callbacks",
    "keras.dtensor": "keras.distribution",
    "keras.dtensor.experimental": "keras.distribution",
    "keras.engine": "keras.layers",
    "keras.engine.base_layer": "keras.layers",
    "keras.engine.functional": "keras.models",
    "keras.engine.input_layer": "keras.layers",
    "keras.engine.input_spec": "keras.layers",
    "keras.engine.network": "keras.models",
    "keras.engine.saving": "keras.models",
    "keras.engine.sequential": "keras.models",
    "keras.engine.topology": "keras.layers",
    "keras.engine.training": "keras.models",
    "keras.experimental": "keras.optimizers.schedules",
    "keras.legacy.layers": "keras.layers",
    "keras.metrics.experimental": "keras.metrics",
    "keras.mixed_precision.experimental": "keras.mixed_precision",
    "keras.models.experimental": "keras.models",
    "keras.objectives": "keras.losses",
    "keras.optimizer_v1": "keras.optimizers",
    "keras.optimizer_v2": "keras.optimizers",
    "keras.optimizer_v2.learning_rate_schedule": "keras.optimizers.schedules",
    "keras.optimizers.experimental": "keras.optimizers",
    "keras.optimizers.legacy": "keras.optimizers",
    "keras.utils.losses_utils": "keras.losses",
    "keras.utils.metrics_utils": "keras.metrics",
}
_LAYERS = (
    "advanced_activations convolutional convolutional_recurrent core cudnn_recurrent embeddings experimental "
    "experimental.preprocessing local merge noise normalization pooling recurrent wrappers"
)
_OPTIMIZERS = "adadelta adagrad adam adamax ftrl gradient_descent nadam rmsprop"
_UTILS = "data generic io layer multi_gpu np training vis"
MODULES |= {f"keras.layers.{name}": "keras.layers" for name in _LAYERS.split()}
MODULES |= {f"keras.optimizer_v2.{name}": "keras.optimizers" for name in _OPTIMIZERS.split()}
MODULES |= {f"keras.utils.{name}_utils": "keras.utils" for name in _UTILS.split()}


_IN_OPS = (
    "abs all any arange binary_crossentropy cast categorical_crossentropy clip cos dot elu equal exp eye "
    "greater greater_equal is_tensor less less_equal log logsumexp max maximum mean min minimum ndim "
    "not_equal ones ones_like prod reshape round shape sigmoid sign sin size slice softmax softplus "
    "softsign sparse_categorical_crossentropy sqrt square squeeze stack std stop_gradient sum tanh tile "
    "transpose var zeros zeros_like"
)
_IN_LEGACY_BACKEND = (
    "argmax argmin batch_dot batch_flatten batch_get_value batch_set_value cast_to_floatx concatenate "
    "count_params cumprod cumsum dtype expand_dims flatten gather hard_sigmoid identity in_top_k "
    "int_shape is_sparse is_variable l2_normalize moving_average_update one_hot print_tensor "
    "random_binomial random_normal_variable random_uniform_variable repeat set_value spatial_2d_padding "
    "switch temporal_padding update update_add update_sub"
)

# Namespace → old name → the same thing today; without a dot, in the same namespace.
RENAMED: dict[str, dict[str, str]] = {
    "keras.backend": {
        **{name: f"keras.ops.{name}" for name in _IN_OPS.split()},
        **{name: f"keras.legacy.backend.{name}" for name in _IN_LEGACY_BACKEND.split()},
        "binary_focal_crossentropy": "keras.losses.binary_focal_crossentropy",
        "categorical_focal_crossentropy": "keras.losses.categorical_focal_crossentropy",
        "constant": "keras.ops.convert_to_tensor",
        "conv1d": "keras.ops.conv",
        "conv2d": "keras.ops.conv",
        "conv3d": "keras.ops.conv",
        "depthwise_conv2d": "keras.ops.depthwise_conv",
        "dropout": "keras.random.dropout",
        "eval": "keras.ops.convert_to_numpy",
        "get_value": "keras.ops.convert_to_numpy",
        "is_placeholder": "is_keras_tensor",
        "map_fn": "keras.ops.map",
        "name_scope": "keras.name_scope",
        "permute_dimensions": "keras.ops.transpose",
        "pow": "keras.ops.power",
        "random_bernoulli": "keras.legacy.backend.random_binomial",
        "random_normal": "keras.random.normal",
        "random_uniform": "keras.random.uniform",
        "relu": "keras.activations.relu",
        "repeat_elements": "keras.ops.repeat",
        "reset_uids": "clear_session",
        "reverse": "keras.ops.flip",
        "separable_conv1d": "keras.ops.separable_conv",
        "separable_conv2d": "keras.ops.separable_conv",
        "truncated_normal": "keras.random.truncated_normal",
        "variable": "keras.Variable",
    },
    "keras.constraints": {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"},
    "keras.engine": {"Model": "keras.models.Model", "get_source_inputs": "keras.utils.get_source_inputs"},
    "keras.engine.network": {"Network": "keras.models.Model"},
    "keras.engine.topology": {
        "Container": "keras.models.Model",
        "Network": "keras.models.Model",
        "get_source_inputs": "keras.utils.get_source_inputs",
    },
    "keras.initializers": {
        "normal": "RandomNormal",
        "one": "Ones",
        "uniform": "RandomUniform",
        "zero": "Zeros",
    },
    "keras.layers": {
        "ConvRecurrent2D": "ConvLSTM2D",
        "CuDNNGRU": "GRU",
        "CuDNNLSTM": "LSTM",
        "Deconv2D": "Conv2DTranspose",
        "Deconv3D": "Conv3DTranspose",
        "Deconvolution2D": "Conv2DTranspose",
        "Deconvolution3D": "Conv3DTranspose",
        "deserialize_keras_object": "keras.utils.deserialize_keras_object",
    },
    "keras.layers.experimental": {"SyncBatchNormalization": "BatchNormalization"},
    "keras.layers.experimental.preprocessing": {"PreprocessingLayer": "Layer"},
    "keras.losses": {
        "KLD": "kl_divergence",
        "MAE": "mean_absolute_error",
        "MAPE": "mean_absolute_percentage_error",
        "MSE": "mean_squared_error",
        "MSLE": "mean_squared_logarithmic_error",
        "cosine": "cosine_similarity",
        "cosine_proximity": "cosine_similarity",
        "deserialize_keras_object": "keras.utils.deserialize_keras_object",
        "huber_loss": "huber",
        "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "logcosh": "log_cosh",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "mse": "mean_squared_error",
        "msle": "mean_squared_logarithmic_error",
        "serialize_keras_object": "keras.utils.serialize_keras_object",
    },
    "keras.metrics": {
        "KLD": "keras.losses.kl_divergence",
        "MAE": "keras.losses.mean_absolute_error",
        "MAPE": "keras.losses.mean_absolute_percentage_error",
        "MSE": "keras.losses.mean_squared_error",
        "MSLE": "keras.losses.mean_squared_logarithmic_error",
        "cosine": "keras.losses.cosine_similarity",
        "cosine_proximity": "keras.losses.cosine_similarity",
        "cosine_similarity": "keras.losses.cosine_similarity",
        "deserialize_keras_object": "keras.utils.deserialize_keras_object",
        "kld": "keras.losses.kl_divergence",
        "kullback_leibler_divergence": "keras.losses.kl_divergence",
        "logcosh": "keras.losses.log_cosh",
        "mae": "keras.losses.mean_absolute_error",
        "mape": "keras.losses.mean_absolute_percentage_error",
        "mse": "keras.losses.mean_squared_error",
        "msle": "keras.losses.mean_squared_logarithmic_error",
        "serialize_keras_object": "keras.utils.serialize_keras_object",
    },
    "keras.mixed_precision": {"set_policy": "set_global_policy"},
    "keras.models": {
        "Input": "keras.layers.Input",
        "InputLayer": "keras.layers.InputLayer",
        "Layer": "keras.layers.Layer",
    },
    "keras.optimizers": {
        "adadelta": "Adadelta",
        "adagrad": "Adagrad",
        "adam": "Adam",
        "adamax": "Adamax",
        "nadam": "Nadam",
        "rmsprop": "RMSprop",
        "sgd": "SGD",
    },
    "keras.preprocessing.image": {"flip_axis": "keras.ops.flip"},
    "keras.utils.data_utils": {"urlretrieve": "keras.utils.get_file"},
}

_REGNET = "torchvision.models.regnet_y_400mf and its kin"
_REGNET_SIZES = ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
_RESNET = "keras.applications.ResNet50 and its kin"
_TRAINING = "the `training` argument of `call`"
_NO_GRAPH = "nothing: there are no sessions and graphs here, every line runs at once. Leave the line out"
_READERS = "keras.utils.PyDataset or torch.utils.data.DataLoader"
_GENERATOR = (
    "keras.utils.image_dataset_from_directory with the layers RandomFlip, RandomRotation, RandomZoom, …"
)

# Namespace → old name → what to write instead.
GONE: dict[str, dict[str, str]] = {
    "keras": {"estimator": "keras.Model: estimators belonged to TensorFlow 1"},
    "keras.applications": {
        "keras_modules_injection": "nothing: leave it out",
        "regnet": _REGNET,
        "resnet_rs": _RESNET,
        **{f"RegNet{kind}{size}": _REGNET for kind in "XY" for size in _REGNET_SIZES},
        **{f"ResNetRS{depth}": _RESNET for depth in (50, 101, 152, 200, 270, 350, 420)},
    },
    "keras.backend": {
        "Function": "keras.Function",
        "batch_normalization": "keras.ops.batch_normalization(x, mean, variance, axis, offset, scale)",
        "bias_add": "x + bias",
        "control_dependencies": _NO_GRAPH,
        "conv2d_transpose": "keras.ops.conv_transpose(x, kernel, strides, padding)",
        "conv3d_transpose": "keras.ops.conv_transpose(x, kernel, strides, padding)",
        "ctc_batch_cost": "keras.ops.ctc_loss(target, output, target_length, output_length)",
        "ctc_decode": "keras.ops.ctc_decode(inputs, sequence_lengths)",
        "ctc_label_dense_to_sparse": "keras.ops.ctc_loss, which takes dense labels",
        "experimental": "keras.utils.set_random_seed",
        "eager": "nothing: everything runs eagerly",
        "foldl": "a Python loop, keras.ops.fori_loop or keras.ops.scan",
        "foldr": "a Python loop, keras.ops.fori_loop or keras.ops.scan",
        "function": "keras.Function(inputs, outputs) or keras.Model(inputs, outputs)",
        "get_session": _NO_GRAPH,
        "get_variable_shape": "tuple(variable.shape)",
        "gradients": "torch.autograd.grad(loss, variables)",
        "in_test_phase": _TRAINING,
        "in_train_phase": _TRAINING,
        "learning_phase": _TRAINING,
        "learning_phase_scope": _TRAINING,
        "local_conv1d": "keras.ops.einsum on windows of x",
        "local_conv2d": "keras.ops.einsum on windows of x",
        "manual_variable_initialization": _NO_GRAPH,
        "normalize_batch_in_training": "keras.ops.moments and keras.ops.batch_normalization",
        "normalize_data_format": "keras.config.image_data_format()",
        "placeholder": "keras.Input(shape)",
        "pool2d": "keras.ops.max_pool or keras.ops.average_pool",
        "pool3d": "keras.ops.max_pool or keras.ops.average_pool",
        "resize_images": "keras.ops.image.resize(x, (height, width), interpolation='nearest')",
        "resize_volumes": "keras.ops.repeat along each axis",
        "rnn": "keras.layers.RNN",
        "set_learning_phase": _TRAINING,
        "set_session": _NO_GRAPH,
        "spatial_3d_padding": "keras.ops.pad or keras.layers.ZeroPadding3D",
        "symbolic": "nothing: leave it out",
        "to_dense": "x.to_dense()",
    },
    "keras.callbacks": {
        "BaseLogger": "nothing: History averages the metrics. Leave it out",
        "SidecarEvaluatorModelExport": "keras.callbacks.ModelCheckpoint",
        "UpdateEmbeddingCallback": "a Callback with `on_epoch_end`",
    },
    "keras.constraints": {
        "RadialConstraint": "a subclass of keras.constraints.Constraint",
        "radial_constraint": "a subclass of keras.constraints.Constraint",
    },
    "keras.distribution": {
        "layout_map_scope": "keras.distribution.ModelParallel(layout_map=…).scope()",
    },
    "keras.layers": {
        "AbstractRNNCell": "a Layer with `state_size` and `call(inputs, states)`, in keras.layers.RNN",
        "AtrousConv1D": "keras.layers.Conv1D(dilation_rate=…)",
        "AtrousConv2D": "keras.layers.Conv2D(dilation_rate=…)",
        "AtrousConvolution1D": "keras.layers.Conv1D(dilation_rate=…)",
        "AtrousConvolution2D": "keras.layers.Conv2D(dilation_rate=…)",
        "CategoryCrossing": "keras.layers.HashedCrossing",
        "ConvLSTM2DCell": "keras.layers.ConvLSTM2D",
        "ConvRNN2D": "keras.layers.ConvLSTM2D",
        "DenseFeatures": "keras.utils.FeatureSpace",
        "DynamicEmbedding": "keras.layers.Embedding",
        "DynamicLookup": "keras.layers.IntegerLookup",
        "Highway": "a Layer: t * h(x) + (1 - t) * x with t = sigmoid(Dense(x))",
        "LocallyConnected1D": "a Layer with keras.ops.einsum, or Conv1D",
        "LocallyConnected2D": "a Layer with keras.ops.einsum, or Conv2D",
        "MaxoutDense": "Dense(units * features), Reshape((features, units)) and keras.ops.max(axis=1)",
        "Merge": "keras.layers.concatenate, add, multiply, …",
        "RandomFourierFeatures": "a Layer: sqrt(2 / n) * cos(x @ w + b) with random, frozen w and b",
        "RandomHeight": "keras.layers.RandomZoom(height_factor, width_factor=0.0)",
        "RandomWidth": "keras.layers.RandomZoom(0.0, width_factor)",
        "Recurrent": "keras.layers.RNN",
        "SequenceFeatures": "keras.utils.FeatureSpace",
        "ThresholdedReLU": "keras.layers.Lambda(lambda x: keras.ops.threshold(x, theta, 0))",
        "merge": "keras.layers.concatenate, add, multiply, …",
    },
    "keras.losses": {
        "LossFunctionWrapper": "a subclass of keras.losses.Loss with `call(y_true, y_pred)`",
        "Reduction": "the strings 'sum_over_batch_size', 'sum', 'mean', 'none'",
        "is_categorical_crossentropy": "isinstance(loss, keras.losses.CategoricalCrossentropy)",
    },
    "keras.metrics": {
        "Layer": "keras.metrics.Metric",
        "MeanRelativeError": "keras.metrics.MeanAbsolutePercentageError or a MeanMetricWrapper",
        "MeanTensor": "a Metric that adds to a variable of that shape",
        "PyMetric": "keras.metrics.Metric",
        "Reduce": "keras.metrics.Mean or keras.metrics.Sum",
        "SensitivitySpecificityBase": "keras.metrics.SensitivityAtSpecificity",
        "accuracy": "keras.metrics.Accuracy()",
        "clone_metric": "metric.from_config(metric.get_config())",
        "clone_metrics": "[m.from_config(m.get_config()) for m in metrics]",
    },
    "keras.mixed_precision": {"get_layer_policy": "layer.dtype_policy"},
    "keras.models": {
        "SharpnessAwareMinimization": "a Model with its own `train_step`",
        "has_arg": "inspect.signature",
        "model_from_config": "keras.Model.from_config(config)",
        "model_from_yaml": "keras.models.model_from_json: YAML files could run code",
        "load_weights_from_hdf5_group": "model.load_weights(path)",
        "load_weights_from_hdf5_group_by_name": "model.load_weights(path, by_name=True)",
        "preprocess_weights_for_loading": "model.load_weights(path), which does it",
        "save_weights_to_hdf5_group": "model.save_weights(path)",
        "pickle_model": "pickle.dumps(model)",
        "unpickle_model": "pickle.loads(content)",
    },
    "keras.optimizers": {
        "TFOptimizer": "an optimizer of keras.optimizers",
        "clip_norm": "the `clipnorm` argument of the optimizer",
    },
    "keras.optimizers.schedules": {
        "LinearModel": "keras.layers.Dense(units)",
        "PeepholeLSTMCell": "a cell of your own in keras.layers.RNN",
        "SequenceFeatures": "keras.utils.FeatureSpace",
        "SidecarEvaluator": "keras.callbacks.ModelCheckpoint, and evaluate() in another process",
        "WideDeepModel": "keras.layers.add([linear(x), deep(x)])",
    },
    "keras.preprocessing": {"text": "keras.layers.TextVectorization"},
    "keras.preprocessing.image": {
        "DataFrameIterator": _READERS,
        "DirectoryIterator": "keras.utils.image_dataset_from_directory",
        "ImageDataGenerator": _GENERATOR,
        "Iterator": _READERS,
        "NumpyArrayIterator": _READERS,
        "apply_affine_transform": "keras.ops.image.affine_transform",
        "apply_brightness_shift": "keras.layers.RandomBrightness",
        "apply_channel_shift": "x + shift",
        "apply_transform": "keras.ops.image.affine_transform",
        "list_pictures": "sorted(pathlib.Path(directory).rglob('*.png'))",
        "random_brightness": "keras.layers.RandomBrightness",
        "random_channel_shift": "x + shift",
        "random_rotation": "keras.layers.RandomRotation",
        "random_shear": "keras.layers.RandomShear",
        "random_shift": "keras.layers.RandomTranslation",
        "random_zoom": "keras.layers.RandomZoom",
        "transform_matrix_offset_center": "keras.ops.image.affine_transform",
    },
    "keras.preprocessing.sequence": {
        "TimeseriesGenerator": "keras.utils.timeseries_dataset_from_array",
        "make_sampling_table": "NumPy: word ranks by Zipf's law, Mikolov et al., 2013",
        "skipgrams": "NumPy: pairs of a word and its neighbours",
    },
    "keras.preprocessing.text": {
        "Tokenizer": "keras.layers.TextVectorization",
        "hashing_trick": "keras.layers.Hashing",
        "one_hot": "keras.layers.Hashing",
        "text_to_word_sequence": "keras.layers.TextVectorization",
        "tokenizer_from_json": "keras.layers.TextVectorization",
    },
    "keras.utils": {
        "GeneratorEnqueuer": _READERS,
        "H5Dict": "h5py.File",
        "h5dict": "h5py.File",
        "has_arg": "inspect.signature",
        "slice_arrays": "[array[start:stop] for array in arrays]",
        "to_list": "x if isinstance(x, list) else [x]",
        "HDF5Matrix": "h5py.File(path)[name], which fit() takes",
        "OrderedEnqueuer": _READERS,
        "SequenceEnqueuer": _READERS,
        "SidecarEvaluator": "keras.callbacks.ModelCheckpoint, and evaluate() in another process",
        "StepsPerExecutionTuner": "compile(steps_per_execution='auto')",
        "TimedThread": "threading.Timer",
        "ask_to_proceed_with_overwrite": "the `overwrite` argument of model.save",
        "count_params": "sum(weight.numel() for weight in weights)",
        "convert_all_kernels_in_model": "nothing: the kernels need no conversion. Leave it out",
        "experimental": "keras.utils.PyDataset",
        "get_test_data": "numpy.random",
        "multi_gpu_model": "keras.distribution.DataParallel",
        "print_summary": "model.summary()",
        "test_utils": "pytest and numpy.random",
        "to_ordinal": "(numpy.arange(num_classes - 1) < y[..., None]).astype('float32')",
        "validate_file": "hashlib.file_digest",
        "warmstart_embedding_matrix": "a NumPy array, row by row, in layer.set_weights",
    },
}


def find(namespace: str, name: str) -> Any:
    """Return what an old name of a namespace (`"keras.losses"`) is now.

    Raises:
        AttributeError: the name is gone (the message says what to write instead) or never was.
    """
    door = MODULES.get(namespace, namespace)
    for place in (namespace, door):
        target = RENAMED.get(place, {}).get(name)
        if target is not None:
            module, _, attribute = (target if "." in target else f"{place}.{target}").rpartition(".")
            return getattr(_import(MODULES.get(module, module)), attribute)
    if name not in GONE.get(namespace, {}):
        if f"{namespace}.{name}" in MODULES:
            return _import(MODULES[f"{namespace}.{name}"])
        if door != namespace and hasattr(_import(door), name):
            return getattr(_import(door), name)
    raise AttributeError(explain(namespace, name), name=name)


def explain(namespace: str, name: str) -> str:
    """The message for a name that a namespace has not: what to write instead, or the closest name."""
    door = MODULES.get(namespace, namespace)
    for place in (namespace, door):
        advice = GONE.get(place, {}).get(name)
        if advice is not None:
            return f"`{namespace}.{name}` is not in Keras 3. Use {advice}."
    hint = "" if name.startswith("_") else did_you_mean(name, dir(_import(door)))
    return f"module {namespace!r} has no attribute {name!r}.{hint}"


def module_getattr(namespace: str) -> Callable[[str], Any]:
    """The module-level `__getattr__` of a namespace: `__getattr__ = module_getattr("keras.losses")`."""

    def __getattr__(name: str) -> Any:
        return find(namespace, name)

    return __getattr__


def _import(module: str) -> Any:
    return importlib.import_module(module.replace("keras", "kerasish", 1))
