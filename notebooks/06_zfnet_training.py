# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # 6 · How a ZF-net learns, and what for
#
# **The question.** Chapter 05 looked into a *trained* network. How did its filters come about? Which layers learn first?
# Which of the builder's choices mattered: the first layer, the width, the start, the rules of training?
#
# After this chapter you can
#
# 1. train a convolutional network by the recipe of the ZF-net paper, and say what each rule of it does;
# 2. measure, from checkpoints, when a layer has settled, and whether a first layer is well chosen;
# 3. test what features are good for (correspondence, probes, ablations), and not be fooled by duplicates.
#
# *Source:* Zeiler & Fergus 2013, *Visualizing and Understanding Convolutional Networks*, sections 3 (training), 4.1
# (evolution), 4.2 (architecture), 4.3 (correspondence; numbered as in the preprint), 5.1 (ablation), 5.2 (duplicates), 5.3 (feature analysis).
# *Time:* it runs in a minute on a laptop; reading and playing take an hour and a half.

# %% slideshow={"slide_type": "skip"} tags=["setup"]
from types import SimpleNamespace

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from skimage import data
from torch import Generator

from cnnlab import checks_zfnet as checks
from cnnlab import plots, plots_zfnet
from cnnlab.claims import Claims
from cnnlab.comparing import (
    beyond_nyquist, channel_correlation, difference_hash, hide, jpeg, probe, sign_distance, thumbnails,
)  # fmt: skip
from cnnlab.crops import centre, crops, region, vary
from cnnlab.datasets import Examples
from cnnlab.descent import gradient
from cnnlab.images import PHOTOS, resize
from cnnlab.nets import Net, load_net
from cnnlab.objectives import neuron
from cnnlab.relu_rules import deconvnet, relu_rule
from cnnlab.training import accuracy
from cnnlab.widgets import Panel
from cnnlab.zfnet import EPOCHS, rms, train_zfnet, trained_zfnet, weights, zfnet, zfnet_data

# %% slideshow={"slide_type": "skip"}
train, held_out = zfnet_data()  # 3,200 and 1,600 crops of 16 photographs
nets = {epoch: trained_zfnet(epoch) for epoch in (0, *EPOCHS)}
net = nets[EPOCHS[-1]]
claims = Claims()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1. Data that every machine has
#
# ImageNet has 1.3 million photographs. We have sixteen, and cut thousands of windows out of them. The task: *which
# photograph is this a piece of?* Pieces of photographs have the statistics of natural images, and that is what first
# layers learn from.
#
# One trap: two windows that overlap share pixels. Tested on such crops a net looks better than it is. So we hold out
# not crops but **regions**: it learns from the left two thirds of each photograph and is tested on the right third.

# %%
strips = [
    torch.cat([region(name), torch.ones(1, 3, 400, 8), region(name, True)], dim=3)
    for name in ("cat", "china", "coffee")
]
plots.show(strips, ["cat: learned | tested", "china", "coffee"], height=2.2)

# %% tags=["nbval-check-output"]
print("training ", tuple(train.images.shape), "stored; the net sees 64 × 64 of them")
print("held out ", tuple(held_out.images.shape))

# %% slideshow={"slide_type": "fragment"}
seen = vary(train.images[:16], Generator().manual_seed(0))
rows = {"as the net sees them in training": seen, "held out": held_out.images[:16]}
plots.show({name: plots_zfnet.tiled(images, 16, 4) for name, images in rows.items()}, columns=1, height=0.85)

