// Draws the charts of a page as SVG from the tables of the same page. The value of a period is a step from its start to its
// end; a null is a gap. Instants are in seconds UTC and shown as local time in Paris.

const SVG = 'http://www.w3.org/2000/svg';
const language = document.documentElement.lang;
const HOUR = 3600, DAY = 86400;
const MARGIN = {top: 24, right: 8, bottom: 40, left: 56};
const LABEL = {least: 22, hour: 34, day: 64}; // least distance between labels of the time axis, in px
const LETTER = 7.5; // px, about the width of a letter of a reading
const LINE = 15; // px between lines of text
const NARROW = 12; // px: values that take less room, with none beside them, are drawn as marks
const MOST_TICKS = 7; // on the axis of values; there are at least 4

const paris = options => new Intl.DateTimeFormat(language, {timeZone: 'Europe/Paris', ...options});
const parisHour = new Intl.DateTimeFormat('en-GB', {timeZone: 'Europe/Paris', hour: '2-digit', hourCycle: 'h23'});
const parisDay = paris({day: 'numeric', month: 'short'});
const parisMonth = paris({month: 'short', year: 'numeric'});
const plain = new Intl.NumberFormat(language, {maximumFractionDigits: 6});
const priced = new Intl.NumberFormat(language, {minimumFractionDigits: 2, maximumFractionDigits: 6});

const withMinus = text => text.replace('-', '\u2212');
const isPrice = unit => unit.startsWith('€');
const formatted = (value, unit) => withMinus((isPrice(unit) ? priced : plain).format(value));

const hours = new Map();
function hourOf(t) {
  if (!hours.has(t)) hours.set(t, parisHour.format(t * 1000));
  return hours.get(t);
}

/** Returns the hour of an instant, with A or B if it is repeated on that day. */
function hourName(t) {
  const start = t - t % HOUR, name = hourOf(start);
  if (hourOf(start + HOUR) === name) return name + 'A';
  if (hourOf(start - HOUR) === name) return name + 'B';
  return name;
}

const clock = t => `${hourName(t)}:${String(Math.floor(t % HOUR / 60)).padStart(2, '0')}`;

function periodName(point, dated) {
  const name = `${clock(point.from)}–${clock(point.to)}`;
  return dated ? `${parisDay.format(point.from * 1000)} ${name}` : name;
}

/** Reads a table once and returns its points by series, ascending. */
const tables = new Map();
function seriesOf(id) {
  if (tables.has(id)) return tables.get(id);
  const series = new Map();
  const table = document.getElementById(id);
  const columns = [...table.tHead.rows[0].cells].map(cell => cell.dataset.series);
  for (const row of table.tBodies[0].rows) {
    const from = +row.dataset.from, to = +row.dataset.to, prefix = row.dataset.series ? row.dataset.series + '-' : '';
    columns.forEach((column, i) => {
      if (!column) return;
      const key = prefix + column, text = row.cells[i].dataset.value;
      if (!series.has(key)) series.set(key, []);
      series.get(key).push({from, to, value: text === undefined ? null : +text});
    });
  }
  tables.set(id, series);
  return series;
}

/** Returns the index of the first point that ends after the instant. */
function firstAfter(points, t) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].to > t) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Returns the point whose period contains the instant. */
function pointAt(points, t) {
  const point = points[firstAfter(points, t)];
  return point && point.from <= t ? point : undefined;
}

/** Returns 4 to MOST_TICKS round values that enclose least and most. */
function ticks(least, most) {
  for (let power = 10 ** Math.floor(Math.log10((most - least) / MOST_TICKS)); ; power *= 10) {
    for (const step of [1, 2, 5].map(n => n * power)) {
      const [low, high] = [least, most].map(value => +(value / step).toPrecision(12));
      const first = Math.floor(low), count = Math.ceil(high) - first + 1;
      if (count <= MOST_TICKS) return Array.from({length: count}, (_, i) => +((first + i) * step).toPrecision(12));
    }
  }
}

