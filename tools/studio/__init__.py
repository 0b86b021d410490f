"""Studio: an image vendor on this machine, for demos and tests.

It speaks the protocols of OpenAI, Gemini, fal and Replicate, draws a different picture for each
prompt, and fails in whatever way the prompt asks for: `[fault:rate-limit]` (see faults.py).

    python -m studio --port 8093      (in tools/; --offer adds its model to running emulators)
"""
