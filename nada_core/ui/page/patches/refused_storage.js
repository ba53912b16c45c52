// Give a page whose browser refuses to keep anything a storage that lasts as long as the page.
//
// Where all cookies are blocked, or in a sandboxed frame, `window.localStorage` throws. Gradio (6.31) asks it what a `gr.BrowserState` held
// while it builds the page, outside of its `try`: building stops there, and the page waits for ever for an arrival that is never told.
//
// Upstream: no issue known.
// Remove when a `gr.BrowserState` has its default value where the storage throws (tests/ui/page/test_page_start.py refuses it).
(() => {
  try { window.localStorage.getItem('nada-demo'); return; } catch (error) { /* refused */ }
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(String(key)) ?? null,
    setItem: (key, value) => { kept.set(String(key), String(value)); },
    removeItem: (key) => { kept.delete(String(key)); },
    clear: () => kept.clear(),
    key: (index) => [...kept.keys()][index] ?? null,
    get length() { return kept.size; },
  };
  Object.defineProperty(window, 'localStorage', { configurable: true, value: storage });
})();
