"""The operators' API: what whoever runs the app may see and do, one function for all of it."""
