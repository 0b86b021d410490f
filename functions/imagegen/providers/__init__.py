"""The models: plug-ins that make images."""