/** Returns the midnights in Paris from one instant to before another. */
function midnights(from, to) {
  const all = [];
  for (let t = Math.ceil(from / HOUR) * HOUR; t < to; t += HOUR) {
    if (hourOf(t) !== '00') continue;
    all.push(t);
    t += DAY - 2 * HOUR; // the shortest day has 23 hours
  }
  return all;
}

/** Returns a Date whose UTC fields are those of the instant in Paris, at a midnight there. */
const parisDate = t => new Date((t + 2 * HOUR) * 1000);

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const opened = performance.now();

class Chart {
  constructor(figure, index) {
    this.figure = figure;
    this.id = `chart${index}`;
    this.unit = figure.dataset.unit;
    this.now = +figure.dataset.now;
    this.whole = {from: +figure.dataset.from, to: +figure.dataset.to};
    this.shown = this.whole;
    this.dated = this.whole.to - this.whole.from > 26 * HOUR;
    this.fingers = new Map(); // by pointer: where it is, in px, and the instant that it holds
    const read = seriesOf(figure.dataset.table);
    this.series = [...figure.querySelectorAll('[data-series]')].map((key, i) => ({
      key, name: key.textContent.trim(), points: read.get(key.dataset.series) ?? [], style: `s${i}`, on: true,
    }));
    this.plot = figure.querySelector('.plot');
    this.prepare();
    this.draw();
  }

  prepare() {
    const {plot} = this;
    plot.tabIndex = 0;
    plot.setAttribute('role', 'slider');
    plot.setAttribute('aria-label', plot.dataset.label);
    plot.setAttribute('aria-orientation', 'horizontal');
    const summary = this.figure.querySelector('figcaption .hidden:last-child');
    summary.id = `${this.id}-summary`;
    plot.setAttribute('aria-describedby', summary.id);
    for (const series of this.series) {
      if (series.key.localName === 'button') series.key.addEventListener('click', () => this.toggle(series));
    }
    this.buttons = [...this.figure.querySelectorAll('[data-zoom]')];
    for (const button of this.buttons) button.addEventListener('click', () => this.zoomBy(button.dataset.zoom));
    plot.addEventListener('pointermove', event => this.move(event));
    plot.addEventListener('pointerleave', event => { if (!this.drag && event.pointerType !== 'touch') point(null); });
    plot.addEventListener('pointerdown', event => this.press(event));
    plot.addEventListener('pointerup', event => this.release(event));
    plot.addEventListener('pointercancel', event => this.cancel(event));
    plot.addEventListener('dblclick', () => this.zoomBy('all'));
    plot.addEventListener('keydown', event => this.key(event));
    plot.addEventListener('focus', () => { if (plot.matches(':focus-visible') && cursor === null) point(this.reading()); });
    plot.addEventListener('blur', () => point(null));
    new ResizeObserver(() => this.draw()).observe(plot);
  }

  /** Returns the current instant: a page may stay open for long. */
  instant() { return this.now + (performance.now() - opened) / 1000; }

  /** Returns the points of a series that lie at least in part between two instants, as a rule those of the shown ones. */
  visible({points}, {from, to} = this.shown) {
    const first = firstAfter(points, from);
    let last = first;
    while (last < points.length && points[last].from < to) last++;
    return points.slice(first, last);
  }

  /** Returns the periods of the visible points of all series that are on, ascending. */
  periods(span = this.shown) {
    const starts = new Map();
    for (const series of this.series) {
      if (series.on) for (const p of this.visible(series, span)) starts.set(p.from, p);
    }
    return [...starts.values()].sort((a, b) => a.from - b.from);
  }

  toggle(series) {
    series.on = !series.on;
    series.key.setAttribute('aria-pressed', series.on);
    this.draw();
  }

