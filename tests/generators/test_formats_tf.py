"""NVIDIA's TensorFlow pickles: read as its PyTorch files are, each other kind named, and nothing in them runs."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nada_core.cli.main import main
from nada_core.errors import GeneratorError
from nada_core.generators.formats import nvidia_tf
from nada_core.generators.load import load_generator
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.styles.convert import convert
from tests.helpers.stylegan2_files import fill, golden_arrays, golden_state, nvidia_pickle, nvidia_state, same, tiny, write
from tests.helpers.tensorflow_files import network, pickled, tf_pickle, tf_variables


@pytest.fixture
def generator() -> StyleGAN2:
    return tiny()


def variables(generator: StyleGAN2) -> dict:
    return tf_variables(nvidia_state(generator))


def refused(path: Path, *words: str) -> None:
    """One sentence with these words; ``convert`` refuses it as well, and writes nothing."""
    before = sorted(path.parent.iterdir())
    for attempt in (lambda: load_generator(path), lambda: convert(path, path.parent / "out" / "x.safetensors")):
        with pytest.raises(GeneratorError) as caught:
            attempt()
        message = str(caught.value)
        assert path.name in message and str(path.parent) not in message and "\n" not in message
        for word in words:
            assert word in message, message
    assert sorted(path.parent.iterdir()) == before


def close(loaded: StyleGAN2, expected: StyleGAN2) -> bool:
    """Bit for bit but for the styles' biases, from which 1 was taken and to which it was added again."""
    x, y = loaded.state_dict(), expected.state_dict()
    return x.keys() == y.keys() and all(
        torch.allclose(x[n], y[n], rtol=0, atol=1e-6) if n.endswith("affine.bias") else torch.equal(x[n], y[n]) for n in x
    )


def relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


# what is read


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("easy", [True, False])
def test_the_averaged_generator_is_read(tmp_path, generator, protocol, easy):
    path = write(tmp_path / "x.pkl", tf_pickle(network(variables(generator), easy=easy), protocol=protocol))
    loaded = load_generator(path)
    assert isinstance(loaded, StyleGAN2) and close(loaded, generator) and loaded.config == generator.config
    assert not any(p.requires_grad for p in loaded.parameters()) and not loaded.training
    with pytest.raises((ModuleNotFoundError, AttributeError)):  # it is a pickle that needs NVIDIA's own code
        pickle.loads(path.read_bytes())  # noqa: S301 (written above)


@torch.no_grad()
def test_the_pictures_are_those_of_the_pytorch_file(tmp_path, generator):
    theirs = load_generator(write(tmp_path / "torch.pkl", nvidia_pickle(nvidia_state(generator))))
    ours = load_generator(write(tmp_path / "tf.pkl", tf_pickle(network(variables(generator)))))
    z = theirs.sample_z([0, 1])
    assert relative(ours.synthesis(ours.mapping(z, 0.7)), theirs.synthesis(theirs.mapping(z, 0.7))) <= 1e-5


@pytest.mark.heavy
@torch.no_grad()
def test_equal_to_nvidias_golden_pictures(tmp_path):
    golden = golden_arrays("nvidia_64")
    loaded = load_generator(write(tmp_path / "x.pkl", tf_pickle(network(tf_variables(golden_state("nvidia_64"))))))
    z = fill("z", 2, 512)
    assert relative(loaded.mapping(z), golden["ws"]) <= 1e-5
    assert relative(loaded.synthesis(loaded.mapping(z)), golden["img"]) <= 1e-4
    assert relative(loaded.synthesis(loaded.mapping(z, truncation_psi=0.7)), golden["img_trunc07"]) <= 1e-4
    assert relative(loaded.synthesis(loaded.mapping(z), noise_mode="none"), golden["img"]) > 1e-2


