"""Parse and run ``python -m nada_core COMMAND``, one of those that ``--help`` lists.

Exit codes: 0 done, 2 bad input (one line says what and what to do), 130 interrupted (style and training so far are kept).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from functools import cache

from nada_core.cli.adapt_flags import add_adapt_flags
from nada_core.cli.arguments import check_given, given_path
from nada_core.cli.latent_flags import add_latent_flags
from nada_core.cluster.connect import add_cluster_flags
from nada_core.errors import NadaError
from nada_core.looks.prompts import MAX_PROMPT

__all__ = ["main"]

#: Commands whose function of the same name is not in a module of the same name beside this one.
_HOMES = {"report": "nada_core.report.command"}

_MEMORY = (
    "The GPU has too little free memory for this. Give a smaller --batch or --resolution (with --adaptive-layers a smaller "
    "--adaptive-batch, with sample fewer --seeds), close other programs that use it, or work on the CPU: --device cpu."
)


class _Parser(argparse.ArgumentParser):
    """Keep argparse's message to one line; it already exits with 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {' '.join(message.split())}. See `{self.prog} --help`.\n")


@cache  # tests run many commands in one process
def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m nada_core", description="Adapt a face generator to a text, and photos to the result.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def shared(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (untested)")
        sub.add_argument("--world", choices=("starter", "full"), default=None, help="default: the best one this machine can have")
        sub.add_argument("--base", default=None, help="generator: starter, stylegan2-ffhq, or a file; default: the world's")

    adapt = commands.add_parser("adapt", help="fine-tune the generator towards a text")
    adapt.add_argument("prompt", nargs="?", help=f"what faces become, at most {MAX_PROMPT} characters: 'Joker'; with --resume the file's")
    add_adapt_flags(adapt)
    add_cluster_flags(adapt)
    shared(adapt)

    edit = commands.add_parser("edit", help="align a photo, invert it, render it in a style")
    edit.add_argument("photo")
    edit.add_argument("--style", default="joker", help="name of a style, its file, or hf:user/repo; a blend: joker:0.6,zombie:0.4")
    edit.add_argument("--strength", default="1", help="0 to 1.5, or three of them for shape,texture,colour")
    edit.add_argument("--mode", default="balanced", help="fast, balanced or faithful: how long the likeness is worked on; instant: without")
    edit.add_argument("--face", default="0", help="which face, 0 the largest; all (with --paste: every face of the photo)")
    edit.add_argument("--points", default=None, metavar="X,Y,X,Y,X,Y", help="both eyes and the mouth, where no face is found")
    edit.add_argument(
        "--resolution", type=int, default=None, help="side of the pictures; default: the generator's smallest, 256 in the starter world"
    )
    edit.add_argument("--encoder", default=None, help="text-image encoder that fits the style to the person; default: the world's")
    edit.add_argument("--inverter", default=None, help="photo encoder: starter, e4e, restyle-e4e or none; default: the generator's")
    edit.add_argument("--paste", action="store_true", help="also put the edited face back into the photo (pasted.png)")
    edit.add_argument("--gif", action="store_true", help="also a film from the person to the style and back (ramp.gif)")
    edit.add_argument("--out", type=given_path, required=True)
    shared(edit)

    film = commands.add_parser("film", help="put a style on everybody in a film; sound, frame rate and size stay")
    film.add_argument("film", metavar="IN", help="MP4, MOV, MKV, WebM, AVI and others")
    film.add_argument("--style", default="joker", help="name of a style, its file, or hf:user/repo; a blend: joker:0.6,zombie:0.4")
    film.add_argument("--strength", default="1", help="0 to 1.5")
    film.add_argument("--longest", type=float, default=10.0, metavar="MINUTES", help="films up to this length are taken; default: 10")
    film.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    film.add_argument("--out", type=given_path, required=True, metavar="OUT", help="ends in .mp4, .m4v, .mov or .mkv")
    shared(film)

    distil = commands.add_parser("distil", help="make a style's instant version: a small network that wears it in milliseconds")
    distil.add_argument("style", help="name of a style, its file, or hf:user/repo")
    distil.add_argument("--steps", type=int, default=160)
    distil.add_argument("--pairs", type=int, default=96, help="faces that the generator draws to learn from")
    distil.add_argument("--seed", type=int, default=0)
    distil.add_argument(
        "--out", type=given_path, default=None, metavar="FILE", help="also write it here; it is kept beside the saved styles anyway"
    )
    shared(distil)

    export = commands.add_parser("export", help="write a style's instant version for other programs, or as a page of its own")
    export.add_argument("style", help="name of a style, its file, or hf:user/repo")
    export.add_argument("--format", choices=("onnx", "torchscript", "web"), required=True, help="web: a folder for any web server")
    export.add_argument("--out", type=given_path, required=True, metavar="PATH", help="ends in .onnx or .pt; with web a new folder")
    shared(export)

    latent = commands.add_parser("latent", help="StyleCLIP's way: move a photo's latent towards a text, the generator stays as it is")
    add_latent_flags(latent)
    shared(latent)

    sample = commands.add_parser("sample", help="faces side by side in one strip")
    sample.add_argument("--style", default=None, help="name of a style, its file, or hf:user/repo")
    sample.add_argument("--seeds", default="0-3", help="A-B or A,B,C")
    sample.add_argument("--resolution", type=int, default=None, help="side of each face; default: the generator's smallest")
    sample.add_argument("--truncation", type=float, default=0.7)
    sample.add_argument("--out", type=given_path, required=True)
    shared(sample)

    convert = commands.add_parser("convert", help="StyleGAN2 files: rosinality .pt and .safetensors both ways, NVIDIA .pkl read")
    convert.add_argument("source", type=given_path, metavar="IN")
    convert.add_argument("out", type=given_path, metavar="OUT", help="ends in .pt (rosinality) or .safetensors")
    convert.add_argument("--to", choices=["rosinality", "safetensors"], default=None, help="default: what OUT ends in")
    convert.add_argument("--style", default=None, help="write the generator as this style changes it: a name, a file, or hf:user/repo")

    styles = commands.add_parser("styles", help="list the styles there are; import, export or upload one")
    deeds = styles.add_mutually_exclusive_group()
    deeds.add_argument("--json", action="store_true", help="the list as JSON")
    deeds.add_argument(
        "--import",
        dest="import_",
        default=None,
        metavar="FILE",
        help="take in a style file, a published StyleGAN2 (.pt, .pkl, .safetensors; with --base), or hf:user/repo[/file][@revision]",
    )
    deeds.add_argument("--export", nargs=2, default=None, metavar=("NAME", "FILE"), help="write a compact file of a style")
    deeds.add_argument("--push", default=None, metavar="NAME", help="upload a style to the Hugging Face Hub")
    styles.add_argument("--full", action="store_true", help="with --export: all values, bit for bit")
    styles.add_argument("--repo", default=None, metavar="USER/NAME", help="with --push: where to")
    styles.add_argument("--private", action="store_true", help="with --push: not for everybody to see")
    shared(styles)
    report = commands.add_parser("report", help="repeat the source project's experiment: one HTML page")
    report.add_argument("--photo", nargs="+", default=None, metavar="P", help="1 to 6 portraits; default: the astronaut Eileen Collins")
    report.add_argument("--quick", action="store_true", help="a look within minutes: 28 steps a run")
    report.add_argument("--seed", type=int, default=0)
    report.add_argument("--out", type=given_path, required=True)
    add_cluster_flags(report)
    shared(report)
    sweep = commands.add_parser("sweep", help="prompts by seeds by options, then photos by styles, as a plan says: one sheet")
    sweep.add_argument("plan", type=given_path, metavar="PLAN", help="a TOML file; docs/sweep.md says what may stand in it")
    sweep.add_argument("--out", type=given_path, required=True, help="what is done in it already is not done again")
    add_cluster_flags(sweep)
    shared(sweep)
    doctor = commands.add_parser("doctor", help="device, world, and the state of every downloadable file")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument("--cluster", default=None, metavar="ADDRESS", help="also list the workers of a Ray cluster: HOST:PORT, or auto")
    get = commands.add_parser("fetch", help="download files ahead of their first use")
    get.add_argument("names", nargs="+", metavar="NAME", help="starter, full (all that the world needs), or files as doctor names them")
    check = commands.add_parser("selfcheck", help="try everything this machine's world consists of, and write a report to send back")
    check.add_argument("--full", action="store_true", help="of the full world, whose files are fetched first (2 GB)")
    check.add_argument("--steps", type=int, default=20, help="length of the adaptation")
    check.add_argument("--photo", default=None, help="a portrait; default: the astronaut Eileen Collins")
    check.add_argument("--out", type=given_path, default=None, metavar="FILE", help="also write the report as JSON")
    shared(check)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    args = _parser().parse_args(argv)
    try:
        check_given(args)
        # imported here: `--help` and argument errors must not wait for torch
        code = getattr(importlib.import_module(_HOMES.get(args.command, f"nada_core.cli.{args.command}")), args.command)(args)
        sys.stdout.flush()
        return code
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        print(
            "error: torch is not installed in this Python. Use the one that `make setup` fills, `.venv/bin/python -m nada_core ...`, "
            "or run `python -m pip install -r requirements.txt`.",
            file=sys.stderr,
        )
        return 2
    except NadaError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if not _out_of_gpu_memory(error):
            raise
        print(f"error: {_MEMORY}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # `... | head` has read enough; nothing is left to write to when Python flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _out_of_gpu_memory(error: RuntimeError) -> bool:
    torch = sys.modules.get("torch")  # whatever raised it has imported torch
    # a library that found no room for its own says so in words
    said = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return torch is not None and (isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in said))