  draw() {
    const {plot} = this;
    this.width = plot.clientWidth;
    this.height = plot.clientHeight;
    if (this.width < 1) return;
    const svg = element('svg', {viewBox: `0 0 ${this.width} ${this.height}`, 'aria-hidden': 'true'});
    this.known = this.periods();
    this.scale();
    this.drawValues(svg);
    this.drawTimes(svg);
    this.drawSeries(svg);
    this.drawNow(svg);
    this.selection = element('rect', {class: 'selection', y: MARGIN.top, height: this.height - MARGIN.top - MARGIN.bottom, width: 0});
    this.cursor = element('g', {class: 'cursor'});
    svg.append(this.selection, this.cursor);
    plot.replaceChildren(svg);
    const isWhole = this.shown.from <= this.whole.from && this.shown.to >= this.whole.to;
    for (const button of this.buttons) button.ariaDisabled = button.dataset.zoom === 'in' ? this.known.length < 3 : isWhole;
    plot.setAttribute('aria-valuemin', Math.min(1, this.known.length));
    plot.setAttribute('aria-valuemax', this.known.length);
    this.drawCursor();
  }

  /** Sets the scales of x and y. */
  scale() {
    const {from, to} = this.shown;
    let least = 0, most = 0;
    for (const series of this.series) {
      if (!series.on) continue;
      for (const p of this.visible(series)) {
        if (p.value === null) continue;
        least = Math.min(least, p.value);
        most = Math.max(most, p.value);
      }
    }
    if (least === most) most = least + 1;
    this.ticks = ticks(least, most);
    const width = this.width - MARGIN.left - MARGIN.right, height = this.height - MARGIN.top - MARGIN.bottom;
    const [bottom, top] = [this.ticks[0], this.ticks.at(-1)];
    this.x = t => +(MARGIN.left + (t - from) / (to - from) * width).toFixed(1);
    this.y = v => +(MARGIN.top + (top - v) / (top - bottom) * height).toFixed(1);
    this.t = x => from + Math.min(Math.max((x - MARGIN.left) / width, 0), 0.999999) * (to - from);
  }

  /** Draws the axis of values, with its unit above. */
  drawValues(svg) {
    const right = this.width - MARGIN.right;
    svg.append(element('text', {class: 'axis unit', x: MARGIN.left - 8, y: MARGIN.top - 12, 'text-anchor': 'end'}, this.unit));
    for (const value of this.ticks) {
      const y = this.y(value);
      svg.append(element('line', {class: value === 0 ? 'zero' : 'grid', x1: MARGIN.left, x2: right, y1: y, y2: y}));
      svg.append(element('text', {class: 'axis value', x: MARGIN.left - 8, y: y + 4, 'text-anchor': 'end'}, withMinus(plain.format(value))));
    }
  }

  drawTimes(svg) {
    const bottom = this.height - MARGIN.bottom, labels = this.timeLabels();
    if (labels.some(l => /^\d/.test(l.name) && l.name.length < 4)) {
      svg.append(element('text', {class: 'axis unit', x: MARGIN.left - 16, y: bottom + 18, 'text-anchor': 'end'}, 'h'));
    }
    const {from, to} = this.shown;
    if (to - from <= 3 * DAY) {
      for (const x of midnights(from, to).filter(t => t > from && t < to).map(this.x)) {
        svg.append(element('line', {class: 'zero', x1: x, x2: x, y1: MARGIN.top, y2: bottom}));
      }
    }
    for (const {t, name, row} of labels) {
      const x = this.x(t);
      svg.append(element('line', {class: 'grid', x1: x, x2: x, y1: bottom, y2: bottom + 4}));
      svg.append(element('text', {class: 'axis time', x, y: bottom + 18 + row * LINE, 'text-anchor': t === from && name.length > 3 ? 'start' : 'middle'}, name));
    }
  }

