"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const chat = byId("chat"), log = byId("log"), form = byId("form"), field = byId("message");
  const send = byId("send"), problem = byId("problem"), state = byId("state"), consents = byId("consents");
  const boxes = { rodo: byId("rodo"), marketing: byId("marketing") };
  const say = chat.dataset;
  const timeout = 30000;
  let waiting = false;

  // What survives a reload of the tab. Storage may be switched off: then a
  // reload simply starts a new conversation.
  const memory = {};
  const keep = {
    get(name) {
      try { return sessionStorage.getItem(name); } catch { return memory[name] || null; }
    },
    set(name, value) {
      try { sessionStorage.setItem(name, value); } catch { memory[name] = value; }
    },
    clear() {
      try { sessionStorage.clear(); } catch { for (const name of Object.keys(memory)) delete memory[name]; }
    },
  };

  // append writes the text into node; https addresses become links. Nothing is
  // ever read as HTML.
  function append(node, text) {
    const address = /https:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;
    let from = 0;
    for (const found of text.matchAll(address)) {
      node.append(text.slice(from, found.index));
      const link = document.createElement("a");
      link.href = found[0];
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      link.textContent = found[0];
      const note = document.createElement("span");
      note.className = "hidden";
      note.textContent = " (" + say.tab + ")";
      link.append(note);
      node.append(link);
      from = found.index + found[0].length;
    }
    node.append(text.slice(from));
  }

  function show(sender, text) {
    const line = document.createElement("div");
    line.className = "line " + (sender === "user" ? "user" : "bot");
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = sender === "user" ? say.you : say.bot;
    const words = document.createElement("p");
    append(words, text);
    line.append(who, words);
    log.append(line);
    log.scrollTop = line.offsetTop - 12; // a long line is shown from its start
    return line;
  }

  function complain(text, number) {
    problem.textContent = text && number ? text + " " + say.number + " " + number : text;
    problem.hidden = !text;
  }

  function busy(on) {
    waiting = on;
    send.setAttribute("aria-disabled", String(on));
    state.textContent = on ? say.waiting : "";
  }

  async function ask(path, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeout);
    try {
      const answer = await fetch(path, { ...options, signal: stop.signal, credentials: "same-origin" });
      const body = await answer.json().catch(() => null);
      return { status: answer.status, ok: answer.ok && body !== null, body: body || {} };
    } catch {
      return { status: 0, ok: false, slow: stop.signal.aborted, body: {} };
    } finally {
      clearTimeout(timer);
    }
  }

  function explain(answer) {
    if (answer.status === 0) return complain(answer.slow ? say.slow : say.network);
    if (answer.status === 413) return complain(say.long);
    if (answer.status === 429) return complain(say.limit);
    if (answer.status === 503) return complain(say.busy, answer.body.request_id);
    return complain(say.broken, answer.body.request_id);
  }

  // Consent goes with the first message and whenever a box has changed since,
  // so that a page left open never renews what was withdrawn elsewhere.
  function consent() {
    return { rodo: boxes.rodo.checked, marketing: boxes.marketing.checked };
  }

  // The numbers of the texts that stand beside the ticked boxes, for the record.
  function agreed() {
    const texts = {};
    for (const [name, box] of Object.entries(boxes)) {
      if (box.checked && box.dataset.text) texts[name + "_text"] = Number(box.dataset.text);
    }
    return texts;
  }

  async function submit() {
    if (waiting) return;
    const text = field.value.trim();
    if (!text) {
      complain(say.empty);
      field.focus();
      return;
    }
    complain("");
    const body = { message: text };
    if (keep.get("session_id")) body.session_id = keep.get("session_id");
    const given = JSON.stringify(consent());
    if (keep.get("consent") !== given) body.consent = { ...consent(), ...agreed() };
    const line = show("user", text);
    field.value = "";
    field.focus();
    busy(true);
    const answer = await ask("/api/chatbot/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    busy(false);
    if (!answer.ok) {
      line.remove();
      if (!field.value) field.value = text;
      explain(answer);
      return;
    }
    keep.set("session_id", answer.body.session_id);
    keep.set("consent", given);
    consents.open = false;
    show("bot", answer.body.response);
    for (const note of answer.body.alerts || []) show("bot", note);
  }

  async function restore() {
    const id = keep.get("session_id");
    const given = JSON.parse(keep.get("consent") || "{}");
    for (const name of Object.keys(boxes)) boxes[name].checked = given[name] === true;
    if (!id) return;
    consents.open = false;
    const answer = await ask("/api/chatbot/history/" + encodeURIComponent(id), {});
    if (!answer.ok) return explain(answer);
    for (const m of answer.body.messages) show(m.sender, m.message);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  byId("new").addEventListener("click", () => {
    if (waiting) return;
    keep.clear();
    for (const box of Object.values(boxes)) box.checked = false;
    consents.open = true;
    complain("");
    log.replaceChildren();
    show("bot", say.greeting);
    state.textContent = say.cleared;
    field.focus();
  });
  restore();
})();