def test_names_and_layouts_one_by_one():
    """A few of the facts, without the inverse above."""
    value = torch.arange(2 * 2 * 3 * 5.0).reshape(2, 2, 3, 5)
    name, kernel = nvidia_tf.to_stylegan2("synthesis/16x16/Conv0_up/weight", value)
    assert name == "synthesis.b16.conv0.weight" and kernel.shape == (5, 3, 2, 2) and kernel[4, 2, 0, 1] == value[1, 0, 2, 4]
    name, kernel = nvidia_tf.to_stylegan2("synthesis/16x16/Conv1/weight", value)
    assert name == "synthesis.b16.conv1.weight" and kernel[4, 2, 0, 1] == value[0, 1, 2, 4]
    name, bias = nvidia_tf.to_stylegan2("synthesis/4x4/Conv/mod_bias", torch.zeros(3))
    assert name == "synthesis.b4.conv1.affine.bias" and bias.tolist() == [1, 1, 1]
    noises = [nvidia_tf.to_stylegan2(f"synthesis/noise{i}", torch.zeros(1, 1, 4, 4))[0] for i in (0, 1, 2, 15, 16)]
    assert noises == [f"synthesis.b{place}.noise_const" for place in ("4.conv1", "8.conv0", "8.conv1", "1024.conv0", "1024.conv1")]


def test_the_generator_alone_without_settings_and_from_a_newer_version(tmp_path, generator):
    gs = network(variables(generator), version=5)
    for part in (gs, *gs.record["components"].values()):
        part.record["static_kwargs"] = {}
    assert close(load_generator(write(tmp_path / "x.pkl", pickled(gs))), generator)


def test_the_command_converts_it_and_the_round_trip_is_exact(tmp_path, generator):
    path = write(tmp_path / "x.pkl", tf_pickle(network(variables(generator))))
    assert main(["convert", str(path), str(tmp_path / "a.pt")]) == 0
    convert(tmp_path / "a.pt", tmp_path / "b.safetensors")
    assert same(load_generator(tmp_path / "b.safetensors"), load_generator(path))


def test_big_endian_arrays_and_those_that_lie_column_by_column(tmp_path, generator):
    turned = {n: np.asfortranarray(v).astype(">f4") if isinstance(v, np.ndarray) else v for n, v in variables(generator).items()}
    assert close(load_generator(write(tmp_path / "x.pkl", tf_pickle(network(turned)))), generator)


def test_another_learning_rate_multiplier_and_a_clamp(tmp_path, generator):
    path = write(tmp_path / "x.pkl", tf_pickle(network(variables(generator), {"mapping_lrmul": np.float64(0.02), "conv_clamp": 256})))
    loaded = load_generator(path)
    torch.testing.assert_close(loaded.mapping_layers[1].weight, generator.mapping_layers[1].weight * 2)
    torch.testing.assert_close(loaded.mapping_layers[1].bias, generator.mapping_layers[1].bias * 2)
    assert loaded.config.conv_clamp == 256


def test_a_network_made_without_noise(tmp_path, generator):
    bare = {n: v for n, v in variables(generator).items() if "noise" not in n}
    loaded = load_generator(write(tmp_path / "x.pkl", tf_pickle(network(bare, {"use_noise": False}))))
    ws = generator.mapping(generator.sample_z([0]))
    torch.testing.assert_close(loaded.synthesis(ws), generator.synthesis(ws, noise_mode="none"))
    refused(write(tmp_path / "y.pkl", tf_pickle(network(bare))), "noise_const")


def test_a_missing_mean_is_estimated(tmp_path, generator):
    bare = {n: v for n, v in variables(generator).items() if n != "dlatent_avg"}
    loaded = load_generator(write(tmp_path / "x.pkl", tf_pickle(network(bare))))
    torch.testing.assert_close(loaded.w_avg, generator.estimate_w_avg())


