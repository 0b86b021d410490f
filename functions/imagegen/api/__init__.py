"""The HTTP edge: endpoints and how they are served, request bodies, identity, pages."""
