// Makes pages of 1280 x 720 of the slides in #source, then starts Reveal. What fits is measured, so that a deck fits with
// any fonts: a figure takes the room that its words leave; long text goes on on the next page.

const [WIDTH, SMALLEST_COLUMN, GAP] = [1184, 400, 32]; // what the margins leave; of words beside a figure; between the two
const LARGE_ENOUGH = 0.75; // words may shrink a figure to this part of what it would be alone
const desk = document.getElementById("desk"); // pages are measured here
const overlay = document.getElementById("code");

function make(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

// The pieces of a slide that stay whole if they can: { kind, step, element }.
function piecesOf(article) {
  return [...article.querySelectorAll(":scope > [data-kind]")].flatMap((part) => {
    const { kind, step } = part.dataset;
    const whole = kind === "title" || kind === "code" || kind === "play";
    const elements = whole ? [part] : kind === "table" ? [part.querySelector("table")] : [...part.children];
    return elements.map((element) => {
      const picture = kind === "text" && element.children.length === 1 && element.querySelector(":scope > img");
      (picture || element).dataset.step = step;
      return picture ? { kind: "figure", element: picture } : { kind, element };
    });
  });
}

function isHeading(element) {
  return /^H[1-4]$/.test(element.tagName);
}

class Pages {
  constructor(kicker, heading) {
    Object.assign(this, { kicker, heading, all: [] });
  }

  open() {
    const continued = this.all.length > 0;
    const title = this.heading ? this.heading.textContent : this.kicker;
    const header = make("header", "");
    if (this.heading && !continued) header.append(this.heading);
    else if (title) header.append(make("p", "kicker", title, continued ? make("small", "", " (continued)") : ""));
    this.body = make("div", "body");
    this.page = make("div", "page", header, this.body, make("footer", ""));
    this.page.codes = [];
    this.closed = false; // whether a figure fills the page
    this.all.push(this.page);
    desk.append(this.page);
  }

  get empty() {
    return !this.body.hasChildNodes();
  }

  get fits() {
    const { body } = this;
    return body.scrollHeight <= body.clientHeight && body.scrollWidth <= body.clientWidth;
  }

  // Put elements on the page if they fit together.
  tryAll(elements) {
    this.body.append(...elements);
    if (this.fits) return true;
    elements.forEach((element) => element.remove());
    return false;
  }

  // A heading, or a line that announces what follows, goes on to the next page with it.
  openNext() {
    const last = this.body.lastElementChild;
    const announces = last && last.previousElementSibling && (isHeading(last) || /:\s*$/.test(last.textContent));
    this.open();
    if (announces) this.body.append(last);
  }

  add(element) {
    if (this.closed) this.open();
    if (this.tryAll([element])) return;
    if (!this.empty) this.openNext();
    if (!this.tryAll([element])) this.divide(element);
  }

  addTogether(elements) {
    if (this.closed) this.open();
    if (this.tryAll(elements)) return;
    if (!this.empty) this.openNext();
    if (!this.tryAll(elements)) elements.forEach((element) => this.add(element));
  }

  // Divide a list by its items, a table by its rows, with its head repeated, and what was printed by its lines.
  divide(element) {
    const parent = (piece) => piece.tBodies?.[0] ?? piece;
    const items = [...parent(element).children];
    if (items.length < 2) {
      this.body.append(element); // a paragraph longer than a page: the tests find it
      return;
    }
    parent(element).replaceChildren();
    let piece = element.cloneNode(true);
    this.body.append(piece);
    items.forEach((item, i) => {
      parent(piece).append(item);
      if (this.fits || parent(piece).children.length === 1) return;
      piece = element.cloneNode(true);
      if (piece.tagName === "OL") piece.start = element.start + i;
      this.open();
      this.body.append(piece);
      parent(piece).append(item);
    });
  }

  // A figure as large as possible: on this page, on the next one with its words, or there alone and then with its words.
  addFigure(image, words) {
    if (this.closed) this.open();
    const room = this.body.clientHeight;
    const alone = layout(image, [], [], room).scale;
    const here = layout(image, [...this.body.children], words, room);
    if (here.scale >= LARGE_ENOUGH * alone) return this.show(image, here);
    if (!this.empty) this.open();
    const together = layout(image, [], words, this.body.clientHeight);
    if (together.scale >= LARGE_ENOUGH * alone) return this.show(image, together);
    const again = image.cloneNode();
    this.show(image, layout(image, [], [], this.body.clientHeight));
    this.open();
    const second = layout(again, [], words, this.body.clientHeight);
    if (second.scale >= 0.35 * alone) this.show(again, second);
    else words.forEach((element) => this.add(element));
  }

  show(image, { scale, column, before, after }) {
    image.style.width = `${Math.floor(scale * image.naturalWidth)}px`;
    image.style.height = `${Math.floor(scale * image.naturalHeight)}px`;
    const texts = (elements, place) => (elements.length ? [make("div", `texts ${place}`, ...elements)] : []);
    if (column) {
      const [beside] = texts([...before, ...after], "beside");
      beside.style.width = `${column}px`;
      this.body.replaceChildren(image, beside);
    } else {
      this.body.replaceChildren(...texts(before, "above"), image, ...texts(after, "below"));
    }
    this.body.classList.add(column ? "side" : "stack");
    this.closed = true;
  }
}

function heightOf(elements, width) {
  if (!elements.length) return 0;
  const box = make("div", "texts", ...elements.map((element) => element.cloneNode(true)));
  box.style.width = `${width}px`;
  const page = make("div", "page", box);
  desk.append(page);
  const height = box.scrollWidth > width ? Infinity : box.offsetHeight;
  page.remove();
  return height;
}

// How an image and the texts before and after it fill a page best: one above the other, or side by side in a column.
function layout(image, before, after, room) {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const texts = [...before, ...after];
  const lost = [before, after].reduce((sum, each) => sum + (each.length ? heightOf(each, WIDTH) + 20 : 0), 0);
  const found = [{ scale: Math.min(WIDTH / width, (room - lost) / height), column: 0, before, after }];
  for (let column = SMALLEST_COLUMN; texts.length && column <= WIDTH / 2; column += 40) {
    if (heightOf(texts, column) > room) continue;
    found.push({ scale: Math.min((WIDTH - GAP - column) / width, room / height), column, before, after });
  }
  return found.reduce((best, each) => (each.scale > best.scale ? each : best));
}

function pagesOf(article, kicker) {
  const pieces = piecesOf(article);
  const heading = isHeading(pieces[0].element) ? pieces.shift().element : null;
  const pages = new Pages(kicker, heading);
  let codes = [];
  pages.open();
  const placed = (first) => { // the code belongs to all pages that its output fills
    pages.all.slice(first).forEach((page) => page.codes.push(...codes));
    codes = [];
  };
  while (pieces.length) {
    const { kind, element } = pieces.shift();
    if (kind === "code") {
      codes.push(element);
      continue;
    }
    const words = [];
    const shown = ["figure", "printed", "table"].includes(kind);
    while (shown && pieces.length && (pieces[0].kind === "words" || pieces.every((piece) => piece.kind === "text"))) {
      words.push(pieces.shift().element);
    }
    const last = pages.all.length - 1;
    if (kind === "printed") fitLines(element);
    if (kind === "figure") pages.addFigure(element, words);
    else if (words.length) pages.addTogether([element, ...words]);
    else pages.add(element);
    placed(pages.all.length - 1 > last ? last + 1 : last);
  }
  if (pages.empty && codes.length) pages.add(codes[0].firstElementChild.cloneNode(true)); // a slide of code alone
  placed(pages.all.length - 1);
  const wanted = pages.all.filter((page) => page.querySelector(".body").hasChildNodes() || page === pages.all[0]);
  wanted.forEach(enlarge);
  return wanted;
}

// Printed lines as large as the longest one allows.
function fitLines(pre) {
  const lines = pre.textContent.split("\n");
  const longest = Math.max(...lines.map((line) => line.length));
  pre.replaceChildren(...lines.map((line) => make("span", "line", line || " ")));
  pre.style.fontSize = `${Math.max(20, Math.min(26, (WIDTH - 40) / longest / 0.61))}px`;
}

// A formula wider than the page gets smaller.
function fitFormula(formula) {
  const { width } = formula.querySelector("svg").getBoundingClientRect();
  const size = parseFloat(getComputedStyle(formula).fontSize);
  if (width > WIDTH) formula.style.fontSize = `${Math.floor((size * WIDTH) / width)}px`;
}

// A page with little text gets larger text.
function enlarge(page) {
  const body = page.querySelector(".body");
  if (body.matches(".stack, .side") || !body.lastElementChild || body.querySelector(".claims, [data-kind]")) return;
  const used = body.lastElementChild.getBoundingClientRect().bottom - body.getBoundingClientRect().top;
  for (const [part, name] of [[0.3, "larger"], [0.6, "large"]]) {
    if (used > part * body.clientHeight) continue;
    page.classList.add(name);
    if (body.scrollHeight <= body.clientHeight && body.scrollWidth <= body.clientWidth) return;
    page.classList.remove(name);
  }
}

// What comes with a later step than the page's first waits for a key.
function markFragments(page) {
  const elements = [...page.querySelectorAll(".body [data-step]")];
  const steps = [...new Set(elements.map((element) => Number(element.dataset.step)))].sort((a, b) => a - b);
  for (const element of elements) {
    const index = steps.indexOf(Number(element.dataset.step)) - 1;
    if (index < 0) continue;
    element.classList.add("fragment");
    element.dataset.fragmentIndex = index;
  }
}

function build() {
  const slides = document.querySelector(".slides");
  document.querySelectorAll("#source .formula").forEach(fitFormula);
  let [stack, kicker] = [null, ""];
  for (const article of document.querySelectorAll("#source > article")) {
    const notes = article.querySelector("aside.notes");
    if (!stack || "stack" in article.dataset) {
      stack = slides.appendChild(make("section", ""));
      kicker = "";
    }
    for (const page of pagesOf(article, kicker)) {
      markFragments(page);
      stack.append(make("section", "", page, ...(notes ? [notes.cloneNode(true)] : [])));
    }
    kicker ||= stack.querySelector("h1, h2, h3")?.textContent ?? "";
  }
  const pages = [...slides.querySelectorAll(".page")];
  pages.forEach((page, i) => {
    const hint = make("button", "hint", page.codes.length ? "C: code" : "");
    hint.onclick = toggleCode;
    page.querySelector("footer").append(make("span", "", document.title), hint, make("span", "", `${i + 1} / ${pages.length}`));
  });
  document.getElementById("source").remove();
  desk.remove();
}

function toggleCode() {
  const codes = Reveal.getCurrentSlide().querySelector(".page")?.codes ?? [];
  overlay.hidden = !overlay.hidden || !codes.length;
  overlay.replaceChildren(...codes);
  overlay.scrollTop = 0;
  if (!overlay.hidden) overlay.focus();
}

async function start() {
  await MathJax.startup.promise;
  await MathJax.typesetPromise([document.getElementById("source")]);
  await Promise.all([document.fonts.ready, ...[...document.images].map((image) => image.decode())]);
  build();
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, navigationMode: "linear", transition: "none",
    controls: false, pdfSeparateFragments: false, scrollActivationWidth: null, plugins: [RevealNotes],
    keyboard: { 67: toggleCode },
  });
  Reveal.on("slidechanged", () => { overlay.hidden = true; });
  overlay.tabIndex = -1;
  overlay.onclick = toggleCode;
  overlay.onkeydown = (event) => { // these scroll the code, and do not turn the page
    if (["ArrowUp", "ArrowDown", "PageUp", "PageDown", " "].includes(event.key)) event.stopPropagation();
    if (event.key === "Escape") {
      event.stopPropagation();
      toggleCode();
    }
  };
  window.deckReady = true;
}

start();
