"""What a model was compiled with, from Keras 1 and 2 to Keras 3."""

from __future__ import annotations

from typing import Any

OWN_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")


def modern_compilation(training: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile`, as Keras 3 writes them, of what Keras 1 and 2 wrote."""
    metrics = {key: _metrics(training.get(key)) for key in ("metrics", "weighted_metrics")}
    others: dict[str, Any] = {
        key: training[key]
        for key in ("run_eagerly", "steps_per_execution", "jit_compile")
        if training.get(key) is not None
    }
    return {
        "optimizer": _optimizer(training["optimizer_config"]),
        "loss": _nested(training.get("loss"), _loss),
        "loss_weights": training.get("loss_weights"),
        **metrics,
        **others,
    }


def _nested(value: Any, change: Any) -> Any:
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _nested(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_nested(item, change) for item in value]
    return change(value)


def _function(name: str) -> dict[str, Any]:
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _is_own_object(value: Any) -> bool:
    """Whether it describes an object of Keras, not a function or an object of the user's."""
    if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
        return False
    module = value.get("module", "keras")
    return isinstance(module, str) and module.startswith(OWN_MODULES)


def _loss(value: Any) -> Any:
    if not _is_own_object(value):
        return value
    config = dict(value["config"])
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    function = config.pop("fn", None)
    if value["class_name"] == "LossFunctionWrapper" and function is not None:
        return function if isinstance(function, str) else function["config"]
    return {"module": "keras.losses", **value, "config": config}


def _metrics(value: Any) -> Any:
    """Metrics; Keras 2 writes a list of lists, one for each output."""
    value = _nested(value, _metric)
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list) else value


def _metric(value: Any) -> Any:
    if not _is_own_object(value):
        return value
    config = dict(value["config"])
    if value["class_name"] != "MeanMetricWrapper":
        config.pop("fn", None)
    elif isinstance(config.get("fn"), str):
        config["fn"] = _function(config["fn"])
    return {"module": "keras.metrics", **value, "config": config}


OPTIMIZER_ARGUMENTS_GONE = ("is_legacy_optimizer", "jit_compile", "schedule_decay", "dynamic_growth_steps")


def _optimizer(value: Any) -> Any:
    if not _is_own_object(value):
        return value
    name = value["class_name"].removeprefix("Custom>").removesuffix("V3")
    config = {k: v for k, v in value["config"].items() if k not in OPTIMIZER_ARGUMENTS_GONE}
    if name == "Nadam":
        config.pop("decay", None)  # not of the learning rate, but of the momentum
    if config.get("epsilon", 0) is None:
        config["epsilon"] = 1e-7
    if name == "LossScaleOptimizer":
        inner = _optimizer(config["inner_optimizer"])
        steps = value["config"].get("dynamic_growth_steps")
        config = {"inner_optimizer": inner, "initial_scale": config.get("initial_scale")}
        config |= {"dynamic_growth_steps": steps} if steps else {}
    config.setdefault("name", name.lower())
    config["name"] = config["name"].lower() if config["name"] == name else config["name"]
    return {"module": "keras.optimizers", "class_name": name, "config": config, "registered_name": None}
