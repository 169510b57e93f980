// SPDX-License-Identifier: Apache-2.0
"use strict";
(() => {
  const report = document.querySelector(".report");
  const form = report.querySelector(".tools");
  if (!form) return;
  const names = JSON.parse(report.querySelector(".names").textContent).map((n) => n.toLowerCase());
  const changes = [...report.querySelectorAll(".change")].map((el) => ({
    el,
    kind: el.dataset.kind,
    variants: [...el.querySelectorAll(".variant")].map((v) => ({
      el: v,
      hosts: v.dataset.hosts.split(",").filter(Boolean).map((r) => r.split("-").map(Number)),
    })),
  }));
  const groups = [...report.querySelectorAll(".group")];
  const nothing = report.querySelector(".nothing");
  const text = form.elements.text, host = form.elements.host, found = form.querySelector("output");
  const kinds = [...form.querySelectorAll("[name=kind]")];

  // before[i] counts the wanted hosts below i, so that a range is asked about at once.
  function wanted() {
    const want = host.value.trim().toLowerCase();
    if (!want) return null;
    const exact = names.includes(want);
    const before = [0];
    for (const n of names) before.push(before.at(-1) + (exact ? n === want : n.includes(want) ? 1 : 0));
    return before;
  }

  function textOf(c) {
    return (c.text ??= c.el.textContent.toLowerCase());
  }

  function filter() {
    const before = wanted();
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = new Set(kinds.filter((k) => k.checked).map((k) => k.value));
    let shown = 0;
    for (const c of changes) {
      let any = !before;
      for (const v of c.variants) {
        const has = !before || v.hosts.some(([a, b = a]) => before[b + 1] > before[a]);
        v.el.hidden = !has;
        any ||= has;
      }
      const fits = any && (only.size === 0 || only.has(c.kind)) && words.every((w) => textOf(c).includes(w));
      c.el.hidden = !fits;
      if (fits) shown++;
    }
    for (const g of groups) g.hidden = !g.querySelector(".change:not([hidden])");
    nothing.hidden = shown > 0;
    found.textContent = shown === changes.length ? `${shown} changes` : `${shown} of ${changes.length} changes`;
    remember(only);
  }

  // What is looked for stands in the address, so that it can be sent to others.
  function remember(only) {
    const q = new URLSearchParams();
    if (text.value) q.set("text", text.value);
    if (host.value) q.set("host", host.value);
    for (const k of only) q.append("kind", k);
    const want = q.size ? "#?" + q : "";
    if (want || location.hash.startsWith("#?")) history.replaceState(null, "", want || location.pathname + location.search);
  }

  function follow() {
    if (location.hash.startsWith("#?")) {
      const q = new URLSearchParams(location.hash.slice(2));
      text.value = q.get("text") ?? "";
      host.value = q.get("host") ?? "";
      const on = q.getAll("kind");
      for (const k of kinds) k.checked = on.includes(k.value);
    }
    const at = document.getElementById(location.hash.slice(1));
    if (at?.matches(".change")) at.open = true;
  }

  const all = (open) => changes.forEach((c) => { if (!c.el.hidden) c.el.open = open; });
  let timer;
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 80); });
  form.addEventListener("submit", (e) => { e.preventDefault(); filter(); });
  form.elements.open.addEventListener("click", () => all(true));
  form.elements.close.addEventListener("click", () => all(false));
  window.addEventListener("hashchange", () => { follow(); filter(); });
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.target.matches("input")) { e.preventDefault(); text.focus(); }
    if (e.key === "Escape" && e.target.form === form) { form.reset(); filter(); }
  });
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = changes.map((c) => c.el).filter((el) => !el.open && !el.hidden);
    for (const el of closed) el.open = true;
  });
  window.addEventListener("afterprint", () => { for (const el of closed) el.open = false; });
  form.hidden = false;
  follow();
  filter();
})();
