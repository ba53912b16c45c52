"""The command `sweep` on a tiny engine: exit status, progress, Ctrl-C and going on, refusals."""

from __future__ import annotations

import sys

import pytest

from nada_core.cli import sweep as command
from nada_core.cli.main import main
from nada_core.errors import NadaError
from nada_core.sweep.work import SweepWork
from tests.helpers.small_sweeps import SmallEngine, plan_folder

pytestmark = pytest.mark.heavy

PLAN = '[adapt]\nprompts = ["Joker", "gold", "wood"]\n[adapt.options]\nsteps = 2\nresolution = 128\ncrops = 0\n'


@pytest.fixture
def cli(monkeypatch, capfd, tmp_path):
    """``main`` on an engine: exit code, output, standard error; the plan lies in ``cli.plan``."""

    def call(engine: SmallEngine, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(command, "open_work", lambda device, world, base: lambda: SweepWork(engine))
        capfd.readouterr()
        code = main(["sweep", str(call.plan), "--out", str(tmp_path / "out"), *more])
        return code, *capfd.readouterr()

    call.plan = plan_folder(tmp_path, PLAN)
    return call


def test_all_rows_are_done(cli, tmp_path):
    code, out, err = cli(SmallEngine())
    assert code == 0 and out == f"{tmp_path / 'out' / 'sheet.html'}: 3 of 3 rows are done\n"
    assert err.startswith("3 rows\n") and "[1/3] Joker, seed 0: done in" in err and " left" in err and "step 2/2" in err
    again = SmallEngine()
    code, out, err = cli(again)
    assert code == 0 and again.log == [] and "3 rows are done already" in err


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(cli):
    code, out, err = cli(SmallEngine(stop_at=2))
    assert code == 130 and out == ""
    assert err.endswith("interrupted: 1 of 3 rows are done and kept; the same command goes on from there\n")
    engine = SmallEngine()
    code, out, err = cli(engine)
    assert code == 0 and engine.log == ["gold", "wood"] and "1 rows are done already" in err and "3 of 3" in out


def test_a_row_that_failed_is_named_and_counts_in_the_exit_status(cli):
    class Flaky(SmallEngine):
        def adapt(self, prompt, options):
            if prompt == "gold":
                raise NadaError("Not\ntoday.")
            return super().adapt(prompt, options)

    code, out, err = cli(Flaky())
    assert code == 1 and "2 of 3 rows are done; 1 are not, the same command tries them again" in out
    assert err.splitlines()[-1] == "gold, seed 0: Not today." and "[2/3] gold, seed 0: FAILED: Not today." in err
    assert cli(SmallEngine())[0] == 0


def test_a_changed_plan_is_said(cli):
    cli(SmallEngine())
    cli.plan.write_text(PLAN.replace('"wood"', '"ice"'))
    code, _out, err = cli(SmallEngine())
    assert code == 0 and "is not that of the last start in this folder: 2 rows are the same, 1 are new, 1 are not in it any more" in err


def test_what_is_refused_is_one_line(cli, tmp_path):
    cli.plan.write_text("[adapt]\nprompt = 1")
    code, out, err = cli(SmallEngine())
    assert (code, out, err) == (2, "", "error: [adapt] has the unknown key 'prompt'; known are prompts, seeds, options.\n")
    cli.plan.write_text(PLAN.replace("steps = 2", "steps = 0"))
    code, out, err = cli(SmallEngine())
    assert (code, out, err) == (2, "", "error: [adapt.options]: steps is 0; it must be between 1 and 2000.\n")
    cli.plan.write_text(PLAN)
    (tmp_path / "out").write_text("mine")
    code, out, err = cli(SmallEngine())
    assert code == 2 and err.startswith("error: The folder 'out' cannot be written")


def test_workers_without_ray_say_what_to_install(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _out, err = cli(SmallEngine(), "--workers", "2")
    assert code == 2 and err.startswith("error: Workers need Ray, which is not installed here.")
