// A button that sends the file that the reader chooses; a large picture is reduced first.
export default {
  render({ model, el }) {
    const button = document.createElement("button");
    const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", hidden: true });
    button.className = "lm-Widget jupyter-widgets jupyter-button widget-button";
    Object.assign(button.style, { width: "100%", margin: "0" });
    const label = () => { button.textContent = button.title = model.get("description"); };
    model.on("change:description", label);
    label();
    button.onclick = () => input.click();
    input.onchange = async () => {
      for (const file of input.files) {
        const large = file.size > model.get("limit");
        const content = large ? await reduced(file, model.get("side")).catch(() => null) : file;
        model.send({ name: file.name }, undefined, content ? [await content.arrayBuffer()] : []);
      }
      input.value = "";  // so that the same file can be chosen again
    };
    el.append(button, input);
    return () => model.off("change:description", label);
  },
};

async function reduced(file, side) {
  const bitmap = await createImageBitmap(file);  // turned as its EXIF data says
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";  // behind what is transparent, as `load_image` does
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
}
