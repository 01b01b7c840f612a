// Keeps what the page says of the present right while it stays open: once the price changes, the page is read again and its
// parts with data-live are replaced.

const LOOK_MS = 10_000;
let readAt = performance.now(), isReading = false;

/** Reports whether the price that the page shows has changed. */
function isOver() {
  const shown = document.querySelector('.present')?.dataset;
  return shown !== undefined && (shown.until - shown.now) * 1000 < performance.now() - readAt;
}

async function read() {
  const answer = await fetch(location.href);
  if (!answer.ok) return; // the next look tries again
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  readAt = performance.now();
  const axis = of => of.querySelector('figure.chart')?.dataset.to;
  const parts = [...document.querySelectorAll('[data-live]')], fresh = [...page.querySelectorAll('[data-live]')];
  if (answer.redirected || parts.length !== fresh.length || axis(document) !== axis(page)) location.reload();
  else parts.forEach((part, i) => part.replaceWith(document.adoptNode(fresh[i])));
}

async function look() {
  if (document.hidden || isReading || !isOver()) return;
  isReading = true;
  await read().catch(() => {}); // the server cannot be reached: the next look tries again
  isReading = false;
}

document.addEventListener('visibilitychange', look);
setInterval(look, LOOK_MS);
