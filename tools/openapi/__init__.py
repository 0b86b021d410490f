"""Describes the API: openapi.json, the Postman collection, and the tables of docs/api.md."""
