"""Matches by LighterGlue: LightGlue, made smaller, for the descriptors of XFeat.

Lindenberger, Sarlin and Pollefeys, "LightGlue: Local Feature Matching at Light Speed", ICCV 2023.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from recon_worker.stages.learned_matching.weights import load_weights
from recon_worker.stages.learned_matching.xfeat import Features

LAYERS = 6
WIDTH = 96

LEAST_CONFIDENCE = 0.1
"""Of a match, 0 to 1."""

LEAST_MATCHABLE = 0.05
"""Probability, after any layer, that a feature has a match in the other photo; the authors of XFeat use the same."""


@dataclass(frozen=True)
class _Points:
    """Features of a photo that may still have a match."""

    numbers: Tensor
    """(n,) of the photo's features."""
    state: Tensor
    """(n, 96)"""
    cosine: Tensor
    """(n, 48) of the angles that each feature's place turns its queries and keys by."""
    sine: Tensor
    """(n, 48)"""

    def chosen(self, rows: Tensor) -> "_Points":
        """Return some of them, (m,) rows."""
        return _Points(self.numbers[rows], self.state[rows], self.cosine[rows], self.sine[rows])

    def turned(self, x: Tensor) -> Tensor:
        """Turn each two neighbouring channels of (n, 96) by an angle of their own (rotary encoding)."""
        even, odd = x[:, 0::2], x[:, 1::2]
        both = (even * self.cosine - odd * self.sine, odd * self.cosine + even * self.sine)
        return torch.stack(both, dim=-1).flatten(-2)


class LighterGlue:
    """The network, with its weights."""

    def __init__(self, device: torch.device) -> None:
        """Load the weights."""
        weights = load_weights("xfeat-lighterglue.pt")
        prefix = "matcher."
        self._weights = {
            name.removeprefix(prefix): tensor.to(device) for name, tensor in weights.items() if name.startswith(prefix)
        }

    def __call__(self, one: Features, other: Features, one_px: tuple[int, int], other_px: tuple[int, int]) -> Tensor:
        """Return the matches of two photos of those sizes (width, height): (m, 2) numbers of features of each."""
        x, y = self._begin(one, one_px), self._begin(other, other_px)
        for number in range(LAYERS):
            layer = f"transformers.{number}"
            x = replace(x, state=self._look_around(f"{layer}.self_attn", x))
            y = replace(y, state=self._look_around(f"{layer}.self_attn", y))
            across = self._look_across(f"{layer}.cross_attn", x.state, y.state)
            x, y = (replace(photo, state=state) for photo, state in zip((x, y), across, strict=True))
            if number < LAYERS - 1:
                x, y = self._matchable(number, x), self._matchable(number, y)
            if not (len(x.numbers) and len(y.numbers)):
                return torch.empty((0, 2), dtype=torch.long, device=x.numbers.device)
        row, column = _mutual(self._confidence(x.state, y.state)).unbind(-1)
        return torch.stack((x.numbers[row], y.numbers[column]), dim=-1)

    def _begin(self, photo: Features, size_px: tuple[int, int]) -> "_Points":
        numbers = torch.arange(len(photo.places), device=photo.places.device)
        return _Points(numbers, self._linear("input_proj", photo.descriptors), *self._rotation(photo.places, size_px))

    def _matchable(self, layer: int, points: "_Points") -> "_Points":
        """Return the points that may still have a match after a layer: the others cost time, and others attend to them in vain."""
        matchable = self._linear(f"log_assignment.{layer}.matchability", points.state)[:, 0].sigmoid()
        return points.chosen((matchable > LEAST_MATCHABLE).nonzero()[:, 0])

    def _rotation(self, places: Tensor, size_px: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the cosines and sines, (n, 48), of the angles that each feature's place turns its queries and keys by."""
        size = torch.tensor(size_px, device=places.device)
        normal = (places - size / 2) / (size.max() / 2)
        angles = normal @ self._weights["posenc.Wr.weight"].T
        return angles.cos(), angles.sin()

    def _look_around(self, name: str, points: "_Points") -> Tensor:
        """Let each feature of a photo attend to the others of the same photo; return their states, (n, 96)."""
        query, key, value = self._linear(f"{name}.Wqkv", points.state).view(-1, WIDTH, 3).unbind(-1)
        found = _attend(points.turned(query), points.turned(key), value)
        return self._with(name, points.state, self._linear(f"{name}.out_proj", found))

    def _look_across(self, name: str, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Let each feature of a photo, (n, 96) and (m, 96), attend to those of the other photo."""
        (key_x, value_x), (key_y, value_y) = (
            (self._linear(f"{name}.to_qk", photo), self._linear(f"{name}.to_v", photo)) for photo in (x, y)
        )
        from_y, from_x = _attend(key_x, key_y, value_y), _attend(key_y, key_x, value_x)
        return (
            self._with(name, x, self._linear(f"{name}.to_out", from_y)),
            self._with(name, y, self._linear(f"{name}.to_out", from_x)),
        )

    def _with(self, name: str, x: Tensor, message: Tensor) -> Tensor:
        """Return features, (n, 96), changed by what they attended to, (n, 96)."""
        hidden = self._linear(f"{name}.ffn.0", torch.cat((x, message), dim=-1))
        scale, shift = self._weights[f"{name}.ffn.1.weight"], self._weights[f"{name}.ffn.1.bias"]
        hidden = functional.layer_norm(hidden, hidden.shape[-1:], scale, shift)
        return x + self._linear(f"{name}.ffn.3", functional.gelu(hidden))

    def _confidence(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logarithm of how likely each two features, of (n, 96) and (m, 96), match: (n, m)."""
        name = f"log_assignment.{LAYERS - 1}"
        likeness = self._linear(f"{name}.final_proj", x) @ self._linear(f"{name}.final_proj", y).T / WIDTH**0.5
        matchable_x, matchable_y = (
            functional.logsigmoid(self._linear(f"{name}.matchability", photo)) for photo in (x, y)
        )
        confidence: Tensor = likeness.log_softmax(0) + likeness.log_softmax(1) + matchable_x + matchable_y.T
        return confidence

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the mean of the values, (m, 96), by how alike the queries, (n, 96), and the keys are: (n, 96)."""
    return functional.scaled_dot_product_attention(query[None, None], key[None, None], value[None, None])[0, 0]


def _mutual(confidence: Tensor) -> Tensor:
    """Return the pairs, (m, 2), that are the best of their row and of their column, and likely enough."""
    best, column = confidence.max(1)
    row = confidence.argmax(0)
    numbers = torch.arange(len(column), device=column.device)
    kept = (row[column] == numbers) & (best.exp() > LEAST_CONFIDENCE)
    return torch.stack((numbers[kept], column[kept]), dim=-1)
