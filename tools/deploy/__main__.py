"""The command line of a deploy; make calls it.

python -m deploy check PROJECT        list what is missing; 1 when a deploy would not work
python -m deploy catalogue PROJECT    write the default catalogue into an empty database
python -m deploy smoke [PROJECT]      prove that what is deployed works (else: the emulators)
python -m deploy alerts PROJECT       apply the metrics, alerts and dashboard of ops/
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from deploy import alerts, catalogue, check, smoke, target
from deploy.google import ADDRESS, ApiError, Google, NoCredentials, default_session
from deploy.proofs import Failed
from deploy.target import ManifestError, Target

LOGIN = "Run: gcloud auth application-default login"


def main(arguments: Sequence[str]) -> int:
    options = parsed(arguments)
    try:
        if options.verb == "smoke" and not options.project:
            return smoke.on_emulators()
        google = Google(
            default_session(options.project), os.environ.get("GOOGLE_API_ADDRESS", ADDRESS)
        )
        return run(options, google, target.read(options.project))
    except NoCredentials as error:
        print(f"There are no usable Google credentials on this machine ({error}).", file=sys.stderr)
        print(f"{LOGIN} (the deploy itself uses firebase login)", file=sys.stderr)
    except (ManifestError, ApiError, Failed) as error:
        print(error, file=sys.stderr)
    return 1


def run(options: argparse.Namespace, google: Google, to: Target) -> int:
    if options.verb == "smoke":
        return smoke.on_project(google, to, url=options.url)
    if options.verb == "alerts":
        return alerts.apply(google, to.project, email=options.email)
    if options.verb == "catalogue":
        written = catalogue.write_defaults(google, to)
        print("Written." if written else "The database has a catalogue already; nothing changed.")
        return 0
    found = check.run(google, to)
    print(check.text(to, found))
    return int(any(each.blocks for each in found))


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy", description="Check, prove and watch a deploy.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, described in (
        ("check", "list what is missing"),
        ("catalogue", "write the default catalogue into an empty database"),
    ):
        verbs.add_parser(name, help=described).add_argument("project")
    proof = verbs.add_parser("smoke", help="prove that what is deployed works")
    proof.add_argument("project", nargs="?", default="", help="else the emulators of make run")
    proof.add_argument("--url", default="", help="where the functions are, if not at Google's URL")
    watched = verbs.add_parser("alerts", help="apply the metrics, alerts and dashboard of ops/")
    watched.add_argument("project")
    watched.add_argument("--email", default="", help="whom the alerts are sent to")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
