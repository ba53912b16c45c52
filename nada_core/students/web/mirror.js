// The mirror: camera, network, and what a person can press. Nothing here sends a picture anywhere.
import { closeCamera, drawFace, openCamera } from './camera.js';
import { Film, LONGEST } from './film.js';
import { markedPng } from './marked_png.js';
import { openNetwork } from './network.js';
import { VIEW } from './paint.js';

const MARK = { Software: 'StyleGAN-NADA demo', Comment: 'AI-generated: a face edited by a neural network, not a photograph.' };
const OPEN = 2; // networks at the same time; each is a Worker with memory of its own

class Mirror {
  /** root: the element of panel.html; base: the address of the folder with styles.json. */
  constructor(root, base) {
    Object.assign(this, { root, base, round: 0, running: false, plain: false, busy: false, times: [], networks: new Map() });
    this.view = this.part('view').getContext('2d');
    this.taken = Object.assign(document.createElement('canvas'), { width: VIEW, height: VIEW }).getContext('2d', { willReadFrequently: true });
    const press = { start: () => this.start(), stop: () => this.stop(), picture: () => this.takePicture(), film: () => this.film ? this.film.stop() : this.record() };
    for (const [name, deed] of Object.entries(press)) this.part(name).addEventListener('click', deed);
    this.part('before').addEventListener('click', () => this.showPlain(!this.plain));
    this.part('strength').addEventListener('input', () => { this.part('strength-said').textContent = this.strength.toFixed(2); });
    this.part('guided').addEventListener('change', ({ target }) => { this.part('guide').hidden = !target.checked; });
    this.part('styles').addEventListener('change', ({ target }) => this.wear(this.styles.find((style) => style.name === target.value)).catch((error) => this.refuse(error)));
    addEventListener('pagehide', () => this.stop());
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.stop(); });
  }

  part(name) { return this.root.querySelector(`.mirror-${name}`); }

  get strength() { return Number(this.part('strength').value); }

  say(words, kind = '') { this.part('status').textContent = words; this.root.dataset.said = kind; }

  refuse(error) { this.stop(); this.say(error.message, 'bad'); }

  async start() {
    if (this.root.dataset.state !== 'idle') return;
    this.root.dataset.state = 'starting';
    const round = ++this.round; // another one, or none, where the person has pressed Stop meanwhile
    try {
      this.say('Waiting for the camera: the browser asks whether this page may use it.');
      const video = await openCamera();
      if (round !== this.round) { closeCamera(video); return; }
      this.video = video;
      this.video.srcObject.getVideoTracks()[0].onended = () => this.refuse(new Error('The camera went away. Connect it and press the button again.'));
      this.running = true;
      this.part('view').setAttribute('aria-label', 'You, as the camera sees you');
      requestAnimationFrame(() => this.turn());
      this.say('Fetching the network, about 5 MB, once.');
      if (!this.styles) await this.offer();
      await this.wear(this.styles.find((style) => style.name === this.part('styles').querySelector(':checked').value));
      if (round === this.round) this.root.dataset.state = 'live';
    } catch (error) {
      if (round === this.round) this.refuse(error);
    }
  }

  stop() {
    this.round++;
    this.film?.stop();
    closeCamera(this.video);
    Object.assign(this, { running: false, video: null, times: [] });
    if (this.root.dataset.state !== 'idle') this.say('The camera is off.');
    this.root.dataset.state = 'idle';
  }

  /** Fetch what styles there are and show them as pictures to choose from. */
  async offer() {
    const answer = await fetch(new URL('styles.json', this.base)), list = await answer.json().catch(() => ({}));
    if (!answer.ok || !list.styles?.length) throw new Error(list.error || "The mirror's list of styles could not be read. Reload the page.");
    Object.assign(this, { list, styles: list.styles });
    const box = this.part('styles'), chosen = list.styles.find((style) => style.name === 'joker') || list.styles[0];
    box.replaceChildren(...list.styles.map((style) => {
      const label = document.createElement('label'), input = Object.assign(document.createElement('input'), { type: 'radio', name: 'mirror-style', value: style.name, checked: style === chosen });
      const picture = style.picture ? Object.assign(document.createElement('img'), { src: style.picture, alt: '', width: 64, height: 64, loading: 'lazy' }) : '';
      label.append(input, picture, Object.assign(document.createElement('span'), { textContent: style.title }));
      return label;
    }));
    box.hidden = list.styles.length < 2;
  }

  /** Open a network, or take it from the last ones that were open: paints and textures have different ones, and people go to and fro. */
  opened(name) {
    let opening = this.networks.get(name);
    if (!opening) {
      opening = openNetwork(this.base, this.list.runtimes, this.list.networks[name]);
      opening.catch(() => this.networks.delete(name)); // it is tried again when it is asked for again
    }
    this.networks.delete(name);
    this.networks.set(name, opening); // the last one now
    return opening;
  }

  /** Wear a style as soon as its network is there; until then the one before is worn. Of styles chosen in a hurry the last one counts. */
  async wear(style) {
    this.wanted = style;
    try {
      const { helper, device } = await this.opened(style.network);
      if (this.wanted !== style) return;
      await helper.ask({ do: 'code', file: new URL(style.code, this.base).href });
      if (this.wanted !== style) return;
      if (this.helper !== helper) Object.assign(this, { helper, device, busy: false });
    } catch (error) {
      if (this.wanted !== style) return;
      throw error;
    }
    Object.assign(this, { ready: true, style });
    for (const name of [...this.networks.keys()].slice(0, -OPEN)) {
      this.networks.get(name).then((old) => old.helper.end(), () => {});
      this.networks.delete(name);
    }
    if (!this.running) return; // stopped meanwhile
    this.part('view').setAttribute('aria-label', `You as: ${style.title}`);
    this.say(`${style.title}, on ${this.device}. Bring your face into the oval, your eyes level with the two marks.`);
  }

  /** Take the newest picture of the camera whenever the one before is done: pictures never wait in a line. */
  turn() {
    if (!this.running) return;
    requestAnimationFrame(() => this.turn());
    if (!this.root.offsetParent) { this.stop(); return; } // another tab of the page is shown
    const now = this.video.currentTime;
    if (this.busy || now === this.seen || !this.video.videoWidth) return;
    this.seen = now;
    drawFace(this.taken, this.video, Number(this.part('closer').value));
    if (!this.ready || this.plain) { this.showTaken(); return; }
    this.busy = true;
    const { buffer } = this.taken.getImageData(0, 0, VIEW, VIEW).data, helper = this.helper, worn = { style: this.style, strength: this.strength };
    helper.ask({ do: 'frame', pixels: buffer, strength: this.strength }, [buffer]).then(({ pixels }) => {
      if (helper !== this.helper) return;
      this.busy = false;
      if (!this.running || this.plain) return;
      this.view.putImageData(new ImageData(new Uint8ClampedArray(pixels), VIEW), 0, 0);
      this.worn = worn;
      this.show();
      this.count();
    }, (error) => { if (helper === this.helper) { this.busy = false; this.refuse(error); } });
  }

  /** Show the camera's picture as it is. */
  showTaken() {
    this.view.drawImage(this.taken.canvas, 0, 0);
    this.worn = null;
    this.show();
  }

  show() {
    this.film?.draw();
    if (this.film) this.part('film').textContent = `Stop (${Math.max(0, Math.ceil(LONGEST - this.film.seconds))} s)`;
  }

  count() {
    this.times = [...this.times.slice(-20), performance.now()];
    const spent = this.times.at(-1) - this.times[0];
    this.part('pace').textContent = spent > 500 ? `${(1000 * (this.times.length - 1) / spent).toFixed(0)} pictures a second` : '';
    this.root.dataset.pictures = Number(this.root.dataset.pictures || 0) + 1;
  }

  showPlain(plain) {
    this.plain = plain;
    this.part('before').setAttribute('aria-pressed', plain);
    this.part('before').textContent = plain ? 'Show the style' : 'Show me without';
    if (plain && this.running) this.showTaken();
  }

  /** Save what is on show, and say in the file what it wears: that may be the choice before the newest one. */
  async takePicture() {
    const { style, strength } = this.worn || {};
    const blob = await new Promise((give) => this.part('view').toBlob(give, 'image/png'));
    const marks = style ? { ...MARK, Style: style.title, Strength: strength.toFixed(2) } : {};
    save(await markedPng(blob, marks), `mirror-${style ? style.name : 'without'}.png`);
  }

  record() {
    try {
      this.film = new Film(this.part('view'), (blob, ending) => {
        this.film = null;
        this.part('film').textContent = 'Record a film';
        save(blob, `mirror-${this.style.name}.${ending}`);
      });
    } catch (error) { this.say(error.message, 'bad'); }
  }
}

function save(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Make a mirror of the element of panel.html, once, and return it. */
export function openMirror(root, base) {
  return root.mirror ??= new Mirror(root, base);
}
