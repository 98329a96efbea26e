"""The training loop of an emitted file: what `compile` was given, in torch's names."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from kerasish import losses, metrics, optimizers, regularizers
from kerasish.layers import Layer
from kerasish.optimizers.schedules import LearningRateSchedule
from kerasish.port.pytorch.graphs import Emitted
from kerasish.port.pytorch.source import File, Refusal, layers_of, wrapped

LOOP = '''def train(model: {name}, loader, epochs: int = 1, device: str = "cpu") -> None:
    """Train on batches (x, y), as the Keras model was compiled."""
    model.to(device).train()
    optimizer = {optimizer}
    for epoch in range(epochs):
{counters}
        for {names}, y in loader:
{moves}
            y = y.to(device)
            output = model{method}({names})
            loss = {loss}
{penalty}            optimizer.zero_grad()
            loss.backward()
{clip}            optimizer.step()
            total += loss.item() * len(y)
{updates}            count += len(y)
        print({report})'''
REGRESSION = {"mean_squared_error": "mse_loss", "mean_absolute_error": "l1_loss"}
CLASSES = {
    losses.MeanSquaredError: "mean_squared_error", losses.MeanAbsoluteError: "mean_absolute_error",
    losses.Huber: "huber", losses.KLDivergence: "kl_divergence", losses.Poisson: "poisson",
    losses.SparseCategoricalCrossentropy: "sparse_categorical_crossentropy",
    losses.CategoricalCrossentropy: "categorical_crossentropy", losses.BinaryCrossentropy: "binary_crossentropy",
}  # fmt: skip


class Training(NamedTuple):
    """The text of `train`, and whether it uses a method `logits`."""

    text: str
    has_logits: bool


def training_text(model: Any, emitted: Emitted, file: File) -> Training:
    """The function `train` of a compiled model; what it cannot do is said in the head of the file."""
    if not model.compiled:
        return Training("", False)
    try:
        if len(emitted.graph.outputs) != 1 or isinstance(emitted.outputs, (dict, list, tuple)):
            raise Refusal("the model has several outputs")
        optimizer, clip = optimizer_text(model.optimizer)
        if type(model.optimizer).__name__ in ("RMSprop", "Adagrad", "Nadam"):
            file.note(f"torch's {type(model.optimizer).__name__} adds `eps` at another place than Keras's.")
        loss, has_logits = loss_text(model.loss, emitted.outputs.logits)
        penalty = penalty_text(model, emitted)
        metric_updates, metric_names = metric_text(model, has_logits, file)
    except Refusal as error:
        file.note(f"No training loop: {error}.")
        return Training("", False)
    inputs = list(emitted.inputs.values())
    names = inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})"
    moves = "\n".join(f"            {name} = {name}.to(device)" for name in inputs)
    counters = "        total, count = 0.0, 0"
    updates, report = "", 'f"epoch {epoch + 1}: loss {total / count:.4f}"'
    if metric_names:
        counters += f"\n        {' = '.join(metric_names)} = 0.0"
        updates = "".join(f"            {line}\n" for line in metric_updates)
        shown = ", ".join(f"{name} {{{name} / count:.4f}}" for name in metric_names)
        report = f'f"epoch {{epoch + 1}}: loss {{total / count:.4f}}", f"{shown}"'
    text = LOOP.format(
        name=emitted.body.name, optimizer=optimizer, counters=counters, names=names, moves=moves,
        method=".logits" if has_logits else "", loss=loss, penalty=penalty, updates=updates, report=report,
        clip=f"            {clip}\n" if clip else "",
    )  # fmt: skip
    text = text.replace(
        f"model{'.logits' if has_logits else ''}({names})",
        f"model{'.logits' if has_logits else ''}({', '.join(inputs)})",
    )
    return Training("\n".join(map(wrapped, text.split("\n"))), has_logits)


def optimizer_text(optimizer: Any) -> tuple[str, str]:
    """The optimizer of torch, and the line that clips gradients."""
    if optimizer is None or not isinstance(optimizer, optimizers.Optimizer):
        torch_optimizer = getattr(optimizer, "torch_optimizer", None)
        name = type(torch_optimizer or optimizer).__name__
        raise Refusal(f"the optimizer {name} is torch's already, made by a function of yours")
    if isinstance(optimizer._learning_rate, LearningRateSchedule):
        raise Refusal(f"the learning rate is a schedule, {type(optimizer._learning_rate).__name__}")
    for setting in ("use_ema", "gradient_accumulation_steps", "global_clipnorm", "clipnorm"):
        if getattr(optimizer, setting, None) and setting in (
            "use_ema",
            "gradient_accumulation_steps",
            "clipnorm",
        ):
            raise Refusal(f"the optimizer has `{setting}`, which torch's have not")
    optimizer = cast(Any, optimizer)
    rate = float(f"{float(optimizer.learning_rate):.7g}")
    decay = optimizer.weight_decay
    kind = type(optimizer).__name__
    arguments = [f"lr={rate}"]
    if kind in ("Adam", "AdamW", "Adamax", "Nadam"):
        arguments += [f"betas=({optimizer.beta_1}, {optimizer.beta_2})", f"eps={optimizer.epsilon}"]
        arguments += ["amsgrad=True"] if getattr(optimizer, "amsgrad", False) else []
        name = {"Adam": "AdamW" if decay else "Adam", "Nadam": "NAdam"}.get(kind, kind)
        if decay is not None and decay is not False:
            arguments.append(f"weight_decay={decay}")
            arguments += ["decoupled_weight_decay=True"] if name == "NAdam" else []
            if name == "Adamax":
                raise Refusal("Adamax with `weight_decay` has no counterpart in torch")
    elif decay:
        raise Refusal(f"{kind} with decoupled `weight_decay` has no counterpart in torch")
    elif kind == "SGD":
        name = kind
        if optimizer.momentum:
            arguments.append(f"momentum={optimizer.momentum}")
        arguments += ["nesterov=True"] if optimizer.nesterov else []
    elif kind == "RMSprop":
        name = kind
        arguments += [f"alpha={optimizer.rho}", f"eps={optimizer.epsilon}"]
        arguments += [f"momentum={optimizer.momentum}"] if optimizer.momentum else []
        arguments += ["centered=True"] if optimizer.centered else []
    elif kind == "Adagrad":
        name = kind
        arguments += [
            f"initial_accumulator_value={optimizer.initial_accumulator_value}", f"eps={optimizer.epsilon}",
        ]  # fmt: skip
    elif kind == "Adadelta":
        name = kind
        arguments += [f"rho={optimizer.rho}", f"eps={optimizer.epsilon}"]
    else:
        raise Refusal(f"the optimizer {kind} has no counterpart in torch")
    clip = ""
    if optimizer.global_clipnorm:
        clip = f"nn.utils.clip_grad_norm_(model.parameters(), {optimizer.global_clipnorm})"
    elif optimizer.clipvalue:
        clip = f"nn.utils.clip_grad_value_(model.parameters(), {optimizer.clipvalue})"
    return f"torch.optim.{name}(model.parameters(), {', '.join(arguments)})", clip


def _loss_name(loss: Any) -> str:
    return CLASSES.get(type(loss), getattr(loss, "__name__", type(loss).__name__))


def loss_text(loss: Any, logits: Any) -> tuple[str, bool]:
    """The loss of `output` and `y`; True where `output` are the logits."""
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if loss is None:
        raise Refusal("no loss was given to `compile`")
    given = losses.get(loss)
    name = _loss_name(given)
    if getattr(given, "reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "mean"):
        raise Refusal(f"the loss {name} has reduction={given.reduction!r}")
    settings = given.get_config() if isinstance(given, losses.Loss) else {}
    if name in REGRESSION:
        return f"F.{REGRESSION[name]}(output, y.reshape(output.shape).float())", False
    if name == "huber":
        return (
            f"F.huber_loss(output, y.reshape(output.shape).float(), delta={settings.get('delta', 1.0)})",
            False,
        )
    if "crossentropy" not in name:
        raise Refusal(f"the loss {name} has no counterpart in torch")
    smoothing = settings.get("label_smoothing", 0.0)
    if settings.get("ignore_class") is not None or settings.get("axis", -1) != -1:
        raise Refusal(f"the loss {name} has `ignore_class` or `axis`")
    from_logits = bool(settings.get("from_logits", False))
    activation = "sigmoid" if name.startswith("binary") else "softmax"
    has_logits = not from_logits and logits is not None and logits[1] == activation
    exact = from_logits or has_logits
    if name == "binary_crossentropy":
        target = "y.reshape(output.shape).float()"
        target = f"({target} * {1 - smoothing} + {smoothing / 2})" if smoothing else target
        if exact:
            return f"F.binary_cross_entropy_with_logits(output, {target})", has_logits
        return f"F.binary_cross_entropy(output.clamp(1e-7, 1 - 1e-7), {target})", False
    smooth = f", label_smoothing={smoothing}" if smoothing else ""
    scores = "output" if exact else "output.clamp(1e-7, 1 - 1e-7).log()"
    if len(logits[0].shape) != 2 if logits is not None else False:
        scores = f"{scores}.flatten(0, -2)"
    if name == "sparse_categorical_crossentropy":
        return f"F.cross_entropy({scores}, y.reshape(-1).long())", has_logits
    return f"F.cross_entropy({scores}, y.reshape(-1, output.shape[-1]).float(){smooth})", has_logits


def penalty_text(model: Any, emitted: Emitted) -> str:
    """Lines that add the penalties of weights to the loss."""
    keys: dict[int, str] = {}
    for weight in emitted.body.weights:
        if len(weight.sources) == 1 and not weight.is_summand:
            keys.setdefault(id(weight.sources[0]), weight.key)
    terms = []
    for layer in layers_of(model):
        if getattr(layer, "activity_regularizer", None) is not None:
            raise Refusal(f"layer {layer.name!r} has an `activity_regularizer`")
        for variable in layer._own_variables() if isinstance(layer, Layer) else ():
            if getattr(variable, "constraint", None) is not None:
                raise Refusal(f"weight {variable.path!r} has a constraint")
            regularizer = variable.regularizer
            if regularizer is None:
                continue
            key = keys.get(id(variable))
            amounts = {k: float(getattr(regularizer, k, 0.0) or 0.0) for k in ("l1", "l2")}
            if key is None or type(regularizer) not in (regularizers.L1, regularizers.L2, regularizers.L1L2):
                raise Refusal(f"weight {variable.path!r} has the penalty {type(regularizer).__name__}")
            terms += [f"{amounts['l1']:.7g} * model.{key}.abs().sum()"] if amounts["l1"] else []
            terms += [f"{amounts['l2']:.7g} * model.{key}.square().sum()"] if amounts["l2"] else []
    return "".join(f"            loss = loss + {term}\n" for term in terms)


def metric_text(model: Any, has_logits: bool, file: File) -> tuple[list[str], list[str]]:
    """Statements that add up metrics over a batch, and their names."""
    compiled = model._compile_config[3]
    given = compiled if isinstance(compiled, (list, tuple)) else [] if compiled is None else [compiled]
    lines, names, unknown = [], [], []
    loss = _loss_name(losses.get(model.loss[0] if isinstance(model.loss, (list, tuple)) else model.loss))
    for metric in given:
        name = metric if isinstance(metric, str) else getattr(metric, "name", "")
        if name in ("accuracy", "acc") or isinstance(metric, metrics.SparseCategoricalAccuracy):
            name = "accuracy"
            if loss == "binary_crossentropy":
                lines.append("target = y.reshape(output.shape) > 0.5")
                value = f"((output > {0.0 if has_logits else 0.5}) == target).float()"
            elif loss == "categorical_crossentropy":
                value = "(output.argmax(-1) == y.argmax(-1)).float()"
            else:
                lines.append("target = y.reshape(output.shape[:-1])")
                value = "(output.argmax(-1) == target).float()"
        elif name in ("mae", "mean_absolute_error"):
            name, value = "mae", "(output - y.reshape(output.shape)).abs()"
        elif name in ("mse", "mean_squared_error"):
            name, value = "mse", "(output - y.reshape(output.shape)).square()"
        else:
            unknown.append(name or type(metric).__name__)
            continue
        lines += [f"value = {value}.mean()", f"{name} += value.item() * len(y)"]
        names.append(name)
    if unknown:
        file.note(f"`train` does not report {', '.join(unknown)}: torchmetrics has such metrics.")
    return lines, names