# %% [markdown]
# **What to see.** In training each crop is moved, mirrored and recoloured anew at every visit. Some held-out pieces are
# hard: a plain blue sky may be `china` or `rocket`. Nobody will reach 100 %.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2. The net and its recipe
#
# The paper's net, small: an eighth of its channels, for 64 instead of 224 pixels.
#
# | | paper | here |
# |---|---|---|
# | first layers | 7×7 stride 2, pool, 5×5 stride 2, pool | the same |
# | middle, dense | three 3×3 convolutions, two dense layers | the same; no third pooling: 3×3 maps are left |
# | SGD | batch 128, momentum 0.9, rate 1e-2, divided by hand when stuck | the same; divided by 3 when the loss is stuck |
# | dropout | 0.5 in both dense layers | the same |
# | filters | scaled back when their RMS exceeds 1e-1 | the same |
# | first weights | standard deviation 1e-2, biases 0 | only in the first layer (see below) |
# | data | crops, flips, several scales; 70 epochs, 12 days | the same, and colours; 48 epochs, 2 minutes |
#
# **Momentum** keeps a velocity: $v \leftarrow 0.9\,v + \nabla$, $w \leftarrow w - \text{rate} \cdot v$. **Renormalisation**
# (after each step, each filter $f$ by itself): $f \leftarrow f \cdot \min(1,\; r / \text{RMS}(f))$ with
# $\text{RMS}(f) = \sqrt{\text{mean}(f^2)}$, $r = 10^{-1}$.
#
# `train_zfnet` is a Run like every other: it gives one step per batch. Let us take the first 25, one epoch.

# %%
generator = Generator().manual_seed(0)
young = zfnet(generator)
run = train_zfnet(young, Examples(*(part[:1600] for part in train)), epochs=2, generator=generator)
run.finish()
plots.curves({"loss of the batch": run.values}, "step", "cross-entropy")

# %% [markdown]
# From log 16 = 2.77, pure guessing, it begins to move. The other 47 epochs were done by `make checkpoints`, which kept
# the net after 1, 2, 4, 8, 16, 24, 32 and 48 of them.
#
# **Predict:** 1,600 crops of regions never seen. How many will the finished net put to the right photograph?

# %% slideshow={"slide_type": "fragment"}
over_time = {epoch: accuracy(net.chain, held_out) for epoch, net in nets.items()}
plots_zfnet.show_lines(
    EPOCHS, {"held-out crops": [over_time[epoch] for epoch in EPOCHS]}, "epoch", "accuracy", log=True
)

# %% tags=["nbval-check-output"]
final = over_time[EPOCHS[-1]]
print(f"guessing {1 / 16:.0%}, after {EPOCHS[-1]} epochs about {round(20 * final) / 20:.0%}")

# %% slideshow={"slide_type": "fragment"}
predicted = net(held_out.images).argmax(1)
right = predicted == held_out.labels
share = {name: right[held_out.labels == i].float().mean().item() for i, name in enumerate(PHOTOS)}
plots_zfnet.show_bars(dict(sorted(share.items(), key=lambda item: -item[1])), "share of held-out crops recognised")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### The first layer
#
# Here are its 32 filters, the strongest first; grey is 0. **Predict:** what did it start from, and what has it become?

# %% slideshow={"slide_type": "fragment"}
shown = {"before training": nets[0], "after 48 epochs": net}
plots.show({name: plots_zfnet.filter_sheet(weights(each.chain, "conv1")) for name, each in shown.items()}, height=3)

# %% [markdown]
# **What to see.** Noise has become dark-light edges in several directions, and blobs of one colour against its opposite.
# Nobody told it to; AlexNet's and the ZF-net's first layers look like this, and so do cells in the visual cortex.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3. What do the rules do?
#
# ### How to begin
#
# Three beginnings, all else equal: small (1e-2) in the first layer and He's rule in the others, as we did; He's rule
# throughout (much larger in the first layer: √(2/147) = 0.12); 1e-2 throughout, as the paper says.
#
# **Predict:** which of the three learns best, and whose filters are the most beautiful?

# %%
starts = {"small first layer": nets[32], "He throughout": trained_zfnet("He throughout")}
starts["1e-2 throughout"] = trained_zfnet("1e-2 throughout")
by_start = {name: accuracy(each.chain, held_out) for name, each in starts.items()}
titles = [f"{name}: {share:.0%}" for name, share in by_start.items()]
sheets = [plots_zfnet.filter_sheet(weights(each.chain, "conv1")) for each in starts.values()]
plots.show(sheets, titles, height=2.6)

# %% [markdown]
# **What to see.** From He's start the filters *look* like noise, and classify as well: filters that explain
# themselves are a gift of the small start, not a condition for success. A large random filter is a fine feature already, so
# that learning hardly moves it. And 1e-2 throughout learns nothing here. Why?

