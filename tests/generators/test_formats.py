"""Generator files: rosinality's, NVIDIA's and ours; what is refused, and that nothing in a file runs."""

from __future__ import annotations

import argparse
import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nada_core.errors import GeneratorError
from nada_core.generators.formats import nvidia, rosinality
from nada_core.generators.load import load_generator
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.styles.convert import convert
from nada_core.styles.library import READY
from tests.helpers.stylegan2_files import EasyDict, fir, nvidia_pickle, nvidia_state, rosinality_state, same, tiny, write


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    return tiny()


def refused(path: Path, *words: str) -> str:
    with pytest.raises(GeneratorError) as caught:
        load_generator(path)
    message = str(caught.value)
    assert path.name in message and str(path.parent) not in message and "\n" not in message
    for word in (*words, "xpected"):
        assert word in message, message
    return message


# rosinality


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state, mean: {"g_ema": state, "latent_avg": mean},
        lambda state, mean: {"g": state, "latent_avg": mean},
        lambda state, mean: {"g": {"input.other": torch.zeros(1)}, "g_ema": OrderedDict(state), "latent_avg": mean[None]},
        lambda state, mean: {"g_ema": state, "g_optim": {"state": {}}, "args": argparse.Namespace(size=64), "latent_avg": mean},
        lambda state, mean: state | {"latent_avg": mean},
    ],
    ids=["g_ema", "g", "both", "with-arguments", "bare"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_rosinality_files(tmp_path, generator, wrap, zipped):
    path = write(tmp_path / "x.pt", wrap(rosinality_state(generator), generator.w_avg), _use_new_zipfile_serialization=zipped)
    loaded = load_generator(path)
    assert isinstance(loaded, StyleGAN2) and same(loaded, generator)
    assert not any(p.requires_grad for p in loaded.parameters()) and not loaded.training


@pytest.mark.parametrize(
    "wrap", [lambda s, mean: {"g_ema": s, "latent_avg": mean}, lambda s, _: {"g": s, "d": {"module.x": 1}}, lambda s, _: s]
)
def test_names_of_a_parallel_wrapper_are_understood(tmp_path, generator, wrap):
    state = {f"module.{name}": value for name, value in rosinality_state(generator).items()}
    assert load_generator(write(tmp_path / "x.pt", wrap(state, generator.w_avg))).content_hash() == generator.content_hash()


def test_a_parallel_wrapper_around_nvidias_names(tmp_path, generator):
    state = {f"module.{name}": value for name, value in nvidia_state(generator).items()}
    assert same(load_generator(write(tmp_path / "x.pt", {"G_ema": state})), generator)


def test_g_ema_is_preferred_to_g(tmp_path, generator):
    path = write(tmp_path / "x.pt", {"g": rosinality_state(tiny(seed=5)), "g_ema": rosinality_state(generator)})
    assert load_generator(path).content_hash() == generator.content_hash()


def test_missing_mean_and_noise_are_made_from_seeds(tmp_path, generator):
    state = {name: value for name, value in rosinality_state(generator).items() if not name.startswith("noises.")}
    path = write(tmp_path / "x.pt", {"g_ema": state})
    loaded, again = load_generator(path), load_generator(path)
    assert same(loaded, again)
    torch.testing.assert_close(loaded.w_avg, generator.estimate_w_avg())
    noise = loaded.blocks["b64"].conv1.noise_const
    assert abs(noise.std() - 1) < 0.1 and not torch.equal(noise, loaded.blocks["b64"].conv0.noise_const)


def test_names_and_shapes_written_are_rosinalitys(generator):
    written = torch.load(io.BytesIO(rosinality.to_bytes(generator)), weights_only=True)
    expected = rosinality_state(generator)
    assert set(written) == {"g_ema", "latent_avg"} and written["g_ema"].keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(written["g_ema"][name], value), name
    assert torch.equal(written["latent_avg"], generator.w_avg)


@pytest.mark.parametrize(
    "options", [{"mapping_layers": 8}, {"channels": (8, 6, 4)}, {"channels": (8,) * 8}, {"z_dim": 12, "mapping_layers": 1}]
)
def test_sizes_are_found_in_every_format(tmp_path, options):
    generator = tiny(**options)
    files = {
        "x.pt": {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg},
        "y.pt": {"G_ema": nvidia_state(generator)},
        "z.pkl": nvidia_pickle(nvidia_state(generator)),
    }
    for name, content in files.items():
        loaded = load_generator(write(tmp_path / name, content))
        assert loaded.config == generator.config and same(loaded, generator), name


# NVIDIA


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_nvidia_pickles(tmp_path, generator, protocol):
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), protocol))
    assert same(load_generator(path), generator)
    with pytest.raises((ModuleNotFoundError, AttributeError)):  # it is a pickle that needs NVIDIA's own code
        pickle.loads(path.read_bytes())  # noqa: S301 (written two lines above)


