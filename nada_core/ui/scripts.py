"""Pieces of JavaScript that events run in the page."""

from __future__ import annotations

__all__ = ["PAGE_WORDS", "TO_THE_TABS", "focus", "press", "reveal", "show_note", "show_result", "show_stage", "shown_tab"]


#: A page keeps its place when another tab is shown: begin where that tab begins.
TO_THE_TABS = "() => requestAnimationFrame(() => document.querySelector('#tabs').scrollIntoView({ block: 'start' }))"


#: What a page says of itself when it is loaded: a key of its own that a reload keeps and nobody can guess, and the tab that was shown. A
#: browser that keeps nothing (in a frame of another site, say) has none. A duplicated tab has the same storage: the key belongs to whoever
#: holds its lock (there are no locks on plain http between machines), the other makes a new one.
PAGE_WORDS = """async () => { try {
  const kept = window.sessionStorage, locks = navigator.locks;
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, '0')).join('');
  const hold = (key) => !locks || new Promise((tell) => locks.request('nada-page-' + key, { ifAvailable: true }, (lock) => {
    tell(!!lock);
    return lock && new Promise(() => {});
  }));
  const pause = () => new Promise((go) => setTimeout(go, 400));
  let key = kept.getItem('nada-page') || fresh();
  if (!(await hold(key)) && (await pause(), !(await hold(key)))) await hold(key = fresh());
  kept.setItem('nada-page', key);
  if (window.nadaTab && window.nadaTab !== 'adapt') kept.setItem('nada-tab', window.nadaTab);
  window.nadaKnown = true;
  return [key + ' ' + (kept.getItem('nada-tab') || '')];
} catch (error) { return ['']; } }"""


def shown_tab(name: str) -> str:
    """Keep in mind, for a reload, which tab is shown. On arrival it is the first, without anybody's doing: see PAGE_WORDS."""
    return f"""() => {{ window.nadaTab = '{name}';
  try {{ if (window.nadaKnown) window.sessionStorage.setItem('nada-tab', '{name}'); }} catch (error) {{ }} }}"""


def press(element: str) -> str:
    """Press a hidden download button, which holds a file by now: the browser's own download starts.

    A moment later, because a busy page may not have given the button its file yet; a press then does nothing.
    """
    return f"""() => {{ setTimeout(() => {{
  const a = document.querySelector('#{element}'); (a.querySelector('a, button') || a).click(); }}, 80); }}"""


def show_stage(element: str) -> str:
    """On a phone the result is below the fold: bring it into view when the work starts. The arguments pass through unchanged."""
    return f"""(...values) => {{ if (window.innerWidth <= 760) {{
  document.querySelector('#{element}').scrollIntoView({{ behavior: 'smooth', block: 'start' }}); }} return values; }}"""


def show_result(element: str) -> str:
    """Bring what is being made into view, on every screen, and once more when its places are there. The arguments pass unchanged."""
    return f"""(...values) => {{ const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const go = () => {{ const one = document.querySelector('#{element}'), top = one.getBoundingClientRect().top;
    if (top < 0 || top > 120) one.scrollIntoView({{ behavior: still ? 'auto' : 'smooth', block: 'start' }}); }};
  let moved = false; const mark = () => {{ moved = true; }};
  for (const kind of ['wheel', 'touchmove', 'keydown']) window.addEventListener(kind, mark, {{ once: true, passive: true }});
  go(); setTimeout(() => moved || go(), 900); return values; }}"""


def focus(element: str) -> str:
    """Put the keyboard's focus on a button or a field as soon as it is there; the browser scrolls to it."""
    return f"""() => {{ let left = 40; const look = () => {{
  const box = document.querySelector('#{element}'), one = box && (box.querySelector('input, textarea') || box);
  if (one && one.offsetParent) one.focus(); else if (left--) requestAnimationFrame(look); }}; look(); }}"""


def show_note(element: str) -> str:
    """Scroll no farther than a message needs to be seen, where there is one."""
    return f"""() => requestAnimationFrame(() => {{ const note = document.querySelector('#{element} .note');
  if (note) note.scrollIntoView({{ behavior: 'smooth', block: 'nearest' }}); }})"""


def reveal(element: str) -> str:
    """Scroll a gallery, and only the gallery, so that its chosen picture can be seen."""
    return f"""() => requestAnimationFrame(() => {{
  const box = document.querySelector('#{element} .grid-wrap'), one = box && box.querySelector('.selected');
  if (!one) return;
  const a = box.getBoundingClientRect(), b = one.getBoundingClientRect();
  box.scrollBy(Math.min(0, b.left - a.left - 8) + Math.max(0, b.right - a.right + 8),
               Math.min(0, b.top - a.top - 8) + Math.max(0, b.bottom - a.bottom + 8));
}})"""