# %%
layers = ["relu1", "relu2", "relu3", "relu4", "relu5", "relu6", "relu7", "logits"]
all_small = Net(
    zfnet(Generator().manual_seed(0), small=("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits"))
)
spread = {}  # how much a layer's answers differ from image to image, before training
for name, untrained in {"He from conv2 on": nets[0], "1e-2 throughout": all_small}.items():
    answers = untrained.activations(held_out.images[:160], layers)
    spread[name] = [answers[layer].std(dim=0).mean().item() for layer in layers]
plots.curves(spread, "layer: relu1 .. relu7, logits", "spread over the images", log=True)

# %% [markdown]
# **What to see.** Each layer multiplies the differences between images by about $0.01\sqrt{\text{inputs}/2}$. With the paper's 3,456
# inputs that is 0.4, with our 432 to 864 it is 0.15 to 0.2. After eight layers a million times less is left, and the gradient
# has to come back the same way. A recipe belongs to a size.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Why renormalise?
#
# The paper saw a few first-layer filters dominate. **Predict:** does ours have such a race? Which share of all 32
# filters' energy (sum of squares) do the strongest four hold, and does any reach the radius, RMS 0.1?


# %% slideshow={"slide_type": "fragment"}
def strongest_four(each):  # the share of the first layer's energy
    energy = weights(each.chain, "conv1").square().sum(dim=(1, 2, 3))
    return (energy.sort().values[-4:].sum() / energy.sum()).item()


def largest_rms(each):
    return rms(weights(each.chain, "conv1")).max().item()


four = [strongest_four(nets[epoch]) for epoch in EPOCHS]
plots_zfnet.show_lines(EPOCHS, {"share of the strongest 4 of 32 filters": four}, "epoch", "share of energy", log=True)

# %%
tight = trained_zfnet("radius 5e-2")
sorted_rms = {
    "radius 0.1": rms(weights(nets[32].chain, "conv1")).sort(descending=True).values.tolist(),
    "radius 0.05": rms(weights(tight.chain, "conv1")).sort(descending=True).values.tolist(),
}
plots.curves(sorted_rms, "filter, the strongest first", "RMS of the filter")

# %% tags=["nbval-check-output"]
print(f"equal shares would be {4 / 32:.0%}; largest RMS below 0.1: {largest_rms(net) < 0.1}")
print(
    f"the strongest four, after 32 epochs: {four[6]:.0%} with radius 0.1, {strongest_four(tight):.0%} with radius 0.05"
)

# %% [markdown]
# **What to see.** The race is there: four filters of 32 gather more than their share. But at our size, and with inputs of variance 1, no filter
# gets as far as 0.1, and the paper's rule never acts. Halve the radius and it does: the curve is cut off, and the energy
# is shared. (The paper's inputs run from -128 to 128: gradients of the first layer are larger by as much.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4. Which layers learn first?
#
# The paper shows that low layers converge within a few epochs, and high ones only after 40 to 50. It shows pictures; we measure.
# Give the same crops to the net of epoch *e* and to the finished one, and correlate the answers of each channel over all crops and places:
#
# $$ r_c(e) = \text{corr}_{\,\text{crops},\,y,\,x}\big(a_c^{(e)},\; a_c^{(48)}\big) $$
#
# **Predict:** for which layer does the median over the channels reach 0.9 first, and which comes last?

# %% slideshow={"slide_type": "fragment"}
crops_shown = held_out.images[:400]
answers = {epoch: each.activations(crops_shown, layers) for epoch, each in nets.items()}
settled = {
    layer: [channel_correlation(answers[e][layer], answers[48][layer]).median().item() for e in EPOCHS]
    for layer in layers
}
plots_zfnet.show_lines(EPOCHS, settled, "epoch", "correlation with epoch 48", log=True)

# %% tags=["nbval-check-output"]
halfway = {layer: next(e for e, r in zip(EPOCHS, settled[layer], strict=True) if r > 0.5) for layer in layers}
print("first checkpoint beyond a correlation of 0.5:", halfway)

