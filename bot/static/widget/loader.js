/*
 * Frontdesk's launcher: one script tag, one button, one frame that has a size only while it is open.
 *   <script src="https://desk.example.com/widget.js" data-site="KEY" async></script>
 * Optional: data-identity (signed token), data-locale (en, zh), data-theme (light, dark), data-colour (#rrggbb).
 * It leaves one global, `frontdesk`, and keeps its troubles to itself: the page must never suffer from it.
 */
(function () {
  "use strict";

  var tag = document.currentScript;
  var early = window.frontdesk; // An array of calls such as ["open"], made before this script came.
  if (!tag || !tag.dataset.site || (early && !Array.isArray(early))) return;

  var KEEPS = "frontdesk:" + tag.dataset.site;
  var LOADS_WITHIN = 8000;
  var server = new URL(tag.src).origin;
  var locale = (tag.dataset.locale || document.documentElement.lang || navigator.language || "en").toLowerCase();
  var words = /^zh/.test(locale)
    ? { locale: "zh", open: "打开对话", close: "关闭对话", unread: "条未读消息", down: "对话暂时无法使用" }
    : { locale: "en", open: "Open chat", close: "Close chat", unread: "unread", down: "Chat is unavailable right now" };
  var kept = recall();
  var identity = tag.dataset.identity || null;
  var listeners = { open: [], close: [], unread: [], handover: [] };
  var waiting = []; // What the frame is to be told once it has loaded.
  var isOpen = false;
  var frame, loaded, timer, parts;

  window.frontdesk = {
    open: safely(open),
    close: safely(function () { close(false); }),
    identify: safely(function (jwt) { identity = jwt; build(); say("identify", { jwt: jwt }); }),
    forget: safely(forget),
    on: function (name, listener) { if (listeners[name]) listeners[name].push(listener); },
  };

  whenReady(safely(start));

  function start() {
    parts = draw();
    document.body.append(parts.host);
    addEventListener("message", safely(receive));
    addEventListener("keydown", safely(function (event) { if (event.key === "Escape" && isOpen) close(true); }));
    if (window.visualViewport) ["resize", "scroll"].forEach(function (name) { visualViewport.addEventListener(name, safely(fit)); });
    (early || []).forEach(function (call) { window.frontdesk[call[0]].apply(null, call.slice(1)); });
    // Somebody who has talked here before sees their unread count; for everybody else nothing more is loaded.
    if (kept.session || identity) whenIdle(safely(build));
  }

  function open() {
    if (!parts) return whenReady(safely(open));
    if (isOpen) return;
    isOpen = true;
    build();
    show();
    say("open");
    frame.focus();
    emit("open");
  }

  function close(refocus) {
    if (!isOpen) return;
    isOpen = false;
    show();
    say("close");
    if (refocus) parts.button.focus();
    emit("close");
  }

  /** The session lies with the frame; one that is not loaded is told when it is. */
  function forget() {
    identity = null;
    if (kept.session) build();
    keep({ session: false, forget: !loaded });
    say("forget");
  }

  function build() {
    if (frame || !parts) return;
    frame = document.createElement("iframe");
    frame.title = words.open;
    frame.setAttribute("part", "frame");
    frame.allow = "clipboard-write";
    frame.src = server + "/widget/" + encodeURIComponent(tag.dataset.site) + "/?locale=" + words.locale +
      "&parent=" + encodeURIComponent(location.origin) + (tag.dataset.theme ? "&theme=" + tag.dataset.theme : "");
    parts.panel.append(frame);
    timer = setTimeout(safely(giveUp), LOADS_WITHIN);
  }

  /** The frame did not come: take it away again, so that the next click is a new try. */
  function giveUp() {
    if (loaded) return;
    var wasOpen = isOpen;
    close(wasOpen);
    frame.remove();
    frame = null;
    waiting = [];
    if (!wasOpen) return;
    parts.hint.textContent = words.down;
    setTimeout(function () { parts.hint.textContent = ""; }, 5000);
  }

  function say(type, body) {
    var message = Object.assign({ frontdesk: 1, type: type }, body);
    if (loaded) frame.contentWindow.postMessage(message, server);
    else if (type === "open") waiting = [message];
    else if (type === "close") waiting = [];
  }

  function receive(event) {
    var data = event.data;
    if (!frame || event.source !== frame.contentWindow || event.origin !== server || !data || data.frontdesk !== 1) return;
    if (data.type === "loaded") {
      clearTimeout(timer);
      loaded = true;
      say("start", { identity: identity, forget: kept.forget });
      keep({ forget: false });
      waiting.splice(0).forEach(function (message) { say(message.type); });
    }
    if (data.type === "close") close(true);
    if (data.type === "unread") badge(data.count);
    if (data.type === "handover") emit("handover", { handler: data.handler, agent: data.agent });
    if (data.type === "session") keep({ session: data.stored });
    if (data.colour) { keep({ colour: data.colour }); paint(); }
  }

  function badge(count) {
    parts.badge.textContent = count > 9 ? "9+" : count || "";
    label(count);
    emit("unread", count);
  }

  function label(count) {
    var text = isOpen ? words.close : words.open;
    parts.button.setAttribute("aria-label", count && !isOpen ? text + " (" + count + " " + words.unread + ")" : text);
  }

  function show() {
    parts.host.toggleAttribute("data-open", isOpen);
    parts.button.setAttribute("aria-expanded", String(isOpen));
    label(Number.parseInt(parts.badge.textContent, 10) || 0);
    fit();
  }

  /** On a phone the frame fills what the on-screen keyboard leaves. */
  function fit() {
    var view = window.visualViewport;
    if (!view) return;
    parts.host.style.setProperty("--top", view.offsetTop + "px");
    parts.host.style.setProperty("--height", view.height + "px");
  }

  function paint() {
    var colour = tag.dataset.colour || kept.colour;
    if (!/^#[0-9a-f]{6}$/i.test(colour || "")) return;
    var rgb = [1, 3, 5].map(function (at) { return Math.pow(parseInt(colour.slice(at, at + 2), 16) / 255, 2.2); });
    var bright = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] > 0.183;
    parts.host.style.setProperty("--colour", colour);
    parts.host.style.setProperty("--ink", bright ? "#14181d" : "#fff");
  }

  function draw() {
    var host = document.createElement("div");
    var root = host.attachShadow({ mode: "open" });
    var made = { host: host, panel: node("div", "panel"), button: node("button", "launcher"), badge: node("span", "badge") };
    made.hint = node("span", "hint");
    made.hint.setAttribute("role", "status");
    made.button.type = "button";
    made.button.setAttribute("aria-label", words.open);
    made.button.setAttribute("aria-expanded", "false");
    made.button.addEventListener("click", safely(function () { if (isOpen) close(true); else open(); }));
    made.button.append(picture("chat", "M12 4c4.700 0 8.500 3.200 8.500 7.300s-3.800 7.300-8.500 7.300c-1 0-2-.1-2.900-.4L4.500 20l1.200-3.700c-1.400-1.300-2.200-3-2.200-5C3.500 7.200 7.300 4 12 4Z"));
    made.button.append(picture("down", "m6 9.500 6 6 6-6"), made.badge);
    root.append(made.panel, made.hint, made.button);
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(style());
    root.adoptedStyleSheets = [sheet];
    parts = made;
    paint();
    return made;
  }

  function style() {
    return ":host{all:initial;position:fixed;z-index:2147483000;bottom:20px;inset-inline-end:20px;--colour:#2f5bc7;--ink:#fff}" +
      "@media print{:host{display:none}}" +
      ".launcher{position:relative;display:grid;place-items:center;width:56px;height:56px;margin:0;padding:0;border:0;border-radius:50%;" +
      "background:var(--colour);color:var(--ink);cursor:pointer;box-shadow:0 2px 6px #10182029,0 8px 28px #10182038;transition:transform .18s cubic-bezier(.2,0,0,1)}" +
      ".launcher:hover{transform:scale(1.05)}.launcher:active{transform:scale(.97)}" +
      ".launcher:focus-visible{outline:3px solid var(--colour);outline-offset:3px}" +
      "svg{grid-area:1/1;width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round;" +
      "transition:opacity .15s,transform .2s}.down,:host([data-open]) .chat{opacity:0;transform:rotate(-30deg) scale(.7)}" +
      ":host([data-open]) .down{opacity:1;transform:none}" +
      ".badge{position:absolute;top:-3px;inset-inline-end:-3px;min-width:20px;height:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;" +
      "background:#c62f26;color:#fff;font:600 12px/20px system-ui,sans-serif;text-align:center;box-shadow:0 0 0 2px #fff}" +
      ".badge:empty,:host([data-open]) .badge,.hint:empty{display:none}" +
      ".hint{position:absolute;bottom:10px;inset-inline-end:68px;padding:9px 13px;border-radius:10px;background:#14181d;color:#fff;" +
      "font:14px/1.3 system-ui,sans-serif;white-space:nowrap}" +
      ".panel{display:none;position:absolute;bottom:72px;inset-inline-end:0;width:400px;max-width:calc(100vw - 40px);" +
      "height:min(704px,calc(100vh - 112px));border-radius:20px;overflow:hidden;background:Canvas;" +
      "box-shadow:0 0 0 1px #7c869447,0 4px 12px #1018201a,0 24px 64px #10182047;animation:rise .2s cubic-bezier(.2,0,0,1)}" +
      ":host([data-open]) .panel{display:block}iframe{display:block;width:100%;height:100%;border:0}" +
      "@keyframes rise{from{opacity:0;transform:translateY(12px)}}" +
      "@media(max-width:480px){:host([data-open]){inset:0 0 auto 0;top:var(--top,0)}:host([data-open]) .launcher{display:none}" +
      ".panel{position:static;width:100%;max-width:none;height:var(--height,100dvh);border-radius:0}}" +
      "@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}";
  }

  function picture(name, path) {
    var svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    var line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name);
    svg.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  function node(kind, name) {
    var made = document.createElement(kind);
    made.className = name;
    return made;
  }

  function emit(name, detail) {
    listeners[name].forEach(function (listener) { safely(listener)(detail); });
  }

  function recall() {
    try { return JSON.parse(localStorage.getItem(KEEPS)) || {}; } catch (refused) { return {}; }
  }

  function keep(values) {
    Object.assign(kept, values);
    try { localStorage.setItem(KEEPS, JSON.stringify(kept)); } catch (refused) { /* Then it is not kept. */ }
  }

  function whenReady(run) {
    if (document.body) run();
    else addEventListener("DOMContentLoaded", run, { once: true });
  }

  function whenIdle(run) {
    var idle = function () { (window.requestIdleCallback || setTimeout)(run, { timeout: 3000 }); };
    if (document.readyState === "complete") idle();
    else addEventListener("load", idle, { once: true });
  }

  function safely(work) {
    return function () {
      try { return work.apply(null, arguments); } catch (trouble) { console.warn("frontdesk:", trouble); }
    };
  }
})();
