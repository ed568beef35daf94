"""A run is an iterator of steps. The progress bar, the live panel, the movie writer and the benchmark consume the same.

for step in run: ...        # or: image = run.finish()
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """The record of one step of a run. The image belongs to the run: `run.image`.

    Attributes:
        number: 1 for the first step.
        total: how many steps the run has.
        value: the objective before this step, the mean over the batch.
        stage: the octave, the frame of a movie or the epoch, from 0.
        ends_stage: whether it is the last step of its stage.
    """

    number: int
    total: int
    value: float
    stage: int = 0
    ends_stage: bool = False


class Run(Iterator[Step]):
    """An iterator of steps that owns the image. Leave it at any step: `run.image` and `run.best` keep the work so far.

    Args:
        steps: makes the steps, one at a time.
        total: how many there will be.
        image: gives the image after the last step taken, (B, C, H, W) in [0, 1].
        best: gives the image with the lowest objective so far; None means `image`.

    Attributes:
        total: how many steps the run has.
        last: the last step taken; None before the first.
        values: the objective at each step taken so far.
    """

    def __init__(
        self, steps: Iterator[Step], total: int, image: Callable[[], Tensor], best: Callable[[], Tensor] | None = None
    ):
        self._steps, self.total, self._image, self._best = steps, total, image, best or image
        self.last: Step | None = None
        self.values: list[float] = []

    def __len__(self) -> int:
        return self.total

    def __next__(self) -> Step:
        self.last = next(self._steps)
        self.values.append(self.last.value)
        return self.last

    @property
    def image(self) -> Tensor:
        """The image so far, (B, C, H, W) in [0, 1]. Later steps do not change it."""
        return self._image()

    @property
    def best(self) -> Tensor:
        """The image with the lowest objective so far, (B, C, H, W) in [0, 1]."""
        return self._best()

    def finish(self, progress: bool = True) -> Tensor:
        """Take all remaining steps, behind a progress bar, and give the image. Ctrl-C gives the best image so far."""
        from tqdm.auto import tqdm

        try:
            for _ in tqdm(self, leave=False, disable=not progress):
                pass
        except KeyboardInterrupt:
            return self.best
        return self.image
