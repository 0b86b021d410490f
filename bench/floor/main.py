"""The floor: the least that could be deployed for the same two calls, for `bench/run.py` alone.

One `@firestore.transactional` (read the user; write user, request and entry), one update, and a
plain read of balance and history. It checks nothing that money needs: no validation, no identity,
no idempotency, no refund, no recovery, no limits, no log line, no price in the database. A third
function does nothing: what HTTP takes by itself.
"""

from typing import Any

from firebase_functions import https_fn, options
from flask import Request
from google.cloud import firestore

db = firestore.Client()
PRICES = {"512x512": 1, "1024x1024": 3, "1024x1792": 4}


@https_fn.on_request()
def createGenerationRequest(request: Request) -> Any:
    body = request.get_json()
    user = db.collection("users").document(body["userId"])
    generation = db.collection("generationRequests").document()
    price = PRICES[body["size"]]
    if not charge(db.transaction(), user, generation, body, price):
        return {"error": "Not enough credits."}, 402
    image_url = "https://example.com/image.png"
    done = {"status": "completed", "imageUrl": image_url, "completedAt": firestore.SERVER_TIMESTAMP}
    generation.update(done)
    return {
        "generationRequestId": generation.id,
        "deductedCredits": price,
        "imageUrl": image_url,
    }


@firestore.transactional
def charge(transaction: Any, user: Any, generation: Any, body: dict[str, Any], price: int) -> bool:
    credits = user.get(transaction=transaction).get("credits")
    if credits < price:
        return False
    transaction.update(user, {"credits": credits - price})
    order = {name: body[name] for name in ("userId", "model", "style", "color", "size", "prompt")}
    created = {"credits": price, "status": "pending", "createdAt": firestore.SERVER_TIMESTAMP}
    transaction.create(generation, order | created)
    entry = {"type": "deduction", "credits": price, "generationRequestId": generation.id}
    transaction.create(
        user.collection("transactions").document(),
        entry | {"timestamp": firestore.SERVER_TIMESTAMP},
    )
    return True


@https_fn.on_request(cors=options.CorsOptions(cors_origins="*", cors_methods=["post"]))
def onlyAnswers(request: Request) -> Any:
    return {"userId": request.get_json()["userId"]}


@https_fn.on_request()
def getUserCredits(request: Request) -> Any:
    user = db.collection("users").document(request.get_json()["userId"])
    newest_first = user.collection("transactions").order_by("timestamp", direction="DESCENDING")
    return {
        "currentCredits": user.get().get("credits"),
        "transactions": [
            {"id": each.id, **each.to_dict()} for each in newest_first.limit(1000).stream()
        ],
    }
