"""The paths of the operators' API: which endpoint answers where."""

from imagegen.admin.audits import get_audit, list_audits, make_report, start_audit
from imagegen.admin.catalogue import editors, get_catalogue
from imagegen.admin.log import list_admin_actions, undo_admin_action
from imagegen.admin.requests import (
    cancel_for_user,
    get_generation_request,
    grant_goodwill,
    list_all_generation_requests,
    retry_generation_request,
    run_recovery,
)
from imagegen.admin.users import get_user, grant_credits, list_users, repair_user, set_user_status
from imagegen.api import router
from imagegen.api.router import Routes

NAME = "admin"  # of the function

ROUTES: Routes = {
    "/users": (list_users,),
    "/users/{userId}": (get_user,),
    "/users/{userId}/grants": (grant_credits,),
    "/users/{userId}/repair": (repair_user,),
    "/users/{userId}/status": (set_user_status,),
    "/generationRequests": (list_all_generation_requests,),
    "/generationRequests/{generationRequestId}": (get_generation_request,),
    "/generationRequests/{generationRequestId}/goodwill": (grant_goodwill,),
    "/generationRequests/{generationRequestId}/cancel": (cancel_for_user,),
    "/generationRequests/{generationRequestId}/retry": (retry_generation_request,),
    "/recovery": (run_recovery,),
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