def test_clamp_of_a_pickle_is_kept(tmp_path, generator):
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), conv_clamp=256))
    loaded = load_generator(path)
    assert loaded.config.conv_clamp == 256
    convert(path, tmp_path / "y.safetensors")
    assert load_generator(tmp_path / "y.safetensors").config == loaded.config
    done = convert(path, tmp_path / "y.pt")
    assert "256" in done.notes[0]


def test_settings_may_be_missing(tmp_path, generator):
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), plain=True))
    assert same(load_generator(path), generator)


@pytest.mark.parametrize(
    ("only", "setting", "value", "expected"),
    [
        ("synthesis.b8.conv0", "activation", "relu", "'lrelu'"),
        ("mapping.fc1", "activation", "swish", "'lrelu'"),
        ("synthesis.b64.torgb.affine", "activation", "lrelu", "'linear'"),
        ("synthesis.b8.conv1.affine", "bias_gain", 0.5, "1"),
        ("synthesis.b16.conv0", "up", 1, "2"),
        ("synthesis.b16.conv1", "use_noise", "sometimes", "False"),
        ("synthesis.b4", "architecture", "resnet", "'skip'"),
        ("mapping.fc0", "bias_gain", -1, "0.01"),
        ("mapping.fc0", "bias_gain", float("nan"), "0.01"),
        ("mapping.fc0", "bias_gain", None, "0.01"),
        ("mapping.fc0", "activation", EasyDict(), "'lrelu'"),
    ],
)
def test_settings_that_this_network_does_not_have_are_named(tmp_path, generator, only, setting, value, expected):
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), only=only, **{setting: value}))
    message = refused(path, setting, only, f"expected {expected}")
    assert "damaged" not in message and (not isinstance(value, (str, float)) or str(value) in message)


def test_another_learning_rate_multiplier_of_the_mapping_network_is_folded_into_its_weights(tmp_path, generator):
    """Against NVIDIA's formula: both weight and bias are multiplied by it where they are used."""
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), only="mapping.fc1", bias_gain=0.05))
    loaded, z = load_generator(path), torch.randn(3, 16)
    x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    for layer, multiplier in zip(generator.mapping_layers, (0.01, 0.05), strict=True):
        x = torch.nn.functional.linear(x, layer.weight * multiplier / 4, layer.bias * multiplier)
        x = torch.nn.functional.leaky_relu(x, 0.2) * 2**0.5
    torch.testing.assert_close(loaded.mapping(z)[:, 0], x)
    assert not torch.allclose(generator.mapping(z)[:, 0], x, atol=1e-2)


def test_a_network_made_without_noise_has_none(tmp_path, generator):
    state = nvidia_state(generator)
    bare = {name: value for name, value in state.items() if ".noise_" not in name}
    ws = generator.mapping(generator.sample_z([0]))
    for content in (state, bare):  # a setting that was changed later leaves the tensors there
        loaded = load_generator(write(tmp_path / "x.pkl", nvidia_pickle(content, use_noise=False)))
        torch.testing.assert_close(loaded.synthesis(ws), generator.synthesis(ws, noise_mode="none"))
    refused(write(tmp_path / "y.pkl", nvidia_pickle(bare)), "noise_const")


@pytest.mark.parametrize("kernel", [torch.ones(1, 1), fir() * 4, torch.outer(*[torch.tensor([1.0, 2.0, 2.0, 1.0]) / 6] * 2)])
def test_other_filters_in_pickles_are_refused(tmp_path, generator, kernel):
    refused(write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator) | {"synthesis.b8.conv0.resample_filter": kernel})), "filter")


class Bomb:
    """Unpickling it the ordinary way writes a file."""

    def __init__(self, target: Path) -> None:
        self.command = f"touch '{target}'"

    def __reduce__(self):
        return os.system, (self.command,)


def test_the_bomb_works(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "ran")))  # noqa: S301 (our own; the tests below must not find this file)
    assert (tmp_path / "ran").exists()


def test_source_code_in_a_pickle_does_not_run(tmp_path, generator):
    source = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), source=source))
    assert source.encode() in path.read_bytes()
    assert same(load_generator(path), generator)
    assert not (tmp_path / "ran").exists()


