"""Build the app, launch it, and say which world it is in: the entry of the Hugging Face Space and of `make run`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

from nada_core.cluster.connect import add_cluster_flags, connect
from nada_core.errors import NadaError
from nada_core.system.allocator import tune_cpu_allocator
from nada_core.system.threads import wait_politely
from nada_core.ui import TempFolder, build_app, launch_options, name_tools, register_photos, tools_problem, warm_up

__all__ = ["main", "serve"]


def _announce(demo: Any) -> None:
    """Load and try the engine while the page is already up, so that the first visitor need not wait; print which world it is and why."""
    try:
        from nada_core.images.image_io import limit_pillow

        limit_pillow()
        world = demo.warm()
        if demo.context.crew is not None:
            demo.context.crew.start(demo.context)
        print(f"World: {world.name} ({world.reason})", flush=True)
        warm_up(demo.context)
        print("Warm: the first visitor need not wait.", flush=True)
    except NadaError as error:
        print(f"The engine is not ready: {error}", file=sys.stderr, flush=True)
    except Exception as error:  # noqa: BLE001 - a thread's last resort: the page shows the same and tries again on the next click
        print(f"The engine could not be loaded: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C. Returns the exit code: 130 after Ctrl-C, 2 when the port or MCP cannot be used."""
    wait_politely()
    tune_cpu_allocator()  # before threads exist: each would keep the arena it started with
    on_space = bool(os.environ.get("SPACE_ID"))
    parser = argparse.ArgumentParser(description="StyleGAN-NADA: adapt a face generator to a look, and photos to it.")
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1"))
    parser.add_argument("--port", type=int, default=os.environ.get("GRADIO_SERVER_PORT") or "7860")
    parser.add_argument("--world", choices=("starter", "full"), help="default: the best one this machine can have (NADA_WORLD)")
    parser.add_argument("--base", help="generator: starter, stylegan2-ffhq, or a file; default: the world's")
    parser.add_argument("--encoder", help="text-image encoder: starter, ViT-B-32, 'ViT-B-32,ViT-B-16', ...; default: the world's")
    add_cluster_flags(parser)
    asked = os.environ.get("GRADIO_MCP_SERVER", "").strip().lower() in {"1", "true", "yes", "on"}
    parser.add_argument("--mcp", action="store_true", default=asked, help="offer adapt, edit and styles to language models (MCP) as well")
    options = parser.parse_args(arguments)
    if options.mcp and (problem := tools_problem()):
        print(problem, file=sys.stderr)
        return 2

    def engine(world: str | None = options.world, base: str | None = options.base, encoder: str | None = options.encoder) -> Any:
        """By default the one that was asked for here; the page may ask for another."""
        from nada_core.engine import Engine  # torch is loaded while the page is already up

        return Engine(world=world, base=base, encoder=encoder)

    with contextlib.ExitStack() as held:
        crew = None
        if options.workers is not None or options.cluster:
            try:
                crew = _crew(held, options.workers, options.cluster)
            except NadaError as error:
                print(error, file=sys.stderr)
                return 2
        held.callback(TempFolder().remove)  # after Ray has begun, whose own files have names as long as they may be
        return serve(build_app(engine, public=on_space, crew=crew), options.host, options.port, mcp=options.mcp)


def _crew(held: contextlib.ExitStack, workers: int | None, address: str | None) -> Any:
    """Start Ray or join a cluster until ``held`` is closed; return the workers, which start once the engine is loaded."""
    from nada_core.ui.workers.crew import RayCrew

    crew = RayCrew(held.enter_context(connect(workers, address)))
    held.callback(crew.close)
    return crew


def serve(demo: Any, host: str, port: int, *, mcp: bool = False) -> int:
    """Serve a built app until Ctrl-C or SIGTERM; either way the style of a running adaptation is kept. Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that the end below is reached
    try:
        if mcp:
            name_tools(demo)
        demo.launch(**launch_options(host, port, mcp=mcp), prevent_thread_lock=True)
        if mcp:
            if demo.mcp_error:
                print(demo.mcp_error, file=sys.stderr)
                return 2
            register_photos(demo)
        threading.Thread(target=_announce, args=(demo,), daemon=True, name="warm-up").start()
        threading.Event().wait()
    except OSError:
        print(f"The app cannot listen on {host}, port {port}: it is in use or not allowed. Try --port.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopping.", flush=True)
        demo.close(verbose=False)
        return 130
    finally:
        demo.context.shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
