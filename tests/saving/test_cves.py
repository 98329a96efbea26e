"""The published holes of Keras's model loading, each tried on kerasish; none may run code, read or write a file.

A test has the number of a CVE where that is known for sure (CVE-2026-0897 from the source of Keras 3.15.1), else the
name of the attack.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import marshal
import os
import pickle
import tarfile
import zipfile

import h5py
import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import layers

GET_FILE = {
    "module": "keras.utils",
    "class_name": "function",
    "config": "get_file",
    "registered_name": "get_file",
}
FORMATS = ("m.keras", "m.h5")


@pytest.fixture
def marker(tmp_path):
    """A file that must not come into being."""
    return tmp_path / "harm"


def model_with(layer, shape=(4,)):
    """The config of a model with one more layer, in Keras 3's form."""
    model = keras.Sequential([keras.Input(shape), layers.Dense(3)])
    config = json.loads(model.to_json())
    config["config"]["layers"].append(layer)
    return config


def written(path, config):
    """A file, in the format that its name says, with good weights and a config of the attacker's."""
    keras.Sequential([keras.Input((4,)), layers.Dense(3)]).save(path)
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    return path


def described(name, module="keras.layers", **config):
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "evil", **config},
        "registered_name": None,
    }


def refused(path, match):
    """Loading ends in a clean error, also where the caller compiles nothing."""
    for compile in (True, False):
        with pytest.raises((ValueError, TypeError), match=match):
            keras.models.load_model(path, compile=compile)


def evil_code(marker):
    source = f"lambda x: __import__('pathlib').Path({str(marker)!r}).touch() or x"
    return base64.b64encode(marshal.dumps(compile(source, "<lambda>", "eval").co_consts[0])).decode()


@pytest.mark.parametrize("name", FORMATS)
def test_cve_2024_3660_lambdas_do_not_run(tmp_path, marker, name):
    function = {
        "class_name": "__lambda__",
        "config": {"code": evil_code(marker), "defaults": None, "closure": None},
    }
    refused(written(tmp_path / name, model_with(described("Lambda", function=function))), "safe_mode=False")
    assert not marker.exists()


@pytest.mark.parametrize("name", FORMATS)
def test_cve_2025_9905_old_files_keep_to_safe_mode(tmp_path, marker, name):
    """Keras looked at `safe_mode` for `.keras` files only; this is Keras 2's form of a lambda."""
    config = {
        "name": "evil",
        "function": [evil_code(marker), None, None],
        "function_type": "lambda",
        "module": "os",
    }
    path = written(tmp_path / name, model_with({"class_name": "Lambda", "config": config}))
    refused(path, "safe_mode=False")
    with pytest.raises(ValueError, match="safe_mode=False"):
        keras.models.load_model(path, safe_mode=True)
    assert not marker.exists()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("module", "function"),
    [("os", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("builtins", "exec"), ("shutil", "rmtree"),
     ("kerasish.saving.archive", "open_archive"), ("torch", "load"), ("pickle", "loads")],
)  # fmt: skip
def test_cve_2025_1550_nothing_is_imported_or_called_by_name(tmp_path, marker, name, module, function):
    named = {"module": module, "class_name": "function", "config": function, "registered_name": function}
    arguments = {"shell": True, "path": str(marker)}
    for i, layer in enumerate((
        described("Lambda", function=named, arguments=arguments),
        described(function, module=module, args=[f"touch {marker}"]),
        described("Activation", activation=named),
        {**described("Dense", units=2), "module": module, "registered_name": function, "class_name": function},
    )):  # fmt: skip
        path = written(tmp_path / f"{i}{name}", model_with(layer))
        refused(path, "Could not find|names a function|Unknown activation")
    assert not marker.exists()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("module", "function"),
    [("keras.utils", "get_file"), ("keras.src.utils.file_utils", "get_file"), ("keras.utils", "extract_archive"),
     ("keras.models", "load_model"), ("keras.saving", "load_model"), ("keras.ops", "__loader__"),
     ("keras.utils", "image_dataset_from_directory"), ("keras.callbacks", "CSVLogger")],
)  # fmt: skip
def test_cve_2025_8747_own_functions_that_touch_files_cannot_be_named(
    tmp_path, marker, name, module, function
):
    named = {"module": module, "class_name": "function", "config": function, "registered_name": function}
    arguments = {
        "origin": marker.as_uri(),
        "cache_dir": str(tmp_path),
        "extract": True,
        "file_path": str(marker),
    }
    as_class = {"class_name": "__class__", "config": {"module": module, "name": function}}
    for i, value in enumerate((named, as_class)):
        if i and function == "CSVLogger":
            continue  # a class may be named as a value; nobody calls it
        layer = described("Lambda", function=value, arguments=arguments)
        refused(
            written(tmp_path / f"{i}{name}", model_with(layer)), "names a function|Could not find|as a class"
        )
    assert not list(tmp_path.glob("datasets*"))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "spelling", ["keras.config", "keras.src.config", "keras.src.saving.serialization_lib"]
)
def test_cve_2025_9906_a_config_cannot_switch_safe_mode_off(tmp_path, marker, name, spelling):
    switch = {
        "module": spelling, "class_name": "function", "config": "enable_unsafe_deserialization",
        "registered_name": "enable_unsafe_deserialization",
    }  # fmt: skip
    config = model_with(described("Lambda", function=switch))
    code = {"class_name": "__lambda__", "config": {"code": evil_code(marker)}}
    config["config"]["layers"].append(described("Lambda", function=code))
    refused(written(tmp_path / name, config), "names a function|safe_mode=False")
    assert not keras.config.is_unsafe_deserialization_enabled()
    assert not marker.exists()


