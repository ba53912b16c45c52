"""Let every file into the boxes for pictures and films, so that the server decides by what it holds.

Browsers go by a file's name: one that does not know HEIC gives such a photo no type, as all of them do with a photo whose name has no
ending. Gradio's (6.31) image box takes only files whose type is that of a picture, chosen or dropped: it would refuse the photo, with
"Invalid file type", before the server sees it. The box for films does the same with a Matroska film, or one without an ending.

Upstream: no issue known.
Remove when a `gr.Image` and a `gr.Video` take a file that has no type, chosen and dropped.
"""

from __future__ import annotations

__all__ = ["HEIC_SCRIPT"]

#: To run once in the page, or more often. Capturing, so that it comes before the boxes.
HEIC_SCRIPT = """
{
const boxes = [  // the kind of file that Gradio takes there, what another is called, and what the browser offers
  ['#photo, #compare-photo, #targets', 'image/', 'image/heic', 'image/*,.heic,.heif,.hif,.avif'],
  ['#film-source', 'video/', 'video/mp4', 'video/*,.mkv,.avi,.mov,.webm,.mp4'],
];
const boxOf = (event) => boxes.find(([places]) => event.target instanceof Element && event.target.closest(places));
const chosen = (event) => (event.target instanceof HTMLInputElement && event.target.type === 'file' ? boxOf(event) : undefined);
const isSo = (box) => (file) => file.type.startsWith(box[1]);
const typed = (files, box) => {
  const transfer = new DataTransfer();
  files.forEach((file) => transfer.items.add(isSo(box)(file) ? file : new File([file], file.name, { type: box[2] })));
  return transfer;
};
document.addEventListener('click', (event) => { const box = chosen(event); if (box) event.target.accept = box[3]; }, true);
document.addEventListener('change', (event) => {
  const box = chosen(event), files = box ? [...event.target.files] : [];
  if (!files.every(isSo(box))) event.target.files = typed(files, box).files;
}, true);
document.addEventListener('drop', (event) => {
  const box = boxOf(event), files = box && event.dataTransfer ? [...event.dataTransfer.files] : [];
  if (files.every(isSo(box))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  event.target.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: typed(files, box) }));
}, true);
}
"""
