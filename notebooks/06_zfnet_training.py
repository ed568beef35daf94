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
    alikeness, beyond_nyquist, difference_hash, hide, jpeg, probe, sign_distance, thumbnails,
)  # fmt: skip
# %% slideshow={"slide_type": "skip"} tags=["setup"]
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
# **What to see.** The race is there: four filters of 32 gather a third. But at our size, and with inputs of variance 1, no filter
# gets as far as 0.1, and the paper's rule never acts. Halve the radius and it does: the curve is cut off, and the energy
# is shared. (The paper's inputs run from -128 to 128: gradients of the first layer are larger by as much.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4. Which layers learn first?
#
# The paper shows pictures: low layers settle within a few epochs, high ones after 40 to 50. We measure. Give the same 240 crops to
# the net of epoch *e* and to the finished one. For each layer: which crops does it find alike? That is the matrix of inner products
# $K = A A^{\top}$ of the crops' (centred) activations. The cosine of two such matrices is called **CKA**:
#
# $$ \text{CKA}(e) = \frac{\sum_{ij} K^{(e)}_{ij} K^{(48)}_{ij}}{\lVert K^{(e)} \rVert \, \lVert K^{(48)} \rVert} $$
#
# **Predict:** which layer passes 0.9 first, and which last?

# %% slideshow={"slide_type": "fragment"}
crops_shown = held_out.images[:240]
answers = {epoch: nets[epoch].activations(crops_shown, layers) for epoch in EPOCHS}
settled = {layer: [alikeness(answers[e][layer], answers[48][layer]) for e in EPOCHS] for layer in layers}
plots_zfnet.show_lines(EPOCHS, settled, "epoch", "likeness (CKA) to epoch 48", log=True)

# %% tags=["nbval-check-output"]
settles = {
    layer: next(e for e, likeness in zip(EPOCHS, settled[layer], strict=True) if likeness > 0.9) for layer in layers
}
early = {layer: sum(settled[layer][:4]) / 4 for layer in layers}  # mean over epochs 1, 2, 4, 8
print("first checkpoint beyond 0.9:", settles)

# %% [markdown]
# **What to see.** A staircase. The first layer is nearly done after 4 epochs, when the net still errs in three crops of four. The
# middle follows, the dense layers come last. Why this order? A high layer cannot settle before what it reads has settled.
#
# ### The same in pictures
#
# For one channel: which crop excites it most, and what in that crop? The projection is chapter 05's deconvnet.


# %%
def favourites(each, layer, channel, count=4):  # -> crops and projections (count, 3, 64, 64)
    maps = each.activations(crops_shown, [layer])[layer][:, channel]  # (240, h, w)
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


plots.show(evolution("relu2", 9), columns=4, height=2, title="relu2, channel 9")

# %% slideshow={"slide_type": "fragment"}
plots.show(evolution("relu5", 7), columns=4, height=2, title="relu5, channel 7")

# %% [markdown]
# **What to see.** The low channel knows early what it likes. The high one jumps: at another epoch quite other crops excite it
# most. The paper reports the same jumps. Counted: how many of a channel's nine favourites after epoch 8 are still among
# its nine after epoch 48, in the mean over the channels?


# %% tags=["nbval-check-output"]
def top_nine(maps):  # (B, C, h, w) -> which crops are among the nine favourites of each channel, bool (B, C)
    strength = maps.flatten(2).amax(dim=2)
    return strength >= strength.topk(9, dim=0).values[-1]


kept = {}
for layer in layers[:5]:
    then, now = (top_nine(answers[epoch][layer]) for epoch in (8, 48))
    kept[layer] = (then & now).sum(dim=0).float().clamp(max=9).mean().item()
print({layer: f"{count:.0f} of 9" for layer, count in kept.items()})

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


medians = [shares.median().item() for shares in alias.values()]
dead = {name: int((strength(each) < 0.02).sum()) for name, (each, _) in both.items()}
first_layer = {name: accuracy(each.chain, held_out) for name, (each, _) in both.items()}
print({name: f"{shares.median():.0%} beyond Nyquist" for name, shares in alias.items()})
print(f"dead: {dead}; accuracy: { {name: f'{share:.1%}' for name, share in first_layer.items()} }")

