"use strict";
// Titles, URLs and errors are text of strangers: everything reaches the page as text, and nothing as markup.

const $ = (id) => document.getElementById(id);
const SHOWN_SILENCE_MS = 10_000;
const PLACES = ["accepted", "articles", "unchanged", "dead", "waiting", "leased", "refused"];
const DEPTHS = {
  queue: "in the queue", taken: "taken, not admitted", ready_hosts: "hosts ready", later: "URLs for later",
  leases: "leases", suspects: "suspects", articles: "articles in the stream", dead: "dead letters in the stream",
};
const TONES = { open: "bad", "half-open": "bad", penalised: "warn", slowed: "warn" };
let lastHeard = 0;

const count = (number) => number.toLocaleString("en");
const seconds = (s) => (s >= 90 ? `${count(Math.round(s / 60))} min` : `${s.toFixed(s < 10 ? 1 : 0)} s`);

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// Rows are kept by key, so that an update takes neither focus nor selection away.
function sync(list, items, keyOf, create, update) {
  const old = new Map([...list.children].map((row) => [row.dataset.key, row]));
  items.forEach((item, place) => {
    const key = String(keyOf(item));
    let row = old.get(key);
    if (!row) {
      row = create(item);
      row.dataset.key = key;
    }
    old.delete(key);
    update(row, item);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  for (const row of old.values()) row.remove();
}

function pairs(list, entries, className = () => "") {
  const most = Math.max(1, ...entries.map(([, , amount]) => amount ?? 0));
  sync(list, entries, ([name]) => name, ([name, , amount]) => {
    const row = make("div", className(name));
    row.append(make("dt", "", name), make("dd"));
    if (amount !== undefined) {
      const bar = make("dd");
      bar.append(make("i"));
      bar.setAttribute("aria-hidden", "true");
      row.append(bar);
    }
    return row;
  }, (row, [, text, amount]) => {
    say(row.children[1], text);
    if (amount !== undefined) row.children[2].firstChild.style.width = `${(100 * amount) / most}%`;
  });
}

function curve(perMinute, now, spanS) {
  say($("rate"), perMinute.length ? count(now) : "–");
  const most = count(Math.round(Math.max(0, ...perMinute)));
  say($("span"), perMinute.length ? `at most ${most} a minute, in ${seconds(spanS)}` : "");
  const top = Math.max(1, ...perMinute);
  const step = 300 / Math.max(1, perMinute.length - 1);
  const points = perMinute.map((rate, at) => `${(at * step).toFixed(1)},${(58 - (56 * rate) / top).toFixed(1)}`);
  const svg = $("curve");
  svg.querySelector("polyline").setAttribute("points", points.join(" "));
  svg.querySelector("polygon").setAttribute("points", points.length ? `0,60 ${points.join(" ")} 300,60` : "");
  svg.setAttribute("aria-label", `URLs ended per minute: ${now} now, ${most} at most, in ${seconds(spanS)}`);
}

function link(url) {
  const anchor = make("a");
  const text = make("bdi", "", url.replace(/^https?:\/\//, ""));
  // An address that was cut is none; one that is not http would be somebody's trick.
  if (!/^https?:/.test(url) || url.endsWith("…")) return text;
  anchor.href = anchor.title = url;
  anchor.rel = "noopener noreferrer nofollow";
  anchor.target = "_blank";
  anchor.append(text);
  return anchor;
}

function moment(time) {
  const element = make("time", "", new Date(time).toLocaleTimeString());
  element.dateTime = time;
  return element;
}

function host(row, item) {
  const texts = [item.host, item.condition, `${count(item.latency_ms)} ms`, count(item.waiting), seconds(item.due_in_s)];
  texts.forEach((text, at) => say(row.children[at], text));
  row.children[1].className = TONES[item.condition] ?? "";
}

const hostRow = () => tableRow(["", "", "latency", "waiting", "next in"]);
const silentRow = () => tableRow(["", "", "last article", "usual per hour"]);

function silent(row, item) {
  const texts = [item.source, item.why, new Date(item.since).toLocaleString(), count(item.per_hour)];
  texts.forEach((text, at) => say(row.children[at], text));
  row.children[1].className = item.why === "failing" ? "bad" : "warn";
}

function tableRow(labels) {
  const row = make("tr");
  labels.forEach((label, at) => {
    const cell = make("td", at > 1 ? "number" : "");
    cell.dataset.label = label;
    row.append(cell);
  });
  return row;
}

function article(item) {
  const row = make("li"), text = make("div"), small = make("small");
  const title = item.title === null ? make("span", "empty", "unchanged") : make("b", "", item.title);
  const facts = [];
  title.dir = "auto";
  if (item.words !== null) facts.push(`${count(item.words)} words`);
  if (item.revision > 1) facts.push(`revision ${item.revision}`);
  small.append(moment(item.time), link(item.url), make("span", "fact", facts.join(" · ")));
  text.append(title, small);
  row.append(text);
  return row;
}

function letter(item) {
  const row = make("li"), text = make("div"), line = make("div", "line"), small = make("small");
  const error = make("span", "", item.error === item.reason ? "" : item.error ?? "");
  line.append(make("b", "bad", item.reason), item.url ? link(item.url) : make("bdi", "", item.item ?? ""));
  error.dir = "auto";
  small.append(moment(item.time), error);
  text.append(line, small);
  row.append(text);
  if (item.url) {
    const button = make("button", "", "Retry");
    button.type = "button";
    button.setAttribute("aria-label", `Retry ${item.url}`);
    button.addEventListener("click", () => retry(item, button));
    row.append(button);
  }
  return row;
}

async function retry(item, button) {
  if (!$("token").value) {
    say($("told"), "Give the token first: it is INGEST_OPS_TOKEN of this worker.");
    $("token").focus();
    return;
  }
  button.disabled = true;
  try {
    const response = await fetch("/dead/retry", {
      method: "POST",
      headers: { Authorization: `Bearer ${$("token").value}`, "Content-Type": "application/json" },
      body: JSON.stringify({ id: item.id }),
    });
    const answer = await response.json();
    say($("told"), response.ok ? `${item.url} waits again.` : `Not retried: ${answer.fault}.`);
    button.disabled = response.ok;
  } catch (error) {
    say($("told"), `Not retried: ${error.message}.`);
    button.disabled = false;
  }
}

function listed(list, items, keyOf, create, update = () => {}) {
  if (items.length) sync(list, items, keyOf, create, update);
  else list.replaceChildren(make(list.tagName === "TBODY" ? "tr" : "li", "empty", "none"));
}

function show(board) {
  say($("source"), `namespace ${board.namespace}, seen by ${board.worker}`);
  say($("fault"), board.fault ?? "");
  $("fault").hidden = !board.fault;
  if (!board.ledger) return;
  pairs($("ledger"), PLACES.map((place) => [place, count(board.ledger[place])]));
  say($("balance"), board.balanced ? "accepted = articles + unchanged + dead + waiting + leased: it balances"
    : "DOES NOT BALANCE: Redis lost data, or keys were changed by hand");
  $("balance").className = board.balanced ? "good" : "bad";
  curve(board.per_minute, board.rate_per_minute, board.shown_s);
  pairs($("depths"), [
    ["workers", count(board.workers)],
    ...Object.entries(DEPTHS).map(([name, says]) => [says, count(board.depths[name])]),
    ["longest wait of a host that is due", seconds(board.overdue_s)],
  ]);
  const ends = { articles: board.ledger.articles, unchanged: board.ledger.unchanged, ...board.reasons };
  pairs($("outcomes"),
    Object.entries(ends).sort(([, a], [, b]) => b - a).map(([name, amount]) => [name, count(amount), amount]),
    (name) => ({ articles: "good", unchanged: "calm" })[name] ?? (name.startsWith("refused") ? "calm" : ""));
  // A list that is not there is one that Redis does not tell to the worker: the fault says so.
  if (board.hosts) listed($("hosts"), board.hosts, (item) => item.host, hostRow, host);
  if (board.silent) silences(board.silent, board.depths.silent);
  if (board.articles) listed($("articles"), board.articles, (item) => item.id, article);
  if (!board.dead) return;
  listed($("dead"), board.dead, (item) => item.id, letter);
  $("unlock").hidden = !board.may_retry;
  for (const button of $("dead").querySelectorAll("button")) button.hidden = !board.may_retry;
}

function silences(sources, amount) {
  $("silences").hidden = !sources.length;
  sync($("silent"), sources, (item) => item.source, silentRow, silent);
  const more = amount - sources.length;
  say($("silent-more"), more > 0 ? `and ${count(more)} more: ingest status --json has them` : "");
}

function tellAge() {
  const silence = Date.now() - lastHeard;
  if (!lastHeard) return;
  const late = silence > SHOWN_SILENCE_MS;
  say($("state"), late ? `no news for ${Math.round(silence / 1000)} s: the worker ended, or is out of reach` : "live");
  $("state").className = late ? "bad" : "good";
}

function watch() {
  const events = new EventSource("/events");
  events.addEventListener("message", (event) => {
    lastHeard = Date.now();
    show(JSON.parse(event.data));
    tellAge();
  });
  events.addEventListener("error", () => {
    // A browser comes back by itself after a lost connection, but not after a refusal: too many watch.
    if (events.readyState !== EventSource.CLOSED) return;
    say($("state"), "refused: perhaps too many watch already; asked again soon");
    setTimeout(watch, SHOWN_SILENCE_MS);
  });
}

watch();
$("unlock").addEventListener("submit", (event) => event.preventDefault());
setInterval(tellAge, 1000);
