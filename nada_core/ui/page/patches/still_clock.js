// Keep an idle page still.
//
// Gradio (6.31) takes the "Loading..." of the first moment off the page without stopping its clock, which then makes the browser draw sixty
// frames a second for as long as the page is open: a tenth of a core, and a laptop's battery. The clock shows the seconds that an event has
// been waiting for; no event of this page shows them, so that no clock has to run at all. What it asks for is known by its source.
//
// Upstream: no issue known.
// Remove when an open page asks for no frames without this script (tests/ui/page/test_page_start.py counts them).
(() => {
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) => (/performance\.now\(\)\s*-.*1e3/.test(String(work)) ? 0 : ask(work));
})();
