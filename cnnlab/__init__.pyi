# The front door: what `from cnnlab import ...` offers. lazy_loader reads this file, and so do editors and mypy.

# The core, in the order in which it is read.
from .nets import Net as Net, Normalize as Normalize, Prediction as Prediction, named as named
from .nets import weights_of as weights_of
from .images import center_crop as center_crop, crop_to as crop_to, gray as gray, noise as noise, resize as resize
from .files import load_image as load_image, save_image as save_image, to_pil as to_pil
from .objectives import Objective as Objective, channel as channel, code as code, cross_entropy as cross_entropy
from .objectives import channel_sums as channel_sums, custom as custom, energy as energy, logit as logit
from .objectives import neuron as neuron, pixel_norm as pixel_norm, total_variation as total_variation
from .parametrizations import cppn as cppn, cppn_weights as cppn_weights, pixels as pixels, spectrum as spectrum
from .transforms import blur as blur, compose as compose, jitter as jitter, wobble as wobble
from .steps import adam as adam, l2_ball as l2_ball, lbfgs as lbfgs, linf_ball as linf_ball
from .steps import normalized as normalized, plain as plain, sign as sign
from .runs import Run as Run, Step as Step
from .descent import descend as descend, gradient as gradient, score as score
from .training import Examples as Examples, accuracy as accuracy, fit as fit, initialize as initialize
from .training import logits_of as logits_of

# What nearly every chapter begins with.
from .zoo.load import load_net as load_net, untrained as untrained
from .material.photos import PHOTOS as PHOTOS, photo as photo
from .material.paintings import PAINTINGS as PAINTINGS, painting as painting
from .material.digits import affine as affine, mnist as mnist
from .techniques.dreaming import soften as soften
from .teaching.claims import Claims as Claims
from .teaching.panel import Panel as Panel
from .teaching.screen import Upload as Upload
from . import plots as plots
