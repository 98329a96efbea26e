"""Calls of Keras's classes and functions with the arguments of Keras 1 and 2."""

from __future__ import annotations

import libcst as cst

from kerasish.legacy import arguments
from kerasish.port.rewriting.edits import Edit
from kerasish.port.rewriting.resolve import Gone, class_name, resolve
from kerasish.port.rewriting.script import Script, dotted

MERGES = {
    "ave": "average",
    "concat": "concatenate",
    "max": "maximum",
    "mul": "multiply",
    "sum": "add",
}
PENALTIES = {"L1": {"l": "l1"}, "L2": {"l": "l2"}}
_LORA = "leave it out: for LoRA use the `peft` package on the model, which is a torch module"
NOT_HERE = {
    "lora_alpha": _LORA,
    "lora_rank": _LORA,
    "quantization_config": "leave it out, and quantize with torch.ao or torchao",
    "ragged": "leave it out, and pass padded arrays: keras.utils.pad_sequences",
    "renorm": "leave it out; for small batches use layer or group normalization",
    "sparse": "leave it out: tensors are dense",
    "synchronized": "leave it out, and convert the model with torch.nn.SyncBatchNorm",
}
OLD_CONVOLUTIONS = (
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "Deconvolution2D",
    "SeparableConvolution2D",
)


def positional(call: cst.Call) -> tuple[list[cst.Arg] | None, set[str]]:
    """The positional arguments (None where a star hides their number) and the names of the others."""
    if any(arg.star for arg in call.args):
        return None, set()
    return [arg for arg in call.args if arg.keyword is None], {
        arg.keyword.value for arg in call.args if arg.keyword is not None
    }


def keywords(call: cst.Call) -> dict[str, cst.Arg]:
    """The arguments given by name."""
    return {arg.keyword.value: arg for arg in call.args if arg.keyword is not None}


def port_keras_call(script: Script, call: cst.Call, name: str) -> None:
    """Give a call the arguments of today."""
    if name == "keras.layers.merge":
        _port_merge(script, call)
        return
    place = resolve(name)
    if isinstance(place, Gone) or place.is_module or place.rest:
        return
    cls = class_name(place)
    written = (dotted(call.func) or [""])[-1]
    given = keywords(call)
    was_keras_1 = arguments.is_keras_1(cls, given)
    _port_keywords(script, call, cls, given)
    _port_kernel_size(script, call, cls, written, was_keras_1)
    for known in (arguments.REFUSED.get(cls, {}), arguments.REFUSED[""]):
        for keyword, (harmless, advice) in known.items():
            arg = given.get(keyword)
            if arg is not None and keyword not in arguments.RENAMED.get(cls, {}):
                if _literal(arg.value) in [repr(value) for value in harmless]:
                    script.remove_argument(call.args, call.args.index(arg))
                else:
                    script.report(arg, f"`{keyword}` of {cls} is no more. Instead, {advice}.")
    for keyword, arg in given.items():
        is_off = _literal(arg.value) in ("None", "False", "0")
        if keyword in NOT_HERE and not is_off and keyword not in arguments.REFUSED.get(cls, {}):
            script.report(arg, f"`{keyword}` of {cls} is not supported. Instead, {NOT_HERE[keyword]}.")
    renamed = {arguments.RENAMED.get(cls, {}).get(keyword, keyword) for keyword in given}
    for keyword, (version, default) in arguments.CHANGED_DEFAULTS.get(cls, {}).items():
        is_first = keyword == "learning_rate" and call.args and call.args[0].keyword is None
        if keyword not in renamed and not is_first and _is_standalone(script, call):
            script.defaults.append(
                (
                    call,
                    f"{cls}: `{keyword}` was {default} by default in Keras {version}, and is not here. Give it.",
                )
            )


def _port_keywords(script: Script, call: cst.Call, cls: str, given: dict[str, cst.Arg]) -> None:
    for old, new in {**arguments.RENAMED.get(cls, {}), **PENALTIES.get(cls, {})}.items():
        arg = given.get(old)
        if arg is None or new in given:
            continue
        if old in arguments.VALUES and not _port_value(script, arg, old, new):
            continue
        assert arg.keyword is not None
        script.replace(arg.keyword, new)
        script.is_old = True


