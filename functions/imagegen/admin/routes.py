"""The paths of the operators' API: which endpoint answers where."""

from imagegen.admin.requests import (
    cancel_for_user,
    get_generation_request,
    grant_goodwill,
    list_all_generation_requests,
    retry_generation_request,
    run_recovery,
)
from imagegen.admin.users import get_user, grant_credits, list_users, repair_user
from imagegen.api import router
from imagegen.api.router import Routes

NAME = "admin"  # of the function

ROUTES: Routes = {
    "/users": (list_users,),
    "/users/{userId}": (get_user,),
    "/users/{userId}/grants": (grant_credits,),
    "/users/{userId}/repair": (repair_user,),
    "/generationRequests": (list_all_generation_requests,),
    "/generationRequests/{generationRequestId}": (get_generation_request,),
    "/generationRequests/{generationRequestId}/goodwill": (grant_goodwill,),
    "/generationRequests/{generationRequestId}/cancel": (cancel_for_user,),
    "/generationRequests/{generationRequestId}/retry": (retry_generation_request,),
    "/recovery": (run_recovery,),
}

answer = router.serve(NAME, ROUTES)
