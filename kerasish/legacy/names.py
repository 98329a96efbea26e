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
    "keras.dtensor.experimental.optimizers": "keras.optimizers",
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


_IN_LEGACY_BACKEND = (
    "Function abs all any arange argmax argmin batch_dot batch_flatten batch_get_value "
    "batch_normalization batch_set_value bias_add binary_crossentropy binary_focal_crossentropy cast "
    "cast_to_floatx categorical_crossentropy categorical_focal_crossentropy clip concatenate constant "
    "control_dependencies conv1d conv2d conv2d_transpose conv3d conv3d_transpose cos count_params "
    "ctc_batch_cost ctc_decode ctc_label_dense_to_sparse cumprod cumsum depthwise_conv2d dot dropout "
    "dtype eager elu equal eval exp expand_dims eye flatten foldl foldr function gather get_value "
    "get_variable_shape gradients greater greater_equal hard_sigmoid identity in_test_phase in_top_k "
    "in_train_phase int_shape is_placeholder is_sparse is_tensor is_variable l2_normalize learning_phase "
    "learning_phase_scope less less_equal local_conv1d local_conv2d log logsumexp "
    "manual_variable_initialization map_fn max maximum mean min minimum moving_average_update name_scope "
    "ndim normalize_batch_in_training normalize_data_format not_equal one_hot ones ones_like "
    "permute_dimensions placeholder pool2d pool3d pow print_tensor prod random_bernoulli random_binomial "
    "random_normal random_normal_variable random_uniform random_uniform_variable relu repeat "
    "repeat_elements reset_uids reshape resize_images resize_volumes reverse rnn round separable_conv1d "
    "separable_conv2d set_learning_phase set_value shape sigmoid sign sin size slice softmax softplus "
    "softsign sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square squeeze "
    "stack std stop_gradient sum switch symbolic tanh temporal_padding tile to_dense transpose "
    "truncated_normal update update_add update_sub var variable zeros zeros_like"
)

