'use strict';
(() => {
  const study = JSON.parse(document.getElementById('data').textContent);
  const get = id => document.getElementById(id);
  const { tile, phases, ed, es, ml, mm2, ms } = study;
  const slices = mm2.length;

  // What is shown: a phase of all slices, and one slice of them large.
  const shown = { phase: 0, slice: largestSlice(), playing: false, outlined: true };

  // Nothing is end-diastole where there is one phase, or no ventricle.
  const marks = ed === es ? {} : { [ed]: 'ED', [es]: 'ES' };

  function largestSlice() {
    const areas = mm2.map(row => row[ed]);
    return areas.indexOf(Math.max(...areas));
  }

  const known = (value, digits) => value === null ? 'unknown' : value.toFixed(digits);
  const time = phase => ms[phase] === null ? '' : ` · ${ms[phase]} ms`;
  const moment = phase => phase in marks ? ` (${marks[phase]})` : '';

  // ---- The curves. ----

  const MARGIN = { left: 46, right: 16, top: 40, bottom: 40 };

  function niceStep(largest) {
    const power = 10 ** Math.floor(Math.log10(largest / 4));
    return [1, 2, 5, 10].map(factor => factor * power).find(step => largest / step <= 5);
  }

  /** A curve over the heartbeat, from zero; returns what moves its marker. `values()`: one for each phase. */
  function plot(box, values, unit, digits) {
    if (phases === 1 || values().includes(null)) {
      box.className = 'nothing';
      box.textContent = phases === 1 ? 'There is only one phase, so there is no curve over the heartbeat.' : 'It is not known.';
      return { draw() {}, move() {} };
    }
    box.innerHTML = '<svg role="img"></svg><div class="tip" hidden></div>';
    const [svg, tip] = box.children;
    const place = {};

    function draw() {
      const numbers = values();
      const largest = Math.max(...numbers) || 1;
      const width = box.clientWidth - MARGIN.left - MARGIN.right;
      const height = box.clientHeight - MARGIN.top - MARGIN.bottom;
      place.x = phase => MARGIN.left + width * phase / (phases - 1);
      place.y = value => MARGIN.top + height * (1 - value / (largest * 1.05));
      const bottom = place.y(0);
      const points = numbers.map((value, phase) => `${place.x(phase).toFixed(1)},${place.y(value).toFixed(1)}`);
      const step = niceStep(largest);
      const levels = Array.from({ length: Math.floor(largest * 1.05 / step) + 1 }, (_, number) => number * step);
      const every = Math.ceil(phases / (width / 34));
      const named = numbers.map((_, phase) => phase).filter(phase => phase % every === 0);
      svg.setAttribute('aria-label', `${unit} over ${phases} phases, from ${known(Math.min(...numbers), digits)} to ${known(Math.max(...numbers), digits)}`);
      svg.innerHTML = `
        ${levels.map(level => `<line class="tick" x1="${MARGIN.left}" x2="${MARGIN.left + width}" y1="${place.y(level)}" y2="${place.y(level)}"/>
          <text x="${MARGIN.left - 8}" y="${place.y(level) + 4}" text-anchor="end">${Number(level.toPrecision(6))}</text>`).join('')}
        <text x="${MARGIN.left - 8}" y="14" text-anchor="end">${unit}</text>
        ${named.map(phase => `<text x="${place.x(phase)}" y="${bottom + 18}" text-anchor="middle">${phase}</text>`).join('')}
        <text x="${MARGIN.left + width}" y="${bottom + 35}" text-anchor="end">phase of the heartbeat →</text>
        <polygon class="below" points="${place.x(0)},${bottom} ${points.join(' ')} ${place.x(phases - 1)},${bottom}"/>
        <polyline class="curve" points="${points.join(' ')}"/>
        ${Object.keys(marks).map(phase => mark(Number(phase), numbers)).join('')}
        <line class="pointed" y1="${MARGIN.top}" y2="${bottom}" visibility="hidden"/>
        <line class="now" y2="${bottom}"/><circle class="now" r="6"/>`;
      move();
    }

    function mark(phase, numbers) {
      const name = marks[phase].toLowerCase();
      const [x, y] = [place.x(phase), place.y(numbers[phase])];
      const anchor = x > box.clientWidth - 90 ? 'end' : x < MARGIN.left + 60 ? 'start' : 'middle';
      return `<line class="level ${name}" x1="${MARGIN.left}" x2="${box.clientWidth - MARGIN.right}" y1="${y}" y2="${y}"/>
        <circle class="${name}" cx="${x}" cy="${y}" r="5.5"/>
        <text class="name" x="${x}" y="${y + (phase === ed ? -12 : 24)}" text-anchor="${anchor}">${marks[phase]} ${known(numbers[phase], digits)} ${unit}</text>`;
    }

    function move() {
      const x = place.x(shown.phase);
      const line = svg.querySelector('line.now');
      const dot = svg.querySelector('circle.now');
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      const y = place.y(values()[shown.phase]);
      line.setAttribute('y1', y);
      dot.setAttribute('cx', x);
      dot.setAttribute('cy', y);
    }

    const phaseAt = event => {
      const share = (event.clientX - box.getBoundingClientRect().left - place.x(0)) / (place.x(phases - 1) - place.x(0));
      return Math.min(Math.max(Math.round(share * (phases - 1)), 0), phases - 1);
    };
    const point = event => {
      const phase = phaseAt(event);
      tip.hidden = false;
      tip.innerHTML = `<b>${known(values()[phase], digits)} ${unit}</b>phase ${phase}${moment(phase)}${time(phase)}`;
      const half = tip.offsetWidth / 2;
      tip.style.left = `${Math.min(Math.max(place.x(phase), half), box.clientWidth - half)}px`;
      const line = svg.querySelector('.pointed');
      line.setAttribute('x1', place.x(phase));
      line.setAttribute('x2', place.x(phase));
      line.setAttribute('visibility', 'visible');
    };
    box.addEventListener('pointermove', point);
    box.addEventListener('pointerdown', event => { point(event); stopAt(phaseAt(event)); });
    box.addEventListener('pointerleave', () => {
      tip.hidden = true;
      svg.querySelector('.pointed').setAttribute('visibility', 'hidden');
    });
    return { draw, move };
  }

  // ---- The pictures: pieces of the grid's one, with the grid's outlines over them. ----

  const sprite = new Image();
  sprite.src = get('sprite').getAttribute('href');

  const outlines = mm2.map((row, slice) => row.map((_, phase) => {
    const path = get(`outline-${slice}-${phase}`);
    return path && new Path2D(path.getAttribute('d'));
  }));
  const networksColour = getComputedStyle(document.documentElement).getPropertyValue('--network');

  function paint(context, slice, left, top, size, line) {
    context.setTransform(size / tile, 0, 0, size / tile, left, top);
    context.imageSmoothingQuality = 'high';
    context.drawImage(sprite, shown.phase * tile, slice * tile, tile, tile, 0, 0, tile, tile);
    const outline = outlines[slice][shown.phase];
    if (outline && shown.outlined) {
      context.lineWidth = line * tile / size;
      context.strokeStyle = networksColour;
      context.stroke(outline);
    }
  }

  /** Makes a canvas as many pixels wide as the screen has for it; returns that, and the pixels of one in CSS. */
  function fit(canvas, columns, rows) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(width * rows / columns);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    return { width, ratio };
  }

  const columns = Math.ceil(Math.sqrt(slices));
  const rows = Math.ceil(slices / columns);

  function paintHeart() {
    const canvas = get('heart');
    const { width, ratio } = fit(canvas, columns, rows);
    const context = canvas.getContext('2d');
    const size = width / columns;
    for (let slice = 0; slice < slices; slice++) {
      const [left, top] = [size * (slice % columns), size * Math.floor(slice / columns)];
      paint(context, slice, left, top, size, 1.5 * ratio);
      context.setTransform(ratio, 0, 0, ratio, left, top);
      context.font = '600 12px system-ui, sans-serif';
      context.fillStyle = '#fff';
      context.lineWidth = 3;
      context.strokeStyle = '#000';
      context.strokeText(slice, 6, 16);
      context.fillText(slice, 6, 16);
      if (slice === shown.slice && slices > 1) {
        context.strokeStyle = '#fff';
        context.lineWidth = 1.5;
        context.strokeRect(1, 1, size / ratio - 2, size / ratio - 2);
      }
    }
  }

  function paintSlice() {
    const canvas = get('slice');
    const { width, ratio } = fit(canvas, 1, 1);
    paint(canvas.getContext('2d'), shown.slice, 0, 0, width, 2 * ratio);
  }

  // ---- What follows the phase and the slice. ----

  const volume = plot(get('volume'), () => ml, 'ml', 0);
  const area = plot(get('area'), () => mm2[shown.slice], 'mm²', 0);

  function show() {
    const { phase, slice } = shown;
    get('phase').value = phase;
    get('readout').textContent = `phase ${phase}${moment(phase)}${time(phase)} · ${ml[phase] === null ? 'volume unknown' : known(ml[phase], 1) + ' ml'}`;
    get('slice-caption').textContent = `Slice ${slice}, phase ${phase}: ${known(mm2[slice][phase], 0)} mm²`;
    get('here').setAttribute('x', phase * tile);
    get('here').setAttribute('y', slice * tile);
    volume.move();
    area.move();
    paintHeart();
    paintSlice();
  }

  function showSlice(slice) {
    shown.slice = slice;
    get('slice-number').textContent = slice;
    get('up').disabled = slice === 0;
    get('down').disabled = slice === slices - 1;
    document.querySelectorAll('.slices tbody tr').forEach((row, number) => row.classList.toggle('here', number === slice));
    area.draw();
    show();
  }

  function showLarge(slice) {
    showSlice(slice);
    get('slice').scrollIntoView({ block: 'nearest' });
  }

  function stopAt(phase) {
    play(false);
    shown.phase = phase;
    show();
  }

  // ---- The loop. ----

  let began = 0;

  function play(playing) {
    if (playing && !shown.playing) {
      began = performance.now() - 1000 * study.secondsOfABeat * shown.phase / phases;
      requestAnimationFrame(next);
    }
    shown.playing = playing;
    get('play').textContent = playing ? 'Pause' : 'Play';
    get('play').setAttribute('aria-pressed', playing);
  }

  function next(now) {
    if (!shown.playing) return;
    const beats = Math.max(now - began, 0) / 1000 / study.secondsOfABeat;
    const phase = Math.floor(beats * phases) % phases;
    if (phase !== shown.phase) {
      shown.phase = phase;
      show();
    }
    requestAnimationFrame(next);
  }

  // ---- What one can touch. ----

  get('play').addEventListener('click', () => play(!shown.playing));
  get('phase').addEventListener('input', event => stopAt(Number(event.target.value)));
  get('outlined').addEventListener('change', event => {
    shown.outlined = event.target.checked;
    document.body.classList.toggle('plain', !shown.outlined);
    show();
  });
  get('up').addEventListener('click', () => showSlice(shown.slice - 1));
  get('down').addEventListener('click', () => showSlice(shown.slice + 1));

  /** Which cell of a box of so many columns and rows was hit. */
  function cell(event, wide, high) {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (at, length, count) => Math.min(Math.max(Math.floor(at / length * count), 0), count - 1);
    return [place(event.clientX - box.left, box.width, wide), place(event.clientY - box.top, box.height, high)];
  }

  get('heart').addEventListener('click', event => {
    const [column, row] = cell(event, columns, rows);
    if (row * columns + column < slices) showLarge(row * columns + column);
  });
  get('grid').addEventListener('click', event => {
    const [phase, slice] = cell(event, phases, slices);
    stopAt(phase);
    showLarge(slice);
  });
  document.querySelectorAll('.slices tbody tr').forEach((row, slice) => row.addEventListener('click', () => showLarge(slice)));

  get('phase-names').innerHTML = ml.map((_, phase) => {
    const name = marks[phase] || '';
    return `<li class="${name.toLowerCase()}">${name} ${phase}</li>`;
  }).join('');

  function drawAll() {
    volume.draw();
    showSlice(shown.slice);
  }

  sprite.addEventListener('load', () => {
    shown.phase = ed;
    drawAll();
    window.addEventListener('resize', drawAll);
    play(phases > 1 && !window.matchMedia('(prefers-reduced-motion: reduce)').matches);
  });
})();
