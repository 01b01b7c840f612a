// Names the rows of a table that are in sight where its box scrolls, and fades the end of the box while more rows follow.

/** Returns how many rows end at a height above the table's start or earlier. */
function rowsUpTo(rows, height) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1, row = rows[middle];
    if (row.offsetTop + row.offsetHeight <= height + 1) low = middle + 1;
    else high = middle;
  }
  return low;
}

for (const text of document.querySelectorAll('.inside')) {
  const box = text.previousElementSibling, table = box.querySelector('table'), rows = table.tBodies[0].rows, all = text.textContent;
  const show = () => {
    const isCut = box.scrollHeight > box.clientHeight + 1, end = box.scrollTop + box.clientHeight;
    box.classList.toggle('cut', isCut && end < box.scrollHeight - 1);
    const numbers = {first: rowsUpTo(rows, box.scrollTop + table.tHead.offsetHeight) + 1, last: rowsUpTo(rows, end), all: rows.length};
    text.textContent = isCut ? text.dataset.text.replace(/{(\w+)}/g, (_, name) => numbers[name]) : all;
  };
  box.addEventListener('scroll', show, {passive: true});
  new ResizeObserver(show).observe(box);
}
