"""What the tests of the chapters' checks share."""

import re
from collections.abc import Callable

from cnnlab.teaching.checks import Check


def assert_says(check: Callable[[Callable], Check], student: Callable, said: str | None) -> None:
    """Assert that a check accepts the student's function (`said` is None), or refuses it with a message like `said`."""
    result = check(student)
    assert result.ok == (said is None), result.message
    assert said is None or re.search(said, result.message), result.message