# %% [markdown]
# **What to see.** The aliasing is as the paper says, and large. Dead filters neither net has. And the accuracy?
# The smaller filters end four points higher, at twice the cost of a step; after 32 epochs the two were still level. On crops of
# 64 pixels, that is; what the smaller filters see more of, fine texture, has to be worth it.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6. Taking parts away
#
# Eight nets, each trained for 24 epochs by the same recipe. **Predict:** rank "without the dense layers", "dense layers
# three times as wide" and "middle convolutions twice as wide", before you look.

# %%
removed = ["without conv3, conv4", "without fc6, fc7", "without all four", "fc6, fc7 a third", "fc6, fc7 threefold"]
removed += ["conv3 .. conv5 halved", "conv3 .. conv5 doubled"]
ablated = {"as it is": nets[24]} | {name: trained_zfnet(name) for name in removed}
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
# **What to see.** The *width* of the dense layers matters little, a few points to either side: as the paper says. The middle convolutions matter more,
# the wider the better: as the paper says. But the gap between learned and held-out crops does not grow with them: no overfitting yet.
# And a surprise: *without* dense layers the net is best of all. Dropout on a narrow dense layer makes it slow, and to tell textures
# apart there is little to combine. A result about architectures is a result about a task, a size and a training time.

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


# %%
whole = features(faces)
changes = {}  # hidden part -> layer -> the changes, (50, ...)
for name, images in hidden.items():
    now = features(images)
    changes[name] = {layer: whole[layer] - now[layer] for layer in depths}


def by_layer(distance):  # hidden part -> the mean distance over the ten groups of five, layer by layer
    means = {
        name: [[distance(five) for five in of[layer].split(5)] for layer in depths] for name, of in changes.items()
    }
    return {name: torch.tensor(groups).mean(dim=1).tolist() for name, groups in means.items()}


# %% slideshow={"slide_type": "fragment"}
means = by_layer(sign_distance)
plots_zfnet.show_lines(depths, means, "layer", "distance of the signs")

# %% [markdown]
# In the middle the curves meet. One reason: behind a ReLU most features do not change at all, and "0 and 0" counts as agreement. So
# count only features that change in at least one of the two faces.


# %%
def among_changed(changes):  # (faces, ...) -> the share of differing signs among the features that change
    signs = changes.flatten(1).sign()
    differ, changed = signs[:, None] != signs, (signs[:, None] != 0) | (signs != 0)  # (faces, faces, features)
    pairs = torch.triu_indices(len(signs), len(signs), 1)
    return (differ.sum(2) / changed.sum(2).clamp(min=1))[pairs[0], pairs[1]].mean().item()


sharper = by_layer(among_changed)
plots_zfnet.show_lines(depths, sharper, "layer", "distance among what changes")

# %% [markdown]
# **What to see.** (1) As the paper says, the same part changes the features more alike than random places do; counted this way, in every layer. (2)
# The control is sobering: *any* one place does nearly as well as an eye. In faces that are aligned, the same place means the
# same neurons, and that is most of what this measure sees. Only in the last layer are the eyes ahead of the control, by a hair.
# An experiment without a control proves less than it seems.

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
plots_zfnet.show_lines(list(imagenet), by_kind, "what SqueezeNet's layers know", "accuracy")

# %% slideshow={"slide_type": "fragment"}
by_kind_own = {kind: [scores[kind] for scores in own.values()] for kind in ("SVM", "softmax")}
plots_zfnet.show_lines(list(own), by_kind_own, "what our ZF-net's layers know", "accuracy")

# %% [markdown]
# **What to see.** Ten examples of each are enough for a linear classifier, if the features are good: from pixels less than half, from the
# middle layers three quarters. In our own net it goes up nearly to the end. In SqueezeNet it goes up to fire7, and then *down*:
# fire9 speaks in ImageNet's objects, and a piece of gravel is none. Deeper is better as long as the task stays the same.

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
# **What to see.** The copies are "recognised" nearly always: it has learned them by heart. They lift the test from 77 % to 80 %, and taking out the
# suspects brings it back. The thumbnails beat the hash because a plain sky has no "darker to the right": its bits are
# noise. The last bar is the trap of section 1: *new* windows of regions it knows are no copies, and flatter as much as if they were.

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
# Mirrored or upside down it hardly minds (it was trained on mirrored crops, and textures have no top). Without colours it
# loses much; and yet far more than guessing is left: the edges.

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