# what is refused


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("label_size", 10, ["conditional", "label_size = 10", "without class labels"]),
        ("resample_kernel", [1, 2, 2, 1], ["resample_kernel = [1, 2, 2, 1]", "[1, 3, 3, 1]"]),
        ("resample_kernel", None, ["resample_kernel = None"]),
        ("architecture", "resnet", ["architecture = 'resnet'", "'skip'"]),
        ("nonlinearity", "relu", ["nonlinearity = 'relu'", "'lrelu'"]),
        ("normalize_latents", False, ["normalize_latents = False"]),
        ("num_channels", 1, ["num_channels = 1", "3"]),
        ("mapping_lrmul", 0, ["mapping_lrmul = 0", "positive"]),
        ("mapping_lrmul", float("nan"), ["mapping_lrmul = nan", "positive"]),
        ("conv_clamp", "much", ["conv_clamp = 'much'", "positive"]),
        ("synthesis_func", "G_synthesis_stylegan_revised", ["synthesis_func", "'G_synthesis_stylegan2' or 'G_synthesis'"]),
        ("attention", True, ["attention = True", "NVIDIA's own code"]),
        ("resolution", 128, ["128 px", "64 px"]),
    ],
)
@pytest.mark.parametrize("everywhere", [True, False])
def test_settings_that_this_network_does_not_have_are_named(tmp_path, generator, setting, value, words, everywhere):
    gs = network(variables(generator), {setting: value})
    if not everywhere:  # in a part only
        gs.record["static_kwargs"] = {}
    refused(write(tmp_path / "x.pkl", tf_pickle(gs)), *words, "expected")


def nan(value: np.ndarray) -> np.ndarray:
    value = value.copy()
    value.flat[-1] = np.nan
    return value


V = variables(tiny())
CONV = "synthesis/16x16/Conv1/weight"
BAD = {
    "nan": (V | {CONV: nan(V[CONV])}, ["blocks.b16.conv1.weight", "NaN"]),
    "integers": (V | {CONV: V[CONV].astype(np.int32)}, ["blocks.b16.conv1.weight", "is stored as int32"]),
    "shape": (V | {CONV: V[CONV][:1, :1]}, ["[8, 8, 1, 1]", "[8, 8, 3, 3]"]),
    "dimensions": (V | {CONV: V[CONV][0]}, ["damaged"]),
    "two-constants": (V | {"synthesis/4x4/Const/const": np.zeros((2, 12, 4, 4), np.float32)}, ["[2, 12, 4, 4]"]),
    "objects": (V | {CONV: np.array([None, 1])}, ["damaged"]),
    "missing": ({n: v for n, v in V.items() if n != CONV}, ["lacks 'blocks.b16.conv1.weight'"]),
    "left-over": (V | {"synthesis/16x16/Attention/weight": np.zeros(1, np.float32)}, ["synthesis/16x16/Attention/weight"]),
    "conditional": (V | {"mapping/LabelConcat/weight": np.zeros((4, 16), np.float32)}, ["conditional"]),
    "resnet": (V | {"synthesis/8x8/Skip/weight": np.zeros((1, 1, 12, 10), np.float32)}, ["resnet", "skip"]),
    "orig": ({n: v for n, v in V.items() if "ToRGB" not in n or "64x64" in n}, ["'orig'", "'skip'"]),
    "config-d": ({re.sub(r"64x64/ToRGB", "ToRGB_lod0", n): v for n, v in V.items()}, ["config B to D"]),
    "stylegan1": (
        {"synthesis/4x4/Const/bias": V["dlatent_avg"], "synthesis/4x4/Const/StyleMod/weight": V["dlatent_avg"]},
        ["StyleGAN1"],
    ),
    "pggan": ({"4x4/Dense/weight": V["dlatent_avg"], "ToRGB_lod0/weight": V["dlatent_avg"]}, ["Progressive GAN"]),
    "discriminator": ({"4x4/Dense0/weight": V["dlatent_avg"]}, ["4x4/Dense0/weight"]),
    "nothing": ({}, ["nothing in it"]),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_networks_are_named_and_nothing_is_written(tmp_path, case):
    content, words = BAD[case]
    refused(write(tmp_path / "bad.pkl", tf_pickle(network(content))), *words)


def test_older_pickles(tmp_path, generator):
    refused(write(tmp_path / "x.pkl", tf_pickle(network(variables(generator), version=3))), "version 3", "expected 4 or 5")
    path = write(tmp_path / "y.pkl", tf_pickle(network(BAD["pggan"][0], version=2), module="tfutil"))
    refused(path, "Progressive GAN", "expected")


def test_something_else_than_three_networks(tmp_path, generator):
    gs = network(variables(generator))
    refused(write(tmp_path / "x.pkl", pickled((gs, gs))), "a tuple", "G, D and Gs")
    refused(write(tmp_path / "y.pkl", pickled((gs, gs, 3))), "a tuple", "G, D and Gs")


def test_a_network_inside_itself(tmp_path, generator):
    gs = network(variables(generator))
    gs.record["components"]["mapping"] = gs
    refused(write(tmp_path / "x.pkl", tf_pickle(gs)), "damaged")


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_cut_off_files(tmp_path, generator, part):
    content = tf_pickle(network(variables(generator)))
    refused(write(tmp_path / "x.pkl", content[: int(len(content) * part)]), "damaged")


def test_an_array_shorter_than_its_shape(tmp_path, generator):
    content = tf_pickle(network(variables(generator)))
    shape = b"(K\x01K\x0cK\x04K\x04t"  # (1, 12, 4, 4)
    at = content.index(shape, content.rindex(b"Const/const"))
    content = content[:at] + shape.replace(b"\x0c", b"\x0d") + content[at + len(shape) :]
    refused(write(tmp_path / "x.pkl", content), "damaged")


# what does not run


class Bomb:
    """Unpickling it the ordinary way writes a file."""

    def __init__(self, target: Path) -> None:
        self.command = f"touch '{target}'"

    def __reduce__(self):
        return os.system, (self.command,)


def test_source_code_in_the_file_does_not_run(tmp_path, generator):
    source = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
    path = write(tmp_path / "x.pkl", tf_pickle(network(variables(generator), build_module_src=source)))
    assert source.encode() in path.read_bytes()
    assert close(load_generator(path), generator)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["variables", "static_kwargs", "components", "name"])