# %% [markdown]
# **What to see.** The first layer answers after *one* epoch more like its final self than the middle layers do after eight. Then it is
# a staircase: the higher the convolution, the later. The curve of the logits is no exception but a reminder of
# what is measured: the answer "mostly dark, hence `hubble`" comes early, by whatever features there are.
#
# Why this order? A high layer can settle only when what it reads has settled.
#
# ### The same in pictures
#
# For one channel: which crop excites it most, and what in that crop? The projection is chapter 05's deconvnet.


# %%
def favourites(each, layer, channel, count=4):  # -> crops and projections (count, 3, 64, 64)
    maps = each.activations(crops_shown, [layer])[layer][:, channel]  # (400, h, w)
    best = maps.flatten(1).amax(dim=1).topk(count).indices.tolist()
    places = [divmod(int(maps[i].argmax()), maps.shape[2]) for i in best]
    with relu_rule(each, deconvnet):
        parts = [
            gradient(each, neuron(layer, channel, y, x), crops_shown[[i]])[1]
            for i, (y, x) in zip(best, places, strict=True)
        ]
    return crops_shown[best], plots_zfnet.stretched(torch.cat(parts))


# %%
def evolution(layer, channel, epochs=(1, 4, 16, 48)):  # favourites above, projections below, epoch by epoch
    pairs = [favourites(nets[epoch], layer, channel, 3) for epoch in epochs]
    return {f"epoch {e}": plots_zfnet.tiled(torch.cat(pair), 3, 2) for e, pair in zip(epochs, pairs, strict=True)}


plots.show(evolution("relu2", 6), columns=4, height=2, title="relu2, channel 6")

# %% slideshow={"slide_type": "fragment"}
plots.show(evolution("relu5", 7), columns=4, height=2, title="relu5, channel 7")

# %% [markdown]
# **What to see.** The low channel keeps its favourites from early on; the high one jumps: at another epoch quite other crops excite
# it most. The paper reports such jumps too.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5. Choosing the first layer: 11×11 stride 4, or 7×7 stride 2?
#
# Looking at AlexNet's first layers through their deconvnet, Zeiler and Fergus saw filters of very high or very low
# frequency and little between, some dead ones, and **aliasing** in the second layer. They made the filters smaller and
# the stride 2, and won.
#
# What is aliasing? Answers that are *s* pixels apart can carry waves of at most $1/(2s)$ cycles per pixel (Nyquist). A
# filter that looks for finer ones answers with a made-up coarse pattern. So: which share of each filter's energy lies beyond what its
# stride can carry?
#
# **Predict:** which of the two nets aliases more, which has dead filters, which wins?

# %%
large = trained_zfnet("11x11 stride 4")
both = {"7×7 stride 2": (net, 2), "11×11 stride 4": (large, 4)}
alias = {name: beyond_nyquist(weights(each.chain, "conv1"), s) for name, (each, s) in both.items()}
plots.curves(
    {name: shares.sort(descending=True).values for name, shares in alias.items()}, "filter", "share beyond Nyquist"
)

# %%
plots.show({name: plots_zfnet.filter_sheet(weights(each.chain, "conv1")) for name, (each, _) in both.items()}, height=3)


# %%
def strength(each):  # the strongest answer of each first-layer filter to any crop, relative to the strongest of all
    largest = each.activations(held_out.images[:400], ["relu1"])["relu1"].amax(dim=(0, 2, 3))
    return largest / largest.max()


dead = {name: int((strength(each) < 0.02).sum()) for name, (each, _) in both.items()}
first_layer = {name: accuracy(each.chain, held_out) for name, (each, _) in both.items()}
print({name: f"{shares.median():.0%} beyond Nyquist" for name, shares in alias.items()})
print(f"dead: {dead}; accuracy: { {name: f'{share:.1%}' for name, share in first_layer.items()} }")

# %% [markdown]
# **What to see.** The aliasing is as the paper says, and large. Dead filters neither net has. And the accuracy?
# TODO-ACC

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6. Taking parts away
#
# Eight nets, each trained for 24 epochs by the same recipe. **Predict:** rank "without the dense layers", "dense layers
# three times as wide" and "middle convolutions twice as wide", before you look.