# %%
plots.show(page(16, "relu3", 5), height=4.2)

# %% [markdown]
# <details><summary>What to find</summary>
#
# (1) About epoch 8. (2) Most of relu2 qualifies; for relu5 nearly every channel does. (3) They like what is bright and
# rich in contrast: a random filter answers to energy, whatever its pattern.
#
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the source says, what we measured

# %%
claims.row(
    "C4", "SGD by this recipe trains a ZF-net.", holds=final > 0.7,
    measured=f"16 photographs, regions never seen: about {round(20 * final) / 20:.0%} right; guessing gives 6 %",
)  # fmt: skip
claims.row(
    "C4", "All weights begin at 1e-2.", holds=by_start["1e-2 throughout"] > 0.1, expected=False,
    measured=f"{by_start['1e-2 throughout']:.0%} right, guessing; only the first layer so: {by_start['small first layer']:.0%}",
    reason="Our layers are eight times narrower: 1e-2 dims the signal by 5 in each.",
)  # fmt: skip
claims.row(
    "C4", "Renormalising above RMS 1e-1 keeps a few filters from taking over.", holds=largest_rms(net) >= 0.0999,
    measured=f"the largest RMS is {largest_rms(net):.2f}: the rule never acts", expected=False,
    reason="Our inputs have variance 1; the paper's run from -128 to 128, and drive the filters harder.",
)  # fmt: skip
claims.row(
    "C4", "... and with a radius that the filters reach, it does.", holds=strongest_four(tight) < 0.7 * four[6],
    measured=f"radius 5e-2: the strongest 4 of 32 hold {strongest_four(tight):.0%} instead of {four[6]:.0%}",
)  # fmt: skip

# %%
low, high = early["relu1"], (early["relu6"] + early["relu7"]) / 2
middle = sum(early[f"relu{number}"] for number in (2, 3, 4, 5)) / 4
claims.row(
    "C5", "Low layers settle early, high layers late.", holds=low > middle + 0.1 > high + 0.1,
    measured="likeness (CKA) to the finished layer, mean of epochs 1 to 8: "
    f"{low:.2f} first layer, {middle:.2f} middle layers, {high:.2f} dense layers",
)  # fmt: skip
claims.row(
    "C5", "Features of high layers jump to other images.", holds=kept["relu1"] > kept["relu5"] + 1,
    measured=f"favourites kept from epoch 8 to 48: {kept['relu1']:.0f} of 9 in relu1, {kept['relu5']:.0f} of 9 in relu5",
)  # fmt: skip
claims.row(
    "C7", "7×7 stride 2 aliases less than 11×11 stride 4.", holds=medians[0] < medians[1] / 2,
    measured=f"median share of energy beyond Nyquist: {medians[0]:.0%} against {medians[1]:.0%}",
)  # fmt: skip

# %%
claims.row(
    "C7", "... and has fewer dead filters.", holds=dead["7×7 stride 2"] < dead["11×11 stride 4"], expected=False,
    measured=f"{list(dead.values())} of 32", reason="Neither has any: nets this small use all that they have.",
)  # fmt: skip
claims.row(
    "C7", "... and classifies better.", holds=first_layer["7×7 stride 2"] > first_layer["11×11 stride 4"] + 0.02,
    measured=" against ".join(f"{share:.0%}" for share in first_layer.values()) + ", 48 epochs each",
)  # fmt: skip
dense = [tested[name] for name in ("fc6, fc7 a third", "as it is", "fc6, fc7 threefold")]
widths = [tested[name] for name in ("conv3 .. conv5 halved", "as it is", "conv3 .. conv5 doubled")]
shown = [" ".join(f"{share:.0%}" for share in shares) for shares in (dense, widths)]
claims.row(
    "C10", "The sizes of the dense layers matter little, of the middle convolutions more.",
    holds=max(dense) - min(dense) < 0.06 < max(widths) - min(widths) and widths == sorted(widths),
    measured=f"a third, as it is, threefold: {shown[0]}; halved, as it is, doubled: {shown[1]}",
)  # fmt: skip

