"""The training loop of an emitted file: what `compile` was given, in torch's names."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from kerasish import losses, metrics, optimizers, regularizers, tree
from kerasish.layers import Layer
from kerasish.optimizers.schedules import LearningRateSchedule
from kerasish.port.pytorch.formatting import identifier, wrapped
from kerasish.port.pytorch.graphs import Emitted
from kerasish.port.pytorch.source import PLAIN, File, Refusal, Value, layers_of

LOOP = '''def train(model: {name}, loader, epochs: int = 1, device: str = "cpu") -> None:
    """Train on batches (x, y), as the Keras model was compiled."""
    model.to(device).train()
    optimizer = {optimizer}
{setup}    for epoch in range(epochs):
        {counters}
        for {batch} in loader:
{body}
        print({report})'''
REGRESSION = {"mean_squared_error": "mse_loss", "mean_absolute_error": "l1_loss"}
CLASSES = {
    losses.MeanSquaredError: "mean_squared_error", losses.MeanAbsoluteError: "mean_absolute_error",
    losses.Huber: "huber", losses.KLDivergence: "kl_divergence", losses.Poisson: "poisson",
    losses.SparseCategoricalCrossentropy: "sparse_categorical_crossentropy",
    losses.CategoricalCrossentropy: "categorical_crossentropy", losses.BinaryCrossentropy: "binary_crossentropy",
}  # fmt: skip


RESERVED = {
    "model", "loader", "epochs", "device", "optimizer", "schedule", "epoch", "total", "count", "y", "output", "loss",
    "value", "target", "keep", "bias", "layer", "parameter", "accuracy", "mae", "mse", "nn", "torch", "math", "F",
}  # fmt: skip


class Training(NamedTuple):
    """The text of `train`, and for each output whether a method `logits` gives it without its activation."""

    text: str
    has_logits: list[bool]


class Target(NamedTuple):
    """One output in the loop: how it and its `y` are called, and what `compile` was given for it."""

    name: str
    output: str
    y: str
    rank: int
    logits: Any
    loss: Any
    weight: Any
    metrics: Any
    mask: str

    def for_loss(self) -> Target:
        """The places that are not masked, which alone count for the loss."""
        return (
            self._replace(output=f"{self.output}[keep]", y=f"{self.y}[keep]", rank=2) if self.mask else self
        )


def training_text(model: Any, emitted: Emitted, file: File) -> Training:
    """The function `train` of a compiled model; what it cannot do is said in the head of the file."""
    if not model.compiled:
        return Training("", [])
    try:
        optimizer, clip = optimizer_text(model.optimizer)
        schedule = schedule_text(model.optimizer)
        targets = targets_of(model, emitted)
        losses_of = [loss_text(target.for_loss()) for target in targets]
        penalties = penalty_lines(model, emitted)
        inputs = [f"{name}_input" if name in RESERVED else name for name in emitted.inputs.values()]
        measured = [
            metric_text(target, has_logits, file)
            for target, (_, has_logits) in zip(targets, losses_of, strict=True)
        ]
    except Refusal as error:
        file.note(f"No training loop: {error}.")
        return Training("", [])
    if any(weight.key.endswith("running_var") for weight in emitted.body.weights):
        file.note(
            "In training, torch's batch normalization keeps n / (n - 1) of the variance that Keras keeps."
        )
    kind = type(model.optimizer).__name__
    if kind in ("RMSprop", "Adagrad", "Nadam"):
        root = ", so it is the root of Keras's" if kind == "RMSprop" else ""
        file.note(f"torch's {kind} adds `eps` at another place than Keras's{root}.")
    has_logits = [exact for _, exact in losses_of]
    taken = inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})"
    moved, given, made = _structures(emitted, targets)
    body = [f"{name} = {name}.to(device)" for name in inputs] + moved
    body.append(f"{made} = model{'.logits' if any(has_logits) else ''}({', '.join(inputs)})")
    if targets[0].mask:
        place = list(emitted.inputs.values()).index(targets[0].mask)
        body.append(f"keep = {inputs[place]} != 0")
    for i, (target, (loss, _)) in enumerate(zip(targets, losses_of, strict=True)):
        weighted = loss if target.weight in (None, 1) else f"{float(target.weight)} * {loss}"
        body.append(f"loss = loss + {weighted}" if i else f"loss = {weighted}")
    body += [*penalties, "optimizer.zero_grad()", "loss.backward()", *clip, "optimizer.step()"]
    body += ["schedule.step()"] if schedule else []
    body.append(f"total += loss.item() * len({targets[0].y})")
    names = []
    for lines, found in measured:
        body += lines
        names += found
    body.append(f"count += len({targets[0].y})")
    counters = ["total, count = 0.0, 0", *([f"{' = '.join(names)} = 0.0"] if names else [])]
    report = 'f"epoch {epoch + 1}: loss {total / count:.4f}"'
    if names:
        shown = ", ".join(f"{name} {{{name} / count:.4f}}" for name in names)
        report += f', f"{shown}"'
    text = LOOP.format(
        name=emitted.body.name,
        optimizer=optimizer,
        setup="".join(
            f"    {line}\n"
            for line in [*_frozen(emitted), *_one_bias(emitted), *([schedule] if schedule else [])]
        ),
        counters="\n        ".join(counters),
        batch=f"{taken}, {given}",
        body="\n".join(f"            {line}" for line in body),
        report=report,
    )
    return Training("\n".join(map(wrapped, text.split("\n"))), has_logits)


def _one_bias(emitted: Emitted) -> list[str]:
    """Lines that keep torch's second biases at zero: with both, the sum would learn twice as fast as Keras's one."""
    biases = [f"model.{weight.key}" for weight in emitted.body.weights if weight.is_summand]
    return _each("bias", biases, ".requires_grad_(False)  # Keras has one bias")


def _each(name: str, items: list[str], rest: str) -> list[str]:
    """Lines that do the same with each of some parts of the model."""
    if len(items) < 2:
        return [f"{item}{rest}" for item in items]
    return [f"for {name} in ({', '.join(items)}):", f"    {name}{rest}"]


def _frozen(emitted: Emitted) -> list[str]:
    """Lines for layers with `trainable=False`, whose batch normalization works as in inference."""
    learns: dict[str, bool] = {}
    for weight in emitted.body.weights:
        owner, _, last = weight.key.rpartition(".")
        if owner and weight.sources and last.startswith(("weight", "bias", "in_proj")):
            learns[owner] = learns.get(owner, False) or any(source.requires_grad for source in weight.sources)
    frozen = [owner for owner, does in learns.items() if not does]
    normalizing = {
        weight.key.rpartition(".")[0] for weight in emitted.body.weights if "running_mean" in weight.key
    }
    lines = _each("layer", [f"model.{owner}" for owner in frozen], ".requires_grad_(False)")
    return lines + _each("layer", [f"model.{owner}" for owner in frozen if owner in normalizing], ".eval()")


def _structures(emitted: Emitted, targets: list[Target]) -> tuple[list[str], str, str]:
    """Lines that move the targets to the device, and what the loop calls targets and outputs together."""
    if isinstance(emitted.outputs, dict):
        return ["y = {name: value.to(device) for name, value in y.items()}"], "y", "output"
    moved = [f"{target.y} = {target.y}.to(device)" for target in targets]
    given, made = ", ".join(target.y for target in targets), ", ".join(target.output for target in targets)
    return moved, given if len(targets) == 1 else f"({given})", made


def targets_of(model: Any, emitted: Emitted) -> list[Target]:
    """The outputs of a model, with what `compile` was given for each."""
    outputs = emitted.outputs
    values = tree.flatten(outputs)
    if not all(isinstance(value, Value) for value in values) or (
        isinstance(outputs, dict) and any(not isinstance(value, Value) for value in outputs.values())
    ):
        raise Refusal("the model has no tensor as its output")
    names = emitted.names
    _, loss, weights, metric, weighted, *_ = model._compile_config
    if weighted:
        raise Refusal("`compile` was given `weighted_metrics`")
    count = len(values)
    spread = [
        _spread(given, names, each) for given, each in ((loss, True), (weights, False), (metric, False))
    ]
    found = []
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        short = identifier(name)
        calls = ("output", "y") if count == 1 else (f"{short}_output", f"{short}_target")
        calls = (f'output["{name}"]', f'y["{name}"]') if isinstance(outputs, dict) else calls
        mask = _masking_input(emitted, value) if value.mask else ""
        if mask and count > 1:
            raise Refusal("masked outputs stand beside others")
        compiled = [given[i] for given in spread]
        found.append(Target(name, *calls, len(value.shape), value.logits, *compiled, mask))  # type: ignore[call-arg]
    return found


def _masking_input(emitted: Emitted, value: Value) -> str:
    """The input whose zeros mask an output."""
    assert value.mask is not None
    texts = {row.made: row.text for row in emitted.body.statements}
    text = texts.get(value.mask.forms.get(PLAIN, ""), "")
    name = emitted.inputs.get(text.removesuffix(" != 0"))
    if name is None or not text.endswith(" != 0"):
        raise Refusal("the output is masked by more than the zeros of an input")
    return name


def _spread(given: Any, names: list[str], to_each: bool) -> list[Any]:
    """What is meant for each output: by name, by place, or one thing for all."""
    if isinstance(given, dict):
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)) and len(given) == len(names) and (len(names) > 1 or to_each):
        return list(given)
    return [given] * len(names)


def schedule_text(optimizer: Any) -> str:
    """The line that makes the schedule of the learning rate."""
    schedule = getattr(optimizer, "_learning_rate", None)
    if not isinstance(schedule, LearningRateSchedule):
        return ""
    name, config = type(schedule).__name__, schedule.get_config()
    rate, steps, alpha = config.get("decay_rate"), config.get("decay_steps"), config.get("alpha")
    part = f"step // {steps}" if config.get("staircase") else f"step / {steps}"
    if name == "ExponentialDecay":
        factor = f"{rate} ** ({part})"
    elif name == "InverseTimeDecay":
        factor = f"1 / (1 + {rate} * ({part}))"
    elif name == "CosineDecay" and not config["warmup_steps"]:
        factor = f"(1 + math.cos(math.pi * min({part}, 1))) / 2"
        factor = f"{alpha} + {1 - alpha:.7g} * {factor}" if alpha else factor
    else:
        raise Refusal(f"the learning rate is a schedule, {name}, which has no short form in torch")
    return f"schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: {factor})"


def optimizer_text(optimizer: Any) -> tuple[str, list[str]]:
    """The optimizer of torch, and the lines that clip gradients."""
    if optimizer is None or not isinstance(optimizer, optimizers.Optimizer):
        torch_optimizer = getattr(optimizer, "torch_optimizer", None)
        name = type(torch_optimizer or optimizer).__name__
        raise Refusal(f"the optimizer {name} is torch's already, made by a function of yours")
    optimizer = cast(Any, optimizer)
    for setting in ("use_ema", "gradient_accumulation_steps"):
        if getattr(optimizer, setting, None):
            raise Refusal(f"the optimizer has `{setting}`, which torch's have not")
    if optimizer.weight_decay and (optimizer._undecayed or optimizer._undecayed_names):
        raise Refusal(
            "the optimizer exempts variables from `weight_decay`: give torch's two groups of parameters"
        )
    schedule = optimizer._learning_rate
    first = getattr(schedule, "initial_learning_rate", optimizer.learning_rate)
    rate = float(f"{float(first):.7g}")
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
        arguments += [f"alpha={optimizer.rho}", f"eps={optimizer.epsilon**0.5:.4g}"]
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
    clip = []
    if optimizer.global_clipnorm:
        clip = [f"nn.utils.clip_grad_norm_(model.parameters(), {optimizer.global_clipnorm})"]
    elif optimizer.clipvalue:
        clip = [f"nn.utils.clip_grad_value_(model.parameters(), {optimizer.clipvalue})"]
    elif optimizer.clipnorm:
        clip = [
            "for parameter in model.parameters():",
            f"    nn.utils.clip_grad_norm_(parameter, {optimizer.clipnorm})",
        ]
    return f"torch.optim.{name}(model.parameters(), {', '.join(arguments)})", clip


def _loss_name(loss: Any) -> str:
    return CLASSES.get(type(loss), getattr(loss, "__name__", type(loss).__name__))


def loss_text(target: Target) -> tuple[str, bool]:
    """The loss of an output and its `y`; True where the output is to be the logits."""
    loss, output, y, logits = target.loss, target.output, target.y, target.logits
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if loss is None:
        raise Refusal(f"no loss was given to `compile` for the output {target.name!r}")
    given = losses.get(loss)
    name = _loss_name(given)
    if getattr(given, "reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "mean"):
        raise Refusal(f"the loss {name} has reduction={given.reduction!r}")
    settings = given.get_config() if isinstance(given, losses.Loss) else {}
    like = f"{y}.reshape({output}.shape).float()"
    if name in REGRESSION:
        return f"F.{REGRESSION[name]}({output}, {like})", False
    if name == "huber":
        return f"F.huber_loss({output}, {like}, delta={settings.get('delta', 1.0)})", False
    if "crossentropy" not in name or "focal" in name:
        raise Refusal(f"the loss {name} has no counterpart in torch")
    smoothing = settings.get("label_smoothing", 0.0)
    if settings.get("ignore_class") is not None or settings.get("axis", -1) != -1:
        raise Refusal(f"the loss {name} has `ignore_class` or `axis`")
    from_logits = bool(settings.get("from_logits", False))
    activation = "sigmoid" if name.startswith("binary") else "softmax"
    has_logits = not from_logits and logits is not None and logits[1] == activation
    exact = from_logits or has_logits
    if name == "binary_crossentropy":
        like = f"({like} * {1 - smoothing} + {smoothing / 2})" if smoothing else like
        if exact:
            return f"F.binary_cross_entropy_with_logits({output}, {like})", has_logits
        return f"F.binary_cross_entropy({output}.clamp(1e-7, 1 - 1e-7), {like})", False
    smooth = f", label_smoothing={smoothing}" if smoothing else ""
    scores = output if exact else f"{output}.clamp(1e-7, 1 - 1e-7).log()"
    if target.rank != 2:
        scores = f"{scores}.flatten(0, -2)"
    if name == "sparse_categorical_crossentropy":
        return f"F.cross_entropy({scores}, {y}.reshape(-1).long())", has_logits
    return f"F.cross_entropy({scores}, {y}.reshape(-1, {output}.shape[-1]).float(){smooth})", has_logits


def penalty_lines(model: Any, emitted: Emitted) -> list[str]:
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
    return [f"loss = loss + {term}" for term in terms]


def metric_text(target: Target, has_logits: bool, file: File) -> tuple[list[str], list[str]]:
    """Statements that add up the metrics of an output over a batch, and their names."""
    given = target.metrics
    given = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    output, y = target.output, target.y
    prefix = "" if output == "output" else f"{identifier(target.name)}_"
    lines, names, unknown = [], [], []
    loss = target.loss[0] if isinstance(target.loss, (list, tuple)) else target.loss
    is_binary = _loss_name(losses.get(loss)) == "binary_crossentropy"
    is_sparse = _loss_name(losses.get(loss)) != "categorical_crossentropy"
    for metric in given:
        name = metric if isinstance(metric, str) else getattr(metric, "name", "")
        if name in ("accuracy", "acc") or isinstance(metric, metrics.SparseCategoricalAccuracy):
            name = "accuracy"
            if is_binary:
                lines.append(f"target = {y}.reshape({output}.shape) > 0.5")
                value = f"(({output} > {0.0 if has_logits else 0.5}) == target).float()"
            elif is_sparse:
                lines.append(f"target = {y}.reshape({output}.shape[:-1])")
                value = f"({output}.argmax(-1) == target).float()"
            else:
                value = f"({output}.argmax(-1) == {y}.argmax(-1)).float()"
        elif name in ("mae", "mean_absolute_error"):
            name, value = "mae", f"({output} - {y}.reshape({output}.shape)).abs()"
        elif name in ("mse", "mean_squared_error"):
            name, value = "mse", f"({output} - {y}.reshape({output}.shape)).square()"
        else:
            unknown.append(str(name or type(metric).__name__))
            continue
        lines += [f"value = {value}.mean()", f"{prefix}{name} += value.item() * len({y})"]
        names.append(f"{prefix}{name}")
    if unknown:
        file.note(f"`train` does not report {', '.join(unknown)}: torchmetrics has such metrics.")
    return lines, names
