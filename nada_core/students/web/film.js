// Records what the mirror shows, with a mark in its corner that says how it was made.
const KINDS = ['video/mp4;codecs=avc1.42E01E', 'video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];
export const LONGEST = 20; // seconds

export class Film {
  /** shown: the canvas to record; done(blob, ending) is called when the film has ended. Throws Error with a sentence. */
  constructor(shown, done) {
    const kind = window.MediaRecorder && KINDS.find((one) => MediaRecorder.isTypeSupported(one));
    if (!kind || !shown.captureStream) throw new Error('This browser cannot record films. Take pictures instead.');
    this.canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
    this.shown = shown;
    this.draw();
    this.recorder = new MediaRecorder(this.canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 4e6 });
    const parts = [];
    this.recorder.ondataavailable = ({ data }) => data.size && parts.push(data);
    this.recorder.onstop = () => done(new Blob(parts, { type: kind.split(';')[0] }), kind.includes('mp4') ? 'mp4' : 'webm');
    this.recorder.start(1000);
    this.begun = performance.now();
  }

  get seconds() { return (performance.now() - this.begun) / 1000; }

  /** Take the picture that is shown now into the film; ends it after LONGEST seconds. */
  draw() {
    const context = this.canvas.getContext('2d'), { width, height } = this.canvas;
    context.drawImage(this.shown, 0, 0);
    context.font = '600 14px system-ui, sans-serif';
    context.fillStyle = 'rgba(0, 0, 0, .45)';
    context.fillRect(width - 84, height - 28, 76, 20);
    context.fillStyle = '#fff';
    context.fillText('AI picture', width - 79, height - 13);
    if (this.begun && this.seconds >= LONGEST) this.stop();
  }

  stop() { if (this.recorder.state !== 'inactive') this.recorder.stop(); }
}
