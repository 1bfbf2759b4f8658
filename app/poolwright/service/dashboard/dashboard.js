// The daemon's page: asks the interface that every other program asks, and draws what it says. No library, no build.

const API = "api/v1"; // beside this page, wherever a proxy has put it
const LOOK_MS = 3000; // how often figures and pictures are looked at anew
const EVENT_MS = 700; // how soon an event is drawn; a busy pool has many in a second
const MEMORY_POINTS = 60;
const LISTS_PAGE = 200; // as many as the daemon tells at once
const OUTCOMES = {
  COMPLETED: ["completed", "good"], NO_ATTACHMENTS: ["no attachments", "good"], PARTIAL: ["partial", "warn"],
  NOT_FOUND: ["not found", "warn"], FORBIDDEN: ["forbidden", "warn"], INVALID: ["invalid", "warn"],
  FAILED: ["failed", "bad"], QUARANTINED: ["set aside", "bad"], CANCELLED: ["cancelled", "dim"],
};
const STATES = { QUEUED: "waiting", ASSIGNED: "waiting", RUNNING: "at work", DONE: "ended", CANCELLED: "cancelled" };

const at = (id) => document.getElementById(id);
const memory = new Map(); // slot -> the last figures of its memory
const pictures = new Map(); // "slot task" -> address of the blob that its tab shows
let token = "";
let status = null;
let after = null;
let timer = 0;
let listsWanted = LISTS_PAGE;

// --- asking -----------------------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const answer = await fetch(`${API}/${path}`, {
    ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` }, cache: "no-store",
  });
  if (answer.ok) return answer;
  let told = `The daemon answered ${answer.status}.`;
  try { told = (await answer.json()).detail || told; } catch { /* no problem document */ }
  const error = new Error(told);
  error.status = answer.status;
  throw error;
}

const get = async (path) => (await ask(path)).json();

async function post(path, body) {
  const options = { method: "POST" };
  if (body !== undefined) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const answer = await ask(path, options);
  return answer.status === 204 ? null : answer.json().catch(() => null);
}

// --- drawing ----------------------------------------------------------------------------------------------------

function make(name, { text, kind, ...attributes } = {}, ...children) {
  const one = document.createElement(name);
  if (text !== undefined) one.textContent = text;
  if (kind) one.className = kind;
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...children.filter(Boolean));
  return one;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`);

