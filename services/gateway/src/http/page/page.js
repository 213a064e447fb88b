// Sends what stands on the page: queries and mutations by POST, subscriptions by WebSocket. Nothing
// is loaded from elsewhere and nothing is kept: a reload forgets the token.
"use strict";

const ANSWERS_MAX = 50;
const part = (id) => document.getElementById(id);
let socket = null;

function show(state, answers) {
  part("state").textContent = state;
  // As text, never as markup: it holds what strangers wrote into statements.
  part("answer").textContent = answers.map((it) => JSON.stringify(it, null, 2)).join("\n\n");
}

function request() {
  const text = part("variables").value.trim();
  return { query: part("query").value, variables: text ? JSON.parse(text) : {} };
}

function authorization() {
  const token = part("token").value.trim();
  return token ? "Bearer " + token : undefined;
}

async function post(body) {
  const headers = { "content-type": "application/json" };
  if (authorization()) headers.authorization = authorization();
  show("…", []);
  const began = performance.now();
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  show(`${response.status} in ${Math.round(performance.now() - began)} ms`, [answer]);
}

function subscribe(payload) {
  const answers = [];
  const url = new URL("/graphql/ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url, "graphql-transport-ws");
  const send = (message) => socket.send(JSON.stringify(message));
  const note = (state, answer) => {
    if (answer !== undefined) answers.unshift(answer);
    show(state, answers.slice(0, ANSWERS_MAX));
  };
  note("connecting");
  part("stop").disabled = false;
  socket.onopen = () =>
    send({ type: "connection_init", payload: { authorization: authorization() } });
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    switch (message.type) {
      case "connection_ack":
        send({ type: "subscribe", id: "1", payload });
        return note("following");
      case "ping":
        return send({ type: "pong" });
      case "next":
        return note(`following: ${answers.length + 1}`, message.payload);
      case "error":
        note("refused", { errors: message.payload });
        return socket.close(1000);
      case "complete":
        note(`complete: ${answers.length}`);
        return socket.close(1000);
    }
  };
  socket.onclose = (event) => {
    part("stop").disabled = true;
    if (event.code !== 1000) note(`closed: ${event.code} ${event.reason}`);
  };
}

function run() {
  if (socket) socket.close(1000);
  try {
    const asked = request();
    const follows = /^\s*(#.*\s+)*subscription\b/.test(asked.query);
    if (follows) subscribe(asked);
    else post(asked).catch((error) => show(String(error), []));
  } catch (error) {
    show("the variables are no JSON: " + error.message, []);
  }
}

part("run").onclick = run;
part("stop").onclick = () => socket && socket.close(1000);
document.onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
};