def test_foreign_classes_in_pickles_do_not_run(tmp_path, generator):
    state, ran = nvidia_state(generator), tmp_path / "ran"
    payload = io.BytesIO()
    torch.save({"x": Bomb(ran)}, payload, _use_new_zipfile_serialization=False)
    torch.storage._load_from_bytes(payload.getvalue())  # what torch's own loader of storages does with these bytes
    ran.unlink()
    for name, content in {
        "beside.pkl": nvidia_pickle(state, extra={"extra": Bomb(ran)}),
        "alone.pkl": pickle.dumps(Bomb(ran)),
        "old.pkl": pickle.dumps(Bomb(ran), 2),
    }.items():
        refused(write(tmp_path / name, content), "posix.system" if os.name == "posix" else "system", "Nothing of it was run")
        assert not ran.exists(), name

    class Hidden:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (payload.getvalue(),)

    refused(write(tmp_path / "hidden.pkl", nvidia_pickle(state, extra={"extra": Hidden()})))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (b"cbuiltins\neval\n(V1+1\ntR.", "builtins.eval"),
        (b"cnumpy\nload\n(Vx\ntR.", "numpy.load"),
        (b"ctorch\nload\n(Vx\ntR.", "torch.load"),
        (b"cdnnlib.tflib.tfutil\nrun\n)R.", "dnnlib.tflib.tfutil.run"),
        (b"ctorch_utils.persistence\nsys.modules\n.", "torch_utils.persistence.sys.modules"),
    ],
)
def test_names_outside_the_table_are_refused(tmp_path, code, named):
    refused(write(tmp_path / "x.pkl", b"\x80\x04" + code), named)


def test_a_hostile_pickle_leaves_nothing_behind(tmp_path):
    """Attributes set on a stand-in are gone with the file."""
    name = b"ctorch._utils\n_rebuild_parameter\n"
    refused(write(tmp_path / "x.pkl", b"\x80\x02" + name + b"(N}X\x06\x00\x00\x00hackedK\x01stb."), "a function")
    assert not any(hasattr(stand_in, "hacked") for stand_in in nvidia.stand_ins().values())


@pytest.mark.parametrize(("size", "fits"), [(2, True), (1000, False)])
def test_views_beyond_their_storage_are_refused(tmp_path, generator, size, fits):
    storage = io.BytesIO()
    torch.save(torch.zeros(2)._typed_storage(), storage, _use_new_zipfile_serialization=False)

    class Storage:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (storage.getvalue(),)

    class View:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, (size,), (1,), False, OrderedDict())

    path = write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), extra={"extra": View()}))
    if fits:
        assert same(load_generator(path), generator)
    else:
        refused(path, "damaged")


def test_foreign_classes_in_torch_files_do_not_run(tmp_path, generator):
    ran = tmp_path / "ran"
    content = {"g_ema": rosinality_state(generator), "opts": Bomb(ran)}
    for zipped in (True, False):
        refused(write(tmp_path / "x.pt", content, _use_new_zipfile_serialization=zipped), "posix.system", "nothing of it was run")
    assert not ran.exists()


# what is refused


def changed(state: dict, **values) -> dict:
    """``None`` removes a name; underscores in keywords stand for dots."""
    state = dict(state)
    for name, value in values.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return state


def nan(shape: tuple[int, ...]) -> torch.Tensor:
    value = torch.zeros(shape)
    value.view(-1)[-1] = float("nan")
    return value


