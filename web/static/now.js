// Updates an open page of the present: once the quarter hour is over, the page is read again and its parts with data-live are replaced.

const LOOK_MS = 10_000;
let readAt = Date.now(), isReading = false; // the clock of performance stops while a computer sleeps

/** Reports whether the quarter hour of the page is over. */
function isOver() {
  const {now, until} = document.querySelector('[data-until]').dataset;
  return (until - now) * 1000 < Date.now() - readAt;
}

/** Returns what the main chart is drawn of: the end of its axis and the number of its periods; undefined: there is no chart. */
function drawn(page) {
  const figure = page.querySelector('figure.chart');
  return figure && `${figure.dataset.to} ${page.getElementById(figure.dataset.table).rows.length}`;
}

async function read() {
  const answer = await fetch(location.href);
  if (!answer.ok) return; // the next look tries again
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  readAt = Date.now();
  const parts = [...document.querySelectorAll('[data-live]')], fresh = [...page.querySelectorAll('[data-live]')];
  if (answer.redirected || parts.length !== fresh.length || drawn(document) !== drawn(page)) location.reload();
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
