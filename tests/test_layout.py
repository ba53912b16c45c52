"""The plan of the house, kept: no circle of imports, no tab that knows another, Gradio and HTML only where the page is built."""

from __future__ import annotations

import ast
import graphlib
from functools import cache

import pytest

from tests.helpers.folders import ROOT

#: Folders and files of nada_core/ui whose work is the page itself.
PAGE = ("page", "photo", "style_menu", "api", "app", "open_link", "restore_page", "world_form")
#: Files of a tab that lay it out or connect its handlers.
TAB_FILES = {
    "asked",
    "film_form",
    "make_live",
    "tab",
    "form",
    "expert_form",
    "clip_offer",
    "layout",
    "stage",
    "finished",
    "cut_off",
    "sharing",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of nada_core by its dotted name."""
    found = {}
    for path in sorted((ROOT / "nada_core").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


@cache
def imported(tree: ast.Module) -> set[str]:
    """Return what a module imports when it runs, early or late; not what only type checkers read."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in modules() else node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):  # imports are statements: nothing else is looked into
            below = getattr(node, part, ())
            waiting += below if isinstance(below, list) else ()  # a lambda's body is an expression
    return names


def room(module: str) -> str:
    """Return the folder that a module stands in; a file beside the folders is a room of its own."""
    parts = module.split(".")
    if parts[:2] == ["nada_core", "ui"]:
        depth = 4 if parts[2:3] == ["tabs"] else 3
    else:
        depth = 2
    return ".".join(parts[:depth])


def order(arrows: dict[str, set[str]]) -> None:
    """Raise CycleError, which names the circle, where there is one."""
    graphlib.TopologicalSorter(arrows).prepare()


def test_no_module_imports_itself_by_way_of_others():
    order({name: imported(tree) & set(modules()) for name, tree in modules().items()})


def test_no_folder_imports_itself_by_way_of_others():
    arrows: dict[str, set[str]] = {}
    for name, tree in modules().items():
        if name in ("nada_core", "nada_core.ui"):  # the fronts, which hand on names
            continue
        arrows.setdefault(room(name), set()).update(room(m) for m in imported(tree) & set(modules()) if room(m) != room(name))
    order(arrows)


def test_no_tab_imports_a_tab():
    tabs = "nada_core.ui.tabs."
    for name, tree in modules().items():
        if name.startswith(tabs):
            others = {m for m in imported(tree) if m.startswith(tabs) and m.split(".")[3] != name.split(".")[3]}
            assert not others, f"{name} imports {others}"


def test_gradio_is_imported_only_where_the_page_is_built():
    for name, tree in modules().items():
        if not any(m.split(".")[0] == "gradio" for m in imported(tree)):
            continue
        assert name.startswith("nada_core.ui."), f"{name} imports Gradio"
        parts = name.split(".")[2:]
        allowed = parts[2] in TAB_FILES if parts[0] == "tabs" else parts[0] in PAGE
        assert allowed, f"{name} imports Gradio"


def reached(name: str) -> set[str]:
    """Return what a module of nada_core imports, itself or by way of others."""
    seen: set[str] = set()
    waiting = {name}
    while waiting:
        here = waiting.pop()
        seen.add(here)
        waiting |= (imported(modules()[here]) & set(modules())) - seen
    return seen - {name}


def test_work_speaks_in_values_not_in_html():
    """Neither the rooms that outlive a page nor the work of a tab know how anything looks, not even by way of another module."""
    rooms, works = ("jobs", "server", "shelves"), ("run", "work", "library", "views", "downloads", "step_recorder", "other_strengths")
    checked = 0
    for name in modules():
        parts = name.split(".")
        if parts[:2] != ["nada_core", "ui"]:
            continue
        if parts[2:3] and (parts[2] in rooms or (parts[2] == "tabs" and parts[-1] in works)):
            html = {m for m in reached(name) if m.startswith("nada_core.ui.html")}
            assert not html, f"{name} imports {html}"
            checked += 1
    assert checked > 20


def test_nothing_below_the_page_imports_the_page():
    for name, tree in modules().items():
        if not name.startswith("nada_core.ui"):
            above = {m for m in imported(tree) if m.startswith("nada_core.ui")}
            assert not above, f"{name} imports {above}"


def test_files_that_modules_read_are_packaged_with_them():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    packaged = {file for package, names in globs.items() for name in names for file in ROOT.joinpath(*package.split(".")).glob(name)}
    assert packaged == {file for file in (ROOT / "nada_core").rglob("*.*") if file.suffix in (".css", ".html", ".js", ".jpg", ".txt")}