class Harm:
    """Pickles into a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", FORMATS)
def test_pickled_torch_modules_are_not_read(tmp_path, marker, name):
    buffer = io.BytesIO()
    torch.save(Harm(marker), buffer)
    module = {"class_name": "__bytes__", "config": {"value": base64.b64encode(buffer.getvalue()).decode()}}
    layer = described("TorchModuleWrapper")
    layer["config"]["module"] = module
    config = model_with(layer)
    refused(written(tmp_path / name, config), "`module` must be a torch.nn.Module|TorchModuleWrapper")
    assert not marker.exists()
    pickle.loads(pickle.dumps(Harm(marker)))
    assert marker.exists()  # the harm would have been done


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_vocabularies_name_no_files(tmp_path, name, kind):
    secret = tmp_path / "secret"
    secret.write_text("1\n2\n3\n")
    for i, place in enumerate((str(secret), "https://localhost:1/secret", "gs://bucket/secret")):
        path = written(tmp_path / f"{i}{name}", model_with(described(kind, vocabulary=place)))
        refused(path, "names a file of this machine")
    nested = described("TimeDistributed", layer=described(kind, vocabulary=str(secret)))
    refused(written(tmp_path / name, model_with(nested)), "names a file of this machine")


def tar_with(path, *members):
    with tarfile.open(path, "w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_archives_are_unpacked_inside_their_directory(tmp_path):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    for i, name in enumerate(("../../harm", str(tmp_path / "harm"))):
        archive = tar_with(tmp_path / f"{i}.tar", (member(name), b"harm"))
        with contextlib.suppress(tarfile.FilterError):
            keras.utils.get_file(
                f"{i}.tar", archive.as_uri(), extract=True, cache_dir=inside, cache_subdir="c"
            )
        assert not (tmp_path / "harm").exists() and not (inside / "harm").exists()


def test_links_in_archives_lead_nowhere_else(tmp_path):
    """The published file hides where a chain of links leads behind a path longer than the system resolves."""
    inside = tmp_path / "cache"
    inside.mkdir()
    (tmp_path / "outside").mkdir()
    simple = [(member("link", tarfile.SYMTYPE, "../../outside"), b""), (member("link/harm"), b"harm")]
    steps, long, chain = "", "d" * 247, []
    for letter in "abcdefghijklmnop":
        directory = member(os.path.join(steps, long), tarfile.DIRTYPE)
        directory.mode = 0o755
        chain += [(directory, b""), (member(os.path.join(steps, letter), tarfile.SYMTYPE, long), b"")]
        steps = os.path.join(steps, long)
    links = "/".join("abcdefghijklmnop")
    chain += [(member(f"{links}/{'l' * 254}", tarfile.SYMTYPE, "../" * 16), b"")]
    chain += [(member("escape", tarfile.SYMTYPE, f"{links}/{'l' * 254}/../../../outside"), b"")]
    chain += [(member("escape/harm"), b"harm")]
    for i, members in enumerate((simple, chain)):
        archive = tar_with(tmp_path / f"{i}.tar", *members)
        with contextlib.suppress(tarfile.FilterError, OSError):
            keras.utils.get_file(f"{i}.tar", archive.as_uri(), extract=True, cache_dir=inside)
        assert not list((tmp_path / "outside").iterdir())


# Weights --------------------------------------------------------------------------------------------------------


def other_units(config, units):
    config["config"]["layers"][1]["config"]["units"] = units
    return config


@pytest.mark.parametrize("name", FORMATS)
def test_cve_2026_0897_shapes_larger_than_the_file_are_not_allocated(tmp_path, name):
    """A weight of 16 GiB in the config, and one in the file that claims as much: each is refused unmade."""
    config = other_units(model_with(described("Activation", activation="relu")), 2**30)
    path = written(tmp_path / name, config)
    refused(path, r"shape \(4, 1073741824\), which is far more than the file holds")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        huge = file.create_dataset("0", (4, 2**30), "f4", chunks=(1, 2**10))
        assert huge.id.get_storage_size() == 0
    content = (tmp_path / "w.h5").read_bytes()
    for member_name in ("layers/dense/vars", "model_weights/dense/dense"):
        target = tmp_path / f"{member_name.partition('/')[0]}{name}"
        keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")]).save(target)
        claim(target, content)
        with pytest.raises(ValueError, match=r"claims the shape|must have shape|parameters\. Received"):
            keras.models.load_model(target)


def claim(path, _):
    """Let the kernel in the file claim 16 GiB and store nothing."""

    def change(file, where):
        for leaf in list(file[where]):
            if leaf.startswith(("0", "kernel")):
                del file[where][leaf]
                file[where].create_dataset(leaf, (4, 2**30), "f4", chunks=(1, 2**10))

    edit(path, change)


def edit(path, change):
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            found = []
            file["model_weights"].visit(lambda name: found.append(name) if name.endswith("kernel") else None)
            change(file, "model_weights/" + found[0].rpartition("/")[0])
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file, "layers/dense/vars")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "model.weights.h5": buffer.getvalue()}.items():
            archive.writestr(name, content)
    return path


def external(group, leaf, secret):
    group.create_dataset(leaf, (4, 3), "f4", external=[(str(secret), 0, 48)])


def virtual(group, leaf, secret):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (4, 3))
    group.create_virtual_dataset(leaf, layout)


def external_link(group, leaf, secret):
    group[leaf] = h5py.ExternalLink(str(secret), "/x")


def soft_link(group, leaf, secret):
    group[leaf] = h5py.SoftLink("/")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("steal", [external, virtual, external_link, soft_link])
def test_weights_are_not_read_from_other_files(tmp_path, name, steal):
    secret = tmp_path / "secret"
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones((4, 3), "f4")

    def change(file, where):
        for leaf in list(file[where]):
            if leaf.startswith(("0", "kernel")):
                del file[where][leaf]
                steal(file[where], leaf, secret)

    keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")]).save(tmp_path / name)
    path = edit(tmp_path / name, change)
    refused(path, "in another file, which is refused|to elsewhere, which is refused")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")])
    before = model.get_weights()[0]
    with pytest.raises(ValueError, match="refused"):
        model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("name", FORMATS)
def test_saved_models_are_not_opened_by_a_layer(tmp_path, name):
    layer = described("TFSMLayer", filepath=str(tmp_path), call_endpoint="serve")
    refused(written(tmp_path / name, model_with(layer)), "TFSMLayer")