# %%
changes = ["without conv3, conv4", "without fc6, fc7", "without all four", "fc6, fc7 a third", "fc6, fc7 threefold"]
changes += ["conv3 .. conv5 halved", "conv3 .. conv5 doubled"]
ablated = {"as it is": nets[24]} | {name: trained_zfnet(name) for name in changes}
learned = Examples(centre(train.images[:1600]), train.labels[:1600])
table = {name: (accuracy(each.chain, learned), accuracy(each.chain, held_out)) for name, each in ablated.items()}

# %% slideshow={"slide_type": "fragment"}
tested = {name: share for name, (_, share) in table.items()}
plots_zfnet.show_bars(tested, "accuracy on held-out regions, after 24 epochs")

# %% tags=["nbval-check-output"]
for name, (known, new) in table.items():
    parameters = sum(p.numel() for p in ablated[name].chain.parameters())
    print(f"{name:24}{parameters:>9,} parameters   learned {known:.0%}   held out {new:.0%}   gap {known - new:.0%}")

# %% [markdown]
# **What to see.** TODO-ABL

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 7. Does it know that faces have parts?
#
# No layer is told that the left eye of one face corresponds to the left eye of another. The paper tests it so: hide the *same part* in five faces
# and look how the features change, $\epsilon_i = x_i - \tilde x_i$. If the change is the *same kind* of change, the signs agree:
#
# $$ \Delta = \sum_{i<j} \text{Hamming}\big(\text{sign}\,\epsilon_i,\ \text{sign}\,\epsilon_j\big) $$
#
# small for corresponding parts, large for random ones. (We divide by the number of pairs and features.) Our faces: 50 of 25 × 25 pixels
# that come with scikit-image, enlarged to 160; ten groups of five. The network is SqueezeNet, which has seen ImageNet.
#
# We add a control that the paper has not: the same *random place* in all five faces. If only the place counted, and not the part,
# it would do as well as an eye.

# %%
faces = torch.from_numpy(data.lfw_subset()[:50]).float()[:, None]  # (50, 1, 25, 25)
size = (5, 6)  # of the hidden part, in pixels of 25
parts = {"left eye": (6, 4), "right eye": (6, 12), "nose": (12, 8)}
corners = {name: [corner] * 50 for name, corner in parts.items()}
generator = Generator().manual_seed(0)
anywhere = torch.stack(
    [torch.randint(0, 21, (50,), generator=generator), torch.randint(0, 20, (50,), generator=generator)], dim=1
)
corners["random places"] = [(y, x) for y, x in anywhere.tolist()]
corners["one random place"] = [(y, x) for y, x in anywhere[:10].tolist() for _ in range(5)]  # one per group
hidden = {name: hide(faces, where, size) for name, where in corners.items()}
plots.show({name: plots_zfnet.tiled(images[:5], 5, 1) for name, images in hidden.items()}, columns=1, height=0.8)

# %%
squeezenet = load_net("squeezenet")
depths = ["pool1", "fire3", "fire5", "fire7", "fire9", "conv10"]


def features(images, net=squeezenet, side=160, layers=depths):  # grey faces (B, 1, 25, 25) -> layer -> (B, ...)
    with torch.no_grad():
        return net.activations(resize(images, side).clamp(0, 1).expand(-1, 3, -1, -1), layers)


whole = features(faces)
distances = {}  # name -> layer -> the distance of each of the 10 groups
for name, images in hidden.items():
    changed = features(images)
    changes_of = {layer: (whole[layer] - changed[layer]).split(5) for layer in depths}
    distances[name] = {layer: torch.tensor([sign_distance(five) for five in changes_of[layer]]) for layer in depths}

# %% slideshow={"slide_type": "fragment"}
means = {name: [distances[name][layer].mean().item() for layer in depths] for name in distances}
plots_zfnet.show_lines(range(len(depths)), means, f"layer: {', '.join(depths)}", "distance of the signs")

