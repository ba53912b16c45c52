// Lose no event between two streams of news.
//
// The server tells all news of a page's events in one stream, which it ends as soon as none of them is under way; Gradio (6.31) opens
// another for the next event. An event that the server accepts in the same moment is lost: its acceptance can arrive before the end of the
// stream, which belongs to another connection, and then nobody opens the next stream. The page seemed to hang until something else was
// pressed. Here Gradio gets one stream that has no end: what the server ends is opened again when, and as long as, an event waits for news.
//
// Upstream: no issue of this race known; gradio-app/gradio pull request 7926 mended a neighbouring one.
// Remove when an event that is accepted while the stream ends is answered without this script (tests/ui/page/test_page_start.py holds the
// end back).
(() => {
  const ask = window.fetch.bind(window);
  const bytes = new TextEncoder();
  const waiting = new Set(); // events that the server accepted and that are not over
  const over = new Set(); // events that were over before the page heard that they were accepted
  let wake = () => {};

  window.fetch = (...what) => {
    const path = new URL(what[0].url || what[0], window.location.href).pathname;
    if (path.endsWith('/queue/join')) return join(what);
    if (path.endsWith('/queue/data')) return listen(what);
    return ask(...what);
  };

  async function join(what) {
    const answer = await ask(...what);
    if (answer.ok) {
      const { event_id: event } = await answer.clone().json();
      if (!over.delete(event)) waiting.add(event);
      wake();
    }
    return answer;
  }

  async function listen(what) {
    const first = await ask(...what);
    if (!first.ok || !first.body) return first;
    const { signal } = what[0];
    if (signal) signal.addEventListener('abort', () => wake());
    const again = async () => {
      const answer = await ask(...what);
      if (!answer.ok) throw new Error(`The stream of events was answered with ${answer.status}.`);
      return answer;
    };
    const endless = new ReadableStream({
      async start(page) {
        try {
          for (let answer = first; await pass(answer.body, page); answer = await again()) {
            if (!waiting.size) await new Promise((go) => { wake = go; });
          }
          throw new Error('The stream of events ended without a farewell.'); // its end alone would tell Gradio nothing
        } catch (error) {
          page.error(error); // what Gradio is told of a broken connection
        }
      },
    });
    return new Response(endless, { status: first.status, headers: first.headers });
  }

  // Pass the messages on to the page, all but the server's farewell. False: the stream ended without one.
  async function pass(body, page) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '', ended = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ended;
      const messages = (rest + value).split('\n\n');
      rest = messages.pop();
      for (const message of messages) {
        const { msg, event_id: event } = message.startsWith('data:') ? JSON.parse(message.slice(5)) : {}; // else a comment of a proxy
        if (msg === 'close_stream') ended = true;
        else page.enqueue(bytes.encode(message + '\n\n'));
        if (msg === 'process_completed' && !waiting.delete(event)) over.add(event);
      }
    }
  }
})();
