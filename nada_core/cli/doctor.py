"""Run ``python -m nada_core doctor``: say what this machine has and which world it is in."""

from __future__ import annotations

import argparse

from nada_core.checks.doctor import format_report, report
from nada_core.cli.arguments import print_json

__all__ = ["doctor"]


def doctor(args: argparse.Namespace) -> int:
    """Report device, world and assets, and with ``--cluster`` the workers there. Raises ClusterError."""
    found = report(cluster=args.cluster)
    if args.json:
        print_json(found)
    else:
        print(format_report(found))
    return 0
