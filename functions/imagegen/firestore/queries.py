"""Queries as Firestore's protocol buffers have them."""

from typing import Any

from google.cloud.firestore_v1 import types

from imagegen.firestore.store import PATH, Query
from imagegen.firestore.values import Value, encoded, field_path

_Operator = types.StructuredQuery.FieldFilter.Operator
OPERATORS = {
    "<": _Operator.LESS_THAN,
    "<=": _Operator.LESS_THAN_OR_EQUAL,
    "==": _Operator.EQUAL,
    ">=": _Operator.GREATER_THAN_OR_EQUAL,
    ">": _Operator.GREATER_THAN,
    "in": _Operator.IN,
}


def structured_query(query: Query, documents: str) -> tuple[str, dict[str, Any]]:
    """The parent of the query, and the fields of its StructuredQuery.

    `documents` is what the names of all documents of the database start with.
    """
    collection_name = documents + query.collection
    parent, _, collection_id = collection_name.rpartition("/")
    structured: dict[str, Any] = {
        "from_": [{"collection_id": collection_id, "all_descendants": query.in_group}]
    }
    if query.select is not None:
        selected = [{"field_path": field_path(name)} for name in query.select]
        structured["select"] = {"fields": selected}
    if query.where:
        structured["where"] = _composite_filter(query)
    if query.order_by is not None:
        field, direction = query.order_by
        then_by = [] if query.then_by is None else [field_path(query.then_by)]
        paths = [*([] if field == PATH else [field_path(field)]), *then_by, PATH]
        structured["order_by"] = [
            {"field": {"field_path": path}, "direction": direction} for path in paths
        ]
        if query.start_after is not None:
            value, document_id = query.start_after
            if field == PATH:
                values = [Value(reference_value=documents + value)]
            else:
                name = Value(reference_value=f"{collection_name}/{document_id}")
                values = [encoded(value), name]
            structured["start_at"] = {"values": values, "before": False}
    if query.limit is not None:
        structured["limit"] = {"value": query.limit}
    return parent, structured


def _composite_filter(query: Query) -> dict[str, Any]:
    filters = [
        {
            "field_filter": {
                "field": {"field_path": field_path(field)},
                "op": OPERATORS[operator],
                "value": encoded(value),
            }
        }
        for field, operator, value in query.where
    ]
    operator_and = types.StructuredQuery.CompositeFilter.Operator.AND
    return {"composite_filter": {"op": operator_and, "filters": filters}}
