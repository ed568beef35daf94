import numpy as np
import pytest
import torch

from cnnlab.teaching.claims import IDS, MIME, Claims, counted

SAID = {"source": "notes, 'Why CNN'", "criterion": "at least 5 of 6", "n": "6 photographs", "control": "chance: 1 of 6"}


def add(claims: Claims, id: str = "A1", says: str = "the label survives", **changes: object) -> None:
    claims.row(id, says, **(SAID | {"measured": "5 of 6 photographs", "holds": True} | changes))


def test_a_table_of_claims_that_turn_out_as_recorded_passes_and_shows_all_that_was_said() -> None:
    claims = Claims()
    add(claims)
    add(claims, "D7", "two images <look> different", source="ours", holds=False, expected=False, reason="HOG is coarse")
    claims.row("C4", "renormalisation helps", source="paper, section 3", holds=None, reason="it takes 70 epochs")
    claims.check()
    text = repr(claims)
    assert "A1 ✓\n   the label survives [notes, 'Why CNN']\n   holds if: at least 5 of 6\n" in text
    assert "measured: 5 of 6 photographs\n   n: 6 photographs; control: chance: 1 of 6\n" in text
    assert "D7 ✗ HOG is coarse\n   two images <look> different [ours]" in text
    assert text.endswith("C4 not tested it takes 70 epochs\n   renormalisation helps [paper, section 3]")
    data = claims._repr_mimebundle_()
    html = data["text/html"]
    assert data["text/plain"] == text
    assert "two images &lt;look&gt; different" in html
    assert html.count("<tr>") == 4
    verdicts = ">✓</b>", ">✗</b> HOG is coarse", ">not tested</b> it takes 70"
    for words in (*SAID.values(), "5 of 6 photographs", *verdicts):
        assert words.replace("'", "&#x27;") in html, words
    assert [row["holds"] for row in data[MIME]] == [True, False, None]
    assert data[MIME][0].items() >= (SAID | {"id": "A1", "claim": "the label survives"}).items()


@pytest.mark.parametrize(("holds", "expected"), [(False, True), (True, False)])
def test_a_claim_that_turns_out_other_than_recorded_is_named(holds: bool, expected: bool) -> None:
    claims = Claims()
    add(claims, "A2", "equal")
    add(claims, "B3", "larger structures", holds=holds, expected=expected, reason="as measured in March")
    with pytest.raises(AssertionError, match="B3.*larger structures.*5 of 6 photographs") as error:
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
        ({"says": " "}, "claim"),
        ({"source": ""}, "source"),
        ({"criterion": ""}, "criterion"),
        ({"measured": ""}, "measured"),
        ({"measured": "each above the digits"}, "measured.*no number"),
        ({"n": ""}, "n of A1"),
        ({"n": "all photographs"}, "n of A1.*no number"),
        ({"control": ""}, "control"),
        ({"holds": 0.98}, "holds"),
        ({"holds": torch.tensor([True, True])}, "holds"),
        ({"holds": torch.tensor([True])}, "holds"),
        ({"holds": torch.tensor(1)}, "holds"),
        ({"holds": "True"}, "holds"),
        ({"expected": False}, "reason"),
        ({"holds": None}, "reason"),
    ],
)
def test_a_row_that_says_too_little_is_refused(changes: dict, message: str) -> None:
    claims = Claims()
    with pytest.raises(ValueError, match=message):
        add(claims, **changes)
    assert not claims.rows


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


@pytest.mark.parametrize(("hits", "of"), [(12, 16), (0, 10), (10, 10), (torch.tensor(3), 7)])
def test_a_count_has_wilsons_interval(hits: int, of: int) -> None:
    share, z = float(hits) / of, 1.959964
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * (share * (1 - share) / of + z**2 / (4 * of**2)) ** 0.5
    low, high = max(0, middle - half), min(1, middle + half)
    assert counted(hits, of) == f"{int(hits)} of {of} (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"


@pytest.mark.parametrize(("hits", "of"), [(-1, 3), (4, 3), (0, 0)])
def test_a_count_that_cannot_be_is_refused(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        counted(hits, of)
