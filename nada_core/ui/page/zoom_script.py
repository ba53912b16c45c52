"""Write the piece of JavaScript that shows a result closer, over the page.

Gradio's image slider (6.31) has code to zoom in that does not begin to work where the pictures come after the page.
"""

from __future__ import annotations

__all__ = ["LOOK_CLOSER"]

#: Opens the pictures of the slider at twice their size on the page or more, to be scrolled, with buttons for the size and for before and
#: after. Escape closes it, and the focus goes back to the button.
LOOK_CLOSER = """() => {
  const pictures = [...document.querySelectorAll('#pair img')], open = document.activeElement;
  if (pictures.length < 2) return;
  const make = (tag, fields, ...inside) => { const one = Object.assign(document.createElement(tag), fields);
    one.append(...inside); return one; };
  const view = make('div', { className: 'zoom-view', tabIndex: 0 }), [before, after] = pictures.map((one) => make('img', { src: one.src }));
  Object.assign(before, { alt: 'Before', hidden: true }); after.alt = 'After';
  view.append(before, after);
  view.setAttribute('role', 'group');
  view.setAttribute('aria-label', 'The picture: scroll it, or use the arrow keys');
  let scale = 1;
  const size = (factor) => {
    const x = (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth, y = (view.scrollTop + view.clientHeight / 2) / view.scrollHeight;
    scale = Math.min(8, Math.max(1, scale * factor));
    for (const one of [before, after]) one.style.width = `${100 * scale}%`;
    view.scrollTo(x * view.scrollWidth - view.clientWidth / 2, y * view.scrollHeight - view.clientHeight / 2);
  };
  const button = (text, name, onclick) => { const one = make('button', { type: 'button', textContent: text, onclick });
    one.setAttribute('aria-label', name); return one; };
  const swap = button('Before', 'Show the photo before', () => { before.hidden = !before.hidden; after.hidden = !before.hidden;
    swap.setAttribute('aria-pressed', String(!before.hidden)); });
  swap.setAttribute('aria-pressed', 'false');
  const large = make('dialog', { className: 'zoom' }, view, make('div', { className: 'zoom-bar' },
    button('\\u2212', 'Smaller', () => size(1 / 1.5)), button('+', 'Larger', () => size(1.5)), swap,
    button('Close', 'Close', () => large.close())));
  large.setAttribute('aria-label', 'The result, closer');
  large.addEventListener('close', () => { large.remove(); open?.focus({ preventScroll: true }); });
  document.querySelector('.gradio-container').append(large);
  large.showModal();
  Promise.allSettled([before.decode(), after.decode()]).then(() => size(2));  // its middle is known when its size is
}"""
