// Keep the keyboard's focus with the person when the pressed button rests.
//
// A button that is pressed rests until the work is over: Adapt, Stop, Save. Gradio (6.31) disables it, and browsers take the focus of a
// disabled button to the top of the page. Here it goes to the next button of the same row that can be pressed: Stop while something runs,
// the first one again when it is over. A key that is held down presses nothing more: it would stop what it has just begun.
//
// Upstream: no issue known.
// Remove when a `gr.Button` that is not interactive keeps the focus (tests/ui/page/test_keyboard.py presses them).
(() => {
  const rows = '.actions, .keep, .gallery-acts, .scrub';
  let last = null, row = null;
  document.addEventListener('focusin', (event) => { last = event.target; row = null; });
  document.addEventListener('keydown', (event) => {
    if (event.repeat && event.target instanceof HTMLButtonElement && [' ', 'Enter'].includes(event.key)) event.preventDefault();
  }, true);
  new MutationObserver((changes) => {
    const now = document.activeElement;
    if (!last || (now && now !== document.body && !now.disabled)) return;
    if (last.disabled && changes.some(({ target }) => target === last)) row = last.closest(rows);
    const ready = row && [...row.querySelectorAll('button:not(:disabled)')].find((one) => one.offsetParent);
    if (ready) ready.focus({ preventScroll: true });
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['disabled'] });
})();
