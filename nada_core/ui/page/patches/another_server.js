// Say so when another server answers than the one the page came from.
//
// A page's state lives in one process. When that was replaced, or when two take turns behind one address, Gradio (6.31) takes the acceptance
// of an event from one and asks another for its news, which does not know the page: the event waits for ever, without a word. Here each
// server has a name, in its page and in its answers to events; where they differ, or nobody is there, a sentence and a button say what to do.
//
// Upstream: gradio-app/gradio issue 10487 asks for news from another instance; sticky sessions are the advice.
// Remove when an event that another server was asked about ends in an error on the page (tests/ui/page/test_page_start.py replaces one).
(() => {
  const ask = window.fetch.bind(window), mine = '{server}';
  const another = 'Another server has answered than the one this page came from, and does not know it: the server was started again, or'
    + ' several take turns. Reload the page to go on.';
  const nobody = 'The server does not answer. Reload the page in a moment.';

  window.fetch = async (...what) => {
    const path = new URL(what[0].url || what[0], window.location.href).pathname;
    if (!/\/queue\/(join|data)$/.test(path)) return ask(...what);
    const answer = await ask(...what).catch((error) => {
      if (error.name !== 'AbortError') say(nobody);
      throw error;
    });
    const theirs = answer.headers.get('x-nada-server');
    if (theirs && theirs !== mine) say(another);
    else if ([502, 503, 504].includes(answer.status) && !theirs) say(nobody);
    return answer;
  };

  function say(words) {
    let box = document.querySelector('#another-server');
    if (!box) {
      box = Object.assign(document.createElement('div'), { id: 'another-server' });
      box.setAttribute('role', 'alert');
      const text = document.createElement('p'), button = document.createElement('button');
      Object.assign(button, { type: 'button', textContent: 'Reload', onclick: () => window.location.reload() });
      box.append(text, button);
      document.body.append(box);
    }
    box.firstChild.textContent = words;
  }
})();
