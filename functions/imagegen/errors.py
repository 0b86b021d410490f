"""Every error that a caller can receive.

ImagegenError                      500 INTERNAL
├── MalformedJson                  400 INVALID_ARGUMENT
├── InvalidField                   400 INVALID_ARGUMENT
├── UnknownOption                  400 INVALID_ARGUMENT
├── ModeNotSupported               400 INVALID_ARGUMENT
├── SourceNotSupported             400 INVALID_ARGUMENT
├── PhotoNotUsable                 400 INVALID_ARGUMENT
├── NotAnonymous                   400 INVALID_ARGUMENT
├── SignatureInvalid               400 UNAUTHENTICATED
├── TokenMissing                   401 UNAUTHENTICATED
│   ├── TokenInvalid
│   ├── TokenExpired
│   └── RecentSignInRequired
├── AppCheckMissing                401 UNAUTHENTICATED
│   └── AppCheckInvalid
├── InsufficientCredits            402 RESOURCE_EXHAUSTED
├── OutstandingDebt                402 FAILED_PRECONDITION
├── NotOwner                       403 PERMISSION_DENIED
├── NotAdmin                       403 PERMISSION_DENIED
├── PathNotFound                   404 NOT_FOUND
├── AccountDisabled                403 PERMISSION_DENIED
├── UserNotFound                   404 NOT_FOUND
├── GenerationRequestNotFound      404 NOT_FOUND
├── UploadNotFound                 404 NOT_FOUND
├── CustomerNotFound               404 NOT_FOUND
├── ProductNotFound                404 NOT_FOUND
├── PurchaseNotFound               404 NOT_FOUND
├── WebhookEndpointNotFound        404 NOT_FOUND
├── EventNotFound                  404 NOT_FOUND
├── ImageReportNotFound            404 NOT_FOUND
├── OptionNotFound                 404 NOT_FOUND
├── ActionNotFound                 404 NOT_FOUND
├── AuditNotFound                  404 NOT_FOUND
├── PaymentsOff                    404 NOT_FOUND
├── MethodNotAllowed               405 UNIMPLEMENTED
├── AccountUnusable                409 FAILED_PRECONDITION
├── PurchaseNotRefundable          409 FAILED_PRECONDITION
├── AccountClosing                 409 FAILED_PRECONDITION
├── PriceChanged                   409 FAILED_PRECONDITION
├── RequestInProgress              409 ABORTED
├── RequestCanceled                409 FAILED_PRECONDITION
├── NotCancelable                  409 FAILED_PRECONDITION
├── NotDeletable                   409 FAILED_PRECONDITION
├── NotReportable                  409 FAILED_PRECONDITION
├── ImageDeleted                   409 FAILED_PRECONDITION
├── NotCompleted                   409 FAILED_PRECONDITION
├── NotRetryable                   409 FAILED_PRECONDITION
├── NotUndoable                    409 FAILED_PRECONDITION
├── ChangedSince                   409 ABORTED
├── PayloadTooLarge                413 INVALID_ARGUMENT
├── UnsupportedMediaType           415 INVALID_ARGUMENT
├── IdempotencyKeyReused           422 INVALID_ARGUMENT
├── PromptRefused                  422 INVALID_ARGUMENT
├── ContentRefused                 422 INVALID_ARGUMENT
├── RateLimited                    429 RESOURCE_EXHAUSTED
├── GenerationFailed               500 UNKNOWN
│   └── GenerationTimeout          504 DEADLINE_EXCEEDED
├── ModelUnavailable               503 UNAVAILABLE
└── BackendUnavailable             503 UNAVAILABLE
    ├── OutcomeUnknown
    └── PaymentProviderUnavailable

An error carries its HTTP status, its canonical gRPC status (client SDKs accept no other), and a
`reason` that never changes. `imagegen.api.serve` is the only place that renders one.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ImagegenError(Exception):
    """Base class. Raised directly only for a state that nothing but a bug can produce.

    `details` are sent to the client; `headers` are added to the response.
    """

    code: ClassVar[int] = 500
    status: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"
    message: str = "An internal error occurred."

    def __init__(
        self,
        message: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        if message is not None:
            self.message = message
        self.headers: dict[str, str] = dict(headers or {})
        self.details = details
        super().__init__(self.message)


class MalformedJson(ImagegenError):
    """The body is not a well-formed JSON object."""

    code, status, reason = 400, "INVALID_ARGUMENT", "MALFORMED_JSON"
    message = "The body must be one JSON object."


class InvalidField(ImagegenError):
    """Fields are missing, mistyped, out of range or unknown; details: fieldViolations."""

    code, status, reason = 400, "INVALID_ARGUMENT", "INVALID_FIELD"
    message = "Some fields are not valid."

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidField":
        """One field that is not valid, such as `"userId", "is not yours"`."""
        return cls(fieldViolations=[{"field": field, "description": description}])


class UnknownOption(ImagegenError):
    """No such model, style, color or size is on offer; details: field, value, allowed."""

    code, status, reason = 400, "INVALID_ARGUMENT", "UNKNOWN_OPTION"


class ModeNotSupported(ImagegenError):
    """The model generates in the background only, and the order asked to wait."""

    code, status, reason = 400, "INVALID_ARGUMENT", "MODE_NOT_SUPPORTED"
    message = "This model generates in the background only: leave out `mode`, or send `async`."


class SourceNotSupported(ImagegenError):
    """The model takes no photo, and the order names one; details: model."""

    code, status, reason = 400, "INVALID_ARGUMENT", "SOURCE_NOT_SUPPORTED"
    message = "This model takes no photo."


class PhotoNotUsable(ImagegenError):
    """What was uploaded is no photo of a known type, or has too many pixels."""

    code, status, reason = 400, "INVALID_ARGUMENT", "PHOTO_NOT_USABLE"
    message = "Send a photo: JPEG, PNG or WebP."


class NotAnonymous(ImagegenError):
    """Only an anonymous account can be merged, and only into one that is not."""

    code, status, reason = 400, "INVALID_ARGUMENT", "NOT_ANONYMOUS"
    message = "Send the ID token of an anonymous user, as a user who is not."


class SignatureInvalid(ImagegenError):
    """The webhook was not sent by the payment provider, or too long ago."""

    code, status, reason = 400, "UNAUTHENTICATED", "SIGNATURE_INVALID"
    message = "The webhook's signature or secret is not valid."


class TokenMissing(ImagegenError):
    """The call needs a Firebase ID token and has none."""

    code, status, reason = 401, "UNAUTHENTICATED", "TOKEN_MISSING"
    message = "Send a Firebase ID token: Authorization: Bearer <token>."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class TokenInvalid(TokenMissing):
    """The token was not issued by this project's Firebase Authentication."""

    reason = "TOKEN_INVALID"
    message = "The ID token is not valid."


