// Let arrow keys change the tab and move the handle between before and after, and Enter choose a photo.
//
// Gradio (6.31) gives its tabs the roles of tabs without their keys, its image slider can only be dragged, and its place for a photo, a
// button, knows the space bar alone. Here Left, Right, Home and End go from tab to tab, each image slider gets a range input for the keyboard
// that drags the handle, and Enter presses the place for a photo.
//
// Upstream: no issue known.
// Remove when arrow keys change a focused tab and move a focused `gr.ImageSlider`, and Enter opens a `gr.Image`, without this script
// (tests/ui/page/test_keyboard.py, tests/ui/test_journeys.py).
(() => {
  document.addEventListener('keydown', (event) => {
    const tab = event.target instanceof Element && event.target.closest('[role="tab"]');
    if (!tab || event.ctrlKey || event.altKey || event.metaKey) return;
    const tabs = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]:not(:disabled)')].filter((one) => one.offsetParent);
    const at = tabs.indexOf(tab), to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs.at(to % tabs.length);
    next.focus();
    next.click();
  });

  document.addEventListener('keydown', (event) => {
    const place = event.target instanceof Element && event.target.closest('button.upload-container');
    if (!place || event.key !== 'Enter' || event.repeat) return;
    event.preventDefault();
    place.click();
  }, true);

  const drag = (handle, x) => {
    const { left, top, width, height } = handle.getBoundingClientRect(), y = top + height / 2;
    const tell = (target, kind, clientX) => target.dispatchEvent(
      new MouseEvent(kind, { bubbles: true, cancelable: true, view: window, button: 0, clientX, clientY: y }));
    tell(handle.querySelector('.inner') || handle, 'mousedown', left + width / 2);
    tell(window, 'mousemove', x);
    tell(window, 'mouseup', x);
  };
  const equip = (handle) => {
    const range = Object.assign(document.createElement('input'), { type: 'range', min: 0, max: 100, step: 5, value: 50, className: 'pair-keys' });
    range.setAttribute('aria-label', 'Before and after: how much is shown of before');
    range.addEventListener('input', () => {
      const { left, width } = handle.parentElement.getBoundingClientRect();
      drag(handle, left + width * range.value / 100);
    });
    handle.before(range);
  };
  new MutationObserver(() => {
    for (const handle of document.querySelectorAll('[data-testid="slider"]')) {
      if (!handle.parentElement.querySelector('.pair-keys')) equip(handle);
    }
  }).observe(document, { subtree: true, childList: true });
})();
