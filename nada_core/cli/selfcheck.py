"""Run ``python -m nada_core selfcheck``: fetch, load and judge each network of this machine's world, then adapt and edit a photo."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from nada_core.adaptation.options import MAX_STEPS
from nada_core.checks.doctor import report
from nada_core.checks.selfcheck import selfcheck as check
from nada_core.engine import Engine
from nada_core.errors import OptionsError
from nada_core.system.files import write_bytes

__all__ = ["selfcheck"]


def selfcheck(args: argparse.Namespace) -> int:
    """Try the whole world and return exit code 1 where a stage failed."""
    if args.full and args.world == "starter":
        raise OptionsError("--full and --world starter contradict each other; leave one of them out.")
    if not 10 <= args.steps <= MAX_STEPS:
        raise OptionsError(f"--steps is {args.steps}; it must be between 10 and {MAX_STEPS}.")
    engine = Engine(args.device, base=args.base, world="full" if args.full else args.world)
    print(f"world: {engine.world}: {engine.world_reason}")
    findings = []
    for finding in check(engine, args.photo, steps=args.steps):
        findings.append(finding)
        word = "passed" if finding.passed else "FAILED" if finding.tried else "left  "
        print(f"{word}  {finding.name:<28} {finding.seconds:7.1f} s  {finding.detail}", flush=True)
    if args.out is not None:
        machine = {key: value for key, value in report().items() if key not in ("cache", "local_folder")}  # folders name people
        machine["assets"] = [{key: value for key, value in asset.items() if key != "path"} for asset in machine["assets"]]
        found = {"world": engine.world, "machine": machine, "stages": [asdict(finding) for finding in findings]}
        write_bytes(args.out, json.dumps(found, indent=2, default=str).encode())
        print(f"{args.out}: the report; it names no folder and no person")
    failed = [finding.name for finding in findings if not finding.passed and finding.tried]
    left = sum(not finding.tried for finding in findings)
    also = f"; {left} that need them were not tried" if left else ""
    print(f"{len(failed)} of {len(findings)} stages failed: {', '.join(failed)}{also}" if failed else f"all {len(findings)} stages passed")
    return 1 if failed else 0
