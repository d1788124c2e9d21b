"""Chooses a provider for each model: the first of the configured ones that this machine has and that passed its trial."""

import logging
from collections.abc import Callable

import onnxruntime as ort

from realtime.files import cache_folder
from realtime.models.fallback_session import FallbackSession, FallbackSettings
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import CPU, ModelSession
from realtime.models.provider_trial import try_provider
from realtime.models.providers import PROVIDERS
from realtime.models.registry import Registry
from realtime.models.subprocess_session import SubprocessSession

log = logging.getLogger(__name__)


def open_model(
    registry: Registry,
    spec: ModelSpec,
    *,
    shape: tuple[int, ...] | None = None,
    providers: tuple[str, ...] = ("cpu",),
    threads: int | None = None,
    fallback: FallbackSettings | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> ModelSession:
    """Open a model on the first usable provider, warmed up, on the calling thread.

    Args:
        registry: where the model lies.
        spec: which one.
        shape: the input size to warm up where the manifest leaves it open.
        providers: keys of `providers.PROVIDERS`, in order of preference.
        threads: of one operator on the CPU.
        fallback: bounds for an accelerated session.
        progress: called with the model's name and the seconds gone by while a provider compiles it for the first time.

    Raises:
        ModelFileError: the file is missing or damaged, or the CPU cannot run it.
    """
    cpu = registry.open(spec, threads)
    cpu.warm_up(shape)
    cache = cache_folder()
    for name in providers:
        provider = PROVIDERS.get(name, name)
        if provider == CPU:
            return cpu
        if provider not in ort.get_available_providers():
            log.warning("%s: %s is not used because this machine's ONNX Runtime does not have it", spec.name, provider)
            continue
        path = registry.checked_path(spec)
        report = (lambda gone, name=spec.name: progress(name, gone)) if progress else None
        trial = try_provider(spec, path, provider, cache, progress=report)
        if not trial.ok:
            log.warning("%s: %s is not used because %s", spec.name, provider, trial.reason)
            continue
        accelerated = SubprocessSession(spec, path, provider, shape)
        session = FallbackSession(spec, accelerated.open, cpu, fallback, end=accelerated.end)
        if session.wait_until_up():
            return session
    return cpu
