// Draws the charts of a page as SVG, from the tables of the same page or from values that the page has in their place. The value of
// a period is a step from its start to its end; a null is a gap. Instants are in seconds UTC and shown as local time in Paris.

const SVG = 'http://www.w3.org/2000/svg';
const language = document.documentElement.lang;
const HOUR = 3600, DAY = 86400;
const HOURLY = 3 * DAY + HOUR; // the longest time axis with hours: three days, one of them of 25 hours
const MARGIN = {top: 24, right: 8, bottom: 40, left: 56};
const LABEL = {least: 22, hour: 34, day: 64}; // least distance between labels of the time axis, in px
const LETTER = 7.5; // px, about the width of a letter of a reading
const LINE = 15; // px between lines of text
const NARROW = 12; // px: values that take less room, with none beside them, are drawn as marks
const MOST_TICKS = 7; // on the axis of values; there are at least 4

const paris = options => new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {timeZone: 'Europe/Paris', ...options});
const parisHour = new Intl.DateTimeFormat('en-GB', {timeZone: 'Europe/Paris', hour: '2-digit', hourCycle: 'h23'});
const parisDay = paris({day: 'numeric', month: 'short'});
const parisDate = paris({day: 'numeric', month: 'short', year: 'numeric'});
const parisMonth = paris({month: 'short', year: 'numeric'});
const plain = new Intl.NumberFormat(language, {maximumFractionDigits: 6});
const whole = new Intl.NumberFormat(language, {maximumFractionDigits: 0});
const priced = new Intl.NumberFormat(language, {minimumFractionDigits: 2, maximumFractionDigits: 6});

const tenths = px => Math.round(px * 10) / 10;
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
  if (point.to - point.from > DAY - 2 * HOUR) return parisDate.format(point.from * 1000);
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

/** Returns the points of runs of periods: each run has its start, the length of its periods and their values. */
const pointsOf = runs => runs.split(';').flatMap(run => {
  const [start, length, ...values] = run.split(',');
  return values.map((text, i) => ({from: +start + i * length, to: +start + (i + 1) * length, value: text === '' ? null : +text}));
});

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
const civil = t => new Date((t + 2 * HOUR) * 1000);

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * Returns the point so many days later at the same time of day in Paris, in a list; an empty one if the later day does not have the hour.
 * The first of two hours of the same name stands for a single one.
 */
function daysLater(point, days) {
  const nameAt = t => hourName(t).replace('A', ''), name = nameAt(point.from);
  const drift = [0, HOUR, -HOUR].find(s => nameAt(point.from + days * DAY + s) === name);
  if (days === 0 || drift === undefined) return days === 0 ? [point] : [];
  const shift = days * DAY + drift;
  return [{from: point.from + shift, to: point.to + shift, value: point.value}];
}

const opened = Date.now(); // the clock of performance stops while a computer sleeps

// The periods of finer rows, in seconds, with their resolution in the API, and how many of them a chart may have.
const LENGTHS = [[300, 'PT5M'], [900, 'PT15M'], [HOUR, 'PT1H']];
const FINE_POINTS = 1500;
const LEVELS = 7; // of the colours of a map, above and below zero

// What the horizontal axis is. cursor is where its charts show their values; null: nowhere.
const axes = {
  time: {cursor: null, unit: 'h', labels: chart => chart.timeLabels(), name: (period, chart) => periodName(period, chart.dated)},
  hour: {
    cursor: null, unit: 'h',
    labels: chart => {
      const every = [1, 2, 3, 4, 6].find(n => chart.x(n * HOUR) - chart.x(0) >= LABEL.hour) ?? 12, {from, to} = chart.shown;
      return Array.from({length: 25}, (_, h) => ({t: h * HOUR, name: String(h).padStart(2, '0'), row: 0}))
        .filter(l => l.t >= from && l.t <= to && l.t / HOUR % every === 0);
    },
    name: ({from}) => `${String(from / HOUR).padStart(2, '0')}:00–${String(from / HOUR + 1).padStart(2, '0')}:00`,
  },
  share: {
    cursor: null, unit: '%',
    labels: chart => {
      const {from, to} = chart.shown, {whole} = chart;
      return ticks(100 * from / whole.to, 100 * to / whole.to).map(n => ({t: n / 100 * whole.to, name: plain.format(n), row: 0}))
        .filter(l => l.t >= from && l.t <= to);
    },
    name: ({from}, {whole}) => `${plain.format(Math.round(1000 * from / (whole.to - 1 || 1)) / 10)}\u202f%`,
  },
};

