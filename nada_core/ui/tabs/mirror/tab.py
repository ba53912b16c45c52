"""Place the Mirror tab: a part of the page that works by itself, see ``nada_core/students/web``; its files come by :mod:`.routes`."""

from __future__ import annotations

import gradio as gr

from nada_core.students.web_page import panel_html
from nada_core.ui.tabs.mirror.routes import MIRROR

__all__ = ["build_mirror_tab"]

# Nothing of the mirror is fetched before its button is pressed.
_OPEN_SCRIPT = f"""
element.addEventListener('click', async (event) => {{
  const panel = event.target.closest('.mirror'), base = new URL('{MIRROR}/', document.baseURI);
  if (!event.target.closest('.mirror-start') || panel.mirror) return;
  try {{
    const {{ openMirror }} = await import(new URL('mirror.js', base).href);
    openMirror(panel, base).start();
  }} catch (error) {{
    panel.dataset.said = 'bad';
    panel.querySelector('.mirror-status').textContent = "The mirror's files could not be fetched. Reload the page and try again.";
  }}
}});
"""


def build_mirror_tab() -> gr.HTML:
    """Place the mirror inside the current gr.Tab."""
    return gr.HTML(panel_html(), js_on_load=_OPEN_SCRIPT, elem_id="mirror")
