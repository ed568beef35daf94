"""Networks: their chains, their trained weights, and `load_net`, which gives them by name."""
