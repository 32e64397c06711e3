"""The model that a configuration names."""

from __future__ import annotations

from studio.models import ModelManager, ModelSpec
from studio.scienceqa.config import AskConfig, EvaluateScienceqaConfig
from studio.scienceqa.model.bundle import describe
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import choose_quantization
from studio.scienceqa.model.source import named


def spec_of(config: AskConfig | EvaluateScienceqaConfig, models: ModelManager) -> ModelSpec:
    """Return what the model manager leases for a configuration: in 4 bits where that saves memory worth having.

    Raises:
        StudioError: There is no such bundle, or its language model cannot be reached.
    """
    source = named(
        config.bundle,
        adapter_dir=config.adapter_dir,
        projector_path=config.projector_path,
        tokenizer_dir=config.tokenizer_dir,
        llm_name=config.llm_name,
        vision_name=config.vision_name,
    )
    language = describe(source.bundle).tower("language") if source.bundle else source.language
    return source.spec(choose_quantization("auto", language, models.device))


def name_of(model: GemmaClip) -> str:
    """Return a model's name for people."""
    return model.info.name or f"{model.info.vision} and {model.info.language}"