  /** Returns the labels of the time axis: hours, or dates or months if there are many. A repeated hour always has a label. */
  timeLabels() {
    const {from, to} = this.shown, perHour = (this.x(to) - this.x(from)) / ((to - from) / HOUR);
    if (to - from < 4 * HOUR) return this.quarterLabels();
    if (to - from > 3 * DAY) return this.dateLabels(perHour * 24);
    const all = [];
    for (let t = Math.ceil(from / HOUR) * HOUR; t <= to; t += HOUR) all.push({t, name: hourName(t), row: 0});
    const every = [1, 2, 3, 4, 6, 12].find(n => n * perHour >= LABEL.hour) ?? 24;
    const twice = all.filter(l => l.name.length > 2);
    const clear = l => twice.every(other => Math.abs(l.t - other.t) / HOUR * perHour >= (l.name === '00' && this.dated ? LABEL.day : LABEL.least));
    if (perHour < LABEL.hour) for (const l of twice) if (l.name.endsWith('B')) l.row = 1;
    if (to === this.whole.to && all.length > 0 && all.at(-1).t === to && all.at(-1).name === '00') all.at(-1).name = '24';
    return all.filter(l => l.name.length > 2 || +l.name % every === 0 && clear(l))
      .map(l => l.name === '00' && this.dated ? {...l, name: parisDay.format(l.t * 1000)} : l);
  }

  /** Returns dates as labels or, where there is no room for one in 14 days, months. */
  dateLabels(perDay) {
    const days = midnights(this.shown.from, this.shown.to), every = Math.ceil(LABEL.day / perDay);
    if (every <= 14) return days.filter((_, i) => i % every === 0).map(t => ({t, name: parisDay.format(t * 1000), row: 0}));
    const firsts = days.filter(t => parisDate(t).getUTCDate() === 1), apart = Math.ceil(LABEL.day * 1.2 / (perDay * 30));
    const whole = [1, 2, 3, 6, 12].find(n => n >= apart) ?? 12;
    return firsts.filter(t => parisDate(t).getUTCMonth() % whole === 0).map(t => ({t, name: parisMonth.format(t * 1000), row: 0}));
  }

  quarterLabels() {
    const {from, to} = this.shown, labels = [];
    const every = [900, 1800, 3600].find(n => n / (to - from) * (this.x(to) - this.x(from)) >= LABEL.day) ?? HOUR;
    for (let t = Math.ceil(from / every) * every; t <= to; t += every) labels.push({t, name: clock(t), row: 0});
    return labels;
  }

  /** Returns the shown steps of a series, in px and in runs without a gap. Steps in the same px are one, from its least to its greatest value. */
  runs(series) {
    const {from, to} = this.shown, runs = [];
    let end = null;
    for (const p of this.visible(series)) {
      if (p.value === null) continue;
      const left = this.x(Math.max(p.from, from)), right = this.x(Math.min(p.to, to)), y = this.y(p.value);
      if (p.from !== end) runs.push([]);
      end = p.to;
      const run = runs.at(-1), last = run.at(-1);
      if (last && right - last.left < 1) Object.assign(last, {right, end: y, high: Math.min(last.high, y), low: Math.max(last.low, y)});
      else run.push({left, right, start: y, end: y, high: y, low: y});
    }
    return runs;
  }

  drawSeries(svg) {
    const zero = this.y(0), negatives = this.y(this.ticks[0]) > zero;
    for (const [name, y, height] of [['above', 0, zero], ['below', zero, this.height - zero]]) {
      const clip = element('clipPath', {id: `${this.id}-${name}`});
      clip.append(element('rect', {x: 0, y, width: this.width, height: Math.max(height, 0)}));
      svg.append(clip);
    }
    // Negative prices are red in whatever the chart shows them.
    const parts = isPrice(this.unit) && negatives ? ['above', 'below'] : [''];
    const add = (shape, style, d) => {
      if (!d) return;
      for (const part of parts) {
        svg.append(element('path', {class: `${shape} ${style} ${part}`, d, ...(part && {'clip-path': `url(#${this.id}-${part})`})}));
      }
    };
    for (const series of this.series) {
      if (!series.on) continue;
      const runs = this.runs(series), isNarrow = run => run.at(-1).right - run[0].left < NARROW;
      const steps = run => run.map(s => `V${s.start}${s.high === s.low ? '' : `V${s.high}V${s.low}V${s.end}`}H${s.right}`).join('');
      if (this.series.length === 1) add('area', series.style, runs.map(run => `M${run[0].left} ${zero}${steps(run)}V${zero}Z`).join(''));
      add('line', series.style, runs.filter(run => !isNarrow(run)).map(run => `M${run[0].left} ${run[0].start}${steps(run)}`).join(''));
      add('mark', series.style, runs.filter(isNarrow).flat().map(s => `M${s.left} ${s.end}H${s.right}`).join(''));
    }
  }

