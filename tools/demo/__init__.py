"""The data that a new project, the emulators and demonstrations start with."""
