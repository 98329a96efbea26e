"""Methods and attributes of models and optimizers that have other names or arguments today."""

from __future__ import annotations

import libcst as cst

from kerasish.legacy import arguments
from kerasish.port.rewriting.calls import keywords, positional
from kerasish.port.rewriting.script import Script, dotted

# Method of Keras 2 → today's, the order of its first arguments, and its default of `verbose`.
GENERATOR_METHODS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "fit_generator": (
        "fit",
        ("x", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps"),
        None,
    ),
    "evaluate_generator": ("evaluate", ("x", "steps"), "0"),
    "predict_generator": ("predict", ("x", "steps"), "0"),
}
MODELS = ("keras.models.Sequential", "keras.Sequential", "keras.models.Model", "keras.Model")
OLD_LOGS = {"acc": "accuracy", "val_acc": "val_accuracy"}


class Models(cst.CSTVisitor):
    """Finds the variables that hold a Sequential model, and the width of its last layer where it is a number."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.metrics: set[str] = set()
        script.module.visit(self)
        script.logs_changed = "accuracy" in self.metrics and "acc" not in self.metrics

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) != 1 or not isinstance(node.value, cst.Call):
            return
        target = ".".join(dotted(node.targets[0].target) or [])
        if target and self.script.keras_name(node.value.func) in MODELS:
            layers = node.value.args[0].value if node.value.args else None
            last = layers.elements[-1].value if isinstance(layers, cst.List) and layers.elements else None
            self.script.models[target] = None if target in self.script.models else self._width(last)

    def visit_Call(self, node: cst.Call) -> None:
        chain = dotted(node.func)
        if chain is None or not node.args:
            return
        model = ".".join(chain[:-1])
        if chain[-1] == "add" and model in self.script.models:
            layer = node.args[0].value
            name = self.script.keras_name(layer.func) if isinstance(layer, cst.Call) else None
            is_activation = name is not None and name.endswith(".Activation")
            if not is_activation:
                self.script.models[model] = self._width(layer)
        if chain[-1] == "compile":
            metrics = keywords(node).get("metrics")
            chosen = metrics.value if metrics else node.args[2].value if len(node.args) > 2 else None
            for element in getattr(chosen, "elements", ()):
                if isinstance(element.value, cst.SimpleString):
                    self.metrics.add(str(element.value.evaluated_value))

    def _width(self, layer: cst.CSTNode | None) -> int | None:
        if not isinstance(layer, cst.Call) or not layer.args:
            return None
        if not (self.script.keras_name(layer.func) or "").endswith(".Dense"):
            return None
        given = keywords(layer)
        units = given.get("units") or given.get("output_dim") or layer.args[0]
        is_units = units.keyword is None or units.keyword.value in ("units", "output_dim")
        return int(units.value.value) if is_units and isinstance(units.value, cst.Integer) else None


def port_method_call(script: Script, call: cst.Call, func: cst.Attribute) -> None:
    """Rewrite a call of a method that Keras 2 had, or one with arguments that Keras 2 had."""
    name = func.attr.value
    if name in GENERATOR_METHODS and not script.is_bound(name):
        _port_generator_method(script, call, func, name)
    elif name == "fit":
        epochs = keywords(call).get("nb_epoch")
        if epochs is not None and epochs.keyword is not None:
            script.replace(epochs.keyword, "epochs")
            script.is_old = True
    elif name == "compile":
        _port_compile(script, call)
    elif name in ("predict_classes", "predict_proba") and ".".join(dotted(func.value) or []) in script.models:
        _port_prediction(script, call, func, name)
    elif name == "save_weights":
        _check_file_name(script, call)
    elif name == "to_yaml" and not call.args:
        script.report(call, "`to_yaml()` is no more, since reading YAML could run code. Use `to_json()`.")


def _check_file_name(script: Script, call: cst.Call) -> None:
    path = call.args[0].value if call.args else None
    text = path.evaluated_value if isinstance(path, cst.SimpleString) else None
    if isinstance(text, str) and not text.endswith((".h5", ".hdf5", ".weights.json", ".safetensors")):
        script.report(
            call,
            "`save_weights` writes no checkpoints of TensorFlow's: let the name end in '.weights.h5' or '.h5', here "
            "and where it is read.",
        )


def _port_generator_method(script: Script, call: cst.Call, func: cst.Attribute, name: str) -> None:
    today, order, verbose = GENERATOR_METHODS[name]
    args, given = positional(call)
    counted = sorted(given & set(arguments.SAMPLES))
    if args is None or counted or len(args) > len(order):
        for old in counted:
            script.report(
                call,
                f"`{old}` counts samples: write {arguments.SAMPLES[old]}=samples // batch_size, and run this again.",
            )
        if args is None or len(args) > len(order):
            script.report(
                call, f"`{name}` is `{today}` today, with other arguments behind the first: name them."
            )
        return
    script.replace(func.attr, today)
    script.is_old = True
    for arg, keyword in list(zip(args, order, strict=False))[1:]:
        script.insert(script.span(arg)[0], f"{keyword}=")
    for old, arg in keywords(call).items():
        new = "x" if old == "generator" else arguments.FIT.get(old, old)
        if arg.keyword is not None:
            script.replace(arg.keyword, new)
    if verbose is not None and "verbose" not in given and call.args:
        script.insert(script.span(call.args[-1])[1], f", verbose={verbose}")


def _port_compile(script: Script, call: cst.Call) -> None:
    args, given = positional(call)
    for name, (_, advice) in arguments.COMPILE.items():
        arg = keywords(call).get(name)
        if arg is None or not (args or given & {"optimizer", "loss"}):
            continue
        if name == "experimental_run_tf_function" or script.code(arg.value) == "None":
            script.remove_argument(call.args, call.args.index(arg))
        else:
            script.report(arg, f"`{name}` of compile is no more. Instead, {advice}.")
    if args is None or not 3 <= len(args) <= 4 or given & {"metrics", "loss_weights"}:
        return
    third = args[2].value
    if isinstance(third, (cst.List, cst.Tuple)) and any(
        isinstance(element.value, cst.SimpleString) for element in third.elements
    ):
        for arg, keyword in zip(args[2:], ("metrics", "loss_weights"), strict=False):
            script.insert(script.span(arg)[0], f"{keyword}=")
        script.is_old = True


def _port_prediction(script: Script, call: cst.Call, func: cst.Attribute, name: str) -> None:
    args, given = positional(call)
    width = script.models[".".join(dotted(func.value) or [])]
    if args is None or len(args) > 2 or not args or not given <= {"batch_size", "verbose"}:
        return
    if name == "predict_classes" and width is None:
        return
    script.replace(func.attr, "predict")
    script.is_old = True
    start, end = script.span(call)
    if "verbose" not in given:
        script.insert(script.span(call.args[-1])[1], ", verbose=0")
    if name == "predict_classes" and width == 1:
        script.insert(start, "(")
        script.insert(end, ' > 0.5).astype("int32")')
    elif name == "predict_classes":
        script.insert(end, ".argmax(axis=-1)")


NO_MORE = {
    "metrics_names": "`metrics_names` is ['loss', 'compile_metrics'], as in Keras 3. For values by name: "
    "evaluate(return_dict=True).",
    "compiled_loss": "`compiled_loss` is no more, as in Keras 3. Use compute_loss(x, y, y_pred, sample_weight).",
    "compiled_metrics": "`compiled_metrics` is no more, as in Keras 3. Use compute_metrics(x, y, y_pred, "
    "sample_weight), which updates them and returns their results.",
}


def port_attribute(script: Script, node: cst.Attribute) -> None:
    """`model.optimizer.lr` → `model.optimizer.learning_rate`."""
    if node.attr.value in NO_MORE and not script.is_bound(node.attr.value):
        script.report(node, NO_MORE[node.attr.value])
    if (
        node.attr.value == "lr"
        and isinstance(node.value, cst.Attribute)
        and node.value.attr.value == "optimizer"
    ):
        script.replace(node.attr, "learning_rate")
        script.is_old = True


def port_subscript(script: Script, node: cst.Subscript) -> None:
    """`history.history["acc"]` → `["accuracy"]`, where that is what the metric is called."""
    if not script.logs_changed or len(node.slice) != 1 or (dotted(node.value) or [""])[-1] != "history":
        return
    index = node.slice[0].slice
    if isinstance(index, cst.Index):
        port_log_name(script, index.value)


def port_log_name(script: Script, node: cst.BaseExpression) -> None:
    """`"val_acc"` → `"val_accuracy"`, in the quotes it has."""
    if isinstance(node, cst.SimpleString) and node.evaluated_value in OLD_LOGS and script.logs_changed:
        script.replace(node, f"{node.prefix}{node.quote}{OLD_LOGS[str(node.evaluated_value)]}{node.quote}")
        script.is_old = True