def test_foreign_classes_are_named_and_do_not_run(tmp_path, generator, place):
    ran = tmp_path / "ran"
    pickle.loads(pickle.dumps(Bomb(ran)))  # noqa: S301 (our own: it works)
    ran.unlink()
    bomb = Bomb(ran)
    content = {"variables": [("lod", bomb)], "static_kwargs": {"x": bomb}, "components": {"x": bomb}, "name": bomb}[place]
    gs = network(variables(generator))
    gs.record[place] = content
    path = write(tmp_path / "x.pkl", tf_pickle(gs))
    refused(path, "system", "Nothing of it was run", "TensorFlow")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (b"cdnnlib.tflib.network\nNetwork.run\n.", "dnnlib.tflib.network.Network.run"),
        (b"cdnnlib.tflib.network\nexec\n.", "dnnlib.tflib.network.exec"),
        (b"cnumpy.core.multiarray\nfromfile\n.", "numpy.core.multiarray.fromfile"),
        (b"cnumpy\nmemmap\n.", "numpy.memmap"),
    ],
)
def test_names_outside_the_table_are_refused(tmp_path, code, named):
    refused(write(tmp_path / "x.pkl", b"\x80\x04" + code), named, "Nothing of it was run")


def test_a_hostile_pickle_leaves_nothing_behind(tmp_path):
    """Attributes set on a stand-in are gone with the file."""
    for name in (b"dnnlib.tflib.network\nNetwork", b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"):
        path = write(tmp_path / "x.pkl", b"\x80\x02c" + name + b"\n(N}X\x06\x00\x00\x00hackedK\x01stb.")
        with pytest.raises(GeneratorError):
            load_generator(path)
    for thing in (*nvidia_tf.stand_ins().values(), nvidia_tf.Network, nvidia_tf._Array, nvidia_tf._Type):
        assert not hasattr(thing, "hacked")
