/* Filters of the ledger, and folded code that opens when a link leads to it. */

for (const button of document.querySelectorAll(".filters button")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll(".filters button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    for (const claim of document.querySelectorAll(".claim")) {
      claim.hidden = button.dataset.outcome !== "" && claim.dataset.outcome !== button.dataset.outcome;
    }
  });
}

function unfold() {
  let element = document.getElementById(location.hash.slice(1));
  if (!element || !element.classList.contains("cell-anchor")) return;
  while (element && element.classList.contains("cell-anchor")) element = element.nextElementSibling;
  const folded = element && element.querySelector("details");
  if (folded) folded.open = true;
}

addEventListener("hashchange", unfold);
unfold();
