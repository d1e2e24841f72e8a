"use strict";
// The live page: what a service sends through one WebSocket, and the requests of the ticket. It asks nothing of another host, and
// keeps the key in this page only.
const POINTS = 240, ALERTS = 200, EVERY = 5000, BACK = 1000;
const at = id => document.getElementById(id);
const money = value => value === null || value === undefined ? "" : value.toLocaleString("en", {maximumFractionDigits: 2});
let account = "", key = "", last = null, socket = null, points = [], waiting = 0, timer = 0;

function row(...cells) {
  const found = document.createElement("tr");
  for (const [text, style] of cells) {
    const cell = found.insertCell();
    cell.textContent = text;  // never as markup: labels are those of clients
    if (style) cell.className = style;
  }
  return found;
}

async function ask(method, path, body) {
  const headers = key ? {Authorization: `Bearer ${key}`} : {};
  const answer = await fetch(path, {method, headers, body: body && JSON.stringify(body)});
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function say(text) { at("state").textContent = text; }

async function watch() {
  clearTimeout(timer);
  if (socket) socket.onclose = null, socket.close();
  try {
    const {ticket} = await ask("POST", "/ws-ticket");
    const place = new URL(`/ws/${encodeURIComponent(account)}`, location.href.replace(/^http/, "ws"));
    place.searchParams.set("ticket", ticket);
    place.searchParams.set("after", last ?? -1);
    socket = new WebSocket(place);
    socket.onopen = () => say(`watching ${account}`);
    socket.onmessage = event => { const told = JSON.parse(event.data); (shows[told.type] || (() => {}))(told); };
    socket.onclose = event => again(event.reason || "connection lost");
  } catch (error) { again(error.message); }
}

function again(why) { say(`${why}; trying again`); timer = setTimeout(watch, BACK); }

const shows = {
  RiskMetrics(told) {
    const drawdown = told.max_drawdown === null ? "not known" : money(told.max_drawdown);
    at("metrics").textContent = `largest drawdown ${drawdown}`;
  },
  ExposureUpdate(told) {
    at("total").textContent = money(told.total_exposure_usd);
    at("positions").replaceChildren(...told.token_exposures.map(one =>
      row([one.token], [one.amount, "number"], [money(one.value_usd), "number"], [`${one.percentage.toFixed(1)} %`, "number"])));
    points = [...points, told.total_exposure_usd].slice(-POINTS);
    draw();
  },
  PositionUpdate() { socket.send('{"command":"refresh"}'); },
  Alert(told) {
    if (document.getElementById(told.alert_id)) return;
    last = Math.max(last ?? -1, told.seq);
    const found = row([new Date(told.timestamp).toISOString().slice(11, 19)], [told.rule_name, told.severity], [told.message], [""]);
    found.id = told.alert_id;
    const button = document.createElement("button");
    button.textContent = "Acknowledge";
    button.onclick = () => socket.send(JSON.stringify({command: "acknowledge", alert_id: told.alert_id}));
    found.lastChild.append(button);
    at("alert-rows").prepend(found);
    waiting += 1;
    for (const old of [...at("alert-rows").children].slice(ALERTS)) old.remove();
    count();
  },
  Acknowledged(told) {
    const found = document.getElementById(told.alert_id);
    if (!found || found.className) return;
    found.className = "done";
    found.lastChild.textContent = `seen by ${told.who}`;
    waiting -= 1;
    count();
  },
  Missed(told) { say(`alerts before event ${told.before} are in the journal only`); },
};

function count() { at("unseen").textContent = waiting ? `${waiting} not acknowledged` : ""; }

function draw() {
  const low = Math.min(...points), high = Math.max(...points), span = high - low || 1;
  const step = 600 / Math.max(points.length - 1, 1);
  at("line").setAttribute("points", points.map((value, k) => `${k * step},${110 - 100 * (value - low) / span}`).join(" "));
  at("range").textContent = `from ${money(low)} to ${money(high)} in the last ${points.length} readings`;
}

async function compare() {
  try {
    const {rules} = await ask("GET", "/limits");
    at("rules").textContent = `in force: ${rules.map(one => one.id).join(", ")}`;
    const found = await ask("GET", "/challengers");
    at("challengers").replaceChildren(...found.map(one => row([one.stopped ? `${one.name} (${one.stopped})` : one.name],
      [one.refused_by_both, "number"], [one.refused_by_session, "number"], [one.refused_by_challenger, "number"])));
  } catch (error) { at("rules").textContent = error.message; }
}

at("open").onsubmit = event => {
  event.preventDefault();
  [account, key, last, points, waiting] = [at("account").value, at("key").value, null, [], 0];
  at("alert-rows").replaceChildren();
  count();
  watch();
  compare();
};

at("ticket").onsubmit = async event => {
  event.preventDefault();
  const asked = event.submitter && event.submitter.name === "probe";
  const order = {account, instrument: at("instrument").value, side: at("side").value, qty: at("qty").value};
  if (at("price").value) order.price = at("price").value;
  try {
    const found = await ask("POST", asked ? "/probe" : "/orders", order);
    const words = found.actions.map(one => one.reason).join("; ");
    at("answer").className = found.approved ? "" : "refused";
    at("answer").textContent = `${asked ? "would be " : ""}${found.approved ? "approved" : "refused"}${words && `: ${words}`}`;
  } catch (error) { at("answer").className = "refused"; at("answer").textContent = error.message; }
};

setInterval(() => account && compare(), EVERY);