function span(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function say(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

async function trying(work) {
  try { await work(); } catch (error) {
    if (error.status === 401) return close("This token is not, or no longer, that of the daemon.");
    say(error.message);
  }
}

function drawStatus() {
  const { pool, ended_count: ended } = status;
  const states = { PROCESSING: ["working", "good"], READY: ["ready", "good"], PAUSED: ["paused", "warn"], INITIALIZING: ["starting", ""] };
  let [word, kind] = states[pool.status] ?? [pool.status.toLowerCase().replace("_", " "), "warn"];
  if (pool.holds.includes("login_required") || pool.holds.includes("login_lost")) [word, kind] = ["login needed", "bad"];
  else if (status.is_draining) [word, kind] = ["draining", "warn"];
  else if (!status.is_ready && pool.status !== "INITIALIZING") kind = "bad";
  at("state").textContent = word;
  at("state").className = `pill ${kind}`;
  const isPaused = pool.holds.includes("operator") || pool.holds.includes("login_required");
  at("pause").textContent = isPaused ? "Resume" : "Pause";
  at("pause").dataset.wish = isPaused ? "resume" : "pause";
  const hint = pool.holds.includes("login_required")
    ? "The portal wants a login that no worker can give. Run `poolwright profile login` on this machine, then press Resume." : "";
  const why = pool.status === "INITIALIZING" ? "" : status.reasons.join(" ");
  say([why, hint, pool.slow_down].filter(Boolean).join(" "));

  const open = pool.open_count, all = open + ended;
  at("bar").max = Math.max(1, all);
  at("bar").value = ended;
  at("counts").textContent = all ? `${ended.toLocaleString("en")} of ${count(all, "order")} ended` : "No orders yet: add some.";
  at("pace").textContent = open && status.eta_s ? `${status.rate_per_min}/min, about ${span(status.eta_s)} left` : open ? `${count(open, "order")} open` : "";
  const rank = Object.keys(OUTCOMES);
  const outcomes = Object.entries(status.outcomes).sort(([one], [other]) => rank.indexOf(one) - rank.indexOf(other));
  at("outcomes").replaceChildren(...outcomes.map(([name, number]) =>
    make("li", { text: `${number.toLocaleString("en")} ${OUTCOMES[name]?.[0] ?? name}`, kind: OUTCOMES[name]?.[1] })));
  const { used_bytes: used, limit_bytes: limit } = status.memory;
  at("memory").textContent = limit ? `${size(used)} of ${size(limit)} memory` : "";
  drawGroups(status.groups);
  at("foot").textContent = `Poolwright ${status.version}, since ${new Date(status.started_at).toLocaleString()}`;
}

function drawWorkers() {
  const kinds = { PROCESSING: "good", READY: "good", IDLE: "good", CRASHED: "bad", TERMINATED: "bad" };
  at("workers").replaceChildren(...status.workers.map((worker) => {
    const line = memory.get(worker.slot) ?? [];
    line.push(worker.memory_bytes);
    memory.set(worker.slot, line.slice(-MEMORY_POINTS));
    const head = make("div", { kind: "line" },
      make("strong", { text: `worker-${worker.slot}` }),
      make("span", { text: worker.status.toLowerCase(), kind: `pill ${kinds[worker.status] ?? "warn"}` }));
    const shots = make("div", { kind: "shots" }, ...worker.orders.map((order) => shot(worker.slot, order)));
    const foot = make("div", { kind: "line" },
      make("span", { text: `${count(worker.processed_count, "order")} done`, kind: "dim" }),
      make("button", { text: "Restart", type: "button", title: "A fresh browser, when its orders are done",
        onclick: () => trying(async () => { await post(`workers/${worker.slot}/restart`); await look(); }) }));
    return make("article", { kind: "worker", "aria-label": `worker-${worker.slot}` }, head, graph(memory.get(worker.slot), worker), shots, foot);
  }));
}

function graph(points, worker) {
  const space = "http://www.w3.org/2000/svg";
  const top = Math.max(worker.memory_peak_bytes, 1);
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", `0 0 ${MEMORY_POINTS - 1} 30`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `memory ${size(worker.memory_bytes)}`);
  const line = document.createElementNS(space, "polyline");
  const first = MEMORY_POINTS - points.length;
  line.setAttribute("points", points.map((bytes, index) => `${first + index},${29 - (27 * bytes) / top}`).join(" "));
  drawing.append(line);
  return make("div", {}, drawing, make("span", { text: `${size(worker.memory_bytes)}, at most ${size(worker.memory_peak_bytes)}`, kind: "dim" }));
}

function shot(slot, order) {
  const address = pictures.get(`${slot} ${order.task_id}`);
  const picture = address ? make("img", { src: address, alt: `What the tab of ${order.number} shows` }) : make("div", { kind: "blank" });
  return make("figure", {}, picture, make("figcaption", { text: order.number }));
}

async function picture() {
  const wanted = new Set();
  for (const worker of status.workers) for (const order of worker.orders) wanted.add(`${worker.slot} ${order.task_id}`);
  for (const [key, address] of pictures) if (!wanted.has(key)) { URL.revokeObjectURL(address); pictures.delete(key); }
  await Promise.all([...wanted].map(async (key) => {
    const slot = key.slice(0, key.indexOf(" ")), task = key.slice(key.indexOf(" ") + 1);
    try {
      const blob = await (await ask(`workers/${slot}/tabs/${encodeURIComponent(task)}/thumbnail`)).blob();
      const old = pictures.get(key);
      pictures.set(key, URL.createObjectURL(blob));
      if (old) URL.revokeObjectURL(old);
    } catch { /* the tab is gone */ }
  }));
  drawWorkers();
}

let drawnGroups = "[]"; // drawn anew only when they change, so that a button is not replaced under a hand

function drawGroups(groups) {
  const wanted = JSON.stringify(groups);
  if (wanted === drawnGroups) return;
  drawnGroups = wanted;
  const sum = groups.reduce((total, one) => total + one.order_count, 0);
  at("groups-part").hidden = !groups.length;
  at("groups-sum").textContent = `${count(sum, "order")} not processed`;
  at("groups").replaceChildren(...groups.map(group));
}

function group(one) {
  const told = make("div", {},
    make("div", {}, make("strong", { text: one.name }), " ", make("span", { text: count(one.order_count, "order"), kind: "pill warn" })),
    make("p", { text: one.cause, kind: "dim" }),
    make("p", { kind: "dim" }, "When the access is there: ", make("code", { text: one.resume_command })));
  const resume = make("button", { text: "Resume", type: "button", "aria-label": `Resume the group ${one.name}`,
    onclick: () => trying(async () => { await post("groups/resume", { group: one.name }); await look(); }) });
  return make("article", { kind: "failure group" }, make("div", { kind: "line" }, told, resume));
}

function drawFailures(failures) {
  const sum = failures.reduce((total, one) => total + one.count, 0);
  at("failures-sum").textContent = sum ? count(sum, "order") : "";
  at("failures").replaceChildren(...(failures.length ? failures.map(failure) : [make("p", { text: "Nothing failed.", kind: "empty" })]));
}

function failure(one) {
  const [word, kind] = OUTCOMES[one.outcome] ?? [one.outcome, ""];
  const told = make("div", {},
    make("div", {}, make("strong", { text: one.sentence, title: one.reason }), " ", make("span", { text: word, kind: `pill ${kind}` })),
    make("p", { text: one.next_step, kind: "dim" }));
  const retry = make("button", { text: `Retry ${one.count.toLocaleString("en")}`, type: "button", "data-retry": one.reason,
    onclick: () => trying(async () => { await post("orders/retry", { reason: one.reason }); await look(); }) });
  const rows = one.orders.map((order) => make("li", {},
    make("span", {}, make("strong", { text: order.number }), " ", make("span", { text: order.detail, kind: "dim" })),
    make("button", { text: order.evidence.length ? "Evidence" : "Details", type: "button", kind: "link", onclick: () => show(order) })));
  return make("article", { kind: "failure" }, make("div", { kind: "line" }, told, retry), make("ul", {}, ...rows));
}

async function show(order) {
  at("evidence-title").textContent = order.number;
  at("evidence-step").textContent = order.next_step;
  at("evidence-detail").textContent = [order.detail, order.page_url].filter(Boolean).join(" — ");
  at("evidence-body").replaceChildren();
  at("evidence").showModal();
  for (const name of order.evidence) {
    await trying(async () => {
      const answer = await ask(`orders/${encodeURIComponent(order.task_id)}/evidence/${encodeURIComponent(name)}`);
      if (name.endsWith(".png")) {
        const address = URL.createObjectURL(await answer.blob());
        at("evidence-body").prepend(make("img", { src: address, alt: `The page of ${order.number} when it failed` }));
      } else {
        at("evidence-body").append(make("details", {}, make("summary", { text: `Page source (${name})` }), make("pre", { text: await answer.text() })));
      }
    });
  }
}

function row(order) {
  const [word, kind] = order.outcome && order.state === "DONE" ? OUTCOMES[order.outcome] : [STATES[order.state] ?? order.state, "dim"];
  const isUndone = order.outcome && order.action !== "done";
  return make("tr", {},
    make("td", {}, isUndone ? make("button", { text: order.number, type: "button", kind: "link", onclick: () => show(order) }) : make("span", { text: order.number }),
      order.folder ? make("span", { text: order.folder, kind: "dim" }) : null),
    make("td", {}, make("span", { text: word, kind })),
    make("td", { kind: "wide", text: isUndone ? order.next_step : "" }),
    make("td", { kind: "number", text: order.files.length ? String(order.files.length) : "" }));
}

async function drawOrders(isMore = false) {
  const asked = new URLSearchParams(at("filter").value);
  asked.set("limit", "50");
  if (at("search").value.trim()) asked.set("text", at("search").value.trim());
  if (isMore && after) asked.set("after", after);
  const page = await get(`orders?${asked}`);
  after = page.next;
  at("more").hidden = !page.next;
  const rows = page.orders.map(row);
  if (isMore) at("orders").append(...rows);
  else at("orders").replaceChildren(...(rows.length ? rows : [make("tr", {}, make("td", { text: "No such orders.", kind: "empty", colspan: "4" }))]));
}

function checked(checking) {
  if (!checking) return "";
  const { looked_count: looked, total_count: all } = checking;
  return all ? `looks at earlier files, ${looked.toLocaleString("en")} of ${all.toLocaleString("en")}` : "waits for a look at earlier files";
}

function lookedAgain(refresh) {
  if (!refresh) return "";
  const parts = [`${refresh.order_count.toLocaleString("en")} looked at again`];
  if (refresh.changed_count) parts.push(`${refresh.changed_count.toLocaleString("en")} changed`);
  if (refresh.failed_count) parts.push(`${refresh.failed_count.toLocaleString("en")} without success`);
  return parts.join(", ");
}

function drawLists(lists) {
  at("lists").replaceChildren(...(lists.length ? lists : []).map((one) => {
    const told = Object.entries(one.outcomes).map(([name, number]) => `${number} ${OUTCOMES[name]?.[0] ?? name}`).join(", ");
    const reports = ["xlsx", "csv", "json"].map((form) => make("button", { text: form.toUpperCase(), type: "button", kind: "link", onclick: () => trying(() => fetchReport(one, form)) }));
    return make("tr", {},
      make("td", {}, make("span", { text: one.source }), make("span", { text: new Date(one.accepted_at).toLocaleString(), kind: "dim" })),
      make("td", { kind: "number", text: `${one.ended_count} of ${one.ended_count + one.open_count}` }),
      make("td", { text: [checked(one.checking), told, lookedAgain(one.refresh)].filter(Boolean).join("; ") }), make("td", {}, ...reports.flatMap((button, index) => [index ? " · " : "", button])));
  }));
}

async function fetchReport(list, form) {
  const answer = await ask(`lists/${encodeURIComponent(list.list_id)}/report?format=${form}`);
  const address = URL.createObjectURL(await answer.blob());
  const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(answer.headers.get("content-disposition") ?? "")?.[1];
  make("a", { href: address, download: name ? decodeURIComponent(name) : `report.${form}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// --- doing ------------------------------------------------------------------------------------------------------

function took(taken) {
  const parts = [count(taken.new_count, "new order")];
  if (taken.done_count) parts.push(`${taken.done_count} done before`);
  if (taken.invalid.length) parts.push(`${count(taken.invalid.length, "row")} without a valid number`);
  at("taken").textContent = `${taken.source}: ${parts.join(", ")}. ${taken.notices.join(" ")}`;
  at("taken").className = taken.invalid.length ? "warn" : "good";
}

async function upload(file) {
  at("taken").className = "dim";
  at("taken").textContent = `Sending ${file.name} …`;
  try {
    const form = new FormData();
    form.append("file", file);
    form.append("refresh", String(at("again").checked));
    took(await (await ask("lists/upload", { method: "POST", body: form })).json());
    await look();
  } catch (error) {
    at("taken").className = "bad";
    at("taken").textContent = error.message;
  }
}

async function sendNumbers(event) {
  event.preventDefault();
  const numbers = at("numbers").value.split(/[\s,;]+/).filter(Boolean);
  if (!numbers.length) return at("numbers").focus();
  try {
    took(await post("lists", { numbers, name: "typed here", refresh: at("again").checked }));
    at("numbers").value = "";
    await look();
  } catch (error) {
    at("taken").className = "bad";
    at("taken").textContent = error.message;
  }
}

const steer = () => trying(async () => { await post(`pool/${at("pause").dataset.wish}`); await look(); });

function theme() {
  const isDark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  const wish = isDark ? "light" : "dark";
  document.documentElement.dataset.theme = wish;
  localStorage.setItem("theme", wish);
}

function key(event) {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey || at("page").hidden) return;
  const acts = { "/": () => at("search").focus(), u: () => at("file").click(), p: steer, d: theme, "?": () => at("keys").showModal() };
  if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
}

// --- looking ----------------------------------------------------------------------------------------------------

// Pages of lists, until there are as many as the person wants.
async function getLists() {
  const found = [];
  let isMore = true;
  while (isMore && found.length < listsWanted) {
    const answer = await ask(`lists?limit=${LISTS_PAGE}&offset=${found.length}`);
    found.push(...await answer.json());
    isMore = answer.headers.has("Link");
  }
  at("more-lists").hidden = !isMore;
  return found;
}

async function look() {
  const lists = await getLists();
  status = await get("status");
  drawStatus();
  drawWorkers();
  drawLists(lists);
  drawFailures(await get("failures"));
  await drawOrders();
}

function soon() {
  if (!timer) timer = setTimeout(() => { timer = 0; trying(look); }, EVENT_MS);
}

async function follow() {
  let last = "";
  for (;;) {
    try {
      const answer = await ask("events", { headers: last ? { "Last-Event-ID": last } : {} });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        rest += part.value;
        const blocks = rest.split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          last = /^id: (.*)$/m.exec(block)?.[1] ?? last;
          if (/^event: (task_|notice|memory|list|missed)/m.test(block)) soon();
        }
      }
    } catch (error) {
      if (error.status === 401) return;
    }
    at("state").textContent = "no connection";
    at("state").className = "pill bad";
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

function close(problem) {
  sessionStorage.removeItem("token");
  at("page").hidden = true;
  at("gate").hidden = false;
  at("gate-problem").textContent = problem;
  at("token").focus();
}

async function open(given) {
  token = given;
  try { status = await get("status"); } catch (error) {
    return close(error.status === 401 ? "That is not the token of this daemon." : error.message);
  }
  sessionStorage.setItem("token", token);
  at("gate").hidden = true;
  at("page").hidden = false;
  await trying(look);
  follow();
  setInterval(() => { if (!document.hidden && !at("page").hidden) trying(async () => { status = await get("status"); drawStatus(); drawWorkers(); await picture(); }); }, LOOK_MS);
}

function begin() {
  const wish = localStorage.getItem("theme");
  if (wish) document.documentElement.dataset.theme = wish;
  at("gate").addEventListener("submit", (event) => { event.preventDefault(); open(at("token").value.trim()); });
  at("pause").addEventListener("click", steer);
  at("theme").addEventListener("click", theme);
  at("help").addEventListener("click", () => at("keys").showModal());
  at("numbers-form").addEventListener("submit", sendNumbers);
  at("choose").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => { if (at("file").files[0]) upload(at("file").files[0]); at("file").value = ""; });
  at("more").addEventListener("click", () => trying(() => drawOrders(true)));
  at("more-lists").addEventListener("click", () => { listsWanted += LISTS_PAGE; trying(look); });
  at("filter").addEventListener("change", () => trying(() => drawOrders()));
  at("search").addEventListener("input", () => trying(() => drawOrders()));
  document.addEventListener("keydown", key);
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      at("drop").classList.toggle("over", name === "dragover");
      const file = name === "drop" ? event.dataTransfer?.files[0] : null;
      if (file) upload(file);
    });
  }
  const given = /[#&]token=([^&]+)/.exec(location.hash)?.[1] ?? sessionStorage.getItem("token");
  history.replaceState(null, "", location.pathname); // the token does not stay in the address, nor in its history
  if (given) open(decodeURIComponent(given)); else close("");
}

begin();
