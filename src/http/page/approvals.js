// Shows what waits and signs answers. A key is read from a file, stays in this page, and signs here; what is sent is the signed answer.
"use strict";

const TYPE = "application/vnd.gait.approval.v1+json";
const SCHEMA = "gait.approval/1";
// RFC 8410, section 7: an Ed25519 private key in PKCS #8 is this, and the 32 bytes of the seed.
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const REFRESH_MILLIS = 5000;

const find = (id) => document.getElementById(id);
let key = null;
let token = "";

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const base64Of = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function ask(method, body) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch("/v1/approvals", { method, headers, body, credentials: "omit", cache: "no-store" });
  const document = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(document.message), { status: answer.status });
  return document;
}

async function readKey(file) {
  const text = JSON.parse(await file.text());
  const seed = bytesOf(text.seed);
  if (typeof text.key_id !== "string" || seed.length !== 32) throw new Error("this is no private key of gait");
  const pkcs8 = Uint8Array.from([...PKCS8, ...seed]);
  const signer = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  return { id: text.key_id, signer };
}

// The canonical text (RFC 8785) of a flat document whose members are given in order: texts, and lists of texts.
function canonical(members) {
  const sorted = Object.keys(members).sort();
  return `{${sorted.map((name) => `${JSON.stringify(name)}:${JSON.stringify(members[name])}`).join(",")}}`;
}

// DSSE, protocol 1: what is signed is the type and the payload, each with its length.
function preauthenticated(payload) {
  const head = new TextEncoder().encode(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `);
  return Uint8Array.from([...head, ...payload]);
}

async function signed(call, minutes, denied) {
  const now = Date.now();
  const members = {
    schema: SCHEMA,
    bundle_digest: call.bundle_digest,
    intent_digest: call.intent_digest,
    call_digests: call.call_digests,
    tool: call.tool,
    key_id: key.id,
    given_at: new Date(now).toISOString(),
    expires_at: new Date(now + minutes * 60000).toISOString(),
    nonce: hexOf(crypto.getRandomValues(new Uint8Array(32))),
  };
  if (denied !== null) members.denied = denied;
  const payload = new TextEncoder().encode(canonical(members));
  const signature = await crypto.subtle.sign({ name: "Ed25519" }, key.signer, preauthenticated(payload));
  const one = { keyid: key.id, sig: base64Of(new Uint8Array(signature)) };
  return { payload: base64Of(payload), payloadType: TYPE, signatures: [one] };
}

function row(table, name, text) {
  const line = table.insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  line.insertCell().textContent = text;
}

function fill(article, call) {
  article.querySelector("h2").textContent = call.tool;
  const table = article.querySelector("tbody");
  table.replaceChildren();
  for (const { name, text } of call.shown) row(table, name, text);
  row(table, "trace", call.line === null ? call.file : `${call.file} line ${call.line}`);
  for (const given of call.given) {
    const against = given.against === null ? "" : `, does not count: ${given.against}`;
    row(table, given.denied === null ? "approved by" : "denied by", `${given.by}${against}${given.denied === null ? "" : `: ${given.denied}`}`);
  }
}

function answer(article, call, denies) {
  const said = article.querySelector(".answered");
  const tell = (text, bad) => {
    said.textContent = text;
    said.classList.toggle("bad", bad);
  };
  return async () => {
    const reason = article.querySelector("[name=reason]").value.trim();
    if (denies && reason === "") return tell("Say why: whoever asked is told.", true);
    try {
      const minutes = Number(article.querySelector("[name=minutes]").value);
      const envelope = await signed(call, denies ? Math.max(minutes, 1440) : minutes, denies ? reason : null);
      const kept = await ask("POST", JSON.stringify(envelope));
      tell(`${denies ? "Denied" : "Approved"} by ${kept.by}. The call is told when it is made again.`, false);
      await refresh();
    } catch (error) {
      tell(`Not answered: ${error.message}`, true);
    }
  };
}

function show(calls) {
  const place = find("calls");
  const known = new Map(Array.from(place.children, (article) => [article.dataset.call, article]));
  for (const call of calls) {
    const name = `${call.intent_digest} ${call.bundle_digest}`;
    let article = known.get(name);
    known.delete(name);
    if (!article) {
      article = find("call").content.firstElementChild.cloneNode(true);
      article.dataset.call = name;
      article.querySelector("[name=approve]").addEventListener("click", answer(article, call, false));
      article.querySelector("[name=deny]").addEventListener("click", answer(article, call, true));
      place.append(article);
    }
    fill(article, call);
    for (const button of article.querySelectorAll("button")) button.disabled = key === null;
  }
  for (const gone of known.values()) gone.remove();
  find("said").textContent = calls.length === 0 ? "Nothing waits." : "";
}

async function refresh() {
  try {
    show((await ask("GET")).waiting);
    find("token-form").hidden = true;
  } catch (error) {
    find("said").textContent = error.message;
    if (error.status === 401) find("token-form").hidden = false;
  }
}

find("key").addEventListener("change", async (event) => {
  key = null;
  const [file] = event.target.files;
  try {
    if (file) key = await readKey(file);
    find("key-said").textContent = key ? `${key.id} signs, in this page` : "none";
  } catch (error) {
    find("key-said").textContent = `not read: ${error.message}`;
  }
  await refresh();
});

find("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = find("token").value.trim();
  await refresh();
});

refresh();
setInterval(refresh, REFRESH_MILLIS);
