"""The rules of Go hold on hand-made boards and in random games; a net sees a board from its own side."""

import pytest
import torch
from torch import Generator

from cnnlab.chapters.ch16_figures import INK, IVORY, StonePad
from cnnlab.chapters.ch16_go import (
    BLACK,
    EMPTY,
    WHITE,
    board_from,
    capturing_moves,
    empty_board,
    go_boards,
    go_examples,
    go_scores,
    group,
    marked,
    planes,
    play,
    random_game,
)


def stones(board: dict, color: int) -> set:
    return {point for point, stone in board.items() if stone == color}


def test_a_drawn_board_is_read_row_by_row() -> None:
    board = board_from("""
        X . O
        . . X
    """)
    assert board == {(0, 0): BLACK, (0, 1): EMPTY, (0, 2): WHITE, (1, 0): EMPTY, (1, 1): EMPTY, (1, 2): BLACK}
    for text in ("X . \n. X .", "X Y .", ""):
        with pytest.raises(ValueError, match="rows of one length"):
            board_from(text)


def test_groups_and_liberties() -> None:
    board = board_from("""
        . X X . O
        X O O X .
        . X O . .
        . . X O .
    """)
    assert group(board, (1, 1)) == ({(1, 1), (1, 2), (2, 2)}, {(2, 3)})
    assert group(board, (0, 1)) == ({(0, 1), (0, 2)}, {(0, 0), (0, 3)})  # diagonal stones are no group
    assert group(board, (0, 4)) == ({(0, 4)}, {(0, 3), (1, 4)})  # a corner has two neighbors
    assert capturing_moves(board, BLACK) == {(2, 3)}
    assert capturing_moves(board, WHITE) == {(3, 1)}


def test_a_capture_takes_the_whole_group_and_nothing_else() -> None:
    board = board_from("""
        . X O .
        X O O X
        . X X .
        O . . .
    """)
    after = play(board, (0, 3), BLACK)
    assert stones(after, WHITE) == {(3, 0)}
    assert stones(after, BLACK) == stones(board, BLACK) | {(0, 3)}
    assert stones(board, WHITE) == {(0, 2), (1, 1), (1, 2), (3, 0)}  # the board played on is as it was


def test_one_move_may_capture_two_groups_and_save_itself_by_it() -> None:
    board = board_from("""
        . O . O .
        . X O X .
        O . X . O
    """)
    after = play(board, (0, 2), BLACK)  # without taking (1, 2) it would be suicide
    assert after[1, 2] == EMPTY
    assert after[0, 2] == BLACK
    both = board_from("""
        O . O
        X X X
    """)
    assert stones(play(both, (0, 1), BLACK), WHITE) == set()
    assert capturing_moves(both, BLACK) == {(0, 1)}


def test_what_is_no_legal_move() -> None:
    board = board_from("""
        . O .
        O . .
    """)
    with pytest.raises(ValueError, match="suicide"):
        play(board, (0, 0), BLACK)
    assert play(board, (0, 0), WHITE)[0, 0] == WHITE  # it connects
    for point in ((0, 1), (5, 5)):
        with pytest.raises(ValueError, match="empty point"):
            play(board, point, BLACK)


def test_in_random_games_every_group_has_a_liberty_and_no_ko_is_retaken() -> None:
    boards = [board for board, _ in random_game(Generator().manual_seed(0), size=5)]
    assert boards[0] == empty_board(5)
    for board in boards:
        assert all(group(board, point)[1] for point, stone in board.items() if stone)
    assert all(a != c for a, c in zip(boards, boards[2:], strict=False))
    again = [board for board, _ in random_game(Generator().manual_seed(0), size=5)]
    assert boards == again


def test_a_capturing_move_is_one_after_which_the_other_has_fewer_stones() -> None:
    for seed in range(3):
        for board, color in list(random_game(Generator().manual_seed(seed), size=6))[6::4]:
            found = set()
            for point in stones(board, EMPTY):
                try:
                    after = play(board, point, color)
                except ValueError:
                    continue
                if len(stones(after, -color)) < len(stones(board, -color)):
                    found.add(point)
            assert capturing_moves(board, color) == found


def test_planes_are_seen_from_the_side_to_move() -> None:
    board = board_from("""
        X O .
        . . O
    """)
    black, white = planes(board, BLACK), planes(board, WHITE)
    assert black.shape == (3, 2, 3)
    assert black[0].tolist() == [[1, 0, 0], [0, 0, 0]]
    assert torch.equal(black[0], white[1])
    assert torch.equal(black[1], white[0])
    assert bool(black[2].all())
    assert marked(board, WHITE).tolist() == [[0, 0, 0], [1, 0, 0]]


def test_symmetries_turn_the_answers_with_the_boards() -> None:
    boards, colors = go_boards(2, Generator().manual_seed(0), size=5)
    plain, turned = go_examples(boards, colors), go_examples(boards, colors, symmetries=True)
    assert plain.images.shape == (len(boards), 3, 5, 5)
    assert len(turned.labels) == 8 * len(boards)
    assert bool(plain.labels.flatten(1).any(1).all())  # each board has a capture
    turns = zip(turned.images[:: len(boards)], turned.labels[:: len(boards)], strict=True)  # of the first board
    assert len({(*image.flatten().tolist(), *answer.flatten().tolist()) for image, answer in turns}) == 8
    for image, answer in zip(turned.images, turned.labels, strict=True):
        board = {(y, x): int(image[0, y, x] - image[1, y, x]) for y in range(5) for x in range(5)}
        assert torch.equal(marked(board, BLACK), answer)


def test_marks_are_judged_by_the_best_empty_point_and_its_window() -> None:
    board = board_from("X O . .\n. X . .\n. . . .\n. . . .")
    exam = go_examples([board], [BLACK])  # Black captures at (0, 2)
    sure = exam.labels.float()
    assert go_scores(sure, exam) == (1, 1, 1)
    beside = torch.zeros(1, 4, 4)
    beside[0, 1, 3], beside[0, 0, 0] = 0.5, 0.9  # a point of the same window; a stone
    assert go_scores(beside, exam)[1:] == (0, 1)
    far = torch.zeros(1, 4, 4)
    far[0, 3, 0] = 0.5
    assert go_scores(far, exam)[1:] == (0, 0)
    assert go_scores(far, exam)[0] < 0.1


def test_a_click_puts_black_then_white_then_nothing() -> None:
    pad = StonePad("...\n.O.")
    for _ in range(2):
        pad.points[1].click()
    pad.points[5].click()
    pad.points[4].click()
    assert pad.value == ".O.\n..X"
    assert [button.description for button in pad.points] == list("·●···●")
    assert pad.points[1].style.text_color == IVORY
    assert pad.points[5].style.text_color == INK