# Namespace → old name → the same thing today; without a dot, in the same namespace.
RENAMED: dict[str, dict[str, str]] = {
    "keras.backend": {name: f"keras.legacy.backend.{name}" for name in _IN_LEGACY_BACKEND.split()},
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
_NO_GRAPH = "nothing: there are no sessions and graphs here, every line runs at once. Leave the line out"
_READERS = "keras.utils.PyDataset or torch.utils.data.DataLoader"
_LOADING = "model.load_weights(path), which does it"
_OVERWRITE = "the `overwrite` argument of model.save"
_REDUCING = "a subclass of keras.losses.Loss, which weights and reduces what its `call` returns"
_THRESHOLDS = "keras.metrics.AUC, Precision or Recall with their `thresholds` and `top_k`"
_NODES = "model.layers and keras.utils.get_source_inputs"
_OWN_METRIC = "a subclass of keras.metrics.Metric, whose `update_state` and `result` need no wrapper"
_LIST = "x if isinstance(x, list) else [x]"
_DRAWING = "keras.utils.model_to_dot, whose result is a pydot graph"
_TESTS = "pytest and numpy.random"

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
        "experimental": "keras.utils.set_random_seed",
        "get_session": _NO_GRAPH,
        "image_dim_ordering": "keras.config.image_data_format(): 'channels_first' was 'th', 'channels_last' 'tf'",
        "set_image_dim_ordering": "keras.config.set_image_data_format: 'th' is 'channels_first', 'tf' 'channels_last'",
        "set_session": _NO_GRAPH,
    },
    "keras.backend.experimental": {
        "disable_tf_random_generator": "keras.utils.set_random_seed",
        "enable_tf_random_generator": "keras.utils.set_random_seed",
        "is_tf_random_generator_enabled": "keras.utils.set_random_seed",
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
    "keras.dtensor.experimental": {
        "layout_map_scope": "keras.distribution.ModelParallel(layout_map=…).scope()",
    },
    "keras.engine.base_layer": {
        "Node": _NODES,
        "disable_tracking": "nothing: only layers and variables are tracked. Leave it out",
    },
    "keras.engine.saving": {
        "allow_read_from_gcs": "keras.models.load_model on a local copy of the file",
        "allow_write_to_gcs": "model.save to a local file",
        "load_attributes_from_hdf5_group": "group.attrs of h5py",
        "save_attributes_to_hdf5_group": "group.attrs of h5py",
    },
    "keras.engine.topology": {
        "Node": _NODES,
        "ask_to_proceed_with_overwrite": _OVERWRITE,
        "count_params": "model.count_params()",
        "has_arg": "inspect.signature",
        "load_weights_from_hdf5_group": "model.load_weights(path)",
        "load_weights_from_hdf5_group_by_name": "model.load_weights(path, by_name=True)",
        "preprocess_weights_for_loading": _LOADING,
        "print_layer_summary": "model.summary()",
        "save_weights_to_hdf5_group": "model.save_weights(path)",
    },
    "keras.estimator": {"model_to_estimator": "the model itself: estimators belonged to TensorFlow 1"},
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
        "ask_to_proceed_with_overwrite": _OVERWRITE,
        "has_arg": "inspect.signature",
        "to_list": _LIST,
        "model_from_config": "keras.Model.from_config(config)",
        "model_from_yaml": "keras.models.model_from_json: YAML files could run code",
        "load_weights_from_hdf5_group": "model.load_weights(path)",
        "load_weights_from_hdf5_group_by_name": "model.load_weights(path, by_name=True)",
        "preprocess_weights_for_loading": _LOADING,
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
    "keras.preprocessing.image": {
        "apply_transform": "keras.preprocessing.image.apply_affine_transform",
        "list_pictures": "sorted(pathlib.Path(directory).rglob('*.png'))",
        "transform_matrix_offset_center": "keras.preprocessing.image.apply_affine_transform",
    },
    "keras.utils": {
        "GeneratorEnqueuer": _READERS,
        "H5Dict": "h5py.File",
        "h5dict": "h5py.File",
        "has_arg": "inspect.signature",
        "slice_arrays": "[array[start:stop] for array in arrays]",
        "to_list": _LIST,
        "HDF5Matrix": "h5py.File(path)[name], which fit() takes",
        "OrderedEnqueuer": _READERS,
        "SequenceEnqueuer": _READERS,
        "SidecarEvaluator": "keras.callbacks.ModelCheckpoint, and evaluate() in another process",
        "StepsPerExecutionTuner": "compile(steps_per_execution='auto')",
        "TimedThread": "threading.Timer",
        "ask_to_proceed_with_overwrite": _OVERWRITE,
        "count_params": "sum(weight.numel() for weight in weights)",
        "convert_all_kernels_in_model": "nothing: the kernels need no conversion. Leave it out",
        "experimental": "keras.utils.PyDataset",
        "get_test_data": "numpy.random",
        "multi_gpu_model": "keras.distribution.DataParallel",
        "print_summary": "model.summary()",
        "test_utils": _TESTS,
        "to_ordinal": "(numpy.arange(num_classes - 1) < y[..., None]).astype('float32')",
        "validate_file": "hashlib.file_digest",
        "warmstart_embedding_matrix": "a NumPy array, row by row, in layer.set_weights",
    },
    "keras.utils.data_utils": {
        "get_index": _READERS,
        "init_pool": _READERS,
        "init_pool_generator": _READERS,
        "next_sample": _READERS,
    },
    "keras.utils.experimental": {"DatasetCreator": "keras.utils.PyDataset"},
    "keras.utils.generic_utils": {
        "check_for_unexpected_keys": "set(given) - set(expected)",
        "func_dump": "a named function with keras.saving.register_keras_serializable: code in a file could do anything",
        "func_load": "a named function with keras.saving.register_keras_serializable: code in a file could do anything",
        "getargspec": "inspect.getfullargspec",
        "is_all_none": "all(x is None for x in values)",
        "object_list_uid": "', '.join(str(id(x)) for x in values)",
        "transpose_shape": "[shape[i] for i in (0, 2, 3, 1)]",
        "unpack_singleton": "x[0] if len(x) == 1 else x",
    },
    "keras.utils.io_utils": {
        "load_from_binary_h5py": "h5py.File(io.BytesIO(content))",
        "save_to_binary_h5py": "h5py.File(io.BytesIO(), 'w')",
    },
    "keras.utils.layer_utils": {
        "convert_dense_weights_data_format": "model.load_weights(path), and reorder the rows of the first Dense kernel",
    },
    "keras.utils.losses_utils": {
        "broadcast_weights": _REDUCING,
        "compute_weighted_loss": _REDUCING,
        "reduce_weighted_loss": _REDUCING,
        "squeeze_or_expand_dimensions": _REDUCING,
    },
    "keras.utils.metrics_utils": {
        "AUCCurve": "the strings 'ROC' and 'PR'",
        "AUCSummationMethod": "the strings 'interpolation', 'minoring' and 'majoring'",
        "ConfusionMatrix": "keras.metrics.TruePositives, FalsePositives, TrueNegatives and FalseNegatives",
        "Reduction": "keras.metrics.Mean or keras.metrics.Sum",
        "assert_thresholds_range": _THRESHOLDS,
        "filter_top_k": _THRESHOLDS,
        "parse_init_thresholds": _THRESHOLDS,
        "result_wrapper": _OWN_METRIC,
        "to_list": _LIST,
        "update_confusion_matrix_variables": _THRESHOLDS,
        "update_state_wrapper": _OWN_METRIC,
        "weighted_assign_add": "variable.assign_add(weight * values)",
    },
    "keras.utils.test_utils": {
        "get_test_data": _TESTS,
        "keras_test": _TESTS,
        "layer_test": _TESTS,
        "tf_file_io_proxy": _TESTS,
    },
    "keras.utils.vis_utils": {
        "add_edge": _DRAWING,
        "is_model": "isinstance(layer, keras.Model)",
        "is_wrapped_model": "isinstance(layer.layer, keras.Model)",
    },
    "keras.wrappers": {  # what SciKeras has in its `utils`
        "ClassifierLabelEncoder": "KerasClassifier, which encodes labels itself and takes any scikit-learn "
        "transformer as `target_encoder`",
        "RegressorTargetEncoder": "KerasRegressor, which takes any scikit-learn transformer as `target_encoder`",
        "TargetReshaper": "sklearn.preprocessing.FunctionTransformer",
        "loss_name": "keras.losses.get",
        "metric_name": "keras.metrics.get",
        "tensorflow_random_state": "keras.utils.set_random_seed, or `random_state` of the estimator",
    },
}


