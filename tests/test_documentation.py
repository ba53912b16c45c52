"""Check what the documentation claims, as far as a machine can: links lead somewhere, commands are understood, settings exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from nada_core.cli import main as command_line
from tests.helpers.folders import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "findings" / "README.md", ROOT / "checkpoints" / "README.md"]
#: Bytes of README.md below the settings for Spaces: what a visitor reads before deciding.
MOST_BYTES = 6000


def page_name(page: Path) -> str:
    """Return a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def parts(text: str) -> tuple[str, str]:
    """Split README.md into its settings for Spaces and what people read."""
    _, settings, body = text.split("---\n", 2)
    return settings, body


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_to_files_and_headings_that_exist(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page_name(page)} links to {target}"
        if heading:
            assert heading in anchors(file), f"{page_name(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_are_understood(page, monkeypatch):
    """Give every `python -m nada_core` line of a code block, without what is in brackets, to the command line; its work is taken out."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for line in "".join(blocks).splitlines():
        words = shlex.split(re.sub(r"\[[^\]]*\]", "", line), comments=True)
        if words[:3] == ["python", "-m", "nada_core"]:
            with monkeypatch.context() as patched:
                patched.setattr(command_line.importlib, "import_module", lambda _, done=words[3]: SimpleNamespace(**{done: lambda _: 0}))
                assert command_line.main(words[3:]) == 0, line


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_what_is_made_has_a_target(page):
    text = page.read_text("utf-8")
    commands = "".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL)).splitlines() + re.findall(r"`(make [^`]+)`", text)
    wanted = {found[1] for line in commands if (found := re.match(r"make (?:[A-Z]+=\S+ )*([a-z-]+)", line))}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert wanted <= targets, f"{page_name(page)}: make {wanted - targets}"


def test_the_readme_is_short_and_its_settings_are_those_that_are_installed():
    settings, body = parts((ROOT / "README.md").read_text("utf-8"))
    assert len(body.encode()) <= MOST_BYTES
    version = re.search(r"^sdk_version: (\S+)$", settings, re.MULTILINE)
    pinned = re.search(r"^gradio==(\d+\.\d+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert version and pinned and version[1].startswith(pinned[1] + ".")
    for name in ("app_file: app.py", "sdk: gradio", "license: apache-2.0"):
        assert name in settings


def test_the_cpu_installation_names_the_versions_that_are_required():
    required = (ROOT / "requirements.txt").read_text("utf-8")
    for page in (ROOT / "README.md", ROOT / "docs" / "running.md"):
        for wanted in re.findall(r'"(torch(?:vision)?[<>=][^"]+)"', page.read_text("utf-8")):
            assert wanted in required.splitlines(), f"{page_name(page)} installs {wanted}"


def test_every_finding_is_listed():
    told = (ROOT / "findings" / "README.md").read_text("utf-8")
    for script in (ROOT / "findings").glob("*.sh"):
        assert f"`{script.name}`" in told