# %%
gap = {name: known - new for name, (known, new) in table.items()}
claims.row(
    "C10", "Larger middle layers overfit.", holds=gap["conv3 .. conv5 doubled"] > gap["as it is"] + 0.02, expected=False,
    measured=f"from learned to held-out crops: {gap['conv3 .. conv5 doubled']:.0%}; as it is {gap['as it is']:.0%}",
    reason="Each crop looks different at every visit, and 24 epochs are few: nothing is learned by heart.",
)  # fmt: skip
bare = {name: tested[name] for name in ("as it is", "without fc6, fc7", "without all four")}
claims.row(
    "C10", "Without dense layers a little worse, without middle ones as well much worse.", expected=False,
    holds=bare["without all four"] < bare["without fc6, fc7"] < bare["as it is"],
    measured=", ".join(f"{name} {share:.0%}" for name, share in bare.items()),
    reason="Textures need little combining, and dropout on 96 neurons slows the learning.",
)  # fmt: skip

# %%
eyes_and_nose = [sum(means[part][i] for part in parts) / 3 for i in range(6)]
below = sum(own < other for own, other in zip(eyes_and_nose, means["random places"], strict=True))
claims.row(
    "C9", "Hiding the same part changes features more alike than random places do, in every layer.",
    holds=below == 6, expected=False, measured=f"in {below} of 6 layers",
    reason="Behind a ReLU most features stay 0, which counts as agreement wherever the part lies.",
)  # fmt: skip
eyes_and_nose = [sum(sharper[part][i] for part in parts) / 3 for i in range(6)]
pairs = {name: list(zip(eyes_and_nose, sharper[name], strict=True)) for name in ("random places", "one random place")}
claims.row(
    "C9", "... among the features that change.", holds=all(own < other for own, other in pairs["random places"]),
    measured="in all 6: " + ", ".join(f"{own:.2f} < {other:.2f}" for own, other in pairs["random places"]),
)  # fmt: skip

# %%
claims.row(
    "C9", "It is the part that corresponds, not only its place.", expected=False,
    holds=all(own < other - 0.02 for own, other in pairs["one random place"]),
    measured="same part, same random place: " + ", ".join(f"{a:.2f} {b:.2f}" for a, b in pairs["one random place"]),
    reason="The faces are aligned: the same place means the same neurons. The paper has no such control.",
)  # fmt: skip
best = {name: max(scores.values()) for name, scores in (own | imagenet).items()}  # of the two classifiers
claims.row(
    "C11", "The more layers are kept, the better a linear classifier does.",
    holds=best["pixels"] < best["pool1"] < best["pool3"] < best["fire7"] and best["relu1"] < best["relu3"] < best["relu6"],
    measured=", ".join(f"{name} {best[name]:.0%}" for name in ("pixels", "pool1", "pool3", "fire7"))
    + "; " + ", ".join(f"{name} {best[name]:.0%}" for name in ("relu1", "relu3", "relu6")),
)  # fmt: skip

# %%
claims.row(
    "C11", "... to the very last layer, on a task that is not the net's own.", holds=best["fire9"] >= best["fire7"],
    expected=False, measured=f"fire9 {best['fire9']:.0%} against fire7 {best['fire7']:.0%}",
    reason="The last layers speak in ImageNet's objects; pieces of gravel, brick and sky are none.",
)  # fmt: skip
claims.row(
    "C12", "Images that are in both sets can be found.", holds=by_thumbnail[0] > 0.85 and by_thumbnail[1] < 0.1,
    measured=f"{by_thumbnail[0]:.0%} of 100 disguised copies, {by_thumbnail[1]:.0%} false alarms",
)  # fmt: skip
collected_share, cleaned_share, _, true_share, _ = flattered.values()
claims.row(
    "C12", "They flatter the net; without them the test is honest.",
    holds=collected_share > true_share + 0.02 and abs(cleaned_share - true_share) < 0.025,
    measured=f"{collected_share:.0%} with them, {cleaned_share:.0%} without, {true_share:.0%} in truth",
)  # fmt: skip

# %% tags=["nbval-check-output"]
claims

# %% slideshow={"slide_type": "skip"}
claims.check()

# %% [markdown] slideshow={"slide_type": "skip"}
# ## Exercises
#
# Fill in the function, run its cell and the next: the check compares on input you have not seen, and says what is wrong.
#
# ### 1. One step with momentum (★, 10 minutes)
#
# Write the update of section 2. The velocity begins at 0; after each step it is handed back for the next.