R, N = rosinality_state(tiny()), nvidia_state(tiny())
BAD = {
    "nan": ({"g_ema": R | {"convs.3.conv.weight": nan((1, 8, 8, 3, 3))}}, ["blocks.b16.conv1.weight", "NaN"]),
    "infinite-mean": ({"g_ema": R, "latent_avg": torch.full((16,), torch.inf)}, ["w_avg", "infinity"]),
    "mean-of-another-width": ({"g_ema": R, "latent_avg": torch.zeros(18, 512)}, ["[18, 512]", "16"]),
    "channels": ({"g_ema": R | {"convs.2.conv.weight": torch.zeros(1, 8, 12, 3, 3)}}, ["[8, 12, 3, 3]", "[8, 10, 3, 3]"]),
    "noise": ({"g_ema": R | {"noises.noise_7": torch.zeros(1, 1, 32, 32)}}, ["b64.conv0.noise_const", "[32, 32]", "[64, 64]"]),
    "no-singletons": ({"g_ema": R | {"to_rgb1.bias": torch.zeros(3)}}, ["to_rgb1.bias", "[3]"]),
    "kernel-size": ({"g_ema": R | {"conv1.conv.weight": torch.zeros(1, 12, 12, 1, 1)}}, ["[12, 12, 1, 1]", "[12, 12, 3, 3]"]),
    "missing-layer": ({"g_ema": changed(R, convs__5__activate__bias=None)}, ["convs.5.activate.bias", "64 px"]),
    "missing-block": ({"g_ema": {n: v for n, v in R.items() if not n.startswith(("convs.4", "convs.5"))}}, ["convs.4", "more"]),
    "half-the-noise": ({"g_ema": changed(R, noises__noise_3=None)}, ["noises.noise_3"]),
    "left-over": ({"g_ema": R | {"convs.0.extra": torch.zeros(1)}}, ["convs.0.extra"]),
    "other-filter": ({"g_ema": R | {"convs.0.conv.blur.kernel": fir()}}, ["convs.0.conv.blur.kernel", "filter"]),
    "no-tensor": ({"g_ema": R | {"conv1.activate.bias": 3}}, ["conv1.activate.bias"]),
    "integers": ({"g_ema": R | {"conv1.activate.bias": torch.zeros(12, dtype=torch.int64)}}, ["is stored as int64", "float32"]),
    "conditional": ({"G_ema": N | {"mapping.embed.weight": torch.zeros(16, 4)}}, ["conditional", "without class labels"]),
    "stylegan3": ({"G_ema": {"mapping.fc0.weight": torch.zeros(4, 4), "synthesis.input.freqs": torch.zeros(4)}}, ["StyleGAN3"]),
    "resnet": ({"G_ema": N | {"synthesis.b8.skip.weight": torch.zeros(8, 12, 1, 1)}}, ["resnet", "skip"]),
    "orig": (
        {"G_ema": {n: v for n, v in N.items() if ".torgb." not in n or ".b64." in n}},
        ["'orig'", "'skip'"],
    ),
    "wrapped-strangely": ({"g_ema": {"module.conv1.weight": torch.zeros(1), "other": 1}}, ["'g_ema' with", "module.conv1.weight"]),
    "no-middle-block": ({"G_ema": {n: v for n, v in N.items() if ".b16." not in n}}, ["4, 8, 32, 64 px", "4, 8, 16"]),
    "grey": ({"G_ema": N | {"synthesis.b64.torgb.weight": torch.zeros(1, 6, 1, 1)}}, ["[1, 6, 1, 1]", "[3, 6, 1, 1]"]),
    "mapping-only": ({"G_ema": {n: v for n, v in N.items() if n.startswith("mapping")}}, ["no px"]),
    "another-filter": ({"G_ema": N | {"synthesis.b8.conv0.resample_filter": torch.ones(1, 1)}}, ["resample_filter"]),
    "encoder": ({"state_dict": {"encoder.input_layer.0.weight": torch.zeros(1)}, "latent_avg": torch.zeros(18, 512)}, ["encoder"]),
    "classifier": ({"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)}, ["conv1.weight", "StyleGAN2"]),
    "tensor": (torch.zeros(3), ["a Tensor"]),
    "empty": ({}, ["nothing"]),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_files_are_named_and_nothing_is_written(tmp_path, case):
    content, words = BAD[case]
    path = write(tmp_path / "bad.pt", content)
    refused(path, *words)
    with pytest.raises(GeneratorError):
        convert(path, tmp_path / "out" / "x.safetensors")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.pt"]


@pytest.mark.parametrize("case", ["conditional", "stylegan3", "resnet", "orig", "grey"])
def test_the_same_as_pickles(tmp_path, case):
    content, words = BAD[case]
    refused(write(tmp_path / "bad.pkl", nvidia_pickle(content["G_ema"])), *words)


def test_pickles_without_the_network(tmp_path):
    refused(write(tmp_path / "a.pkl", pickle.dumps({"D": 1, "options": [1, 2]})), "'D'", "'options'", "G_ema")
    refused(write(tmp_path / "b.pkl", pickle.dumps(["G_ema"])), "a list")


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "safetensors"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
def test_cut_off_files(tmp_path, generator, form, part):
    path = tmp_path / "cut.bin"
    if form == "pickle":
        content = nvidia_pickle(nvidia_state(generator))
    elif form == "safetensors":
        convert(write(tmp_path / "whole.pt", {"g_ema": R}), tmp_path / "whole.safetensors")
        content = (tmp_path / "whole.safetensors").read_bytes()
    else:
        content = write(tmp_path / "whole.pt", {"g_ema": R}, _use_new_zipfile_serialization=form == "zip").read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(GeneratorError, match="damaged"):
        load_generator(path)


@pytest.mark.parametrize("content", [b"hello", bytes(100)])
def test_files_of_no_known_kind(tmp_path, content):
    refused(write(tmp_path / "x.pt", content), "not a safetensors file")


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"<html>404</html>", "is a web page")])
def test_what_came_instead_of_a_file_is_named(tmp_path, content, words):
    with pytest.raises(GeneratorError, match=words):
        load_generator(write(tmp_path / "x.pt", content))


def test_styles_and_foreign_safetensors_are_no_generators(tmp_path):
    with pytest.raises(GeneratorError, match="is a style, not a generator"):
        load_generator(READY / "joker.safetensors")
    save_file({"unet.weight": torch.zeros(1)}, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "unet.weight", "no family known")
