// The network in a Worker of its own. WebGPU is used where it answers rightly, soon and quicker than a processor would; WebAssembly else.
const PATIENCE = 15000; // ms that a GPU may take from the beginning to its second answer
const QUICK = 60; // ms a face

class Helper {
  constructor(base) {
    this.worker = new Worker(new URL('worker.js', base), { type: 'module' });
    this.asked = new Map();
    this.count = 0;
    this.worker.onmessage = ({ data }) => {
      const [told, failed] = this.asked.get(data.number);
      this.asked.delete(data.number);
      if (data.did === 'failed') failed(new Error(data.why)); else told(data);
    };
    this.worker.onerror = (event) => { this.broken = event.message || 'the Worker did not start'; this.asked.forEach(([, failed]) => failed(new Error(this.broken))); };
  }

  ask(message, transfer = []) {
    return new Promise((...both) => { this.asked.set(++this.count, both); this.worker.postMessage({ ...message, number: this.count }, transfer); });
  }

  end() { this.worker.terminate(); }
}

async function gpu() {
  try {
    const adapter = 'Suspending' in WebAssembly && await navigator.gpu?.requestAdapter();
    return !!adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
  } catch { return false; }
}

/** Return a Helper that has the network, and say on what it runs. Throws Error with a sentence. */
export async function openNetwork(base, runtimes, network) {
  if (typeof WebAssembly !== 'object') throw new Error('This browser has neither WebGPU nor WebAssembly, which the mirror needs. Open the page in a newer one.');
  const files = { file: new URL(network.file, base).href, check: new URL(network.check, base).href };
  if (runtimes.webgpu && await gpu()) {
    const helper = new Helper(base), late = new Promise((_, fail) => setTimeout(fail, PATIENCE, new Error('late')));
    try {
      const { milliseconds } = await Promise.race([helper.ask({ do: 'load', runtime: new URL(runtimes.webgpu, base).href, network: files, webgpu: true }), late]);
      if (milliseconds < QUICK) return { helper, device: 'WebGPU' };
    } catch { /* the processor can do it too */ }
    helper.end();
  }
  const helper = new Helper(base);
  try {
    await helper.ask({ do: 'load', runtime: new URL(runtimes.wasm, base).href, network: files, webgpu: false });
  } catch (error) {
    helper.end();
    if (error.message === 'wrong-numbers') throw new Error("The mirror's network is damaged, or this browser computes wrongly. Make the files again, or try another browser.");
    if (/^[A-Z].*[.]$/.test(error.message)) throw error; // a sentence of the server's
    console.error(error);
    throw new Error('The mirror could not be started in this browser. Reload the page, or try a newer browser.');
  }
  return { helper, device: 'WebAssembly' };
}
