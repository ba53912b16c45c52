// Begins a mirror that stands alone.
import { openMirror } from './mirror.js';

openMirror(document.querySelector('.mirror'), new URL('.', document.baseURI));
