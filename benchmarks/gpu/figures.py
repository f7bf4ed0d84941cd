"""What a comparison found: a number, with the bound that it must keep."""

from pydantic import BaseModel, ConfigDict
from torch import Tensor


class Figure(BaseModel):
    """One number; without a bound it is for information."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    name: str
    """Says what was compared, and in which unit the value is."""
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bounds; NaN keeps none."""
        # Written so that every comparison with NaN, which is false, counts as a failure.
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return above and below

    def __str__(self) -> str:
        bounds = [
            f"at {which} {bound:g}"
            for which, bound in (("least", self.at_least), ("most", self.at_most))
            if bound is not None
        ]
        verdict = ("ok" if self.holds else "WRONG") if bounds else "--"
        return f"{verdict:>5}  {self.name}: {self.value:.6g}" + (f" ({', '.join(bounds)})" if bounds else "")


def share(condition: Tensor) -> float:
    """Return the share of true elements, 0 to 1, of a tensor (...,) of bools; NaN where it has no elements."""
    return float(condition.double().mean())


def largest(difference: Tensor) -> float:
    """Return the largest absolute value of (...,); NaN where it has no elements or one of them is NaN."""
    return float(difference.abs().max()) if difference.numel() else float("nan")


def quantile(difference: Tensor, q: float) -> float:
    """Return the q-quantile, 0 to 1, of the absolute values of (...,), NaN being the largest; NaN where it has no elements."""
    # By sorting: torch's own quantile takes no more than 16 million values.
    ordered = difference.abs().flatten().sort().values
    return float(ordered[min(int(q * len(ordered)), len(ordered) - 1)]) if len(ordered) else float("nan")