# %% [markdown]
# **What to see.** TODO-CORR

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 8. What are features good for?
#
# Keep the first *n* layers, throw the rest away, and train a *linear* classifier on what is left: a support vector machine
# and a softmax regression, both scikit-learn's. The paper: the deeper, the better.
#
# **Predict:** SqueezeNet was trained on ImageNet, not on our crops. After which of its layers are the 16 photographs easiest to tell
# from ten crops each?

# %%
few, many = slice(0, 160), slice(0, 640)  # ten crops of each photograph to learn from, forty to test
stages = ["pool1", "pool3", "pool5", "fire7", "fire9"]


def pooled(net, images, layers, side=None):  # layer -> features (B, 4 * channels), 2 x 2 means of each map
    images = images if side is None else resize(images, side).clamp(0, 1)
    kept = [net.activations(part, layers) for part in images.split(80)]
    maps = {layer: torch.cat([each[layer] for each in kept]) for layer in layers}
    return {layer: F.adaptive_avg_pool2d(m, 2) if m.ndim == 4 else m for layer, m in maps.items()}


samples, sample_labels = centre(train.images[few]), train.labels[few]
tests, test_labels = held_out.images[many], held_out.labels[many]


# %%
def probes(net, layers, side=None):  # layer -> accuracy of both classifiers, after the pixels themselves
    x, y = pooled(net, samples, layers, side), pooled(net, tests, layers, side)
    x, y = {"pixels": F.adaptive_avg_pool2d(samples, 8)} | x, {"pixels": F.adaptive_avg_pool2d(tests, 8)} | y
    return {layer: probe(x[layer], sample_labels, y[layer], test_labels) for layer in x}


imagenet = probes(squeezenet, stages, 128)
own = probes(net, layers[:7])

# %% slideshow={"slide_type": "fragment"}
by_kind = {kind: [scores[kind] for scores in imagenet.values()] for kind in ("SVM", "softmax")}
plots_zfnet.show_lines(range(6), by_kind, f"SqueezeNet: {', '.join(imagenet)}", "accuracy")

# %% slideshow={"slide_type": "fragment"}
by_kind_own = {kind: [scores[kind] for scores in own.values()] for kind in ("SVM", "softmax")}
plots_zfnet.show_lines(range(8), by_kind_own, f"our ZF-net: {', '.join(own)}", "accuracy")

# %% [markdown]
# **What to see.** TODO-PROBE

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 9. Duplicates flatter
#
# Before they tested on other data sets, the authors looked for images that are in both ImageNet and the other set, and
# removed them. Why bother? We plant some and see. A "new" test set of 500 crops: 400 of held-out regions, and 100 *training* crops in
# disguise: moved by a pixel, lighter or darker, shrunk to 48 pixels and back, saved as a bad JPEG.


# %%
def disguise(crop, generator):  # a stored crop (1, 3, 72, 72) -> (1, 3, 64, 64)
    top, left = torch.randint(3, 6, (2,), generator=generator).tolist()
    moved = crop[..., top : top + 64, left : left + 64] * (0.8 + 0.4 * torch.rand(1, generator=generator))
    return jpeg(resize(resize(moved.clamp(0, 1), 48), 64), quality=50)


generator = Generator().manual_seed(1)
new = crops(25, generator, held_out=True)
source = torch.randperm(len(train.labels), generator=generator)[:100]
copies = torch.cat([disguise(train.images[[i]], generator) for i in source.tolist()])
collected = Examples(torch.cat([centre(new.images), copies]), torch.cat([new.labels, train.labels[source]]))
is_copy = torch.arange(500) >= 400
plots.show(
    [plots_zfnet.tiled(centre(train.images[source[:12]]), 12, 3), plots_zfnet.tiled(copies[:12], 12, 3)],
    ["training crops", "their copies"],
    columns=1,
    height=0.9,
)

# %% [markdown]
# ### Finding them
#
# Not by equal pixels. Two ways: a **perceptual hash**, 64 bits "is it darker here than to the right?", compared by counting
# the bits that differ; and the **correlation of thumbnails** of 16 × 16 pixels.
#
# **Predict:** which finds more at the same number of false alarms? Think of a crop of plain sky.

