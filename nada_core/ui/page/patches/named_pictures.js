// Call the pictures of a gallery by their captions, once.
//
// Gradio (6.31) names the buttons of a gallery "Thumbnail 3 of 12", although their captions can be read, and gives the picture the caption as
// its text as well: whoever speaks to the page cannot name them, whoever listens hears each twice.
//
// Upstream: no issue known.
// Remove when a gallery's buttons are named by their captions without this script (tests/ui/page/test_keyboard.py asks for them).
(() => {
  const name = () => {
    for (const button of document.querySelectorAll('button.thumbnail-item')) {
      const words = button.querySelector('.caption-label')?.textContent.trim();
      if (!words) continue;
      if (button.getAttribute('aria-label') !== words) button.setAttribute('aria-label', words);
      button.querySelectorAll('img:not([alt=""])').forEach((picture) => { picture.alt = ''; });
    }
  };
  new MutationObserver(name).observe(document, { subtree: true, childList: true, characterData: true });
})();
