// Follows an execution: whenever something happens in it, what shows it is renewed, until it is over. Where the event
// stream is blocked, it asks every few seconds instead.

const QUIET_MS = 250;
const POLL_MS = 2000;
const AWAITED_MS = 300; // until the event that was just accepted has become an execution

// `renew` is awaited; `isOver` and `isAwaited` are asked for what it has shown. Returns a function that ends the following.
export function followExecution({ stream: address, renew, isOver, isAwaited, events = {} }) {
  let stream = null;
  let timer = null;
  let fetching = false;
  let again = false;
  let ended = false;
  let pause = QUIET_MS; // what takes long to renew is renewed less often

  const streaming = () => stream?.readyState === EventSource.OPEN;

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    const begun = performance.now();
    await renew().catch(() => {}); // what failed is tried again with the next event or poll
    pause = Math.max(QUIET_MS, performance.now() - begun);
    fetching = false;
    if (ended) return;
    if (isOver()) finish();
    else if (again) soon();
    again = false;
  }

  function soon(wait = pause) {
    if (ended) return;
    timer ??= setTimeout(() => {
      timer = null;
      refresh().then(() => {
        if (ended || isOver() || streaming()) return;
        if (stream) soon(POLL_MS);
        else follow();
      });
    }, wait);
  }

  function follow() {
    if (isAwaited()) return soon(AWAITED_MS);
    stream = new EventSource(address);
    for (const kind of ["log", "status"]) stream.addEventListener(kind, () => soon());
    for (const [kind, handle] of Object.entries(events)) stream.addEventListener(kind, handle);
    stream.addEventListener("end", () => {
      stream.close();
      soon();
    });
    stream.addEventListener("error", () => soon(POLL_MS)); // until it is back, or for good
  }

  // The last lines of the log come a moment behind the end.
  function finish() {
    stop();
    setTimeout(() => renew().catch(() => {}), 2 * QUIET_MS);
  }

  function stop() {
    ended = true;
    stream?.close();
    clearTimeout(timer);
  }

  if (!isOver()) follow();
  return stop;
}