# %%
known = centre(train.images)
bits, known_bits = difference_hash(collected.images), difference_hash(known)
differing = (bits[:, None] != known_bits).sum(dim=2).amin(dim=1)  # (500,), to the nearest training crop
alike = thumbnails(collected.images) @ thumbnails(known).T  # (500, 3200)
closest = alike.amax(dim=1)


def found(suspects):  # share of the copies, share of the innocent
    return suspects[is_copy].float().mean().item(), suspects[~is_copy].float().mean().item()


# %% slideshow={"slide_type": "fragment"} tags=["nbval-check-output"]
by_hash, by_thumbnail = found(differing <= 10), found(closest >= 0.85)
traced = (alike[is_copy].argmax(dim=1) == source).float().mean().item()
print(f"hash, at most 10 bits differ: {by_hash[0]:.0%} of the copies, {by_hash[1]:.0%} false alarms")
print(f"thumbnails, at least 0.85:    {by_thumbnail[0]:.0%} of the copies, {by_thumbnail[1]:.0%} false alarms")
print(f"the most alike training crop is the copy's source: {traced:.0%}")

# %% slideshow={"slide_type": "fragment"}
correct = net(collected.images).argmax(1) == collected.labels
clean = closest < 0.85
measured = {"all that was collected": correct, "suspects removed": correct[clean], "copies alone": correct[is_copy]}
measured["truly new"] = correct[~is_copy]
flattered = {name: hits.float().mean().item() for name, hits in measured.items()}
again = crops(25, generator)  # new windows of the regions it learned from
flattered["new crops of regions it learned"] = accuracy(net.chain, Examples(centre(again.images), again.labels))
plots_zfnet.show_bars(flattered, "accuracy")

# %% [markdown]
# **What to see.** TODO-DUP

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What if ...
#
# ### ... the photographs were grey?
#
# The first layer has many colour filters. **Predict:** how much does the finished net lose on grey crops, and on crops
# turned by 90° or upside down?

# %% tags=["nbval-check-output"]
grey = held_out.images.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
altered = {"as they are": held_out.images, "grey": grey, "mirrored": held_out.images.flip(3)}
altered |= {"upside down": held_out.images.flip(2), "turned by 90°": held_out.images.rot90(1, dims=(2, 3))}
for name, images in altered.items():
    print(f"{name:14} about {round(20 * accuracy(net.chain, Examples(images, held_out.labels))) / 20:.0%}")

# %% [markdown]
# TODO-WHATIF

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Play: a net growing up
#
# Choose an epoch, a layer and one of its channels. Above, the first layer's 32 filters at that epoch; below, the four held-out
# crops that excite the channel most, and their projections.
#
# **Find out:** (1) From which epoch on do you recognise edges among the filters? (2) Find a channel of relu2 that keeps its
# favourites from epoch 8 on, and one of relu5 that changes its mind after epoch 16. (3) Before any training (epoch 0) channels have favourites
# as well. What do those have in common?


# %%
def page(epoch, layer, channel):  # -> the sheet that the panel shows, (1, 3, H, W)
    filters = plots_zfnet.filter_sheet(weights(nets[epoch].chain, "conv1"), 16)  # (1, 3, 15, 127)
    pairs = plots_zfnet.tiled(torch.cat(favourites(nets[epoch], layer, channel)), 4, 4)  # (1, 3, 132, 268)
    filters = F.interpolate(filters, scale_factor=4)  # (1, 3, 60, 508)
    pairs = F.interpolate(pairs, scale_factor=2)[..., 14:-14]  # (1, 3, 264, 508)
    return torch.cat([filters, torch.ones(1, 3, 12, 508), pairs], dim=2)


def play(epoch, layer, channel):
    channels = nets[0].activations(crops_shown[:1], [layer])[layer].shape[1]
    yield SimpleNamespace(number=1, total=1, value=0.0, image=page(epoch, layer, channel % channels))


controls = {
    "epoch": widgets.SelectionSlider(options=list(nets), value=48),
    "layer": widgets.Dropdown(options=["relu1", "relu2", "relu3", "relu4", "relu5"], value="relu2"),
    "channel": widgets.IntSlider(value=6, min=0, max=63),
}
Panel(play, controls, live=True, title="A net growing up")
