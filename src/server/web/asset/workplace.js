// Keys of the review queue and files dropped on a form. Everything works without it.
"use strict";
(() => {
  document.documentElement.classList.add("js");
  const typing = (element) => element.closest("input,select,textarea,button,[contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || !/^[a-z]$/.test(event.key)) return;
    const meant = document.querySelector(`[data-key="${event.key}"]`);
    if (!meant || !document.querySelector(".queue, .done")) return;
    event.preventDefault();
    if (meant.matches("a")) { meant.click(); return; }
    if (meant.matches("details")) { meant.open = true; meant.querySelector("input:not([type=hidden])").focus(); return; }
    // To dismiss needs a reason: the list is opened, and Enter sends it.
    const list = event.key === "d" ? meant.querySelector("select") : null;
    if (list) list.focus(); else meant.requestSubmit(meant.querySelector("button"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".decide select")) return;
    event.preventDefault();
    const form = event.target.form;
    form.requestSubmit(form.querySelector("button"));
  });
  // One decision for one press.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".decide form, .done form, .drop")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent));
  document.querySelectorAll(".keys").forEach((keys) => { keys.hidden = false; });
  document.querySelector(".lines [aria-current]")?.scrollIntoView({ block: "nearest" });

  const drop = document.querySelector(".drop");
  if (drop) {
    const input = drop.querySelector("input[type=file]");
    const said = drop.querySelector(".progress");
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      drop.requestSubmit();
    });
    drop.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      const request = new XMLHttpRequest();
      request.open("POST", drop.action);
      request.upload.addEventListener("progress", (sent) => {
        if (sent.lengthComputable) said.textContent = `${Math.floor((100 * sent.loaded) / sent.total)}%`;
      });
      request.addEventListener("load", () => {
        if (request.status < 400) { location.assign(request.responseURL); return; }
        // What the server says is a page of its own.
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        const main = page.querySelector("main");
        said.textContent = main ? main.innerText.trim() : String(request.status);
        delete drop.dataset.sent;
      });
      request.addEventListener("error", () => { said.textContent = "×"; delete drop.dataset.sent; });
      request.send(new FormData(drop));
    });
  }
})();