  drawNow(svg) {
    const t = this.instant();
    if (t < this.shown.from || t >= this.shown.to) return;
    const group = element('g', {class: 'now'});
    this.mark(group, t, this.series.length === 1);
    svg.append(group);
  }

  /** Returns the values of the visible series at the instant. */
  at(t) { return this.series.filter(s => s.on).map(series => ({series, point: pointAt(series.points, t)})).filter(f => f.point); }

  /** Draws a line at the period of the instant and its values as dots and, if asked, as text. */
  mark(group, t, worded) {
    const found = this.at(t);
    if (found.length === 0) return;
    const {point: period} = found[0], middle = this.x(Math.min(Math.max((period.from + period.to) / 2, this.shown.from), this.shown.to));
    group.append(element('line', {x1: middle, x2: middle, y1: MARGIN.top - 8, y2: this.height - MARGIN.bottom}));
    for (const {series, point: p} of found) {
      if (p.value !== null) group.append(element('circle', {class: series.style, cx: middle, cy: this.y(p.value), r: 3.5}));
    }
    if (!worded) return;
    const lines = found.length === 1
      ? [`${periodName(period, this.dated)} · ${this.valueIn(found[0])}`]
      : [periodName(period, this.dated), ...found.map(f => `${f.series.name} ${this.valueIn(f)}`)];
    const wide = Math.max(...lines.map(line => line.length)) * LETTER, left = middle - 7, right = middle + 7;
    const after = middle < this.width / 2 && right + wide < this.width;
    lines.forEach((line, i) => group.append(element('text', {
      class: 'reading', x: after ? right : left - wide > MARGIN.left ? left : this.width, y: MARGIN.top - 8 + i * LINE, 'text-anchor': after ? 'start' : 'end',
    }, line)));
  }

  valueIn({point: p}) { return p.value === null ? '–' : `${formatted(p.value, this.unit)}\u00a0${this.unit}`; }

  drawCursor() {
    const t = cursor, {plot} = this;
    this.cursor.replaceChildren();
    const reading = t ?? this.reading();
    plot.setAttribute('aria-valuenow', this.positionOf(reading) + 1 || Math.min(1, this.known.length));
    plot.setAttribute('aria-valuetext', this.words(reading));
    plot.querySelector('.now')?.classList.toggle('quiet', t !== null);
    if (t !== null && t >= this.shown.from && t < this.shown.to) this.mark(this.cursor, t, true);
  }

  /** Returns where keyboard reading starts: now, or else the first period. */
  reading() {
    const t = this.instant();
    return t >= this.shown.from && t < this.shown.to ? t : this.known[0]?.from ?? this.shown.from;
  }

  /** Returns the index of the shown period that contains the instant; -1 if there is none. */
  positionOf(t) { return this.known.findIndex(p => p.from <= t && t < p.to); }

  words(t) {
    const found = this.at(t);
    if (found.length === 0) return '–';
    return `${periodName(found[0].point, this.dated)}, ${found.map(f => `${f.series.name} ${this.valueIn(f)}`).join(', ')}`;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const periods = this.known, at = this.positionOf(cursor ?? this.reading()), step = cursor === null ? 0 : 1;
    const to = {
      ArrowRight: at + step, ArrowUp: at + step, ArrowLeft: at - step, ArrowDown: at - step, Home: 0, End: periods.length - 1,
    }[event.key];
    if (to !== undefined && periods.length > 0) point(periods[Math.min(Math.max(to, 0), periods.length - 1)].from);
    else if (event.key === 'PageUp' || event.key === 'PageDown') document.querySelector(event.key === 'PageUp' ? 'a[rel=prev]' : 'a[rel=next]')?.click();
    else if (event.key === '+') this.zoomBy('in');
    else if (event.key === '-') this.zoomBy('out');
    else if (event.key === 'Escape') this.zoomBy('all');
    else return;
    event.preventDefault();
  }

