"""The lease: shared, bounded, exclusive when asked, and nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from studio.errors import StudioError
from studio.models import ModelManager, ModelSpec, Resident

torch.set_num_threads(1)
UNIT = 100_000  # bytes of one model here
A, B, C = (ModelSpec("linear", name) for name in "abc")


@dataclass(frozen=True)
class Bundle:
    """What a real loader returns: a module beside other things."""

    model: nn.Module
    name: str


class Loader:
    """Loads small real modules, counts how often, and can be made to run out of memory."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.failures: list[BaseException] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, spec: ModelSpec, device: torch.device) -> Bundle:
        self.loads.append(spec.source)
        assert self.gate.wait(60)
        if self.failures:
            raise self.failures.pop(0)
        layers = nn.Sequential(nn.Linear(99, 100), nn.Linear(100, 100), nn.Linear(100, 48, bias=False))
        model = nn.Sequential(layers, nn.Linear(2, 50, bias=False)).to(device).eval().requires_grad_(False)
        return Bundle(model, spec.source)


@pytest.fixture
def loader() -> Loader:
    return Loader()


def manager(loader: Loader, units: float) -> ModelManager:
    return ModelManager({"linear": loader}, device="cpu", budget=int(units * UNIT))


def names(models: ModelManager) -> list[str]:
    return [resident.spec.source for resident in models.loaded()]


def use(models: ModelManager, spec: ModelSpec, **how: Any) -> None:
    with models.lease(spec, **how):
        pass


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def test_two_holders_get_the_same_object_and_it_stays_warm(loader: Loader) -> None:
    models = manager(loader, 4)
    with models.lease(A) as first, models.lease(ModelSpec("linear", "a")) as second:
        assert first is second
        assert models.loaded() == [Resident(A, UNIT, 2, models.loaded()[0].last_used)]
    with models.lease(A) as third:
        assert third is first
    assert loader.loads == ["a"]
    assert models.loaded()[0].holders == 0 and models.used == UNIT


def test_another_form_is_another_model(loader: Loader) -> None:
    models = manager(loader, 9)
    for spec in (A, ModelSpec("linear", "a", dtype="bfloat16"), ModelSpec("linear", "a", quantization="nf4")):
        use(models, spec)
    assert len(models.loaded()) == 3


def test_the_least_recently_used_is_evicted(loader: Loader) -> None:
    models = manager(loader, 2.5)
    for spec in (A, B, A, C):
        use(models, spec)
    assert names(models) == ["c", "a"] and models.used == 2 * UNIT
    use(models, B)
    assert names(models) == ["b", "c"]
    assert loader.loads == ["a", "b", "c", "b"]


def test_what_is_held_is_never_evicted(loader: Loader) -> None:
    models = manager(loader, 2.5)
    with models.lease(A):
        use(models, B)
        use(models, C)
        assert names(models) == ["c", "a"]
        with (
            models.lease(C),
            pytest.raises(StudioError, match=r"linear b takes .* beside .* in use, more than the budget"),
        ):
            use(models, B)
        assert sorted(names(models)) == ["a", "c"]


def test_working_memory_counts_while_it_is_held(loader: Loader) -> None:
    models = manager(loader, 3.5)
    use(models, A)
    use(models, B)
    with models.lease(C, working_memory=UNIT):
        assert names(models) == ["c", "b"], "the work's bytes made a evictable"
        with pytest.raises(StudioError, match="more than the budget"):
            use(models, B, working_memory=UNIT)
    use(models, B, working_memory=UNIT)


def test_what_never_fits_names_the_numbers_and_leaves_nothing(loader: Loader) -> None:
    models = manager(loader, 0.5)
    with pytest.raises(StudioError, match=r"takes 0\.00 GiB.*budget of 0\.00 GiB.*4 bits"):
        use(models, A)
    assert models.loaded() == [] and models.used == 0


def test_a_folder_s_weights_make_room_before_they_are_loaded(loader: Loader, tmp_path: Any) -> None:
    (tmp_path / "model.safetensors").write_bytes(bytes(2 * UNIT))
    seen: list[list[str]] = []
    models = ModelManager(
        {"linear": lambda spec, device: (seen.append(names(models)), loader(spec, device))[1]}, "cpu", int(2.5 * UNIT)
    )
    use(models, A)
    use(models, ModelSpec("linear", str(tmp_path)))
    assert seen == [[], []], "a was gone before the second load began"


def test_bytes_come_back_after_unloading(loader: Loader) -> None:
    models = manager(loader, 4)
    with models.lease(A) as bundle:
        bundle.model.loop = bundle.model  # a reference cycle, as real models are full of
        watch = weakref.ref(bundle.model[1].weight)
        with pytest.raises(StudioError, match="linear a is in use"):
            models.unload(A)
        del bundle
    assert watch() is not None, "it stays warm"
    assert models.unload(A) == UNIT
    assert watch() is None
    assert models.unload(A) == 0 and models.used == 0


