"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const { pairs, media, previews, preview_of: previewOf } = data;
const relations = data.relations.map((name) => name.replaceAll("_", " "));
const SIDES = ["one", "other"];
const ROW_HEIGHT = 60; // as in the style
const SPARE = 6; // rows drawn beyond both edges of the view

/* ---- words ---- */

function clock(seconds) {
  const total = Math.round(seconds * 1000);
  const hours = Math.floor(total / 3600000);
  const pad = (number, width) => String(number).padStart(width, "0");
  const rest = `${pad(Math.floor(total / 60000) % 60, 2)}:${pad(Math.floor(total / 1000) % 60, 2)}.${pad(total % 1000, 3)}`;
  return hours ? `${hours}:${rest}` : rest;
}
const interval = (start, end) => (start === null || end === null ? "" : `${clock(start)}\u2013${clock(end)}`);
const percent = (share) => (share === null ? "" : `${Math.round(share * 100)} %`);

/* Names become text nodes here, and nowhere markup. */
function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function place(node, fromShare, widthShare) {
  node.style.left = `${fromShare * 100}%`;
  node.style.width = `${widthShare * 100}%`;
  return node;
}

/* ---- a list that draws only the rows in view; one row can be open, with a panel below it ---- */

function virtualList(box, drawRow, drawPanel) {
  const body = box.appendChild(element("div", "rows"));
  body.setAttribute("role", "rowgroup");
  const empty = box.appendChild(element("p", "empty", "Nothing here matches."));
  let rows = []; // what is listed: indices for drawRow
  let drawn = new Map(); // position in the list -> its element
  let open = -1, current = 0, panel = null, panelHeight = 0;

  const top = (position) => position * ROW_HEIGHT + (open >= 0 && position > open ? panelHeight : 0);

  function rowAt(position) {
    const row = drawRow(rows[position]);
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", position + 2);
    for (const cell of row.children) cell.setAttribute("role", "gridcell");
    row.addEventListener("click", () => { current = position; toggle(position); });
    return row;
  }

  function inView() {
    const first = Math.floor((box.scrollTop - panelHeight) / ROW_HEIGHT) - SPARE;
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + SPARE;
    const wanted = new Set([current]); // keeps the focus while scrolled away
    for (let i = Math.max(0, first); i < Math.min(rows.length, last); i++) wanted.add(i);
    return wanted;
  }

  function draw() {
    const wanted = rows.length ? inView() : new Set();
    for (const [position, row] of drawn) if (!wanted.has(position)) { row.remove(); drawn.delete(position); }
    for (const position of [...wanted].sort((a, b) => a - b)) {
      if (drawn.has(position)) continue;
      const next = [...drawn.keys()].filter((other) => other > position).sort((a, b) => a - b)[0];
      const row = rowAt(position);
      body.insertBefore(row, next === undefined ? null : drawn.get(next));
      drawn.set(position, row);
    }
    for (const [position, row] of drawn) {
      row.style.top = `${top(position)}px`;
      row.tabIndex = position === current ? 0 : -1;
      row.setAttribute("aria-expanded", position === open);
    }
    body.style.height = `${top(rows.length)}px`;
  }

  function toggle(position) {
    if (panel) { sizes.unobserve(panel); panel.remove(); }
    [open, panel, panelHeight] = [open === position ? -1 : position, null, 0];
    draw();
    if (open < 0) return;
    panel = element("div", "panel");
    panel.setAttribute("role", "row");
    panel.append(drawPanel(rows[open]));
    panel.firstChild.setAttribute("role", "gridcell");
    panel.style.top = `${top(open) + ROW_HEIGHT}px`;
    drawn.get(open).after(panel);
    sizes.observe(panel);
    measure();
    for (const node of [panel, drawn.get(open)]) node.scrollIntoView({ block: "nearest" });
  }

  function measure() {
    panelHeight = panel ? panel.offsetHeight : 0;
    draw();
  }

  function move(position) {
    current = Math.min(Math.max(position, 0), rows.length - 1);
    draw();
    drawn.get(current).focus(); // scrolls it into view
  }

  const page = () => Math.max(1, Math.floor(box.clientHeight / ROW_HEIGHT) - 1);
  const keys = {
    ArrowDown: () => move(current + 1), ArrowUp: () => move(current - 1),
    PageDown: () => move(current + page()), PageUp: () => move(current - page()),
    Home: () => move(0), End: () => move(rows.length - 1),
    Enter: () => toggle(current), " ": () => toggle(current),
  };
  box.addEventListener("keydown", (event) => {
    const key = keys[event.key];
    if (event.key === "Escape" && open >= 0) { current = open; toggle(open); move(current); }
    else if (key && event.target.parentNode === body) { event.preventDefault(); key(); }
  });
  const sizes = new ResizeObserver(measure);
  box.addEventListener("scroll", draw);
  new ResizeObserver(draw).observe(box);

  return function show(listed) {
    if (open >= 0) toggle(open);
    for (const row of drawn.values()) row.remove();
    [rows, drawn, current] = [listed, new Map(), 0];
    box.scrollTop = 0;
    box.setAttribute("aria-rowcount", rows.length + 1);
    empty.hidden = rows.length > 0;
    draw();
  };
}