# %% slideshow={"slide_type": "skip"} tags=["exercise"]
def momentum_step(weights, grad, velocity, rate, momentum):
    """Tensors of one shape -> the new (weights, velocity)."""
    raise NotImplementedError


# %% slideshow={"slide_type": "skip"} tags=["check"]
checks.check_momentum_step(momentum_step)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Hint</summary>
#
# First the velocity, then the weights with the *new* velocity. No `+=`: that would change the arguments.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def momentum_step(weights, grad, velocity, rate, momentum):
#     velocity = momentum * velocity + grad
#     return weights - rate * velocity, velocity
# ```
#
# With a steady gradient the velocity grows to grad / (1 - momentum): a momentum of 0.9 makes the steps ten times as long.
#
# </details>
#
# ### 2. Renormalise (★★, 10 minutes)
#
# Scale down the filters whose RMS exceeds the radius, each by itself. Mind the filter that is all zeros.


# %% slideshow={"slide_type": "skip"} tags=["exercise"]
def renormalize(filters, radius):
    """(F, C, h, w) -> (F, C, h, w)."""
    raise NotImplementedError


# %% slideshow={"slide_type": "skip"} tags=["check"]
checks.check_renormalize(renormalize)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Hint</summary>
#
# `filters.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()` keeps three dimensions of size 1, ready to be multiplied with. Clamp the factor.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def renormalize(filters, radius):
#     size = filters.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
#     return filters * (radius / size).clamp(max=1)
# ```
#
# For a filter of zeros radius / 0 is infinite, and clamped to 1.
#
# </details>
#
# ### 3. The distance of correspondence (★★, 15 minutes)
#
# Write $\Delta$ of section 7: over all pairs of images, the mean share of features whose changes have different signs.


# %% slideshow={"slide_type": "skip"} tags=["exercise"]
def sign_distance(changes):
    """(images, features) -> a number in [0, 1]."""
    raise NotImplementedError


# %% slideshow={"slide_type": "skip"} tags=["check"]
checks.check_sign_distance(sign_distance)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Hint</summary>
#
# `signs[:, None] != signs` compares every image with every other, itself included. Each pair counts once: i < j.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def sign_distance(changes):
#     signs = changes.sign()
#     differ = (signs[:, None] != signs).float().mean(dim=2)  # (images, images), 0 on the diagonal
#     number = len(signs)
#     return differ.sum().item() / (number * (number - 1))
# ```
#
# </details>
#
# ### 4. A detective of duplicates (★★, 20 minutes)
#
# Which of `images` is a copy of one of `others`, perhaps in another light? Compare thumbnails: mean colours of a 16 × 16 grid,
# for each colour without its mean, all scaled to length 1; two are copies when their product reaches the threshold.


# %% slideshow={"slide_type": "skip"} tags=["exercise"]
def near_duplicates(images, others, threshold):
    """(B, C, H, W), (N, C, H, W) -> bool (B,)."""
    raise NotImplementedError


# %% slideshow={"slide_type": "skip"} tags=["check"]
checks.check_near_duplicates(near_duplicates)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Hint</summary>
#
# `F.adaptive_avg_pool2d(images, 16)`, then `flatten(2)`, minus the mean over the last dimension, then `F.normalize` of all
# numbers of an image. A matrix product compares all with all.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def near_duplicates(images, others, threshold):
#     def thumbnail(x):
#         small = F.adaptive_avg_pool2d(x, 16).flatten(2)  # (B, C, 256)
#         return F.normalize((small - small.mean(dim=2, keepdim=True)).flatten(1))
#
#     return (thumbnail(images) @ thumbnail(others).T).amax(dim=1) >= threshold
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Summary
#
# - A ZF-net, small, by the paper's recipe: noise becomes edges and colour blobs. He's start classifies as well and stays ugly.
# - Checkpoints make learning visible: **low layers settle first**, because high ones build on them.
# - 7×7 with stride 2 **aliases** a third as much as 11×11 with stride 4, and ends higher.
# - Ablations depend on task, size and time: width matters as the paper says; dense layers turn out to be dispensable.
# - The signs of changes correspond; a **control** shows that in aligned faces the place does most of it.
# - Features grow more useful with depth, until they speak of another task.
# - **Copies** in the test flatter, and so do new crops of old places: hold out regions.
#
# **Next:** from features back to pictures.
