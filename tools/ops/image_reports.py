"""The operators' commands for reports of images: what was reported, and what is done about it.

imagegen-admin image-reports list                         the open ones, the oldest first
imagegen-admin image-reports dismiss ID --reason R        the image stays
imagegen-admin image-reports delete-image ID --reason R   the image goes, with its prompt
"""

from __future__ import annotations

from typing import Annotated

import typer

from imagegen import db
from imagegen.generation import image_reports
from imagegen.generation.image_reports import ReportedImage, ReportStatus
from ops.credentials import find_bucket
from ops.terminal import Reason, operator, out, print_json, problems

PAGE_SIZE = 50

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Report = Annotated[str, typer.Argument(help="The report's id, which is that of its request.")]


@app.callback()
def image_reports_(context: typer.Context) -> None:
    """See what images were reported, and dismiss a report or delete its image."""


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = PAGE_SIZE,
) -> None:
    """List the open reports, the oldest first."""
    with problems():
        query = image_reports.reports_query(ReportStatus.OPEN, limit)
        found = list(image_reports.shown(db.query(query)))
    if context.obj:  # --json
        print_json([each.model_dump(mode="json", by_alias=True) for each in found])
        return
    lines = "\n\n".join(_lines(each) for each in found)
    out.print(lines or "No report is open.", markup=False, soft_wrap=True)


@app.command()
def dismiss(context: typer.Context, report: Report, reason: Reason) -> None:
    """End a report; the image stays."""
    with problems():
        _show(context, image_reports.dismiss(report, by=operator(), reason=reason))


@app.command("delete-image")
def delete_image(context: typer.Context, report: Report, reason: Reason) -> None:
    """Delete the image of a report, with its prompt; the request and its price stay."""
    with problems():
        find_bucket()
        _show(context, image_reports.delete_image(report, by=operator(), reason=reason))


def _lines(report: ReportedImage) -> str:
    comment = f": {report.comment}" if report.comment else ""
    return "\n    ".join(
        (
            f"{report.generation_request_id}  {report.created_at:%Y-%m-%d %H:%M}",
            f"{report.reason}{comment}",
            f"{report.model or 'the request is gone'}, of {report.user_id}",
            f"“{report.prompt}”" if report.prompt else "the prompt was deleted",
            report.image_url or "the image was deleted",
        )
    )


def _show(context: typer.Context, report: ReportedImage) -> None:
    if context.obj:
        print_json(report.model_dump(mode="json", by_alias=True))
        return
    done = f"{report.generation_request_id} is {report.status.replace('_', ' ')}"
    out.print(f"{done}, by {report.resolved_by}.", markup=False, soft_wrap=True)