/* ---- pairs ---- */

const score = (pair) => (pairs.score[pair] === null ? "" : pairs.score[pair].toFixed(3));

function pairRow(pair) {
  const names = element("div"), times = element("div", "times"), shares = element("div", "times");
  for (const side of SIDES) {
    const medium = pairs[side][pair];
    const name = element("span", "name", media.item[medium]);
    name.title = media.item[medium];
    names.append(element("div", "line", element("span", "split", media.split[medium]), name));
    if (!pairs.picture[pair]) times.append(element("div", "", interval(pairs[`${side}_start`][pair], pairs[`${side}_end`][pair])));
    shares.append(element("div", "", percent(pairs[`${side}_cover`][pair])));
  }
  if (pairs.picture[pair]) times.append(element("div", "made", pairs.transform[pair] ?? ""));
  const relation = element("div", "relation", relations[pairs.relation[pair]]);
  return element("div", "row", relation, names, times, shares, element("div", "times", score(pair)));
}

/* Both pictures stand on one axis: seconds from the start of the shared stretch. */
function pairPanel(pair) {
  return pairs.picture[pair] ? picturesPanel(pair) : soundsPanel(pair);
}

/* Both pictures at one size, the second as it lies on the first, and what differs; far down the
   list as they lie on the disk. */
function picturesPanel(pair) {
  const shown = element("div", "beside");
  for (const side of SIDES.map((name) => describe(name, pair))) {
    const name = element("span", "full", side.item);
    name.title = side.path;
    const title = element("figcaption", "line", element("span", "split", side.split), name);
    shown.append(element("figure", "", photo(side.preview ?? { src: side.uri }, `${side.split} ${side.item}`), title));
  }
  const place = previewOf.difference[pair];
  if (typeof place === "number") {
    const caption = element("figcaption", "soft", "Difference: black where equal");
    shown.append(element("figure", "", photo(previews[place], "difference"), caption));
  }
  return element("div", "", shown, facts(pair));
}

function photo(preview, name) {
  if (preview.error) return element("p", "trouble", `No preview: ${preview.error}`);
  const made = element("img");
  made.src = preview.src;
  made.alt = name;
  return made;
}

function soundsPanel(pair) {
  const sides = SIDES.map((side) => describe(side, pair));
  const seen = sides.filter((side) => side.preview && !side.preview.error);
  const from = Math.min(0, ...seen.map((side) => side.preview.start - side.start));
  const to = Math.max(0.1, ...seen.map((side) => side.preview.start + side.preview.seconds - side.start));
  const longest = Math.max(...sides.map((side) => side.seconds ?? 0));
  const panel = element("div");
  for (const side of sides) panel.append(mediumBlock(side, from, to, longest));
  panel.append(facts(pair));
  return panel;
}

function describe(side, pair) {
  const medium = pairs[side][pair];
  const place = previewOf[side][pair];
  return {
    item: media.item[medium], split: media.split[medium], path: media.path[medium],
    uri: media.uri[medium], offset: media.offset[medium], seconds: media.seconds[medium],
    start: pairs[`${side}_start`][pair] ?? 0, end: pairs[`${side}_end`][pair],
    preview: typeof place === "number" ? previews[place] : null,
  };
}

function mediumBlock(side, from, to, longest) {
  const name = element("span", "full", side.item);
  name.title = side.path;
  const title = element("div", "line", element("span", "split", side.split), name);
  const look = element("div", "look");
  const playable = side.preview && !side.preview.error;
  const player = playable ? embeddedPlayer(side) : filePlayer(side);
  look.append(playable ? picture(side, from, to, player) : remark(side), player, whereabouts(side, longest));
  return element("div", "medium", title, look);
}

function remark(side) {
  const text = side.preview ? `No preview: ${side.preview.error}` : "No embedded preview this far down the list; the player reads the file.";
  return element("div", "picture bare", text);
}

function picture(side, from, to, player) {
  const span = to - from;
  const box = element("div", "picture");
  const length = (side.end ?? side.start + to) - side.start;
  const shared = place(element("div", "shared"), -from / span, Math.min(length, to) / span);
  const left = (side.preview.start - side.start - from) / span;
  const canvas = place(spectrogram(side.preview), left, side.preview.seconds / span);
  const head = element("div", "playhead");
  box.append(shared, canvas, head);
  box.addEventListener("click", (event) => {
    const area = canvas.getBoundingClientRect();
    player.currentTime = Math.max(0, (event.clientX - area.left) / area.width) * side.preview.seconds;
    player.play();
  });
  follow(player, (seconds) => { head.style.left = `${(left + seconds / span) * 100}%`; head.style.visibility = "visible"; });
  return box;
}

