"""Write the JavaScript that events run in the page; each function returns a script."""

from __future__ import annotations

__all__ = [
    "FIRST_TAB",
    "MARK_PICTURE",
    "PAGE_WORDS",
    "TO_THE_TABS",
    "focus",
    "open_camera",
    "open_prompt",
    "press",
    "reveal",
    "show_note",
    "show_result",
    "show_stage",
    "shown_tab",
    "start_mirror",
]


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


#: Show the tab that was shown before a reload, at once: the server's word on it comes only when the generator is there. The first tab may
#: have named itself already and the row of tabs may not be there yet, whichever the page does first: it is tried for five seconds, and not
#: once the person has chosen another.
FIRST_TAB = """() => { try {
  const tab = window.sessionStorage.getItem('nada-tab');
  const show = (left) => { if (!tab || (window.nadaTab && window.nadaTab !== 'adapt')) return;
    const one = [...document.querySelectorAll('#tabs button[role="tab"]')].find((button) => button.dataset.tabId === tab);
    if (one?.ariaSelected === 'true') return;
    one?.click();
    if (left) setTimeout(() => show(left - 1), 100); };
  show(50);
} catch (error) { } }"""


def shown_tab(name: str) -> str:
    """Store the name of the shown tab, so that a reload returns to it. On arrival the first is nobody's choice: see PAGE_WORDS."""
    return f"""() => {{ window.nadaTab = '{name}';
  try {{ if (window.nadaKnown) window.sessionStorage.setItem('nada-tab', '{name}'); }} catch (error) {{ }} }}"""


def _show_tab(title: str) -> str:
    return f"""[...document.querySelectorAll('#tabs button[role="tab"]')].find((tab) => tab.textContent.trim() === '{title}')?.click();"""


def open_camera(element: str, title: str = "") -> str:
    """Open the camera for a photo box, on the tab of that title: on a phone its own, elsewhere the one in the page.

    The box's own buttons are pressed, and the photo in it leaves first. Gradio (6.31) takes the camera of a tab that is shown for the first
    time off again and puts it back a second later, when it asks once more. Where a page may not use a camera (plain http from another
    machine) the browser asks for a file instead.
    """
    return f"""() => {{ {_show_tab(title) if title else ""}
  const phone = matchMedia('(pointer: coarse)').matches || !navigator.mediaDevices, box = () => document.querySelector('#{element}');
  const when = (find, then, left = 240) => {{ const one = box() && find(box());
    if (one) then(one); else if (left) requestAnimationFrame(() => when(find, then, left - 1)); }};
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  when((one) => one.querySelector('[aria-label="Capture from camera"]') || one.querySelector('.image-frame img'), (there) => {{
    box().scrollIntoView({{ behavior: still ? 'auto' : 'smooth', block: 'center' }});
    if (there.tagName === 'IMG') box().querySelector('button[aria-label="Clear"], button[aria-label*="emove"]').click();
    if (phone) when((one) => one.querySelector('input[type="file"]'), (input) => {{
      input.setAttribute('capture', 'user'); input.click(); input.removeAttribute('capture'); }});
    else when((one) => one.querySelector('[aria-label="Capture from camera"]'), (camera) => {{
      camera.click();
      let looks = 10, presses = 3;
      const grant = () => {{ const one = box()?.querySelector('[title="grant webcam access"] button');
        if (one && presses--) one.click(); if (presses > 0 && looks--) setTimeout(grant, 500); }};
      setTimeout(grant, 100); }});
  }}); }}"""


def open_prompt(title: str) -> str:
    """Show the tab of that title and put the keyboard's focus on its prompt, whose text the first key replaces."""
    return f"""() => {{ {_show_tab(title)}
  let left = 40; const go = () => {{ const box = document.querySelector('#prompt :is(input, textarea)');
    if (box && box.offsetParent) {{ box.focus(); box.select(); }} else if (left--) requestAnimationFrame(go); }}; go(); }}"""


def start_mirror(title: str) -> str:
    """Show the tab of that title and press the mirror's button on it, which is gone where the mirror runs already."""
    return f"""() => {{ {_show_tab(title)}
  let left = 60; const go = () => {{ const frame = document.querySelector('#mirror .mirror-frame');
    if (!frame || !frame.offsetParent) {{ if (left--) requestAnimationFrame(go); return; }}
    frame.scrollIntoView({{ block: 'nearest' }});
    const start = frame.querySelector('.mirror-start'); if (start.offsetParent) start.click(); }}; go(); }}"""


def press(element: str) -> str:
    """Press a hidden download button, which holds a file by now: the browser's own download starts.

    A moment later, because a busy page may not have given the button its file yet; a press then does nothing.
    """
    return f"""() => {{ setTimeout(() => {{
  const a = document.querySelector('#{element}'); (a.querySelector('a, button') || a).click(); }}, 80); }}"""


def show_stage(element: str) -> str:
    """Bring the result, on a phone below the fold, into view when the work starts. The arguments pass through unchanged."""
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
    """Scroll the message of an element into view, no farther than needed; nothing happens where it has none."""
    return f"""() => requestAnimationFrame(() => {{ const note = document.querySelector('#{element} .note');
  if (note) note.scrollIntoView({{ behavior: 'smooth', block: 'nearest' }}); }})"""


# Marks a style's picture from the dropdown's value and the list of values; a mark sent by the server could arrive after the person has
# pressed another picture.
MARK_PICTURE = """(style, names) => { const index = (names || []).indexOf(style);
  return { selected_index: index < 0 ? null : index, __type__: 'update' }; }"""


def reveal(element: str) -> str:
    """Scroll a gallery, and only the gallery, so that its chosen picture can be seen."""
    return f"""() => requestAnimationFrame(() => {{
  const box = document.querySelector('#{element} .grid-wrap'), one = box && box.querySelector('.selected');
  if (!one) return;
  const a = box.getBoundingClientRect(), b = one.getBoundingClientRect();
  box.scrollBy(Math.min(0, b.left - a.left - 8) + Math.max(0, b.right - a.right + 8),
               Math.min(0, b.top - a.top - 8) + Math.max(0, b.bottom - a.bottom + 8));
}})"""
