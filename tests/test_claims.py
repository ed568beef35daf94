import numpy as np
import pytest
import torch

from cnnlab.teaching.claims import IDS, Claims


def add(claims: Claims, id: str = "A1", says: str = "the label survives", **changes: object) -> None:
    claims.row(id, says, **({"measured": "5 of 6 photos", "holds": True} | changes))


def test_a_table_of_claims_that_turn_out_as_recorded_passes_and_shows_all_that_was_said() -> None:
    claims = Claims()
    add(claims)
    add(claims, "D7", "two images <look> different", holds=False, expected=False, reason="HOG is coarse")
    claims.check()
    assert repr(claims) == (
        "A1 ✓\n   the label survives\n   5 of 6 photos\n"
        "D7 ✗ HOG is coarse\n   two images <look> different\n   5 of 6 photos"
    )
    html = claims._repr_html_()
    assert "two images &lt;look&gt; different" in html
    assert html.count("<tr>") == 3
    assert "✓" in html
    assert "✗</b> HOG is coarse" in html


@pytest.mark.parametrize(("holds", "expected"), [(False, True), (True, False)])
def test_a_claim_that_turns_out_other_than_recorded_is_named(holds: bool, expected: bool) -> None:
    claims = Claims()
    add(claims, "A2", "equal")
    add(claims, "B3", "larger structures", holds=holds, expected=expected, reason="as measured in March")
    with pytest.raises(AssertionError, match="B3.*larger structures.*5 of 6 photos") as error:
        claims.check()
    assert "A2" not in str(error.value)
    assert "recorded as" in repr(claims)


@pytest.mark.parametrize("true", [True, np.float64(2) > 1, torch.tensor(2.0) > 1, (torch.ones(2) > 0).all()])
def test_comparisons_of_numpy_and_torch_are_truth_values(true: object) -> None:
    claims = Claims()
    add(claims, holds=true)
    assert claims.rows[0].holds is True


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "A13"}, "A12"),
        ({"id": "a1"}, "id must be"),
        ({"says": " "}, "source_says"),
        ({"measured": ""}, "measured"),
        ({"holds": 0.98}, "holds"),
        ({"holds": torch.tensor([True, True])}, "holds"),
        ({"holds": torch.tensor([True])}, "holds"),
        ({"holds": torch.tensor(1)}, "holds"),
        ({"holds": "True"}, "holds"),
        ({"expected": False}, "reason"),
    ],
)
def test_a_row_that_says_too_little_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        add(Claims(), **changes)


def test_an_id_may_have_several_claims_but_none_twice() -> None:
    claims = Claims()
    add(claims)
    add(claims, says="a shifted pattern gives the same response")
    with pytest.raises(ValueError, match="already"):
        add(claims)


def test_an_empty_table_does_not_pass() -> None:
    with pytest.raises(ValueError, match="no claims"):
        Claims().check()


def test_there_are_46_ids() -> None:
    assert len(set(IDS)) == 46
    assert (IDS[0], IDS[-1]) == ("A1", "E6")
