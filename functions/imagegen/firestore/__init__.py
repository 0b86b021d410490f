"""Cloud Firestore behind three verbs."""
