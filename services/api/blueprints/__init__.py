"""The routes, one module a blueprint: read the request, ask a query, answer."""
