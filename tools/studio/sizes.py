"""What size each protocol asks for."""

from __future__ import annotations

from typing import Any


def of_openai(fields: dict[str, Any]) -> tuple[int, int] | None:
    """Width and height; None for a size that the GPT image models refuse."""
    if "aspect_ratio" in fields:
        return of_ratio(fields["aspect_ratio"])
    if "width" in fields:
        return int(fields["width"]), int(fields["height"])
    width, _, height = str(fields.get("size", "1024x1024")).partition("x")
    size = int(width), int(height)
    if str(fields.get("model", "")).startswith("gpt-image"):
        pixels = size[0] * size[1]
        if size[0] % 16 or size[1] % 16 or not 655_360 <= pixels <= 8_294_400:
            return None
    return size


def of_ratio(ratio: str, side: int = 1024) -> tuple[int, int]:
    """About `side`² pixels of those proportions, in steps of 32."""
    across, _, down = ratio.partition(":")
    scale = side / (float(across) * float(down)) ** 0.5
    return round(float(across) * scale / 32) * 32, round(float(down) * scale / 32) * 32


def of_gemini(config: dict[str, Any]) -> tuple[int, int]:
    side = {"1K": 1024, "2K": 2048, "4K": 4096}[config.get("imageSize", "1K")]
    return of_ratio(config.get("aspectRatio", "1:1"), side)


def of_input(fields: dict[str, Any]) -> tuple[int, int]:
    """That of fal's or Replicate's models, which take one or another of these fields."""
    size = fields.get("image_size")
    if isinstance(size, dict):
        return int(size["width"]), int(size["height"])
    if "width" in fields:
        return int(fields["width"]), int(fields["height"])
    return of_ratio(fields.get("aspect_ratio", "1:1"))
