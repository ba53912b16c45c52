"""Write the pieces of JavaScript with which a page opens shared links, and copies links and pictures."""

from __future__ import annotations

__all__ = ["COPY_PICTURE", "COPY_PROMPT_LINK", "COPY_STYLE_LINK", "LINK_WORDS"]

#: What the address of the page asks for. A page that is loaded again has its own state, which counts more than the link it came from.
LINK_WORDS = """(words, owned) => { const how = performance.getEntriesByType('navigation')[0];
  return [how && how.type !== 'navigate' ? '' : window.location.search.slice(0, 4000), owned]; }"""

# A sentence in a box, as the server writes them.
_SAY = """const say = (words, kind) => { const box = document.createElement('div');
  box.className = 'note note-' + kind; box.setAttribute('role', kind === 'bad' ? 'alert' : 'status'); box.textContent = words;
  return box.outerHTML; };"""

# Browsers give the clipboard to pages of https and of this machine alone: elsewhere the link is shown, to be copied by hand.
_COPY_LINK = (
    _SAY
    + """const link = (fields) => { const there = new URL(window.location.pathname, window.location.origin);
  for (const [name, value] of Object.entries(fields)) there.searchParams.set(name, value);
  return there.href; };
const copy = async (address) => { try { await navigator.clipboard.writeText(address); return say('Link copied: ' + address, 'good'); }
  catch (error) { return say('Copy this link: ' + address, 'info'); } };"""
)

#: Copy a link to the page with this prompt filled in; returns what to say of it.
COPY_PROMPT_LINK = f"async (prompt) => {{ {_COPY_LINK} return await copy(link({{ prompt: (prompt || 'Joker').slice(0, 200) }})); }}"

#: Copy a link to the page with this style chosen. One that is not saved is only on this page: its words go into the link instead.
COPY_STYLE_LINK = f"""async (style) => {{ {_COPY_LINK}
  const shown = document.querySelector('#style input')?.value || '', own = (style || '').startsWith('mine:');
  return await copy(link(own ? {{ prompt: shown.replace(/ \\(just made.*$/, '') }} : {{ style: style || 'joker' }})); }}"""

#: Copy the picture on show as a PNG. The promise goes to the clipboard at once: a browser that is asked later has forgotten the press.
#: The picture is read by its address: what the page shows may be exchanged for the next one in this very moment.
COPY_PICTURE = f"""async () => {{ {_SAY}
  const picture = [...document.querySelectorAll('#pair img')].at(-1);
  if (!picture) return say('There is no picture to copy yet: press Stylise first.', 'info');
  const drawn = async () => {{ const canvas = document.createElement('canvas');
    const bitmap = await createImageBitmap(await (await fetch(picture.src)).blob());
    canvas.width = bitmap.width; canvas.height = bitmap.height; canvas.getContext('2d').drawImage(bitmap, 0, 0);
    return await new Promise((done) => canvas.toBlob(done, 'image/png')); }};
  try {{ await navigator.clipboard.write([new ClipboardItem({{ 'image/png': drawn() }})]);
    return say('The picture is copied. It is made by AI: say so when you share it.', 'good'); }}
  catch (error) {{ return say('This browser lets no page copy pictures here. Take it with Picture instead.', 'info'); }} }}"""