class TokenExpired(TokenMissing):
    """The token has expired."""

    reason = "TOKEN_EXPIRED"
    message = "The ID token has expired; refresh it and try again."


class RecentSignInRequired(TokenMissing):
    """The user signed in too long ago for what cannot be undone."""

    reason = "RECENT_SIGN_IN_REQUIRED"
    message = "Sign in again, and repeat the call within five minutes."


class AppCheckMissing(ImagegenError):
    """The call needs a token of Firebase App Check and has none."""

    code, status, reason = 401, "UNAUTHENTICATED", "APP_CHECK_MISSING"
    message = "Send an App Check token: X-Firebase-AppCheck: <token>."

    def __init__(self) -> None:
        # RFC 9110 wants a challenge in every 401, and there is no scheme for App Check.
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class AppCheckInvalid(AppCheckMissing):
    """The App Check token was not issued for this project, has expired, or was used before."""

    reason = "APP_CHECK_INVALID"
    message = "The App Check token is not valid."


class InsufficientCredits(ImagegenError):
    """The balance does not cover the price; details: required, available.

    `hint` says why there are no free credits: EMAIL_NOT_VERIFIED or ANONYMOUS.
    """

    code, status, reason = 402, "RESOURCE_EXHAUSTED", "INSUFFICIENT_CREDITS"
    message = "Not enough credits."


class OutstandingDebt(ImagegenError):
    """Credits of a refunded purchase were spent and are still owed; details: debt, available."""

    code, status, reason = 402, "FAILED_PRECONDITION", "OUTSTANDING_DEBT"
    message = "Credits of a refunded purchase are still owed."


class NotOwner(ImagegenError):
    """The data belongs to another user."""

    code, status, reason = 403, "PERMISSION_DENIED", "NOT_OWNER"
    message = "You may only act for yourself."


class NotAdmin(ImagegenError):
    """The call is for operators: the token needs the claim `admin: true`."""

    code, status, reason = 403, "PERMISSION_DENIED", "NOT_ADMIN"
    message = "This call is for operators only."


class PathNotFound(ImagegenError):
    """The function has no such path."""

    code, status, reason = 404, "NOT_FOUND", "PATH_NOT_FOUND"
    message = "There is no such path."


class AccountDisabled(ImagegenError):
    """An operator has disabled the account: it can be read, and nothing spent or bought."""

    code, status, reason = 403, "PERMISSION_DENIED", "ACCOUNT_DISABLED"
    message = "This account is disabled; please contact support."


