// Opens the visitor's camera, or says in one sentence why it cannot be had.
const WORDS = {
  NotAllowedError: 'The camera was refused. Allow it for this page in the browser, beside the address, and press the button again.',
  NotFoundError: 'No camera was found. Connect one, or open this page on a phone, and press the button again.',
  NotReadableError: 'The camera is in use by another program. Close that program and press the button again.',
};
const ALSO = { SecurityError: 'NotAllowedError', OverconstrainedError: 'NotFoundError', AbortError: 'NotReadableError', TrackStartError: 'NotReadableError' };

/** Return a playing video of the front camera. Throws Error with a sentence. */
export async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error('This browser gives the camera only to pages with https, or on this machine. Open the page that way.');
  }
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } } });
    await video.play();
    return video;
  } catch (error) {
    closeCamera(video);
    throw new Error(WORDS[error.name] || WORDS[ALSO[error.name]] || `The camera could not be opened (${error.name}). Press the button again.`);
  }
}

export function closeCamera(video) {
  video?.srcObject?.getTracks().forEach((track) => track.stop());
  if (video) video.srcObject = null;
}

/** Draw the square in the middle of the camera's picture as a mirror shows it; closer: how much of it is left out. */
export function drawFace(context, video, closer) {
  const side = Math.min(video.videoWidth, video.videoHeight) / closer, to = context.canvas.width;
  context.setTransform(-1, 0, 0, 1, to, 0);
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, to, to);
  context.setTransform(1, 0, 0, 1, 0, 0);
}
