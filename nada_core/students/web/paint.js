// From the camera's pixels to the network's numbers and back. The network sees faces of SIDE px; pictures are shown with VIEW px.
export const SIDE = 256, VIEW = 2 * SIDE, AREA = SIDE * SIDE;

/** Average 2 x 2 pixels of an RGBA picture (VIEW px) into planes [3, SIDE, SIDE] in [-1, 1]. */
export function toFace(rgba, face) {
  for (let y = 0, at = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, at++) {
      const upper = 8 * (y * VIEW + x), lower = upper + 4 * VIEW;
      for (let c = 0; c < 3; c++) {
        face[c * AREA + at] = (rgba[upper + c] + rgba[upper + 4 + c] + rgba[lower + c] + rgba[lower + 4 + c]) / 510 - 1;
      }
    }
  }
}

const planes = new Float32Array(6 * AREA), row = new Float32Array(6 * SIDE);

/**
 * Change an RGBA picture (VIEW px) in place: its own pixels get the change, enlarged, so that it stays as sharp as the camera.
 * gain, offset: [3, SIDE, SIDE] for pixels in [-1, 1], which become x * (1 + gain) + offset; strength multiplies both.
 */
export function paint(rgba, gain, offset, strength) {
  for (let c = 0; c < 3; c++) {
    for (let at = 0; at < AREA; at++) {
      const g = gain[c * AREA + at];
      planes[c * AREA + at] = strength * g;
      planes[(c + 3) * AREA + at] = strength * 127.5 * (offset[c * AREA + at] - g); // of pixels in [0, 255]
    }
  }
  const beside = (at) => Math.min(SIDE - 1, Math.max(0, (at >> 1) + (at & 1 ? 1 : -1)));
  for (let y = 0; y < VIEW; y++) {
    const near = (y >> 1) * SIDE, far = beside(y) * SIDE;
    for (let p = 0; p < 6; p++) {
      const plane = p * AREA;
      for (let x = 0; x < SIDE; x++) row[p * SIDE + x] = 0.75 * planes[plane + near + x] + 0.25 * planes[plane + far + x];
    }
    for (let x = 0, at = 4 * y * VIEW; x < VIEW; x++, at += 4) {
      const here = x >> 1, there = beside(x);
      for (let c = 0; c < 3; c++) {
        const g = 0.75 * row[c * SIDE + here] + 0.25 * row[c * SIDE + there];
        const o = 0.75 * row[(c + 3) * SIDE + here] + 0.25 * row[(c + 3) * SIDE + there];
        rgba[at + c] = rgba[at + c] * (1 + g) + o;
      }
    }
  }
}
