// A microscope's pages: the address behind # says what is shown: a layer, a channel ("#fire4/12"), or a class ("#class=goldfish").
const microscope = (() => {
  let about, classes;
  const layers = {};
  const waiting = {};
  const main = document.getElementById("main");

  const element = (name, attributes = {}, ...children) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  };
  const load = (name) => waiting[name] ??= new Promise((done, fail) => {
    document.head.append(element("script", { src: `data/${name}.js`, onload: done, onerror: () => fail(name) }));
  });
  const address = (layer, channel) => `#${encodeURIComponent(layer)}/${channel}`;
  const file = (layer, channel) =>
    `channels/${encodeURIComponent(layer.replaceAll("/", "_"))}/${String(channel).padStart(4, "0")}.webp`;
  const position = (name) => about.layers.findIndex((layer) => layer.name === name);
  const isLast = (name) => name === about.classes;
  const nameOf = (layer, channel) => (isLast(layer) ? about.labels[channel] : `${layer} ${channel}`);

  // One square of a channel's sheet, enlarged: column and row in pixels of the sheet.
  const tile = (layer, channel, { x = 0, y = 0, side = about.size, shown = side, alt = "" } = {}) => {
    const scale = shown / side;
    const sheet = Math.max(4 * about.size, 9 * 56);
    const image = element("img", { src: file(layer, channel), alt, loading: "lazy", decoding: "async" });
    image.style.cssText = `left:${-x * scale}px;top:${-y * scale}px;width:${sheet * scale}px`;
    const box = element("span", { className: "tile" }, image);
    box.style.cssText = `width:${shown}px;height:${shown}px`;
    return box;
  };
  const isMade = (layer, channel) => about.layers[position(layer)]?.made.includes(channel);
  const thumb = (layer, channel, note = "") => {
    const name = nameOf(layer, channel);
    const picture = tile(layer, channel, { shown: 128, alt: `what excites ${name}` });
    const link = element("a", { className: "thumb", href: address(layer, channel) }, picture);
    link.append(element("span", { className: "name", textContent: `${name}${note ? ` · ${note}` : ""}` }));
    return link;
  };
  const grid = (...items) => element("div", { className: "grid" }, ...items);
  // Channels and a number each: thumbnails, and the names of those whose pages have not been made.
  const linked = (rows) => {
    const others = rows.filter(([layer, channel]) => !isMade(layer, channel)).map(([layer, channel, value]) => `${nameOf(layer, channel)} · ${value}`);
    const thumbs = grid(...rows.filter(([layer, channel]) => isMade(layer, channel)).map(([layer, channel, value]) => thumb(layer, channel, value)));
    return others.length ? [thumbs, element("p", { textContent: `Without a page here: ${others.join(", ")}` })] : [thumbs];
  };
  const section = (title, note, ...items) =>
    element("section", {}, element("h2", { textContent: title }), element("p", { textContent: note }), ...items);
  const narrow = (width, ...children) => {
    const figure = element("figure", {}, ...children);
    figure.style.width = `${width}px`;
    return figure;
  };
  const signed = (value, unit) =>
    element("td", { className: value < 0 ? "minus" : "", textContent: `${value > 0 ? "+" : "−"}${Math.abs(value)}${unit}` });
  const table = (rows, cell, unit = "") =>
    element("table", {}, ...rows.map(([what, value]) => element("tr", {}, element("td", {}, cell(what)), signed(value, unit))));

  const showStart = () => {
    const made = about.layers.reduce((sum, layer) => sum + layer.made.length, 0);
    main.replaceChildren(element("h1", { textContent: `What the channels of ${about.title} see` }),
      element("p", { textContent: `${made.toLocaleString("en")} channels of ${about.layers.length} layers. Each picture is what excites one channel most; click it for more.` }));
    for (const { name, made: numbers, channels } of about.layers) {
      if (!numbers.length) continue;
      const step = Math.max(1, Math.floor(numbers.length / 8));
      const some = numbers.filter((_, i) => i % step === 0).slice(0, 8);
      const title = element("h2", {}, element("a", { href: `#${encodeURIComponent(name)}`, textContent: name }), ` · ${channels} channels`);
      main.append(title, grid(...some.map((channel) => thumb(name, channel))));
    }
  };
  const showLayer = (name) => {
    const { made, channels } = about.layers[position(name)];
    main.replaceChildren(element("h1", { textContent: name }),
      element("p", { textContent: `${made.length} of ${channels} channels` }), grid(...made.map((channel) => thumb(name, channel))));
  };
  const showChannel = async (name, channel) => {
    await load(`layer-${position(name)}`);
    const record = layers[name].get(channel);
    const title = element("h1", { textContent: isLast(name) ? `${about.labels[channel]} (${name} ${channel})` : `${name}, channel ${channel}` });
    if (!record) {
      main.replaceChildren(title, element("p", { textContent: "This page has not been made yet." }));
      return;
    }
    const { size } = about;
    const shown = Math.min(256, Math.max(140, Math.floor((main.clientWidth - 80) / 4)));
    const strength = (i) => `activation ${record.excited[i]}; in our photographs at most ${record.peak}`;
    const pictures = [["What excites it most", strength(0)], ["from another noise", strength(1)],
      ["What excites it least", `activation ${record.excited[2]}`]];
    if (!isLast(name)) pictures.push(["Its texture", "a photograph's code, all given to this channel"]);
    main.replaceChildren(title, element("div", { className: "row" }, ...pictures.map(([caption, more], i) =>
      narrow(shown, tile(name, channel, { x: i * size, shown, alt: `${caption} (${name} ${channel})` }),
        element("figcaption", {}, caption, element("br"), more)))));
    const patches = record.patches.map(([photo, percent], i) => narrow(96,
      tile(name, channel, { x: 56 * i, y: size, side: 56, shown: 96, alt: `patch of ${photo}` }),
      tile(name, channel, { x: 56 * i, y: size + 56, side: 56, shown: 96, alt: "its projection" }),
      element("figcaption", { textContent: `${percent} %, ${photo}` })));
    main.append(patches.length
      ? section("Its strongest patches", "Where our photographs excite it most, how strongly, and below each what excited it there (its projection).", element("div", { className: "row" }, ...patches))
      : section("It is silent", "No photograph of ours excites it."));
    const columns = element("div", { className: "columns" });
    if (record.votes) {
      columns.append(section("It votes for", "By how much the logit of a class falls if the channel is set to 0.",
        table(record.votes, (index) => element("a", { href: `#class=${encodeURIComponent(about.labels[index])}`, textContent: about.labels[index] }))));
    }
    if (record.made_of) {
      const before = about.layers[position(name) - 1].name;
      columns.append(section("It is made of", `Its strongest weights on ${before}, the layer before, in the patches above: shares of all of them.`,
        table(record.made_of, (number) => element("a", { href: address(before, number), textContent: `${before} ${number}` }), " %")));
    }
    main.append(columns);
    if (record.together.length) main.append(section("Fires with", "Their strongest neurons rise and fall together over all crops (correlation).", ...linked(record.together)));
    if (record.alike) main.append(section("Looks like", "The net's middle layer finds these pictures alike (cosine).", ...linked(record.alike)));
  };
  const showClass = async (label) => {
    await load("classes");
    const wanted = label.toLowerCase();
    const found = about.labels.map((text, index) => [text, index]).filter(([text]) => text.toLowerCase().includes(wanted));
    found.sort((a, b) => (a[0].toLowerCase() === wanted ? -1 : 0) - (b[0].toLowerCase() === wanted ? -1 : 0));
    main.replaceChildren(element("h1", { textContent: `Who votes for “${label}”` }));
    if (!found.length) main.append(element("p", { textContent: "No class has this in its name." }));
    const last = about.layers.find((layer) => isLast(layer.name));
    for (const [text, index] of found.slice(0, 6)) {
      const own = last?.made.includes(index) ? [thumb(last.name, index)] : [];
      main.append(section(text, "The channels whose absence lowers its logit most, after the class itself if there is a page of it.",
        grid(...own, ...(classes[index] ?? []).map(([layer, number, vote]) => thumb(layer, number, `+${vote}`)))));
    }
  };

  const where = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    const [, name, channel] = /^(.*)\/(\d+)$/.exec(hash) ?? [null, hash, null];
    return { hash, name, channel: channel === null ? null : Number(channel) };
  };
  const show = async () => {
    const { hash, name, channel } = where();
    if (hash.startsWith("class=")) await showClass(hash.slice(6));
    else if (position(name) < 0) showStart();
    else if (channel === null) showLayer(name);
    else await showChannel(name, channel);
    for (const link of document.querySelectorAll("#layers a")) {
      if (link.textContent === name) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    document.title = `${hash || "Microscope"} · ${about.title}`;
    scrollTo(0, 0);
  };
  const move = (layersDown, channelsOn) => {
    const { name, channel } = where();
    const here = position(name);
    if (here < 0) return;
    const layer = about.layers[Math.min(Math.max(here + layersDown, 0), about.layers.length - 1)];
    if (layersDown) location.hash = channel === null ? encodeURIComponent(layer.name) : address(layer.name, Math.min(channel, layer.channels - 1));
    else if (channel !== null) location.hash = address(name, (channel + channelsOn + layer.channels) % layer.channels);
  };

  const search = document.getElementById("search");
  search.addEventListener("change", () => { if (search.value.trim()) location.hash = `class=${encodeURIComponent(search.value.trim())}`; });
  document.addEventListener("keydown", (event) => {
    if (event.target === search) { if (event.key === "Escape") search.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { name, channel } = where();
    const action = {
      ArrowRight: () => move(0, 1), ArrowLeft: () => move(0, -1), ArrowDown: () => move(1, 0), ArrowUp: () => move(-1, 0),
      "/": () => search.focus(), Escape: () => { location.hash = channel === null ? "" : encodeURIComponent(name); },
    }[event.key];
    if (action && (event.key === "/" || event.key === "Escape" || channel !== null)) { event.preventDefault(); action(); }
  });
  document.getElementById("scheme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.scheme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", show);

  return {
    addAbout(data) {
      about = data;
      document.getElementById("home").textContent = `Microscope: ${data.title}`;
      document.getElementById("layers").replaceChildren(...data.layers.filter((layer) => layer.made.length).map((layer) =>
        element("a", { href: `#${encodeURIComponent(layer.name)}`, textContent: layer.name })));
      document.getElementById("names").replaceChildren(...data.labels.map((label) => element("option", { value: label })));
      show();
    },
    addLayer(name, records) { layers[name] = new Map(records.map((record) => [record.channel, record])); },
    addClasses(data) { classes = data; },
  };
})();