def test_unload_all_spares_what_is_held(loader: Loader) -> None:
    models = manager(loader, 4)
    use(models, A)
    use(models, B)
    with models.lease(C):
        assert models.unload_all() == 2 * UNIT
        assert names(models) == ["c"]
    models.close()
    assert models.loaded() == []


def test_bytes_come_back_after_eviction(loader: Loader) -> None:
    models = manager(loader, 1.5)
    with models.lease(A) as bundle:
        watch = weakref.ref(bundle.model)
        del bundle
    use(models, B)
    gc.collect()
    assert watch() is None


def test_two_threads_that_ask_at_once_load_once(loader: Loader) -> None:
    models = manager(loader, 4)
    loader.gate.clear()
    got: list[int] = []

    def ask() -> None:
        with models.lease(A) as bundle:
            got.append(id(bundle))
            until(lambda: len(got) == 4)

    threads = [in_thread(ask) for _ in range(4)]
    until(lambda: len(loader.loads) == 1)
    assert models.loaded() == [], "what is being loaded is not there yet"
    loader.gate.set()
    for thread in threads:
        thread.join(60)
    assert len(got) == 4 and len(set(got)) == 1 and loader.loads == ["a"]


def test_loading_one_model_does_not_hold_up_another(loader: Loader) -> None:
    models = manager(loader, 4)
    use(models, B)
    loader.gate.clear()
    thread = in_thread(lambda: use(models, A))
    until(lambda: "a" in loader.loads)
    use(models, B)
    assert names(models) == ["b"]
    loader.gate.set()
    thread.join(60)
    assert sorted(names(models)) == ["a", "b"]


def test_a_loader_that_fails_leaves_nothing_half_loaded(loader: Loader) -> None:
    models = manager(loader, 4)
    loader.failures = [StudioError("The folder holds no config.json."), OSError("disk")]
    with pytest.raises(StudioError, match="no config"):
        use(models, A)
    with pytest.raises(OSError, match="disk"):
        use(models, A)
    assert models.loaded() == [] and models.used == 0
    use(models, A)
    assert loader.loads == ["a", "a", "a"]


def test_those_who_wait_for_a_load_that_fails_try_themselves(loader: Loader) -> None:
    models = manager(loader, 4)
    loader.gate.clear()
    loader.failures = [OSError("disk")]
    failed: list[bool] = []

    def ask() -> None:
        try:
            use(models, A)
            failed.append(False)
        except OSError:
            failed.append(True)

    threads = [in_thread(ask) for _ in range(3)]
    until(lambda: bool(loader.loads))
    loader.gate.set()
    for thread in threads:
        thread.join(60)
    assert sorted(failed) == [False, False, True] and loader.loads == ["a", "a"]


def test_an_unknown_kind_and_an_unknown_device_are_named(loader: Loader) -> None:
    with pytest.raises(StudioError, match=r"no loader for models of kind 'clip'\. Known are linear"):
        use(manager(loader, 4), ModelSpec("clip", "x"))
    for device in ("abacus", "cuda:99"):
        with pytest.raises(StudioError, match=device):
            use(ModelManager({"linear": loader}, device=device, budget=UNIT), A)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
              torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")],
)  # fmt: skip
def test_out_of_memory_evicts_what_is_idle_and_tries_once_more(loader: Loader, error: BaseException) -> None:
    models = manager(loader, 9)
    use(models, A)
    with models.lease(B):
        loader.failures = [error]
        use(models, C)
        assert names(models) == ["c", "b"] and loader.loads == ["a", "b", "c", "c"]
        loader.failures = [error, error]
        with pytest.raises(StudioError, match=r"cpu ran out of memory with linear a: models take 0\.00 GiB.*are free"):
            use(models, A)
        assert loader.loads[-2:] == ["a", "a"] and names(models) == ["b"]
    use(models, A)


