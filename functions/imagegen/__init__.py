"""Credits and AI image generation on Cloud Functions for Firebase."""
