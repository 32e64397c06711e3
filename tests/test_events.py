from __future__ import annotations

import dataclasses
import json

import pytest

from studio.events import Event


def test_an_event_survives_json() -> None:
    event = Event(3, 10, "third", {"margin": 1.5}, {"lut": "look.cube"})
    assert Event.from_json(json.loads(json.dumps(event.to_json()))) == event


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(TypeError):
        Event.from_json({"done": 1, "surprise": 2})


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Event().done = 1  # type: ignore[misc]