  px(event) { return event.clientX - this.plot.getBoundingClientRect().left; }

  move(event) {
    const x = this.px(event), t = this.t(x);
    if (this.fingers.has(event.pointerId)) this.fingers.get(event.pointerId).x = x;
    if (this.fingers.size === 2) {
      this.pinch();
      return;
    }
    point(t);
    if (!this.drag) return;
    this.drag.to = t;
    this.select();
  }

  press(event) {
    const x = this.px(event), t = this.t(x);
    if (event.pointerType === 'touch') {
      for (const finger of this.fingers.values()) finger.t = this.t(finger.x);
      this.fingers.set(event.pointerId, {x, t});
      this.move(event);
    } else if (event.button === 0) {
      this.plot.setPointerCapture(event.pointerId);
      this.drag = {from: t, to: t};
    }
  }

  /** Zooms so that the two instants that fingers took hold of stay under them. */
  pinch() {
    const [a, b] = [...this.fingers.values()].sort((a, b) => a.t - b.t);
    if (b.x - a.x < 1 || b.t <= a.t) return;
    const perPx = (b.t - a.t) / (b.x - a.x), first = a.t - (a.x - MARGIN.left) * perPx;
    point(null);
    this.zoomTo(first, first + (this.width - MARGIN.left - MARGIN.right) * perPx);
  }

  cancel(event) {
    this.fingers.delete(event.pointerId);
    this.drag = null;
    this.select();
  }

  release(event) {
    const {drag} = this;
    this.cancel(event);
    if (!drag || Math.abs(this.x(drag.from) - this.x(drag.to)) < 8) return;
    this.zoomTo(Math.min(drag.from, drag.to), Math.max(drag.from, drag.to));
  }

  /** Shows the selection. */
  select() {
    const [left, right] = this.drag ? [this.x(this.drag.from), this.x(this.drag.to)].sort((a, b) => a - b) : [0, 0];
    this.selection.setAttribute('x', left);
    this.selection.setAttribute('width', right - left);
  }

  /** Zooms in around the cursor, out, or to all. */
  zoomBy(how) {
    const {from, to} = this.shown, now = this.instant(), isNow = now >= from && now < to;
    if (how === 'all') {
      zoom(this.whole, this.whole);
      return;
    }
    const half = (to - from) * (how === 'in' ? 1 / 4 : 1), middle = cursor ?? (isNow ? now : (from + to) / 2);
    this.zoomTo(middle - half, middle + half);
  }

  /** Shows the whole periods that lie in part between two instants, if there are several. */
  zoomTo(from, to) {
    const {whole} = this, length = Math.min(to - from, whole.to - whole.from);
    const start = Math.min(Math.max(from, whole.from), whole.to - length), inside = this.periods({from: start, to: start + length});
    if (inside.length > 1) zoom(whole, {from: Math.max(inside[0].from, whole.from), to: Math.min(inside.at(-1).to, whole.to)});
  }
}

/** The instant whose values all charts of the page show; null if there is none. */
let cursor = null;
function point(t) {
  cursor = t;
  for (const chart of charts) chart.drawCursor();
}

/** Charts with the same time axis zoom together. */
function zoom(whole, shown) {
  for (const chart of charts) {
    if (chart.whole.from !== whole.from || chart.whole.to !== whole.to) continue;
    chart.shown = shown;
    chart.draw();
  }
}

// The current period moves on while a page is open.
const REDRAW_MS = 60_000;
setInterval(() => { if (!document.hidden) for (const chart of charts) chart.draw(); }, REDRAW_MS);

const charts = [];
for (const [i, figure] of [...document.querySelectorAll('figure.chart')].entries()) charts.push(new Chart(figure, i));
