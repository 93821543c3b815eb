// What the pages do beyond htmx. They work without it, except for what refreshes by itself.
"use strict";

// A box in the head of a table ticks all boxes of a name. Ticking one chooses "the ticked matches".
document.addEventListener("htmx:load", (event) => {
  const all = event.detail.elt.querySelector("[data-ticks]");
  if (!all) return;
  const boxes = () => all.form.querySelectorAll(`input[type=checkbox][name="${all.dataset.ticks}"]`);
  const choose = () => {
    const scope = all.form.querySelector('input[name="scope"][value="ticked"]');
    if (scope && [...boxes()].some((box) => box.checked)) scope.checked = true;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes().forEach((box) => { box.checked = all.checked; });
    choose();
  });
  boxes().forEach((box) => box.addEventListener("change", choose));
});

// The overview asks again every 15 seconds while it is visible, until it is paused.
const pause = document.getElementById("pause");
if (pause) {
  let isPaused = false;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    document.getElementById("refreshing").textContent = isPaused ? "Paused." : "Refreshes every 15 s.";
  });
  setInterval(() => {
    if (!isPaused && document.visibilityState === "visible") htmx.trigger(document.body, "refresh");
  }, 15000);
}

// An answer that says the same as before is not drawn again: nothing flickers, and what was marked stays marked.
const drawn = new WeakMap();
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse } = event.detail;
  if (!target.classList.contains("part")) return;
  if (drawn.get(target) === serverResponse) event.detail.shouldSwap = false;
  drawn.set(target, serverResponse);
});