def test_out_of_memory_in_the_work_under_a_lease_is_told_with_numbers(loader: Loader) -> None:
    models = manager(loader, 9)
    use(models, A)
    with (
        pytest.raises(StudioError, match=r"ran out of memory with linear b: .*the work asked for 0\.00 GiB"),
        models.lease(B, working_memory=UNIT),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert names(models) == ["b"], "what was idle made room"
    assert models.loaded()[0].holders == 0
    with models.lease(C, working_memory=7 * UNIT):
        pass


def test_other_errors_in_the_work_pass_through_and_free_the_lease(loader: Loader) -> None:
    models = manager(loader, 2)
    with pytest.raises(ValueError, match="mine"), models.lease(A, working_memory=UNIT):
        raise ValueError("mine")
    assert models.loaded()[0].holders == 0
    use(models, A, working_memory=UNIT)


def test_a_lease_may_end_in_another_thread_than_it_began(loader: Loader) -> None:
    models = manager(loader, 2)
    lease = models.lease(A)
    lease.__enter__()
    in_thread(lambda: lease.__exit__(None, None, None)).join(60)
    assert models.loaded()[0].holders == 0
    use(models, A, exclusive=True)


def test_an_exclusive_lease_waits_for_others_and_keeps_them_out(loader: Loader) -> None:
    models = manager(loader, 4)
    log: list[str] = []
    go = threading.Event()

    def train() -> None:
        with models.lease(A, exclusive=True):
            log.append("training")
            assert go.wait(60)
            log.append("trained")

    def ask() -> None:
        with models.lease(A):
            log.append("asked")

    with models.lease(A):
        trainer = in_thread(train)
        with models.lease(B):
            time.sleep(0.05)
        assert log == [], "it waits for the holder"
    until(lambda: log == ["training"])
    asker = in_thread(ask)
    use(models, B)  # another model is free meanwhile
    time.sleep(0.05)
    assert log == ["training"]
    go.set()
    trainer.join(60)
    asker.join(60)
    assert log == ["training", "trained", "asked"] and loader.loads == ["a", "b"]


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
def test_a_thread_does_not_wait_for_itself(loader: Loader, first: bool, second: bool) -> None:
    models = manager(loader, 4)
    with models.lease(A, exclusive=first), pytest.raises(RuntimeError, match="would wait for itself"):
        use(models, A, exclusive=second)
    assert models.loaded()[0].holders == 0


def test_training_flags_and_gradients_are_undone(loader: Loader) -> None:
    models = manager(loader, 4)
    with models.lease(A, exclusive=True) as bundle:
        bundle.model.train()
        bundle.model.requires_grad_(True)
        bundle.model[1](torch.ones(1, 2)).sum().backward()
    with models.lease(A) as again:
        assert again is bundle and not again.model.training and not again.model[1].training
        assert not any(weight.requires_grad or weight.grad is not None for weight in again.model.parameters())


class Adapter(nn.Module):
    """A low-rank adapter around a layer, as peft puts one in a layer's place."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, 2, bias=False)
        self.up = nn.Linear(2, base.out_features, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        adapted: torch.Tensor = self.base(values) + self.up(self.down(values))
        return adapted


def add_adapter(bundle: Bundle) -> None:
    bundle.model[1] = Adapter(bundle.model[1])


def merge_adapter(bundle: Bundle) -> None:
    """Train beside a layer, write the result into its weights behind PyTorch's back, and put the layer back."""
    adapter = Adapter(bundle.model[1])
    adapter.base.weight.data += adapter.up.weight.data @ adapter.down.weight.data
    bundle.model[1] = adapter.base


def step(bundle: Bundle) -> None:
    bundle.model.requires_grad_(True)
    bundle.model[1](torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(bundle.model.parameters(), lr=0.1).step()


def hook(bundle: Bundle) -> None:
    bundle.model[1].register_forward_hook(lambda module, inputs, output: output + 1)


def fail(bundle: Bundle) -> None:
    step(bundle)
    raise ValueError("training failed")


@pytest.mark.parametrize("training", [add_adapter, merge_adapter, step, hook, fail])
def test_what_training_left_behind_is_dropped(loader: Loader, training: Callable[[Bundle], None]) -> None:
    models = manager(loader, 4)
    try:
        with models.lease(A, exclusive=True) as bundle:
            training(bundle)
    except ValueError:
        pass
    assert models.loaded() == []
    with models.lease(A) as fresh:
        assert fresh is not bundle and len(list(fresh.model.modules())) == 6
    assert loader.loads == ["a", "a"]


def test_the_device_lock_is_one_and_may_be_taken_again_by_its_thread(loader: Loader) -> None:
    models = manager(loader, 4)
    inside: list[str] = []

    def other() -> None:
        with models.device_lock():
            inside.append("other")

    with models.device_lock():
        thread = in_thread(other)
        with models.device_lock():
            time.sleep(0.05)
        assert inside == []
    thread.join(60)
    assert inside == ["other"]


def test_the_budget_is_four_fifths_of_what_is_free_when_not_set(loader: Loader) -> None:
    models = ModelManager({"linear": loader}, device="auto")
    assert models.device.type in ("cpu", "cuda")
    assert models.budget > UNIT and models.budget == models.budget
    use(models, A)


def test_many_threads_never_lose_a_model_under_each_other(loader: Loader) -> None:
    models = manager(loader, 3.5)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(9):
                spec = (A, B, C)[(number + turn) % 3]
                with models.lease(spec, exclusive=turn % 7 == 0) as bundle:
                    assert bundle.name == spec.source and bundle.model[1].weight.shape == (50, 2)
                if turn == 4:
                    models.unload_all()
        except BaseException as error:
            errors.append(error)

    threads = [in_thread(lambda number=number: work(number)) for number in range(4)]  # type: ignore[misc]
    for thread in threads:
        thread.join(120)
    assert errors == [] and all(resident.holders == 0 for resident in models.loaded())
    models.close()
    assert models.used == 0
