"""The rules of Go in a few lines, boards made by random play, and the moves that capture.

A board is a dict from its points (y, x), row by row, to BLACK, WHITE or EMPTY. A point outside the board is not a key,
so no rule needs to know the size. Suicide is not allowed; only a game, not a board, can know of a ko.
"""

from collections.abc import Iterator, Sequence

import torch
from sklearn.metrics import average_precision_score
from torch import Generator, Tensor

from cnnlab.training import Examples

BLACK, WHITE, EMPTY = 1, -1, 0
Point = tuple[int, int]
Board = dict[Point, int]
_SYMBOLS = {"X": BLACK, "O": WHITE, ".": EMPTY}


def board_from(text: str) -> Board:
    """Read a board from rows of X (black), O (white) and . (empty); spaces are ignored.

    Raises ValueError if there is another character, or the rows have different lengths.
    """
    rows = ["".join(line.split()) for line in text.strip().splitlines()]
    if len({len(row) for row in rows}) != 1 or set("".join(rows)) - set(_SYMBOLS):
        raise ValueError(f"text must be rows of one length of X, O and ., not {text!r}")
    return {(y, x): _SYMBOLS[symbol] for y, row in enumerate(rows) for x, symbol in enumerate(row)}


def empty_board(size: int = 9) -> Board:
    """Make a square board without stones."""
    return {(y, x): EMPTY for y in range(size) for x in range(size)}


def neighbors(board: Board, point: Point) -> list[Point]:
    """List the points above, below, left and right of a point that lie on the board."""
    y, x = point
    return [near for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)) if near in board]


def group(board: Board, point: Point) -> tuple[set[Point], set[Point]]:
    """Find the stones connected to the one at `point`, and their liberties: the empty points beside them."""
    stones, liberties, border = {point}, set(), [point]
    while border:
        for near in neighbors(board, border.pop()):
            if board[near] == EMPTY:
                liberties.add(near)
            elif board[near] == board[point] and near not in stones:
                stones.add(near)
                border.append(near)
    return stones, liberties


def play(board: Board, point: Point, color: int) -> Board:
    """Put a stone of `color` on `point`, remove the opponent's groups without liberties, and return the new board.

    Raises ValueError if the point is not empty, or the move is suicide: its own group would have no liberty.
    """
    if board.get(point) != EMPTY:
        raise ValueError(f"point {point} must be an empty point of the board")
    after = board | {point: color}
    for near in neighbors(after, point):
        if after[near] == -color:
            stones, liberties = group(after, near)
            if not liberties:
                after |= dict.fromkeys(stones, EMPTY)
    if not group(after, point)[1]:
        raise ValueError(f"point {point} is suicide: the new group would have no liberty")
    return after


def capturing_moves(board: Board, color: int) -> set[Point]:
    """Find the points where `color` captures: the last liberty of each opposing group that has only one."""
    moves, seen = set[Point](), set[Point]()
    for point, stone in board.items():
        if stone == -color and point not in seen:
            stones, liberties = group(board, point)
            seen |= stones
            if len(liberties) == 1:
                moves |= liberties
    return moves


def random_game(generator: Generator, size: int = 9) -> Iterator[tuple[Board, int]]:
    """Play legal random moves, without retaking a ko, and yield each board with the color that moves next.

    A game has 6 moves for every 7 points: then the groups are large and have few liberties.
    """
    before: Board = {}
    board, color = empty_board(size), BLACK
    for _ in range(size * size * 6 // 7):
        yield board, color
        points = list(board)
        for index in torch.randperm(len(points), generator=generator).tolist():
            try:
                after = play(board, points[index], color)
            except ValueError:
                continue
            if after != before:
                before, board = board, after
                break
        color = -color


def planes(board: Board, color: int) -> Tensor:
    """Turn a board into the net's input, (3, H, W): own stones, the opponent's stones, and 1 for every point.

    The third plane lets the net see the edge, because padding is 0 there.
    """
    stones = torch.tensor(list(board.values())).view(max(board)[0] + 1, -1)
    return torch.stack([stones == color, stones == -color, torch.ones_like(stones, dtype=torch.bool)]).float()


def marked(board: Board, color: int) -> Tensor:
    """Make the label of a board, (H, W): 1 where `color` captures, else 0."""
    moves = capturing_moves(board, color)
    return torch.tensor([int(point in moves) for point in board]).view(max(board)[0] + 1, -1)


def go_boards(games: int, generator: Generator, size: int = 9, per_game: int = 4) -> tuple[list[Board], list[int]]:
    """Collect boards of random games where the next color can capture, and these colors.

    Up to `per_game` boards come from one game, far apart in time.
    """
    pairs = []
    for _ in range(games):
        found = [(board, color) for board, color in random_game(generator, size) if capturing_moves(board, color)]
        pairs += found[:: max(1, -(-len(found) // per_game))]
    return [board for board, _ in pairs], [color for _, color in pairs]


def go_examples(boards: Sequence[Board], colors: Sequence[int], symmetries: bool = False) -> Examples:
    """Make the planes (N, 3, H, W) and labels (N, H, W) of boards; symmetries add the 8 turns and mirrors of each."""
    pairs = list(zip(boards, colors, strict=True))
    images, labels = torch.stack([planes(*p) for p in pairs]), torch.stack([marked(*p) for p in pairs])
    if not symmetries:
        return Examples(images, labels)
    ways = [(turns, flip) for turns in range(4) for flip in ((), (-1,))]
    return Examples(*(torch.cat([t.rot90(k, (-2, -1)).flip(f) for k, f in ways]) for t in (images, labels)))


def go_scores(chances: Tensor, examples: Examples) -> tuple[float, float, float]:
    """Judge the probabilities (N, H, W) that a net gives to the points: average precision, best point, its window.

    The second is the share of boards where the best empty point captures; the third, where any point of its 2 × 2
    window does.
    """
    best = chances.masked_fill(examples.images[:, :2].sum(1) > 0, -1).flatten(1).argmax(1, keepdim=True)
    windows = torch.nn.functional.max_pool2d(examples.labels.float(), 2, ceil_mode=True)
    windows = windows.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, : chances.shape[1], : chances.shape[2]]
    point, window = (marks.flatten(1).gather(1, best).float().mean().item() for marks in (examples.labels, windows))
    return float(average_precision_score(examples.labels.flatten(), chances.flatten())), point, window
