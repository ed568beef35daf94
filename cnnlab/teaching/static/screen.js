// The picture of a panel: it comes as the bytes of a PNG file, in a message that is no part of the widget's state.
export default {
  render({ model, el }) {
    const picture = document.createElement("img");
    picture.alt = "the picture of this panel";
    Object.assign(picture.style, { display: "block", width: "100%", height: "100%", objectFit: "contain" });
    el.append(picture);
    const show = (content, buffers) => {
      const before = picture.src;
      picture.src = URL.createObjectURL(new Blob(buffers, { type: "image/png" }));
      if (before) URL.revokeObjectURL(before);
    };
    model.on("msg:custom", show);
    model.send({});  // asks for what was drawn before this view was there
    return () => {
      model.off("msg:custom", show);
      URL.revokeObjectURL(picture.src);
    };
  },
};
