// Runs the network away from the page, which stays smooth. Answers {did: 'ready' | 'frame' | 'failed'} to {do: 'load' | 'code' | 'frame'}.
import { AREA, paint, toFace } from './paint.js';

const face = new Float32Array(3 * AREA);
let ort, session, code;

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || 'A file of the mirror is missing on the server. Reload the page.');
  return answer;
}

async function change(pixels, numbers) {
  const made = await session.run({
    faces: new ort.Tensor('float32', pixels, [1, 3, 256, 256]), codes: new ort.Tensor('float32', numbers, [1, numbers.length]) });
  return [made.gain.data, made.offset.data];
}

/** Compare with what the network answered where it was exported: a wrong GPU or a changed file is told before a face is. */
async function tried(check) {
  const pixels = Float32Array.from({ length: 3 * AREA }, (_, i) => ((i * 7) % 511) / 255 - 1);
  const numbers = Float32Array.from({ length: check.codes }, (_, i) => ((i * 37) % 101) / 500 - 0.1);
  const values = (await change(pixels, numbers)).flatMap((plane) => Array.from(check.places, (place) => plane[place]));
  const largest = Math.max(1, ...check.values.map(Math.abs));
  if (!values.every((value, i) => Math.abs(value - check.values[i]) < 0.02 * largest)) throw new Error('wrong-numbers');
  const begun = performance.now();
  await change(pixels, numbers);
  return performance.now() - begun;
}

const deeds = {
  async load({ runtime, network, webgpu }) {
    const [bytes, check] = await Promise.all([
      fetched(network.file).then((answer) => answer.arrayBuffer()), fetched(network.check).then((answer) => answer.json()),
      (async () => { ort = await import(runtime); })()]);
    Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: new URL('.', runtime).href });
    ort.env.logLevel = 'error';
    session = await ort.InferenceSession.create(new Uint8Array(bytes), { executionProviders: [webgpu ? 'webgpu' : 'wasm'] });
    return { did: 'ready', milliseconds: await tried(check) };
  },
  async code({ file }) {
    code = new Float32Array(await (await fetched(file)).arrayBuffer());
    return { did: 'code' };
  },
  async frame({ pixels, strength }) {
    const rgba = new Uint8ClampedArray(pixels), begun = performance.now();
    if (strength > 0) {
      toFace(rgba, face);
      paint(rgba, ...(await change(face, code)), strength);
    }
    return { did: 'frame', pixels, milliseconds: performance.now() - begun };
  },
};

onmessage = async ({ data }) => {
  try {
    const answer = await deeds[data.do](data);
    postMessage({ ...answer, number: data.number }, answer.pixels ? [answer.pixels] : []);
  } catch (error) {
    postMessage({ did: 'failed', number: data.number, why: error.message || String(error) });
  }
};
