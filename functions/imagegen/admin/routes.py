"""The paths of the operators' API: which endpoint answers where."""

from imagegen.admin.accounts import delete_user, export_user, set_user_status
from imagegen.admin.amends import cancel_for_user, grant_goodwill, retry_generation_request
from imagegen.admin.audits import get_audit, list_audits, start_audit
from imagegen.admin.catalogue import editors, get_catalogue
from imagegen.admin.credits import grant_credits, repair_user, transfer_credits
from imagegen.admin.events import get_event, list_events, list_user_events, redeliver_event
from imagegen.admin.image_reports import (
    delete_reported_image,
    dismiss_image_report,
    get_image_report,
    list_image_reports,
)
from imagegen.admin.log import list_admin_actions, undo_admin_action
from imagegen.admin.purchases import (
    book_purchase,
    get_purchase,
    list_all_purchases,
    refund_purchase,
    undo_purchase_refund,
    waive_debt,
)
from imagegen.admin.requests import get_generation_request, list_all_generation_requests
from imagegen.admin.runs import make_report, run_recovery
from imagegen.admin.users import get_user, list_users
from imagegen.admin.webhook_endpoints import (
    delete_webhook_endpoint,
    list_webhook_endpoints,
    register_webhook_endpoint,
    rotate_webhook_secret,
    set_webhook_endpoint,
    test_webhook_endpoint,
)
from imagegen.api import router
from imagegen.api.router import Routes

NAME = "admin"  # of the function

ROUTES: Routes = {
    "/users": (list_users,),
    "/users/{userId}": (get_user, delete_user),
    "/users/{userId}/grants": (grant_credits,),
    "/users/{userId}/repair": (repair_user,),
    "/users/{userId}/status": (set_user_status,),
    "/users/{userId}/exports": (export_user,),
    "/transfers": (transfer_credits,),
    "/users/{userId}/events": (list_user_events,),
    "/generationRequests": (list_all_generation_requests,),
    "/generationRequests/{generationRequestId}": (get_generation_request,),
    "/generationRequests/{generationRequestId}/goodwill": (grant_goodwill,),
    "/generationRequests/{generationRequestId}/cancel": (cancel_for_user,),
    "/generationRequests/{generationRequestId}/retry": (retry_generation_request,),
    "/recovery": (run_recovery,),
    "/users/{userId}/debtWaivers": (waive_debt,),
    "/purchases": (list_all_purchases,),
    "/purchases/{purchaseId}": (get_purchase,),
    "/purchases/{purchaseId}/book": (book_purchase,),
    "/purchases/{purchaseId}/refund": (refund_purchase, undo_purchase_refund),
    "/events": (list_events,),
    "/events/{eventId}": (get_event,),
    "/events/{eventId}/redeliver": (redeliver_event,),
    "/webhookEndpoints": (list_webhook_endpoints, register_webhook_endpoint),
    "/webhookEndpoints/{endpointId}": (set_webhook_endpoint, delete_webhook_endpoint),
    "/webhookEndpoints/{endpointId}/rotateSecret": (rotate_webhook_secret,),
    "/webhookEndpoints/{endpointId}/test": (test_webhook_endpoint,),
    "/imageReports": (list_image_reports,),
    "/imageReports/{reportId}": (get_image_report, dismiss_image_report),
    "/imageReports/{reportId}/image": (delete_reported_image,),
    "/audit": (start_audit,),
    "/audits": (list_audits,),
    "/audits/{auditId}": (get_audit,),
    "/reports/{week}": (make_report,),
    "/catalogue": (get_catalogue,),
    "/models/{name}": editors("models", "model"),
    "/styles/{name}": editors("styles", "style"),
    "/colors/{name}": editors("colors", "color"),
    "/sizes/{name}": editors("sizes", "size"),
    "/products/{name}": editors("products", "product"),
    "/adminActions": (list_admin_actions,),
    "/adminActions/{actionId}/undo": (undo_admin_action,),
}

answer = router.serve(NAME, ROUTES)
