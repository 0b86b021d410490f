"""The paths of the operators' API: which endpoint answers where."""

from imagegen.admin.users import get_user, grant_credits, list_users, repair_user
from imagegen.api import router
from imagegen.api.router import Routes

NAME = "admin"  # of the function

ROUTES: Routes = {
    "/users": (list_users,),
    "/users/{userId}": (get_user,),
    "/users/{userId}/grants": (grant_credits,),
    "/users/{userId}/repair": (repair_user,),
}

answer = router.serve(NAME, ROUTES)