# Function of keras.backend → today's function, which computes the same from the same positional arguments.
_SAME_IN_OPS = (
    "abs all any arange argmax argmin cast clip concatenate cos cumprod cumsum equal exp expand_dims greater "
    "greater_equal less less_equal log logsumexp max maximum mean min minimum not_equal ones_like prod reshape "
    "round sigmoid sign sin softmax softplus softsign square squeeze stack std stop_gradient sum tanh tile "
    "transpose var zeros_like"
)
BACKEND_TODAY: dict[str, str] = {
    **{name: f"keras.ops.{name}" for name in _SAME_IN_OPS.split()},
    "clear_session": "keras.utils.clear_session",
    "epsilon": "keras.config.epsilon",
    "floatx": "keras.config.floatx",
    "image_data_format": "keras.config.image_data_format",
    "permute_dimensions": "keras.ops.transpose",
    "pow": "keras.ops.power",
    "set_epsilon": "keras.config.set_epsilon",
    "set_floatx": "keras.config.set_floatx",
    "set_image_data_format": "keras.config.set_image_data_format",
}
# Those of them that have another default for `axis`.
BACKEND_OWN_AXIS = frozenset(("argmax", "argmin", "concatenate", "cumprod", "cumsum", "expand_dims"))

# Namespace → name of Keras 3 that needs another backend → what to do instead.
OF_OTHER_BACKENDS: dict[str, dict[str, str]] = {
    "keras.callbacks": {
        "OrbaxCheckpoint": "use ModelCheckpoint, or BackupAndRestore for interrupted trainings",
    },
    "keras.layers": {
        "FlaxLayer": "port the module to torch and use it as it is: every `torch.nn.Module` is a layer here",
        "JaxLayer": "write the function with torch in a `Lambda`, or in the `call` of a layer of your own",
        "TFSMLayer": "load the SavedModel in TensorFlow and copy its weights by `set_weights` into the same layers",
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
    advice = OF_OTHER_BACKENDS.get(namespace, {}).get(name)
    if advice is not None:
        return f"`{namespace}.{name}` needs another backend than PyTorch. Instead, {advice}."
    hint = "" if name.startswith("_") else did_you_mean(name, dir(_import(door)))
    return f"module {namespace!r} has no attribute {name!r}.{hint}"


def module_getattr(namespace: str) -> Callable[[str], Any]:
    """The module-level `__getattr__` of a namespace: `__getattr__ = module_getattr("keras.losses")`."""

    def __getattr__(name: str) -> Any:
        return find(namespace, name)

    return __getattr__


def _import(module: str) -> Any:
    return importlib.import_module(module.replace("keras", "kerasish", 1))
