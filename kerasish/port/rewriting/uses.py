"""Uses of imported names: `tf.keras.layers.core.Dense`, `K.mean`, `tf.reduce_mean`, `layers.CuDNNLSTM`."""

from __future__ import annotations

import libcst as cst

from kerasish.legacy import names
from kerasish.port import tensorflow
from kerasish.port.rewriting.calls import keywords, port_keras_call, positional
from kerasish.port.rewriting.methods import port_attribute, port_log_name, port_method_call, port_subscript
from kerasish.port.rewriting.resolve import Gone, resolve, to_keras
from kerasish.port.rewriting.script import Script, dotted, leftmost


class Uses(cst.CSTVisitor):
    """Rewrites every use of a name that came from Keras or TensorFlow, and the calls of what it names."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.calls: dict[cst.CSTNode, cst.Call] = {}

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Call(self, node: cst.Call) -> None:
        self.calls[node.func] = node
        name = self.script.keras_name(node.func)
        if name is not None:
            port_keras_call(self.script, node, name)
            monitor = keywords(node).get("monitor")
            if monitor is not None:
                port_log_name(self.script, monitor.value)
        elif isinstance(node.func, cst.Attribute) and self.script.imported(leftmost(node.func)) is None:
            port_method_call(self.script, node, node.func)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        port_subscript(self.script, node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if dotted(node) is not None and self._is_known(leftmost(node)):
            self._port_use(node)
        else:
            port_attribute(self.script, node)
            node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        if self._is_known(node):
            self._port_use(node)

    def _is_known(self, base: cst.CSTNode) -> bool:
        return self.script.imported(base) is not None or self.script.from_star(base) is not None

    def _port_use(self, node: cst.Name | cst.Attribute) -> None:
        script, base = self.script, leftmost(node)
        imported = script.imported(base)
        local = base.value if isinstance(base, cst.Name) else ""
        chain = dotted(node) or []
        script.uses[local] += 1
        if node in script.replaced:
            return
        new = None
        if imported is None:
            new = self._from_star(base)
        elif to_keras(".".join([imported, *chain[1:]])) is not None:
            new = self._keras_spelling(node, imported, local, chain)
        elif imported.partition(".")[0] == "tensorflow":
            new = self._tensorflow_spelling(node, ".".join([imported, *chain[1:]]))
        if new is None or leftmost_text(new) == local:
            script.kept_uses[local] += 1
        if new is not None:
            script.replace(node, new)

    def _from_star(self, base: cst.CSTNode) -> str | None:
        name = self.script.from_star(base)
        assert name is not None
        place = resolve(name)
        is_renamed = not isinstance(place, Gone) and place.path.rpartition(".")[2] != name.rpartition(".")[2]
        return self.script.spelled(place.path) if is_renamed else None  # type: ignore[union-attr]

    def _keras_spelling(self, node: cst.CSTNode, imported: str, local: str, chain: list[str]) -> str | None:
        script = self.script
        base, full = to_keras(imported), to_keras(".".join([imported, *chain[1:]]))
        assert full is not None
        today = self._backend_today(node, full)
        if today is not None:
            return script.spelled(today)
        if len(chain) == 1:
            return None
        place = resolve(full)
        if isinstance(place, Gone):
            if imported.partition(".")[0] != "kerasish":
                script.report(node, place.message)
            return None
        if base is not None and place.path.startswith(f"{base}."):
            return local + place.path[len(base) :] + place.rest
        return script.spelled(place.path) + place.rest

    def _backend_today(self, node: cst.CSTNode, full: str) -> str | None:
        """The function of keras.ops for one of keras.backend, where this call means the same to both."""
        namespace, _, name = full.rpartition(".")
        call = self.calls.get(node)
        if namespace != "keras.backend" or name not in names.BACKEND_TODAY or call is None:
            return None
        args, keywords = positional(call)
        if args is None or not keywords <= {"axis", "keepdims"}:
            return None
        if name in names.BACKEND_OWN_AXIS and "axis" not in keywords and len(args) < 2:
            return None
        return names.BACKEND_TODAY[name]

    def _tensorflow_spelling(self, node: cst.CSTNode, full: str) -> str | None:
        script, name = self.script, full.partition(".")[2]
        name = name.removeprefix("compat.v2.")
        call = self.calls.get(node)
        if name in tensorflow.SPELLINGS and self._means_the_same(name, call):
            return script.spelled(tensorflow.SPELLINGS[name])
        plain = name.removeprefix("math.")
        if plain in tensorflow.OPS and call is not None and self._is_same_op(plain, call):
            return script.spelled(f"keras.ops.{tensorflow.OPS[plain]}")
        parent = script.parents[script.parents[node]]
        if name == "__version__" and isinstance(parent, cst.Call) and dotted(parent.func) == ["print"]:
            return script.spelled("keras.__version__")
        script.report(
            node,
            tensorflow.explain(name)
            if name
            else "`tensorflow` is used as a value: use `kerasish` or `torch`.",
        )
        return None

    def _means_the_same(self, name: str, call: cst.Call | None) -> bool:
        if call is None:
            return True
        args, keywords = positional(call)
        if args is None:
            return False
        if name in ("Variable", "constant", "convert_to_tensor"):
            allowed = {"dtype"} | ({"trainable", "name"} if name == "Variable" else set())
            return len(args) == 1 and keywords <= allowed
        if name.startswith(("nn.", "math.")):
            return not keywords and len(args) == (2 if name == "math.pow" else 1)
        return True

    def _is_same_op(self, name: str, call: cst.Call) -> bool:
        args, keywords = positional(call)
        if args is None or not keywords <= {"axis", "keepdims", "dtype"}:
            return False
        if name in tensorflow.POSITIONAL and len(args) != tensorflow.POSITIONAL[name]:
            return False
        if name == "split" and not isinstance(args[1].value, cst.Integer):
            return False
        limit = 2 if name == "gather" else 1
        if name in tensorflow.FIRST_AXIS and "axis" not in keywords and len(args) <= limit:
            self.script.insert(self.script.span(call.args[-1])[1], ", axis=0")
        return True


def leftmost_text(text: str) -> str:
    return text.partition(".")[0]