class UserNotFound(ImagegenError):
    """There is no such user document."""

    code, status, reason = 404, "NOT_FOUND", "USER_NOT_FOUND"
    message = "There is no such user."


class GenerationRequestNotFound(ImagegenError):
    """The generation request does not exist or belongs to another user."""

    code, status, reason = 404, "NOT_FOUND", "GENERATION_REQUEST_NOT_FOUND"
    message = "There is no such generation request."


class UploadNotFound(ImagegenError):
    """The user has no such upload, or it has expired; details: uploadId."""

    code, status, reason = 404, "NOT_FOUND", "UPLOAD_NOT_FOUND"
    message = "There is no such upload; upload the photo again."


class CustomerNotFound(ImagegenError):
    """The user has bought nothing through Stripe, so there is nothing to manage."""

    code, status, reason = 404, "NOT_FOUND", "CUSTOMER_NOT_FOUND"
    message = "There are no purchases to manage."


class ProductNotFound(ImagegenError):
    """No such product is sold through this payment provider; details: productId."""

    code, status, reason = 404, "NOT_FOUND", "PRODUCT_NOT_FOUND"
    message = "There is no such product."


class PurchaseNotFound(ImagegenError):
    """There is no such purchase; details: purchaseId."""

    code, status, reason = 404, "NOT_FOUND", "PURCHASE_NOT_FOUND"
    message = "There is no such purchase."


class WebhookEndpointNotFound(ImagegenError):
    """There is no such webhook endpoint; details: webhookEndpointId."""

    code, status, reason = 404, "NOT_FOUND", "WEBHOOK_ENDPOINT_NOT_FOUND"
    message = "There is no such webhook endpoint."


class EventNotFound(ImagegenError):
    """There is no such event, or it has expired; details: eventId."""

    code, status, reason = 404, "NOT_FOUND", "EVENT_NOT_FOUND"
    message = "There is no such event, or it has expired."


class ImageReportNotFound(ImagegenError):
    """There is no such report of an image; details: imageReportId."""

    code, status, reason = 404, "NOT_FOUND", "IMAGE_REPORT_NOT_FOUND"
    message = "There is no such report."


class OptionNotFound(ImagegenError):
    """The catalogue has no such document; details: path."""

    code, status, reason = 404, "NOT_FOUND", "OPTION_NOT_FOUND"
    message = "The catalogue has no such document."


class ActionNotFound(ImagegenError):
    """The log has no such action; details: actionId."""

    code, status, reason = 404, "NOT_FOUND", "ACTION_NOT_FOUND"
    message = "There is no such action."


class AuditNotFound(ImagegenError):
    """There is no such audit; details: auditId."""

    code, status, reason = 404, "NOT_FOUND", "AUDIT_NOT_FOUND"
    message = "There is no such audit."


class PaymentsOff(ImagegenError):
    """The parameter PAYMENTS does not switch this payment provider on."""

    code, status, reason = 404, "NOT_FOUND", "PAYMENTS_OFF"
    message = "Credits are not sold this way."


class MethodNotAllowed(ImagegenError):
    """The function does not support this HTTP method."""

    code, status, reason = 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"


class AccountUnusable(ImagegenError):
    """The user document is malformed, for instance its balance is no whole number."""

    code, status, reason = 409, "FAILED_PRECONDITION", "ACCOUNT_UNUSABLE"
    message = "This account cannot be used at the moment; please contact support."


class PurchaseNotRefundable(ImagegenError):
    """An operator notes refunds of store purchases only, whose credits have come in.

    Details: purchaseId, provider, status.
    """

    code, status, reason = 409, "FAILED_PRECONDITION", "PURCHASE_NOT_REFUNDABLE"
    message = "Only a store purchase whose credits have come in can be noted as refunded."


class AccountClosing(ImagegenError):
    """The account is being deleted, or was closed: nothing can be spent, given or bought."""

    code, status, reason = 409, "FAILED_PRECONDITION", "ACCOUNT_CLOSING"
    message = "This account is being deleted."


class PriceChanged(ImagegenError):
    """The price is above the `maxCredits` of the order; details: credits, the current price."""

    code, status, reason = 409, "FAILED_PRECONDITION", "PRICE_CHANGED"
    message = "The price is higher than the order allows."


class RequestInProgress(ImagegenError):
    """A call with this idempotency key is still running; details: generationRequestId."""

    code, status, reason = 409, "ABORTED", "REQUEST_IN_PROGRESS"
    message = "A request with this idempotency key is still running."

    def __init__(self, **details: Any) -> None:
        super().__init__(headers={"Retry-After": "5"}, **details)