def _port_value(script: Script, arg: cst.Arg, old: str, new: str) -> bool:
    """Give an argument today's value; False where a person must."""
    text = _literal_string(arg.value)
    if text is None:
        if old != "border_mode":
            script.report(arg, f"`{old}` is `{new}` today, whose values are others: write `{new}=` yourself.")
        return old == "border_mode"
    try:
        value = arguments.VALUES[old](text)
    except ValueError as error:
        script.report(arg, str(error))
        return False
    if value != text:
        script.replace(arg.value, f'"{value}"' if isinstance(value, str) else repr(value))
    return True


def _port_kernel_size(script: Script, call: cst.Call, cls: str, written: str, was_keras_1: bool) -> None:
    sizes = arguments.KERNEL_SIZES.get(cls, ())
    args, names = positional(call)
    if not sizes or args is None:
        return
    by_name = [keywords(call).get(size) for size in sizes]
    indices = [call.args.index(arg) for arg in by_name if arg is not None]
    if len(indices) == len(sizes) and indices == list(range(indices[0], indices[0] + len(sizes))):
        first, last = call.args[indices[0]], call.args[indices[-1]]
        values = ", ".join(script.code(call.args[index].value) for index in indices)
        start, end = script.span(first)[0], script.span(last)[1]
        script.edits.append(Edit(start, end, f"kernel_size=({values})"))
        script.is_old = True
        return
    chosen = args[1 : len(sizes) + 1]
    if len(chosen) < len(sizes) or any(isinstance(arg.value, (cst.Tuple, cst.List)) for arg in chosen):
        return
    if was_keras_1 or (written in OLD_CONVOLUTIONS and _is_standalone(script, call)):
        script.insert(script.span(chosen[0])[0], "(")
        script.insert(script.span(chosen[-1])[1], ")")
        script.is_old = True
    elif _is_standalone(script, call) and not names & {"strides", "kernel_size"}:
        script.report(
            call,
            f"Keras before 2.4 read {cls}(filters, a, b) as kernels of (a, b), tf.keras and Keras 3 as kernels of "
            "(a, a) with strides of (b, b), as it is read here. Write `kernel_size=` or `strides=`.",
        )


def _is_standalone(script: Script, call: cst.Call) -> bool:
    """Whether the name came from the package `keras`, of whatever version."""
    base: cst.CSTNode = call.func
    while isinstance(base, cst.Attribute):
        base = base.value
    imported = script.imported(base)
    return (imported or "keras").partition(".")[0] == "keras"


# merge() of Keras 1 ----------------------------------------------------------------------------------------------


def _merge_today(call: cst.Call) -> tuple[str, cst.Arg | None, cst.Arg | None] | None:
    """The layer function for a mode, the argument of the mode, and that of the axis."""
    args, _ = positional(call)
    given = keywords(call)
    if args is None or set(given) - {"mode", "concat_axis", "name", "inputs"} or len(args) > 2:
        return None
    mode = given.get("mode") or (args[1] if len(args) > 1 else None)
    text = "sum" if mode is None else _literal_string(mode.value)
    if text not in MERGES or ("concat_axis" in given and text != "concat"):
        return None
    return MERGES[text], mode, given.get("concat_axis")


def _port_merge(script: Script, call: cst.Call) -> None:
    today = _merge_today(call)
    if today is None:
        if isinstance(call.func, cst.Name):
            gone = resolve("keras.layers.merge")
            script.report(call, gone.message if isinstance(gone, Gone) else "")
        return
    function, mode, axis = today
    script.replace(call.func, script.spelled(f"keras.layers.{function}"))
    script.replaced.add(call.func)
    if mode is not None:
        script.remove_argument(call.args, call.args.index(mode))
    if axis is not None and axis.keyword is not None:
        script.replace(axis.keyword, "axis")
    script.is_old = True


def _literal_string(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _literal(node: cst.BaseExpression) -> str | None:
    """The text of a number, of None, True or False, or of a string as Python writes it."""
    if isinstance(node, cst.SimpleString):
        return repr(node.evaluated_value)
    if isinstance(node, (cst.Integer, cst.Float)):
        return node.value
    return node.value if isinstance(node, cst.Name) and node.value in ("None", "True", "False") else None
