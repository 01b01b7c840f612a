// Makes the "try it" links show the answer on the page instead of opening it. The request has the session of the page.

const number = new Intl.NumberFormat(document.documentElement.lang, {maximumFractionDigits: 1});
const SHOWN = 20_000; // characters of an answer

async function ask(link) {
  const result = link.parentElement.querySelector('[role=status]'), began = performance.now();
  const response = await fetch(link.href);
  const text = await response.text(), took = performance.now() - began;
  result.textContent = `${response.status}, ${number.format(took)}\u00a0ms, ${number.format(text.length / 1000)}\u00a0kB`;
  const indented = JSON.stringify(JSON.parse(text), null, 2);
  link.closest('div').querySelector('pre').textContent = indented.length > SHOWN ? `${indented.slice(0, SHOWN)}\n…` : indented;
}

for (const link of document.querySelectorAll('a[data-try]')) {
  link.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(link).catch(() => location.assign(link.href));
  });
}