function follow(player, show) {
  const step = () => { show(player.currentTime); if (!player.paused) requestAnimationFrame(step); };
  player.addEventListener("play", step);
  player.addEventListener("seeked", step);
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/* Ink on the shaded ground: how opaque a point is says how loud it is. */
function spectrogram(preview) {
  const canvas = element("canvas");
  [canvas.width, canvas.height] = [preview.frames, data.bands];
  const levels = bytes(preview.bands);
  const paint = () => {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const ink = getComputedStyle(canvas).color.match(/\d+/g);
    for (let i = 0; i < levels.length; i++) image.data.set([ink[0], ink[1], ink[2], levels[i]], 4 * i);
    context.putImageData(image, 0, 0);
  };
  requestAnimationFrame(paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  return canvas;
}

function newPlayer(side, source) {
  const player = element("audio");
  player.controls = true;
  player.preload = "metadata";
  player.src = source;
  player.setAttribute("aria-label", `${side.split} ${side.item}`);
  player.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== player) other.pause();
  });
  return player;
}

function embeddedPlayer(side) {
  const player = newPlayer(side, `data:audio/mpeg;base64,${side.preview.mp3}`);
  const start = side.start - side.preview.start;
  player.addEventListener("loadedmetadata", () => { player.currentTime = start; }, { once: true });
  return player;
}

function filePlayer(side) {
  const second = (time) => (side.offset + time).toFixed(3);
  const stop = side.end === null ? "" : `,${second(side.end)}`;
  const player = newPlayer(side, `${side.uri}#t=${second(side.start)}${stop}`);
  player.addEventListener("error", () => {
    player.replaceWith(element("div", "trouble", `This browser cannot play ${side.path}`));
  });
  return player;
}

/* The shared stretch in figures, and where it lies in its medium; the longer medium has the longer bar. */
function whereabouts(side, longest) {
  const stretch = interval(side.start, side.end) || `from ${clock(side.start)}`;
  if (!side.seconds) return element("div", "under", stretch);
  const bar = element("div", "whole");
  bar.style.width = `${(100 * side.seconds) / longest}%`;
  const end = side.end ?? side.seconds;
  bar.append(place(element("i"), side.start / side.seconds, (end - side.start) / side.seconds));
  return element("div", "under", `${stretch} of ${clock(side.seconds)}`, element("div", "track", bar));
}

function facts(pair) {
  const list = element("dl");
  const add = (term, value) => value && list.append(element("div", "", element("dt", "", term), element("dd", "", value)));
  add("Relation", relations[pairs.relation[pair]]);
  add("Score", score(pair));
  const made = pairs.swapped[pair] ? "Left, made by" : "Right, made by";
  add(pairs.picture[pair] ? made : "Found", pairs.transform[pair]);
  add("Labels", pairs.label_conflict[pair] ? "differ" : "");
  add("Stands for", pairs.n_equivalent[pair] > 1 ? `${pairs.n_equivalent[pair]} pairs of equal files` : "");
  return list;
}

/* ---- what was not audited ---- */

const failures = data.unaudited;

function failureRow(index) {
  const name = element("span", "name", failures.item[index]);
  const line = element("div", "line", element("span", "split", failures.split[index]), name);
  const status = element("div", "relation", failures.status[index]);
  return element("div", "row", status, line, element("div", "name soft", failures.reason[index]));
}

function failurePanel(index) {
  const name = element("p", "full", failures.item[index]);
  return element("div", "medium", name, element("p", "trouble", `${failures.part[index]}: ${failures.reason[index]}`));
}

/* ---- the page ---- */

const everyIndex = (column) => [...column.keys()];

function listPairs(form) {
  if (pairs.picture.some(Boolean)) document.getElementById("where").textContent = "Stretch, or change";
  const show = virtualList(document.getElementById("pairs"), pairRow, pairPanel);
  const words = (side, pair) => `${media.split[pairs[side][pair]]} ${media.item[pairs[side][pair]]}`;
  const searched = pairs.kind.map((_, pair) => SIDES.map((side) => words(side, pair)).join(" ").toLowerCase());

  function filter() {
    const { kind, relation, text } = Object.fromEntries(new FormData(form));
    const sought = text.trim().toLowerCase();
    const listed = everyIndex(pairs.kind).filter((pair) =>
      (kind === "all" || pairs.kind[pair] === Number(kind)) &&
      (relation === "all" || pairs.relation[pair] === Number(relation)) &&
      searched[pair].includes(sought));
    document.getElementById("shown").textContent = `${listed.length.toLocaleString("en")} shown`;
    show(listed);
  }

  form.elements.kind.value = String(pairs.kind[0]);
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

if (pairs.kind.length) listPairs(document.getElementById("filters"));
if (failures.item.length) virtualList(document.getElementById("failures"), failureRow, failurePanel)(everyIndex(failures.item));
