"""The HTTP edge: endpoint decorator, request bodies, identity, pages."""
