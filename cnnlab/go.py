"""The rules of Go in a few lines, boards made by random play, and the moves that capture.

A board is a dict from its points (row, column) to BLACK, WHITE or EMPTY: a point beside the board is no key, so no
rule needs to know the size. Rules: area rules without suicide; the simple ko is the game's business, not the board's.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor

from cnnlab.datasets import Examples

BLACK, WHITE, EMPTY = 1, -1, 0
Point = tuple[int, int]
Board = dict[Point, int]
SYMBOLS = {"X": BLACK, "O": WHITE, ".": EMPTY}


def board_from(text: str) -> Board:
    """The board drawn as rows of X (black), O (white) and . (empty); spaces between them do not count.

    Raises:
        ValueError: for another character, or rows of different lengths.
    """
    rows = ["".join(line.split()) for line in text.strip().splitlines()]
    if len({len(row) for row in rows}) != 1 or set("".join(rows)) - set(SYMBOLS):
        raise ValueError(f"text must be rows of one length of X, O and ., not {text!r}")
    return {(y, x): SYMBOLS[symbol] for y, row in enumerate(rows) for x, symbol in enumerate(row)}


def empty_board(size: int = 9) -> Board:
    """A square board without stones."""
    return {(y, x): EMPTY for y in range(size) for x in range(size)}


def neighbours(board: Board, point: Point) -> list[Point]:
    """The points above, below, left and right of it that lie on the board."""
    y, x = point
    return [near for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)) if near in board]


def group(board: Board, point: Point) -> tuple[set[Point], set[Point]]:
    """The stones connected to the one at `point`, and their liberties: the empty points beside them."""
    stones, liberties, border = {point}, set(), [point]
    while border:
        for near in neighbours(board, border.pop()):
            if board[near] == EMPTY:
                liberties.add(near)
            elif board[near] == board[point] and near not in stones:
                stones.add(near)
                border.append(near)
    return stones, liberties


def play(board: Board, point: Point, color: int) -> Board:
    """The board after `color` has put a stone on `point`: groups of the other without liberties are taken off.

    Raises:
        ValueError: for a point that is not empty, or suicide: a move after which its own group has no liberty.
    """
    if board.get(point) != EMPTY:
        raise ValueError(f"point {point} must be an empty point of the board")
    after = board | {point: color}
    for near in neighbours(after, point):
        if after[near] == -color:
            stones, liberties = group(after, near)
            if not liberties:
                after |= dict.fromkeys(stones, EMPTY)
    if not group(after, point)[1]:
        raise ValueError(f"point {point} is suicide: the new group would have no liberty")
    return after


def capturing_moves(board: Board, color: int) -> set[Point]:
    """The points where `color` captures: the last liberty of each group of the other that has only one."""
    moves: set[Point] = set()
    seen: set[Point] = set()
    for point, stone in board.items():
        if stone == -color and point not in seen:
            stones, liberties = group(board, point)
            seen |= stones
            if len(liberties) == 1:
                moves |= liberties
    return moves


def random_game(generator: Generator, size: int = 9) -> Iterator[tuple[Board, int]]:
    """A game of legal random moves, without retaking a ko: each board with the colour that is to move.

    It has 6 moves for every 7 points: then groups are large and full of holes, as they are when it gets tight.
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
    """What a net sees, (3, H, W): own stones, the other's, and 1 for every point, so that padding marks the edge."""
    rows, columns = (max(place) + 1 for place in zip(*board, strict=True))
    stones = torch.tensor(list(board.values())).view(rows, columns)
    return torch.stack([stones == color, stones == -color, torch.ones_like(stones, dtype=torch.bool)]).float()


def marked(board: Board, color: int) -> Tensor:
    """The answer, (H, W): 1 where `color` captures, else 0."""
    rows, columns = (max(place) + 1 for place in zip(*board, strict=True))
    moves = capturing_moves(board, color)
    return torch.tensor([[int((y, x) in moves) for x in range(columns)] for y in range(rows)])


def go_boards(games: int, generator: Generator, size: int = 9, per_game: int = 4) -> tuple[list[Board], list[int]]:
    """Positions of random games in which the colour to move can capture; up to `per_game` of each, far apart."""
    boards, colors = [], []
    for _ in range(games):
        found = [(b, c) for b, c in random_game(generator, size) if capturing_moves(b, c)]
        for board, color in found[:: max(1, -(-len(found) // per_game))]:
            boards.append(board)
            colors.append(color)
    return boards, colors


def go_examples(boards: Sequence[Board], colors: Sequence[int], symmetries: bool = False) -> Examples:
    """Planes (N, 3, H, W) and answers (N, H, W) of the boards; with symmetries each in its 8 turns and mirrors."""
    pairs = list(zip(boards, colors, strict=True))
    images, labels = torch.stack([planes(*p) for p in pairs]), torch.stack([marked(*p) for p in pairs])
    if not symmetries:
        return Examples(images, labels)
    ways = [(turns, flip) for turns in range(4) for flip in ((), (-1,))]
    return Examples(*(torch.cat([t.rot90(k, (-2, -1)).flip(f) for k, f in ways]) for t in (images, labels)))