class RequestCanceled(ImagegenError):
    """The request was canceled; details: generationRequestId, refundedCredits."""

    code, status, reason = 409, "FAILED_PRECONDITION", "REQUEST_CANCELED"
    message = "The request was canceled, credits refunded."


class NotCancelable(ImagegenError):
    """The request is no longer pending, so it cannot be canceled; details: status."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_CANCELABLE"
    message = "Only a pending request can be canceled."


class NotDeletable(ImagegenError):
    """The request is still open, so its image cannot be deleted; details: status."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_DELETABLE"
    message = "The request is still open: cancel it, or wait until it has ended."


class NotReportable(ImagegenError):
    """The request has made no image, so there is none to report; details: status."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_REPORTABLE"
    message = "This request has no image to report."


class ImageDeleted(ImagegenError):
    """The image that the request has made was deleted since; details: generationRequestId."""

    code, status, reason = 409, "FAILED_PRECONDITION", "IMAGE_DELETED"
    message = "The image of this request was deleted."


class NotCompleted(ImagegenError):
    """Goodwill is for a completed request; details: generationRequestId, status."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_COMPLETED"
    message = "The request has not completed: a failed one is refunded already."


class NotRetryable(ImagegenError):
    """Only a failed request is tried again for free; details: generationRequestId, status."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_RETRYABLE"
    message = "Only a failed request can be tried again."


class NotUndoable(ImagegenError):
    """Only changes of the catalogue can be undone; details: actionId."""

    code, status, reason = 409, "FAILED_PRECONDITION", "NOT_UNDOABLE"
    message = "Only changes of the catalogue can be undone."


class ChangedSince(ImagegenError):
    """The document is not any more as the action has left it; details: actionId."""

    code, status, reason = 409, "ABORTED", "CHANGED_SINCE"
    message = "It has been changed since; nothing was undone."


class PayloadTooLarge(ImagegenError):
    """The body is longer than the limit; details: limitBytes."""

    code, status, reason = 413, "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE"
    message = "The body is too large."


class UnsupportedMediaType(ImagegenError):
    """The Content-Type is not JSON, nor that of a photo where the endpoint takes one."""

    code, status, reason = 415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"
    message = "Send the body as Content-Type: application/json."


class IdempotencyKeyReused(ImagegenError):
    """The idempotency key was used for another order; details: generationRequestId."""

    code, status, reason = 422, "INVALID_ARGUMENT", "IDEMPOTENCY_KEY_REUSED"
    message = "This idempotency key was used with another body."


class PromptRefused(ImagegenError):
    """The prompt is refused before anything is charged."""

    code, status, reason = 422, "INVALID_ARGUMENT", "PROMPT_REFUSED"
    message = "This prompt is not allowed; nothing was charged."


class ContentRefused(ImagegenError):
    """The model refused the content; details: generationRequestId, refundedCredits."""

    code, status, reason = 422, "INVALID_ARGUMENT", "CONTENT_REFUSED"
    message = "The model refused this content, credits refunded. Change the prompt to try again."


class RateLimited(ImagegenError):
    """The user has reached a limit; details: limit. Retry-After says when to try again."""

    code, status, reason = 429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"
    message = "Too many requests; try again later."


class GenerationFailed(ImagegenError):
    """The model made no image; details: generationRequestId, refundedCredits, cause, retryable."""

    code, status, reason = 500, "UNKNOWN", "GENERATION_FAILED"
    message = "AI generation failed, credits refunded."


class GenerationTimeout(GenerationFailed):
    """The model made no image in time; details as for `GenerationFailed`."""

    code, status, reason = 504, "DEADLINE_EXCEEDED", "GENERATION_TIMEOUT"
    message = "AI generation took too long, credits refunded."


class ModelUnavailable(ImagegenError):
    """The model is out of order; nothing was charged; details: model."""

    code, status, reason = 503, "UNAVAILABLE", "MODEL_UNAVAILABLE"
    message = "This model is not available now; nothing was charged."

    def __init__(self, *, retry_after_seconds: int, **details: Any) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)}, **details)


class BackendUnavailable(ImagegenError):
    """Firestore or Google is out of reach. A generation request in details may be charged."""

    code, status, reason = 503, "UNAVAILABLE", "BACKEND_UNAVAILABLE"
    message = "The service is temporarily unavailable; try again."

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message, headers={"Retry-After": "5"}, **details)


class OutcomeUnknown(BackendUnavailable):
    """The reply to a commit was lost, so it may or may not have been applied."""


class PaymentProviderUnavailable(BackendUnavailable):
    """The payment provider cannot be reached or cannot answer; nothing was bought."""

    reason = "PAYMENT_PROVIDER_UNAVAILABLE"
    message = "The payment provider is temporarily unavailable; try again."
