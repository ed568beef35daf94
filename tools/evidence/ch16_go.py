"""Go: what does pooling cost, what do more epochs bring, and of which size are the groups that a net misses?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.chapters.ch16_go import Board, capturing_moves, go_boards, go_examples, go_scores, group, play
from cnnlab.training import Examples, fit, initialize, logits_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"games": 300, "exam": 150, "epochs": 16, "epochs_given": 4, "rate": 0.005}
TINY = {"games": 2, "exam": 2, "epochs": 1, "epochs_given": 1, "rate": 0.005}
WAYS = [(turns, flip) for turns in range(4) for flip in ((), (-1,))]  # the turns and mirrors of a board
SIZES = ("1", "2", "3", "4 or more")


def measure(seed: int, games: int, exam: int, epochs: int, epochs_given: int, rate: float) -> dict[str, Any]:
    """Train the chapter's three nets, and "given": the plain one with one more plane, the stones in atari.

    "precision" is the average precision after each epoch; "best point" is the share of boards where it captures, after
    the last; "recall" has, for each size of the group taken, how many captures are marked, and of how many. "ceiling"
    is the average precision of a net that knows for each 2 × 2 window how many of its points capture, and no more.
    """
    generator = Generator().manual_seed(seed)
    learned, held_out = go_boards(games, generator), go_boards(exam, generator)
    examples, asked = (with_atari(*boards) for boards in (learned, held_out))
    examples = Examples(*(torch.cat([t.rot90(k, (-2, -1)).flip(f) for k, f in WAYS]) for t in examples))
    sizes = torch.stack([taken(board, color) for board, color in zip(*held_out, strict=True)])
    found: dict[str, Any] = {"ceiling": round(ceiling(asked), 4)}
    for kind in ("plain", "enlarged", "four answers", "given"):
        planes = 4 if kind == "given" else 3
        chain = initialize(go_net(kind, planes), Generator().manual_seed(seed))
        total = epochs_given if kind == "given" else epochs
        seen = Examples(examples.images[:, :planes], examples.labels)
        run = fit(chain, seen, epochs=total, generator=Generator().manual_seed(seed), rate=rate)
        precision = []
        for step in run:
            if step.ends_stage:
                chances = logits_of(chain, asked.images[:, :planes]).softmax(1)[:, 1]
                scores = go_scores(chances, asked)
                precision.append(round(scores[0], 4))
        hits = [[int((chances[sizes == n] > 0.5).sum()), int((sizes == n).sum())] for n in range(1, 5)]
        found[kind] = {
            "precision": precision,
            "best point": round(scores[1], 4),
            "recall": dict(zip(SIZES, hits, strict=True)),
        }
    return found


def go_net(kind: str, planes: int) -> nn.Sequential:
    """Make a net of the chapter: 5 × 5, 3 × 3, 3 × 3, and, unless it is plain, a max-pool behind the first."""
    small = nn.Conv2d(24, 8 if kind == "four answers" else 2, 1)
    pool: list[nn.Module] = []
    back: list[nn.Module] = [small]
    if kind in ("enlarged", "four answers"):
        up = nn.PixelShuffle(2) if kind == "four answers" else nn.Upsample(scale_factor=2)
        pool, back = [nn.MaxPool2d(2, ceil_mode=True)], [small, up, nn.ZeroPad2d((0, -1, 0, -1))]
    middle = [nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, 24, 3, padding=1), nn.ReLU()]
    return nn.Sequential(nn.Conv2d(planes, 24, 5, padding=2), nn.ReLU(), *pool, *middle, *back)


def ceiling(exam: Examples) -> float:
    """The average precision of a net that gives each point the share of its window's points that capture."""
    share = F.avg_pool2d(exam.labels.float()[:, None], 2, ceil_mode=True)  # (N, 1, 5, 5)
    share = share + torch.linspace(0, 0.01, share.numel()).view(share.shape)  # no two windows are alike
    return go_scores(F.interpolate(share, scale_factor=2)[:, 0, :9, :9], exam)[0]


def with_atari(boards: list[Board], colors: list[int]) -> Examples:
    """Make the examples of boards with a fourth plane: 1 for each stone whose group has only one liberty."""
    examples = go_examples(boards, colors)
    stones = [[bool(stone) and len(group(board, point)[1]) == 1 for point, stone in board.items()] for board in boards]
    atari = torch.tensor(stones).float().view(len(boards), 1, 9, 9)
    return Examples(torch.cat([examples.images, atari], 1), examples.labels)


def taken(board: Board, color: int) -> Tensor:
    """Count the stones that `color` takes with a move at each point, (9, 9), 4 for more than 4."""
    sizes = torch.zeros(9, 9, dtype=torch.long)
    for point in capturing_moves(board, color):
        after = play(board, point, color)
        sizes[point] = min(4, sum(stone == -color and not after[near] for near, stone in board.items()))
    return sizes
