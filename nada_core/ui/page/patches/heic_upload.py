"""Let every file into the boxes for pictures, so that the server decides by what it holds.

Browsers go by a file's name: one that does not know HEIC gives such a photo no type, as all of them do with a photo whose name has no
ending. Gradio's (6.31) image box takes only files whose type is that of a picture, chosen or dropped: it would refuse the photo, with
"Invalid file type", before the server sees it.

Upstream: no issue known.
Remove when a `gr.Image` takes a file that has no type, chosen and dropped.
"""

from __future__ import annotations

__all__ = ["HEIC_SCRIPT"]

#: To run once in the page, or more often. Capturing, so that it comes before the boxes.
HEIC_SCRIPT = """
{
const boxes = '#photo, #compare-photo, #targets';
const inBox = (event) => event.target instanceof Element && event.target.closest(boxes);
const chosen = (event) => event.target instanceof HTMLInputElement && event.target.type === 'file' && inBox(event);
const isPicture = (file) => file.type.startsWith('image/');
const typed = (files) => {
  const transfer = new DataTransfer();
  files.forEach((file) => transfer.items.add(isPicture(file) ? file : new File([file], file.name, { type: 'image/heic' })));
  return transfer;
};
document.addEventListener('click', (event) => { if (chosen(event)) event.target.accept = 'image/*,.heic,.heif,.hif,.avif'; }, true);
document.addEventListener('change', (event) => {
  const files = chosen(event) ? [...event.target.files] : [];
  if (!files.every(isPicture)) event.target.files = typed(files).files;
}, true);
document.addEventListener('drop', (event) => {
  const files = inBox(event) && event.dataTransfer ? [...event.dataTransfer.files] : [];
  if (files.every(isPicture)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  event.target.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: typed(files) }));
}, true);
}
"""
