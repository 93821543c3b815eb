// What the pages do beyond htmx. They work without it, except for what refreshes by itself.
"use strict";

// A box in the head of a table ticks all boxes of a name. Ticking one chooses "the ticked matches".
document.querySelectorAll("[data-ticks]").forEach((all) => {
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
