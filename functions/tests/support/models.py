"""Catalogue documents of models at the studio, and jobs for them."""

from typing import Any

from studio.server import Studio

from imagegen.providers.base import GenerationJob

PAID = ("openai", "gemini", "fal", "replicate")


def settings_at(studio: Studio, generator: str, **fields: Any) -> dict[str, Any]:
    """What a document says of a model of `generator`, at the studio."""
    base_url = f"{studio.url}/{generator}" + ("/v1" if generator == "openai" else "")
    name = "acme/studio-1/fast" if generator == "fal" else "acme/studio-1"
    model = name if generator in {"fal", "replicate"} else "studio-1"
    return {"providerModel": model, "baseUrl": base_url, "secret": "STUDIO_KEY"} | fields


def job(settings: dict[str, Any], prompt: str = "a lighthouse", **fields: Any) -> GenerationJob:
    """An order for 512×512, in anime and neon."""
    given: dict[str, Any] = {
        "generation_request_id": "r1",
        "model": "Model P",
        "style": "anime",
        "color": "neon",
        "width": 512,
        "height": 512,
        "prompt": prompt,
        "attempt_id": "attempt1",
        "user_id": "ann",
        "settings": settings,
    }
    return GenerationJob(**(given | fields))
