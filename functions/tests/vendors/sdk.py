"""What the vendors' own SDKs do with an order; run by the environment that has them.

    python sdk.py openai '{"base_url": …, "prompt": …}'

Writes one JSON object: `image`, the bytes as base64, or `error`, the name of the exception.
"""

import base64
import json
import os
import sys
import urllib.request
from typing import Any


def openai(order: dict[str, Any]) -> bytes:
    from openai import OpenAI
    from openai.types import ImageGenerateParams, ImagesResponse
    from pydantic import TypeAdapter

    client = OpenAI(api_key="sk-studio", base_url=order["base_url"], max_retries=0)
    if "check" in order:  # what we send is what the SDK's types allow
        TypeAdapter(ImageGenerateParams).validate_python(order["check"])
    if "photo" in order:
        photo = ("photo.png", base64.b64decode(order["photo"]), "image/png")
        answer = client.images.edit(image=photo, **order["fields"])
    else:
        answer = client.images.generate(**order["fields"])
    assert isinstance(answer, ImagesResponse)
    ImagesResponse.model_validate(answer.to_dict(), strict=True)
    return base64.b64decode(answer.data[0].b64_json)


def gemini(order: dict[str, Any]) -> bytes:
    from google import genai
    from google.auth.credentials import AnonymousCredentials
    from google.genai import types

    if "check" in order:
        types.GenerateContentConfig.model_validate(order["check"]["generationConfig"])
        types.Content.model_validate(order["check"]["contents"][0])
    options = types.HttpOptions(base_url=order["base_url"], api_version=order["api_version"])
    if order["api_version"] == "v1":
        credentials = AnonymousCredentials()
        credentials.token = "ya29.studio"
        client = genai.Client(
            vertexai=True,
            project="demo",
            location="global",
            credentials=credentials,
            http_options=options,
        )
    else:
        client = genai.Client(api_key="sk-studio", http_options=options)
    parts = [types.Part.from_text(text=order["prompt"])]
    if "photo" in order:
        data = base64.b64decode(order["photo"])
        parts.append(types.Part.from_bytes(data=data, mime_type="image/png"))
    answer = client.models.generate_content(
        model=order["model"],
        contents=parts,
        config=types.GenerateContentConfig(
            response_modalities=["IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="1:1", image_size="1K"),
        ),
    )
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        raise PermissionError(answer.prompt_feedback.block_reason)
    return next(part.inline_data.data for part in answer.parts if part.inline_data)


def fal(order: dict[str, Any]) -> bytes:
    import fal_client

    handle = fal_client.SyncClient(key="sk-studio").submit(order["model"], order["fields"])
    if order.get("cancel"):
        handle.cancel()
    result = handle.get()
    return download(result["images"][0]["url"])


def replicate(order: dict[str, Any]) -> bytes:
    from replicate.client import Client

    client = Client(api_token="sk-studio", base_url=order["base_url"])
    client.poll_interval = 0.05
    prediction = client.models.predictions.create(model=order["model"], input=order["fields"])
    if order.get("cancel"):
        prediction.cancel()
    prediction.wait()
    if prediction.status != "succeeded":
        raise RuntimeError(prediction.status)
    return download(prediction.output[0])


def download(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:  # noqa: S310 - the studio's own URL
        data: bytes = response.read()
        return data


if __name__ == "__main__":
    vendor, order = sys.argv[1], json.loads(sys.argv[2])
    os.environ.update(order.get("environment", {}))
    try:
        answer = {"image": base64.b64encode(globals()[vendor](order)).decode()}
    except Exception as error:  # noqa: BLE001 - the test decides what it means
        answer = {"error": type(error).__name__, "message": str(error)[:2000]}
    sys.stdout.write(json.dumps(answer))
