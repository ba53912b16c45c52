"""Gradio's own scripts and the changed ones, asked in Chromium: where Gradio's are right as well, a change can go."""

from __future__ import annotations

import time
from contextlib import contextmanager

import gradio as gr
import pytest
from starlette.middleware import Middleware

from nada_core.ui.page.patches.changed_scripts import ChangedScripts, changed_scripts
from tests.helpers.loopback import dead_port
from tests.helpers.served import chromium, in_chromium, until

pytestmark = pytest.mark.heavy

#: One text box in a tree of its own, not drawn yet, with what it is set to in `told` when it is.
_TREE = """async (moment) => {
  const script = await import(document.baseURI.replace(/[^/]*$/, '') + 'assets/NAME');
  const Tree = Object.values(script).find((one) => one?.prototype?.register_component);
  const box = { id: 1, type: 'textbox', props: { visible: true, value: 'none', interactive: false } };
  const tree = new Tree([box], { id: 0, children: [{ id: 1 }] }, [], { root: '', api_prefix: '' }, {}, (text) => text, () => {});
  const told = {};
  const set = (news) => Object.assign(told, news);
  let read = async () => ({ ...told });
  const come = () => tree.register_component(1, set, () => read());
  const rest = () => new Promise((go) => setTimeout(go, 100));
  const moments = {
    async comes_while_it_is_told() {
      const telling = tree.update_state(1, { interactive: true }, false);
      come();
      await telling;
      await rest();
      return told.interactive;
    },
    async told_again_when_it_has_come() {
      await tree.update_state(1, { value: 'old' }, false);
      come();
      await tree.update_state(1, { value: 'new' }, false);
      await rest();
      return told.value;
    },
    async read_while_it_is_told() {
      come();
      await rest();
      told.value = 'old';
      read = async () => { const seen = { ...told }; await rest(); return seen; };
      const reading = tree.update_state(1, { interactive: true }, false);
      await tree.update_state(1, { value: 'new' }, false);
      await reading;
      return tree.root.children[0].props.props.value;
    },
    async waits_and_is_set() {
      await tree.update_state(1, { value: 'old', label: 'Words' }, false);
      await tree.update_state(1, { value: 'new' }, false);
      come();
      await rest();
      return [told.value, told.label].join();
    },
  };
  return await moments[moment]();
}"""


@contextmanager
def served(demo: gr.Blocks, which: str):
    """Yield the address of a page with the changed scripts, or with Gradio's as they are."""
    _, url, _ = demo.queue().launch(
        server_name="127.0.0.1",
        server_port=dead_port(),
        app_kwargs={"middleware": [Middleware(ChangedScripts)] if which == "changed" else []},
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
    )
    try:
        yield url
    finally:
        demo.close()


@pytest.fixture(scope="module", params=["changed", "as it is"])
def ask(request):
    """Run one of the moments in a page whose script is Gradio's own or the changed one."""
    with gr.Blocks() as demo:
        gr.Markdown("A page.")
    name = next(name for name in changed_scripts() if name.startswith("core-"))
    with served(demo, request.param) as url:

        def answer(moment: str):
            with chromium() as browser:
                page = browser.new_page()
                page.goto(url)
                page.get_by_text("A page.").wait_for()
                return page.evaluate(_TREE.replace("NAME", name), moment)

        yield request.param, answer


#: Counts what comes and goes in the text box from now on.
_COUNT = """() => { window.drawn = 0;
  new MutationObserver((news) => { window.drawn += news.length; })
    .observe(document.querySelector('#words'), { subtree: true, childList: true, characterData: true }); }"""

#: moment -> (what Gradio shows, what was told last)
MOMENTS = {
    "comes_while_it_is_told": (None, True),
    "told_again_when_it_has_come": ("old", "new"),
    "read_while_it_is_told": ("old", "new"),
    "waits_and_is_set": ("new,Words", "new,Words"),
}


@in_chromium
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_told_last_is_shown(ask, moment):
    which, answer = ask
    lost, right = MOMENTS[moment]
    assert answer(moment) == (right if which == "changed" else lost)


def two_listeners(told: list[tuple[str, str]]) -> gr.Blocks:
    """Return a page that tells two listeners of every change of a text, which take longer than typing; `told` is what they heard."""

    def listener(name: str, seconds: float):
        def listen(text: str) -> None:
            time.sleep(seconds)
            told.append((name, text))

        return listen

    with gr.Blocks() as demo:
        words = gr.Textbox("", elem_id="words")
        for name, seconds in (("one", 0.5), ("other", 0.7)):
            words.change(listener(name, seconds), words, None, trigger_mode="always_last", show_progress="hidden", show_progress_on=[])
    return demo


@in_chromium
def test_two_listeners_come_to_rest():
    """Not asked of Gradio's own scripts, with which they mostly do not, and sometimes do: findings/gradio_always_last_never_rests.sh."""
    told: list[tuple[str, str]] = []
    with served(two_listeners(told), "changed") as url, chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        for text in ("a", "ab", "abc"):
            page.locator("#words textarea").fill(text)
            page.wait_for_timeout(100)
        until(page, lambda: {("one", "abc"), ("other", "abc")} <= set(told))
        for _ in range(10):  # what had begun by then is heard to its end
            heard = len(told)
            page.wait_for_timeout(3000)
            if len(told) == heard:
                break
        assert len(told) == heard


@in_chromium
@pytest.mark.parametrize(
    ("which", "progress", "drawn"), [("changed", "hidden", False), ("as it is", "hidden", True), ("changed", "full", True)]
)
def test_only_a_status_that_shows_is_drawn(which, progress, drawn):
    with gr.Blocks() as demo:
        words, go = gr.Textbox("", elem_id="words"), gr.Button("Go", elem_id="go")
        go.click(lambda text: time.sleep(0.5) or "done", words, words, show_progress=progress)
    with served(demo, which) as url, chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        page.locator("#go").wait_for()
        page.evaluate(_COUNT)
        page.locator("#go").click()
        page.wait_for_function("document.querySelector('#words textarea').value === 'done'")
        page.wait_for_timeout(500)
        assert page.evaluate("window.drawn > 0") is drawn
