"""The public endpoints as tools of language models (MCP): offered only when asked for, and only these three."""

from __future__ import annotations

import asyncio
import base64
import io
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

import app
from nada_core.ui import build_app, launch_options, name_tools, register_photos, tools_problem
from tests.helpers.fake_engine import FakeEngine, draw_face, fake_backend
from tests.helpers.folders import ROOT
from tests.helpers.loopback import dead_port

pytestmark = pytest.mark.heavy

needs_mcp = pytest.mark.skipif(bool(tools_problem()), reason=f"no MCP here: {tools_problem()}")


@pytest.fixture
def no_package(monkeypatch):
    from gradio.mcp import GradioMCPServer

    monkeypatch.delattr(GradioMCPServer, "StreamableHTTPSessionManager", raising=False)
    monkeypatch.setattr(app, "tune_cpu_allocator", lambda: None)
    monkeypatch.setattr(app, "serve", lambda *_, **options: pytest.fail("served") if options["mcp"] else 0)


def test_without_the_package_one_line_says_what_to_install(no_package, monkeypatch, capsys):
    assert app.main(["--mcp"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'pip install "gradio[mcp]"' in line
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    assert app.main([]) == 2
    assert 'pip install "gradio[mcp]"' in capsys.readouterr().err
    for value in ("False", "0", ""):
        monkeypatch.setenv("GRADIO_MCP_SERVER", value)
        assert app.main([]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not tools_problem(), reason="the package for MCP is installed here")
def test_the_program_itself_ends_with_code_2():
    done = subprocess.run([sys.executable, "app.py", "--mcp"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and done.stderr.strip() == tools_problem()


def test_mcp_is_off_unless_asked_for():
    assert launch_options("127.0.0.1", 1)["mcp_server"] is False
    assert launch_options("127.0.0.1", 1, mcp=True)["mcp_server"] is True


def test_names_and_words_of_the_tools():
    """Gradio reads both from the functions; the page's own handlers keep theirs."""
    from gradio.utils import get_function_description

    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    private = [block.fn.__name__ for block in demo.fns.values() if block.fn and block.api_visibility != "public"]
    name_tools(demo)
    assert private == [block.fn.__name__ for block in demo.fns.values() if block.fn and block.api_visibility != "public"]
    tools = {block.fn.__name__: block.fn for block in demo.fns.values() if block.fn and block.api_visibility == "public"}
    assert set(tools) == {"adapt", "edit", "styles"}
    for function in tools.values():
        description, words, _ = get_function_description(function)
        words.pop("request", None)
        assert len(description) > 60 and all(len(text) > 3 for text in words.values())
    assert "data URL" in get_function_description(tools["edit"])[1]["photo"]


@pytest.fixture
def with_mcp():
    engine = FakeEngine(delay=0.01)
    demo = build_app(backend=fake_backend(engine))
    name_tools(demo)
    try:
        _, url, _ = demo.launch(**launch_options("127.0.0.1", dead_port(), mcp=True), prevent_thread_lock=True, quiet=True)
        assert demo.mcp_error is None
        register_photos(demo)
        demo.context.open()
        yield url, demo
    finally:
        demo.close()


def calls(url: str, *wanted: tuple[str, dict]) -> tuple[dict, list[tuple[bool, str]]]:
    """The tools by name, and for each call whether it failed and its words."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk():
        async with streamablehttp_client(f"{url}gradio_api/mcp/") as (reads, writes, _), ClientSession(reads, writes) as session:
            await session.initialize()
            assert not (await session.list_resources()).resources and not (await session.list_prompts()).prompts
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            answers = [await session.call_tool(name, arguments) for name, arguments in wanted]
            return tools, [(answer.isError, " ".join(getattr(one, "text", "") for one in answer.content)) for answer in answers]

    return asyncio.run(talk())


@needs_mcp
def test_the_tools_are_these_three_and_work(with_mcp):
    url, demo = with_mcp
    target = io.BytesIO()
    draw_face(5, 300).save(target, "JPEG")
    content = target.getvalue() + secrets.token_bytes(8)  # no other test's photo; decoders stop before it
    photo = "data:image/jpeg;base64," + base64.b64encode(content).decode()
    tools, answers = calls(
        url, ("styles", {}), ("adapt", {"prompt": "Joker", "steps": 4}), ("edit", {"photo": photo, "style": "joker", "mode": "fast"})
    )
    assert set(tools) == {"adapt", "edit", "styles"}
    assert set(tools["edit"].inputSchema["properties"]) == {"photo", "style", "strength", "face", "mode", "paste"}
    schema = tools["adapt"].inputSchema
    assert schema["required"] == ["prompt"] and "Joker" in schema["properties"]["prompt"]["description"]
    assert [failed for failed, _ in answers] == [False] * 3, answers
    assert "'ready': True" in answers[0][1] and "'style': 'mine:" in answers[1][1] and "'phase': 'done'" in answers[2][1]
    kept = {str(path) for path in Path(demo.GRADIO_CACHE).rglob("*") if path.is_file() and path.read_bytes() == content}
    assert kept and kept <= demo.upload_file_set  # so that Gradio deletes them
    assert len(demo.context.photos) == 0 and len(demo.context.line) == 0


@needs_mcp
def test_nothing_private_and_no_file_of_the_server_is_reached(with_mcp):
    url, _ = with_mcp
    _, answers = calls(
        url,
        *((name, {}) for name in ("adapt_1", "export", "store", "arrive", "api_adapt")),
        ("adapt", {"prompt": "nobody", "steps": 4}),
        ("edit", {"photo": "/etc/passwd"}),
        ("edit", {"photo": f"{url}config"}),
    )
    assert all(failed for failed, _ in answers), answers
    assert "does not know" in answers[5][1] and not any("Traceback" in words or "root:" in words for _, words in answers)
