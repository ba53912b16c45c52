// Writes what a picture is into its file: text entries of PNG (keyword -> text), behind its header.
const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });
const HEADER = 33; // bytes of the signature and of the first chunk, IHDR

function chunk(keyword, text) {
  const words = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`), bytes = new Uint8Array(words.length + 8), view = new DataView(bytes.buffer);
  view.setUint32(0, words.length - 4);
  bytes.set(words, 4);
  view.setUint32(bytes.length - 4, ~words.reduce((sum, byte) => CRC[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0);
  return bytes;
}

export async function markedPng(blob, entries) {
  const png = new Uint8Array(await blob.arrayBuffer());
  return new Blob([png.subarray(0, HEADER), ...Object.entries(entries).map((entry) => chunk(...entry)), png.subarray(HEADER)], { type: 'image/png' });
}