class Chart {
  constructor(figure, index) {
    this.figure = figure;
    this.id = `chart${index}`;
    this.unit = figure.dataset.unit;
    this.axis = axes[figure.dataset.axis ?? 'time'];
    this.now = this.axis === axes.time ? +figure.dataset.now : NaN;
    this.whole = {from: +figure.dataset.from, to: +figure.dataset.to};
    this.shown = this.whole;
    this.dated = this.whole.to - this.whole.from > 26 * HOUR;
    this.fingers = new Map(); // by pointer: where it is, in px, and the instant that it holds
    const read = figure.dataset.table && seriesOf(figure.dataset.table);
    this.series = [...figure.querySelectorAll('[data-series]')].map(key => ({
      key, name: key.textContent.trim(), style: key.className.replace(/key|hidden/g, '').trim(), on: true,
      points: read ? read.get(key.dataset.series) ?? [] : pointsOf(key.dataset.runs ?? ''),
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
    plot.addEventListener('pointerleave', event => { if (!this.drag && event.pointerType !== 'touch') this.point(null); });
    plot.addEventListener('pointerdown', event => this.press(event));
    plot.addEventListener('pointerup', event => this.release(event));
    plot.addEventListener('pointercancel', event => this.cancel(event));
    plot.addEventListener('dblclick', () => this.zoomBy('all'));
    plot.addEventListener('keydown', event => this.key(event));
    plot.addEventListener('focus', () => { if (plot.matches(':focus-visible') && this.axis.cursor === null) this.point(this.reading()); });
    plot.addEventListener('blur', () => this.point(null));
    for (const button of this.figure.querySelectorAll('[data-save]')) button.addEventListener('click', () => save(this, button.dataset.save));
    new ResizeObserver(() => { if (plot.clientWidth !== this.width || plot.clientHeight !== this.height) this.draw(); }).observe(plot);
  }

  /** Returns the current instant: a page may stay open for long. */
  instant() { return this.now + (Date.now() - opened) / 1000; }

  /** Returns the points of a series that lie at least in part between two instants, as a rule those of the shown ones. */
  visible(series, {from, to} = this.shown) {
    const points = this.pointsIn(series, {from, to}), first = firstAfter(points, from);
    if (first === 0 && points.at(-1)?.from < to) return points;
    let last = first;
    while (last < points.length && points[last].from < to) last++;
    return points.slice(first, last);
  }

  /** Returns the points of a series: finer ones if there are some of all of the span. */
  pointsIn({points, finer}, {from, to}) { return finer && finer.from <= from && finer.to >= to ? finer.points : points; }

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
    if (series.key.dataset.rows) hold('off', charts.flatMap(c => c.series).filter(s => s.key.dataset.rows && !s.on).map(s => s.key.dataset.series).join());
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
    this.x = t => tenths(MARGIN.left + (t - from) / (to - from) * width);
    this.y = v => tenths(MARGIN.top + (top - v) / (top - bottom) * height);
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
    const bottom = this.height - MARGIN.bottom, labels = this.axis.labels(this);
    if (labels.some(l => /^\d/.test(l.name) && l.name.length < 4)) {
      svg.append(element('text', {class: 'axis unit', x: MARGIN.left - 16, y: bottom + 18, 'text-anchor': 'end'}, this.axis.unit));
    }
    const {from, to} = this.shown;
    if (this.axis === axes.time && to - from <= HOURLY) {
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
    if (to - from > HOURLY) return this.dateLabels(perHour * 24);
    const all = [];
    for (let t = Math.ceil(from / HOUR) * HOUR; t <= to; t += HOUR) all.push({t, name: hourName(t), row: 0});
    const every = [1, 2, 3, 4, 6, 12].find(n => n * perHour >= LABEL.hour) ?? 24;
    const twice = all.filter(l => l.name.length > 2);
    const clear = l => twice.every(other => Math.abs(l.t - other.t) / HOUR * perHour >= (l.name === '00' && this.dated ? LABEL.day : LABEL.least));
    if (perHour < LABEL.hour) for (const l of twice) if (l.name.endsWith('B')) l.row = 1;
    if (to === this.whole.to && all.length > 0 && all.at(-1).t === to && all.at(-1).name === '00') all.at(-1).name = '24';
    // A date takes more room than an hour.
    const isFree = l => !this.dated || perHour * Math.min(+l.name, 24 - l.name) >= LABEL.day;
    return all.filter(l => l.name.length > 2 || +l.name % every === 0 && clear(l) && (l.name === '00' || isFree(l)))
      .map(l => l.name === '00' && this.dated ? {...l, name: parisDay.format(l.t * 1000)} : l);
  }

  /** Returns dates as labels or, where there is no room for one in 14 days, months. */
  dateLabels(perDay) {
    const days = midnights(this.shown.from, this.shown.to), every = Math.ceil(LABEL.day / perDay);
    if (every <= 14) return days.filter((_, i) => i % every === 0).map(t => ({t, name: parisDay.format(t * 1000), row: 0}));
    const firsts = days.filter(t => civil(t).getUTCDate() === 1), apart = Math.ceil(LABEL.day * 1.2 / (perDay * 30));
    const whole = [1, 2, 3, 6, 12].find(n => n >= apart) ?? 12;
    return firsts.filter(t => civil(t).getUTCMonth() % whole === 0).map(t => ({t, name: parisMonth.format(t * 1000), row: 0}));
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
  at(t) { return this.series.filter(s => s.on).map(series => ({series, point: pointAt(this.pointsIn(series, this.shown), t)})).filter(f => f.point); }

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
      ? [`${this.axis.name(period, this)} · ${this.valueIn(found[0])}`]
      : [this.axis.name(period, this), ...found.map(f => `${f.series.name} ${this.valueIn(f)}`)];
    const wide = Math.max(...lines.map(line => line.length)) * LETTER, left = middle - 7, right = middle + 7;
    const after = middle < this.width / 2 && right + wide < this.width;
    lines.forEach((line, i) => group.append(element('text', {
      class: 'reading', x: after ? right : left - wide > MARGIN.left ? left : this.width, y: MARGIN.top - 8 + i * LINE, 'text-anchor': after ? 'start' : 'end',
    }, line)));
  }

  valueIn({point: p}) { return p.value === null ? '–' : `${formatted(p.value, this.unit)}\u00a0${this.unit}`; }

  drawCursor() {
    const t = this.axis.cursor, {plot} = this;
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
    return `${this.axis.name(found[0].point, this)}, ${found.map(f => `${f.series.name} ${this.valueIn(f)}`).join(', ')}`;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const periods = this.known, at = this.positionOf(this.axis.cursor ?? this.reading()), step = this.axis.cursor === null ? 0 : 1;
    const to = {
      ArrowRight: at + step, ArrowUp: at + step, ArrowLeft: at - step, ArrowDown: at - step, Home: 0, End: periods.length - 1,
    }[event.key];
    if (to !== undefined && periods.length > 0) this.point(periods[Math.min(Math.max(to, 0), periods.length - 1)].from);
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
    this.point(t);
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
    this.point(null);
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

  /** Shows the values at an instant in all charts of the same axis; null: of none. */
  point(t) {
    this.axis.cursor = t;
    for (const chart of charts) if (chart.axis === this.axis) chart.drawCursor();
  }

  /** Reads finer rows of the shown range, if there are any that fit. */
  async refine() {
    const {from, to} = this.shown;
    await Promise.all(this.series.map(async series => {
      const {rows, step, before = 0} = series.key.dataset, [coarse] = this.visible(series), earlier = before * DAY;
      if (!rows || !coarse) return;
      const [seconds, resolution] = [[+step, 'native'], ...LENGTHS].find(([n]) => n >= +step && (to - from) / n <= FINE_POINTS) ?? [Infinity];
      if (seconds >= coarse.to - coarse.from) return;
      // An hour more on both sides: a clock may change between the days.
      const answer = await fetch(`${rows}&from=${from - earlier - HOUR}&to=${to - earlier + HOUR}&resolution=${resolution}`);
      if (!answer.ok) return;
      const {period_start_utc: starts, period_end_utc: ends, ...values} = (await answer.json()).data;
      const column = values[new URLSearchParams(rows.split('?')[1]).get('columns')];
      const points = starts.map((start, i) => ({from: Date.parse(start) / 1000, to: Date.parse(ends[i]) / 1000, value: column[i]}));
      series.finer = {from, to, points: points.flatMap(p => daysLater(p, +before))};
    }));
    if (this.shown.from === from && this.shown.to === to) this.draw();
  }

  /** Zooms in around the cursor, out, or to all. */
  zoomBy(how) {
    const {from, to} = this.shown, now = this.instant(), isNow = now >= from && now < to;
    if (how === 'all') {
      zoom(this.whole, this.whole);
      return;
    }
    const half = (to - from) * (how === 'in' ? 1 / 4 : 1), middle = this.axis.cursor ?? (isNow ? now : (from + to) / 2);
    this.zoomTo(middle - half, middle + half);
  }

  /** Shows the whole periods that lie in part between two instants, if there are several. */
  zoomTo(from, to) {
    const {whole} = this, length = Math.min(to - from, whole.to - whole.from);
    const start = Math.min(Math.max(from, whole.from), whole.to - length), inside = this.periods({from: start, to: start + length});
    if (inside.length > 1) zoom(whole, {from: Math.max(inside[0].from, whole.from), to: Math.min(inside.at(-1).to, whole.to)});
  }
}

/** Holds a part of the view in the address, and in those that lead to the same range. */
function hold(name, value) {
  const held = address => {
    const url = new URL(address, location);
    if (value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
    return url.pathname + url.search;
  };
  history.replaceState(null, '', held(location.href));
  for (const link of document.querySelectorAll('.analysed a')) link.setAttribute('href', held(link.href));
  const next = document.querySelector('footer input[name=next]');
  next.value = held(next.value);
}

/** Charts with the same time axis zoom together. */
function zoom(whole, shown) {
  for (const chart of charts) {
    if (chart.whole.from !== whole.from || chart.whole.to !== whole.to) continue;
    chart.shown = shown;
    chart.draw();
    chart.refine();
  }
  const isInAddress = chart => chart.axis === axes.time && chart.series.some(series => series.key.dataset.rows);
  if (!charts.some(chart => isInAddress(chart) && chart.shown === shown)) return;
  hold('zoom', shown === whole ? '' : `${shown.from}-${shown.to}`);
}

/** Draws the means of hours by days, or by weeks, as cells: an hour that a day does not have is empty, of an hour that it has twice there are halves. */
class HeatMap {
  constructor(figure) {
    this.figure = figure;
    this.unit = figure.dataset.unit;
    this.plot = figure.querySelector('.plot');
    this.columns = figure.dataset.columns.split(';').map(text => {
      const [start, ...values] = text.split(',');
      return {start: +start, cells: this.cells(+start, values.map(v => v === '' ? null : +v))};
    });
    const values = this.columns.flatMap(c => c.cells.map(cell => cell.value)).filter(v => v !== null).sort((a, b) => a - b);
    const at = share => values[Math.floor(share * (values.length - 1))] ?? 0;
    // A few extreme values do not make all others look alike.
    const above = at(0.98) > 0 ? at(0.98) : 1;
    this.base = at(0.02) > above / 2 ? at(0.02) : 0;
    this.above = above;
    this.below = Math.min(at(0.02), -above / LEVELS);
    this.plot.setAttribute('role', 'img');
    this.plot.setAttribute('aria-label', this.plot.dataset.label);
    this.plot.addEventListener('pointermove', event => this.read(event));
    this.plot.addEventListener('pointerdown', event => this.read(event));
    this.plot.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') this.cursor.replaceChildren(); });
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  /** Returns the cells of a column: the hour, the part of it that the cell takes and the value. */
  cells(start, values) {
    if (values.length === 24) return values.map((value, hour) => ({hour, top: 0, height: 1, value}));
    const named = values.map((value, i) => ({hour: +hourOf(start + i * HOUR), top: 0, height: 1, value}));
    named.forEach((cell, i) => {
      if (cell.hour !== named[i - 1]?.hour) return;
      Object.assign(named[i - 1], {height: 0.5, half: 'A'});
      Object.assign(cell, {top: 0.5, height: 0.5, half: 'B'});
    });
    return named;
  }

  level(value) {
    const part = value < 0 ? value / this.below : (value - this.base) / (this.above - this.base);
    return `${value < 0 ? isPrice(this.unit) ? 'n' : 'd' : 'h'}${Math.min(Math.max(Math.ceil(part * LEVELS), 1), LEVELS)}`;
  }

  draw() {
    const width = this.plot.clientWidth, height = this.plot.clientHeight;
    if (width < 1) return;
    const svg = element('svg', {viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'}), bottom = height - MARGIN.bottom - LINE;
    this.size = {width: (width - MARGIN.left - MARGIN.right) / this.columns.length, height: (bottom - MARGIN.top) / 24};
    const paths = new Map(), wide = (this.size.width * (this.size.width > 4 ? 0.94 : 1.02)).toFixed(2);
    this.columns.forEach((column, i) => {
      const left = tenths(MARGIN.left + i * this.size.width);
      for (const {hour, top, height: part, value} of column.cells) {
        if (value === null) continue;
        const level = this.level(value);
        if (!paths.has(level)) paths.set(level, []);
        paths.get(level).push(`M${left} ${tenths(MARGIN.top + (hour + top) * this.size.height)}h${wide}v${tenths(part * this.size.height)}h-${wide}Z`);
      }
    });
    for (const [level, cells] of paths) svg.append(element('path', {class: `cells ${level}`, d: cells.join('')}));
    for (const hour of [0, 6, 12, 18, 24]) {
      const y = MARGIN.top + hour * this.size.height + 4;
      svg.append(element('text', {class: 'axis', x: MARGIN.left - 8, y, 'text-anchor': 'end'}, String(hour).padStart(2, '0')));
    }
    svg.append(element('text', {class: 'axis', x: MARGIN.left - 8, y: MARGIN.top - 12, 'text-anchor': 'end'}, 'h'));
    const every = Math.ceil(LABEL.day / this.size.width), byMonth = every * this.figure.dataset.days > 14;
    const firsts = this.columns.map((c, i) => [c.start, i]).filter(([start], i) => byMonth ? civil(start).getUTCDate() <= this.figure.dataset.days : i % every === 0);
    const skip = byMonth ? Math.ceil(LABEL.day * 1.2 / (this.size.width * 30 / this.figure.dataset.days)) : 1;
    firsts.filter((_, i) => i % skip === 0).forEach(([start, i]) => svg.append(element('text', {
      class: 'axis', x: MARGIN.left + (i + (byMonth ? 0 : 0.5)) * this.size.width, y: bottom + 18, 'text-anchor': byMonth ? 'start' : 'middle',
    }, (byMonth ? parisMonth : parisDay).format(start * 1000))));
    this.drawLegend(svg, height - 10);
    this.cursor = element('g', {class: 'cursor'});
    svg.append(this.cursor);
    this.plot.replaceChildren(svg);
  }

  /** Draws what the colours mean: the bounds of the values of each. */
  drawLegend(svg, y) {
    const used = [...new Set(this.columns.flatMap(c => c.cells.filter(cell => cell.value !== null).map(cell => this.level(cell.value))))];
    const order = level => level[0] === 'h' ? +level[1] : -level[1];
    const levels = used.sort((a, b) => order(a) - order(b)), left = MARGIN.left + 56;
    const size = Math.min(18, (this.plot.clientWidth - left - 80) / levels.length);
    if (levels.length === 0) return;
    const edge = n => withMinus(whole.format(n < 0 ? -n * this.below / LEVELS : this.base + n * (this.above - this.base) / LEVELS));
    const first = order(levels[0]), last = order(levels.at(-1));
    svg.append(element('text', {class: 'axis', x: left - 8, y, 'text-anchor': 'end'}, edge(first > 0 ? first - 1 : first)));
    levels.forEach((level, i) => svg.append(element('path', {class: `cells swatch ${level}`, d: `M${left + i * size} ${y - 10}h${size - 1}v12h-${size - 1}Z`})));
    svg.append(element('text', {class: 'axis', x: left + levels.length * size + 8, y}, `${edge(last > 0 ? last : last + 1)} ${this.unit}`));
  }

  read(event) {
    const box = this.plot.getBoundingClientRect(), i = Math.floor((event.clientX - box.left - MARGIN.left) / this.size.width);
    const y = (event.clientY - box.top - MARGIN.top) / this.size.height, column = this.columns[i];
    const cell = column?.cells.find(c => y >= c.hour + c.top && y < c.hour + c.top + c.height);
    this.cursor.replaceChildren();
    if (!cell) return;
    const x = MARGIN.left + (i + 0.5) * this.size.width, after = i < this.columns.length / 2;
    const value = cell.value === null ? '–' : `${formatted(cell.value, this.unit)}\u00a0${this.unit}`;
    const hour = `${String(cell.hour).padStart(2, '0')}${cell.half ?? ''}`;
    this.cursor.append(
      element('rect', {class: 'cell-at', x: MARGIN.left + i * this.size.width, y: MARGIN.top + (cell.hour + cell.top) * this.size.height, width: this.size.width, height: cell.height * this.size.height}),
      element('text', {class: 'reading', x, y: MARGIN.top - 8, 'text-anchor': after ? 'start' : 'end'}, `${parisDay.format(column.start * 1000)} ${hour}\u00a0h · ${value}`));
  }
}

/** The properties of drawings that the stylesheet of the page gives, and that a file has to have itself. */
const STYLED = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-family', 'font-weight'];

/** Returns a chart as an SVG of its own, with its title, the names of its lines and the source of its values. */
function drawingOf(chart) {
  const {width, height} = chart, shown = chart.plot.querySelector('svg'), copy = shown.cloneNode(true), foot = 28;
  const all = [...shown.querySelectorAll('*')];
  [...copy.querySelectorAll('*')].forEach((made, i) => {
    const style = getComputedStyle(all[i]);
    for (const name of STYLED) made.setAttribute(name, style.getPropertyValue(name));
    made.removeAttribute('class');
  });
  const {color, backgroundColor, fontFamily} = getComputedStyle(document.body), drawn = [];
  const text = (x, y, size, words) => drawn.push(element('text', {x, y, fill: color, 'font-size': size}, words));
  const nameOf = node => node?.textContent.trim();
  text(8, 24, 16, `${nameOf(chart.figure.querySelector('.name'))} · ${nameOf(document.querySelector('h1'))}`);
  let x = 8, y = 48;
  for (const {name, style} of chart.series.filter(s => s.on)) {
    const room = 40 + name.length * 7, look = style.split(' ').join('.');
    if (x > 8 && x + room > width) [x, y] = [8, y + 20];
    const line = getComputedStyle(shown.querySelector(`.line.${look}, .mark.${look}`) ?? chart.plot);
    drawn.push(element('path', {d: `M${x} ${y - 4}h16`, stroke: line.stroke, 'stroke-width': 2, 'stroke-dasharray': line.strokeDasharray}));
    text(x + 22, y, 12, name);
    x += room;
  }
  for (const [name, value] of Object.entries({y: y + 16, width, height})) copy.setAttribute(name, value);
  const tall = y + 16 + height + foot;
  text(8, tall - 12, 11, [chart.figure.dataset.source, nameOf(document.querySelector('.simulated')), 'Courant'].filter(Boolean).join(' · '));
  const svg = element('svg', {xmlns: SVG, width, height: tall, viewBox: `0 0 ${width} ${tall}`, 'font-family': fontFamily});
  svg.append(element('rect', {width, height: tall, fill: backgroundColor}), ...drawn, copy);
  return new Blob([new XMLSerializer().serializeToString(svg)], {type: 'image/svg+xml'});
}

/** Saves a chart as a file: svg or png. */
async function save(chart, kind) {
  let file = drawingOf(chart);
  if (kind === 'png') {
    const image = new Image(), address = URL.createObjectURL(file), canvas = document.createElement('canvas');
    image.src = address;
    await image.decode();
    [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    file = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `courant-${`${chart.plot.dataset.label} ${document.querySelector('h1').textContent}`.replace(/[^\p{L}\p{N}]+/gu, '-')}.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

// The current period moves on while a page is open.
const REDRAW_MS = 60_000;
setInterval(() => { if (!document.hidden) for (const chart of charts) chart.draw(); }, REDRAW_MS);

const charts = [];
for (const [i, figure] of [...document.querySelectorAll('figure.chart')].entries()) charts.push(new Chart(figure, i));
for (const figure of document.querySelectorAll('figure.heat')) new HeatMap(figure);

// What the address holds besides what the page was made from.
const held = new URLSearchParams(location.search), [from, to] = held.get('zoom')?.split('-').map(Number) ?? [];
const off = held.get('off')?.split(',') ?? [];
for (const chart of charts) for (const series of chart.series) {
  if (series.key.localName === 'button' && off.includes(series.key.dataset.series)) chart.toggle(series);
}
charts.find(chart => chart.axis === axes.time && from >= chart.whole.from && to <= chart.whole.to && from < to)?.zoomTo(from, to);
